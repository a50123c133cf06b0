"""Why a session ended: from what the cluster said and what became of the pod."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from protocol.close import CloseCode
from protocol.execution import (
    ExecResult,
    Exited,
    Lost,
    Refusal,
    Refused,
    StartFailed,
    StartFailure,
    Success,
)
from terminal.session.ending import Ending, EndReason
from terminal.session.limits import Limits
from terminal.session.ports import Reaped
from terminal.session.spec import SessionSpec
from tests.terminal.session.fakes import POD, FakeStream, silent
from tests.terminal.session.world import World, attach_spec, exec_spec

LOST = Lost("connection reset")
UNREACHABLE = Refused(Refusal.CLUSTER_UNREACHABLE, "The cluster does not answer.")


async def end_with(
    world: World, result: ExecResult, spec: SessionSpec | None = None
) -> tuple[Ending, Reaped | None]:
    world.cluster.plays(silent)
    session = world.open(spec=spec)
    client = world.join(session)
    (await world.cluster.stream()).ends(result)
    ended = await client.sees_the_end()
    ending, reaped = await world.ended(session)
    assert (ended.reason, ended.message) == (ending.reason, ending.message)
    assert ended.exit_code == ending.exit_code
    assert client.view.close_code is ending.close_code
    assert "unconfirmed" not in ended.data
    return ending, reaped


@pytest.mark.parametrize("code", [0, 1, 130, 255])
async def test_an_exit_code_is_believed_and_the_pod_is_not_asked(code: int) -> None:
    async with World() as world:
        ending, reaped = await end_with(world, Exited(code))

        assert (ending.reason, ending.exit_code) == (EndReason.EXITED, code)
        assert str(code) in ending.message
        assert reaped == Reaped(1, 0)
        assert world.reaper.markers == ["marker-1"]


async def test_a_confirmed_success_is_exit_code_0() -> None:
    async with World() as world:
        ending, _ = await end_with(world, Success(confirmed=True))

        assert (ending.reason, ending.exit_code) == (EndReason.EXITED, 0)


async def test_an_unconfirmed_success_is_believed_when_the_shell_is_gone() -> None:
    async with World() as world:
        ending, reaped = await end_with(world, Success(confirmed=False))

        assert (ending.reason, ending.exit_code, ending.data) == (EndReason.EXITED, 0, {})
        assert reaped is not None
        assert len(world.reaper.markers) == 1


async def test_an_unconfirmed_success_of_a_shell_that_still_runs_was_a_lost_connection() -> None:
    async with World() as world:
        world.reaper.answer = Reaped(2, 0, leader_alive=True)

        ending, reaped = await end_with(world, Success(confirmed=False))

        assert (ending.reason, ending.exit_code) == (EndReason.LOST, None)
        assert reaped == world.reaper.answer
        assert len(world.reaper.markers) == 1


async def test_an_unconfirmed_success_in_a_container_that_is_gone_says_so() -> None:
    async with World() as world:
        world.cluster.restarts_the_container("OOMKilled", 137)

        ending, _ = await end_with(world, Success(confirmed=False))

        assert ending.reason is EndReason.TARGET_GONE


async def test_a_lost_connection_says_so() -> None:
    async with World() as world:
        ending, _ = await end_with(world, LOST)

        assert ending.reason is EndReason.LOST
        assert world.reaper.markers == ["marker-1"]


async def test_a_lost_connection_is_told_although_nobody_can_ask_about_the_pod() -> None:
    async with World() as world:
        world.cluster.inspection = UNREACHABLE

        ending, _ = await end_with(world, LOST)

        assert ending.reason is EndReason.LOST


async def test_a_cluster_that_never_answers_about_the_pod_does_not_keep_a_session() -> None:
    async with World() as world:
        world.cluster.answers_about_pods.clear()

        ending, _ = await end_with(world, LOST)

        assert ending.reason is EndReason.LOST


async def test_a_shell_killed_by_somebody_is_exited_with_137() -> None:
    async with World() as world:
        ending, _ = await end_with(world, Exited(137))

        assert (ending.reason, ending.exit_code) == (EndReason.EXITED, 137)
        assert "killed" in ending.message


async def test_a_shell_killed_with_its_container_says_why_although_that_is_published_late() -> None:
    async with World() as world:
        world.cluster.plays(silent)
        session = world.open()
        client = world.join(session)
        (await world.cluster.stream()).ends(Exited(137))
        await asyncio.sleep(0.5)
        world.cluster.restarts_the_container("OOMKilled", 137)

        ended = await client.sees_the_end()

        assert (ended.reason, ended.exit_code) == ("target_gone", 137)
        assert ended.data["why"] == "container_restarted"
        assert "OOMKilled" in ended.message
        assert client.view.close_code is CloseCode.TARGET_GONE


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"uid": "pod-2"}, "pod_replaced"),
        ({"container_id": "containerd://2"}, "container_restarted"),
        ({"container_running": False, "reason": "Completed"}, "container_restarted"),
    ],
)
async def test_a_pod_that_is_another_one_is_noticed_though_the_stream_stays_open(
    change: dict[str, Any], why: str
) -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        await client.sees(b"$ ")
        loop, before = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        world.cluster.pod = replace(POD, **change)

        ended = await client.sees_the_end()

        assert (ended.reason, ended.data["why"]) == ("target_gone", why)
        assert loop.time() - before <= 10


async def test_a_deleted_pod_is_noticed_within_ten_seconds() -> None:
    async with World() as world:
        client = world.join(world.open())
        await client.sees(b"$ ")
        loop, before = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        world.cluster.loses_the_pod()

        ended = await client.sees_the_end()

        assert (ended.reason, ended.data["why"]) == ("target_gone", "pod_deleted")
        assert loop.time() - before <= 10


async def test_a_pod_of_the_same_name_but_another_uid_is_noticed_right_after_the_start() -> None:
    async with World() as world:
        world.cluster.pod = replace(POD, uid="pod-2")
        session = world.open()
        client = world.join(session)
        loop, before = asyncio.get_running_loop(), asyncio.get_running_loop().time()

        ended = await client.sees_the_end()

        assert ended.data["why"] == "pod_replaced"
        assert loop.time() - before < 1


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"uid": "pod-2", "container_id": "containerd://9"}, ("pod-2", "containerd://9")),
        ({"container_id": "containerd://9"}, ("pod-1", "containerd://9")),
    ],
    ids=["pod replaced", "container restarted"],
)
async def test_what_began_in_a_container_that_took_the_name_is_ended_and_was_given_no_input(
    change: dict[str, Any], place: tuple[str, str]
) -> None:
    async with World() as world:
        world.cluster.pod = replace(POD, **change)
        world.cluster.answers_about_pods.clear()
        session = world.open()
        client = world.join(session)
        await client.sees(b"$ ")
        client.types(b"rm important\r")
        await asyncio.sleep(1)
        world.cluster.answers_about_pods.set()

        await client.sees_the_end()
        await world.ended(session)

        stream = await world.cluster.stream()
        assert stream.stdin == b""
        assert stream.is_closed
        assert world.reaper.places == [(POD.uid, POD.container_id), place]
        assert set(world.reaper.markers) == {session.spec.marker}


async def test_a_pod_that_nobody_can_tell_about_may_be_typed_into() -> None:
    async with World() as world:
        world.cluster.inspection = Refused(Refusal.CLUSTER_UNREACHABLE, "No answer.", 503)
        client = world.join(world.open())

        client.types(b"echo")

        await client.sees(b"echo")


@pytest.mark.parametrize("kind", list(Refusal))
async def test_a_refused_stream_says_why_and_nothing_is_reaped(kind: Refusal) -> None:
    async with World() as world:
        world.cluster.plays(Refused(kind, "No.", 403))
        session = world.open()
        client = world.join(session)

        ended = await client.sees_the_end()

        assert (ended.reason, ended.message, ended.data["kind"]) == ("refused", "No.", kind)
        await world.ended(session)
        assert world.reaper.markers == []
        assert world.ledger.entries == [("ended", session.spec.id)]


@pytest.mark.parametrize("kind", list(StartFailure))
async def test_a_process_that_could_not_be_started_says_why_and_nothing_is_reaped(
    kind: StartFailure,
) -> None:
    def fails(stream: FakeStream) -> None:
        stream.ends(StartFailed(kind, "It could not."))

    async with World() as world:
        world.cluster.plays(fails)
        session = world.open()
        client = world.join(session)

        ended = await client.sees_the_end()

        assert (ended.reason, ended.data["kind"]) == ("start_failed", kind)
        await world.ended(session)
        assert world.reaper.markers == []
        assert len(world.cluster.requests) == (4 if kind is StartFailure.NO_SHELL else 1)


async def test_a_cluster_that_does_not_open_the_stream_in_time_is_unreachable() -> None:
    async with World(Limits(open_seconds=15)) as world:
        world.cluster.answers.clear()
        session = world.open()
        client = world.join(session)
        loop, before = asyncio.get_running_loop(), asyncio.get_running_loop().time()

        ended = await client.sees_the_end()
        await world.ended(session)

        assert (ended.reason, ended.data["kind"]) == ("refused", "cluster_unreachable")
        assert loop.time() - before == pytest.approx(15, abs=1)
        # What was asked for may have been started all the same.
        assert world.reaper.markers == ["marker-1"]


async def test_a_session_that_is_ended_while_it_starts_is_reaped() -> None:
    async with World() as world:
        world.cluster.answers.clear()
        session = world.open()
        await world.cluster.asked()

        session.end(Ending(EndReason.TERMINATED, "An administrator ended it."))
        ending, reaped = await world.ended(session)

        assert ending.reason is EndReason.TERMINATED
        assert reaped == Reaped(1, 0)
        assert world.ledger.entries == [("ended", session.spec.id)]


async def test_a_failure_inside_ends_that_session_alone(caplog: pytest.LogCaptureFixture) -> None:
    async with World() as world:
        good = world.open()
        await world.join(good).sees(b"$ ")
        world.cluster.plays(RuntimeError("a bug"))
        session = world.open()
        client = world.join(session)

        ended = await client.sees_the_end()

        assert ended.reason == "failed"
        assert "a bug" in caplog.text
        assert (await world.ended(session))[0].reason is EndReason.FAILED
        assert good.ending is None


async def test_a_stream_that_fails_while_it_is_closed_does_not_change_the_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with World() as world:
        session = world.open()
        client = world.join(session)
        await client.sees(b"$ ")
        stream = await world.cluster.stream()
        stream.close_error = RuntimeError("a bug in closing")

        session.end(Ending(EndReason.TERMINATED, "An administrator ended it."))
        ended = await client.sees_the_end()

        assert ended.reason == "terminated"
        assert (await world.ended(session))[0].reason is EndReason.TERMINATED
        assert "a bug in closing" in caplog.text


@pytest.mark.parametrize("result", [Success(True), Success(False), Exited(0)])
async def test_an_attached_process_that_ended_took_its_container_with_it(
    result: ExecResult,
) -> None:
    async with World() as world:
        world.cluster.pod = POD
        world.cluster.plays(silent)
        session = world.open(spec=attach_spec())
        client = world.join(session)
        (await world.cluster.stream()).ends(result)
        await asyncio.sleep(0.5)
        world.cluster.restarts_the_container("Completed", 0)

        ended = await client.sees_the_end()

        assert (ended.reason, ended.exit_code) == ("target_gone", 0)


@pytest.mark.parametrize(("result", "code"), [(Success(True), None), (Exited(2), 2)])
async def test_an_attached_process_may_close_its_output(
    result: ExecResult, code: int | None
) -> None:
    async with World() as world:
        ending, reaped = await end_with(world, result, attach_spec())

        assert (ending.reason, ending.exit_code) == (EndReason.EXITED, code)
        assert "main process" in ending.message
        assert reaped is None


def test_the_close_code_says_why() -> None:
    def code(reason: EndReason, **data: str) -> CloseCode:
        return Ending(reason, "", data=data).close_code

    assert code(EndReason.REVOKED, why="signed_out") is CloseCode.SIGNED_OUT
    assert code(EndReason.REVOKED, why="grant_removed") is CloseCode.FORBIDDEN
    assert code(EndReason.TARGET_GONE) is CloseCode.TARGET_GONE
    assert code(EndReason.REFUSED) is CloseCode.UNREACHABLE
    assert code(EndReason.EXITED) is CloseCode.NORMAL


def test_every_session_has_a_marker_of_its_own_in_its_command() -> None:
    launch = exec_spec().launch
    assert launch is not None

    for command in launch.attempts("the-marker", 80, 24):
        assert "the-marker" in command
