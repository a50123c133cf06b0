"""config.uvicorn_heads: whichever way uvicorn is started, its connections are patient ones."""

from __future__ import annotations

import pytest
from uvicorn.config import Config
from uvicorn.lifespan.on import LifespanOn
from uvicorn.protocols.http.h11_impl import H11Protocol

from config.asgitypes import Receive, Scope, Send
from config.uvicorn_heads import PatientProtocol, limit_heads


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve nothing."""


@pytest.mark.parametrize("flag", ["auto", "httptools"])
async def test_the_connections_of_the_server_that_announces_its_start_are_patient(
    flag: str,
) -> None:
    lifespan = LifespanOn(Config(nothing, http=flag, ws="none"))

    limit_heads(lifespan.receive)

    assert lifespan.config.http_protocol_class is PatientProtocol


async def test_another_implementation_is_left_alone_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lifespan = LifespanOn(Config(nothing, http="h11", ws="none"))

    limit_heads(lifespan.receive)

    assert lifespan.config.http_protocol_class is H11Protocol
    assert "--http httptools" in caplog.text


async def test_another_server_is_left_alone() -> None:
    async def receive() -> dict[str, str]:
        return {"type": "lifespan.startup"}

    limit_heads(receive)
