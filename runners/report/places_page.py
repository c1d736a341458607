"""The page of a run at several places: `index.html`, beside the folders with each place's own report."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from gherkube.runners.report.failure import PASSED
from gherkube.runners.report.page.page import TEMPLATES, environment, tight
from gherkube.runners.report.places import Compared, Place
from gherkube.runners.report.places_history import COMPARED
from gherkube.runners.report.places_table import ALL_MARKS, summary
from gherkube.runners.report.terminal import WORDS, seconds


def page(places: Sequence[Place], scenarios: Sequence[Compared]) -> str:
    """The page's HTML."""
    features: dict[str, list[dict[str, Any]]] = {}
    for each in scenarios:
        features.setdefault(each.feature, []).append(_scenario(each))
    names = [place.name for place in places]
    text = (
        environment(TEMPLATES)
        .get_template("places.html")
        .render(
            title=f"One run on {', '.join(names[:-1])} and {names[-1]}",
            summary=summary(places, scenarios),
            places=[{"name": place.name, "link": f"{quote(place.name)}/index.html"} for place in places],
            seeds=max(len(place.with_seeds) for place in places),
            features=features,
            compared=COMPARED,
            version=version("gherkube"),
        )
    )
    return tight(text)


def _scenario(scenario: Compared) -> dict[str, Any]:
    return {
        "name": scenario.name,
        "line": scenario.line,
        **_outcome(scenario.outcome),
        "places": [
            {
                **_outcome(outcome),
                "time": f"{seconds(ended.seconds)}{' virtual' if ended.virtual else ''}" if ended else "",
                "why": ended.text.rstrip().split("\n") if ended and ended.text else [],
            }
            for ended, outcome in zip(scenario.ended, scenario.outcomes, strict=True)
        ],
        "chance": scenario.chance,
        "differences": [
            (kind, place, words)
            for difference in scenario.differences
            for kind, sides in difference.only.items()
            for place, words in zip(difference.places, sides, strict=True)
            if words
        ],
    }


def _outcome(outcome: str) -> dict[str, str]:
    words = outcome if outcome == PASSED else WORDS.get(outcome, outcome)
    return {"key": outcome.replace(" ", "-"), "mark": ALL_MARKS[outcome][0], "words": words}
