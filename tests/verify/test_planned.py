"""What counts as a difference between the local provider's plan and the real one's."""

import pytest

from verify.planned import differences


def a_plan(**resources):
    changes = [
        {"address": address, "mode": "managed", "change": {"actions": ["create"], "after": after}}
        for address, after in resources.items()
    ]
    return {"resource_changes": changes}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"name": "a"}, {"name": "a"}),
        ({"name": "a"}, {"name": "a", "region": "us-east-1"}),
        ({"tags": None}, {"tags": {"a": "b"}}),
        ({"block": []}, {"block": ""}),
        ({"policy": '{"a": 1, "b": 2}'}, {"policy": '{"b": 2, "a": 1}'}),
        ({"rule": [{"id": 1}, {"id": 2}]}, {"rule": [{"id": 2}, {"id": 1}]}),
    ],
)
def test_the_same_configuration_in_other_words_is_no_difference(ours, theirs):
    assert differences(a_plan(x=ours), a_plan(x=theirs)) == []


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"name": "a"}, {"name": "b"}),
        ({"policy": '{"a": 1}'}, {"policy": '{"a": 2}'}),
        ({"rule": [{"id": 1}]}, {"rule": [{"id": 1}, {"id": 2}]}),
        ({"block": {"size": 1}}, {"block": {"size": 2}}),
        ({"is_on": True}, {"is_on": False}),
    ],
)
def test_another_value_is_named(ours, theirs):
    (line,) = differences(a_plan(x=ours), a_plan(x=theirs))
    assert line.startswith("x.")


def test_a_resource_that_one_plans_alone_is_named():
    differences_seen = differences(a_plan(x={}, y={}), a_plan(y={}, z={}))
    assert differences_seen == ["x: only the local provider plans it", "z: only the real provider plans it"]


def test_another_action_is_named():
    theirs = a_plan(x={})
    theirs["resource_changes"][0]["change"]["actions"] = ["delete", "create"]
    (line,) = differences(a_plan(x={}), theirs)
    assert "delete" in line
