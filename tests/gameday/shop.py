"""A shop on a `gherkube serve`, and game days that break it: `plans/` with its own step, target and check."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from gherkube.runners.errors import ApiError
from gherkube.runners.gameday.check import Checked
from gherkube.runners.gameday.lease import NAME
from gherkube.runners.gameday.plan import fingerprint
from gherkube.runners.gameday.reading import read as read_plan
from gherkube.runners.live.api import LiveApi
from gherkube.runners.live.connection import connect
from gherkube.runners.live.discovery import Discovery
from gherkube.runners.live.journal import Record, read
from gherkube.runners.live.said import said
from gherkube.runners.live.served import find
from gherkube.runners.objects import Object
from tests.door.serving import PATIENCE

PLANS = Path(__file__).parent / "plans"
SETTINGS = f"""\
patience = "{PATIENCE:g}s"
[targets.staging]
context = "{{context}}"
kubeconfig = "{{kubeconfig}}"
namespaces = ["shop"]
"""
KINDS = ("deployments", "services", "configmaps")
GATES = ("--yes-i-am", "Olga Owner", "--yes-i-am", "Otto Operator")


class Shop:
    """The objects on the server, and a project folder with the plan."""

    def __init__(self, folder: Path, kubeconfig: Path, context: str = "gherkube") -> None:
        self.folder, self.kubeconfig = folder, kubeconfig
        self.plan = folder / "shop.gameday.yaml"
        self.connection = connect(context, str(kubeconfig))
        self.api = LiveApi(self.connection, Discovery(self.connection))
        shutil.copytree(PLANS, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "gherkube.toml").write_text(SETTINGS.format(context=context, kubeconfig=kubeconfig))
        self.approve()

    def open(self) -> None:
        """Makes the shop anew."""
        self.remove()
        self.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        for obj in yaml.safe_load_all((PLANS / "manifests" / "shop.yaml").read_text()):
            self.api.create(obj, namespace="shop")
        while self.api.get("deployments", "web", "shop").get("status", {}).get("availableReplicas") != 3:
            pass

    def remove(self) -> None:
        """Waits until nothing of it is left."""
        with suppress(ApiError):  # it is not there
            self.api.delete("namespaces", "shop")
            while self.api.get("namespaces", "shop"):
                pass

    def change(self, **changes: Any) -> None:
        """Changes the plan, and approves it again."""
        self.plan.write_text(yaml.safe_dump({**yaml.safe_load(self.plan.read_text()), **changes}))
        self.approve()

    def approve(self) -> None:
        """As a check that found nothing against it has written it."""
        plan = read_plan(self.plan)
        checked = Checked(fingerprint(plan), "2026-03-02T14:00:00Z", "staging", {}, ())
        plan.beside("check").write_text(json.dumps(asdict(checked)))

    def objects(self) -> dict[str, Object]:
        """All that users say of what is there."""
        images = {f"images/{name}": behaves for name, behaves in self.said_of_images().items()}
        return images | {
            f"{resource}/{obj['metadata']['name']}": said(obj)
            for resource in KINDS
            for obj in self.api.list(resource, "shop")
            if obj["metadata"]["name"] != "kube-root-ca.crt"
        }

    def said_of_images(self) -> dict[str, Object]:
        """What was said of images, where these can be told something."""
        served = find(self.api)
        return served.ask("GET", "/images") if served is not None else {}

    def lock(self) -> Object | None:
        """The lock, where somebody holds it."""
        return next(iter(self.api.list("leases", "shop", fields=f"metadata.name={NAME}")), None)

    @property
    def journal(self) -> Path:
        """That of the last run."""
        return max((self.folder / "gamedays").glob("*.journal"), key=lambda each: each.stat().st_mtime_ns)

    def records(self, kind: str = "") -> list[Record]:
        """What is in it."""
        return [each for each in read(self.journal) if kind in ("", each.kind)]

    def close(self) -> None:
        """Lets go of the server."""
        self.connection.close()
