import pytest

from trilake.core.ledger import FileOutcome, Reason


def an_outcome(**changes) -> FileOutcome:
    return FileOutcome(**({"file": "a", "modality": "clinical", "content_sha256": "0", "n_bytes": 1} | changes))


REFUSAL = Reason("FILE_EMPTY", expected="content")
REMARK = Reason("FILE_EMPTY", expected="content", is_warning=True)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"records_in": 2, "loaded": 2}, "loaded"),
        ({"records_in": 2, "loaded": 2, "reasons": [REMARK]}, "loaded"),
        ({"records_in": 2, "loaded": 1, "quarantined": 1, "reasons": [REFUSAL]}, "partial"),
        ({"records_in": 2, "duplicate": 1, "quarantined": 1, "reasons": [REFUSAL]}, "partial"),
        ({"records_in": 1, "quarantined": 1, "reasons": [REFUSAL]}, "refused"),
        ({"reasons": [REFUSAL]}, "refused"),
        ({"records_in": 2, "duplicate": 2}, "duplicate"),
        ({"reasons": [REMARK]}, "loaded"),
        ({"is_recognised": False}, "unrecognised"),
    ],
)
def test_status(changes, status):
    assert an_outcome(**changes).status == status


def test_counts_that_do_not_add_up_are_a_defect():
    with pytest.raises(ValueError, match="3 records in, 2 accounted for"):
        an_outcome(records_in=3, loaded=2).check()


def test_an_unknown_reason_code_is_a_defect():
    with pytest.raises(ValueError, match="NO_SUCH_CODE"):
        Reason("NO_SUCH_CODE", expected="x")


def test_what_was_found_is_cut():
    assert len(Reason("FILE_EMPTY", expected="x", found="y" * 500).found) == 80
