"""`gherkube gameday new`: asks what has to be known of a game day, and writes a plan and a first feature."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from string import Template

import typer

from gherkube.runners import settings
from gherkube.runners.errors import UsageError
from gherkube.runners.gameday import schema
from gherkube.runners.gameday.files import write
from gherkube.runners.gameday.plan import SUFFIX, stem
from gherkube.runners.gameday.reading import WORKLOAD, shown
from gherkube.runners.gameday.shapes import unknown
from gherkube.runners.simulator.node.images import InvalidImageName, parse_image
from gherkube.runners.target import SIMULATOR

PLAN = Template("""\
# yaml-language-server: $$schema=$schema
# gherkube gameday check $file looks whether it could be run now, and touches nothing.
name: $name
goal: $goal

# What should hold, measured how, within which bounds: what the game day may show to be wrong.
hypothesis:
  - says: $says
    holds: # any Then of the language; `gherkube steps` lists them
      - throughout, at least $pods of deployment "$workload" were ready

target: $target # of gherkube.toml, or simulator
scope:
  namespaces: [$namespace]
  workloads: [deployment/$workload] # nothing else is touched
  out-of-scope: [everything else in the namespace]
roles:
  owner: $owner # has the authority to halt
  operator: $operator
  observers: []
  # reporter: who writes the report
# window: {from: 2026-03-02T14:00:00+01:00, to: 2026-03-02T16:00:00+01:00}

# What holds before, all the time during, and after.
steady-state:
  - at least $pods of deployment "$workload" are ready

# Who has to agree before the first round; a time-out halts.
gate: {who: owner, within: 10m, says: "The dashboards are open, and on-call knows"}

# The smallest first. A round is a feature file, or one scenario of it.
rounds:
  - name: The tag does not exist, and the release is undone
    feature: $feature
    scenario: The tag does not exist, and the release is undone
    prediction: # compared with what happens
      says: The rollout stops by itself, and the undo brings back what it took
      verdict: passed
      within: 5m
      fewest-ready: $least
    pause: 30s
    limit: 15m

# As soon as one of these is so, the game day stops, and all is put back.
abort-when:
  - fewer than $pods of deployment "$workload" are ready
limit: 1h

links: []
# - {name: dashboard, url: "https://…"}
hooks: []
# - {on: incident, command: ./no-incident.sh} # status 0: there is none
# - {on: start, url: "https://…"}

# gherkube gameday rehearse $file plays it on the simulator, with the target's objects.
rehearsal:
  runs: 20
  given: # what the simulator cannot know: how images behave
    - image "$image:$missing" does not exist
$more""")

FEATURE = Template("""\
Feature: A release of "$workload" whose image does not exist
  The rollout stops by itself, and an undo brings back what it took.

  Scenario: The tag does not exist, and the release is undone
    When I update deployment "$workload" to $missing
    Then within 5 minutes, at least 1 new pod shows ImagePullBackOff
    And throughout, at least $pods were ready
    When I undo the rollout
    Then within 5 minutes, the rollout completes
    And no $missing pods exist
""")
MISSING = "v404"
"""A tag that no image has."""


def new_plan(path: Path) -> int:
    """Asks, and writes the plan and, unless it is there, its feature; returns the exit code."""
    if not path.name.endswith(SUFFIX):
        path = path.with_name(stem(path) + SUFFIX)
    try:
        if path.exists():
            raise UsageError(f"{path}: is there already; name another file, or edit it")
        if not path.parent.is_dir():
            raise UsageError(f"{path.parent}: there is no such folder; make it first")
        texts = _asked(path)
        written = [path]
        write(path, PLAN.substitute(texts))
        for name, text in ((texts["feature"], FEATURE.substitute(texts)), (schema.NAME, schema.text())):
            if not (beside := path.with_name(name)).exists():
                write(beside, text)
                written.append(beside)
    except UsageError as error:
        print(f"gherkube gameday new: {error}", file=sys.stderr)
        return 2
    for each in written:
        print(f"wrote   {shown(each.absolute())}")
    print(f"next    read them; then: gherkube gameday check {shown(path.absolute())}")
    return 0


def _asked(path: Path) -> dict[str, str]:
    """The answers, as they stand in YAML."""
    file = settings.find([path.parent.absolute()])
    targets = [SIMULATOR, *((settings.load(file) or settings.Settings()).targets if file else ())]
    title = stem(path).replace("-", " ").replace("_", " ").capitalize()
    name = _ask("What is it called?", title)
    goal = _ask("What is to be learned?", "Know what a bad release costs our customers")
    says = _ask("What do you believe will hold?", "A bad release takes no more than a pod from our customers")
    target = _ask(f"Which target? ({', '.join(targets)})", targets[-1], _known(targets))
    namespace = _ask("In which namespace?", "default", _name)
    workload = _ask("Which deployment?", "deployment/web", _workload).partition("/")[2]
    image = _ask("Which image does it run, without the tag?", workload, _image)
    least = int(_ask("How many of its pods have to be ready all the time?", "3", _count))
    owner = _ask("Who owns it, with the authority to halt?")
    operator = _ask("Who runs it?", owner)
    there = f'    - deployment "{workload}" runs {least + 1} replicas of "{image}:v1"\n'
    texts = {"name": name, "goal": goal, "says": says, "owner": owner, "operator": operator}
    return {
        **{key: _scalar(text) for key, text in texts.items()},
        "target": target,
        "namespace": namespace,
        "workload": workload,
        "image": image,
        "least": str(least),
        "pods": f"{least} pod{'s' if least != 1 else ''}",
        "more": there if target == SIMULATOR else "",
        "missing": MISSING,
        "schema": schema.NAME,
        "file": path.name,
        "feature": f"{stem(path)}.feature",
    }


def _ask(question: str, default: str | None = None, fits: Callable[[str], str] = str) -> str:
    """The answer on a line of the terminal, asked again until it fits."""
    while True:
        answer = str(typer.prompt(question, default=default)).strip()
        try:
            return fits(answer)
        except UsageError as error:
            typer.echo(str(error))


def _known(targets: list[str]) -> Callable[[str], str]:
    def fits(text: str) -> str:
        if text not in targets:
            raise UsageError("; ".join(unknown(text, targets, "target")))
        return text

    return fits


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", text):
        raise UsageError(f"{text!r} is no name of a namespace")
    return text


def _workload(text: str) -> str:
    """A deployment's name, with its kind or without."""
    found = text if "/" in text else f"deployment/{text}"
    if not WORKLOAD.fullmatch(found) or not found.startswith("deployment/"):
        raise UsageError(f"{text!r} is no deployment; write it as deployment/web")
    return found


def _image(text: str) -> str:
    """An image's name, without a tag."""
    try:
        tag = parse_image(text).tag
    except InvalidImageName:
        tag = "?"
    if tag != "latest" or text.endswith(":latest"):
        raise UsageError(f"{text!r} is no image without its tag; write it as acme/shop")
    return text


def _count(text: str) -> str:
    if not text.isdigit() or not int(text):
        raise UsageError("a number from 1 on is needed")
    return text


def _scalar(text: str) -> str:
    """The text as YAML, quoted where it has to be."""
    import yaml

    dumped = yaml.safe_dump(text, width=10_000, allow_unicode=True)
    return dumped.removesuffix("\n").removesuffix("\n...")
