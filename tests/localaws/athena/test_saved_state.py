"""Athena's state from one process to the next.

Example: `python -m pytest tests/localaws/athena/test_saved_state.py`
"""

from __future__ import annotations

from pathlib import Path

from localaws import LocalAws

from .conftest import Lake


def test_everything_is_there_the_next_time(tmp_path: Path) -> None:
    """Another process on the same state finds workgroups, executions, results and prepared statements."""
    with LocalAws(tmp_path) as aws:
        lake = Lake(aws)
        lake.athena.create_work_group(Name="kept")
        lake.done("PREPARE seven FROM SELECT 7")
        query_id = lake.done("SELECT 1 AS one").execution["QueryExecutionId"]
    with LocalAws(tmp_path) as aws:
        athena = aws.world.client("athena")
        assert athena.get_query_results(QueryExecutionId=query_id)["ResultSet"]["Rows"][1]["Data"] == [
            {"VarCharValue": "1"}
        ]
        assert athena.get_work_group(WorkGroup="kept")["WorkGroup"]["State"] == "ENABLED"
        athena.get_prepared_statement(StatementName="seven", WorkGroup="primary")
