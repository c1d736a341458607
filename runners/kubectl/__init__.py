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
    revisions(api, name, namespace) -> {revision: its ReplicaSet}, ascending; of a Deployment
    rollout_status(deployment) -> RolloutStatus(message, done, failed)
    apply | create(api, manifest, namespace, *, source="STDIN") -> Outcome
    apply_all(api, manifests, namespace, *, source="STDIN") -> list[Outcome]; goes on after a refusal, raises it last
    create_deployment(api, name, namespace, image, *, replicas=1) -> Outcome
    create_configmap(api, name, namespace, data) -> Outcome
    patch(api, resource, name, namespace, patch, *, type="strategic") -> Outcome
    delete(api, resource, name, namespace, *, cascade="background", grace_period=None, force=False) -> Outcome
    delete_all(api, resource, namespace, *, labels="", fields="", …as delete) -> list[Outcome]
    expose(api, resource, name, namespace, *, port=None, target_port=None, type="", as_name="") -> Outcome
    label | annotate(api, resource, name, namespace, changes: Mapping[key, value or None], *, overwrite=False) -> Outcome
    cordon | uncordon(api, node) -> Outcome

Upstream: the kubectl staging repository, `pkg/cmd` and `pkg/polymorphichelpers`.
"""
