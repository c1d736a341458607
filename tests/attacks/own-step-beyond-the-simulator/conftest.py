"""What other tools would do with the official client."""

from kubernetes import client as kubernetes
from pytest_bdd import when


@when("I attach to a pod")
def _(client):
    core = kubernetes.CoreV1Api(client)
    pod = core.list_namespaced_pod("default").items[0]
    core.connect_get_namespaced_pod_attach(pod.metadata.name, "default")


@when("I create a job")
def _(client):
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": {"template": {}}}
    kubernetes.BatchV1Api(client).create_namespaced_job("default", job)


@when("I run a command in a pod")
def _(client):
    core = kubernetes.CoreV1Api(client)
    pod = core.list_namespaced_pod("default").items[0]
    core.connect_get_namespaced_pod_exec(pod.metadata.name, "default", command=["true"])
