"""Images, several containers, hooks, grace periods, and what a pod's program answers."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.errors import UsageError
from gherkube.runners.objects import Key, Object
from gherkube.runners.simulator.node.application import Answer, Application, Question
from gherkube.runners.simulator.node.backoff import BackOff, duration
from gherkube.runners.simulator.node.images import Behaviour, Images, InvalidImageName, parse_image
from gherkube.runners.simulator.node.nodes import make_node
from tests.simulator.node.harness import World, http


@pytest.mark.parametrize(
    ("text", "full", "tag"),
    [
        ("hello:1", "docker.io/library/hello:1", "1"),
        ("nginx", "docker.io/library/nginx:latest", "latest"),
        ("acme/web:v2", "docker.io/acme/web:v2", "v2"),
        ("gcr.io/a/b:c", "gcr.io/a/b:c", "c"),
        ("localhost:5000/web:v1", "localhost:5000/web:v1", "v1"),
    ],
)
def test_full_image_names(text: str, full: str, tag: str) -> None:
    """As containerd completes them."""
    assert (parse_image(text).name, parse_image(text).tag) == (full, tag)


def test_an_image_named_by_its_digest_has_that_for_its_id() -> None:
    """Of others it is made up, the same for the same name."""
    digest = f"gcr.io/x/y@sha256:{'a' * 64}"
    assert parse_image(digest).id == digest
    assert parse_image("hello:1").id.startswith("docker.io/library/hello@sha256:")


def test_an_image_name_in_capitals() -> None:
    """Refused in the kubelet's words."""
    with pytest.raises(InvalidImageName) as refused:
        parse_image("UPPER:case")
    assert str(refused.value) == (
        'Failed to apply default image tag "UPPER:case": couldn\'t parse image name "UPPER:case": '
        "invalid reference format: repository name (library/UPPER) must be lowercase"
    )


@pytest.mark.parametrize(
    "repository", ["jocatalin/kubernetes-bootcamp", "gcr.io/google-samples/kubernetes-bootcamp"]
)
def test_the_bootcamp_has_two_tags(repository: str) -> None:
    """v10 does not exist unless something is said about it."""
    images = Images()
    assert [images.of(f"{repository}:{tag}").exists for tag in ("v1", "v2", "v10")] == [True, True, False]
    images.behave(f"{repository}:v10", ready_after=3.0)
    assert images.of(f"{repository}:v10").exists


def test_only_steered_images_heed_their_environment() -> None:
    """Another image's variables mean nothing here."""
    images, env = Images(), {"READY_AFTER": "1m30s", "EXIT_AFTER": "0", "EXIT_CODE": "7"}
    steered = images.of("hello:1", env)
    assert (steered.ready_after, steered.crash_after, steered.exit_code) == (90.0, 0.0, 7)
    assert images.of("nginx:1", env) == images.of("nginx:1")


def test_an_unknown_behaviour_is_refused() -> None:
    """With the known ones named."""
    with pytest.raises(UsageError, match=r"unknown ready_in; known are .*ready_after"):
        Images().behave("hello:1", ready_in=3)


def test_a_pull_takes_about_a_second_and_pulls_of_a_node_come_one_after_another() -> None:
    """The second pull of the same image waits for the first, and finds it done."""
    world = World()
    world.pod("one", image="hello:2")
    world.pod("two", image="hello:2")
    world.run(10)
    pulled = world.messages("Pulled")
    assert len(pulled) == 2
    assert all(text.startswith('Successfully pulled image "hello:2" in ') for text in pulled)
    assert all("bytes." in text for text in pulled)
    world.pod("three", image="hello:2")
    world.run(20)
    assert world.messages("Pulled")[-1] == 'Container image "hello:2" already present on machine'


def test_a_long_pull() -> None:
    """As long as is said; it ends at once when the pod is deleted meanwhile."""
    world = World()
    world.images.behave("hello:2", pull_seconds=30.0)
    world.pod(image="hello:2")
    world.run(25)
    assert "`Started`×1" not in world.story()
    world.run(40)
    assert "`Started`×1" in world.story()
    world.images.behave("hello:2", pull_seconds=300.0)
    world.pod("late", image="hello:2")
    world.run(50)
    world.delete("late")
    world.run(56)
    assert world.stored("late") is None


def test_policies() -> None:
    """Never refuses an absent image; Always asks the registry again for a present one."""
    world = World()
    world.pod("never", image="hello:2", imagePullPolicy="Never")
    world.pod("always", imagePullPolicy="Always")
    world.run(4)
    assert world.messages("ErrImageNeverPull") == [
        'Container image "hello:2" is not present with pull policy of Never'
    ]
    assert world.messages("Pulling") == ['Pulling image "hello:1"']


def test_a_sidecar_that_waits_to_be_restarted_holds_nothing_up() -> None:
    """Once it has started it has done its part in the beginning. computeInitContainerActions, SyncPod"""
    world = World()
    world.images.behave("side:1", crash_after=1.0)
    world.images.behave("init:1", crash_after=8.0, exit_code=0)
    side = {"name": "side", "image": "side:1", "imagePullPolicy": "IfNotPresent", "restartPolicy": "Always"}
    world.pod(init=[side, {"name": "init", "image": "init:1", "imagePullPolicy": "IfNotPresent"}])
    world.run(14)
    pod = world.stored()
    assert pod is not None
    first, second = pod["status"]["initContainerStatuses"]
    assert (first["restartCount"], first["ready"], list(second["state"])) == (1, False, ["terminated"])
    assert "running" in pod["status"]["containerStatuses"][0]["state"]


def test_a_sidecar_fails_its_probe_in_its_own_words() -> None:
    """It is restarted whatever the pod's policy, which is not said."""
    world = World()
    world.images.behave("side:1", fails_liveness_after=3.0)
    side = {"name": "side", "image": "side:1", "imagePullPolicy": "IfNotPresent", "restartPolicy": "Always"}
    world.pod(
        init=[{**side, "livenessProbe": http("/healthz", failureThreshold=1)}],
        spec={"restartPolicy": "Never"},
    )
    world.run(9)
    assert world.messages("Killing") == ["Init container side failed liveness probe"]
    pod = world.stored()
    assert pod is not None
    assert pod["status"]["initContainerStatuses"][0]["restartCount"] == 1


def test_init_containers_and_a_sidecar() -> None:
    """One step at a time, each noticed by the PLEG; the sidecar keeps running, and stops last."""
    world = World()
    side: Object = {
        "name": "side",
        "image": "hello:1",
        "restartPolicy": "Always",
        "ports": [{"containerPort": 9}],
    }
    world.pod(init=[{"name": "one", "image": "hello:1"}, side])
    world.run(10)
    started = [text.removeprefix("Started container ") for text in world.messages("Started")]
    assert started == ["one", "side", "app"]
    first = next(line for line in world.story() if "PodInitializing" in line)
    assert first.startswith("1/1 Pending [SF IF.ContainersNotInitialized RF.ContainersNotReady")
    assert world.story()[-1].endswith("terminated:Completed=0+0 running+0 running+0")
    world.delete()
    world.run(20)
    assert world.messages("Killing") == ["Stopping container app", "Stopping container side"]


def test_an_init_container_that_fails_backs_off() -> None:
    """The pod stays Pending."""
    world = World()
    env = [{"name": "EXIT_AFTER", "value": "1"}]
    world.pod(init=[{"name": "one", "image": "hello:1", "env": env}])
    world.run(30)
    assert any("Pending" in line and "waiting:CrashLoopBackOff" in line for line in world.story())
    assert not any(text.endswith(" app") for text in world.messages("Started"))


def test_answers() -> None:
    """Repository, pod and tag; what the image is said to answer instead."""
    world = World()
    world.pod()
    world.pod("tagged", image="jocatalin/kubernetes-bootcamp:v2")
    world.images.behave("hello:7", answer_text="Good morning", answer_code=500)
    world.pod("other", image="hello:7")
    world.run(6)
    assert world.ask()[:2] == (200, "hello | Running on: web | v=1")
    assert world.ask("tagged")[:2] == (200, "jocatalin/kubernetes-bootcamp | Running on: tagged | v=2")
    assert world.ask("other")[:2] == (500, "Good morning")
    assert world.ask(port=81)[:2] == (0, "connection refused")
    assert world.ask("nobody").code == 0


def test_a_program_that_takes_time_to_listen_refuses_until_then() -> None:
    """Counted from the container's start."""
    world = World()
    world.images.behave("hello:1", listen_after=5.0)
    world.pod()
    world.run(4.5)
    assert world.ask().code == 0
    world.run(7.5)
    assert world.ask().code == 200


def test_a_program_that_stops_at_once_and_one_that_takes_time() -> None:
    """The first refuses from SIGTERM on; the second answers meanwhile."""
    world = World()
    world.images.behave("hello:2", stop_seconds=3.0)
    world.pod("quick")
    world.pod("slow", image="hello:2")
    world.run(10)
    world.delete("quick")
    world.delete("slow")
    world.run(10.2)
    assert (world.ask("quick").code, world.ask("slow").code) == (0, 200)
    world.run(12.9)
    assert world.ask("slow").code == 200
    world.run(15)
    assert world.stored("slow") is None


@pytest.mark.parametrize(
    "hook", [{"sleep": {"seconds": 3}}, {"exec": {"command": ["sh", "-c", "sleep 3"]}}], ids=["sleep", "exec"]
)
def test_a_pre_stop_hook_delays_sigterm(hook: Object) -> None:
    """The program answers until the hook has ended."""
    world = World()
    world.pod(lifecycle={"preStop": hook})
    world.run(10)
    world.delete()
    world.run(12.9)
    assert world.ask().code == 200
    world.run(13.2)
    assert world.ask().code == 0


def test_hooks_that_fail() -> None:
    """A request that nobody answers: the kill proceeds; after the start it brings one about."""
    world = World()
    nobody = {"httpGet": {"port": 81, "path": "/"}}
    world.pod("stops", lifecycle={"preStop": nobody})
    world.pod("starts", lifecycle={"postStart": nobody})
    world.run(5)
    world.delete("stops")
    world.run(10)
    assert world.messages("FailedPreStopHook") == ["PreStopHook failed"]
    assert world.messages("FailedPostStartHook") == ["PostStartHook failed"]
    assert world.stored("stops") is None


def test_hooks_that_say_themselves_that_they_fail() -> None:
    """By the exit code of their command, or because they take longer than the pod has."""
    world = World()
    world.pod("fails", lifecycle={"preStop": {"exec": {"command": ["sh", "-c", "exit 2"]}}})
    world.pod("long", lifecycle={"preStop": {"exec": {"command": ["sleep", "30"]}}})
    world.pod(lifecycle={"postStart": {"exec": {"command": ["false"]}}})
    world.run(3)
    uid = world.stored()["metadata"]["uid"]  # type: ignore[index]
    waiting = world.stored()["status"]["containerStatuses"][0]["state"]["waiting"]  # type: ignore[index]
    assert waiting == {
        "reason": "PostStartHookError",
        "message": f'Exec lifecycle hook ([false]) for Container "app" in Pod "web_default({uid})" failed - '
        "error: command 'false' exited with 1: , message: \"\"",
    }
    world.delete("fails")
    world.delete("long")
    world.run(7)
    assert world.messages("FailedPreStopHook") == ["PreStopHook failed"]
    world.run(12)
    assert world.messages("FailedPreStopHook") == ["PreStopHook failed"] * 2
    assert world.stored("long") is None


def test_a_grace_period_that_is_shortened() -> None:
    """A second, shorter delete counts."""
    world = World()
    world.pod(env={"IGNORE_TERM": "true"}, spec={"terminationGracePeriodSeconds": 300})
    world.run(10)
    world.delete()
    world.run(20)
    world.delete(grace=3)
    world.run(25)
    assert world.stored() is None


def test_readiness_while_stopping() -> None:
    """A slow stopper is no longer ready, and its readiness probe says so."""
    world = World()
    world.images.behave("hello:1", stop_seconds=4.0)
    world.pod(readinessProbe=http(failureThreshold=1))
    world.run(10)
    position = len(world.store.log)
    world.delete()
    world.run(12)
    not_ready = "2/2 Running [ST IT RF.ContainersNotReady"
    assert any(line.startswith(not_ready) for line in world.story(position))


def test_missing_volumes() -> None:
    """FailedMount while the ConfigMap is absent; then the pod starts."""
    world = World()
    world.pod(spec={"volumes": [{"name": "v", "configMap": {"name": "absent"}}]})
    world.run(5)
    assert world.messages("FailedMount") == [
        'MountVolume.SetUp failed for volume "v" : configmap "absent" not found'
    ]
    assert world.clock.pending == 0
    world.api.create_trusted("configmaps", {"metadata": {"name": "absent", "namespace": "default"}})
    world.run(15)
    assert "`Started`×1" in world.story()


@pytest.mark.parametrize(
    ("source", "resource", "said"),
    [
        (
            {"configMap": {"name": "c", "items": [{"key": "a", "path": "a"}]}},
            "configmaps",
            "configmap references non-existent config key: a",
        ),
        (
            {"projected": {"sources": [{"secret": {"name": "c", "items": [{"key": "a", "path": "a"}]}}]}},
            "secrets",
            "references non-existent secret key: a",
        ),
    ],
)
def test_missing_key_of_a_volume(source: Any, resource: str, said: str) -> None:
    """What a volume asks for by key has to be there, as on a node."""
    world = World()
    world.api.create_trusted(
        resource, {"metadata": {"name": "c", "namespace": "default"}, "data": {"b": "Yg=="}}
    )
    world.pod(spec={"volumes": [{"name": "v", **source}]})
    world.run(5)
    assert world.messages("FailedMount") == [f'MountVolume.SetUp failed for volume "v" : {said}']


def test_addresses_in_order_of_sandboxes() -> None:
    """From .2 on, within the node's range, not reused soon."""
    world = World()
    for index in range(3):
        world.pod(f"web-{index}")
        world.run((index + 1) * 5)
        if index == 0:
            world.delete("web-0")
    ips = [each["status"]["podIP"] for each in world.store.all("pods")]
    assert ips == ["10.244.1.3", "10.244.1.4"]


def test_back_off() -> None:
    """10 s, doubled to 5 minutes, forgotten after ten minutes without a failure."""
    backoff, now = BackOff(), 0.0
    waits = []
    for _ in range(7):
        backoff.next("x", now, now)
        waits.append(backoff.get("x"))
        now += waits[-1]
    assert waits == [10, 20, 40, 80, 160, 300, 300]
    assert backoff.holds("x", now - 1)
    backoff.next("x", now + 601, now + 601)
    assert backoff.get("x") == 10


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(10, "10s"), (80, "1m20s"), (300, "5m0s"), (0.82, "820ms"), (1.234, "1.234s"), (62.5, "1m2.5s")],
)
def test_durations(seconds: float, text: str) -> None:
    """As Go prints them."""
    assert duration(seconds) == text


def test_a_node_as_its_kubelet_registers_it() -> None:
    """Labels, room, conditions in order, addresses."""
    node = make_node("node-3", 3, "4", "8Gi")
    assert node["metadata"]["labels"]["kubernetes.io/hostname"] == "node-3"
    assert node["spec"]["podCIDR"] == "10.244.3.0/24"
    assert node["status"]["allocatable"]["pods"] == "110"
    assert [each["type"] for each in node["status"]["conditions"]] == [
        "MemoryPressure",
        "DiskPressure",
        "PIDPressure",
        "Ready",
    ]
    assert len({make_node(f"n{i}", i, "4", "8Gi")["spec"]["podCIDR"] for i in range(1000)}) == 1000


def test_a_program_stops_listening_before_it_has_ended() -> None:
    """Between SIGTERM and its end requests are refused, and its readiness probe with them."""
    application = Application(Behaviour(), 10.0)
    application.terminate(20.0, 30.0)
    assert application.answer(Question.LIVE, 19.99) is Answer.OK
    assert application.answer(Question.LIVE, 20.01) is Answer.REFUSED
    assert application.runs(20.01)
    assert not application.runs(20.1)


def test_addresses_are_used_again_only_when_they_are_free() -> None:
    """After the last one a node begins again, beside the pods that are still there."""
    world = World()
    world.pod("first")
    world.run(5)
    kubelet = world.kubelets._kubelets["node-1"]
    assert [kubelet.new_ip({"spec": {}}) for _ in range(252)][-1] == "10.244.1.254"
    kubelet.free("10.244.1.9")
    assert kubelet.new_ip({"spec": {}}) == "10.244.1.9"
    assert kubelet.new_ip({"spec": {"hostNetwork": True}}) == kubelet.host_ip


def test_statuses_of_containers_are_sorted_by_name() -> None:
    """Messages name them in the order of the spec."""
    world = World()
    app = {"image": "hello:1", "readinessProbe": http(port=81)}
    world.api.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "web"},
            "spec": {"containers": [{"name": "good", **app}, {"name": "bad", **app}]},
        }
    )
    world.api.bind(Key("default", "web"), "node-1")
    world.run(5)
    status: Object = world.stored()["status"]  # type: ignore[index]
    assert [each["name"] for each in status["containerStatuses"]] == ["bad", "good"]
    said = "containers with unready status: [good bad]"
    assert [each["message"] for each in status["conditions"] if each["type"] == "Ready"] == [said]


def test_pull_secrets_that_are_not_there_are_told_of() -> None:
    """The image is pulled all the same; a secret without a name is passed over."""
    world = World()
    world.pod(spec={"imagePullSecrets": [{"name": "none"}, {}, {"name": "nor"}]})
    world.run(10)
    (said,) = set(world.messages("FailedToRetrieveImagePullSecret"))
    assert said == (
        "Unable to retrieve some image pull secrets (none, nor); "
        "attempting to pull the image may not succeed."
    )
    assert world.messages("Started") == ["Started container app"]
