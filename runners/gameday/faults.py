"""Faults on a game day, of nodes and of images: held against the fences and written down before, as acts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from gherkube.runners.live.faults import says
from gherkube.runners.live.fences import Act
from gherkube.runners.live.guard import GuardedApi

MENDS = {
    "stop_node": "start_node",
    "pause_node": "resume_node",
    "cut_node": "join_node",
    "slow_node": "hasten_node",
}
"""By which a fault is put right."""
WORDS = {
    "stop_node": "goes down",
    "pause_node": "is paused",
    "cut_node": "is cut off",
    "slow_node": "gets slow",
}


class RecordedFaults:
    """The faults of a cluster; all else is as there."""

    def __init__(self, faults: Any, api: GuardedApi) -> None:
        self._faults, self._api = faults, api
        self._made: dict[tuple[str, str], None] = {}
        """What is broken: the fault that mends it, and the node."""

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._faults, name)
        if name in MENDS:
            return partial(self._break, name, found)
        return partial(self._mend, name, found) if name in MENDS.values() else found

    def behave(self, image: str, **behaviour: Any) -> None:
        """Says it of the image; where images are what they are, looks whether it is so."""
        before = self._faults.said_of(image)
        if before is None:
            self._faults.behave(image, **behaviour)
            return
        act, words = Act("image", "images", "", image), f'image "{image}" {says(behaviour)}'
        with self._api.changes.making(act, "fault", before, fault="behave", words=words) as note:
            self._faults.behave(image, **behaviour)
            note(self._faults.said_of(image))

    def put_right(self, fault: str, node: str) -> None:
        """Mends that fault of a node; nothing, where it is mended."""
        if (MENDS[fault], node) in self._made:
            getattr(self, MENDS[fault])(node)

    def _break(self, fault: str, act: Callable[..., object], node: str, *arguments: Any) -> None:
        with self._api.breaking(fault, node, f'node "{node}" {WORDS[fault]}'):
            self._made[MENDS[fault], node] = None
            act(node, *arguments)

    def _mend(self, mends: str, act: Callable[..., object], node: str) -> None:
        act(node)
        self._made.pop((mends, node), None)
