"""Faults of nodes on a game day: held against the fences and written down before they are made, as acts."""

from __future__ import annotations

from typing import Any

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

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._faults, name)
        if name not in MENDS:
            return found

        def breaks(node: str, *arguments: Any) -> None:
            with self._api.breaking(name, node, f'node "{node}" {WORDS[name]}'):
                found(node, *arguments)

        return breaks

    def put_right(self, fault: str, node: str) -> None:
        """Mends that fault of a node; nothing, where it is mended."""
        getattr(self._faults, MENDS[fault])(node)
