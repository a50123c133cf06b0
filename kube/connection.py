"""One cluster's API server: authenticated, as somebody, over REST and over streams.

Three aiohttp sessions: one for calls that end soon, one for those beyond KEPT_CONNECTIONS at the
same time, one for streams (exec, attach, watch), which have no limit in number or time. Identity
is added here and nowhere else: in a cluster that is configured with `impersonate`, a call for a
person always carries exactly that person.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import orjson
from multidict import CIMultiDict
from yarl import URL

from kube.credentials import Credentials, CredentialSource
from kube.errors import ApiRefused, CredentialsError, KubeError, Unreachable
from kube.tcp import CLOSE_SECONDS, Sockets
from protocol.identity import Identity

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
"""To open TCP and TLS; an API server that is there answers in milliseconds."""

CALL_SECONDS = 15.0
"""For a whole REST call, the largest list page included."""

HANDSHAKE_SECONDS = 15.0
"""From the connected socket to 101: the API server dials the node meanwhile."""

MAX_MESSAGE = 4 << 20
"""Bytes of one WebSocket message; servers send at most 32 KiB + 1."""

MAX_LINE = 8 << 20
"""Bytes of one watch event: an object is at most 1.5 MiB in etcd, JSON makes it longer."""

CHECK_SECONDS = 5.0
"""How often the files behind the credentials are looked at, when they are used."""

KEPT_CONNECTIONS = 8
"""Connections that stay open between REST calls. The one that rested longest is taken first, so in
a larger pool none would rest long enough to be closed: after one burst of looks at pods every
session would pay for a TLS connection (45 KiB). A call that finds them all busy is given one of
its own, which is closed behind it: nobody waits behind calls that a server leaves hanging."""

KEPT_SECONDS = 15.0
"""How long a connection rests before it is closed, at the latest twice as long: a pod is looked at
every 8 s, and half a minute after the last call nothing is left open."""

RETRY_SECONDS = 10.0
"""After a 401 credentials are read anew at most this often."""

_MAX_ERROR_BODY = 64 * 1024
_ERROR_BODY_SECONDS = 5.0


class IdentityMode(StrEnum):
    """As whom a cluster sees a call for a person."""

    SERVICE_ACCOUNT = "service-account"
    """As Hatchway. What a person may do is decided by Hatchway alone."""
    IMPERSONATE = "impersonate"
    """As that person: user name and groups."""


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """What people and settings know of a cluster."""

    name: str
    identity_mode: IdentityMode = IdentityMode.SERVICE_ACCOUNT


def api_path(*segments: str) -> str:
    """Return `/a/b/c` with every segment escaped, so that a name is never more than a name.

    Raises ApiRefused (404) for a segment that servers would resolve: nothing, `.` and `..`.
    """
    if not {"", ".", ".."}.isdisjoint(segments):
        raise ApiRefused(404, message="an empty name or one of dots names nothing")
    return "".join(f"/{quote(segment, safe='')}" for segment in segments)


class ClusterConnection:
    """Everything that Hatchway sends to one cluster goes through here.

    Bound to the event loop in which it is first used; `aclose` ends what is still open.
    """

    def __init__(self, config: ClusterConfig, source: CredentialSource) -> None:
        self.config = config
        self._source = source
        self._credentials: Credentials | None = None
        self._checked = 0.0
        self._reloaded = float("-inf")
        self._loading = asyncio.Lock()
        self._sockets = Sockets()
        self._calls: aiohttp.ClientSession | None = None
        self._calling = 0
        self._spare_calls: aiohttp.ClientSession | None = None
        self._streams: aiohttp.ClientSession | None = None
        self._version: str | None = None

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self.config.name

    def replace_source(self, source: CredentialSource) -> None:
        """Use other credentials from the next call on (the kubeconfig changed)."""
        if source != self._source:
            self._source = source
            self._credentials = None

    async def aclose(self) -> None:
        """Close every connection to the cluster, open streams included."""
        for session in (self._calls, self._spare_calls, self._streams):
            if session is not None:
                await session.close()
        self._calls = self._spare_calls = self._streams = None
        await self._sockets.aclose()

    async def call(
        self,
        method: str,
        path: str,
        *,
        identity: Identity | None,
        query: Sequence[tuple[str, str]] = (),
        body: object = None,
        content_type: str = "application/json",
        seconds: float = CALL_SECONDS,
    ) -> Any:
        """Return the JSON answer to one REST call.

        `identity` is the person for whom it is made; None means Hatchway itself. Raises
        ApiRefused, Unreachable, CredentialsError.
        """
        data = None if body is None else orjson.dumps(body)
        for attempt in (1, 2):
            credentials = await self._current()
            headers = self._headers(credentials, identity)
            if data is not None:
                headers["Content-Type"] = content_type
            try:
                async with (
                    asyncio.timeout(seconds),
                    self._call_session() as session,
                    session.request(
                        method,
                        _url(credentials, path, query),
                        data=data,
                        headers=headers,
                        allow_redirects=False,
                        **_transport(credentials),
                    ) as response,
                ):
                    return orjson.loads(await response.read())
            except ApiRefused as error:
                if error.status != 401 or attempt == 2 or not self._may_reload():
                    raise
            except orjson.JSONDecodeError as error:
                raise Unreachable(
                    f"What answers at the address of {self.name} is no Kubernetes."
                ) from error
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                raise self._unreachable(error) from error
        raise AssertionError("the second attempt returns or raises")

    @contextlib.asynccontextmanager
    async def lines(
        self, path: str, *, identity: Identity | None, query: Sequence[tuple[str, str]] = ()
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a GET that goes on (a watch) and iterate over its lines.

        Raises what `call` raises; iterating raises Unreachable when the connection breaks.
        """
        credentials = await self._current()
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                response = await self._stream_session().get(
                    _url(credentials, path, query),
                    headers=self._headers(credentials, identity),
                    allow_redirects=False,
                    **_transport(credentials),
                )
        except ApiRefused as error:
            if error.status == 401:
                self._may_reload()
            raise
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._unreachable(error) from error
        try:
            yield self._lines_of(response)
        finally:
            response.close()

    async def open_socket(
        self,
        path: str,
        *,
        identity: Identity | None,
        query: Sequence[tuple[str, str]],
        subprotocols: Sequence[str],
    ) -> aiohttp.ClientWebSocketResponse:
        """Open a WebSocket. The caller closes it with `kube.tcp.close_socket`.

        Raises ApiRefused with the exact Status of a refused handshake, Unreachable,
        CredentialsError. No heartbeat: pongs wait behind a process that does not read.
        """
        for attempt in (1, 2):
            credentials = await self._current()
            try:
                async with asyncio.timeout(HANDSHAKE_SECONDS):
                    opened: aiohttp.ClientWebSocketResponse
                    opened = await self._stream_session().ws_connect(
                        _url(credentials, path, query),
                        protocols=subprotocols,
                        headers=self._headers(credentials, identity),
                        max_msg_size=MAX_MESSAGE,
                        autoclose=False,
                        timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
                        **_transport(credentials),
                    )
                    return opened
            except ApiRefused as error:
                if error.status != 401 or attempt == 2 or not self._may_reload():
                    raise
            except aiohttp.WSServerHandshakeError as error:
                raise ApiRefused(error.status, message=error.message) from error
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                raise self._unreachable(error) from error
        raise AssertionError("the second attempt returns or raises")

    async def server_version(self) -> str | None:
        """Return the server's version, such as `v1.35.4`, or None while it does not answer."""
        if self._version is None:
            try:
                answer = await self.call("GET", "/version", identity=None, seconds=CONNECT_SECONDS)
            except KubeError as error:
                logger.info("cluster %s does not tell its version: %s", self.name, error)
                return None
            self._version = str(answer.get("gitVersion", "")) or None
        return self._version

    def _headers(self, credentials: Credentials, identity: Identity | None) -> CIMultiDict[str]:
        headers = CIMultiDict({"User-Agent": "hatchway", "Accept": "application/json"})
        if credentials.authorization:
            headers["Authorization"] = credentials.authorization
        if identity is not None and self.config.identity_mode is IdentityMode.IMPERSONATE:
            for name in (identity.user, *identity.groups):
                _check_impersonated(name)
            headers["Impersonate-User"] = identity.user
            for group in identity.groups:
                headers.add("Impersonate-Group", group)
        return headers

    async def _current(self) -> Credentials:
        found = self._credentials
        now = time.monotonic()
        if found is not None and now - self._checked < CHECK_SECONDS:
            return found
        async with self._loading:
            found = self._credentials
            if found is not None:
                if time.monotonic() - self._checked < CHECK_SECONDS:
                    return found
                self._checked = time.monotonic()
                if not found.are_stale():
                    return found
            try:
                found = await self._source.load()
            except CredentialsError as error:
                if found is None or (found.expires is not None and found.expires < time.time()):
                    raise
                logger.warning("cluster %s keeps its old credentials: %s", self.name, error)
            self._credentials = found
            self._checked = time.monotonic()
            return found

    def _may_reload(self) -> bool:
        now = time.monotonic()
        if now - self._reloaded < RETRY_SECONDS:
            return False
        self._reloaded = now
        self._credentials = None
        return True

    @contextlib.asynccontextmanager
    async def _call_session(self) -> AsyncIterator[aiohttp.ClientSession]:
        """Yield the session for one call: the one that keeps connections, if one is free."""
        if self._calling >= KEPT_CONNECTIONS:
            if self._spare_calls is None:
                self._spare_calls = _session(
                    aiohttp.TCPConnector(
                        limit=0, force_close=True, socket_factory=self._sockets.for_call
                    )
                )
            yield self._spare_calls
            return
        if self._calls is None:
            self._calls = _session(
                aiohttp.TCPConnector(
                    limit=0,
                    keepalive_timeout=KEPT_SECONDS,
                    socket_factory=self._sockets.for_call,
                )
            )
        self._calling += 1
        try:
            yield self._calls
        finally:
            self._calling -= 1

    def _stream_session(self) -> aiohttp.ClientSession:
        if self._streams is None:
            self._streams = _session(
                aiohttp.TCPConnector(
                    limit=0, force_close=True, socket_factory=self._sockets.for_stream
                )
            )
        return self._streams

    async def _lines_of(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        rest = bytearray()
        try:
            async for chunk in response.content.iter_any():
                rest += chunk
                if b"\n" not in chunk:
                    if len(rest) > MAX_LINE:
                        raise Unreachable(f"{self.name} sent a line that is too long.")
                    continue
                *whole, last = bytes(rest).split(b"\n")
                rest = bytearray(last)
                for line in whole:
                    if line:
                        yield line
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> Unreachable:
        match error:
            case TimeoutError():
                why = "it does not answer in time"
            case aiohttp.ClientConnectorCertificateError():
                why = "its certificate is not valid for the configured authority and name"
            case aiohttp.ClientConnectorDNSError():
                why = "its name cannot be resolved"
            case aiohttp.ClientConnectorError():
                why = f"the connection failed ({error.os_error.strerror or 'no reason given'})"
            case _:
                why = f"the connection broke ({type(error).__name__})"
        return Unreachable(f"The cluster {self.name} cannot be reached: {why}.")


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    redirects = aiohttp.TraceConfig()
    redirects.on_request_redirect.append(_refuse_redirect)
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(
            total=None, connect=CONNECT_SECONDS, sock_connect=CONNECT_SECONDS
        ),
        raise_for_status=_raise_for_status,
        trace_configs=[redirects],
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=True,
    )


async def _raise_for_status(response: aiohttp.ClientResponse) -> None:
    if response.status == 101 or 200 <= response.status < 300:
        return
    try:
        async with asyncio.timeout(_ERROR_BODY_SECONDS):
            body = await response.content.read(_MAX_ERROR_BODY)
            while len(body) < _MAX_ERROR_BODY and not response.content.at_eof():
                body += await response.content.read(_MAX_ERROR_BODY - len(body))
    except (aiohttp.ClientError, TimeoutError):
        body = b""
    finally:
        response.close()
    raise _refusal(response.status, body)


def _refusal(status: int, body: bytes) -> ApiRefused:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        answer = None
    if isinstance(answer, dict) and answer.get("kind") == "Status":
        return ApiRefused(
            status,
            reason=str(answer.get("reason") or ""),
            message=str(answer.get("message") or ""),
            details=answer.get("details"),
        )
    return ApiRefused(status, message=body.decode("utf-8", "replace").strip())


async def _refuse_redirect(
    _session: aiohttp.ClientSession,
    _context: SimpleNamespace,
    parameters: aiohttp.TraceRequestRedirectParams,
) -> None:
    raise ApiRefused(
        parameters.response.status, message="the API server redirects, which is not followed"
    )


def _url(credentials: Credentials, path: str, query: Sequence[tuple[str, str]]) -> URL:
    suffix = f"?{urlencode(query, quote_via=quote)}" if query else ""
    return URL(f"{credentials.server}{path}{suffix}", encoded=True)


def _transport(credentials: Credentials) -> Mapping[str, Any]:
    settings: dict[str, Any] = {"proxy": credentials.proxy or _environment_proxy(credentials)}
    if credentials.tls is not None:
        settings["ssl"] = credentials.tls
        settings["server_hostname"] = credentials.tls_server_name
    return settings


def _environment_proxy(credentials: Credentials) -> str | None:
    parts = urlsplit(credentials.server)
    host = parts.hostname or ""
    if host in {"localhost", "127.0.0.1", "::1"} or proxy_bypass(host):
        return None
    found = getproxies().get(parts.scheme)
    return found if found and found.startswith("http://") else None


def _check_impersonated(name: str) -> None:
    """Raise for a name that must never reach a cluster: a system one or no clean text."""
    if not name or name.startswith("system:") or not name.isprintable() or name != name.strip():
        raise ApiRefused(
            403, message=f"Hatchway does not act in a cluster as {name[:80]!r}; choose another name"
        )
