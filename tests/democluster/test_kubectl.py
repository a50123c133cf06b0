"""Stock kubectl works against the demo cluster as it is."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.democluster.kubectl import Kubectl, find_kubectl
from tests.democluster.running import RunningDemoCluster, democluster, wait_until

pytestmark = pytest.mark.kubectl
__all__ = ["democluster"]


@pytest.fixture
def kubectl(democluster: RunningDemoCluster) -> Kubectl:
    running = Kubectl(find_kubectl(), democluster.kubeconfig)
    wait_until(lambda: "0/" not in running.output("get", "deploy", "-n", "shop", "web"))
    return running


def pod_of(kubectl: Kubectl, app: str, namespace: str = "shop") -> str:
    return kubectl.output(
        *("get", "pods", "-n", namespace, "-l", f"app={app}"),
        *("-o", "jsonpath={.items[0].metadata.name}"),
    )


def test_get_prints_tables_and_wide_ones(kubectl: Kubectl) -> None:
    lines = kubectl.output("get", "pods", "-A", "-o", "wide").splitlines()
    everything = kubectl.output("get", "all", "-n", "shop")
    nodes = kubectl.output("get", "nodes")

    assert lines[0].split()[:6] == ["NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert any("catalog-" in line and "2/2" in line and "demo-" in line for line in lines)
    assert "deployment.apps/web" in everything
    assert "replicaset.apps/web-" in everything
    assert "demo-1" in nodes
    assert "demo-2" in nodes


def test_get_watch_shows_a_new_pod(kubectl: Kubectl) -> None:
    watching = kubectl.start("get", "pods", "-n", "shop", "-w", "-l", "app=worker")
    assert watching.stdout is not None
    try:
        assert "NAME" in watching.stdout.readline()
        assert "worker-" in watching.stdout.readline()
        old = pod_of(kubectl, "worker")
        kubectl.output("delete", "pod", "-n", "shop", old, "--wait=false")
        seen = ""
        while "ContainerCreating" not in seen:
            seen = watching.stdout.readline()
            assert seen
        assert old not in seen
    finally:
        watching.kill()
        watching.wait()
        watching.stdout.close()


def test_describe_tells_state_and_events(kubectl: Kubectl) -> None:
    wait_until(
        lambda: (
            "CrashLoopBackOff" in kubectl.output("get", "pods", "-n", "shop", "-l", "app=payments")
        ),
        seconds=30,
    )

    text = kubectl.output("describe", "pod", "-n", "shop", pod_of(kubectl, "payments"))
    deployment = kubectl.output("describe", "deployment", "-n", "shop", "web")

    assert "CrashLoopBackOff" in text
    assert "Exit Code:    3" in text
    assert "Back-off restarting failed container" in text
    assert "Successfully assigned shop/payments-" in text
    assert "NewReplicaSet:   web-" in deployment


def test_logs_follow_and_previous(kubectl: Kubectl) -> None:
    following = kubectl.start("logs", "-n", "shop", "-f", "--tail=1", "deploy/worker")
    assert following.stdout is not None
    try:
        lines = [following.stdout.readline() for _ in range(2)]
    finally:
        following.kill()
        following.wait()
        following.stdout.close()
    payments = pod_of(kubectl, "payments")
    wait_until(lambda: kubectl.run("logs", "-n", "shop", payments, "--previous").returncode == 0)

    assert {json.loads(line)["level"] for line in lines} <= {"info", "warning", "error"}
    assert "is the bank open?" in kubectl.output("logs", "-n", "shop", payments, "--previous")


def test_exec_on_a_terminal_is_a_shell(kubectl: Kubectl) -> None:
    shell = kubectl.on_terminal(
        "exec", "-it", "-n", "shop", pod_of(kubectl, "worker"), "--", "bash"
    )
    shell.sees("root@worker-" if _is_root() else "@worker-")
    shell.type("echo four$((2 + 2)); tty\r")
    shell.sees("four4")
    shell.sees("/dev/pts/")
    shell.type("exit 7\r")

    assert shell.exit_code() == 7


def test_exec_gives_its_exit_code_and_says_when_there_is_no_shell(kubectl: Kubectl) -> None:
    failed = kubectl.run("exec", "-n", "shop", "deploy/web", "--", "sh", "-c", "exit 9")
    bare = kubectl.run("exec", "-n", "vault", "ledger", "--", "bash")

    assert failed.returncode == 9
    assert bare.returncode != 0
    assert 'exec: "bash": executable file not found in $PATH' in bare.stderr


def test_attach_joins_the_console(kubectl: Kubectl) -> None:
    console = kubectl.on_terminal("attach", "-it", "-n", "default", "console")
    console.sees("If you don't see a command prompt, try pressing enter.")
    console.type("echo four$((2 + 2))\r")
    console.sees("four4")
    console.sees("@console:")
    console.type("exit\r")
    console.exit_code()

    wait_until(lambda: "1 (" in kubectl.output("get", "pod", "-n", "default", "console"))


def test_cp_copies_both_ways(kubectl: Kubectl, tmp_path: Path) -> None:
    there = f"shop/{pod_of(kubectl, 'worker')}"
    content = bytes(range(256)) * 1000
    (tmp_path / "up").write_bytes(content)

    kubectl.output("cp", str(tmp_path / "up"), f"{there}:copied")
    kubectl.output("cp", f"{there}:copied", str(tmp_path / "down"))

    assert (tmp_path / "down").read_bytes() == content


def test_rollout_and_scale_give_new_pods(kubectl: Kubectl) -> None:
    before = pod_of(kubectl, "catalog")

    kubectl.output("rollout", "restart", "-n", "shop", "deploy/catalog")
    kubectl.output("rollout", "status", "-n", "shop", "deploy/catalog", "--timeout=20s")
    kubectl.output("scale", "-n", "shop", "deploy/catalog", "--replicas=2")
    kubectl.output("rollout", "status", "-n", "shop", "deploy/catalog", "--timeout=20s")

    wait_until(lambda: before not in kubectl.output("get", "pods", "-n", "shop"))
    assert "2/2" in kubectl.output("get", "deploy", "-n", "shop", "catalog")


def test_debug_container_starts_and_is_attached_to(kubectl: Kubectl) -> None:
    debug = kubectl.on_terminal(
        *("debug", "-it", "-n", "vault", "ledger", "--image=busybox", "-c", "debugger"),
        *("--profile=general", "--", "sh"),
    )
    debug.type("\r")
    debug.sees("#" if _is_root() else "$")
    debug.type("echo four$((2 + 2))\r")
    debug.sees("four4")
    debug.type("exit\r")
    debug.exit_code()


def test_auth_tells_who_one_is_and_may(
    kubectl: Kubectl,
    democluster: RunningDemoCluster,
) -> None:
    alice = Kubectl(kubectl.program, democluster.user_kubeconfig("alice"))
    bob = Kubectl(kubectl.program, democluster.user_kubeconfig("bob"))

    assert "alice" in alice.output("auth", "whoami")
    question = ("auth", "can-i", "create", "pods", "--subresource=exec", "-n", "shop")
    assert alice.run(*question).stdout == "yes\n"
    assert bob.run(*question).stdout == "no\n"
    refused = bob.run("exec", "-n", "shop", "deploy/web", "--", "true")
    assert 'User "bob" cannot' in refused.stderr


def test_apply_creates_and_changes(kubectl: Kubectl, tmp_path: Path) -> None:
    manifest = tmp_path / "map.yaml"
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: applied}\ndata: {a: '1'}\n"
    manifest.write_text(text)
    first = kubectl.output("apply", "-f", str(manifest))
    manifest.write_text(text.replace("'1'", "'2'"))
    second = kubectl.output("apply", "-f", str(manifest))

    assert "created" in first
    assert "configured" in second
    got = kubectl.output("get", "cm", "applied", "-o", "jsonpath={.data.a}")
    assert got == "2"


def _is_root() -> bool:
    return os.getuid() == 0
