"""The API server: who asks, may they, and which part of the program answers."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web

from democluster import discovery, rest
from democluster.auth import Authenticator
from democluster.certificates import Certificates
from democluster.kubelet import Kubelet
from democluster.objects import JsonObject
from democluster.rbac import Attributes, User, require
from democluster.requests import ApiRequest, parse_path
from democluster.resources import PODS, REVIEWS
from democluster.reviews import review
from democluster.status import ApiError, method_not_allowed
from democluster.store import Store
from democluster.streams import StreamServer
from democluster.tail import read_log
from democluster.watch import watch

LOG = logging.getLogger(__name__)

HOST = "127.0.0.1"
"""The only address it listens on: whoever holds a token has a shell on this machine."""

MAX_BODY_BYTES = 3 * 1024 * 1024
"""The largest object, like in a real API server."""

MAX_HEADER_BYTES = 1024 * 1024
"""The longest request line: the command of an exec is in it."""

SHUTDOWN_SECONDS = 1.0
"""How long open requests may take to end when the program ends."""


class ApiServer:
    """Answers every request. One per program."""

    def __init__(
        self,
        store: Store,
        authenticator: Authenticator,
        kubelets: Mapping[str, Kubelet],
        streams: StreamServer,
    ) -> None:
        self._store = store
        self._authenticator = authenticator
        self._kubelets = kubelets
        self._streams = streams

    async def start(self, certificates: Certificates, port: int) -> tuple[web.AppRunner, int]:
        """Listen on loopback; return what to clean up and the port. Raises OSError."""
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        application.router.add_route("*", "/{path:.*}", self.handle)
        runner = web.AppRunner(
            application,
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=SHUTDOWN_SECONDS,
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
        )
        await runner.setup()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificates.certificate, certificates.key)
        site = web.TCPSite(runner, HOST, port, ssl_context=context)
        await site.start()
        return runner, int(runner.addresses[0][1])

    async def handle(self, http: web.Request) -> web.StreamResponse:
        """Answer one request; every error becomes a Status."""
        try:
            user = self._authenticator.user_of(http.headers)
            request = parse_path(http, user)
            if request is None:
                return self._answer_path(http, user)
            return await self._answer_resource(request)
        except ApiError as error:
            return rest.reply(http, error.body, error.code)
        except web.HTTPRequestEntityTooLarge:
            too_large = ApiError(413, "RequestEntityTooLarge", "Request entity too large", {})
            return rest.reply(http, too_large.body, too_large.code)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            # An object of a shape that nothing here expects, sent by somebody with a token.
            LOG.warning("cannot answer %s %s", http.method, http.path, exc_info=error)
            failed = ApiError(500, "InternalError", f"Internal error occurred: {error!r}", {})
            return rest.reply(http, failed.body, failed.code)

    async def _answer_resource(self, request: ApiRequest) -> web.StreamResponse:
        require(self._store, request.user, request.attributes)
        if request.resource in REVIEWS:
            return await self._answer_review(request)
        if request.resource is PODS and request.subresource in ("exec", "attach"):
            return await self._streams.handle(request)
        if request.resource is PODS and request.subresource == "log":
            return await read_log(self._store, self._kubelets, request)
        if request.verb == "watch":
            return await watch(self._store, request)
        return await rest.handle(self._store, request)

    async def _answer_review(self, request: ApiRequest) -> web.Response:
        if request.verb != "create":
            raise method_not_allowed()
        body = await rest.read_body(request.http)
        made = review(self._store, request.user, request.resource, body)
        return rest.reply(request.http, made, HTTPStatus.CREATED)

    def _answer_path(self, http: web.Request, user: User) -> web.Response:
        wanted = Attributes(http.method.lower(), path=http.path)
        require(self._store, user, wanted)
        body = _document(http)
        if body is None:
            if http.path.rstrip("/") in ("/healthz", "/livez", "/readyz"):
                return web.Response(text="ok")
            return web.Response(status=HTTPStatus.NOT_FOUND, text="404 page not found\n")
        return rest.reply(http, body)


def _document(http: web.Request) -> JsonObject | None:
    """Return what a path that is no resource says, or None if nothing is there."""
    match [part for part in http.path.split("/") if part]:
        case ["version"]:
            return discovery.version_info()
        case ["api"]:
            return discovery.api_versions(http.host)
        case ["apis"]:
            return discovery.api_groups()
        case ["api", version]:
            return discovery.api_resources("", version)
        case ["apis", group]:
            return discovery.api_group(group)
        case ["apis", group, version]:
            return discovery.api_resources(group, version)
        case ["openapi", "v3"]:
            return discovery.openapi_index()
        case ["openapi", "v3", "api", version]:
            return discovery.openapi_document("", version)
        case ["openapi", "v3", "apis", group, version]:
            return discovery.openapi_document(group, version)
        case _:
            return None
