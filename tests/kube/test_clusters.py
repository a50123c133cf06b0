"""Which clusters there are, and what they are called."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from kube import clusters as clusters_module
from kube.clusters import Clusters, fit_name
from kube.connection import IdentityMode
from kube.errors import BadKubeconfig
from kube.exec import KubeExecBackend
from protocol.execution import ExecRequest, Refusal
from protocol.identity import Identity
from protocol.refusal import StreamRefused
from protocol.target import Target, check_cluster
from tests.kube.kubelet import Kubelet, Stream, kubeconfig_of

ALICE = Identity("alice")


def write(path: Path, *contexts: str) -> Path:
    document = json.loads(kubeconfig_of("http://127.0.0.1:1"))
    document["contexts"] = [
        {"name": name, "context": {"cluster": "c", "user": "u"}} for name in contexts
    ]
    path.write_text(json.dumps(document))
    return path


def names(clusters: Clusters) -> list[str]:
    return [config.name for config in clusters.configs()]


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters_module, "CHECK_SECONDS", 0)


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("prod", "prod"),
        ("Prod.EU_west-1", "prod.eu_west-1"),
        ("arn:aws:eks:eu-west-1:1234:cluster/shop", "arn-aws-eks-eu-west-1-1234-cluster-shop"),
        ("user@cluster", "user-cluster"),
        ("--", "cluster"),
        ("生产", "cluster"),
        ("x" * 80, "x" * 63),
    ],
)
def test_a_contexts_name_is_made_fit(wanted: str, name: str) -> None:
    assert fit_name(wanted) == name
    assert check_cluster(fit_name(wanted)) == name


def test_every_context_of_every_file_is_a_cluster(tmp_path: Path) -> None:
    first = write(tmp_path / "one", "a", "b")
    second = write(tmp_path / "two", "c")

    known = Clusters(
        [first, second],
        default_identity=IdentityMode.IMPERSONATE,
        identities={"b": IdentityMode.SERVICE_ACCOUNT},
    )

    assert names(known) == ["a", "b", "c"]
    assert [config.identity_mode for config in known.configs()] == [
        IdentityMode.IMPERSONATE,
        IdentityMode.SERVICE_ACCOUNT,
        IdentityMode.IMPERSONATE,
    ]


def test_names_are_unique_and_never_move_to_another_context(
    tmp_path: Path, no_waiting: None
) -> None:
    first = write(tmp_path / "one", "prod", "PROD")
    second = write(tmp_path / "two", "prod")
    known = Clusters([first, second])
    before = names(known)
    assert len(set(before)) == 3
    assert before[0] == "prod"
    assert all(name.startswith("prod-") for name in before[1:])
    assert names(Clusters([first, second])) == before

    write(first)

    assert names(known) == before[2:]


def test_a_changed_file_is_noticed(tmp_path: Path, no_waiting: None) -> None:
    path = write(tmp_path / "one", "a")
    known = Clusters([path])

    write(path, "a", "b")
    assert names(known) == ["a", "b"]
    write(path, "b")
    assert names(known) == ["b"]
    with pytest.raises(StreamRefused) as caught:
        known.connection("a")
    assert caught.value.refused.kind is Refusal.UNKNOWN_CLUSTER


def test_a_half_written_file_changes_nothing(tmp_path: Path, no_waiting: None) -> None:
    path = write(tmp_path / "one", "a")
    known = Clusters([path])

    path.write_text("contexts: [")
    assert names(known) == ["a"]
    write(path, "a", "b")
    assert names(known) == ["a", "b"]


def test_a_file_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(BadKubeconfig):
        Clusters([tmp_path / "nowhere"])


def test_the_cluster_in_which_hatchway_runs_has_the_name_that_it_is_given(tmp_path: Path) -> None:
    known = Clusters([write(tmp_path / "one", "here")], in_cluster="here")

    assert names(known)[0] == "here"
    assert len(names(known)) == 2


def test_a_file_that_somebody_handed_in_is_a_cluster_unless_it_runs_programs(
    tmp_path: Path,
) -> None:
    document = json.loads(kubeconfig_of("http://127.0.0.1:1"))
    (tmp_path / "harmless").write_text(
        json.dumps({**document, "users": [{"name": "u", "user": {}}]})
    )
    harmful = {"name": "u", "user": {"exec": {"command": "/bin/sh", "args": ["-c", "id"]}}}
    (tmp_path / "harmful").write_text(json.dumps({**document, "users": [harmful]}))
    missing = tmp_path / "missing"

    clusters = Clusters([], untrusted=[tmp_path / "harmless", tmp_path / "harmful", missing])

    assert len(names(clusters)) == 1
    assert [problem.field for problem in clusters.problems] == ["exec", ""]
    assert str(tmp_path / "harmful") in str(clusters.problems[0])


async def test_a_new_token_in_the_file_is_used(
    kubelet: Kubelet, tmp_path: Path, no_waiting: None
) -> None:
    async def script(stream: Stream) -> None:
        await stream.end()

    kubelet.script = script
    path = tmp_path / "config"
    path.write_text(kubeconfig_of(kubelet.address, token="old"))
    async with Clusters([path]) as known:
        backend = KubeExecBackend(known)
        request = ExecRequest(Target("it", "a", "b", "c"), ALICE, ("sh",))
        with pytest.raises(StreamRefused):
            await backend.run(request)

        path.write_text(kubeconfig_of(kubelet.address, token="right"))
        os.utime(path, (1, 1))

        await backend.run(request)
