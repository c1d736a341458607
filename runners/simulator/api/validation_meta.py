"""Validation of what all objects have: names, labels, annotations, finalizers, selectors.

staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go, pkg/api/validation/objectmeta.go,
pkg/apis/meta/v1/validation/validation.go
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.refusals import (
    FieldError,
    forbidden_field,
    render,
    required,
    too_long,
    wrong,
)

Check: TypeAlias = Callable[[str], tuple[str, ...]]

LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"
LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
NAME_PART = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
LABEL_VALUE = f"({NAME_PART})?"
MAX_ANNOTATIONS = 256 * 1024
REFERENCE = ("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion")
"""What a reference to an owner says, in the order of its type."""
STANDARD_FINALIZERS = frozenset({"orphan", "foregroundDeletion", "kubernetes"})


def _rule(pattern: str, limit: int, message: str, *examples: str) -> Check:
    """A check of a text against a pattern and a length; its answer is the messages."""
    compiled = re.compile(pattern)
    shown = ",  or ".join(f"'{example}'" for example in examples)
    refusal = f"{message} (e.g. {shown}, regex used for validation is '{pattern}')"

    @lru_cache(maxsize=4096)
    def check(text: str) -> tuple[str, ...]:
        long = (max_length(limit),) if len(text) > limit else ()
        return long if compiled.fullmatch(text) else (*long, refusal)

    return check


def max_length(limit: int) -> str:
    """validation.go MaxLenError"""
    return f"must be no more than {limit} characters"


_is_dns_label = _rule(
    LABEL,
    63,
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character",
    "my-name",
    "123-abc",
)
is_dns_subdomain = _rule(
    SUBDOMAIN,
    253,
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character",
    "example.com",
)
is_search_domain = _rule(
    r"_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*",
    253,
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', "
    "and must start and end with an alphanumeric character",
    "example.com",
)
is_http_header = _rule(
    "[-A-Za-z0-9]+",
    2**31,
    "a valid HTTP header must consist of alphanumeric characters or '-'",
    "X-Header-Name",
)


@lru_cache(maxsize=4096)
def is_dns_label(text: str) -> tuple[str, ...]:
    """A name of a host. IsDNS1123Label"""
    messages = _is_dns_label(text)
    if messages and re.fullmatch(SUBDOMAIN, text):
        return tuple("must not contain dots" if "(e.g. " in each else each for each in messages)
    return messages


is_dns_1035_label = _rule(
    LABEL_1035,
    63,
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
    "start with an alphabetic character, and end with an alphanumeric character",
    "my-name",
    "abc-123",
)
is_label_value = _rule(
    LABEL_VALUE,
    63,
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character",
    "MyValue",
    "my_value",
    "12345",
)
_is_name_part = _rule(
    NAME_PART,
    63,
    "must consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character",
    "MyName",
    "my.name",
    "123-abc",
)


@lru_cache(maxsize=4096)
def is_qualified_name(text: str) -> tuple[str, ...]:
    """A name with an optional DNS subdomain before it, as keys of labels are. IsQualifiedName"""
    parts = text.split("/")
    if len(parts) > 2:
        return (
            "a qualified name "
            + _is_name_part("")[0]
            + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
        )
    messages: list[str] = []
    if len(parts) == 2:
        if not parts[0]:
            messages.append("prefix part must be non-empty")
        else:
            messages += ["prefix part " + message for message in is_dns_subdomain(parts[0])]
    if not parts[-1]:
        messages.append("name part must be non-empty")
    messages += ["name part " + message for message in _is_name_part(parts[-1])]
    return tuple(messages)


@lru_cache(maxsize=4096)
def is_port_name(text: str) -> tuple[str, ...]:
    """An IANA service name. validation.go IsValidPortName"""
    messages = []
    if len(text) > 15:
        messages.append("must be no more than 15 characters")
    if not re.fullmatch("[-a-z0-9]+", text):
        messages.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", text):
        messages.append("must contain at least one letter (a-z)")
    if "--" in text:
        messages.append("must not contain consecutive hyphens")
    if text.startswith("-") or text.endswith("-"):
        messages.append("must not begin or end with a hyphen")
    return tuple(messages)


NAME_RULES: dict[str, Check] = {
    "services": is_dns_1035_label,
    "namespaces": is_dns_label,
    "statefulsets": is_dns_label,
}
"""How objects of a resource may be called, where it is not a DNS subdomain."""


def check_metadata(resource: str, metadata: Object, old: Object | None = None) -> Iterator[FieldError]:
    """What is wrong with an object's metadata, or with its update from `old`.

    ValidateObjectMetaAccessor, ValidateObjectMetaAccessorUpdate
    """
    if old is not None and "deletionTimestamp" in old:
        yield from _check_finalizers_kept(metadata, old)
    rule = NAME_RULES.get(resource, is_dns_subdomain)
    base, name = metadata.get("generateName"), metadata.get("name")
    if base:
        for message in rule(base[:-1] + "a" if base.endswith("-") else base):
            yield wrong("metadata.generateName", base, message)
    if name:
        for message in rule(name):
            yield wrong("metadata.name", name, message)
    elif not base:
        yield required("metadata.name", "name or generateName is required")
    yield from check_labels(metadata.get("labels"), "metadata.labels")
    yield from check_annotations(metadata.get("annotations"), "metadata.annotations")
    yield from _check_owners(metadata.get("ownerReferences", ()), "metadata.ownerReferences")
    for at, finalizer in enumerate(metadata.get("finalizers", ())):
        for message in is_qualified_name(finalizer):
            yield wrong("metadata.finalizers", finalizer, message)
        if "/" not in finalizer and finalizer not in STANDARD_FINALIZERS and _is_core(resource):
            said = "name is neither a standard finalizer name nor is it fully qualified"
            yield wrong(f"metadata.finalizers[{at}]", finalizer, said)


def _check_finalizers_kept(metadata: Object, old: Object) -> Iterator[FieldError]:
    """ValidateNoNewFinalizers"""
    new = sorted(set(metadata.get("finalizers", ())) - set(old.get("finalizers", ())))
    if new:
        texts = ", ".join(map(render, new))
        said = "no new finalizers can be added if the object is being deleted, found new finalizers "
        yield forbidden_field("metadata.finalizers", f"{said}[]string{{{texts}}}")


def _check_owners(references: Sequence[Object], field: str) -> Iterator[FieldError]:
    """ValidateOwnerReferences"""
    controller = ""
    for reference in references:
        if not reference.get("apiVersion", "").rpartition("/")[2]:
            yield wrong(f"{field}.apiVersion", reference.get("apiVersion", ""), "version must not be empty")
        for part in ("kind", "name", "uid"):
            if not reference.get(part):
                yield wrong(f"{field}.{part}", "", "must not be empty")
        if reference.get("controller"):
            this = f"{reference.get('kind', '')}/{reference.get('name', '')}"
            if controller:
                said = f'Found "true" in references for {controller} and {this}'
                shown = [{part: each[part] for part in REFERENCE if part in each} for each in references]
                yield wrong(field, shown, f"Only one reference can have Controller set to true. {said}")
            else:
                controller = this


def _is_core(resource: str) -> bool:
    """Whether its metadata is validated by pkg/apis/core/validation, not by the API machinery alone."""
    return resource != "customresourcedefinitions" and "." not in resource


def check_labels(labels: Object | None, field: str) -> Iterator[FieldError]:
    """What is wrong with labels. ValidateLabels"""
    for key, value in (labels or {}).items():
        for message in is_qualified_name(key):
            yield wrong(field, key, message)
        for message in is_label_value(value):
            yield wrong(field, value, message)


def check_annotations(annotations: Object | None, field: str) -> Iterator[FieldError]:
    """What is wrong with annotations. ValidateAnnotations"""
    if not annotations:
        return
    for key in annotations:
        for message in is_qualified_name(key.lower()):
            yield wrong(field, key, message)
    if sum(len(key) + len(value) for key, value in annotations.items()) > MAX_ANNOTATIONS:
        yield too_long(field, MAX_ANNOTATIONS)


def check_selector(selector: Object, field: str) -> Iterator[FieldError]:
    """What is wrong with a LabelSelector. ValidateLabelSelector"""
    yield from check_labels(selector.get("matchLabels"), f"{field}.matchLabels")
    for at, term in enumerate(selector.get("matchExpressions", ())):
        path = f"{field}.matchExpressions[{at}]"
        yield from check_expression(term, path)
        for value_at, value in enumerate(term.get("values", ())):
            for message in is_label_value(value):
                yield wrong(f"{path}.values[{value_at}]", value, message)


def check_expression(term: Object, field: str, *, compares: bool = False) -> Iterator[FieldError]:
    """What is wrong with one matchExpressions entry; `compares`: Gt and Lt are operators, too, as of nodes.

    ValidateLabelSelectorRequirement, ValidateNodeSelectorRequirement
    """
    operator, values, key = term.get("operator", ""), term.get("values") or (), term.get("key", "")
    if operator in ("In", "NotIn"):
        if not values:
            yield required(f"{field}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            said = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            yield forbidden_field(f"{field}.values", said)
    elif compares and operator in ("Gt", "Lt"):
        if len(values) != 1:
            said = "must be specified single value when `operator` is 'Lt' or 'Gt'"
            yield required(f"{field}.values", said)
    else:
        yield wrong(f"{field}.operator", operator, "not a valid selector operator")
    yield from (wrong(f"{field}.key", key, message) for message in is_qualified_name(key))


def check_ip(address: str, field: str) -> Iterator[FieldError]:
    """IsValidIP"""
    try:
        ipaddress.ip_address(address)
    except ValueError:
        yield wrong(field, address, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")


def check_cidr(text: str, field: str) -> Iterator[FieldError]:
    """IsValidCIDR"""
    try:
        ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        yield wrong(field, text, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")
