"""Records what kubectl prints for the lines of commands.txt against a real cluster with nodes.

    python -m tests.server.acting.record KUBECONFIG [KUBECTL] [FILE]

The namespace `acting` must not be there. What was printed is kept in recorded.json, or in FILE.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.server.acting.play import HERE, Player


def main(kubeconfig: str, kubectl: str = "kubectl", file: str = str(HERE / "recorded.json")) -> None:
    """Plays all lines and keeps what came of them."""
    kept = []
    for came in Player(kubectl, kubeconfig).play():
        print(came["code"], came["command"], flush=True)
        kept.append(came)
    Path(file).write_text(json.dumps(kept, indent=0, ensure_ascii=False) + "\n")
    print(f"{len(kept)} commands")


if __name__ == "__main__":
    main(*sys.argv[1:])
