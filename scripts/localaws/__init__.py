"""An AWS for the laptop: one process, one loopback port, one folder of state.

Reads and writes the state folder it is given (default `.trilake/local/`), nothing else.
Make target: `local-aws` keeps one in the foreground; every other target embeds one.
Example: `with LocalAws(Path(".trilake/local")) as aws: boto3.client("s3", endpoint_url=aws.endpoint)`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localaws.installed import EnginesMissing
    from localaws.saved_state import LocalAwsBusy, LocalAwsStateError
    from localaws.server import LocalAws

__all__ = ["EnginesMissing", "LocalAws", "LocalAwsBusy", "LocalAwsStateError"]


def __getattr__(name: str) -> Any:
    """Import moto only when a LocalAws is really wanted: `import localaws` stays quick."""
    if name == "LocalAws":
        from localaws.server import LocalAws

        return LocalAws
    if name in {"LocalAwsBusy", "LocalAwsStateError"}:
        from localaws import saved_state

        return getattr(saved_state, name)
    if name == "EnginesMissing":
        from localaws import installed

        return installed.EnginesMissing
    raise AttributeError(f"module 'localaws' has no attribute '{name}'")
