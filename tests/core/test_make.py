"""Each make target has help, stands in the README and calls something that exists."""

import re

import pytest

from trilake.core.cli import VERBS, trilake
from trilake.core.paths import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = re.findall(r"^([a-z-]+):.*$", MAKEFILE, flags=re.MULTILINE)


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_has_help_and_a_place_in_the_readme(target):
    assert re.search(rf"^{target}:.* ## \S", MAKEFILE, flags=re.MULTILINE)
    assert f"make {target}" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("target", TARGETS)
def test_a_recipe_is_one_call_of_something_that_exists(target):
    recipe = re.search(rf"^{target}:.*\n((?:\t.*\n?)+)", MAKEFILE, flags=re.MULTILINE)
    if recipe is None:
        assert target == "setup"
        return
    assert recipe.group(1).count("\n\t") == 0
    for called in re.findall(r"\$\(TRILAKE\) ([a-z-]+)", recipe.group(1)):
        assert called in VERBS
    for script in re.findall(r"scripts/\w+\.py", recipe.group(1)):
        assert (ROOT / script).exists()


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_has_help_with_an_example_and_the_common_options(name):
    command = trilake.get_command(None, name)
    assert command is not None
    assert command.help and "Example" in command.help, name
    assert {"environment", "state", "as_json"} <= {option.name for option in command.params}


@pytest.mark.parametrize("name", VERBS)
def test_the_line_of_a_verb_in_the_list_is_that_of_its_own_help(name):
    command = trilake.get_command(None, name)
    assert command is not None
    assert VERBS[name].help == command.get_short_help_str(200)


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_has_a_make_target_of_the_same_name(name):
    assert name in TARGETS
