"""Credentials for one cluster: read, made into a TLS context, and noticed when they change.

`kubernetes.aio` interprets the kubeconfig and builds the TLS context. It is given files only: the
inline data of a context is written to a private directory that lives for one call, because a TLS
context loads its certificates once and needs them no longer.
"""

from __future__ import annotations

import base64
import binascii
import ssl
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.client.rest import RESTClientObject
from kubernetes.aio.config.config_exception import ConfigException
from kubernetes.aio.config.incluster_config import InClusterConfigLoader
from kubernetes.aio.config.kube_config import KubeConfigLoader

from kube.errors import CredentialsError
from kube.kubeconfig import Context
from kube.plugin import run_plugin
from kube.tls import with_short_reads

EXPIRY_SKEW_SECONDS = 60.0
"""Credentials are replaced this long before they end."""

AUTH_PROVIDER_SECONDS = 60.0
"""The loader refreshes an auth-provider's token when it is asked and does not say until when."""

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")

_FILE_FIELDS = (
    ("cluster", "certificate-authority"),
    ("user", "client-certificate"),
    ("user", "client-key"),
)


@dataclass(frozen=True, slots=True)
class FileStamp:
    """A file as it was when it was read; another stamp means another content."""

    path: Path
    modified_ns: int
    inode: int
    size: int

    @classmethod
    def of(cls, path: Path) -> FileStamp:
        """Stamp a file, following links (rotated secrets are links). A missing one has zeros."""
        try:
            found = path.stat()
        except OSError:
            return cls(path, 0, 0, 0)
        return cls(path, found.st_mtime_ns, found.st_ino, found.st_size)

    def is_current(self) -> bool:
        """Tell whether the file is still the same."""
        return FileStamp.of(self.path) == self


@dataclass(frozen=True, slots=True)
class Credentials:
    """How to reach a cluster and prove who we are, as of one moment."""

    server: str
    tls: ssl.SSLContext | None
    authorization: str | None
    tls_server_name: str | None
    proxy: str | None
    stamps: tuple[FileStamp, ...]
    expires: float | None
    """Seconds since the epoch, or None."""

    def are_stale(self) -> bool:
        """Tell whether a file behind them changed or they are about to expire."""
        if self.expires is not None and time.time() > self.expires - EXPIRY_SKEW_SECONDS:
            return True
        return not all(stamp.is_current() for stamp in self.stamps)


class CredentialSource(Protocol):
    """Where the credentials of a cluster come from."""

    async def load(self) -> Credentials:
        """Read them anew. Raises CredentialsError."""
        ...


@dataclass(frozen=True)
class KubeconfigSource:
    """A context of a kubeconfig."""

    context: Context

    async def load(self) -> Credentials:
        """Read files, run the plugin if there is one, build the TLS context."""
        cluster, user = dict(self.context.cluster), dict(self.context.user)
        files = self._resolve_files(cluster, user)
        stamps = tuple(FileStamp.of(path) for path in files)
        expires = await self._apply_plugin(cluster, user)
        self._apply_token_file(user)
        if "auth-provider" in user:
            expires = time.time() + AUTH_PROVIDER_SECONDS + EXPIRY_SKEW_SECONDS
        configuration = Configuration()
        try:
            with tempfile.TemporaryDirectory(prefix="hatchway-") as private:
                _inline_to_files(cluster, user, Path(private))
                loader = KubeConfigLoader(  # type: ignore[no-untyped-call]
                    {
                        "clusters": [{"name": "it", "cluster": cluster}],
                        "users": [{"name": "it", "user": user}],
                        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
                        "current-context": "it",
                    },
                    config_base_path=private,
                )
                await loader.load_and_set(configuration)  # type: ignore[no-untyped-call]
                tls = _tls(configuration)
        except (ConfigException, OSError, ValueError, KeyError) as error:
            raise CredentialsError(
                f"The credentials of context {self.context.name} cannot be used: {error}"
            ) from error
        return Credentials(
            server=configuration.host.rstrip("/"),
            tls=tls,
            authorization=await configuration.get_api_key_with_prefix(
                "BearerToken", alias="authorization"
            ),
            tls_server_name=configuration.tls_server_name or None,
            proxy=configuration.proxy or None,
            stamps=stamps,
            expires=expires,
        )

    def _resolve_files(self, cluster: dict[str, Any], user: dict[str, Any]) -> list[Path]:
        files: list[Path] = []
        for section, field in (*_FILE_FIELDS, ("user", "tokenFile")):
            body = cluster if section == "cluster" else user
            if not body.get(field):
                body.pop(field, None)
                continue
            if self.context.directory is None:
                raise CredentialsError(f"An untrusted kubeconfig must not read {field}.")
            path = self.context.directory / str(body[field])
            body[field] = str(path)
            files.append(path)
        return files

    async def _apply_plugin(self, cluster: dict[str, Any], user: dict[str, Any]) -> float | None:
        plugin = user.pop("exec", None)
        if not plugin:
            return None
        if self.context.directory is None:
            raise CredentialsError("An untrusted kubeconfig must not run a credential plugin.")
        found = await run_plugin(plugin, cluster, directory=self.context.directory)
        if found.token:
            user["token"] = found.token
        if found.certificate and found.key:
            user["client-certificate-data"] = base64.b64encode(found.certificate.encode())
            user["client-key-data"] = base64.b64encode(found.key.encode())
        return found.expires

    def _apply_token_file(self, user: dict[str, Any]) -> None:
        path = user.pop("tokenFile", None)
        if path is None:
            return
        user["token"] = _read_token(Path(path))


@dataclass(frozen=True)
class InClusterSource:
    """The service account of the pod in which Hatchway runs."""

    directory: Path = SERVICE_ACCOUNT

    async def load(self) -> Credentials:
        """Read the projected token and the cluster's CA."""
        token, authority = self.directory / "token", self.directory / "ca.crt"
        stamps = (FileStamp.of(token), FileStamp.of(authority))
        configuration = Configuration()
        try:
            InClusterConfigLoader(  # type: ignore[no-untyped-call]
                token_filename=str(token), cert_filename=str(authority), try_refresh_token=False
            ).load_and_set(configuration)
            tls = _tls(configuration)
        except (ConfigException, OSError, ValueError) as error:
            raise CredentialsError(f"The pod's service account cannot be used: {error}") from error
        return Credentials(
            server=configuration.host,
            tls=tls,
            authorization=f"Bearer {_read_token(token)}",
            tls_server_name=None,
            proxy=None,
            stamps=stamps,
            expires=None,
        )


def _inline_to_files(cluster: dict[str, Any], user: dict[str, Any], private: Path) -> None:
    for section, field in _FILE_FIELDS:
        body = cluster if section == "cluster" else user
        data = body.pop(f"{field}-data", None)
        if not data:
            continue
        path = private / field
        try:
            path.write_bytes(base64.standard_b64decode(data))
        except (binascii.Error, TypeError) as error:
            raise CredentialsError(f"{field}-data is not base64.") from error
        body[field] = str(path)


def _read_token(path: Path) -> str:
    try:
        token = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CredentialsError(f"The token file {path} cannot be read: {error}") from error
    if not token:
        raise CredentialsError(f"The token file {path} is empty.")
    return token


def _tls(configuration: Configuration) -> ssl.SSLContext | None:
    if not configuration.host.startswith("https:"):
        return None
    context: ssl.SSLContext = RESTClientObject(configuration).ssl_context
    return with_short_reads(context)
