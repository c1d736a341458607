"""What the API server refuses, in the words in which kubectl passes it on.

kubectl: pkg/cmd/util/helpers.go StandardErrorMessage, checkErr, AddSourceToErr
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from gherkube.runners.errors import ApiError, Refused
from gherkube.runners.objects import Object


class Outcome(NamedTuple):
    """What a verb came to: the line that kubectl prints ("" for none), the object then, its warnings."""

    text: str
    object: Object
    warnings: tuple[str, ...] = ()


@contextmanager
def asking(doing: str = "") -> Iterator[None]:
    """Turns an ApiError into `Refused`; `doing` says what was being done ('creating "STDIN"')."""
    try:
        yield
    except ApiError as error:
        raise Refused(text_of(error, doing), error) from error


def text_of(error: ApiError, doing: str = "") -> str:
    """An error of the API server as kubectl prints it."""
    if error.reason == "Invalid" and error.details.get("name") is not None:
        return _invalid(error)
    message = f"error when {doing}: {error.message}" if doing else error.message
    return (
        f"Error from server ({error.reason}): {message}" if error.reason else f"Error from server: {message}"
    )


def _invalid(error: ApiError) -> str:
    details = error.details
    head = f'The {details.get("kind", "")} "{details["name"]}" is invalid'
    causes: dict[str, None] = {}
    for cause in details.get("causes", ()):
        field, message = cause.get("field", ""), cause.get("message", "")
        causes[f"{field}: {message}" if field else message] = None
    if not causes:
        return head
    if len(causes) == 1:
        return f"{head}: {next(iter(causes))}"
    return f"{head}: \n" + "\n".join(f"* {cause}" for cause in causes)
