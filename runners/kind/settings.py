"""What a project says of its kind clusters: the table [kind] of the settings, and the command line's word.

[kind]
nodes = 3                        # how many nodes take pods where a scenario does not say; 3 unless said
image = "kindest/node:v1.34.0"   # what nodes are made from; that of the kind program unless said
kind = "/opt/kind/kind"          # the kind program; that of PATH unless said
config = "kind.yaml"             # more of kind's own configuration; see `configuration`
create-within = "10m"            # how long making a cluster may take
[kind.images]                    # images that no registry has
"acme/web:1" = {local = true}    # the engine has it
"acme/shop:1" = {build = "shop"} # built from the folder, with its Dockerfile
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from gherkube.runners.errors import UsageError

NODES = 3
CREATE_WITHIN = 600.0


class Source(NamedTuple):
    """Where an image comes from: the engine has it (`local`), or it is built from a folder."""

    local: bool = False
    build: Path | None = None


class KindSettings(NamedTuple):
    """What clusters are made from, and what for. "" and None: nothing was said.

    `reuse`: the name of a cluster that is kept, and used again. `keep`: clusters are left when the run ends.
    `create_within` in seconds.
    """

    nodes: int | None = None
    image: str = ""
    kind: str = ""
    config: Path | None = None
    create_within: float = CREATE_WITHIN
    images: Mapping[str, Source] = {}
    reuse: str = ""
    keep: bool = False

    def at(self, folder: Path) -> KindSettings:
        """The same with paths from that folder on."""
        images = {
            name: source._replace(build=folder / source.build) if source.build else source
            for name, source in self.images.items()
        }
        return self._replace(config=folder / self.config if self.config else None, images=images)


def read_kind(value: Any) -> KindSettings:
    """The table [kind]. Raises UsageError."""
    if not isinstance(value, dict):
        raise UsageError("a table is needed, as in [kind] with nodes = 3 below it")
    found: dict[str, Any] = {}
    for key, each in value.items():
        if key not in READERS:
            raise UsageError(f"unknown {key!r}; what can be said of kind is {', '.join(READERS)}")
        try:
            found[key.replace("-", "_")] = READERS[key](each)
        except UsageError as error:
            raise UsageError(f"{key}: {error}") from None
    return KindSettings(**found)


def _nodes(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise UsageError("a number of nodes from 1 on is needed")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise UsageError("a text is needed")
    return value


def _within(value: Any) -> float:
    from gherkube.runners.settings import duration

    return duration(_text(value))


def _images(value: Any) -> dict[str, Source]:
    if not isinstance(value, dict):
        raise UsageError('a table is needed, as in [kind.images] with "acme/web:1" = {local = true} below it')
    return {name: _source(name, each) for name, each in value.items()}


def _source(name: str, value: Any) -> Source:
    if value == {"local": True}:
        return Source(local=True)
    if isinstance(value, dict) and list(value) == ["build"] and isinstance(value["build"], str):
        return Source(build=Path(value["build"]))
    raise UsageError(f'{name!r} is either {{local = true}} or {{build = "folder"}}')


READERS = {
    "nodes": _nodes,
    "image": _text,
    "kind": _text,
    "config": lambda value: Path(_text(value)),
    "create-within": _within,
    "images": _images,
}
