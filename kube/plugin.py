"""Run a kubeconfig's credential plugin (`users[].user.exec`) and read what it says.

Only files that the operator configured may name one. Its failure is an error here, with its own
words: going on without credentials would only turn it into a riddle.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from kube.errors import CredentialsError

PLUGIN_SECONDS = 30.0
"""A plugin may ask a distant identity provider, but nobody is there to type."""

_API_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_MAX_OUTPUT = 1 << 20  # bytes; a credential is a few KiB
_SHOWN = 300  # characters of a plugin's complaint


@dataclass(frozen=True, slots=True)
class PluginCredentials:
    """What a plugin handed out: a token, or a certificate with its key (PEM)."""

    token: str | None
    certificate: str | None
    key: str | None
    expires: float | None
    """Seconds since the epoch."""


async def run_plugin(
    plugin: Mapping[str, Any],
    cluster: Mapping[str, Any],
    *,
    directory: Path,
    seconds: float = PLUGIN_SECONDS,
) -> PluginCredentials:
    """Run the plugin and return its credentials.

    Raises CredentialsError when it cannot be started, fails, is too slow or says nonsense.
    The process never outlives this call.
    """
    command = plugin.get("command")
    version = plugin.get("apiVersion")
    if not isinstance(command, str) or not command:
        raise CredentialsError("The credential plugin has no command.")
    if version not in _API_VERSIONS:
        raise CredentialsError(f"The credential plugin's API version {version} is unknown.")
    if "/" in command:
        command = str(directory / command)
    arguments = [str(argument) for argument in plugin.get("args") or []]
    output = await _output_of([command, *arguments], _environment(plugin, cluster), seconds)
    return _credentials(output, version)


def _environment(plugin: Mapping[str, Any], cluster: Mapping[str, Any]) -> dict[str, str]:
    environment = dict(os.environ)
    for item in plugin.get("env") or []:
        environment[str(item["name"])] = str(item["value"])
    spec: dict[str, Any] = {"interactive": False}
    if plugin.get("provideClusterInfo"):
        spec["cluster"] = {
            name: cluster[name]
            for name in ("server", "tls-server-name", "certificate-authority-data", "proxy-url")
            if cluster.get(name)
        }
    environment["KUBERNETES_EXEC_INFO"] = json.dumps(
        {"apiVersion": plugin["apiVersion"], "kind": "ExecCredential", "spec": spec}
    )
    return environment


async def _output_of(command: list[str], environment: dict[str, str], seconds: float) -> bytes:
    name = Path(command[0]).name
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_MAX_OUTPUT,
        )
    except OSError as error:
        raise CredentialsError(
            f"The credential plugin {name} cannot be started: {error.strerror}."
        ) from error
    try:
        async with asyncio.timeout(seconds):
            output, complaint = await process.communicate()
    except TimeoutError as error:
        raise CredentialsError(
            f"The credential plugin {name} did not answer within {seconds:g} seconds."
        ) from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        words = " ".join(complaint.decode("utf-8", "replace").split())[:_SHOWN]
        raise CredentialsError(
            f"The credential plugin {name} failed with exit code {process.returncode}: {words}"
        )
    return output


def _credentials(output: bytes, version: str) -> PluginCredentials:
    try:
        answer = json.loads(output)
        status = answer["status"]
        if answer["apiVersion"] != version:
            raise CredentialsError("The credential plugin answered in another API version.")
        expiry = status.get("expirationTimestamp")
        expires = datetime.fromisoformat(expiry).timestamp() if expiry else None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CredentialsError("The credential plugin's answer is not valid.") from error
    found = PluginCredentials(
        token=status.get("token"),
        certificate=status.get("clientCertificateData"),
        key=status.get("clientKeyData"),
        expires=expires,
    )
    if not found.token and not (found.certificate and found.key):
        raise CredentialsError("The credential plugin gave neither a token nor a certificate.")
    return found
