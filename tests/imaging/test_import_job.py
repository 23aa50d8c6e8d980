"""HealthImaging's quotas: files are cut into jobs of at most so many files and bytes, in order, none lost."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilake.core.importer import SourceFile
from trilake.core.recognise import Kind
from trilake.imaging.import_job import MOST_BYTES, MOST_FILES, Staged, portions

GB = 10**9


def files(*sizes: int) -> list[Staged]:
    return [Staged(SourceFile(str(place), Path(), "", size, Kind.DICOM)) for place, size in enumerate(sizes)]


def cut(*sizes: int) -> list[list[int]]:
    return [[one.file.n_bytes for one in portion] for portion in portions(files(*sizes))]


@pytest.mark.parametrize(
    ("n_files", "expected"),
    [(0, []), (1, [1]), (4_999, [4_999]), (5_000, [5_000]), (5_001, [5_000, 1]), (10_001, [5_000, 5_000, 1])],
)
def test_a_job_has_5000_files_at_most(n_files: int, expected: list[int]) -> None:
    assert [len(portion) for portion in cut(*[1] * n_files)] == expected


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([10 * GB], [[10 * GB]]),
        ([10 * GB - 1, 1, 1], [[10 * GB - 1, 1], [1]]),
        ([6 * GB, 5 * GB, 5 * GB], [[6 * GB], [5 * GB, 5 * GB]]),
        ([1, 10 * GB, 1], [[1], [10 * GB], [1]]),
    ],
)
def test_a_job_has_10_gb_at_most(sizes: list[int], expected: list[list[int]]) -> None:
    assert cut(*sizes) == expected


@given(st.lists(st.integers(0, MOST_BYTES), max_size=60))
def test_every_file_is_in_one_job_and_no_job_is_too_large_or_needlessly_small(sizes: list[int]) -> None:
    jobs = cut(*sizes)
    assert [size for job in jobs for size in job] == sizes
    assert all(0 < len(job) <= MOST_FILES and sum(job) <= MOST_BYTES for job in jobs)
    assert all(sum(job) + following[0] > MOST_BYTES for job, following in zip(jobs, jobs[1:], strict=False))
