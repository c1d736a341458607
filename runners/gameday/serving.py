"""The simulator as the target of a game day: a `gherkube serve` of its own, which ends with the run.

On it is what the plan's rehearsal says is given.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gherkube.runners.errors import ApiError, GherkubeError
from gherkube.runners.gameday.plan import Plan, Sentence
from gherkube.runners.gameday.stage import Stage
from gherkube.runners.live.cluster import LiveCluster
from gherkube.runners.target import Target

SPEED = 10
"""How many of its seconds pass in a real one."""
MAIN = "from gherkube.runners.cli.main import main; main()"
CONTEXT = "gherkube"
"""The only context of its kubeconfig."""


@contextmanager
def simulator(plan: Plan) -> Iterator[Target]:
    """A server with the namespaces of the plan; it ends with this process, however that ends."""
    with tempfile.TemporaryDirectory(prefix="gherkube-") as folder:
        kubeconfig = Path(folder, "kubeconfig")
        # The command it runs says when it serves, and ends when nobody is left who could write to it.
        served = ["--clock", "fast", "--speed", str(SPEED), "--kubeconfig", str(kubeconfig)]
        process = subprocess.Popen(
            [sys.executable, "-c", MAIN, "serve", *served, "--", "sh", "-c", "echo; cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        os.set_inheritable(process.stdin.fileno(), True)  # by what takes the place of this process
        try:
            if not process.stdout.readline():
                raise GherkubeError("the simulator cannot be served: gherkube serve says why")
            yield Target(CONTEXT, kubeconfig=str(kubeconfig), namespace=plan.scope.namespace, disposable=True)
        finally:
            with suppress(BrokenPipeError):
                process.stdin.close()
            process.wait()
            process.stdout.close()


def furnish(plan: Plan, stage: Stage, target: Target) -> list[Sentence]:
    """Makes what the plan's rehearsal says is given, as nothing that the game day did.

    Returns the sentences that are to be said to the cluster of the day itself: requests flow for as long as
    the cluster that they were said to is open.
    """
    given = plan.rehearsal.given
    requests = [each for each in given if each.text.startswith("requests ")]
    setting = LiveCluster(Target(CONTEXT, kubeconfig=target.kubeconfig, namespace="default", disposable=True))
    for name in plan.scope.namespaces:
        with suppress(ApiError):
            setting.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    stage.establish([each for each in given if each not in requests], setting)
    setting.api.changes.release()
    setting.history.close()
    return requests
