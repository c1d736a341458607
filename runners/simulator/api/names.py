"""Names and uids that the API server makes up.

staging/src/k8s.io/apiserver/pkg/storage/names/generate.go, apimachinery/pkg/util/rand/rand.go
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, repeat
from operator import itemgetter
from random import Random

from gherkube.runners.simulator.clock import Chance

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""No vowels and nothing that looks like another character: generated names spell no words."""
MAX_BASE = 58
"""How much of a generateName is kept: a name of a pod is at most 63 characters long."""
DRAWN_TOGETHER = 64
"""How many uids are drawn at once."""

_PAIRS = tuple(first + second for first in ALPHABET for second in ALPHABET)
_COUNT = len(ALPHABET) ** 5
_FREE = int.from_bytes(bytes.fromhex("ffffffffffff0fff3fffffffffffffff") * DRAWN_TOGETHER)
_VERSION_4 = int.from_bytes(bytes.fromhex("00000000000040008000000000000000") * DRAWN_TOGETHER)
_FORM = b"........-....-....-....-............"
_DIGITS = tuple(at for at, character in enumerate(_FORM) if character == ord("."))
_apart = itemgetter(
    *(slice(at, at + len(_FORM)) for at in reversed(range(0, len(_FORM) * DRAWN_TOGETHER, len(_FORM))))
)


def suffix(source: Random) -> str:
    """Five random characters of the alphabet."""
    drawn = int(source.random() * _COUNT)
    return ALPHABET[drawn // 729**2] + _PAIRS[drawn // 729 % 729] + _PAIRS[drawn % 729]


def generate(chance: Chance, base: str) -> str:
    """A name from a generateName: its first 58 characters and five random ones."""
    return base[:MAX_BASE] + suffix(chance.stream("names"))


def uids(source: Random) -> Iterator[str]:
    """Random UUIDs (RFC 4122, version 4), without end."""
    return chain.from_iterable(map(_some_uids, repeat(source)))


def _some_uids(source: Random) -> tuple[str, ...]:
    """Many at once, digit by digit, where C does the work."""
    drawn = source.getrandbits(128 * DRAWN_TOGETHER) & _FREE | _VERSION_4
    digits, text = drawn.to_bytes(16 * DRAWN_TOGETHER).hex().encode(), bytearray(_FORM * DRAWN_TOGETHER)
    for at, place in enumerate(_DIGITS):
        text[place :: len(_FORM)] = digits[at :: len(_DIGITS)]
    uids: tuple[str, ...] = _apart(text.decode())
    return uids


def safe_encode(number: int) -> str:
    """A number's decimal digits in the alphabet, as in pod-template-hash. rand.go SafeEncodeString"""
    return "".join(ALPHABET[ord(digit) % len(ALPHABET)] for digit in str(number))
