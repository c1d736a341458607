"""What became of requests to a service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

from gherkube.runners.errors import CannotJudge, UsageError
from gherkube.runners.expectations.count import Count, Share, every
from gherkube.runners.expectations.statement import Statement, Tracker
from gherkube.runners.expectations.subjects import PodSelector, WorkloadRef, match_image
from gherkube.runners.expectations.time import duration
from gherkube.runners.expectations.view import View
from gherkube.runners.objects import Key
from gherkube.runners.traffic import Request, longest_gap

Requests: TypeAlias = Sequence[Request]
Amount: TypeAlias = Count | Share
Outcome: TypeAlias = tuple[bool, str]


class Verdict(NamedTuple):
    """Whether it is true, what there is, in words, and when the first request came out otherwise."""

    holds: bool
    found: str
    at: float | None = None


@dataclass(frozen=True)
class RequestsStatement(Statement):
    """Something said of requests to a service; made by the class methods.

    `requests` are those that are meant without a time phrase (of the last "I send"); None where
    requests flow by themselves: the next 20. With a window all of the window are meant.
    """

    service: Key
    what: str
    argument: Any
    words: str
    requests: Requests | None = None

    @classmethod
    def answered(cls, service: Key, amount: Amount | None = None) -> RequestsStatement:
        """So many requests were answered; every one when no amount is given."""
        amount = amount or every()
        return cls(service, "answered", amount, f"{_requests(amount)} to {_name(service)} answered")

    @classmethod
    def unanswered(cls, service: Key, amount: Amount) -> RequestsStatement:
        """So many requests went unanswered."""
        return cls(service, "unanswered", amount, f"{_requests(amount)} to {_name(service)} unanswered")

    @classmethod
    def by_version(cls, service: Key, version: str) -> RequestsStatement:
        """Every request was answered, and by pods of that version (or whole image) only."""
        words = f"requests to {_name(service)} answered by {version} only"
        return cls(service, "by_version", version, words)

    @classmethod
    def by_pods(cls, service: Key, count: Count) -> RequestsStatement:
        """So many different pods answered."""
        words = f"requests to {_name(service)} answered by {count.text} different pods"
        return cls(service, "by_pods", count, words)

    @classmethod
    def so_many_by_version(cls, service: Key, amount: Amount, version: str) -> RequestsStatement:
        """So many of all requests were answered by pods of that version or image."""
        words = f"{_requests(amount)} to {_name(service)} answered by {version}"
        return cls(service, "so many by version", (amount, version), words)

    @classmethod
    def gap(cls, service: Key, seconds: float) -> RequestsStatement:
        """Nowhere more than so many seconds lie between two answered requests around unanswered ones."""
        words = f"requests to {_name(service)} unanswered for at most {duration(seconds)}"
        return cls(service, "gap", seconds, words)

    @classmethod
    def longer_gap(cls, service: Key, seconds: float) -> RequestsStatement:
        """Somewhere more than so many seconds lie between two answered requests around unanswered ones."""
        words = f"requests to {_name(service)} unanswered for more than {duration(seconds)}"
        return cls(service, "longer gap", seconds, words)

    @classmethod
    def answer_contains(cls, service: Key, text: str) -> RequestsStatement:
        """Every request was answered, and every answer contains the text."""
        return cls(service, "contains", text, f'every answer contains "{text}"')

    def of(self, requests: Requests | None) -> RequestsStatement:
        """The same about these requests."""
        return replace(self, requests=requests)

    @property
    def text(self) -> str:
        return self.words

    @property
    def subject(self) -> WorkloadRef:
        return WorkloadRef("services", self.service.namespace, self.service.name)

    @property
    def resources(self) -> frozenset[str]:
        return frozenset()

    @property
    def admits_nothing(self) -> bool:
        return self.what == "so many by version" and self.argument[0].holds(0, 1)

    def missing(self, view: View) -> str:
        words = super().missing(view)
        if words or not self.admits_nothing:
            return words
        _, version = self.argument
        of_image = PodSelector(None, self.service.namespace, image=version)
        of_version = PodSelector(None, self.service.namespace, version=version)
        return of_image.missing(view) and of_version.missing(view)

    @property
    def of_answers(self) -> bool:
        """Whether it is about who answers, and what, more than about whether anybody does."""
        return self.what in OF_ANSWERS

    @property
    def of_each(self) -> bool:
        """Whether one request can tell: it is about every one, or about none."""
        if self.what in ("by_version", "contains"):
            return True
        amount = self.argument[0] if isinstance(self.argument, tuple) else self.argument
        return isinstance(amount, Count) and self.what != "by_pods" and (amount.whole or amount.high == 0)

    def track(self, view: View) -> Tracker:
        del view
        raise UsageError(f'"{self.words}" is about requests, and cannot be joined to others by "while"')

    def look(self, requests: Requests, origin: float = 0.0) -> Verdict:
        """Whether it is true of these requests, and what there is, in words; never true of none.

        Times are told from `origin` on.
        """
        if not requests:
            none = f"there were no requests to {_name(self.service)}: a judgement over none says nothing"
            return Verdict(False, none)
        if self.what in BY_POD and any(request.answered and not request.pod for request in requests):
            raise CannotJudge(
                f'"{self.words}" cannot be told: which pod answered is not known, as no answer names its pod'
            )
        told = [request._replace(at=request.at - origin) for request in requests] if origin else requests
        holds, found = RULES[self.what](told, self.argument)
        first = next((request.at for request in requests if not request.answered), None)
        return Verdict(holds, found, None if holds or self.what in OF_LOSSES else first)


def _answered(requests: Requests, amount: Amount) -> Outcome:
    n = sum(request.answered for request in requests)
    return amount.holds(n, len(requests)), f"{_out_of(n, requests, amount)} answered{_failures(requests)}"


def _unanswered(requests: Requests, amount: Amount) -> Outcome:
    n = sum(not request.answered for request in requests)
    return amount.holds(n, len(requests)), f"{_out_of(n, requests, amount)} unanswered{_failures(requests)}"


def _by_version(requests: Requests, version: str) -> Outcome:
    same = all(request.answered and match_image(request.image, version) for request in requests)
    return same, _by_images(requests)


def _so_many_by_version(requests: Requests, wanted: tuple[Amount, str]) -> Outcome:
    amount, version = wanted
    n = sum(request.answered and match_image(request.image, version) for request in requests)
    return amount.holds(n, len(requests)), f"{_out_of(n, requests, amount)}: {_by_images(requests)}"


def _by_pods(requests: Requests, count: Count) -> Outcome:
    pods = sorted({request.pod for request in requests if request.answered})
    return bool(pods) and count.holds(
        len(pods), len(pods)
    ), f"{len(pods)} pods answered ({', '.join(pods[:6])})"


def _gap(requests: Requests, seconds: float) -> Outcome:
    longest, begin = longest_gap(requests)
    found = f"the longest gap is {longest:.3g} s, from t+{begin:.1f} s on" if longest else "no gap"
    return longest <= seconds, found + _failures(requests)


def _longer_gap(requests: Requests, seconds: float) -> Outcome:
    holds, found = _gap(requests, seconds)
    return not holds, found


def _contains(requests: Requests, text: str) -> Outcome:
    wrong = [request for request in requests if not request.answered or text not in request.body]
    if not wrong:
        return True, f"{len(requests)} answers contain it"
    return False, f"{len(wrong)} of {len(requests)} do not, one at t+{wrong[0].at:.1f} s: {_one(wrong[0])}"


OF_ANSWERS = frozenset({"by_version", "so many by version", "by_pods", "contains"})
"""What is about who answers, and what."""
OF_LOSSES = frozenset({"unanswered", "longer gap"})
"""What an unanswered request does not contradict."""
BY_POD = OF_ANSWERS - {"contains"}
"""What needs to know which pod answered."""
RULES: dict[str, Callable[[Requests, Any], Outcome]] = {
    "answered": _answered,
    "unanswered": _unanswered,
    "by_version": _by_version,
    "so many by version": _so_many_by_version,
    "by_pods": _by_pods,
    "gap": _gap,
    "longer gap": _longer_gap,
    "contains": _contains,
}


def _failures(requests: Requests) -> str:
    failed = [request for request in requests if not request.answered]
    if not failed:
        return ""
    return f"; the first without at t+{failed[0].at:.1f} s: {_one(failed[0])}"


def _one(request: Request) -> str:
    who = f" from {request.pod}" if request.pod else ""
    code = f"{request.code} " if request.code else ""
    return f"{code}{request.body!r}{who}" if request.answered or request.code else f"{request.body}{who}"


def _by_images(requests: Requests) -> str:
    counts: dict[str, int] = {}
    for request in requests:
        who = f"answered by {request.image}" if request.answered else "unanswered"
        counts[who] = counts.get(who, 0) + 1
    return ", ".join(f"{n} {who}" for who, n in counts.items())


def _out_of(n: int, requests: Requests, amount: Amount) -> str:
    percent = f" ({100 * n / len(requests):.4g}%)" if isinstance(amount, Share) else ""
    return f"{n} of {len(requests)}{percent}"


def _requests(amount: Amount) -> str:
    if isinstance(amount, Share):
        return f"{amount.text} of requests"
    if amount == every():
        return "every request"
    return f"{amount.text} request{'s' if amount.plural else ''}"


def _name(service: Key) -> str:
    return f'service "{service.name}"'
