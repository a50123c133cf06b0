"""The accounts of the demo cluster: who they are and what they may."""

from __future__ import annotations

import base64

import pytest

from tests.contract.client import STDOUT, V5, Access, Api, HandshakeRefused, exec_options
from tests.contract.client import impersonating as acting_as
from tests.democluster.running import RunningDemoCluster, democluster

__all__ = ["democluster"]

PODS = "/api/v1/namespaces/default/pods"


def api_of(running: RunningDemoCluster, user: str) -> Api:
    return Api(Access.of(running.user_kubeconfig(user)))


async def test_app_has_no_rights_but_to_act_as_people(
    democluster: RunningDemoCluster,
) -> None:
    async with api_of(democluster, "app") as app:
        own = await app.get(PODS)
        namespaces = await app.get("/api/v1/namespaces")
        operator = await app.get(PODS, headers=acting_as("someone", "team-a"))
        viewer = await app.get(PODS, headers=acting_as("someone", "team-b"))
        path = f"{PODS}/greeter/exec"
        options = exec_options("greeter", "echo", "yes")
        async with app.stream(path, options, headers=acting_as("someone", "team-a")) as stream:
            assert (await stream.until_end()).of(STDOUT) == b"yes\n"
        with pytest.raises(HandshakeRefused) as raised:
            async with app.stream(path, options, headers=acting_as("someone", "team-b")):
                pass

    assert (own.status, namespaces.status) == (403, 200)
    assert (operator.status, viewer.status) == (200, 403)
    assert 'User "someone" cannot get resource "pods/exec"' in raised.value.reply.message


async def test_nobody_may_see_the_version_and_nothing_else(
    democluster: RunningDemoCluster,
) -> None:
    access = Access.of(democluster.kubeconfig)
    async with Api(Access(access.server, "", access.tls)) as nobody:
        assert (await nobody.get("/version")).status == 200
        assert (await nobody.get("/livez")).text == "ok"
        refused = await nobody.get("/api/v1/pods")
        discovery = await nobody.get("/api")

    assert 'User "system:anonymous" cannot list resource "pods"' in refused.message
    assert discovery.status == 403


async def test_browsers_may_send_the_token_as_a_subprotocol(
    democluster: RunningDemoCluster,
) -> None:
    access = Access.of(democluster.kubeconfig)
    token = base64.urlsafe_b64encode(access.token.encode()).decode().rstrip("=")
    bearer = f"base64url.bearer.authorization.k8s.io.{token}"
    async with Api(Access(access.server, "", access.tls)) as browser:
        async with browser.stream(
            f"{PODS}/greeter/exec", exec_options("greeter", "true"), protocols=[bearer, V5]
        ) as stream:
            assert stream.subprotocol == V5
            assert (await stream.until_end()).exit_code == 0
