"""targets.tree: what one person is shown of a pod."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from access.actions import Action
from access.cluster_rights import Verdict
from access.policy import rights_of
from targets.tree import describe_pod
from tests.targets.fakes import FakeContainer, FakePod

pytestmark = pytest.mark.django_db


def shown(user: Any, pod: FakePod, **verdicts: str) -> dict[str, Any] | None:
    answers = {
        (pod.namespace, Action(action)): Verdict(False, reason)
        for action, reason in verdicts.items()
    }
    return describe_pod("demo", pod, rights=rights_of(user), verdicts=answers)


def container(user: Any, pod: FakePod, **verdicts: str) -> dict[str, Any]:
    found = shown(user, pod, **verdicts)
    assert found is not None
    first: dict[str, Any] = found["containers"][0]
    return first


def test_a_pod_looks_as_the_protocol_says(alice: Any) -> None:
    found = shown(alice, FakePod())

    assert found is not None
    assert found["workload"] == {"kind": "Deployment", "name": "web"}
    assert found["containers"][0]["may"] == ["exec", "attach", "debug"]
    assert found["containers"][0]["why"] == {}


def test_who_has_no_grant_sees_nothing(charlie: Any, alice: Any) -> None:
    assert shown(charlie, FakePod()) is None
    assert shown(alice, FakePod(namespace="vault")) is None


def test_every_missing_action_has_its_sentence(bob: Any) -> None:
    found = container(bob, FakePod())

    assert found["may"] == []
    assert set(found["why"]) == {"exec", "attach", "debug"}
    assert all("olga" in sentence for sentence in found["why"].values())


def test_what_the_cluster_denies_is_not_offered(alice: Any) -> None:
    found = container(alice, FakePod(), exec="The cluster does not allow it.")

    assert found["may"] == ["attach", "debug"]
    assert found["why"] == {"exec": "The cluster does not allow it."}


def test_a_container_that_does_not_run_offers_debugging_only(alice: Any) -> None:
    crashed = FakeContainer(state="waiting", reason="CrashLoopBackOff")

    found = container(alice, FakePod(containers=(crashed,)))

    assert found["may"] == ["debug"]
    assert "CrashLoopBackOff" in found["why"]["exec"]


def test_a_pod_that_does_not_run_offers_nothing(alice: Any) -> None:
    ended = FakeContainer(state="terminated", reason="Completed", exit_code=0)

    assert container(alice, FakePod(phase="Succeeded", containers=(ended,)))["may"] == []


def test_a_debug_container_is_entered_and_not_debugged(alice: Any) -> None:
    made = FakeContainer(name="hatchway-debug-0a1b2c3d", type="ephemeral")

    assert container(alice, FakePod(containers=(made,)))["may"] == ["exec", "attach"]


def test_labels_and_container_patterns_decide_what_is_seen(
    charlie: Any, make_grant: Callable[..., Any]
) -> None:
    make_grant(charlie, Action.EXEC, labels="app=web", containers="web")
    pod = FakePod(containers=(FakeContainer(), FakeContainer(name="side")))

    found = shown(charlie, pod)

    assert found is not None
    assert [container["name"] for container in found["containers"]] == ["web"]
    assert shown(charlie, replace(pod, labels={"app": "api"})) is None
