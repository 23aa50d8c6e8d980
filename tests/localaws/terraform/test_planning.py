"""What a plan says, without any AWS: unknowns, kept values, defaults, replacement, equal spellings."""

import json

import pytest

from localaws.terraform.merge import fill, refresh, with_unknowns
from localaws.terraform.planning import plan_change
from localaws.terraform.resource import Resource
from localaws.terraform.values import UNKNOWN, same, same_json

TEXT = {"type": "string", "optional": True}
COMPUTED = {"type": "string", "computed": True}
RULE = {
    "attributes": {"name": TEXT, "number": {**TEXT, "computed": True}, "days": {"type": "number", "optional": True}}
}
SPEC = {
    "attributes": {
        "id": COMPUTED,
        "arn": COMPUTED,
        "version": COMPUTED,
        "name": TEXT,
        "policy": TEXT,
        "region": {**TEXT, "computed": True},
        "names": {"type": ["set", "string"], "optional": True},
        "steps": {"type": ["list", "string"], "optional": True},
        "tags": {"type": ["map", "string"], "optional": True},
        "tags_all": {"type": ["map", "string"], "optional": True, "computed": True},
    },
    "block_types": {
        "rule": {"nesting_mode": "list", "block": RULE},
        "target": {"nesting_mode": "set", "block": RULE},
    },
}
EMPTY = {**dict.fromkeys(SPEC["attributes"]), "rule": [], "target": []}


class Thing(Resource):
    type_name = "aws_thing"
    replaces = frozenset({"name", "rule.name", "target.name"})
    defaults = {"rule.days": 7}
    volatile = frozenset({"version", "rule.number"})
    json_arguments = frozenset({"policy"})


THING = Thing({"block": SPEC})
STATE = {
    **EMPTY,
    "id": "1",
    "arn": "arn:1",
    "version": "v1",
    "name": "a",
    "region": "us-east-1",
    "tags_all": {"project": "trilake"},
    "rule": [{"name": "r", "number": "n1", "days": 7}],
}


def plan(prior, config, tags=None):
    """Terraform's proposal keeps the prior value of a computed attribute that the configuration leaves out."""
    computed = {name for name, item in SPEC["attributes"].items() if item.get("computed")}
    kept = {name: (prior or {}).get(name) for name in computed if config.get(name) is None}
    numbers = [rule.get("number") for rule in (prior or {}).get("rule", [])]
    rules = [
        {**rule, "number": rule.get("number") or (numbers[at] if at < len(numbers) else None)}
        for at, rule in enumerate(config["rule"])
    ]
    tags = {"project": "trilake"} if tags is None else tags
    return plan_change(THING, prior, {**config, **kept, "rule": rules}, config, region="us-east-1", default_tags=tags)


def configured(**arguments):
    rule = {"name": "r", "number": None, "days": None}
    return {**EMPTY, "name": "a", "rule": [rule], **arguments}


def test_computed_values_are_unknown_on_create_and_defaults_known():
    planned = plan(None, configured(tags={"owner": "lab"}))
    assert planned.state["arn"] is UNKNOWN
    assert planned.state["region"] == "us-east-1"
    assert planned.state["tags_all"] == {"project": "trilake", "owner": "lab"}
    assert planned.state["rule"] == [{"name": "r", "number": UNKNOWN, "days": 7}]
    assert planned.is_lenient, "days is planned where nothing is configured"


def test_an_unchanged_configuration_plans_the_state_as_it_is():
    assert plan(STATE, configured()).state == STATE


def test_computed_values_are_kept_on_update_but_for_volatile_ones():
    planned = plan(STATE, configured(steps=["b"]))
    assert (planned.state["arn"], planned.state["version"]) == ("arn:1", UNKNOWN)
    assert planned.state["rule"][0]["number"] is UNKNOWN
    assert not planned.replace_paths


@pytest.mark.parametrize(
    ("changed", "paths"),
    [
        ({"name": "b"}, [("name",)]),
        ({"rule": [{"name": "other", "number": None, "days": None}]}, [("rule", 0, "name")]),
        ({"rule": []}, [("rule",)]),
        ({"target": [{"name": "t", "number": None, "days": None}]}, [("target",)]),
        ({"region": "eu-west-2"}, [("region",)]),
        ({"steps": ["x"]}, []),
    ],
    ids=["attribute", "in a list", "no block left", "in a set", "region", "in place"],
)
def test_what_forces_replacement(changed, paths):
    assert plan(STATE, configured(**changed)).replace_paths == paths


def test_a_new_block_has_unknown_computed_values_and_an_old_one_keeps_them():
    rules = [{"name": "r", "number": "n1", "days": 7}, {"name": "s", "number": None, "days": 1}]
    after = with_unknowns(SPEC, {**STATE, "rule": rules}, STATE)
    assert [rule["number"] for rule in after["rule"]] == ["n1", UNKNOWN]


def test_a_policy_that_means_the_same_keeps_its_spelling():
    policy = {"Statement": [{"Action": ["s3:GetObject"], "Effect": "Allow"}]}
    state = {**STATE, "policy": json.dumps(policy)}
    respelt = json.dumps({"Statement": {"Effect": "Allow", "Action": "s3:GetObject"}}, indent=2)
    assert plan(state, configured(policy=respelt)).state == state


def test_sets_are_equal_in_any_order_and_lists_are_not():
    assert same(SPEC, {**EMPTY, "names": ["a", "b"]}, {**EMPTY, "names": ["b", "a"]})
    assert not same(SPEC, {**EMPTY, "steps": ["a", "b"]}, {**EMPTY, "steps": ["b", "a"]})
    targets = [{"name": name, "number": None, "days": 1.0} for name in "ab"]
    turned = [{**target, "days": 1} for target in reversed(targets)]
    assert same(SPEC, {**EMPTY, "target": targets}, {**EMPTY, "target": turned})


def test_a_refresh_takes_over_what_differs_and_nothing_that_only_looks_so():
    state = {**STATE, "names": ["a", "b"], "steps": None, "policy": '{"a": 1}'}
    seen = {"names": ["b", "a"], "steps": [], "policy": '{ "a": 1 }', "name": "z", "rule": [{"name": "q"}]}
    fresh = refresh(SPEC, state, seen, frozenset({"policy"}))
    assert fresh == {**state, "name": "z", "rule": [{"name": "q", "number": "n1", "days": 7}]}


def test_a_refresh_pairs_the_objects_of_a_set_by_what_they_say():
    held = [{"name": "a", "number": "1", "days": 1}, {"name": "b", "number": "2", "days": None}]
    seen = [{"name": "b"}, {"name": "c"}]
    fresh = refresh(SPEC, {**STATE, "target": held}, {"target": seen})
    assert fresh["target"] == [held[1], {"name": "c", "number": None, "days": None}]


def test_an_apply_fills_only_what_was_unknown():
    planned = {**STATE, "arn": UNKNOWN, "rule": [{"name": "r", "number": UNKNOWN, "days": 7}]}
    seen = {"arn": "arn:2", "name": "ignored", "rule": [{"name": "ignored", "number": "n9", "days": 9}]}
    after = fill(SPEC, planned, seen)
    assert after == {**STATE, "arn": "arn:2", "rule": [{"name": "r", "number": "n9", "days": 7}]}


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ('{"a": [1, 2]}', '{"a": [2, 1]}', True),
        ('{"a": "x"}', '{"a": ["x"]}', True),
        ('{"a": 1}', '{"a": 2}', False),
        ("no json", "no json", True),
        ("{", '{"a": 1}', False),
        (None, "{}", False),
    ],
)
def test_json_texts_are_compared_by_meaning(first, second, is_same):
    assert same_json(first, second) is is_same
