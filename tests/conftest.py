"""The cast and the house rules of every test.

Alice operates the namespace `shop` of the cluster `demo`, Bob may look on there, Charlie is a
stranger: he has an account and no grant.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import SyncToAsync
from django.test import Client

from access.actions import Action

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the test database in a file of this run.

    Threads share a file as they share a server. A database in memory would lock whole tables.
    """
    from django.conf import settings

    path: Path = tmp_path_factory.mktemp("database") / "test.sqlite3"
    database: Any = settings.DATABASES["default"]
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database["TEST"] = {**database.get("TEST", {}), "NAME": str(path)}


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let tests empty the audit trail behind them, which the database refuses everybody else, and
    close what the thread of asynchronous code opened before the test database is dropped."""
    from django.db import connection, connections

    with django_db_blocker.unblock(), connection.schema_editor() as editor:
        import_module("access.migrations.0002_audit_events_stay").remove(None, editor)
    yield
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()


@pytest.fixture(autouse=True)
def _fast_and_safe_settings(settings: Any) -> None:
    """Hash passwords fast, and have a secret key that the checks accept."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.SECRET_KEY = "a test key: 0123456789 abcdefghijklmnopqrstuvwxyz ABCDEFGH"


@pytest_asyncio.fixture(autouse=True)
async def _no_task_is_left() -> AsyncIterator[None]:
    """Fail a test that leaves a task running: every task has an owner that ends it."""
    before = asyncio.all_tasks()
    yield
    left: set[asyncio.Task[Any]] = set()
    for _ in range(100):
        left = {task for task in asyncio.all_tasks() - before if not task.done()}
        left.discard(asyncio.current_task())
        if not left:
            return
        await asyncio.sleep(0.01)
    names = ", ".join(repr(task.get_coro()) for task in left)
    for task in left:
        task.cancel()
    pytest.fail(f"The test left tasks running: {names}")


@pytest.fixture
def make_user(db: None) -> Callable[..., Any]:
    """Return a function that makes an account with the password of the cast."""
    from django.contrib.auth import get_user_model

    def make(username: str, **facts: Any) -> Any:
        return get_user_model()._default_manager.create_user(
            username=username, password=PASSWORD, **facts
        )

    return make


@pytest.fixture
def make_grant(db: None) -> Callable[..., Any]:
    """Return a function that gives a person or group actions, in `demo/shop` unless told."""
    from django.contrib.auth.models import Group

    from access.models import Grant

    def make(subject: Any, *actions: Action, **facts: Any) -> Grant:
        holder = {"group": subject} if isinstance(subject, Group) else {"user": subject}
        facts = {"name": f"grant of {subject}", "cluster": "demo", "namespaces": "shop", **facts}
        return Grant.objects.create(actions=[action.value for action in actions], **holder, **facts)

    return make


@pytest.fixture
def alice(make_user: Callable[..., Any], make_grant: Callable[..., Any]) -> Any:
    """Return Alice, who operates `demo/shop`."""
    user = make_user("alice", first_name="Alice", last_name="Operator")
    make_grant(user, Action.EXEC, Action.ATTACH, Action.DEBUG, name="shop operators", owner="olga")
    return user


@pytest.fixture
def bob(make_user: Callable[..., Any], make_grant: Callable[..., Any]) -> Any:
    """Return Bob, who may look on in `demo/shop`."""
    user = make_user("bob")
    make_grant(user, Action.VIEW, name="shop viewers", owner="olga")
    return user


@pytest.fixture
def charlie(make_user: Callable[..., Any]) -> Any:
    """Return Charlie, who has an account and no grant."""
    return make_user("charlie")


@pytest.fixture
def admin(make_user: Callable[..., Any]) -> Any:
    """Return an administrator of the site, without a grant."""
    return make_user("ada", is_staff=True, is_superuser=True)


@pytest.fixture
def browser_of() -> Callable[[Any], Client]:
    """Return a function that gives a person a signed-in HTTP client."""

    def sign_in(user: Any) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in
