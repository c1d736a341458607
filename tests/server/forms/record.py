"""Records what kubectl prints for the commands of commands.txt against a real cluster.

    python tests/server/forms/record.py KUBECONFIG [KUBECTL]

An API server with etcd is enough. What was printed is kept in recorded.json.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.server.forms.play import prepared, run

HERE = Path(__file__).parent


def main(kubeconfig: str, kubectl: str = "kubectl") -> None:
    """Makes the objects, runs the commands, keeps what they print."""
    prepared(kubectl, kubeconfig)
    commands = (HERE / "commands.txt").read_text().splitlines()
    kept = [run(kubectl, kubeconfig, command) for command in commands]
    (HERE / "recorded.json").write_text(json.dumps(kept, indent=0) + "\n")
    print(f"{len(kept)} commands")


if __name__ == "__main__":
    main(*sys.argv[1:])
