"""Stand-ins for images, and the registry that gives them, without a cluster: their scripts run here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tarfile
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from gherkube.runners.kind.own import _unpack
from gherkube.runners.kind.standin import Maker, StandIn, assemble, digest, script, usual
from gherkube.runners.simulator.node.images import Behaviour, parse_image

MAKER = Maker(b"a busybox", "amd64")
NEVER = "99999999999"


def configuration(stand_in: StandIn) -> dict[str, Any]:
    """The configuration of the image that is made."""
    made = MAKER.make(stand_in)
    manifest = json.loads(made.blobs[made.digest])
    found: dict[str, Any] = json.loads(made.blobs[manifest["config"]["digest"]])
    return found


def variables(stand_in: StandIn) -> dict[str, str]:
    """What the scripts are told."""
    told = (each.partition("=") for each in configuration(stand_in)["config"]["Env"])
    return {name.removeprefix("GHERKUBE_"): text for name, _, text in told if name != "PATH"}


def behaving(name: str, **behaviour: Any) -> StandIn:
    """A stand-in of which something is said."""
    return replace(usual(name), behaviour=Behaviour(**behaviour))


# --- The images


def test_the_same_is_asked_the_same_is_made() -> None:
    """Byte for byte; another name is another image."""
    assert MAKER.make(usual("hello:1")) == MAKER.make(usual("hello:1"))
    assert MAKER.make(usual("hello:1")).digest != MAKER.make(usual("hello:2")).digest


def test_a_manifest_names_what_is_there() -> None:
    """Digests and sizes are those of the blobs, and the layers are those of the configuration."""
    made = MAKER.make(replace(usual("hello:1"), commands=frozenset({"/app/run"})))
    manifest = json.loads(made.blobs[made.digest])
    for each in (manifest["config"], *manifest["layers"]):
        assert digest(made.blobs[each["digest"]]) == each["digest"]
        assert len(made.blobs[each["digest"]]) == each["size"]
    ids = json.loads(made.blobs[manifest["config"]["digest"]])["rootfs"]["diff_ids"]
    assert ids == [layer["digest"] for layer in manifest["layers"]]


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [
        ({"listen_after": 20.0}, {"LISTEN_AFTER": "20s"}),
        ({"never_ready": True}, {"READY_AFTER": "36000000s"}),
        ({"ready_after": 0.25}, {"READY_AFTER": "0.25s"}),
        ({"crash_after": 2.0, "exit_code": 3}, {"CRASH_AFTER": "2s", "EXIT_CODE": "3"}),
        ({"crash_after": 5.0, "exit_code": 0}, {"CRASH_AFTER": "5s", "EXIT_CODE": "0"}),
        ({"fails_liveness_after": 60.0}, {"FAILS_LIVENESS_AFTER": "60s"}),
        ({"answer_code": 500}, {"ANSWER_CODE": "500"}),
        ({"answer_text": "Good morning"}, {"ANSWER_TEXT": "Good morning"}),
        ({"stop_seconds": 10.0}, {"STOP_SECONDS": "10s"}),
        ({"memory": 128 << 20}, {"MEMORY": "134217728"}),
        ({"port": 80}, {"PORTS": "80"}),
    ],
)
def test_what_is_said_is_told_to_the_scripts(behaviour: dict[str, Any], told: dict[str, str]) -> None:
    """And makes it another image than the usual one."""
    stand_in = behaving("jocatalin/kubernetes-bootcamp:v2", **behaviour)
    assert told.items() <= variables(stand_in).items()
    assert not stand_in.is_usual


def test_the_usual_stand_in() -> None:
    """It answers with its repository and its tag without the leading v, on 8080."""
    told = variables(usual("jocatalin/kubernetes-bootcamp:v2"))
    assert (told["IMAGE"], told["VERSION"]) == ("jocatalin/kubernetes-bootcamp", "2")
    assert "PORTS" not in told
    assert replace(usual("hello:1"), ports=frozenset({8080})).is_usual
    assert not replace(usual("hello:1"), ports=frozenset({80})).is_usual
    assert not behaving("hello:1", exists=False).is_usual


def test_a_path_that_two_probes_ask_is_asked_for_readiness() -> None:
    """One program cannot tell the kubelet's probes from each other."""
    told = variables(replace(usual("hello:1"), live=frozenset({"/", "/alive"}), ready=frozenset({"/"})))
    assert told["LIVE_PATHS"] == "/alive /healthz /livez"
    assert told["READY_PATHS"] == "/ /readyz"


def test_an_init_container_ends_by_itself() -> None:
    """Unless its image is said to end otherwise."""
    first = replace(usual("migrate:1"), completes=True)
    assert {"CRASH_AFTER": "0.2s", "EXIT_CODE": "0"}.items() <= variables(first).items()
    assert "EXIT_CODE" not in variables(replace(first, behaviour=Behaviour(crash_after=3.0)))


def test_commands_of_containers() -> None:
    """What busybox has runs as it is; anything else is the stand-in, and so is all that is spoken of."""

    def links(stand_in: StandIn) -> list[str]:
        made = MAKER.make(stand_in)
        [_, layer] = json.loads(made.blobs[made.digest])["layers"]
        with tarfile.open(fileobj=BytesIO(made.blobs[layer["digest"]])) as archive:
            return [f"{each.name} -> {each.linkname}" for each in archive]

    ran = frozenset({"/bin/sh", "/app/server"})
    assert links(replace(usual("hello:1"), commands=ran)) == ["app/server -> /gherkube/serve"]
    said = replace(behaving("hello:1", crash_after=1.0), commands=ran)
    assert links(said) == ["app/server -> /gherkube/serve", "bin/sh -> /gherkube/serve"]


def test_a_shell_image_runs_its_shell() -> None:
    """As busybox and alpine do, until something is said of them."""
    assert configuration(usual("busybox:1.36"))["config"]["Cmd"] == ["sh"]
    assert "Entrypoint" in configuration(behaving("busybox:1.36", listen_after=1.0))["config"]


@pytest.mark.parametrize("compressed", [False, True])
def test_an_image_of_docker_is_taken_apart(compressed: bool) -> None:
    """`docker save` gives its layers as they are, or compressed."""
    import gzip

    layer = MAKER.base()
    made = assemble({"architecture": "arm64", "config": {"Cmd": ["/web"]}}, [layer])
    saved = BytesIO()
    with tarfile.open(fileobj=saved, mode="w") as archive:
        for name, data in (
            ("config.json", json.dumps({"architecture": "arm64", "config": {"Cmd": ["/web"]}}).encode()),
            ("layer.tar", gzip.compress(layer) if compressed else layer),
            ("manifest.json", json.dumps([{"Config": "config.json", "Layers": ["layer.tar"]}]).encode()),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, BytesIO(data))
    assert _unpack(saved.getvalue()) == made


# --- What runs in them


def answer(path: str = "/", agent: str = "curl", method: str = "GET", **told: str) -> tuple[int, str, str]:
    """What the script `answer` says to a request: status, head, body."""
    env = {"PATH": os.environ["PATH"], "HOSTNAME": "web-1", "LC_ALL": "C", "STOPPING": "/nowhere"}
    env |= {"READY_AT": "0", "UNREADY_AT": NEVER, "UNLIVE_AT": NEVER, "HANGS_AT": NEVER}
    env |= {"GHERKUBE_LIVE_PATHS": "/healthz", "GHERKUBE_READY_PATHS": "/readyz"}
    env |= {"GHERKUBE_IMAGE": "acme/web", "GHERKUBE_VERSION": "2", **told}
    request = f"{method} {path} HTTP/1.1\r\nHost: web\r\nUser-Agent: {agent}\r\n\r\n"
    done = subprocess.run(
        ["sh", "-c", script("answer").decode()],
        input=request.encode(),
        capture_output=True,
        env=env,
        check=True,
    )
    head, _, body = done.stdout.decode().partition("\r\n\r\n")
    said = [line for line in head.split("\r\n") if line.startswith("Content-Length")]
    assert method == "HEAD" or said == [f"Content-Length: {len(body.encode())}"]
    return int(head.split()[1]), head, body


def test_an_answer_names_its_pod() -> None:
    """In the body, and in a header where the text is another one."""
    assert answer()[::2] == (200, "acme/web | Running on: web-1 | v=2\n")
    status, head, body = answer(GHERKUBE_ANSWER_TEXT='Grüße "an" $HOME', GHERKUBE_ANSWER_CODE="500")
    assert (status, body) == (500, 'Grüße "an" $HOME\n')
    assert "Gherkube-Pod: web-1" in head
    assert answer(method="HEAD")[2] == ""


@pytest.mark.parametrize(
    ("path", "agent", "told", "status"),
    [
        ("/readyz", "curl", {"READY_AT": NEVER}, 503),
        ("/readyz?x=1", "kube-probe/1.34", {}, 200),
        ("/any", "kube-probe/1.34", {"READY_AT": NEVER}, 503),
        ("/any", "curl", {"READY_AT": NEVER}, 200),
        ("/any", "kube-probe/1.34", {"GHERKUBE_ANSWER_CODE": "500"}, 200),
        ("/readyz", "curl", {"UNREADY_AT": "0"}, 503),
        ("/readyz", "curl", {"STOPPING": "/"}, 503),
        ("/healthz", "kube-probe/1.34", {"READY_AT": NEVER}, 200),
        ("/healthz", "kube-probe/1.34", {"UNLIVE_AT": "0"}, 503),
    ],
)
def test_probes_ask_for_readiness_or_life(path: str, agent: str, told: dict[str, str], status: int) -> None:
    """The kubelet is known by its name; whoever else asks another path gets the answer."""
    assert answer(path, agent, **told)[0] == status


def serve(**told: str) -> subprocess.Popen[str]:
    """The script `serve`, which finds no program to listen with here."""
    env = {f"GHERKUBE_{name}": text for name, text in told.items()}
    return subprocess.Popen(
        ["sh", "-c", script("serve").decode()],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Its exit code and what it said, once it has ended; what it started ends with it, as in a container."""
    assert process.stdout is not None
    with process.stdout as output:
        process.wait(timeout=300)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        return process.returncode, output.read()


@pytest.mark.parametrize(
    ("told", "code", "said"),
    [
        ({"CRASH_AFTER": "0.05s", "EXIT_CODE": "3"}, 3, "listening on :8080\nleaving with status 3\n"),
        ({"CRASH_AFTER": "50ms", "EXIT_CODE": "0"}, 0, "listening on :8080\n"),
        ({"CRASH_AFTER": "0", "LISTEN_AFTER": "1h2m3.5s"}, 1, "leaving with status 1\n"),
        (
            {"CRASH_AFTER": "0.2", "LISTEN_AFTER": "0.1s", "PORTS": "80 81"},
            1,
            "starting, this takes 0.1s\nlistening on :80\nlistening on :81\nleaving with status 1\n",
        ),
        ({"CRASH_AFTER": "soon"}, 1, '"soon" is not a duration\n'),
    ],
)
def test_a_program_ends_when_it_is_to(told: dict[str, str], code: int, said: str) -> None:
    """With its exit code, and it says what it does."""
    assert ended(serve(**told)) == (code, said)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "listening on :8080\nstopped\n"),
        ({"LISTEN_AFTER": "1h"}, "starting, this takes 1h\nstopped\n"),
        (
            {"STOP_SECONDS": "0.05s"},
            "listening on :8080\nasked to stop, serving for another 0.05s\nstopped\n",
        ),
    ],
)
def test_sigterm_stops_it(told: dict[str, str], said: str) -> None:
    """At once, or when it has served as long as it is to; with exit code 0."""
    process = serve(**told)
    assert process.stdout is not None
    first = process.stdout.readline()
    os.kill(process.pid, signal.SIGTERM)
    code, rest = ended(process)
    assert (code, first + rest) == (0, said)


# --- The registry


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of a registry, as in a node."""
    layer = MAKER.base()
    config, manifest = MAKER.usual()
    files = {
        "registry": script("registry"),
        "usual/config": config,
        "usual/manifest": manifest,
        f"blobs/{digest(layer)}": layer,
        "names/docker.io/acme/shop/2/status": b"MANIFEST_UNKNOWN 404 Not Found\n",
        "names/docker.io/jocatalin/kubernetes-bootcamp/closed": b"",
    }
    for name, data in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path


def ask(home: Path, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    """What the registry answers: status, header fields, body."""
    request = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:5998\r\n\r\n".encode()
    done = subprocess.run(["sh", str(home / "registry")], input=request, capture_output=True, check=True)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    status, *fields = head.decode().split("\r\n")
    said = dict(field.split(": ", 1) for field in fields)
    if method == "HEAD":
        assert body == b""
    else:
        assert int(said["Content-Length"]) == len(body)
    return int(status.split()[1]), said, body


@pytest.mark.parametrize("name", ["hello:1", "acme/web:v2", "gcr.io/acme/web:2.0.0"])
def test_the_registry_makes_the_usual_stand_in_itself(home: Path, name: str) -> None:
    """Byte for byte what is made here, so that a node that has the one has the other."""
    image = parse_image(name)
    registry, _, repository = image.full_repository.partition("/")
    path = f"/v2/{repository}/manifests/{image.tag}?ns={registry}"
    status, head, manifest = ask(home, path)
    assert status == 200
    made = MAKER.make(StandIn(image))
    if image.full_repository != "docker.io/library/hello":  # that one is steered by variables, too
        assert head["Docker-Content-Digest"] == made.digest
        assert manifest == made.blobs[made.digest]
    assert ask(home, path, "HEAD")[:2] == (200, head)
    config = json.loads(manifest)["config"]
    assert len(ask(home, f"/v2/{repository}/blobs/{config['digest']}")[2]) == config["size"]
    assert ask(home, f"/v2/{repository}/manifests/{head['Docker-Content-Digest']}")[2] == manifest


def test_what_does_not_exist_is_not_found(home: Path) -> None:
    """As registries say it; of the tutorial's image only two tags exist."""
    status, _, body = ask(home, "/v2/acme/shop/manifests/2?ns=docker.io")
    assert (status, json.loads(body)["errors"][0]["code"]) == (404, "MANIFEST_UNKNOWN")
    assert ask(home, "/v2/jocatalin/kubernetes-bootcamp/manifests/v10?ns=docker.io")[0] == 404
    assert ask(home, "/v2/acme/shop/blobs/sha256:00?ns=docker.io")[0] == 404
    assert ask(home, "/elsewhere")[0] == 404
    assert ask(home, "/v2/acme/shop/manifests/1?ns=docker.io")[0] == 200
