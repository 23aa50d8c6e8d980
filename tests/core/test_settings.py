import json

import pytest

from trilake.core.errors import SettingsError
from trilake.core.settings import Cohort, Settings, from_outputs


def test_nothing_deployed_says_what_to_type(tmp_path):
    with pytest.raises(SettingsError, match="make deploy"):
        Settings.read(tmp_path / "settings.json")


def test_all_missing_and_unknown_names_are_reported_at_once(tmp_path):
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"cohort": {"database": "d", "extra": 1}}))
    with pytest.raises(SettingsError) as caught:
        Settings.read(path)
    for words in ("core", "clinical", "cohort.extract_uri", "cohort.extra"):
        assert words in str(caught.value)


def test_settings_are_frozen():
    cohort = Cohort(database="d", extract_uri="s3://b/x")
    with pytest.raises(ValueError, match="frozen"):
        cohort.database = "e"


def test_outputs_become_one_object_per_room():
    outputs = {"cohort": {"value": {"database": "d"}}, "other": {"value": 1}}
    assert from_outputs(outputs) == {"cohort": {"database": "d"}}
