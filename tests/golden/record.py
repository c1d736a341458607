"""Plays scenarios against a cluster with kubectl and keeps everything that the cluster says.

    python -m tests.golden.record --kubeconfig FILE --out DIR [--fault COMMAND] SCENARIO.yaml...

Works the same against a real cluster and against anything that speaks the Kubernetes API over HTTP, so
two runs of a scenario can be compared (see `compare`). What a scenario may say: see `scenario`. The
recording is written to DIR/<name of the scenario>/ (see `recording`).
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from gherkube.runners.report.facts import NOISY, Recording, checkpoint
from gherkube.runners.report.names import Json
from tests.golden.recording import RESOURCES, write
from tests.golden.scenario import Scenario, Step, load

COMMAND_SECONDS = 180


class Kubectl:
    """kubectl with a kubeconfig."""

    def __init__(self, kubeconfig: str) -> None:
        self.start = ["kubectl", "--kubeconfig", kubeconfig]

    def run(self, *args: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        """Runs a command and returns what came of it."""
        return subprocess.run([*self.start, *args], check=check, capture_output=True, text=True)

    def workers(self) -> list[str]:
        """The nodes that take pods."""
        no_plane = "!node-role.kubernetes.io/control-plane"
        names = self.run(
            "get", "nodes", "-l", no_plane, "-o", "jsonpath={.items[*].metadata.name}", check=True
        )
        return names.stdout.split()

    @contextmanager
    def proxy(self) -> Iterator[str]:
        """A proxy to the API server while it is needed; its address."""
        process = subprocess.Popen([*self.start, "proxy", "--port=0"], stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{process.stdout.readline().rsplit(':', 1)[1].strip()}"
        finally:
            process.terminate()
            process.wait()


class Recorder:
    """Watches a namespace, one thread a resource, and keeps what it sees in order."""

    def __init__(self, proxy: str, namespace: str) -> None:
        self.recording = Recording()
        self.closing = False
        self._proxy, self._namespace = proxy, namespace
        self._start = self._last_change = time.monotonic()
        self._lock = threading.Lock()
        self._objects: dict[tuple[str, str], Json] = {}
        for resource in (*RESOURCES, "nodes"):
            threading.Thread(target=self._watch, args=(resource,), daemon=True).start()

    def action(self, action: str, **said: Any) -> None:
        """Keeps an action."""
        with self._lock:
            self.recording.actions.append({"t": self._now(), "action": action, **said})

    def checkpoint(self, name: str) -> None:
        """Keeps the state of everything."""
        with self._lock:
            objects = ((resource, obj) for (resource, _), obj in self._objects.items())
            self.recording.states.append(checkpoint(self._now(), name, objects))

    def settle(self, quiet: float, at_most: float) -> bool:
        """Waits until nothing changed for that long; False when it did not within `at_most` seconds."""
        begun = self._last_change = time.monotonic()
        while time.monotonic() - begun < at_most:
            if time.monotonic() - self._last_change >= quiet:
                return True
            time.sleep(0.2)
        return False

    def _now(self) -> float:
        return round(time.monotonic() - self._start, 3)

    def _path(self, resource: str) -> str:
        if resource == "nodes":
            return "/api/v1/nodes"
        return f"{RESOURCES[resource]}/namespaces/{self._namespace}/{resource}"

    def _watch(self, resource: str) -> None:
        version = ""
        while not self.closing:
            try:
                version = self._follow(resource, version or self._list(resource))
            except (OSError, ValueError, KeyError) as problem:  # a watch that breaks is begun anew
                if not self.closing:
                    self._seen(resource, "WATCH-BROKE", {"error": repr(problem)})
                    time.sleep(0.5)
                version = ""

    def _list(self, resource: str) -> str:
        with urllib.request.urlopen(self._proxy + self._path(resource), timeout=20) as answer:
            listing = json.load(answer)
        there = {obj["metadata"]["uid"] for obj in listing["items"]}
        with self._lock:
            gone = [o for (r, uid), o in self._objects.items() if r == resource and uid not in there]
        for obj in gone:
            self._seen(resource, "DELETED", obj)
        for obj in listing["items"]:
            self._seen(resource, "LISTED", obj)
        return str(listing["metadata"]["resourceVersion"])

    def _follow(self, resource: str, version: str) -> str:
        """Follows one watch to its end; the version to go on from, "" to begin anew."""
        query = f"watch=1&resourceVersion={version}&allowWatchBookmarks=true&timeoutSeconds=600"
        with urllib.request.urlopen(f"{self._proxy}{self._path(resource)}?{query}", timeout=700) as answer:
            for line in answer:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return ""
                version = event["object"]["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    self._seen(resource, event["type"], event["object"])
                if self.closing:
                    break
        return version

    def _seen(self, resource: str, kind: str, obj: Json) -> None:
        metadata = obj.get("metadata", {})
        metadata.pop("managedFields", None)
        with self._lock:
            self.recording.watch.append({"t": self._now(), "resource": resource, "type": kind, "object": obj})
            if kind == "DELETED":
                self._objects.pop((resource, metadata["uid"]), None)
            elif metadata:
                self._objects[resource, metadata["uid"]] = obj
            if resource not in NOISY:
                self._last_change = time.monotonic()


class Player:
    """Does a scenario's steps in a namespace."""

    def __init__(
        self, kubectl: Kubectl, recorder: Recorder, namespace: str, nodes: Sequence[str], fault: str
    ) -> None:
        self._kubectl, self._recorder = kubectl, recorder
        self._namespace, self._nodes, self._fault = namespace, nodes, fault

    def play(self, scenario: Scenario) -> None:
        """Does all of it."""
        for step in scenario.steps:
            getattr(self, f"_{step.verb}")(step)

    def _apply(self, step: Step) -> None:
        self._run(step, ["-n", self._namespace, step.verb, "-f", "-"], self._filled(step.value))

    _create = _apply

    def _kubectl_line(self, step: Step) -> None:
        self._run(step, ["-n", self._namespace, *shlex.split(self._filled(step.value))])

    def _settle(self, step: Step) -> None:
        self._recorder.action("settle", quiet=self._recorder.settle(step.value, step.at_most or 120))
        self._recorder.checkpoint(str(step.number))

    def _until(self, step: Step) -> None:
        wanted = step.value
        target = [wanted["name"]] if "name" in wanted else ["-l", wanted["selector"]]
        line = ["-n", self._namespace, "get", wanted["resource"], *target, "-o", f"jsonpath={wanted['path']}"]
        limit, got = time.monotonic() + wanted.get("at-most", 120), None
        while time.monotonic() < limit and got != str(wanted["value"]):
            got = self._kubectl.run(*line).stdout
            time.sleep(0.3)
        self._recorder.action("until", wanted=wanted, got=got)

    def _wait(self, step: Step) -> None:
        time.sleep(step.value)
        self._recorder.action("wait", seconds=step.value)

    def _fault_line(self, step: Step) -> None:
        if not self._fault:
            raise SystemExit(f"step {step.number} needs --fault")
        self._run(step, [*shlex.split(self._fault), *shlex.split(self._filled(step.value))], own=True)

    def _checkpoint(self, step: Step) -> None:
        self._recorder.checkpoint(step.value)

    def _filled(self, text: str) -> str:
        return Scenario.filled(text, self._namespace, self._nodes)

    def _run(self, step: Step, args: list[str], stdin: str | None = None, *, own: bool = False) -> None:
        argv = args if own else [*self._kubectl.start, *args]
        shown = args if own else ["kubectl", *args]
        begun = time.monotonic()
        limit = step.at_most or COMMAND_SECONDS
        try:
            done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=limit)
            came = {"rc": done.returncode, "stdout": done.stdout, "stderr": done.stderr}
        except subprocess.TimeoutExpired as late:
            printed = late.stdout.decode() if isinstance(late.stdout, bytes) else late.stdout or ""
            came = {"rc": None, "stdout": printed, "stderr": "", "timed_out": True}
        seconds = round(time.monotonic() - begun, 3)
        self._recorder.action(step.action, argv=shown, stdin=stdin, **came, seconds=seconds)


@contextmanager
def fresh_namespace(kubectl: Kubectl, name: str, *, keep: bool) -> Iterator[None]:
    """The namespace, new and with its service account; deleted at the end unless `keep`."""
    kubectl.run("delete", "namespace", name, "--wait=true", "--ignore-not-found", check=True)
    kubectl.run("create", "namespace", name, check=True)
    deadline = time.monotonic() + 20
    while (
        kubectl.run("-n", name, "get", "serviceaccount", "default").returncode and time.monotonic() < deadline
    ):
        time.sleep(0.2)
    try:
        yield
    finally:
        if not keep:
            kubectl.run("delete", "namespace", name, "--wait=false")


def record(path: Path, args: argparse.Namespace, kubectl: Kubectl, nodes: Sequence[str]) -> None:
    """Plays one scenario and writes its recording."""
    scenario = load(path)
    namespace = args.namespace or scenario.namespace
    with ExitStack() as stack:
        stack.enter_context(fresh_namespace(kubectl, namespace, keep=args.keep))
        recorder = Recorder(stack.enter_context(kubectl.proxy()), namespace)
        time.sleep(1.0)  # for the watches to begin
        try:
            Player(kubectl, recorder, namespace, nodes, args.fault).play(scenario)
        finally:
            recorder.closing = True
            write(Path(args.out) / scenario.name, recorder.recording)
    print(f"{scenario.name}: {len(recorder.recording.watch)} watch events", flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenarios", nargs="+", type=Path)
    parser.add_argument("--kubeconfig", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--namespace")
    parser.add_argument(
        "--fault", default="", help="command that breaks nodes; the fault's words are appended"
    )
    parser.add_argument("--keep", action="store_true", help="leave the namespace behind")
    args = parser.parse_args(argv)
    kubectl = Kubectl(args.kubeconfig)
    nodes = kubectl.workers()
    for path in args.scenarios:
        record(path, args, kubectl, nodes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
