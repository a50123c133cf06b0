"""Both servers, with raw sockets: who gets a socket, and what every answer carries."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.config.servers import Person, Server, running

SUBPROTOCOL = "hatchway.targets.v1"


@pytest.fixture(scope="module")
def person(server: Server) -> Person:
    return Person(server, "alice")


def knock(server: Server, person: Person, *origins: bytes, ticket: str | None = None) -> int:
    secret = person.ticket() if ticket is None else ticket
    return server.handshake(
        "/ws/targets",
        [("Origin", origin) for origin in origins],
        protocols=f"{SUBPROTOCOL}, hatchway.ticket.{secret}",
        cookie=person.cookie,
    )


def test_the_exact_origin_with_cookie_and_ticket_gets_a_socket(
    server: Server, person: Person
) -> None:
    assert knock(server, person, server.origin.encode()) == 101


@pytest.mark.parametrize(
    "origin",
    [
        b"null",
        b"https://evil.example",
        b"http://127.0.0.1.evil.example:{port}",
        b"https://evil.example#http://127.0.0.1:{port}",
        b"http://127.0.0.1:{port}@evil.example",
        b"https://127.0.0.1:{port}",
        b"http://127.0.0.1:9999",
        b"http://127.0.0.1",
        b"http://localhost:{port}",
        b"http://sub.127.0.0.1:{port}",
        b"HTTP://127.0.0.1:{port}",
        b"http://127.0.0.1:{port}/",
        b"http://127.0.0.1:{port} ,http://evil.example",
        b"",
    ],
)
def test_every_other_origin_is_refused_in_spite_of_cookie_and_ticket(
    server: Server, person: Person, origin: bytes
) -> None:
    status = knock(server, person, origin.replace(b"{port}", str(server.port).encode()))

    assert status in (400, 403)


def test_no_origin_is_refused(server: Server, person: Person) -> None:
    assert knock(server, person) == 403


@pytest.mark.parametrize("good_first", [True, False])
def test_two_origins_are_refused(server: Server, person: Person, good_first: bool) -> None:
    pair = [server.origin.encode(), b"https://evil.example"]

    assert knock(server, person, *(pair if good_first else reversed(pair))) in (400, 403)
    assert knock(server, person, pair[0], pair[0]) in (400, 403)


@pytest.mark.parametrize("byte", [b"\x0b", b"\x0c", b"\x1c", b"\x1d", b"\x1e", b"\x85", b"\x00"])
def test_an_origin_cannot_be_smuggled_in_another_header(
    server: Server, person: Person, byte: bytes
) -> None:
    status = server.handshake(
        "/ws/targets",
        [("X-Note", b"a" + byte + b"Origin: " + server.origin.encode())],
        protocols=f"{SUBPROTOCOL}, hatchway.ticket.{person.ticket()}",
        cookie=person.cookie,
    )

    assert status in (0, 400, 403)


def test_a_ticket_opens_one_socket(server: Server, person: Person) -> None:
    ticket = person.ticket()

    assert knock(server, person, server.origin.encode(), ticket=ticket) == 101
    assert knock(server, person, server.origin.encode(), ticket=ticket) == 403


def test_without_a_login_a_ticket_opens_nothing(server: Server, person: Person) -> None:
    status = server.handshake(
        "/ws/targets",
        [("Origin", server.origin.encode())],
        protocols=f"{SUBPROTOCOL}, hatchway.ticket.{person.ticket()}",
    )

    assert status == 403


@pytest.mark.parametrize("protocols", [SUBPROTOCOL, "hatchway.ticket.AAAA", "chat"])
def test_without_a_ticket_a_login_opens_nothing(
    server: Server, person: Person, protocols: str
) -> None:
    status = server.handshake(
        "/ws/targets",
        [("Origin", server.origin.encode())],
        protocols=protocols,
        cookie=person.cookie,
    )

    assert status == 403


def test_an_address_that_nobody_serves_is_refused(server: Server, person: Person) -> None:
    status = server.handshake(
        "/ws/nowhere",
        [("Origin", server.origin.encode())],
        protocols=SUBPROTOCOL,
        cookie=person.cookie,
    )

    assert status == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", (200, 503)),
        ("/t/demo/shop/web-1/web", (200, 503)),
        ("/healthz", (200,)),
        ("/api/me", (401,)),
        ("/api/nowhere", (404,)),
        ("/api/openapi.json", (200, 401)),
        ("/admin/", (302,)),
        ("/static/admin/css/base.css", (200,)),
        ("/static/nowhere.css", (404,)),
        ("/%0a", (400,)),
    ],
)
def test_every_answer_carries_the_security_headers(
    server: Server, path: str, status: tuple[int, ...]
) -> None:
    head = server.get(path).split(b"\r\n\r\n")[0].decode().lower()

    assert int(head.split(" ")[1]) in status
    for line in (
        "x-content-type-options: nosniff",
        "x-frame-options: deny",
        "cross-origin-opener-policy: same-origin",
        "cross-origin-resource-policy: same-origin",
        "referrer-policy: same-origin",
        "permissions-policy: ",
        "frame-ancestors 'none'",
    ):
        assert line in head, line
    assert "unsafe-inline" not in head
    assert "access-control-allow-origin" not in head
    if path.startswith("/static/") and "200" in head.split("\r\n")[0]:
        assert "no-store" not in head
    else:
        assert "no-store" in head.partition("cache-control:")[2].split("\r\n")[0]
        assert "cookie" in head.partition("vary:")[2].split("\r\n")[0]


def test_a_wrong_host_is_refused_with_the_same_headers(server: Server) -> None:
    head = server.raw(b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n").lower()

    assert head.startswith(b"http/1.1 400")
    assert b"nosniff" in head


def test_a_forged_address_is_not_believed(server: Server, folder: Path) -> None:
    Person(server, "bob", address="203.0.113.66")

    assert _audit_addresses(folder) == {"127.0.0.1"}


def test_a_server_that_believes_the_header_itself_does_not_make_it_true(folder: Path) -> None:
    with running("uvicorn with proxy headers", folder) as believing:
        Person(believing, "vera", address="203.0.113.66")

        assert "--no-proxy-headers" in believing.log.read_text()
    assert not _rows(folder, "SELECT 1 FROM access_auditevent WHERE address LIKE '203%'")


def test_tickets_do_not_stand_in_the_log(server: Server, person: Person) -> None:
    ticket = person.ticket()
    knock(server, person, server.origin.encode(), ticket=ticket)
    knock(server, person, b"https://evil.example", ticket=ticket)

    assert ticket not in server.log.read_text(errors="replace")


@pytest.mark.parametrize("kind", ["uvicorn", "daphne"])
def test_a_server_ends_in_order_when_it_is_told_to(kind: str, folder: Path) -> None:
    with running(kind, folder) as found:
        found.process.send_signal(signal.SIGTERM)
        found.process.wait(timeout=30)

        log = found.log.read_text(errors="replace")
        assert "Traceback" not in log, log
    assert _hosts(folder, found) == []


def _audit_addresses(folder: Path) -> set[str]:
    return {
        row[0]
        for row in _rows(folder, "SELECT address FROM access_auditevent WHERE username != 'vera'")
    }


def _hosts(folder: Path, server: Server) -> list[tuple[str, ...]]:
    """Return the process's sign of life, which it takes back when it ends in order."""
    return _rows(folder, f"SELECT name FROM terminal_host WHERE pid = {server.process.pid}")


def _rows(folder: Path, query: str) -> list[tuple[str, ...]]:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(folder / "hatchway.sqlite3")) as database:
        return list(database.execute(query))
