"""The fence that a plan's scope is, beside those of its target: what is not named in it is never touched."""

from __future__ import annotations

from typing import NoReturn

from gherkube.runners.errors import ApiError
from gherkube.runners.gameday.plan import Scope
from gherkube.runners.kubectl.kinds import find
from gherkube.runners.live.api import LiveApi
from gherkube.runners.live.fences import Act, Fenced
from gherkube.runners.objects import Object, controller_of


class ScopeFence:
    """Called with an act and the object that is there before it; raises Fenced."""

    def __init__(self, scope: Scope, api: LiveApi) -> None:
        self._scope, self._api = scope, api

    def __call__(self, act: Act, before: Object | None) -> None:
        if act.resource == "namespaces":
            self._refuse(act, "a game day makes and removes no namespaces")
        if not act.namespace:
            return  # nodes: whether they may be touched, the target says
        if act.namespace not in self._scope.namespaces:
            self._refuse(act, f"its namespaces are {', '.join(self._scope.namespaces)}")
        if self._scope.workloads and not self._is_in(act, before):
            self._refuse(act, f"it is {', '.join(self._scope.workloads)} and what these own")

    def _is_in(self, act: Act, obj: Object | None) -> bool:
        """Whether the object, or what controls it, is named."""
        if f"{find(act.resource).kind.lower()}/{act.name}" in self._scope.workloads:
            return True
        while obj is not None and (owner := controller_of(obj)) is not None:
            if f"{owner['kind'].lower()}/{owner['name']}" in self._scope.workloads:
                return True
            try:
                obj = self._api.get(find(owner["kind"]).resource, owner["name"], act.namespace)
            except ApiError:
                return False
        return False

    def _refuse(self, act: Act, why: str) -> NoReturn:
        raise Fenced(f"refused, since it is out of the scope of the game day: {act.words}: {why}")
