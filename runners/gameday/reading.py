"""Reads a plan: YAML in, a `Plan` out, and all that is wrong with it, line by line.

What a file says is read by one table, `PLAN`; the JSON Schema that editors use is made from it, too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from gherkube.runners.errors import UsageError
from gherkube.runners.gameday.plan import (
    Gate,
    Hook,
    Hypothesis,
    Link,
    Plan,
    Prediction,
    Rehearsal,
    ReportSettings,
    Roles,
    Round,
    Scope,
    Window,
)
from gherkube.runners.gameday.rules import RULES
from gherkube.runners.gameday.shapes import (
    ADDRESS,
    DURATION,
    MOMENT,
    Key,
    ListOf,
    Mistake,
    Reader,
    Record,
    Sentences,
    Text,
    Whole,
    Words,
    choice,
    line_of,
)

WORKLOAD = re.compile(r"(deployment|statefulset|daemonset|replicaset|job)/[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


def _workload(text: str) -> str:
    if not WORKLOAD.fullmatch(text):
        raise UsageError(f"{text!r} is no workload; write it as deployment/web")
    return text


def _window(begin: Any = None, end: Any = None) -> Window | None:
    if begin is None or end is None:
        return None  # told already
    if end <= begin:
        raise UsageError("the window ends before it begins")
    return Window(begin, end)


def _hook(on: Any = "start", command: tuple[str, ...] = (), url: str = "") -> Hook:
    if bool(command) == bool(url):
        raise UsageError("a hook is a command or an url")
    if on == "incident" and not command:
        raise UsageError("the hook that tells of an incident is a command: status 0 means that there is none")
    return Hook(on, command, url)


def _gate(who: str = "", within: float | None = None, says: str = "") -> Gate:
    return Gate(who, within or 0.0, says)


def _round(**said: Any) -> Round:
    kept = {key: value for key, value in said.items() if value is not None}
    return Round(**{**kept, "feature": Path(said["feature"])})


GATE = Record(
    [
        Key("who", Text("a role or a name"), "who confirms: owner, operator, …, or a name", needed=True),
        Key("within", DURATION, "how long is waited; a time-out halts the game day", needed=True),
        Key("says", Text(), "what has to be so for it to be confirmed"),
    ],
    _gate,
)
PREDICTION = Record(
    [
        Key("says", Text(), "what is expected, in words"),
        Key("verdict", choice("passed", "failed"), "what the round comes to"),
        Key("within", DURATION, "the longest that it takes"),
        Key("fewest-ready", Whole(), "the fewest pods of a workload in scope that are ready", as_="pods"),
        Key("most-lost", Whole(), "the most requests that are lost", as_="lost"),
    ],
    Prediction,
)
ROUND = Record(
    [
        Key("name", Text(), "what the round is called", needed=True),
        Key("feature", Text("a feature file"), "the feature file, from the plan's folder", needed=True),
        Key("scenario", Text(), "the name of one scenario of it; all of them unless said"),
        Key("prediction", PREDICTION, "what is expected of it"),
        Key("gate", GATE, "who has to agree before it begins"),
        Key("pause", DURATION, "how long is waited after it"),
        Key("limit", DURATION, "how long it may take; 15m unless said"),
    ],
    _round,
    lined=True,
)
PLAN = Record(
    [
        Key("name", Text(), "what the game day is called", needed=True),
        Key("goal", Text(), "what is to be learned, in a sentence", needed=True),
        Key(
            "hypothesis",
            ListOf(
                Record(
                    [
                        Key("says", Text(), "what is believed, in words", needed=True),
                        Key("holds", Sentences("Then", 1), "what has to hold for it to be true", needed=True),
                    ],
                    Hypothesis,
                ),
                1,
            ),
            "what should hold, measured how, within which bounds: what the game day may show to be wrong",
            needed=True,
        ),
        Key("target", Text(), "a target of gherkube.toml, or simulator", needed=True),
        Key(
            "scope",
            Record(
                [
                    Key("namespaces", ListOf(Text(), 1), "where it takes place", needed=True),
                    Key(
                        "workloads",
                        ListOf(Text("a workload, such as deployment/web,", _workload)),
                        "what may be touched there: deployment/web, …; all unless said",
                    ),
                    Key("out-of-scope", ListOf(Text()), "what is left alone, in words", as_="out"),
                ],
                Scope,
            ),
            "what may be touched",
            needed=True,
        ),
        Key(
            "roles",
            Record(
                [
                    Key("owner", Text("a name"), "who has the authority to halt", needed=True),
                    Key("operator", Text("a name"), "who runs it", needed=True),
                    Key("observers", ListOf(Text("a name")), "who looks on and takes notes"),
                    Key("reporter", Text("a name"), "who writes the report"),
                ],
                Roles,
            ),
            "who does what: names",
            needed=True,
        ),
        Key(
            "window",
            Record(
                [
                    Key("from", MOMENT, "when it may begin", needed=True, as_="begin"),
                    Key("to", MOMENT, "when it has to be over", needed=True, as_="end"),
                ],
                _window,
            ),
            "when it may take place; at any time unless said",
        ),
        Key(
            "steady-state",
            Sentences("Then", 1),
            "what holds before, all the time during, and after",
            needed=True,
            as_="steady",
        ),
        Key("rounds", ListOf(ROUND, 1), "what is done, smallest first", needed=True),
        Key(
            "abort-when",
            Sentences("Then"),
            "as soon as one of these is so, the game day stops and puts all back",
            as_="abort",
        ),
        Key("limit", DURATION, "how long the whole may take; 1h unless said"),
        Key("gate", GATE, "who has to agree before the first round"),
        Key(
            "links",
            ListOf(
                Record(
                    [
                        Key("name", Text(), "what it is called", needed=True),
                        Key("url", ADDRESS, "where it is", needed=True),
                    ],
                    Link,
                )
            ),
            "dashboards, runbooks, the incident channel",
        ),
        Key(
            "hooks",
            ListOf(
                Record(
                    [
                        Key(
                            "on",
                            choice("start", "gate", "abort", "end", "incident"),
                            "when it is called; incident: before anything is done",
                            needed=True,
                        ),
                        Key("command", Words(), "a command that is run"),
                        Key("url", ADDRESS, "an address that is posted to"),
                    ],
                    _hook,
                )
            ),
            "what is called, and when",
        ),
        Key(
            "rehearsal",
            Record(
                [
                    Key("runs", Whole(1), "how often it is rehearsed; 20 unless said"),
                    Key("given", Sentences("Given"), "what the simulator is told: how images behave, …"),
                ],
                lambda **said: Rehearsal(**{key: each for key, each in said.items() if each is not None}),
            ),
            "how it is played on the simulator before",
        ),
        Key(
            "report",
            Record([Key("folder", Text("a folder"), "where journals and reports go")], ReportSettings),
            "where what happened is written to; gamedays, beside the plan, unless said",
        ),
    ],
    dict,
)


class Looked(NamedTuple):
    """A plan, as far as it could be read, and what is wrong with it; `lines` are those of its keys."""

    plan: Plan
    mistakes: list[Mistake]
    lines: dict[str, int]


def look(path: Path) -> Looked:
    """Reads a plan. Raises UsageError only where nothing of it can be read."""
    reader = Reader(path)
    root = _compose(path)
    said = PLAN.read(root, reader)
    if said is None:
        raise UsageError(f"{shown(path)}:{line_of(root)}: {reader.mistakes[0].what}")
    plan = _plan(path, said)
    lines = {name.value: line_of(name) for name, _ in root.value}
    for rule in RULES:
        reader.mistakes += rule(plan, lines)
    return Looked(plan, sorted(dict.fromkeys(reader.mistakes)), lines)


def read(path: Path) -> Plan:
    """Reads a plan. Raises UsageError with every mistake that can be found without its features' steps."""
    plan, mistakes, _ = look(path)
    if wrong := [each for each in mistakes if not each.is_warning]:
        raise UsageError("\n".join(told(path, wrong)))
    return plan


def told(path: Path, mistakes: list[Mistake]) -> list[str]:
    """The mistakes as they are shown: file:line: what; what next."""
    return [
        f"{shown(path)}:{line}: {'warning: ' * is_warning}{what}{'; ' * bool(then)}{then}"
        for line, what, then, is_warning in mistakes
    ]


def shown(path: Path) -> str:
    """A path as users see it: from where they are."""
    return os.path.relpath(path) if path.absolute().is_relative_to(Path.cwd()) else str(path)


def _compose(path: Path) -> yaml.Node:
    """The file as nodes. Raises UsageError."""
    try:
        text = path.read_text("utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except OSError as error:
        raise UsageError(
            f"{shown(path)}: cannot be read: {error.strerror}; gherkube gameday new writes one"
        ) from None
    except UnicodeDecodeError:
        raise UsageError(f"{shown(path)}: cannot be read: it is not UTF-8 text") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        quotes = "; a sentence that begins with a quote, or has ': ' in it, stands in 'single quotes'"
        raise UsageError(f"{shown(path)}:{line}: not YAML: {error.problem}{quotes}") from None
    except yaml.YAMLError as error:
        raise UsageError(f"{shown(path)}:1: not YAML: {error}") from None
    if root is None:
        raise UsageError(f"{shown(path)}:1: nothing stands there; gherkube gameday new writes a plan")
    return root


def _plan(path: Path, said: Mapping[str, Any]) -> Plan:
    """The plan of what was said; what could not be read is empty."""
    path = path.absolute()
    filled = {key: value for key, value in said.items() if value is not None}
    rounds = [replace(each, feature=path.parent / each.feature) for each in filled.get("rounds", ())]
    hooks = tuple(_located(each, path.parent) for each in filled.get("hooks", ()))
    empty: dict[str, Any] = {
        "scope": Scope(("default",)),
        "roles": Roles("", ""),
        "window": None,
        **dict.fromkeys(("name", "goal", "target"), ""),
        **dict.fromkeys(("hypothesis", "steady"), ()),
    }
    return Plan(**{**empty, **filled, "path": path, "rounds": tuple(rounds), "hooks": hooks})


def _located(hook: Hook, folder: Path) -> Hook:
    """The hook, whose command is from the plan's folder where it is a path: ./page.sh, bin/page."""
    program, *arguments = hook.command or ("",)
    return replace(hook, command=(str(folder / program), *arguments)) if "/" in program else hook
