"""A whole session with PostgreSQL and Redis behind it: both are the ones of an installation."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.democluster.running import RunningDemoCluster
from tests.e2e.person import shell, sign_in
from tests.e2e.running import RunningHatchway, running_hatchway
from tests.e2e.targets import first_target

pytestmark = pytest.mark.redis


@pytest.fixture(scope="module")
def redis_url() -> str:
    """Return the address of a Redis that may be used for tests."""
    url = os.environ.get("HATCHWAY_TEST_REDIS_URL", "")
    if not url:
        pytest.skip("needs a Redis server: set HATCHWAY_TEST_REDIS_URL")
    return url


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    """Return the address of a new, empty database; it is dropped afterwards."""
    server = os.environ.get("HATCHWAY_TEST_DATABASE_URL", "")
    if not server:
        pytest.skip("needs a PostgreSQL server: set HATCHWAY_TEST_DATABASE_URL")
    name = f"hatchway_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="module")
def hatchway(
    demo_cluster: RunningDemoCluster,
    database_url: str,
    redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningHatchway]:
    """Hatchway as an installation runs it."""
    with running_hatchway(
        tmp_path_factory.mktemp("stores"),
        demo_cluster.kubeconfig,
        DATABASE_URL=database_url,
        HATCHWAY_REDIS_URL=redis_url,
    ) as running:
        yield running


async def test_a_session_begins_is_viewed_and_ends_on_record(
    hatchway: RunningHatchway, demo_cluster: RunningDemoCluster
) -> None:
    alice = await asyncio.to_thread(sign_in, hatchway)
    target = first_target(demo_cluster.kubeconfig, "demo", "shop")
    async with shell(alice, target) as typing:
        await typing.types(b"echo $((6*7)) done\r")
        await typing.sees(b"42 done")
        [live] = (await asyncio.to_thread(alice.call, "GET", "/api/sessions"))["sessions"]
        assert (live["state"], live["attached"]) == ("live", True)
        await typing.types(b"exit 3\r")
        await typing.until(lambda: bool(typing.told("ended")))
        assert typing.told("ended")[0]["exit_code"] == 3

    async with asyncio.timeout(20):
        while live["state"] != "ended":
            [live] = (await asyncio.to_thread(alice.call, "GET", "/api/sessions"))["sessions"]
    assert (live["end_reason"], live["exit_code"]) == ("exited", 3)
    tags = await asyncio.to_thread(
        hatchway.manage,
        *("shell", "-v", "0", "-c"),
        "from access.models import AuditEvent\n"
        "print(*AuditEvent.objects.order_by('time').values_list('tag', flat=True))",
    )
    assert [tag for tag in tags.split() if tag.startswith("terminal:")] == [
        "terminal:session:start",
        "terminal:session:end",
    ]


def test_nothing_of_a_session_is_in_redis(hatchway: RunningHatchway, redis_url: str) -> None:
    """Whoever reads or writes there neither sees a terminal nor types into one."""
    import redis

    with redis.Redis.from_url(redis_url) as client:
        assert client.pubsub_channels("*hatchway*") == []
        assert list(client.scan_iter("*hatchway*")) == []
