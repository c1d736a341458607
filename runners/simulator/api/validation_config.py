"""Validation of ConfigMaps and Secrets.

pkg/apis/core/validation/validation.go ValidateConfigMap, ValidateSecret
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator

from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.refusals import (
    IMMUTABLE,
    FieldError,
    forbidden_field,
    required,
    too_long,
    wrong,
)
from gherkube.runners.simulator.api.validation_meta import max_length

KEY = re.compile("[-._a-zA-Z0-9]+")
LONGEST_KEY, LARGEST = 253, 2**20
NO_KEY = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
    "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
NEEDED = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
"""The keys that a secret of a type has to have."""
JSON_KEYS = frozenset({".dockercfg", ".dockerconfigjson"})
EITHER = ("username", "password")
"""Of which a secret for basic authentication has one at least."""
REDACTED = "<secret contents redacted>"


def check_config_map(config_map: Object) -> Iterator[FieldError]:
    """ValidateConfigMap"""
    data, binary = config_map.get("data") or {}, config_map.get("binaryData") or {}
    for key in data:
        yield from _check_key(key, f"data[{key}]")
        if key in binary:
            yield wrong(f"data[{key}]", key, "duplicate of key present in binaryData")
    for key in binary:
        yield from _check_key(key, f"binaryData[{key}]")
    size = sum(len(text.encode()) for text in data.values())
    if size + sum(len(b64decode(text)) for text in binary.values()) > LARGEST:
        yield too_long("[]", LARGEST)


def check_secret(secret: Object) -> Iterator[FieldError]:
    """ValidateSecret"""
    data, type_ = secret.get("data") or {}, secret.get("type", "")
    for key in data:
        yield from _check_key(key, f"data[{key}]")
    if sum(len(b64decode(text)) for text in data.values()) > LARGEST:
        yield too_long("data", LARGEST)
    for key in NEEDED.get(type_, ()):
        if key not in data:
            yield required(f"data[{key}]")
        elif key in JSON_KEYS:
            try:
                json.loads(b64decode(data[key]))
            except ValueError:
                yield wrong(f"data[{key}]", REDACTED, "invalid character")
    if type_ == "kubernetes.io/basic-auth" and not any(key in data for key in EITHER):
        yield from (required(f"data[{key}]") for key in EITHER)


def check_immutable(new: Object, old: Object) -> Iterator[FieldError]:
    """ValidateConfigMapUpdate, ValidateSecretUpdate: what is immutable stays so, and as it is"""
    if old.get("immutable"):
        said = "field is immutable when `immutable` is set"
        if not new.get("immutable"):
            yield forbidden_field("immutable", said)
        for field in ("data", "binaryData"):
            if new.get(field) != old.get(field):
                yield forbidden_field(field, said)


def check_secret_update(new: Object, old: Object) -> Iterator[FieldError]:
    """ValidateSecretUpdate"""
    if new.get("type") != old.get("type"):
        yield wrong("type", new.get("type", ""), IMMUTABLE)
    yield from check_immutable(new, old)


def _check_key(key: str, field: str) -> Iterator[FieldError]:
    """IsConfigMapKey"""
    if len(key) > LONGEST_KEY:
        yield wrong(field, key, max_length(LONGEST_KEY))
    if not KEY.fullmatch(key):
        yield wrong(field, key, NO_KEY)
    if key == ".":
        yield wrong(field, key, "must not be '.'")
    elif key == "..":
        yield wrong(field, key, "must not be '..'")
    elif key.startswith(".."):
        yield wrong(field, key, "must not start with '..'")
