"""Names and uids that the API server makes up.

staging/src/k8s.io/apiserver/pkg/storage/names/generate.go, apimachinery/pkg/util/rand/rand.go
"""

from __future__ import annotations

from random import Random

from gherkube.runners.simulator.clock import Chance

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""No vowels and nothing that looks like another character: generated names spell no words."""
MAX_BASE = 58
"""How much of a generateName is kept: a name of a pod is at most 63 characters long."""

_PAIRS = tuple(first + second for first in ALPHABET for second in ALPHABET)
_COUNT = len(ALPHABET) ** 5
_FREE = ~(0xF000_C000 << 48)
_VERSION_4 = 0x4000_8000 << 48


def suffix(source: Random) -> str:
    """Five random characters of the alphabet."""
    drawn = int(source.random() * _COUNT)
    drawn, low = divmod(drawn, 729)
    high, middle = divmod(drawn, 729)
    return ALPHABET[high] + _PAIRS[middle] + _PAIRS[low]


def generate(chance: Chance, base: str) -> str:
    """A name from a generateName: its first 58 characters and five random ones."""
    return base[:MAX_BASE] + suffix(chance.stream("names"))


def uid(source: Random) -> str:
    """A random UUID (RFC 4122, version 4)."""
    bits = (source.getrandbits(128) & _FREE | _VERSION_4).to_bytes(16).hex()
    return f"{bits[:8]}-{bits[8:12]}-{bits[12:16]}-{bits[16:20]}-{bits[20:]}"


def safe_encode(number: int) -> str:
    """A number's decimal digits in the alphabet, as in pod-template-hash. rand.go SafeEncodeString"""
    return "".join(ALPHABET[ord(digit) % len(ALPHABET)] for digit in str(number))
