"""Credential plugins: real programs that answer, fail, hang and talk nonsense."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from kube.errors import CredentialsError
from kube.plugin import run_plugin

V1 = "client.authentication.k8s.io/v1"


def answer(**status: Any) -> str:
    return json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": status})


async def run(directory: Path, script: str, seconds: float = 5, **more: Any) -> Any:
    plugin = directory / "plugin"
    plugin.write_text(f"#!/bin/sh\n{script}\n")
    plugin.chmod(0o755)
    described = {"command": "./plugin", "apiVersion": V1, "args": ["a b"]} | more
    cluster = {"server": "https://k8s", "certificate-authority-data": "Zm9v"}
    return await run_plugin(described, cluster, directory=directory, seconds=seconds)


async def test_a_plugin_hands_out_a_token_and_says_until_when(tmp_path: Path) -> None:
    said = answer(token="t-1", expirationTimestamp="2026-11-21T10:00:00Z")

    found = await run(tmp_path, f"echo '{said}'")

    assert found.token == "t-1"
    assert found.expires == 1795255200.0


async def test_a_plugin_hands_out_a_certificate(tmp_path: Path) -> None:
    said = answer(clientCertificateData="cert", clientKeyData="key")

    found = await run(tmp_path, f"echo '{said}'")

    assert (found.token, found.certificate, found.key) == (None, "cert", "key")


async def test_a_plugin_is_told_what_it_needs(tmp_path: Path) -> None:
    script = f"echo \"$1|$EXTRA|$KUBERNETES_EXEC_INFO\" > seen;echo '{answer(token='t')}'".replace(
        "seen", str(tmp_path / "seen")
    )
    script = script.replace("> seen", f"> {tmp_path / 'seen'}")

    await run(tmp_path, script, env=[{"name": "EXTRA", "value": "more"}], provideClusterInfo=True)

    argument, extra, info = (tmp_path / "seen").read_text().split("|", 2)
    assert (argument, extra) == ("a b", "more")
    spec = json.loads(info)["spec"]
    assert spec["interactive"] is False
    assert spec["cluster"]["server"] == "https://k8s"


async def test_a_failing_plugin_is_an_error_in_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="exit code 3: please sign in"):
        await run(tmp_path, "echo please sign in >&2; exit 3")


async def test_a_plugin_that_hangs_is_ended(tmp_path: Path) -> None:
    began = time.monotonic()

    with pytest.raises(CredentialsError, match=r"within 0\.2 seconds"):
        await run(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 60", seconds=0.2)

    assert time.monotonic() - began < 5
    assert not Path("/proc", (tmp_path / "pid").read_text().strip()).exists()


@pytest.mark.parametrize(
    "said",
    [
        "nonsense",
        "[]",
        "{}",
        '{"apiVersion":"other","status":{"token":"t"}}',
        answer(),
        answer(clientCertificateData="cert without its key"),
        answer(token="t", expirationTimestamp="tomorrow"),
    ],
)
async def test_a_plugin_that_talks_nonsense_is_an_error(tmp_path: Path, said: str) -> None:
    with pytest.raises(CredentialsError):
        await run(tmp_path, f"echo '{said}'")


async def test_a_plugin_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="cannot be started"):
        await run_plugin(
            {"command": "no-such-program-here", "apiVersion": V1}, {}, directory=tmp_path
        )


@pytest.mark.parametrize("plugin", [{"apiVersion": V1}, {"command": "true"}])
async def test_an_incomplete_plugin_is_an_error(tmp_path: Path, plugin: dict[str, str]) -> None:
    with pytest.raises(CredentialsError):
        await run_plugin(plugin, {}, directory=tmp_path)
