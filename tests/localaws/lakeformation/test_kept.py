"""What a fresh account starts with, and that the state is kept between processes.

Run: `python -m pytest tests/localaws/lakeformation/test_kept.py`
"""

from __future__ import annotations

from pathlib import Path

from localaws import LocalAws

from .conftest import DEPLOYER, Place, make_role, make_table, set_up


def test_a_fresh_account_leaves_new_tables_to_iam(tmp_path: Path) -> None:
    with LocalAws(tmp_path / "fresh") as aws:
        found = aws.world.client("lakeformation").get_data_lake_settings()["DataLakeSettings"]
    everyone = {"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}
    assert found["CreateTableDefaultPermissions"] == [everyone]
    assert found["CreateDatabaseDefaultPermissions"] == [everyone]
    assert found["DataLakeAdmins"] == [] and found["Parameters"]["CROSS_ACCOUNT_VERSION"] == "1"


def test_state_outlives_the_process(tmp_path: Path) -> None:
    with LocalAws(tmp_path / "kept") as aws:
        set_up(aws.world, [DEPLOYER])
        aws.world.client("glue").create_database(DatabaseInput={"Name": "clinical"})
        make_table(aws.world, "clinical")
        place = Place(aws.world, "clinical", make_role(aws.world, "reader"))
        place.filtered("north", "site_id = 'north'", ["patient_id"])
    with LocalAws(tmp_path / "kept") as aws:
        place.world = aws.world
        assert place.access().columns == ("patient_id",)
        assert place.access().row_filter == "site_id = 'north'"
        assert place.access(DEPLOYER).is_full
