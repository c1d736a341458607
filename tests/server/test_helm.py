"""helm 3 and helm 4 against `gherkube serve`, each where it is there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.server.serving import serving

SHOP = Path(__file__).parents[2] / "features" / "commands" / "charts" / "shop"
SPEED = "60"
"""helm's own time-outs are in real time: ten seconds of it are ten minutes of the cluster."""


@cache
def helm_of(major: str) -> str:
    """The helm of that major version, or ""."""
    named = os.environ.get(f"GHERKUBE_HELM{major}", "")
    for name in (named, f"helm{major}", "helm"):
        if name and (path := shutil.which(name)):
            command = [path, "version", "--template", "{{.Version}}"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.stdout.startswith(f"v{major}."):
                return path
    return ""


class Helm:
    """A helm, and a server that it knows."""

    def __init__(self, path: str, major: str, home: Path, kubeconfig: str) -> None:
        self._path, self.major, self.home = path, major, home
        self.kubeconfig = kubeconfig

    def __call__(self, *words: str, code: int = 0) -> str:
        """What a command prints, which ends with that code."""
        done = subprocess.run(
            [self._path, *words],
            env={"PATH": os.environ["PATH"], "HOME": str(self.home), "KUBECONFIG": self.kubeconfig},
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def history(self, release: str) -> list[tuple[int, str, str]]:
        """Revision, status and description of each revision."""
        told = json.loads(self("history", release, "-o", "json"))
        return [(each["revision"], each["status"], each["description"]) for each in told]

    def there(self, path: str) -> list[str]:
        """The names of the objects in a list of the API."""
        with self.client() as client:
            request = client.param_serialize("GET", path, auth_settings=["BearerToken"])
            answer = client.call_api(*request)
            return sorted(each["metadata"]["name"] for each in json.loads(answer.read())["items"])

    def client(self) -> Any:
        """An official client of the server."""
        from kubernetes import config

        return config.new_client_from_config(self.kubeconfig)


@pytest.fixture(scope="module", params=["3", "4"])
def helm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Helm]:
    """That helm with a server of its own; image acme/shop:9 does not exist there."""
    major = request.param
    if not (path := helm_of(major)):
        pytest.skip(
            f"there is no helm {major} here: put helm{major} on PATH, or name it with GHERKUBE_HELM{major}"
        )
    home = tmp_path_factory.mktemp(f"helm{major}")
    (home / "images.yaml").write_text("acme/shop:9: does not exist\n")
    with serving(home, "--speed", SPEED, "--images", str(home / "images.yaml")) as kubeconfig:
        yield Helm(path, major, home, kubeconfig)


DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


def test_a_release_lives(helm: Helm) -> None:
    """Installed, upgraded, rolled back, listed and uninstalled; its history is kept meanwhile."""
    helm("install", "shop", str(SHOP), "--wait", "--timeout", "60s")
    helm("upgrade", "shop", str(SHOP), "--set", "replicas=4", "--wait", "--timeout", "60s")
    assert "shop" in helm.there(DEPLOYMENTS)
    assert "replicas: 4" in helm("get", "manifest", "shop")
    helm("rollback", "shop", "1", "--wait", "--timeout", "60s")
    assert helm.history("shop") == [
        (1, "superseded", "Install complete"),
        (2, "superseded", "Upgrade complete"),
        (3, "deployed", "Rollback to 1"),
    ]
    (listed,) = json.loads(helm("list", "-o", "json"))
    assert (listed["name"], listed["revision"], listed["status"]) == ("shop", "3", "deployed")
    assert "STATUS: deployed" in helm("status", "shop")
    assert 'release "shop" uninstalled' in helm("uninstall", "shop", "--wait", "--timeout", "60s")
    assert "shop" not in helm.there(DEPLOYMENTS)
    assert "release: not found" in helm("history", "shop", code=1)


def test_a_bad_upgrade_is_rolled_back(helm: Helm) -> None:
    """--atomic: when the image does not exist, the revision before comes back."""
    helm("install", "atomic", str(SHOP), "--wait", "--timeout", "60s")
    told = helm(*("upgrade", "atomic", str(SHOP), "--set", "tag=9", "--atomic", "--timeout", "8s"), code=1)
    assert "UPGRADE FAILED: release atomic failed, and has been rolled back" in told
    assert [each[1:] for each in helm.history("atomic")[1:]] == [
        ("failed", helm.history("atomic")[1][2]),
        ("deployed", "Rollback to 1"),
    ]
    assert "acme/shop:1.0.0" in helm("get", "manifest", "atomic")
    helm("uninstall", "atomic", "--wait", "--timeout", "60s")


def test_what_is_there_already_is_not_taken_over(helm: Helm) -> None:
    """An object of another release, and a release of the same name."""
    helm("install", "one", str(SHOP))
    assert "a name that is still in use" in helm("install", "one", str(SHOP), code=1)
    again = helm("install", "two", str(SHOP), "--set", "name=one", code=1)
    assert "exists and cannot be imported into the current release" in again
    helm("uninstall", "one")


def test_a_release_in_a_namespace_of_its_own(helm: Helm) -> None:
    """--create-namespace makes it; elsewhere the release is not seen."""
    helm("install", "far", str(SHOP), "--namespace", "staging", "--create-namespace")
    assert "far" not in [each["name"] for each in json.loads(helm("list", "-o", "json"))]
    assert helm.there("/apis/apps/v1/namespaces/staging/deployments") == ["far"]
    helm("uninstall", "far", "--namespace", "staging")


def test_the_chart_that_helm_creates(helm: Helm) -> None:
    """With its service account; scaler and ingress come and go; what nothing acts on is told of."""
    if not (helm.home / "web").exists():
        helm("create", "web")
    lists = {
        "serviceaccounts": "/api/v1/namespaces/default/serviceaccounts",
        "services": "/api/v1/namespaces/default/services",
        "scalers": "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers",
        "ingresses": "/apis/networking.k8s.io/v1/namespaces/default/ingresses",
    }

    def there() -> dict[str, bool]:
        return {name: "web" in helm.there(path) for name, path in lists.items()}

    always = {"serviceaccounts": True, "services": True}
    helm("install", "web", "./web", "--wait", "--timeout", "60s")
    assert there() == {**always, "scalers": False, "ingresses": False}
    more = ("--set", "ingress.enabled=true,autoscaling.enabled=true")
    told = helm("upgrade", "web", "./web", *more)
    assert there() == {**always, "scalers": True, "ingresses": True}
    assert "nothing acts on it in the simulator" in told
    helm("upgrade", "web", "./web", "--reset-values", "--wait", "--timeout", "60s")
    assert there() == {**always, "scalers": False, "ingresses": False}
    helm("uninstall", "web", "--wait", "--timeout", "60s")
    assert not any(there().values())


def test_a_dry_run_changes_nothing(helm: Helm) -> None:
    """Also one that asks the server."""
    told = helm("install", "dry", str(SHOP), "--dry-run=server")
    assert "acme/shop:1.0.0" in told
    assert "dry" not in helm.there(DEPLOYMENTS)


def test_a_mistake_in_a_chart_is_refused_as_by_a_cluster(helm: Helm) -> None:
    """The words of the API server reach the user, and nothing is left."""
    told = helm("install", "wrong", str(SHOP), "--set", "replicas=many", code=1)
    assert "replicas" in told
    assert "wrong" not in helm.there(DEPLOYMENTS)
