"""The AWS CLI's documented examples are read as they stand, and an answer that lacks what they print is told."""

from pathlib import Path

import pytest

from verify.clients.cli import _recast_text, _recast_words
from verify.clients.examples import examples, lacking

RST = """**To do it**

The following ``make-thing`` example makes a thing. ::

    aws things make-thing \\
        --thing-id (Thing ID) \\
        --config '{"Inner": {"KmsKeyId": "arn:old"}}' \\
        --profile mine \\
        --cli-input-json file://input.json

Contents of ``input.json``::

    {
        "Name": "a"
    }

Output::

    {
        "ThingId": "x",
        "Items": [{"Size": 1, "At": 1680042257.9}]
    }

For more information, see elsewhere.
"""


def test_an_example_is_words_files_and_an_output(tmp_path: Path) -> None:
    (tmp_path / "things").mkdir()
    (tmp_path / "things/make-thing.rst").write_text(RST)
    [found] = examples(tmp_path, "things", "make-thing")
    assert found.words[:4] == ("things", "make-thing", "--thing-id", "Thing-ID")
    assert "--profile" not in found.words and "mine" not in found.words
    assert found.files["input.json"].split() == ["{", '"Name":', '"a"', "}"]
    assert found.output == {"ThingId": "x", "Items": [{"Size": 1, "At": 1680042257.9}]}
    words = _recast_words(found.words, {"thingid": "7", "kmskeyid": lambda: "arn:new"})
    assert words[3] == "7" and '"KmsKeyId": "arn:new"' in words[5]


def test_shorthand_gets_our_values_too() -> None:
    assert _recast_text("S3Uri=s3://theirs/,Other=1", {"s3uri": "s3://ours/"}) == "S3Uri=s3://ours/,Other=1"


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        ({"Items": [{"Size": 1, "At": "2026"}], "ThingId": "a", "More": 1}, None),
        ({"Items": [], "ThingId": "a"}, None),
        ({"Items": []}, ".ThingId is missing"),
        ({"Items": [{"Size": "1", "At": 2}], "ThingId": "a"}, ".Items[].Size is str"),
        ({"Items": {}, "ThingId": "a"}, ".Items is dict"),
        (None, "the output is NoneType"),
    ],
)
def test_what_the_documentation_prints_has_to_be_there(found: object, fault: str | None) -> None:
    shown = {"ThingId": "x", "Items": [{"Size": 1, "At": 1680042257.9}]}
    assert lacking(shown, found) == ([] if fault is None else [fault])
