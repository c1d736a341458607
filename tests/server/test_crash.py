"""A server that keeps its state: killed while clients write, on a full disk, with a file that is none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random

from tests.server.crash import CONFIGMAPS, kill_often, serving


def test_what_was_answered_outlives_a_kill(tmp_path: Path) -> None:
    """Each object as it was answered last, with its version; what was asked but not answered may be there."""
    assert kill_often(tmp_path, 2, Random(1)) > 0


def test_a_full_disk_refuses_what_it_cannot_keep(tmp_path: Path) -> None:
    """Nothing is done that is not kept; reading goes on; with more room so does writing, and all is there."""
    kept = []
    with serving(tmp_path, "--clock", "manual", most=3_000) as server:
        for number in range(40):
            name = f"of-{number}"
            code, made = server.ask("POST", CONFIGMAPS, {"metadata": {"name": name}, "data": {"a": "x" * 60}})
            if code == 201:
                kept.append(name)
            else:
                assert (code, made["reason"]) == (500, "InternalError")
                assert made["message"].endswith("; nothing was done")
        names = [item["metadata"]["name"] for item in server.ask("GET", CONFIGMAPS)[1]["items"]]
        assert [name for name in names if name.startswith("of-")] == sorted(kept)
        assert 0 < len(kept) < 40
    with serving(tmp_path, "--clock", "manual") as server:
        for name in kept:
            assert server.ask("GET", f"{CONFIGMAPS}/{name}")[0] == 200
        assert server.ask("POST", CONFIGMAPS, {"metadata": {"name": "more"}})[0] == 201


def test_a_file_that_cannot_be_a_state_is_refused_in_a_line(tmp_path: Path) -> None:
    """A folder, a file in a folder that is not there, lines that are no requests."""
    header = tmp_path / "header"
    with serving(tmp_path, "--clock", "manual"):
        header.write_bytes((tmp_path / "state").read_bytes().splitlines(keepends=True)[0])
    broken = tmp_path / "broken"
    broken.write_text(header.read_text() + json.dumps({"method": "POST"}) + "\n")
    for path, said in (
        (tmp_path, f"{tmp_path} cannot be used: Is a directory"),
        (tmp_path / "no" / "file", f"{tmp_path / 'no' / 'file'} cannot be used: No such file or directory"),
        (broken, f"{broken}:2: no state of gherkube serve; name another"),
    ):
        gherkube = Path(sys.executable).with_name("gherkube")
        command = [gherkube, "serve", "--http", "--state", path, "--", "true"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr.strip()) == (2, f"gherkube serve: {said}")
