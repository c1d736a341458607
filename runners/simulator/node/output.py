"""What a modelled container prints: its start, when it listens, what it makes of SIGTERM, its end."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import NamedTuple

from gherkube.runners.simulator.node.application import Application


class Line(NamedTuple):
    """One line of a container's log, and the virtual time at which it was printed."""

    at: float
    text: str
    bare: bool = False
    """Without the time that a server's log begins with."""


def printed(
    application: Application, port: int, now: float, said: Sequence[tuple[float, str]] = ()
) -> list[Line]:
    """The lines of one run up to that time; `port`: where it listens; `said`: what its command prints."""
    behaviour, listens = application.behaviour, application.listens_at
    if listens == inf:  # no server at all
        ran = min(now, application.ends_at) - application.started_at
        return [Line(application.started_at + at, text, bare=True) for at, text in said if at <= ran]
    lines = []
    if behaviour.listen_after:
        lines.append(Line(application.started_at, f"starting, this takes {_seconds(behaviour.listen_after)}"))
    if listens < application.ends_at:
        lines.append(Line(listens, f"listening on :{port}"))
    if application.term_at < inf and behaviour.ignores_sigterm:
        lines.append(Line(application.term_at, "terminated ignored"))
    elif application.term_at < inf and behaviour.stop_seconds:
        text = f"asked to stop, serving for another {_seconds(behaviour.stop_seconds)}"
        lines.append(Line(application.term_at, text))
    if application.ends_at < inf:
        lines += [Line(application.ends_at, text) for text in _last_words(application)]
    return [line for line in lines if line.at <= now]


def _last_words(application: Application) -> list[str]:
    if application.exit_code == 0 and application.term_at < inf:
        return ["stopped"]
    if application.term_at == inf and application.behaviour.was_told_to_exit:
        return [f"EXIT_AFTER reached, leaving with status {application.exit_code}"]
    if application.reason == "Error" and application.term_at == inf:
        return [f"leaving with status {application.exit_code}"]
    return []


def _seconds(number: float) -> str:
    return f"{number:g}s"
