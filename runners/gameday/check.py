"""`gherkube gameday check`: looks whether a game day could be run now, and touches nothing.

What it finds is shown for a person to approve, and written beside the plan with the fingerprint of the plan
and its features: `run` needs it, and refuses when one of them has changed since.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gherkube.runners.errors import CannotJudge, GherkubeError, UsageError
from gherkube.runners.gameday import snapshot
from gherkube.runners.gameday.checks import EVERYWHERE
from gherkube.runners.gameday.checks_live import LIVE
from gherkube.runners.gameday.files import write
from gherkube.runners.gameday.ground import AGAINST, NOTE, OK, Finding, Ground, touched_by
from gherkube.runners.gameday.opening import PRECONDITION, opened, reached, target_of
from gherkube.runners.gameday.plan import Plan, fingerprint
from gherkube.runners.gameday.reading import shown
from gherkube.runners.gameday.rehearsal import rehearse, simulated
from gherkube.runners.live.access import base, missing
from gherkube.runners.live.access import refused as forbidden
from gherkube.runners.target import SIMULATOR, Target

if TYPE_CHECKING:
    from gherkube.runners.gameday.stage import Stage

SIGNS = {OK: "✓", NOTE: "!", AGAINST: "✗"}


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check came to: of which plan and features, when (RFC 3339, UTC), and what was found."""

    fingerprint: str
    at: str
    target: str
    touched: dict[str, list[str]]
    findings: tuple[Finding, ...]

    @property
    def stands(self) -> bool:
        """Whether nothing stands against the game day."""
        return not any(each.state == AGAINST for each in self.findings)


def check_plan(path: Path, *, kubeconfig: str, options: Sequence[str]) -> int:
    """Checks, shows and writes what is found; returns the exit code."""

    def act(plan: Plan, stage: Stage) -> int:
        target = target_of(plan, stage.settings, kubeconfig)
        checked = looked_at(plan, stage, target)
        print("\n".join(summary(plan, checked)))
        _save(checked, plan.beside("check"))
        print(f"wrote {shown(plan.beside('check'))}")
        return 0 if checked.stands else PRECONDITION

    return opened(path, options, "check", act)


def looked_at(plan: Plan, stage: Stage, target: Target | None) -> Checked:
    """Looks at everything. Raises CannotJudge where the target cannot be reached."""
    with ExitStack() as closing:
        now, where = datetime.now(UTC).isoformat(timespec="seconds"), SIMULATOR
        api = discovery = None
        if target is None:
            taken = simulated(plan, stage)
        else:
            api, discovery, target = closing.enter_context(reached(target))
            if absent := missing(api, base(plan.scope.namespaces, makes=False)):
                raise CannotJudge(forbidden(absent, target.context))
            connection = api.connection
            version = connection.ask("GET", "/version")["gitVersion"]
            where = f"{plan.target}: context {target.context} at {connection.server}, Kubernetes {version}"
            taken = snapshot.take(api, plan.scope, plan.target, now)
        (played,) = rehearse(plan, stage, taken, runs=1, target=target)
        ground = Ground(plan, stage, target, taken, played, api, discovery)
        looks = (*EVERYWHERE, *(LIVE if api is not None else ()))
        return Checked(
            fingerprint(plan),
            now,
            where,
            {
                round_.name: list(touched_by(writes, taken))
                for round_, writes in zip(plan.rounds, played.writes, strict=False)
            },
            tuple(finding for look in looks for finding in _found(look, ground)),
        )


def _found(look: Callable[[Ground], Iterator[Finding]], ground: Ground) -> list[Finding]:
    """What one look finds; what it may not look at stands against the game day."""
    try:
        return list(look(ground))
    except GherkubeError as error:
        return [Finding(look.__name__.strip("_").replace("_", " "), AGAINST, str(error))]


def refused(plan: Plan) -> str:
    """Why a plan may not be run, going by its last check; "" when it may."""
    path, next_ = plan.beside("check"), f"gherkube gameday check {shown(plan.path)}"
    if not path.is_file():
        return f"it was not checked; do it: {next_}"
    try:
        checked = _load(path)
    except UsageError as error:
        return f"{error}; check again: {next_}"
    if checked.fingerprint != fingerprint(plan):
        return f"the plan or a feature has changed since it was checked ({checked.at}); check again: {next_}"
    if not checked.stands:
        why = "; ".join(f"{each.what}: {each.words}" for each in checked.findings if each.state == AGAINST)
        return f"its check found what stands against it ({why}); mend it, and check again: {next_}"
    return ""


def summary(plan: Plan, checked: Checked) -> Iterator[str]:
    """What a person reads who approves it."""
    yield f"{plan.name}: {plan.goal}"
    for hypothesis in plan.hypothesis:
        yield f"  hypothesis  {hypothesis.says}"
    yield f"  target      {checked.target}"
    yield f"  owner       {plan.roles.owner}; operator {plan.roles.operator}"
    for round_, touched in checked.touched.items():
        yield f"round {round_} touches"
        yield from (f"  {each}" for each in touched or ["nothing"])
    yield "looked at"
    for each in checked.findings:
        yield f"  {SIGNS[each.state]} {each.what:<18} {each.words}"
        yield from (f"      {line}" for line in each.more)
    if checked.stands:
        yield f"nothing stands against it. What was checked is {checked.fingerprint[:16]}"
    else:
        yield "it cannot be run now: mend what is marked ✗, and check again"


def _save(checked: Checked, path: Path) -> None:
    said = {**asdict(checked), "findings": [each._asdict() for each in checked.findings]}
    write(path, json.dumps(said, indent=1, ensure_ascii=False) + "\n")


def _load(path: Path) -> Checked:
    try:
        said = json.loads(path.read_text("utf-8"))
        return Checked(**{**said, "findings": tuple(Finding(**each) for each in said["findings"])})
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{path}: not what a check has written") from None
