"""Bundles that another program wrote (Synthea, 2019): nothing is refused, nothing is lost, references stand alone.

The files are no part of the project: where they are not, there is nothing to test.
"""

from collections import Counter
from pathlib import Path

import orjson
import pytest

from trilake.clinical.preflight import Checked, Checker
from trilake.clinical.reading import read_pieces

FILES = sorted((Path(__file__).parents[3] / "shared/samples/fhir/synthea-2019").glob("*.json"))


@pytest.fixture(scope="module")
def checked() -> dict[Path, list[Checked]]:
    if not FILES:
        pytest.skip("the real bundles are not here")
    checker = Checker()
    return {path: [one for piece in read_pieces(path) for one in checker.piece(piece).checked] for path in FILES}


def test_every_entry_is_taken(checked: dict[Path, list[Checked]]) -> None:
    for path, found in checked.items():
        entries = orjson.loads(path.read_bytes())["entry"]
        assert [one.faults for one in found if one.faults] == [], path.name
        assert Counter(one.type for one in found) == Counter(entry["resource"]["resourceType"] for entry in entries)
        assert [one.id for one in found] == [entry["resource"]["id"] for entry in entries]


def test_references_within_a_bundle_name_their_target(checked: dict[Path, list[Checked]]) -> None:
    for path, found in checked.items():
        keys = {f"{one.type}/{one.id}".encode() for one in found}
        wanted = {key for one in found for key in keys if b'"%s"' % key in one.data}
        assert not any(b'"reference":"urn:uuid:' in one.data for one in found), path.name
        assert next(key for key in keys if key.startswith(b"Patient/")) in wanted
