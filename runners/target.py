"""A live cluster to run on, and its fences: what may be done there to what the run does not own.

[targets.staging]
context = "staging-admin"     # of the kubeconfig; never the current one in silence
kubeconfig = "~/.kube/config" # where the context is; that of KUBECONFIG unless said
server = "https://10.0.0.1"   # the address that the context must have
ca = "9f86d081884c7d65…"      # the SHA-256 of the certificate authority that it must have, in hex
namespace = "shop"            # where scenarios run, in the place of new namespaces of their own
namespaces = ["shop", "qa"]   # all where they may act, beside those that they make
acts = ["scale", "image"]     # what they may do there; everything but nodes and node faults unless said
most-pods = 5                 # how many pods a scenario may touch there
disposable = true             # named namespaces that are not there may be made, and nodes be cordoned
production = true             # nothing may be done at all
urls = {"shop/web" = "https://shop.example.com/"}    # where requests to a service go; else a way is found
quota = {"pods" = "50"}       # the resource quota of each namespace that the run makes
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from gherkube.runners.errors import UsageError

SIMULATOR, KIND, LIVE = "simulator", "kind", "live"
ACTS = ("create", "change", "scale", "image", "delete", "delete pods", "evict pods", "nodes", "node faults")
"""The kinds of acts, in the words of the settings; "nodes": cordoning them; "node faults": stopping them."""


class Target(NamedTuple):
    """A context of a kubeconfig with its fences; "" and None: nothing was said."""

    context: str
    kubeconfig: str = ""
    server: str = ""
    ca: str = ""
    namespace: str = ""
    namespaces: tuple[str, ...] = ()
    acts: tuple[str, ...] | None = None
    most_pods: int | None = None
    urls: Mapping[str, str] = {}
    quota: Mapping[str, str] = {}
    disposable: bool = False
    production: bool = False

    @property
    def is_kind(self) -> bool:
        """Whether it is a cluster that gherkube makes with kind: it has no context before."""
        return not self.context


def chosen(
    targets: Mapping[str, Target],
    *,
    on: str = "",
    context: str = "",
    kubeconfig: str = "",
    namespace: str = "",
) -> Target | None:
    """The target that the words of the command line mean; None: the simulator. Raises UsageError.

    On kind it is one without a context.

    A target of the settings with that context has its fences, also where only the context is named.
    """
    if on in ("", SIMULATOR, KIND):
        if context or kubeconfig or namespace:
            raise UsageError(
                "--context, --kubeconfig and --namespace are for a live cluster: say --on live, too"
            )
        return Target("", disposable=True) if on == KIND else None
    if on in targets:
        found = targets[on]
        if context not in ("", found.context):
            raise UsageError(
                f"the target {on!r} is context {found.context!r}, not {context!r}: leave --context out"
            )
    elif on != LIVE:
        known = ", ".join([SIMULATOR, KIND, LIVE, *targets])
        raise UsageError(f"--on {on}: there is no such place; there are {known}")
    elif not context:
        raise UsageError("--on live needs --context NAME: the current context is never taken in silence")
    else:
        fenced = (each for each in targets.values() if each.context == context)
        found = next(fenced, Target(context))
    return found._replace(kubeconfig=kubeconfig or found.kubeconfig, namespace=namespace or found.namespace)


def read_targets(value: Any) -> dict[str, Target]:
    """The targets of the settings. Raises UsageError."""
    if not isinstance(value, dict) or not all(isinstance(each, dict) for each in value.values()):
        raise UsageError("tables are needed, as in [targets.staging]")
    return {name: _read(name, table) for name, table in value.items()}


def _read(name: str, table: dict[str, Any]) -> Target:
    if name in (SIMULATOR, KIND, LIVE):
        raise UsageError(f"{name!r} has a meaning of its own: name the target otherwise")
    found: dict[str, Any] = {}
    for key, value in table.items():
        if key not in FIELDS:
            raise UsageError(f"{name}: unknown {key!r}; what can be said of a target is {', '.join(FIELDS)}")
        wanted, fits = FIELDS[key]
        if not fits(value):
            raise UsageError(f"{name}: {key} needs {wanted}")
        found[key.replace("-", "_")] = tuple(value) if isinstance(value, list) else value
    if not found.get("context"):
        raise UsageError(f"{name}: a target needs its context")
    if unknown := [act for act in found.get("acts", ()) if act not in ACTS]:
        raise UsageError(f"{name}: acts: unknown {', '.join(unknown)}; there are {', '.join(ACTS)}")
    return Target(**found)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


FIELDS = {
    **dict.fromkeys(("context", "kubeconfig", "server", "ca", "namespace"), ("a text", _is_text)),
    **dict.fromkeys(("namespaces", "acts"), ("a list of texts", _is_texts)),
    **dict.fromkeys(("urls", "quota"), ("a table of texts", _is_table)),
    "most-pods": ("a number", lambda value: type(value) is int and value >= 0),
    **dict.fromkeys(("disposable", "production"), ("true or false", _is_flag)),
}
