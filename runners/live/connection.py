"""How the API server of a context is reached, and what to tell a user when it cannot be.

The transport is the pool of the official client: TLS, client certificates, proxies and tokens of login
programs are its business. Nothing is sent to a context that was not named.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import ssl
import time
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import urllib3
from urllib3 import exceptions as lost

from gherkube.runners.errors import ApiError, CannotJudge, UsageError
from gherkube.runners.objects import Object

if TYPE_CHECKING:
    import kubernetes.client

CONNECT = 5.0
"""Real seconds that a connection may take."""
ANSWER = 30.0
"""Real seconds that an answer may take."""
CONNECTIONS = 600
"""How many are kept: requests to services may wait for their answers side by side."""
COMES_UP = 20.0
"""Real seconds after which a server that did not answer knows again who may do what."""


class Unreachable(CannotJudge):
    """The API server did not answer; `unsent`: the request cannot have reached it; `late`: not in time."""

    def __init__(self, text: str, *, unsent: bool, late: bool = False) -> None:
        super().__init__(text)
        self.unsent, self.late = unsent, late


class Connection:
    """A connection to the API server of one context, safe for several threads."""

    def __init__(self, client: kubernetes.client.ApiClient, context: str, file: str) -> None:
        self.client, self.context, self.file = client, context, file
        self.server: str = client.configuration.host.rstrip("/")
        self._pool: urllib3.PoolManager = client.rest_client.pool_manager
        self._lost = -COMES_UP
        """When the server did not answer last, as `time.monotonic` tells."""

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the cluster's certificate authority, in hex; "" when there is none."""
        path = self.client.configuration.ssl_ca_cert
        if not path:
            return ""
        first = re.search(
            r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", Path(path).read_text(), re.DOTALL
        )
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first[0])).hexdigest() if first else ""

    def send(
        self,
        method: str,
        path: str,
        query: dict[str, Any] | None = None,
        body: Any = None,
        *,
        type: str = "application/json",  # noqa: A002 - what HTTP calls it
        accept: str = "application/json",
        answer: float = ANSWER,
    ) -> urllib3.BaseHTTPResponse:
        """The answer's head, whatever its code; its body is still to be read. Raises Unreachable."""
        asked = {name: value for name, value in (query or {}).items() if value not in ("", None)}
        headers = {"Accept": accept, "User-Agent": "gherkube", **self._authority()}
        if body is not None:
            headers["Content-Type"] = type
        try:
            return self._pool.request(
                method,
                f"{self.server}{path}{'?' + urlencode(asked) if asked else ''}",
                body=None if body is None else json.dumps(body).encode(),
                headers=headers,
                timeout=urllib3.Timeout(connect=CONNECT, read=answer),
                retries=False,
                preload_content=False,
                redirect=False,
            )
        except lost.HTTPError as error:
            raise self.unreachable(error) from None

    def ask(
        self, method: str, path: str, query: dict[str, Any] | None = None, body: Any = None, **more: Any
    ) -> Any:
        """The answer's body, once; JSON where it is. Raises ApiError, CannotJudge."""
        response = self.send(method, path, query, body, **more)
        try:
            data = response.data
        except lost.HTTPError as error:
            raise self.unreachable(error) from None
        if response.status == 401:
            raise CannotJudge(
                f"the API server of context {self.context!r} ({self.server}) does not know who asks "
                "(401 Unauthorized): the token or certificate of the context has expired, or is another "
                "cluster's; log in again"
            )
        if response.status >= 400:
            raise refusal(response.status, data, response.headers.get("Retry-After"))
        return json.loads(data) if data else {}

    def unreachable(self, error: Exception) -> Unreachable:
        """What became of a request, in words."""
        at = f"the API server of context {self.context!r} ({self.server})"
        self._lost = time.monotonic()
        # Where Docker forwards the port it stays open while the server is started again: TLS just ends.
        cut = "EOF" in str(error)
        if not cut and (isinstance(error, lost.SSLError) or "CERTIFICATE_VERIFY_FAILED" in str(error)):
            return Unreachable(
                f"{at} shows a certificate that the kubeconfig does not trust ({_root(error)}): another "
                f"cluster answers at that address, or {self.file} is out of date; get its kubeconfig anew",
                unsent=True,
            )
        unsent = isinstance(error, lost.NewConnectionError | lost.ConnectTimeoutError | lost.ProxyError)
        return Unreachable(
            f"{at} does not answer: {_root(error)}; see that the cluster runs, and can be reached",
            unsent=unsent,
            late=isinstance(error, lost.ReadTimeoutError),
        )

    def answers(self) -> bool:
        """Whether the API server says something of its own, now."""
        try:
            self.send("GET", "/version", answer=CONNECT).release_conn()
        except Unreachable:
            return False
        return True

    def is_coming_up(self, refusal: ApiError) -> bool:
        """Whether the server has just been started, so that it does not know yet who may do what."""
        return refusal.code == 403 and time.monotonic() < self._lost + COMES_UP

    def kubeconfig(self, namespace: str) -> str:
        """The text of a kubeconfig with this context alone, in which that namespace is meant."""
        import yaml
        from kubernetes.config.kube_config import KubeConfigMerger

        found = KubeConfigMerger(self.file).config  # type: ignore[no-untyped-call]
        context = found["contexts"].get_with_name(self.context).value
        cluster, user = context["context"]["cluster"], context["context"]["user"]
        parts = {
            "contexts": [{**context, "context": {**context["context"], "namespace": namespace}}],
            "clusters": [found["clusters"].get_with_name(cluster).value],
            "users": [found["users"].get_with_name(user).value],
        }
        one = {"apiVersion": "v1", "kind": "Config", "current-context": self.context}
        return yaml.safe_dump({**one, **parts})

    def clock_skew(self, now: float) -> float:
        """How many seconds the server's clock is ahead of `now`, to the second."""
        said = self.send("GET", "/version")
        said.drain_conn()
        date = said.headers.get("Date")
        return parsedate_to_datetime(date).timestamp() - now if date else 0.0

    def close(self) -> None:
        """Lets go of all connections."""
        self._pool.clear()

    def _authority(self) -> dict[str, str]:
        """The header that says who asks; a login program is asked again when its token has expired."""
        settings = self.client.configuration.auth_settings()
        return {each["key"]: each["value"] for each in settings.values() if each["value"]}


def connect(context: str, kubeconfig: str = "") -> Connection:
    """A connection to a context of the kubeconfig (that of KUBECONFIG, or of the home folder, unless named).

    Raises UsageError where there is no such file or context.
    """
    from kubernetes import client, config

    file = kubeconfig or os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    try:
        there = config.list_kube_config_contexts(config_file=file)[0]  # type: ignore[no-untyped-call]
        contexts = [each["name"] for each in there]
    except (config.ConfigException, OSError, TypeError, KeyError) as error:
        contexts = _contexts(file, error)
    if context not in contexts:
        named = ", ".join(contexts) or "none"
        raise UsageError(f"there is no context {context!r} in {file}; the contexts are: {named}")
    configuration = client.Configuration()
    try:
        config.load_kube_config(config_file=file, context=context, client_configuration=configuration)  # type: ignore[no-untyped-call]
    except (config.ConfigException, OSError, ValueError) as error:
        raise UsageError(f"context {context!r} of {file} cannot be used: {error}") from None
    configuration.connection_pool_maxsize = CONNECTIONS
    found = os.pathsep.join(os.path.abspath(each) for each in file.split(os.pathsep))
    return Connection(client.ApiClient(configuration), context, found)


def _contexts(file: str, error: Exception) -> list[str]:
    """The contexts of a file without a current one, which the client refuses to list."""
    import yaml

    try:
        found = yaml.safe_load(Path(file).read_text())
        return [each["name"] for each in found["contexts"]]
    except OSError as missing:
        raise UsageError(
            f"the kubeconfig {file} cannot be read ({missing.strerror}): "
            "name one with --kubeconfig or KUBECONFIG"
        ) from None
    except (yaml.YAMLError, KeyError, TypeError):
        raise UsageError(f"{file} is no kubeconfig: {error}") from None


def refusal(code: int, data: bytes, retry_after: str | None = None) -> ApiError:
    """A refusal of the server with its Status; `details` say after how many seconds to ask again."""
    try:
        status: Object = json.loads(data)
        error = ApiError(code, status["reason"], status["message"], status.get("details"))
    except (ValueError, KeyError, TypeError):
        text = data.decode("utf-8", "replace").strip()[:200]
        error = ApiError(code, "", text or f"the server answered {code}")
    if retry_after and retry_after.isdigit():
        error.details = {**error.details, "retryAfterSeconds": int(retry_after)}
    return error


def _root(error: BaseException) -> str:
    """The innermost reason, without Python's wrapping."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(getattr(error, "strerror", None) or error)
