"""Each cause, as a scenario on the simulator whose failure names it; none where nothing is wrong."""

from __future__ import annotations

import pytest

from gherkube.runners.expectations.causes import why
from gherkube.runners.expectations.subjects import PodSelector, WorkloadRef
from tests.expectations.scenarios import fails, tell

WEB = 'Given deployment "web" runs 3 replicas of "hello:1"'
CONFIGURED = '''
Given namespace "default"
And the manifest
  """yaml
  apiVersion: v1
  kind: ConfigMap
  metadata: {name: settings}
  """
And the manifest
  """yaml
  apiVersion: apps/v1
  kind: Deployment
  metadata: {name: web}
  spec:
    replicas: 1
    selector: {matchLabels: {app: web}}
    template:
      metadata: {labels: {app: web}}
      spec: {containers: [{name: app, image: "hello:1"}]}
  """
When I patch deployment "web" with
  """yaml
  spec: {template: {spec: %s}}
  """
Then the rollout completes
'''
BY_ENV = "{containers: [{name: app, envFrom: [{secretRef: {name: token}}]}]}"
BY_VOLUME = "{volumes: [{name: data, configMap: {name: absent}}]}"

CAUSES: dict[str, tuple[str, str, str]] = {
    "image not found": (
        f"""
        {WEB}
        And image "hello:2" does not exist
        When I update it to "hello:2"
        Then the rollout completes
        """,
        """
        deployment "web" waits for replica set web-5d4579b978 (revision 2, hello:2): its pod is not ready
        └ pod web-5d4579b978-*: container app waits: ErrImagePull
          └ event 1 s ago: Failed to pull image "hello:2": not found
        """,
        "nothing that is going on changes the image of revision 2",
    ),
    "pull back-off": (
        f"""
        {WEB}
        And image "hello:2" does not exist
        When I update it to "hello:2"
        And 16 seconds pass
        Then 3 new pods are ready
        """,
        """
        deployment "web" waits for replica set web-5d4579b978 (revision 2, hello:2): its pod is not ready
        └ pod web-5d4579b978-*: container app waits: ImagePullBackOff
          └ event * s ago (×2): Failed to pull image "hello:2": not found
        """,
        "nothing that is going on changes the image of revision 2",
    ),
    "invalid image": (
        f"""
        {WEB}
        When I update it to "Hello:2"
        Then the rollout completes
        """,
        """
        deployment "web" waits for replica set web-* (revision 2, Hello:2): its pod is not ready
        └ pod web-*: container app waits: InvalidImageName: 'Hello:2'
          └ event * s ago*: Failed to apply default image tag "Hello:2": couldn't parse image name*
        """,
        "nothing that is going on changes the image of revision 2",
    ),
    "crash loop": (
        f"""
        {WEB}
        And image "hello:2" crashes after 2 seconds with exit code 3
        When I update it to "hello:2"
        And 30 seconds pass
        Then for 1 minute, 3 pods are ready
        """,
        """
        deployment "web" waits for replica set web-* (revision 2, hello:2): * of its 3 pods * ready
        └ pod web-*: container app crashes: exit code 3 after 2 s, restarted * times*
          └ its output ends: listening on :8080 · leaving with status 3
          └ event * s ago*: Back-off restarting failed container app
        """,
        "",
    ),
    "out of memory": (
        f"""
        {WEB} with
          | memory limit | 64Mi |
        And image "hello:2" needs 128Mi of memory
        When I update it to "hello:2"
        And 1 minute passes
        Then for 1 minute, 3 new pods are ready
        """,
        """
        deployment "web" waits for replica set web-*: *
        └ pod web-*: container app crashes: killed for want of memory (OOMKilled, its limit is 64Mi), *
          └ its output ends: listening on :8080
          └ event * s ago*: Back-off restarting failed container app
        """,
        "",
    ),
    "readiness probe": (
        f"""
        {WEB} with
          | readiness probe | http :8080/readyz every 1s |
        And image "hello:2" never becomes ready
        When I update it to "hello:2"
        Then the rollout completes
        """,
        """
        deployment "web" waits for replica set web-54c9fdfcfd (revision 2, hello:2): its pod is not ready
        └ pod web-*: container app runs, but has not passed its readiness probe (http :8080/readyz every *)
          └ event * s ago*: Readiness probe failed: HTTP probe failed with statuscode: 503
        """,
        "nothing that is going on lets pod web-* pass its readiness probe",
    ),
    "liveness probe": (
        f"""
        {WEB} with
          | liveness probe | http :8080/healthz every 1s |
        And image "hello:2" fails its liveness probe after 5 seconds
        When I update it to "hello:2"
        And 40 seconds pass
        Then for 1 minute, 3 pods are ready
        """,
        """
        deployment "web" waits for replica set web-*: * of its 3 pods * ready
        └ pod web-*: container app is killed: it fails its liveness probe (http :8080/healthz every *
          └ event * s ago*: Liveness probe failed: HTTP probe failed with statuscode: 503
        """,
        "",
    ),
    "startup probe": (
        f"""
        {WEB} with
          | startup probe | tcp :8080 every 1s |
        And image "hello:2" takes 10 minutes to start listening
        When I update it to "hello:2"
        Then within 40 seconds, the rollout completes
        """,
        """
        deployment "web" waits for replica set web-*: its pod is not ready
        └ pod web-*: container app is killed: it fails its startup probe (tcp :8080 every *), *
          └ event * s ago*: Startup probe failed: dial tcp 10.244.*:8080: connect: connection refused
        """,
        "",
    ),
    "no room": (
        f"""
        Given a cluster with 2 nodes of 4 CPUs and 8Gi
        {WEB.replace("Given", "And")} with
          | cpu request | 1500m |
        When I scale it to 5 replicas
        Then 5 pods are ready
        """,
        """
        deployment "web" waits for replica set web-* (revision 1, hello:1): 4 of its 5 pods are ready
        └ pod web-*: is not scheduled: 0/3 nodes are available: 1 node(s) had *, 2 Insufficient cpu
          └ node control-plane: taint node-role.kubernetes.io/control-plane:NoSchedule
          └ nodes node-1, node-2: too little cpu: the pod requests 1.5, of 4 there 1 is free
        """,
        "nothing that is going on makes room for pod web-*",
    ),
    "all cordoned": (
        f"""
        Given a cluster with 2 nodes
        {WEB.replace("Given", "And")}
        When I cordon node "node-1"
        And I cordon node "node-2"
        And I scale it to 4 replicas
        Then 4 pods are ready
        """,
        """
        deployment "web" waits for replica set web-*: 3 of its 4 pods are ready
        └ pod web-*: is not scheduled: 0/3 nodes are available: * 2 node(s) were unschedulable
          └ node control-plane: taint node-role.kubernetes.io/control-plane:NoSchedule
          └ nodes node-1, node-2: cordoned
        """,
        "nothing that is going on makes room for pod web-*",
    ),
    "missing secret": (
        CONFIGURED % BY_ENV,
        """
        deployment "web" waits for replica set web-*: its pod is not ready
        └ pod web-*: container app waits: CreateContainerConfigError: secret "token" not found
        """,
        'nothing that is going on gives pod web-* what it waits for: secret "token" not found',
    ),
    "missing config map": (
        CONFIGURED % BY_VOLUME,
        """
        deployment "web" waits for replica set web-*: its pod is not ready
        └ pod web-*: waits for volume data: configmap "absent" not found
        """,
        "nothing that is going on gives pod web-* what it waits for",
    ),
    "paused": (
        f"""
        {WEB}
        When I pause the rollout
        And I update it to "hello:2"
        Then the rollout completes
        """,
        """
        deployment "web" is paused, so that its new template is not rolled out
        """,
        "nothing that is going on resumes the rollout, which is paused",
    ),
    "progress deadline": (
        f"""
        {WEB} with
          | progressDeadlineSeconds | 20 |
        And image "hello:2" does not exist
        When I update it to "hello:2"
        And 30 seconds pass
        Then the rollout completes
        """,
        """
        deployment "web" exceeded its progress deadline of 20 s
        deployment "web" waits for replica set web-*: its pod is not ready
        └ pod web-*: container app waits: *
          └ event * s ago*: Failed to pull image "hello:2": not found
        """,
        "nothing that is going on changes the image of revision 2",
    ),
    "node down": (
        """
        Given a cluster with 1 node
        And deployment "web" runs 1 replica of "hello:1"
        When node "node-1" goes down
        And 60 seconds pass
        Then within 100 seconds, 1 pod is ready
        """,
        """
        deployment "web" waits for replica set web-*: its pod is not ready
        └ pod web-*: node node-1 is down (Ready is Unknown: *); it is deleted when that has lasted 300 s
        """,
        "",
    ),
    "selector that matches nothing": (
        f"""
        {WEB}
        And service "web" for deployment "web" on port 8080
        When service "web" switches to pods labelled "app=wep"
        And 5 seconds pass
        Then service "web" has 3 endpoints
        """,
        """
        service "web" selects "app=wep", which no pod has; there are pods with app=web
        """,
        "nothing is left to happen",
    ),
    "port that no pod listens on": (
        f'''
        {WEB}
        And service "web" for deployment "web" on port 8080
        When I patch service "web" with
          """yaml
          spec: {{ports: [{{port: 8080, targetPort: 9090}}]}}
          """
        And I send 20 requests to service "web"
        Then every request to service "web" is answered
        ''',
        """
        service "web" sends to port 9090, on which no pod listens; they have 8080
        """,
        "",
    ),
    "old pods that terminate": (
        f"""
        {WEB} with
          | grace period | 5 minutes |
        And image "hello:1" takes 4 minutes to stop
        When I update it to "hello:2"
        And 10 seconds pass
        Then within 30 seconds, no "hello:1" pods exist
        """,
        """
        3 old pods still terminating (web-*, -*, -*)
        └ pod web-*: is terminating, with a grace period of 300 s (and 2 more alike)
        """,
        "",
    ),
    "finalizer": (
        f'''
        {WEB}
        When I patch deployment "web" with
          """yaml
          metadata: {{finalizers: ["example.com/hold"]}}
          """
        And I delete deployment "web"
        Then no pods exist
        ''',
        """
        deployment "web" is being deleted and waits for its finalizers: example.com/hold
        """,
        'nothing that is going on removes the finalizer of deployment "web"',
    ),
}


def is_like(lines: list[str], pattern: str) -> bool:
    """Whether the lines are those of the pattern, in which `*` stands for anything."""
    from inspect import cleandoc
    from re import escape, fullmatch

    wanted = cleandoc(pattern).splitlines()
    return len(lines) == len(wanted) and all(
        fullmatch(escape(one).replace(r"\*", ".*"), line) for one, line in zip(wanted, lines, strict=True)
    )


@pytest.mark.parametrize("cause", CAUSES)
def test_the_cause_is_named(cause: str) -> None:
    """Down the chain, in words, with what is in vain where that is certain."""
    text, lines, unreachable = CAUSES[cause]
    failure = fails(text)
    assert is_like(failure.why, lines), failure.why
    assert is_like([failure.unreachable] if failure.unreachable else [], unreachable), failure.unreachable


HEALTHY = f"""
        {WEB} with
          | readiness probe | http :8080/readyz every 1s  |
          | liveness probe  | http :8080/healthz every 5s |
          | cpu request     | 500m                        |
          | memory limit    | 64Mi                        |
        And service "web" for deployment "web" on port 8080
        When I update it to "hello:2"
        Then the rollout completes
"""


@pytest.mark.parametrize(
    "more",
    [
        "",
        """
        Given image "hello:3" does not exist
        When I update it to "hello:3"
        And 30 seconds pass
        And I undo the rollout
        Then the rollout completes
        """,
        """
        When node "node-1" goes down
        And 10 minutes pass
        And node "node-1" comes back
        And 1 minute passes
        """,
        """
        When I pause the rollout
        And I update it to "hello:3"
        And I resume the rollout
        Then the rollout completes
        """,
    ],
    ids=["updated", "undone", "after an outage", "resumed"],
)
def test_nothing_is_named_where_all_is_well(more: str) -> None:
    """Neither of a deployment, nor of its pods, nor of its service, whatever was before."""
    world = tell(f"{HEALTHY}{more}\n        When 5 seconds pass")
    for subject in (
        WorkloadRef("deployments", "default", "web"),
        WorkloadRef("services", "default", "web"),
        WorkloadRef("nodes", "", "node-1"),
        PodSelector(None, "default", labels="app=web"),
    ):
        assert why(world.cluster, subject) == []
