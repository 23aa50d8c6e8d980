"""What Athena remembers: workgroups, executions, prepared statements, named queries, data catalogs.

Reads and writes nothing itself; `World.state` keeps it between commands. Behind `make local-aws`.
Example: `world.state("athena", AthenaState).workgroups["primary"]`
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Shape = dict[str, Any]
ENGINE = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}
KEPT_EXECUTIONS = 2000


@dataclass
class Execution:
    """One query execution: what the API shows, and what its results need."""

    shape: Shape
    columns: list[Shape] = field(default_factory=list)
    update_count: int | None = None
    rows: int | None = None

    @property
    def state(self) -> str:
        return str(self.shape["Status"]["State"])

    @property
    def location(self) -> str:
        return str(self.shape["ResultConfiguration"]["OutputLocation"])


def primary() -> Shape:
    """The workgroup that every account has."""
    configuration = {
        "ResultConfiguration": {},
        "EnforceWorkGroupConfiguration": False,
        "PublishCloudWatchMetricsEnabled": False,
        "RequesterPaysEnabled": False,
        "EngineVersion": dict(ENGINE),
    }
    return {
        "Name": "primary",
        "State": "ENABLED",
        "Configuration": configuration,
        "Description": "",
        "CreationTime": datetime.now(UTC),
    }


@dataclass
class AthenaState:
    """Everything, picklable."""

    workgroups: dict[str, Shape] = field(default_factory=lambda: {"primary": primary()})
    executions: dict[str, Execution] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    prepared: dict[tuple[str, str], Shape] = field(default_factory=dict)
    named: dict[str, Shape] = field(default_factory=dict)
    catalogs: dict[str, Shape] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)

    def remember(self, execution: Execution) -> None:
        """Add an execution; the oldest finished ones are forgotten beyond a limit, as Athena does after 45 days."""
        self.executions[execution.shape["QueryExecutionId"]] = execution
        while len(self.executions) > KEPT_EXECUTIONS:
            oldest = next(iter(self.executions))
            if self.executions[oldest].state in ("QUEUED", "RUNNING"):
                break
            del self.executions[oldest]
            self.tokens = {token: found for token, found in self.tokens.items() if found != oldest}
