"""Hostile values: what stands where something else belongs, and texts that are no JSON, YAML or protobuf."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from hypothesis import strategies as st

NAMES = ("a", "web", "b")
"""Of what the fuzz makes; what has to stay unharmed has other names, in another namespace."""
TEXTS = (
    "",
    " ",
    "x",
    "-",
    "A_B",
    "a.b",
    "a/b",
    "a/b/c",
    "..",
    "../../etc/passwd",
    "%2e%2e%2f",
    "\0",
    "\x1b[2J",
    "\r\nX-Evil: 1",
    "\u202egnp",
    "ß",
    "日本",
    "\ud800",
    "😀" * 30,
    "{{.}}",
    "$(id)",
    "'; DROP TABLE pods; --",
    "true",
    "null",
    "1",
    "-1",
    "1e9",
    "1e999",
    "100m",
    "1Gi",
    "-5Ki",
    "1" * 400,
    "0x10",
    "50%",
    "-50%",
    "101%",
    "1e400%",
    "٣",
    "٣%",
    "²",
    "NaN",
    "Infinity",
    "2025-01-01T00:00:00Z",
    "9999-99-99T99:99:99Z",
    "0000-01-01T00:00:00Z",
    "2025-01-01T00:00:00+99:99",
    "10.96.0.1",
    "::1",
    "999.1.1.1",
    "x" * 64,
    "x" * 254,
    "x" * 5_000,
    "a," * 500,
    "(a+)+$",
    "[",
    "*",
    "None",
    "Always",
    "TCP",
    "ClusterIP",
    "Recreate",
    "RollingUpdate",
    "kubernetes.io/metadata.name",
)
NUMBERS = (
    *(0, 1, -1, 2, 7, 80, 65_535, 65_536, 1_000_000, 2**31 - 1, 2**31, -(2**31) - 1),
    *(2**53 + 1, 2**63 - 1, 2**63, -(2**63), 2**64, 10**30, 10**300, 10**400),
    *(0.5, -0.0, 1.0, 1e-300, 1e300, 1.7976931348623157e308),
)


def seldom(draw: st.DrawFn, times: int) -> bool:
    """True once in so many times: not at the simplest value, which is drawn more often."""
    return bool(draw(st.integers(0, times - 1)) == times // 2)


def nested(depth: int, inner: Any = None) -> Any:
    """Lists and objects in each other."""
    for level in range(depth):
        inner = [inner] if level % 2 else {"a": inner}
    return inner


SCALARS = st.one_of(st.none(), st.booleans(), st.sampled_from(NUMBERS), st.sampled_from(TEXTS))
HOSTILE = st.one_of(
    SCALARS,
    st.builds(nested, st.sampled_from((1, 2, 5, 90, 150, 190))),
    st.lists(SCALARS, max_size=3),
    st.dictionaries(
        st.sampled_from(("", "name", "a", "kind", "$patch", "metadata", "key")), SCALARS, max_size=3
    ),
    st.builds(lambda value, times: [value] * times, SCALARS, st.sampled_from((2, 300))),
    st.sampled_from([[[]], [{}], {}, [], [None], {"a": None}]),
)

BROKEN_JSON = (
    b"",
    b" ",
    b"{",
    b"[",
    b'{"a":',
    b'{"a":1,}',
    b"{'a':1}",
    b'"',
    b'"\\ud800"',
    b'{"metadata":{"name":"\\ud800"}}',
    b'{"metadata":{"name":"a","annotations":{"\\udfff":"\\ud83d"}}}',
    b"nul",
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b'{"spec":{"replicas":NaN}}',
    b'{"spec":{"replicas":1e999}}',
    b'{"metadata":{"name":"a"},"data":{"a":1e999}}',
    b'{"spec":{"replicas":-1e999}}',
    b'{"spec":{"replicas":' + b"9" * 5_000 + b"}}",
    b'{"a":' + b"9" * 100_000 + b"}",
    b'{"metadata":{"name":"a","name":"b"}}',
    b'{"metadata":{"name":"a"},"metadata":{"name":"b"}}',
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"[" * 50_000 + b"]" * 50_000,
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    b'{"metadata":{"name":"a","annotations":{"a":"' + b"x" * 1_000_000 + b'"}}}',
    b'{"metadata":{"name":"' + b"x" * 1_000_000 + b'"}}',
    b'{"' + b"x" * 1_000_000 + b'":1}',
    b'"' + b"x" * 4_000_000 + b'"',
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\x00}\x00",
    b"\x00\x00\x00{",
    b'{"metadata":{"name":"\xff\xfe"}}',
    b'{"metadata":{"name":"\xed\xa0\x80"}}',
    b'{"metadata":{"name":"a\x00b"}}',
    b'{}{"a":1}',
    b"{} trailing",
    b"/* */ {}",
    b"[" + b"{}," * 100_000 + b"{}]",
    b"k8s\0",
    b"k8s\0" + b"\xff" * 100,
    b"k8s\0" + b"\x0a\x0a\x0a\x02v1\x12\x04Node",
    b"k8s\0" + b"\x0a\x09\x0a\x02v1\x12\x03Pod\x12\x06\x0a\x04\x0a\x02\xff\xff",
    b"k8s\0" + b"\x0a\x7f",
    b"k8s\0" + b"\x0b\x0b\x0b",
    b"--b\r\nContent-Disposition: form-data; name=x\r\n\r\n1\r\n--b--\r\n",
    b"a=1&b=2",
    b"<xml/>",
)
BROKEN_YAML = (
    b"a: [",
    b"a: b: c",
    b"\t- x",
    b"a: &a [*a]",
    b"&a {a: *a}",
    b"a: *nowhere",
    b"? [a, b]\n: c",
    b"{[]: 1}",
    b"{1: 2, true: 3, null: 4}",
    b"a: !!python/object/apply:os.system ['true']",
    b"a: !!binary x",
    b"a: !!binary aGVsbG8=",
    b"a: !!set {x, y}",
    b"a: 2025-01-01",
    b"a: 9999-99-99",
    b"metadata: {name: 2025-01-01}",
    b"a: .nan",
    b"a: -.inf",
    b"spec: {replicas: .inf}",
    b"a: 0o17\nb: 0x1F\nc: 1_000\nd: 190:20:30",
    b"a: " + b"9" * 5_000,
    b"--- {}\n--- {}\n",
    b"---\n---\n---\n",
    b"%YAML 9.9\n---\na: b",
    b"a: 1\na: 2",
    b"<<: {a: 1}",
    b"<<: 5",
    b"<<: [1, 2]",
    b"a: &a {<<: *a}",
    b"= : 1",
    b"a: =",
    b"[" * 20_000,
    b"{a: " * 5_000,
    b"- " * 3_000 + b"x",
    b"\x00",
    b"\xff\xfe",
    b"a: \x07",
    b"a: \xed\xa0\x80",
    b"a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
    + b"".join(b"a%d: &a%d [%s]\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 12)),
    b"a0: &a0 x\n" + b"".join(b"a%d: &a%d {l: *a%d, r: *a%d}\n" % (n, n, n - 1, n - 1) for n in range(1, 60)),
    b"a0: &a0 {k: v}\n"
    + b"".join(b"a%d: &a%d {<<: [%s]}\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 9)),
)


SENT = """
azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50EroBCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEogBCAISDAoKCgNh
cHASA3dlYhpuChwKABIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEk4SMAoFaGVsbG8SB2hlbGxvOjEqADIKCgAQABhQIgAqAEIA
agByAIABAIgBAJABAKIBABoAMgBCAEoAUgBYAGAAaACCAQCKAQCaAQDCAQAiAgoAKAA4ABoMCAAQABgAIAAoADgAGgAiAA==

azhzAAoNCgJ2MRIHU2VydmljZRJjCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEjwKFQoCODASA1RDUBhQIgYIABBQ
GgAoABIKCgNhcHASA3dlYhoAIglDbHVzdGVySVA6AEIAUgBaAGAAaAAaAgoAGgAiAA==

azhzAAogCglwb2xpY3kvdjESE1BvZERpc3J1cHRpb25CdWRnZXQSNwoRCgFiEgAaACIAKgAyADgAQgASFgoGCAAQARoAEgwKCgoD
YXBwEgN3ZWIaCggAGAAgACgAMAAaACIA

azhzAAoTCgJ2MRINUmVzb3VyY2VRdW90YRIkChEKAXESABoAIgAqADIAOABCABINCgsKBHBvZHMSAwoBORoAGgAiAA==
"""
PROTOBUF = tuple(map(b64decode, SENT.split("\n\n")))
"""What kubectl sends: a Deployment, a Service, a PodDisruptionBudget, a ResourceQuota."""


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """The bytes with a few of them cut, changed, doubled or put in."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        how = draw(st.sampled_from(("cut", "set", "put", "drop", "twice")))
        if how == "cut":
            del data[at:]
        elif how == "set" and at < len(data):
            data[at] = draw(st.integers(0, 255))
        elif how == "put":
            data[at:at] = draw(
                st.sampled_from((b"\0", b"\xff", b'"', b"{", b"]", b",", b"\\u", b"9" * 30, b"e99"))
            )
        elif how == "drop":
            del data[at : at + draw(st.integers(1, 8))]
        else:
            data[at:at] = data[at : at + 20]
    return bytes(data)


@st.composite
def altered(draw: st.DrawFn, whole: Any, inner: st.SearchStrategy[Any] = HOSTILE) -> Any:
    """A value with something hostile at one to four places of it."""
    for _ in range(draw(st.integers(1, 4))):
        whole = _altered_once(draw, whole, inner)
    return whole


def _altered_once(draw: st.DrawFn, value: Any, inner: st.SearchStrategy[Any]) -> Any:
    if not isinstance(value, dict | list) or not value or seldom(draw, 6):
        return _other(draw, value, inner)
    if isinstance(value, list):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], _altered_once(draw, value[at], inner), *value[at + 1 :]]
    key = draw(st.sampled_from(sorted(value)))
    return {**value, key: _altered_once(draw, value[key], inner)}


def _other(draw: st.DrawFn, value: Any, inner: st.SearchStrategy[Any]) -> Any:
    how = draw(st.sampled_from(("replace", "more", "wrap", "less", "text")))
    if how == "more" and isinstance(value, dict):
        return {**value, draw(st.sampled_from(TEXTS)): draw(inner)}
    if how == "more" and isinstance(value, list):
        return [*value, draw(inner)]
    if how == "less" and isinstance(value, dict) and value:
        gone = draw(st.sampled_from(sorted(value)))
        return {key: each for key, each in value.items() if key != gone}
    if how == "less" and isinstance(value, list):
        return value[1:]
    if how == "wrap":
        return draw(st.sampled_from(([value], {"a": value}, [value, value])))
    if how == "text":
        return str(value)
    return draw(inner)
