"""A seed decides all that happens in the shipped features, whatever order Python gives to its sets."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import Project

ROOT = Path(__file__).parents[2]
ELSEWHERE = "not @needs-kubectl and not @needs-helm"


def test_histories_do_not_hang_on_the_hash_seed(tmp_path: Path) -> None:
    """Two processes with other hash seeds write the same histories of all shipped features, byte for byte."""
    found = []
    for hash_seed in ("1", "2"):
        report = tmp_path / hash_seed
        done = Project(ROOT).gherkube(
            "run", "features", "--tags", ELSEWHERE, "--report", str(report), PYTHONHASHSEED=hash_seed
        )
        assert done.code == 0, done.out
        found.append({path.name: path.read_bytes() for path in (report / "history").iterdir()})
    first, second = found
    assert len(first) > 90
    assert [name for name in first if first[name] != second[name]] == []
    assert first.keys() == second.keys()
