"""Credentials: read from files and plugins, made into TLS, and read anew when they rotate."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kube import connection as connection_module
from kube.credentials import InClusterSource, KubeconfigSource
from kube.errors import CredentialsError, Unreachable
from kube.kubeconfig import Context, load_untrusted
from tests.kube.connected import connected, connected_to
from tests.kube.kubelet import Kubelet, answering, kubeconfig_of
from tests.kube.tls import Authority, tls_server


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the files behind the credentials at every call."""
    monkeypatch.setattr(connection_module, "CHECK_SECONDS", 0)


def ok(body: object = None) -> Any:
    return answering(lambda: web.json_response({} if body is None else body))


async def test_a_plugin_is_run_again_before_its_token_expires(
    kubelet: Kubelet, tmp_path: Path
) -> None:
    kubelet.answer = ok()
    plugin = tmp_path / "plugin"
    plugin.write_text(
        "#!/bin/sh\n"
        f"echo run >> {tmp_path}/runs\n"
        'now=$(date -u -d "+$(cat $(dirname $0)/seconds) seconds" +%Y-%m-%dT%H:%M:%SZ)\n'
        'echo "{\\"apiVersion\\":\\"client.authentication.k8s.io/v1\\",\\"status\\":'
        '{\\"token\\":\\"right\\",\\"expirationTimestamp\\":\\"$now\\"}}"\n'
    )
    plugin.chmod(0o755)
    seconds = tmp_path / "seconds"
    seconds.write_text("30")
    user = {"exec": {"command": "./plugin", "apiVersion": "client.authentication.k8s.io/v1"}}
    async with connected({"server": kubelet.address}, user, tmp_path) as connection:
        for _ in range(2):
            await connection.call("GET", "/x", identity=None)
        assert (tmp_path / "runs").read_text().count("run") == 2
        seconds.write_text("3600")
        for _ in range(3):
            await connection.call("GET", "/x", identity=None)
        assert (tmp_path / "runs").read_text().count("run") == 3


async def test_a_plugin_that_fails_is_told_and_nothing_is_sent_without_it(
    kubelet: Kubelet, tmp_path: Path
) -> None:
    kubelet.answer = ok()
    user = {"exec": {"command": "false", "apiVersion": "client.authentication.k8s.io/v1"}}
    async with connected({"server": kubelet.address}, user, tmp_path) as connection:
        with pytest.raises(CredentialsError, match="exit code 1"):
            await connection.call("GET", "/x", identity=None)

    assert kubelet.requests == []


@pytest.mark.parametrize("user", [{"exec": {"command": "true"}}, {"tokenFile": "/etc/hostname"}])
async def test_an_untrusted_context_runs_and_reads_nothing_even_past_the_first_check(
    user: dict[str, Any],
) -> None:
    source = KubeconfigSource(Context("it", {"server": "http://k8s"}, user, "f", None))

    with pytest.raises(CredentialsError, match="untrusted"):
        await source.load()


async def test_an_untrusted_text_can_be_used(kubelet: Kubelet) -> None:
    kubelet.answer = ok({"a": 1})
    [context] = load_untrusted(kubeconfig_of(kubelet.address))
    async with connected_to(context) as connection:
        assert await connection.call("GET", "/x", identity=None) == {"a": 1}


async def test_certificates_that_rotate_are_read_anew(tmp_path: Path) -> None:
    authority = Authority()
    async with tls_server(tmp_path, authority, authority, "k8s.test") as (address, who):
        (tmp_path / "ca.crt").write_bytes(authority.pem)

        def rotate(name: str) -> None:
            certificate, key = authority.issue(name)
            (tmp_path / "client.crt").write_bytes(certificate)
            (tmp_path / "client.key").write_bytes(key)

        cluster = {
            "server": address,
            "certificate-authority": "ca.crt",
            "tls-server-name": "k8s.test",
        }
        user = {"client-certificate": "client.crt", "client-key": "client.key"}
        async with connected(cluster, user, tmp_path) as connection:
            rotate("first")
            await connection.call("GET", "/x", identity=None)
            rotate("second")
            await connection.call("GET", "/x", identity=None)
            assert who == ["first", "second"]

            (tmp_path / "ca.crt").write_bytes(Authority().pem)
            with pytest.raises(Unreachable, match="certificate"):
                await connection.call("GET", "/x", identity=None)


async def test_inline_certificates_work_and_leave_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    authority = Authority()
    async with tls_server(tmp_path, authority, authority, "k8s.test") as (address, who):
        certificate, key = authority.issue("inline")
        cluster = {
            "server": address,
            "tls-server-name": "k8s.test",
            "certificate-authority-data": base64.b64encode(authority.pem).decode(),
        }
        user = {
            "client-certificate-data": base64.b64encode(certificate).decode(),
            "client-key-data": base64.b64encode(key).decode(),
        }
        document = {
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "it", "context": {"cluster": "c", "user": "u"}}],
        }
        [context] = load_untrusted(json.dumps(document))
        async with connected_to(context) as connection:
            await connection.call("GET", "/x", identity=None)

    assert who == ["inline"]
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize("is_told_to_skip", [True, False])
async def test_certificates_are_checked_unless_the_operators_file_says_not_to(
    tmp_path: Path, is_told_to_skip: bool
) -> None:
    authority = Authority()
    async with tls_server(tmp_path, Authority(), authority, "k8s.test") as (address, who):
        certificate, key = authority.issue("me")
        (tmp_path / "me.pem").write_bytes(certificate + key)
        cluster = {"server": address, "insecure-skip-tls-verify": is_told_to_skip}
        user = {"client-certificate": "me.pem", "client-key": "me.pem"}
        async with connected(cluster, user, tmp_path) as connection:
            if is_told_to_skip:
                await connection.call("GET", "/x", identity=None)
                assert who == ["me"]
            else:
                with pytest.raises(Unreachable, match="certificate"):
                    await connection.call("GET", "/x", identity=None)


async def test_the_pods_own_service_account_is_read_and_rotates(
    kubelet: Kubelet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ca.crt").write_bytes(Authority().pem)
    (tmp_path / "token").write_text("one\n")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    source = InClusterSource(tmp_path)

    first = await source.load()
    assert (first.server, first.authorization) == ("https://10.0.0.1:443", "Bearer one")
    assert first.tls is not None
    assert not first.are_stale()

    (tmp_path / "token").write_text("another\n")
    assert first.are_stale()
    assert (await source.load()).authorization == "Bearer another"


async def test_credentials_that_cannot_be_read_again_stay_until_they_can(
    kubelet: Kubelet, tmp_path: Path
) -> None:
    kubelet.answer = ok()
    token = tmp_path / "token"
    token.write_text("right")
    async with connected(
        {"server": kubelet.address}, {"tokenFile": "token"}, tmp_path
    ) as connection:
        await connection.call("GET", "/x", identity=None)
        token.unlink()
        await connection.call("GET", "/x", identity=None)
