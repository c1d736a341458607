"""kubectl's verbs as API calls: the same requests, the same checks in the same order, the same words.

Each verb takes the cluster's `Api` first and names an object by resource ("deployments"), name and
namespace ("" for what is cluster-wide). It returns an `Outcome`: the line that kubectl prints and the
object as it is afterwards. What kubectl or the API server refuses raises `Refused` with kubectl's text.

    set_image(api, resource, name, namespace, images: Mapping[container or "*", image]) -> Outcome
    set_env(api, resource, name, namespace, env: Mapping[name, value or None to remove]) -> Outcome
    scale(api, resource, name, namespace, replicas, *, current=None) -> Outcome
    undo(api, resource, name, namespace, *, to_revision=0) -> Outcome
    pause | resume(api, resource, name, namespace) -> Outcome
    restart(api, resource, name, namespace, *, at: RFC 3339 timestamp) -> Outcome
    history(api, resource, name, namespace, *, revision=0) -> text, as `rollout history` prints it
    revisions(api, resource, name, namespace) -> {number: Revision(template, keeper)}, ascending
    rollout_status(workload) -> RolloutStatus(message, done, failed)
    apply | create(api, manifest, namespace, *, source="STDIN") -> Outcome
    apply_all(api, manifests, namespace, *, source="STDIN") -> list[Outcome]; a refusal is raised at the end
    patch(api, resource, name, namespace, patch, *, type="strategic") -> Outcome
    delete(api, resource, name, namespace, *, cascade="background", grace_period=None, force=False) -> Outcome
    expose(api, resource, name, namespace, *, port=None, target_port=None, type="", as_name="") -> Outcome
    label | annotate(api, resource, name, namespace, changes, *, overwrite=False) -> Outcome
        changes: Mapping[key, value or None to remove]
    cordon | uncordon(api, node) -> Outcome
    drain(api, clock, node, *, ignore_daemonsets, delete_emptydir_data, force, pod_selector, timeout, say,
        warn)

Upstream: the kubectl staging repository, `pkg/cmd` and `pkg/polymorphichelpers`.
"""

from gherkube.runners.kubectl.apply import (
    apply,
    apply_all,
    create,
    patch,
)
from gherkube.runners.kubectl.delete import delete
from gherkube.runners.kubectl.drain import drain
from gherkube.runners.kubectl.expose import expose
from gherkube.runners.kubectl.history import history
from gherkube.runners.kubectl.images import set_env, set_image
from gherkube.runners.kubectl.labels import annotate, label
from gherkube.runners.kubectl.nodes import cordon, uncordon
from gherkube.runners.kubectl.refusals import Outcome
from gherkube.runners.kubectl.revisions import revisions
from gherkube.runners.kubectl.rollout import pause, restart, resume, undo
from gherkube.runners.kubectl.scale import scale
from gherkube.runners.kubectl.status import RolloutStatus, rollout_status

__all__ = [
    "Outcome",
    "RolloutStatus",
    "annotate",
    "apply",
    "apply_all",
    "cordon",
    "create",
    "delete",
    "drain",
    "expose",
    "history",
    "label",
    "patch",
    "pause",
    "restart",
    "resume",
    "revisions",
    "rollout_status",
    "scale",
    "set_env",
    "set_image",
    "uncordon",
    "undo",
]
