"""What a kubeconfig may say, from the operator and from anybody else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kube.errors import BadKubeconfig
from kube.kubeconfig import MAX_UNTRUSTED_BYTES, load_untrusted, read_contexts


def document(
    cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "clusters": [{"name": "c", "cluster": {"server": "https://k8s:6443"} | (cluster or {})}],
        "users": [{"name": "u", "user": {"token": "t"} | (user or {})}],
        "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
    }


def test_a_harmless_text_from_anybody_is_taken() -> None:
    text = json.dumps(
        document({"certificate-authority-data": "Zm9v", "insecure-skip-tls-verify": False})
    )

    [context] = load_untrusted(text)

    assert context.name == "prod"
    assert context.directory is None


@pytest.mark.parametrize(
    ("section", "field", "value"),
    [
        ("user", "exec", {"command": "touch"}),
        ("user", "auth-provider", {"name": "gcp"}),
        ("user", "tokenFile", "/etc/shadow"),
        ("user", "client-certificate", "/etc/shadow"),
        ("user", "client-key", "/etc/shadow"),
        ("user", "as", "system:admin"),
        ("user", "something-new", "x"),
        ("cluster", "certificate-authority", "/etc/shadow"),
        ("cluster", "insecure-skip-tls-verify", True),
        ("cluster", "proxy-url", "http://inside:3128"),
    ],
)
def test_what_would_run_or_read_something_is_refused_by_name(
    section: str, field: str, value: object
) -> None:
    text = json.dumps(document(**{section: {field: value}}))

    with pytest.raises(BadKubeconfig) as caught:
        load_untrusted(text)

    assert caught.value.field == field
    assert repr(field) in str(caught.value)


def test_an_unused_user_with_a_plugin_is_refused_too() -> None:
    whole = document()
    whole["users"].append({"name": "other", "user": {"exec": {"command": "touch"}}})

    with pytest.raises(BadKubeconfig):
        load_untrusted(json.dumps(whole))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "a: [",
        "!!python/object/apply:os.system ['true']",
        "clusters: 3",
        "clusters: [3]",
        "clusters: [{name: c, cluster: 3}]",
        "[" * 100_000,
        "- " * 60_000,
        "&a [*a]",
        "x" * (MAX_UNTRUSTED_BYTES + 1),
    ],
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(BadKubeconfig):
        load_untrusted(text)


@pytest.mark.parametrize(
    "server", [None, 3, "", "k8s:6443", "ftp://k8s", "file:///etc/passwd", "https://", "http://[::"]
)
def test_the_server_is_an_http_address(server: object) -> None:
    with pytest.raises(BadKubeconfig) as caught:
        load_untrusted(json.dumps(document({"server": server})))

    assert caught.value.field == "server"


def test_an_operators_file_may_name_files_and_plugins(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(json.dumps(document({"certificate-authority": "ca.crt"}, {"exec": {}})))

    [context], problems = read_contexts(path)

    assert problems == []
    assert context.directory == tmp_path


def test_one_bad_context_does_not_hide_the_others(tmp_path: Path) -> None:
    whole = document()
    whole["contexts"] += [
        {"name": "no-cluster", "context": {"cluster": "x", "user": "u"}},
        {"name": "no-user", "context": {"cluster": "c", "user": "x"}},
        {"name": "nobody", "context": {"cluster": "c"}},
    ]
    path = tmp_path / "config"
    path.write_text(json.dumps(whole))

    contexts, problems = read_contexts(path)

    assert [context.name for context in contexts] == ["prod", "nobody"]
    assert [(problem.context, problem.field) for problem in problems] == [
        ("no-cluster", "cluster"),
        ("no-user", "user"),
    ]


@pytest.mark.parametrize(
    ("section", "field", "value"),
    [("user", "as", "root"), ("cluster", "proxy-url", "socks5://proxy:1080")],
)
def test_what_hatchway_cannot_honour_is_not_ignored(
    tmp_path: Path, section: str, field: str, value: str
) -> None:
    path = tmp_path / "config"
    path.write_text(json.dumps(document(**{section: {field: value}})))

    contexts, [problem] = read_contexts(path)

    assert contexts == []
    assert problem.field == field


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadKubeconfig, match="nowhere"):
        read_contexts(tmp_path / "nowhere")
