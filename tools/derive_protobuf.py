"""Derives runners/simulator/server/protobuf.json from the .proto files of Kubernetes' Go modules.

    python tools/derive_protobuf.py ~/go/pkg/mod/k8s.io/{api,apimachinery,apiextensions-apiserver}@v0.34.4

kubectl sends some objects as protobuf without asking. The table holds, for each message that such an object
is made of, its fields: number → [name, type]. A type is `string`, `bytes`, `bool`, `int`, `double`, the name
of a message, `[]T`, `{}T` (a map), or `&T` (fields that stand in the outer object itself). A message is
called as in "apps.v1.Deployment".
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

TABLE = Path(__file__).parent.parent / "runners" / "simulator" / "server" / "protobuf.json"
PACKAGES = (
    *("admissionregistration", "apps", "authentication", "authorization", "autoscaling", "batch"),
    *("certificates", "coordination", "core", "discovery", "events", "networking", "node", "policy", "rbac"),
    *("scheduling", "storage", "apiextensions", "meta"),
)
PREFIX = re.compile(
    r"k8s\.io\.(api|apimachinery\.pkg\.apis|apimachinery\.pkg|apiextensions_apiserver\.pkg\.apis)\."
)
MESSAGE = re.compile(r"^message (\w+) \{(.*?)^\}", re.M | re.S)
FIELD = re.compile(r"^\s*(optional|repeated|map<\w+, )\s*([.\w]+)>? (\w+) = (\d+);", re.M)
SCALARS = {"string": "string", "bytes": "bytes", "bool": "bool", "double": "double", "int32": "int"} | {
    "int64": "int"
}
STRUCT = re.compile(r"^type (\w+) struct \{(.*?)^\}", re.M | re.S)
INLINE = re.compile(r'`json:",inline" protobuf:"bytes,\d+,\w+,name=(\w+)')
WRAPPED = {"optional": "", "repeated": "[]"}


def messages(folder: Path) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Every message of a module with its fields."""
    for path in sorted(folder.rglob("generated.proto")):
        text = path.read_text()
        found = re.search(r"^package ([\w.]+);", text, re.M)
        package = found[1] if found else ""
        source = path.with_name("types.go")
        inline = {
            (struct, field)
            for struct, body in STRUCT.findall(source.read_text() if source.exists() else "")
            for field in INLINE.findall(body)
        }
        for name, body in MESSAGE.findall(text):
            fields = {
                number: [
                    field,
                    ("&" if (name, field) in inline else WRAPPED.get(label, "{}")) + _type(package, type_),
                ]
                for label, type_, field, number in FIELD.findall(body)
            }
            yield PREFIX.sub("", f"{package}.{name}"), fields


def _type(package: str, written: str) -> str:
    full = written.removeprefix(".") if written.startswith(".") else f"{package}.{written}"
    return SCALARS.get(written) or PREFIX.sub("", full)


def derive(folders: list[Path]) -> dict[str, dict[str, list[str]]]:
    """The table."""
    known = {name: fields for folder in folders for name, fields in messages(folder)}
    to_do = [
        name
        for name in known
        if name.split(".")[0] in PACKAGES and name.split(".")[1] in ("v1", "v2") and "List" not in name[-4:]
    ]
    table: dict[str, dict[str, list[str]]] = {}
    while to_do:
        name = to_do.pop()
        if name in table:
            continue
        table[name] = known[name]
        used = (type_.lstrip("[]{}&") for _, type_ in known[name].values())
        to_do += [each for each in used if each not in SCALARS.values()]
    return dict(sorted(table.items()))


if __name__ == "__main__":
    text = json.dumps(derive([Path(each) for each in sys.argv[1:]]), separators=(",", ":")) + "\n"
    TABLE.write_text(text)
    print(f"{TABLE}: {len(text)} bytes")
