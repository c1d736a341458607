"""What the tests of the verbs are handed."""

from __future__ import annotations

import pytest

from gherkube.runners.objects import Object
from tests.kubectl.asked import Asked, deployment


@pytest.fixture
def api() -> Asked:
    """An empty cluster that keeps what it was asked."""
    return Asked()


@pytest.fixture
def web(api: Asked) -> Object:
    """The Deployment "web", stored."""
    return api.add(deployment())
