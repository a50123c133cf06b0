"""Exec over every subprotocol: frames, exit codes, terminals and the forms of its errors."""

from __future__ import annotations

import asyncio
import hashlib
import json

import pytest

from tests.contract.client import (
    ANSWER_SECONDS,
    ERROR,
    STDERR,
    STDIN,
    STDOUT,
    V1,
    V1_BASE64,
    V4,
    V4_BASE64,
    V5,
    Api,
    HandshakeRefused,
    Outcome,
    exec_options,
    size_line,
)
from tests.contract.conftest import BUSYBOX, FOREVER, START_SECONDS, ContractCluster, container, pod

PROTOCOLS = [V5, V4, V1, V4_BASE64, V1_BASE64]


@pytest.fixture
def path(cluster: ContractCluster) -> str:
    return f"{cluster.pods}/shells/exec"


async def run(api: Api, path: str, *command: str, protocol: str = V5) -> Outcome:
    async with api.stream(path, exec_options("main", *command), protocols=[protocol]) as stream:
        return await stream.until_end()


async def refusal(
    api: Api, path: str, options: list[tuple[str, str]], *protocols: str
) -> HandshakeRefused:
    with pytest.raises(HandshakeRefused) as raised:
        async with api.stream(path, options, protocols=protocols):
            pass
    return raised.value


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_streams_are_separate_and_begin_with_an_empty_frame(
    api: Api, path: str, protocol: str
) -> None:
    outcome = await run(api, path, "sh", "-c", "echo out; echo err >&2", protocol=protocol)

    assert outcome.frames[0] == (STDOUT, b"")
    assert outcome.of(STDOUT) == b"out\n"
    assert outcome.of(STDERR) == b"err\n"
    assert outcome.close_code in (1000, 1006)


@pytest.mark.parametrize("protocol", [V5, V4, V4_BASE64])
@pytest.mark.parametrize("code", [0, 1, 7, 137])
async def test_status_tells_the_exit_code(api: Api, path: str, protocol: str, code: int) -> None:
    script = "kill -9 $$" if code == 137 else f"exit {code}"

    outcome = await run(api, path, "sh", "-c", script, protocol=protocol)

    assert outcome.exit_code == code
    assert outcome.frames[-1][0] == ERROR
    if code == 0:
        assert outcome.status["status"] == "Success"
        return
    assert outcome.status["status"] == "Failure"
    assert outcome.status["reason"] == "NonZeroExitCode"
    message = f"command terminated with exit code {code}"
    if protocol != V5:
        message = f"error executing command [sh -c {script}], exit code {code}"
    assert outcome.status["message"] == f"command terminated with non-zero exit code: {message}"


@pytest.mark.parametrize("protocol", [V1, V1_BASE64])
async def test_oldest_subprotocols_tell_failures_only_and_in_words(
    api: Api, path: str, protocol: str
) -> None:
    good = await run(api, path, "true", protocol=protocol)
    bad = await run(api, path, "sh", "-c", "exit 7", protocol=protocol)

    assert good.of(ERROR) == b""
    assert bad.of(ERROR) == (
        b"command terminated with non-zero exit code: "
        b"error executing command [sh -c exit 7], exit code 7"
    )


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ([V5, V4], V5),
        ([V4, V5], V5),
        (["foo", V4], V4),
        ([V1_BASE64, V4], V1_BASE64),
        ([], ""),
    ],
)
async def test_subprotocol_is_chosen_like_by_a_real_server(
    api: Api, path: str, offered: list[str], chosen: str
) -> None:
    async with api.stream(path, exec_options("main", "true"), protocols=offered) as stream:
        assert stream.subprotocol == chosen
        await stream.until_end()


@pytest.mark.parametrize("offered", ["foo", "v5.base64.channel.k8s.io"])
async def test_unknown_subprotocol_is_refused_without_a_body(
    api: Api, path: str, offered: str
) -> None:
    error = await refusal(api, path, exec_options("main", "true"), offered)

    assert (error.reply.status, error.reply.content_type, error.reply.text) == (403, "", "")


async def test_bytes_are_not_touched_without_a_terminal(api: Api, path: str) -> None:
    script = "for i in 0 1 2 3 4 5 6 7; do printf '\\000\\001\\377\\r\\n'; done"

    assert (await run(api, path, "sh", "-c", script)).of(STDOUT) == b"\x00\x01\xff\r\n" * 8


@pytest.mark.parametrize("protocol", [V5, V4])
async def test_output_larger_than_any_buffer_arrives_whole(
    api: Api, path: str, protocol: str
) -> None:
    size = 3_000_000
    script = f"head -c {size} /dev/zero | tr '\\000' x; echo end"

    outcome = await run(api, path, "sh", "-c", script, protocol=protocol)

    assert outcome.of(STDOUT) == b"x" * size + b"end\n"
    assert max(len(data) for _, data in outcome.frames) <= 32 * 1024
    assert outcome.exit_code == 0


async def test_long_command_fits_into_the_address(api: Api, path: str) -> None:
    script = f": {'x' * 40_000}; echo whole"

    assert (await run(api, path, "sh", "-c", script)).of(STDOUT) == b"whole\n"


async def test_v5_half_close_ends_the_input_of_the_process(api: Api, path: str) -> None:
    data = bytes(range(256)) * 4000
    options = exec_options("main", "sha256sum", stdin=True)
    async with api.stream(path, options, protocols=[V5]) as stream:
        for at in range(0, len(data), 32 * 1024):
            await stream.send(STDIN, data[at : at + 32 * 1024])
        await stream.send_raw(b"\xff\x00")
        outcome = await stream.until_end()

    assert outcome.of(STDOUT).split()[0].decode() == hashlib.sha256(data).hexdigest()
    assert outcome.exit_code == 0


async def test_v4_has_no_half_close(api: Api, path: str) -> None:
    options = exec_options("main", "sh", "-c", "read -r a; echo $a; read -r b; echo $b", stdin=True)
    async with api.stream(path, options, protocols=[V4]) as stream:
        await stream.send(STDIN, b"one\n")
        await stream.send_raw(b"\xff\x00")
        await stream.until_output(b"one\n")
        await stream.send(STDIN, b"two\n")
        assert (await stream.until_end()).of(STDOUT) == b"one\ntwo\n"


@pytest.mark.parametrize("protocol", [V4_BASE64, V1_BASE64, V1])
async def test_input_works_over_the_other_subprotocols(api: Api, path: str, protocol: str) -> None:
    options = exec_options("main", "head", "-c", "5", stdin=True)
    async with api.stream(path, options, protocols=[protocol]) as stream:
        await stream.send(STDIN, b"he")
        await stream.send(STDIN, b"llo")
        assert (await stream.until_end()).of(STDOUT) == b"hello"


@pytest.mark.parametrize("frame", [b"\xff\x00\x00", b"\xff", b"\xff\x07"])
async def test_malformed_v5_close_ends_the_connection_without_a_status(
    api: Api, path: str, frame: bytes
) -> None:
    options = exec_options("main", "sleep", "5", stdin=True)
    async with api.stream(path, options, protocols=[V5]) as stream:
        await stream.send_raw(frame)
        assert (await stream.until_end()).of(ERROR) == b""


async def test_empty_and_unknown_frames_are_ignored(api: Api, path: str) -> None:
    options = exec_options("main", "head", "-c", "2", stdin=True)
    async with api.stream(path, options) as stream:
        for frame in (b"", b"\x00", b"\x07abc", b"\x01abc", b"\x00ok"):
            await stream.send_raw(frame)
        assert (await stream.until_end()).of(STDOUT) == b"ok"


@pytest.mark.parametrize("protocol", [V5, V4])
async def test_terminal_has_the_size_that_was_sent(api: Api, path: str, protocol: str) -> None:
    options = exec_options("main", "sh", tty=True, stdin=True)
    async with api.stream(path, options, protocols=[protocol]) as stream:
        await stream.resize(132, 43)
        await stream.send(STDIN, size_line(132, 43) + b"tty; echo $TERM\n")
        await stream.until_output(b"43 132\r\n")
        await stream.until_output(b"/dev/pts/")
        await stream.until_output(b"xterm")
        # Several sizes may come in one frame, and one in several.
        await stream.send_raw(b'\x04{"Width":90,"Height":30}{"Width":100,')
        await stream.send_raw(b'\x04"Height":40}')
        await stream.send(STDIN, size_line(100, 40))
        await stream.until_output(b"40 100\r\n")
        await stream.send(STDIN, b"exit 5\n")
        outcome = await stream.until_end()

    assert outcome.exit_code == 5
    assert outcome.of(STDERR) == b""


async def test_size_changes_reach_the_program_as_a_signal(api: Api, path: str) -> None:
    script = "trap 'stty size' WINCH; echo ready; while :; do sleep 0.1; done"
    async with api.stream(path, exec_options("main", "bash", "-c", script, tty=True)) as stream:
        await stream.until_output(b"ready")
        await stream.resize(77, 33)
        await stream.until_output(b"33 77")


async def test_interrupt_key_ends_what_runs_in_the_terminal(api: Api, path: str) -> None:
    options = exec_options("main", "bash", "--norc", tty=True, stdin=True)
    async with api.stream(path, options) as stream:
        await stream.send(STDIN, b"PS1='rea''dy> '\n")
        await stream.until_output(b"ready> ")
        await stream.send(STDIN, b"yes\n")
        await stream.until_output(b"y\r\ny\r\ny\r\n")
        await stream.send(STDIN, b"\x03")
        await stream.send(STDIN, b"echo do''ne $?\n")
        await stream.until(lambda outcome: b"done 130" in outcome.of(STDOUT)[-4096:])


async def test_terminal_takes_the_wish_for_stderr_back(api: Api, path: str) -> None:
    options = [*exec_options("main", "sh", "-c", "echo out; echo err >&2", tty=True)]
    async with api.stream(path, [*options, ("stderr", "true")]) as stream:
        outcome = await stream.until_end()

    assert outcome.of(STDOUT) == b"out\r\nerr\r\n"
    assert outcome.of(STDERR) == b""


async def test_characters_of_many_bytes_come_through_a_terminal(api: Api, path: str) -> None:
    options = exec_options("main", "sh", "-c", "echo 中文 🎉; printf '\\377\\n'", tty=True)
    async with api.stream(path, options) as stream:
        outcome = await stream.until_end()

    assert outcome.of(STDOUT) == "中文 🎉\r\n".encode() + b"\xff\r\n"


@pytest.mark.parametrize(
    ("container", "command", "reason"),
    [
        ("side", ["bash"], 'exec: "bash": executable file not found in $PATH'),
        ("side", ["/bin/bash"], 'exec: "/bin/bash": stat /bin/bash: no such file or directory'),
        ("side", ["/tmp"], 'exec: "/tmp": permission denied'),
        ("main", [""], 'exec: "": executable file not found in $PATH'),
        ("main", [], "args must not be empty"),
    ],
)
@pytest.mark.parametrize("protocol", [V5, V4])
async def test_command_that_is_not_there_is_an_internal_error(
    api: Api, path: str, protocol: str, container: str, command: list[str], reason: str
) -> None:
    async with api.stream(path, exec_options(container, *command), protocols=[protocol]) as stream:
        outcome = await stream.until_end()

    status = outcome.status
    assert (status["reason"], status["code"], status["status"]) == ("InternalError", 500, "Failure")
    prefix = "Internal error occurred: " * (2 if protocol == V5 else 1)
    prefix += "error executing command in container: failed to exec in container: "
    assert status["message"].startswith(prefix + 'failed to start exec "')
    assert "OCI runtime exec failed: exec failed: " in status["message"]
    assert status["message"].endswith(f"{reason}: unknown")
    assert outcome.of(STDOUT) == outcome.of(STDERR) == b""


@pytest.mark.parametrize("shell", ["bash", "sh", "/bin/sh"])
async def test_container_without_any_shell_says_so(
    api: Api, cluster: ContractCluster, shell: str
) -> None:
    options = exec_options("main", shell, tty=True, stdin=True)
    async with api.stream(f"{cluster.pods}/bare/exec", options) as stream:
        message = (await stream.until_end()).status["message"]

    wanted = "no such file or directory" if "/" in shell else "executable file not found in $PATH"
    assert wanted in message


async def test_auto_shell_finds_the_best_one(api: Api, path: str) -> None:
    script = "command -v bash >/dev/null && exec bash -c 'echo bash' || exec sh -c 'echo sh'"
    shells = {}
    for name in ("main", "side"):
        async with api.stream(path, exec_options(name, "sh", "-c", script)) as stream:
            shells[name] = (await stream.until_end()).of(STDOUT)

    assert shells == {"main": b"bash\n", "side": b"sh\n"}


@pytest.mark.parametrize("protocol", [V5, V4])
@pytest.mark.parametrize("kind", ["exec", "attach"])
async def test_wrong_pods_and_containers_are_refused_at_the_handshake(
    api: Api, cluster: ContractCluster, kind: str, protocol: str
) -> None:
    path = f"{cluster.pods}/shells/{kind}"
    options = exec_options("main", "true")
    unknown = await refusal(api, path, exec_options("nope", "true"), protocol)
    unnamed = await refusal(api, path, options[1:], protocol)
    missing = await refusal(api, f"{cluster.pods}/nope/{kind}", options, protocol)

    assert unknown.reply.status == unnamed.reply.status == 400
    assert unknown.reply.message == "container nope is not valid for pod shells"
    assert unnamed.reply.message == (
        "a container name must be specified for pod shells, choose one of: [main side]"
    )
    assert (missing.reply.status, missing.reply.message) == (404, 'pods "nope" not found')


async def test_only_container_needs_no_name(api: Api, cluster: ContractCluster) -> None:
    options = [("command", "hostname"), ("stdout", "true")]
    async with api.stream(f"{cluster.pods}/talker/exec", options) as stream:
        assert (await stream.until_end()).exit_code == 0


@pytest.mark.parametrize(
    ("kind", "text"),
    [("exec", 'container not found ("main")'), ("attach", "container main not found in pod")],
)
async def test_container_that_does_not_run_is_told_by_the_node(
    api: Api, cluster: ContractCluster, kind: str, text: str
) -> None:
    path = f"{cluster.pods}/failed/{kind}"
    options = exec_options("main", "true")
    old = await refusal(api, path, options, V4)
    async with api.stream(path, options, protocols=[V5]) as stream:
        outcome = await stream.until_end()

    assert (old.reply.status, old.reply.content_type) == (500, "text/plain")
    assert old.reply.text.strip().startswith(text)
    status = outcome.status
    assert (status["reason"], status["code"]) == ("InternalError", 500)
    prefix = "Internal error occurred: unable to upgrade connection: "
    assert status["message"].startswith(prefix + text)


async def test_request_for_no_stream_at_all_is_refused(api: Api, path: str) -> None:
    options = [("container", "main"), ("command", "true")]
    old = await refusal(api, path, options, V4)
    async with api.stream(path, options, protocols=[V5]) as stream:
        outcome = await stream.until_end()

    text = "you must specify at least 1 of stdin, stdout, stderr"
    assert (old.reply.status, old.reply.content_type) == (400, "text/plain")
    assert old.reply.text == text
    assert outcome.frames[0] == (ERROR, b"")
    assert outcome.status["message"] == (
        f"Internal error occurred: unable to upgrade connection: {text}"
    )


async def test_plain_request_is_told_to_upgrade(api: Api, path: str) -> None:
    reply = await api.get(f"{path}?container=main&command=true&stdout=true")

    assert (reply.status, reply.message) == (400, "Upgrade request required")


async def test_bad_token_is_refused_at_the_handshake(api: Api, path: str) -> None:
    with pytest.raises(HandshakeRefused) as raised:
        async with api.stream(
            path, exec_options("main", "true"), headers=[("Authorization", "Bearer nobody")]
        ):
            pass

    assert (raised.value.reply.status, raised.value.reply.message) == (401, "Unauthorized")


async def test_process_stays_when_its_client_goes_and_a_marker_finds_it(
    api: Api, path: str
) -> None:
    mark = "CONTRACT_MARK=b5f1"
    options = exec_options("main", "env", mark, "sh", tty=True, stdin=True)
    async with api.stream(path, options, protocols=[V5]) as stream:
        await stream.send(STDIN, b"sleep 300 &\necho sta''rted\n")
        await stream.until_output(b"started")

    scan = (
        'n=0; for e in /proc/[0-9]*/environ; do tr "\\000" "\\n" <"$e" 2>/dev/null | '
        f"grep -qx {mark} && {{ n=$((n+1)); p=${{e%/environ}}; "
        '[ -z "$1" ] || kill -9 ${p#/proc/}; }; done; echo $n'
    )
    found = await run(api, path, "sh", "-c", scan)
    await run(api, path, "sh", "-c", scan, "sh", "kill")
    async with asyncio.timeout(ANSWER_SECONDS):
        while (await run(api, path, "sh", "-c", scan)).of(STDOUT) != b"0\n":
            await asyncio.sleep(0.1)

    assert int(found.of(STDOUT)) >= 2


async def test_reader_that_stops_stops_the_process_and_loses_nothing(api: Api, path: str) -> None:
    script = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); echo line $i; done; echo end"
    async with api.stream(path, exec_options("main", "sh", "-c", script)) as stream:
        await stream.until_output(b"line 10\n")
        await asyncio.sleep(0.5)
        outcome = await stream.until_end()

    lines = outcome.of(STDOUT).splitlines()
    assert lines == [*(b"line %d" % number for number in range(1, 200001)), b"end"]
    assert json.loads(outcome.of(ERROR))["status"] == "Success"


async def test_exec_ends_when_its_container_ends(api: Api, cluster: ContractCluster) -> None:
    made = pod("doomed", container("main", BUSYBOX, *FOREVER))
    await api.call("POST", cluster.pods, made)
    async with asyncio.timeout(START_SECONDS):
        while (await api.get(f"{cluster.pods}/doomed")).json["status"].get("phase") != "Running":
            await asyncio.sleep(0.1)
    options = exec_options("main", "sh", tty=True, stdin=True)
    async with api.stream(f"{cluster.pods}/doomed/exec", options) as stream:
        await stream.send(STDIN, b"echo sta''rted\n")
        await stream.until_output(b"started")
        await api.call("DELETE", f"{cluster.pods}/doomed")
        outcome = await stream.until_end()

    assert outcome.exit_code == 137
