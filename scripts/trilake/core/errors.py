"""Errors that a person reads: what failed, what was found against what was expected, what to type next.

`core.cli` is the only place that catches them; each cause has its own exit code.

Example: raise InputError("No such folder: data/", next_step="trilake ingest PATH")
"""


class TrilakeError(Exception):
    """Shown without a traceback. `next_step` is a command or sentence that mends it."""

    exit_code = 1

    def __init__(self, message: str, *, next_step: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return self.message if self.next_step is None else f"{self.message}\n  Next: {self.next_step}"


class SettingsError(TrilakeError):
    """Settings are missing or wrong: nothing deployed, an unknown environment, a busy state."""

    exit_code = 10


class InputError(TrilakeError):
    """A file, folder or definition that the user gave cannot be used."""

    exit_code = 11


class AccessError(TrilakeError):
    """The caller may not do or see this."""

    exit_code = 12


class QueryError(TrilakeError):
    """SQL that does not parse or fails when run."""

    exit_code = 13


class DisclosureError(TrilakeError):
    """What was asked for would reveal too few people."""

    exit_code = 14


class ServiceError(TrilakeError):
    """An AWS service refused, failed or did not answer."""

    exit_code = 15


EXIT_REFUSALS = 3
"""Done, but something was quarantined or a review blocks."""
