"""Quantities as Kubernetes writes them: `500m`, `64Mi`, `1.5`, `2e3`.

apimachinery/pkg/api/resource/quantity.go
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from math import ceil

FORM = re.compile(
    r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE])|[eE]([+-]?[0-9]+))?"
)
SUFFIXES = {
    "": Fraction(1),
    **{suffix: Fraction(1000) ** power for power, suffix in enumerate("num kMGTPE", -3) if suffix != " "},
    **{f"{suffix}i": Fraction(1024) ** power for power, suffix in enumerate("KMGTPE", 1)},
}


@lru_cache(4096)
def parse(text: str | int | float) -> Fraction:
    """The exact value of a quantity. Raises ValueError, in the API server's words, for what is none."""
    found = FORM.fullmatch(str(text))
    if found is None:
        raise ValueError(
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        )
    number, suffix, exponent = found.groups()
    return Fraction(number) * (Fraction(10) ** int(exponent) if exponent else SUFFIXES[suffix or ""])


@lru_cache(4096)
def cpu_milli(text: str | int | float) -> int:
    """A quantity of CPU in thousandths, rounded up: "500m" is 500, "2" is 2000."""
    return ceil(parse(text) * 1000)


@lru_cache(4096)
def memory_bytes(text: str | int | float) -> int:
    """A quantity of memory (or of anything counted in whole units), rounded up: "64Mi" is 67108864."""
    return ceil(parse(text))
