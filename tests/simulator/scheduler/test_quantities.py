"""Quantities are read as Kubernetes reads them."""

from fractions import Fraction

import pytest

from gherkube.runners.quantities import cpu_milli, memory_bytes, parse


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("500m", Fraction(1, 2)),
        ("250u", Fraction(1, 4000)),
        ("1n", Fraction(1, 10**9)),
        ("1k", 1000),
        ("1Ki", 1024),
        ("64Mi", 64 * 2**20),
        ("1.5Gi", 3 * 2**29),
        ("2E", 2 * 10**18),
        ("2e3", 2000),
        ("12E-1", Fraction(6, 5)),
        (".5", Fraction(1, 2)),
        ("-1", -1),
        (4, 4),
        (0.5, Fraction(1, 2)),
    ],
)
def test_value(text: str, value: Fraction) -> None:
    """Decimal and binary suffixes, exponents and bare numbers give the exact value."""
    assert parse(text) == value


@pytest.mark.parametrize("text", ["", "x", "1 Gi", "1gi", "1.2.3", "m", "Mi", "1K", "1mm"])
def test_not_a_quantity(text: str) -> None:
    """What is no quantity is refused in the API server's words."""
    with pytest.raises(ValueError, match="quantities must match the regular expression"):
        parse(text)


def test_rounding_up() -> None:
    """CPU counts in whole thousandths and memory in whole bytes, both rounded up."""
    assert cpu_milli("100u") == 1
    assert cpu_milli("2") == 2000
    assert memory_bytes("100m") == 1
    assert memory_bytes("64Mi") == 67108864
