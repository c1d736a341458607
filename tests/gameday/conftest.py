"""One `gherkube serve` for all game days of a test process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gherkube.runners.gameday import conductor, regression
from tests.conftest import Project
from tests.door.serving import PATIENCE, serving
from tests.gameday.shop import Shop


@pytest.fixture(scope="session")
def shop_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a server without TLS."""
    with serving(tmp_path_factory.mktemp("shop"), "--http") as kubeconfig:
        yield kubeconfig


@pytest.fixture
def shop(shop_server: Path, project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """The shop, open, and the project folder with the plan to break it."""
    monkeypatch.setattr(conductor, "RECOVERS", PATIENCE)
    monkeypatch.setattr(regression, "check", lambda *_: "")  # spares a second each run
    made = Shop(project.path, shop_server)
    made.open()
    yield made
    made.close()
