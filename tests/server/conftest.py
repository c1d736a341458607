"""What the tests of the HTTP server share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.loopback import Loopback, loopback


@pytest.fixture
def http() -> Iterator[Loopback]:
    """A fresh server on a loopback port, with a manual clock."""
    with loopback() as made:
        yield made
