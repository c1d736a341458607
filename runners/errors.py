"""What can go wrong for a user, each with its own meaning at the end of a run."""

from __future__ import annotations

from typing import Any


class GherkubeError(Exception):
    """Anything that gherkube tells a user in words of its own; never shown with a traceback."""


class UsageError(GherkubeError):
    """The feature, manifest, setting or command cannot be run as it is written."""


class CannotJudge(GherkubeError):  # noqa: N818 - the outcome's name
    """This cluster cannot vouch for what was asked; the scenario is neither passed nor failed."""


class ApiError(GherkubeError):
    """A request that the API server refused.

    `status` is the Status object as the server sent it, `code` its HTTP code, `reason` its
    machine-readable reason ("NotFound", "Invalid", …), and the message that of the server.
    """

    def __init__(self, code: int, reason: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code, self.reason, self.message = code, reason, message
        self.details = details or {}

    @property
    def status(self) -> dict[str, Any]:
        """The error as a Status object, as the API server words it."""
        status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }
        if self.details:
            status["details"] = self.details
        return status


class NotRun(GherkubeError):  # noqa: N818 - the outcome's name
    """A scenario was to run, and was kept from it."""


class Leaving(RuntimeError):  # noqa: N818 - what was done
    """Code of the project tried to end the process of the run."""


class Refused(GherkubeError):  # noqa: N818 - what happened to the verb
    """A verb that kubectl refuses: `text` is what it prints, `error` the server's answer if it was asked."""

    def __init__(self, text: str, error: ApiError | None = None) -> None:
        super().__init__(text)
        self.text, self.error = text, error
