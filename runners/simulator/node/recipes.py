"""What a container's spec comes to, worked out once for all containers that are alike.

The pods of one template have containers that differ in nothing but the name of a mount.
"""

from __future__ import annotations

from functools import cached_property
from math import inf

from gherkube.runners.objects import Object
from gherkube.runners.quantities import memory_bytes
from gherkube.runners.simulator.node.hooks import Hook, hook_of
from gherkube.runners.simulator.node.images import Image, parse_image
from gherkube.runners.simulator.node.probes import FIELDS, Probe, probe_of
from gherkube.runners.simulator.node.programs import Program, program_of

NO_STATE: Object = {}
KEPT = 256
"""How many recipes are remembered."""


class Recipe:
    """What a container's spec comes to, but for its mounts.

    `path`, `created`, `started` and `stopping` are how events name the container, and what they say of it.
    `unborn` is its status before its first run, but for state and mounts. `memory_limit` is in bytes, `inf`
    without one. `takes_env`: whether there are variables to be looked for.
    """

    def __init__(self, spec: Object, kind: str) -> None:
        self.spec = spec
        name = spec["name"]
        self.path = f"spec.{'containers' if kind == 'app' else 'initContainers'}{{{name}}}"
        self.created, self.started = f"Created container: {name}", f"Started container {name}"
        self.stopping = f"Stopping container {name}"
        lifecycle = spec.get("lifecycle") or {}
        self.post_start: Hook | None = hook_of(spec, lifecycle, "postStart")
        self.pre_stop: Hook | None = hook_of(spec, lifecycle, "preStop")
        self._mounts: Object = {"volumeMounts": None} if "volumeMounts" in spec else {}
        self.unborn: Object = {
            "name": name,
            "state": None,
            "lastState": NO_STATE,
            "ready": False,
            "restartCount": 0,
            "image": spec["image"],
            "imageID": "",
            "started": False,
            **self._mounts,
        }
        limit = spec.get("resources", {}).get("limits", {}).get("memory")
        self.memory_limit = inf if limit is None else float(memory_bytes(limit))
        self.has_probes = any(field in spec for field, _ in FIELDS)
        self.takes_env = "env" in spec or "envFrom" in spec

    @cached_property
    def born(self) -> Object:
        """Its status when it has a run, but for what that says and for its mounts."""
        resources = self.spec.get("resources", {})
        requests = resources.get("requests")
        return {
            "name": self.spec["name"],
            "state": None,
            "lastState": NO_STATE,
            "ready": False,
            "restartCount": 0,
            "image": self.image.name,
            "imageID": self.image.id,
            "containerID": "",
            "started": False,
            **({"allocatedResources": requests} if requests else {}),
            "resources": resources,
            **self._mounts,
        }

    @cached_property
    def image(self) -> Image:
        """Its image. Raises InvalidImageName."""
        return parse_image(self.spec["image"])

    @cached_property
    def probes(self) -> tuple[Probe, ...]:
        """Its probes."""
        return tuple(probe_of(self.spec, field, role) for field, role in FIELDS if field in self.spec)

    @cached_property
    def program(self) -> Program:
        """What it is told to run."""
        return program_of(self.spec)


_recipes: dict[tuple[str, str, str], Recipe] = {}


def recipe_of(spec: Object, kind: str) -> Recipe:
    """The recipe of a container of that kind ("app", "init" or "sidecar"); those that are alike share it."""
    bare = spec
    if spec.get("volumeMounts"):
        bare = spec.copy()
        bare["volumeMounts"] = None
    key = (kind, spec["name"], spec["image"])
    recipe = _recipes.get(key)
    if recipe is None or recipe.spec != bare:
        if len(_recipes) >= KEPT:
            _recipes.clear()
        recipe = _recipes[key] = Recipe(bare, kind)
    return recipe
