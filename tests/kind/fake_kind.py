"""A program that stands in for kind: each of its clusters is a `gherkube serve`.

FAKE_KIND is its folder: `clusters/` what is there, `mode` how it behaves: "" as it should, "fails" half-way
and leaves what there is, "hangs" half-way, "old".
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

HOME = Path(os.environ.get("FAKE_KIND", "."))
SERVE = "from gherkube.runners.cli.main import main; main()"


def main(arguments: list[str]) -> None:
    clusters = HOME / "clusters"
    clusters.mkdir(parents=True, exist_ok=True)
    command, options = arguments[:2], dict(zip(arguments[2::2], arguments[3::2], strict=False))
    name = options.get("--name", "kind")
    if command[0] == "version":
        print("kind v0.11.1 go1.16" if mode() == "old" else "kind v0.30.0 go1.24.6 linux/amd64")
    elif command == ["get", "clusters"]:
        print("\n".join(sorted(path.stem for path in clusters.glob("*.json"))))
    elif command == ["create", "cluster"]:
        create(name, clusters / f"{name}.json", Path(options["--kubeconfig"]), sys.stdin.read())
    elif command == ["delete", "cluster"]:
        delete(clusters / f"{name}.json")
    else:
        fail(f"unknown command {command}")


def mode() -> str:
    try:
        return (HOME / "mode").read_text()
    except OSError:
        return ""


def create(name: str, record: Path, kubeconfig: Path, config: str) -> None:
    if record.exists():
        fail(f"node(s) already exist for a cluster with the name {name!r}")
    workers = config.count("role: worker")
    say("Ensuring node image (kindest/node:v1.34.0) 🖼")
    say("Preparing nodes 📦 📦")
    nodes = [f"{name}-control-plane", *(f"{name}-worker{n if n > 1 else ''}" for n in range(1, workers + 1))]
    record.write_text(json.dumps({"name": name, "nodes": nodes, "config": config}))
    if mode() == "hangs":
        signal.pause()
    if mode() == "fails":
        fail('failed to create cluster: failed to pull image "kindest/node:v1.34.0": no space left on device')
    say("Starting control-plane 🕹️")
    serve = ["serve", "--kind-name", name, "--nodes", str(workers), "--kubeconfig", str(kubeconfig)]
    with record.with_suffix(".log").open("wb") as log:
        subprocess.Popen(
            [
                "sh",
                "-c",
                'echo $$ >"$0"; exec "$@"',
                record.with_suffix(".pid"),
                sys.executable,
                "-c",
                SERVE,
                *serve,
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    while not kubeconfig.exists() or not (text := kubeconfig.read_text()).endswith("\n"):
        time.sleep(0.02)
    kubeconfig.write_text(
        text.replace("name: gherkube", f"name: kind-{name}").replace(": gherkube", f": kind-{name}")
    )
    say("Joining worker nodes 🚜")


def delete(record: Path) -> None:
    with contextlib.suppress(OSError, ValueError):
        os.kill(int(record.with_suffix(".pid").read_text()), signal.SIGKILL)
    for suffix in (".pid", ".log", ".json"):
        record.with_suffix(suffix).unlink(missing_ok=True)


def say(what: str) -> None:
    print(f" • {what}  ...\n ✓ {what}", file=sys.stderr, flush=True)


def fail(why: str) -> NoReturn:
    print(f"ERROR: {why}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
