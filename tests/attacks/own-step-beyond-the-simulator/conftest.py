"""What other tools would do with the official client."""

from kubernetes import client as kubernetes
from pytest_bdd import when


@when("I attach to a pod")
def _(client):
    core = kubernetes.CoreV1Api(client)
    pod = core.list_namespaced_pod("default").items[0]
    core.connect_get_namespaced_pod_attach(pod.metadata.name, "default")


@when("I make a template of pods")
def _(client):
    template = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "t"}, "template": {}}
    kubernetes.CoreV1Api(client).create_namespaced_pod_template("default", template)


@when("I run a command in a pod")
def _(client):
    core = kubernetes.CoreV1Api(client)
    pod = core.list_namespaced_pod("default").items[0]
    core.connect_get_namespaced_pod_exec(pod.metadata.name, "default", command=["true"])
