"""The first feature and the settings, for a project that has none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gherkube.runners.errors import UsageError

FEATURE = """\
Feature: Updates do not disturb our users

  Scenario: A new version is rolled out without downtime
    Given deployment "web" runs 3 replicas of "hello:1" with
      | readiness probe | http :8080/readyz every 1s |
      | preStop sleep   | 5 seconds                  |
    And service "web" for deployment "web" on port 8080
    And requests to service "web" every 100 milliseconds
    When I update it to "hello:2"
    Then the rollout completes
    And three "hello:2" pods are running
    And throughout, at least 3 pods were ready
    And throughout, every request to service "web" was answered

  Scenario: A version that does not exist takes nothing away
    Given deployment "web" runs 4 replicas of "hello:1"
    And image "hello:2" does not exist
    When I update it to "hello:2"
    Then the rollout gets stuck
    And throughout, at least 3 pods were ready
    When I undo the rollout
    Then four "hello:1" pods are running
"""

SETTINGS = """\
# This file makes pytest run this project's feature files; it may be empty. The command line beats it.

# seed = 1                  # of all chance in the simulator
# patience = "5m"           # how long a Then without a time phrase waits
# steps = ["my_steps"]      # modules with own steps, beside those in conftest.py

# [variables]               # what ${NAME} stands for in features and manifests
# VERSION = "v2"
"""

FILES = {"gherkube.toml": SETTINGS, "features/first.feature": FEATURE}


def write_first(folder: Path) -> Iterator[str]:
    """Writes what is not there yet, and says so line by line. Raises UsageError."""
    for name, text in FILES.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            yield f"kept    {path}: it was there already"
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}") from None
        else:
            yield f"wrote   {path}"
    yield f"next    gherkube run {folder / 'features' / 'first.feature'}"
