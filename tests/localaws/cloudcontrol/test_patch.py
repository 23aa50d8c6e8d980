"""JSON Patch: the examples of RFC 6902, appendix A, and the laws between its operations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.cloudcontrol.patch import PatchError, apply_patch


@pytest.mark.parametrize(
    ("document", "operations", "expected"),
    [
        ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"baz": "qux", "foo": "bar"}),
        ({"foo": ["bar", "baz"]}, [{"op": "add", "path": "/foo/1", "value": "qux"}], {"foo": ["bar", "qux", "baz"]}),
        ({"baz": "qux", "foo": "bar"}, [{"op": "remove", "path": "/baz"}], {"foo": "bar"}),
        ({"foo": ["bar", "qux", "baz"]}, [{"op": "remove", "path": "/foo/1"}], {"foo": ["bar", "baz"]}),
        ({"baz": "qux"}, [{"op": "replace", "path": "/baz", "value": "boo"}], {"baz": "boo"}),
        (
            {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
            [{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}],
            {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}},
        ),
        (
            {"foo": ["all", "grass", "cows", "eat"]},
            [{"op": "move", "from": "/foo/1", "path": "/foo/3"}],
            {"foo": ["all", "cows", "eat", "grass"]},
        ),
        ({"a": {"b": 1}}, [{"op": "copy", "from": "/a", "path": "/c"}], {"a": {"b": 1}, "c": {"b": 1}}),
        ({"baz": "qux"}, [{"op": "test", "path": "/baz", "value": "qux"}], {"baz": "qux"}),
        ({"foo": ["bar"]}, [{"op": "add", "path": "/foo/-", "value": ["abc"]}], {"foo": ["bar", ["abc"]]}),
        ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], {"/": 9, "~1": 10}),
        ({"a": 1}, [{"op": "add", "path": "", "value": []}], []),
    ],
)
def test_the_examples_of_the_rfc(document, operations, expected):
    assert apply_patch(document, operations) == expected


@pytest.mark.parametrize(
    "operations",
    [
        {"op": "add"},
        [{"op": "grow", "path": "/a"}],
        [{"op": "add", "path": "/a"}],
        [{"op": "add", "path": "a", "value": 1}],
        [{"op": "add", "path": "/x/y", "value": 1}],
        [{"op": "add", "path": "/list/9", "value": 1}],
        [{"op": "remove", "path": "/x"}],
        [{"op": "remove", "path": ""}],
        [{"op": "test", "path": "/a", "value": 2}],
        [{"op": "copy", "path": "/b"}],
    ],
)
def test_what_cannot_be_applied_changes_nothing(operations):
    document = {"a": 1, "list": []}
    with pytest.raises(PatchError):
        apply_patch(document, operations)
    assert document == {"a": 1, "list": []}


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=5)


@given(st.dictionaries(NAMES, st.integers()), NAMES, st.integers())
def test_what_was_added_can_be_removed_again(document, name, value):
    path = "/" + name.replace("~", "~0").replace("/", "~1")
    added = apply_patch(document, [{"op": "add", "path": path, "value": value}])
    assert added == {**document, name: value}
    removed = apply_patch(added, [{"op": "remove", "path": path}])
    assert removed == {key: item for key, item in document.items() if key != name}
