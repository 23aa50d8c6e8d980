"""Refused bytes are kept record by record, under ids that lead back to them."""

import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from trilake.core.quarantine import ITEM, Quarantine

SHA = "9be01c2d3e4f" + "0" * 52  # pragma: allowlist secret


def test_each_record_is_a_member_of_its_files_zip(tmp_path: Path) -> None:
    with closing(Quarantine("20261124T031500-3f2a91", tmp_path)) as quarantine:
        item = quarantine.keep(SHA, b"\x00bytes\n", record="17")
        quarantine.keep(SHA, b"other", record="1-e0")
    assert item == "20261124T031500-3f2a91.9be01c2d3e4f.17"
    with zipfile.ZipFile(tmp_path / "9be01c2d3e4f.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"17": b"\x00bytes\n", "1-e0": b"other"}


def test_a_whole_file_is_kept_from_disk(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"content")
    with closing(Quarantine("run", tmp_path)) as quarantine:
        assert quarantine.keep_file(SHA, source) == quarantine.keep_file(SHA, source) == "run.9be01c2d3e4f.file"
    with zipfile.ZipFile(tmp_path / "9be01c2d3e4f.zip") as archive:
        assert archive.read("file") == b"content"


@pytest.mark.parametrize("item", ["run.9be01c2d3e4f", "run/../x.9be01c2d3e4f.1", "run.9be01c2d3e4f.a/b", ""])
def test_malformed_ids_lead_nowhere(item: str) -> None:
    assert ITEM.fullmatch(item) is None
