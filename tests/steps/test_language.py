"""Every sentence that the language was shown with is recognised, by one sentence of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gherkin.parser import Parser

from gherkube.steps.catalogue import CATALOGUE
from gherkube.steps.sentence import Kind

LANGUAGE = Path(__file__).with_name("language.feature")
KINDS: dict[str, Kind] = {"Context": "given", "Action": "when", "Outcome": "then"}


def sentences() -> Iterator[tuple[Kind, str, bool, bool]]:
    """Kind, text, whether a table and whether a docstring stands under it."""
    feature: Any = Parser().parse(LANGUAGE.read_text())["feature"]
    for child in feature["children"]:
        kind: Kind = "given"
        for step in child["scenario"]["steps"]:
            kind = KINDS.get(step["keywordType"], kind)
            yield kind, step["text"], "dataTable" in step, "docString" in step


@pytest.mark.parametrize(("kind", "text", "table", "docstring"), list(sentences()))
def test_sentence_of_the_language_is_recognised(kind: Kind, text: str, table: bool, docstring: bool) -> None:
    """It is one sentence of the catalogue, which takes what stands under it and nothing else."""
    found = CATALOGUE.find(kind, text)
    assert [each.text for each in found] == [text]
    assert (found[0].sentence.takes_table, found[0].sentence.takes_docstring) == (table, docstring)


def test_the_language_is_read_whole() -> None:
    """The copy holds all that the language has been shown with."""
    assert sum(1 for _ in sentences()) == 112
