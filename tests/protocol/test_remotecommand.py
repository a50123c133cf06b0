"""Exact bytes, every form of a Status that was seen on a real cluster, and any garbage."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import LocalProtocolError, RemoteProtocolError
from protocol.execution import Exited, Lost, Output, StartFailed, StartFailure, Success
from protocol.remotecommand import (
    V4,
    V5,
    Channel,
    Status,
    Stdin,
    StdinClosed,
    decode,
    decode_client,
    is_upgrade_failure,
    output_frame,
    parse_status,
    resize_frame,
    result_of,
    shown_message,
    status_frame,
    stdin_end_frame,
    stdin_frame,
)
from protocol.size import Size

CONTAINERD = (
    'error executing command in container: failed to exec in container: failed to start exec "ab": '
    "OCI runtime exec failed: exec failed: unable to start container process: "
)


def internal(message: str) -> Status:
    return Status(is_success=False, reason="InternalError", message=message)


def test_frames_have_these_bytes() -> None:
    assert stdin_frame(b"ls\r").hex(" ") == "00 6c 73 0d"
    assert stdin_end_frame(V5).hex(" ") == "ff 00"
    assert resize_frame(Size(132, 43)) == b'\x04{"Width":132,"Height":43}'
    assert output_frame(Channel.STDOUT).hex() == "01"
    assert status_frame(Status(is_success=True)) == b'\x03{"metadata":{},"status":"Success"}'


def test_an_empty_stdin_frame_is_our_own_mistake() -> None:
    with pytest.raises(LocalProtocolError):
        stdin_frame(b"")


def test_v4_cannot_end_standard_input() -> None:
    with pytest.raises(LocalProtocolError, match="v4"):
        stdin_end_frame(V4)


@pytest.mark.parametrize("frame", [b"", b"\x01", b"\x02", b"\x03"])
def test_a_frame_without_bytes_means_nothing(frame: bytes) -> None:
    assert decode(frame) is None


def test_output_keeps_every_byte_and_its_channel() -> None:
    assert decode(b"\x01\x00\xff\xe6") == Output(b"\x00\xff\xe6")
    assert decode(b"\x02oops") == Output(b"oops", stderr=True)


@pytest.mark.parametrize("channel", [0, 4, 5, 255])
def test_a_channel_that_servers_never_use_is_an_error(channel: int) -> None:
    with pytest.raises(RemoteProtocolError, match=str(channel)):
        decode(bytes((channel,)) + b"x")


@pytest.mark.parametrize(
    "payload", [b"command terminated", b"[]", b"{}", b'{"status":3}', b"\xff", b"1"]
)
def test_a_broken_status_is_an_error(payload: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_status(payload)


def test_success_is_confirmed_on_v4_alone_and_never_for_attach() -> None:
    success = parse_status(b'{"status":"Success"}')

    assert result_of(success, V4) == Success(confirmed=True)
    assert result_of(success, V5) == Success(confirmed=False)
    assert result_of(success, V4, is_attach=True) == Success(confirmed=False)


def test_the_exit_code_is_searched_among_the_causes() -> None:
    body = {
        "status": "Failure",
        "reason": "NonZeroExitCode",
        "message": "error executing command [sh -c secret], exit code 7",
        "details": {
            "causes": [
                {"reason": "Other", "message": "1"},
                3,
                {"reason": "ExitCode", "message": "7"},
            ]
        },
    }

    assert result_of(parse_status(json.dumps(body).encode()), V4) == Exited(7)


def test_status_frames_come_back_as_they_went() -> None:
    for status in (Status(is_success=True), Status(False, "NonZeroExitCode", "ended", 137)):
        assert decode(status_frame(status)) == status


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (CONTAINERD + 'exec: "bash": executable file not found in $PATH: unknown', '"bash"'),
        (
            "Internal error occurred: " * 2
            + CONTAINERD
            + 'exec: "bash": executable file not found in $PATH: unknown',
            '"bash"',
        ),
        (
            CONTAINERD + 'exec: "/bin/x": stat /bin/x: no such file or directory: unknown',
            '"/bin/x"',
        ),
        (CONTAINERD + 'exec: "/tmp": permission denied: unknown', '"/tmp"'),
        ("hcs::System::CreateProcess c: The system cannot find the file specified.", "that"),
    ],
)
def test_a_missing_program_is_no_shell(message: str, shown: str) -> None:
    result = result_of(internal(message), V5, output=b"", seconds=0.1)

    assert isinstance(result, StartFailed)
    assert result.kind is StartFailure.NO_SHELL
    assert shown in result.message


@pytest.mark.parametrize(
    ("code", "output"),
    [
        (
            126,
            b"OCI runtime exec failed: exec failed: container_linux.go:380: starting container "
            b'process caused: exec: \\"bash\\": executable file not found in $PATH": unknown\r\n',
        ),
        (
            1,
            b"ERRO[0000] exec failed: unable to start container process: exec: "
            b'"bash": executable file not found in $PATH\n',
        ),
    ],
)
def test_docker_and_crio_report_a_missing_program_as_output(code: int, output: bytes) -> None:
    status = Status(False, "NonZeroExitCode", "", code)

    result = result_of(status, V4, output=output, seconds=0.2)

    assert isinstance(result, StartFailed)
    assert result.kind is StartFailure.NO_SHELL
    # … but a process that ran for a while, or said more, ended by itself.
    assert result_of(status, V4, output=output, seconds=30) == Exited(code)
    assert result_of(status, V4, output=None, seconds=0.2) == Exited(code)
    assert result_of(status, V4, output=b"bash: x: not found", seconds=0.2) == Exited(code)


@pytest.mark.parametrize(
    "message",
    [
        'unable to upgrade connection: container not found ("c2")',
        "container c2 not found in pod p1_ns",
    ],
)
def test_a_container_that_does_not_run_is_said_so(message: str) -> None:
    result = result_of(internal(f"Internal error occurred: {message}"), V5, output=b"")

    assert result == StartFailed(
        StartFailure.CONTAINER_NOT_RUNNING, "The container is not running."
    )
    assert not is_upgrade_failure(internal(message))


def test_another_failed_upgrade_may_be_tried_on_v4() -> None:
    assert is_upgrade_failure(internal("unable to upgrade connection: Bad Request"))
    assert not is_upgrade_failure(Status(is_success=True))


def test_an_error_after_output_is_a_lost_stream_not_a_failed_start() -> None:
    error = internal("Internal error occurred: stream ended [sh -c password=1]")

    assert isinstance(result_of(error, V5, output=b"some"), Lost)
    assert isinstance(result_of(error, V5, output=None), Lost)
    assert result_of(error, V5, output=b"") == StartFailed(
        StartFailure.OTHER, "The process could not be started: stream ended […]"
    )


@given(st.text(max_size=600))
def test_shown_messages_are_short_single_printable_lines(message: str) -> None:
    shown = shown_message(message)

    assert len(shown) <= 300
    assert shown.isprintable()


def test_command_lines_are_never_shown() -> None:
    assert "secret" not in shown_message("error executing command [sh -c\nsecret ] x], exit code 7")


@given(st.binary(max_size=300))
def test_no_frame_of_a_server_breaks_the_decoder(frame: bytes) -> None:
    try:
        event = decode(frame)
    except RemoteProtocolError:
        return
    assert event is None or isinstance(event, Output | Status)


@given(st.binary(max_size=100), st.sampled_from([V4, V5]))
def test_no_frame_of_a_client_breaks_the_decoder(frame: bytes, subprotocol: str) -> None:
    try:
        event = decode_client(frame, subprotocol)
    except RemoteProtocolError:
        return
    assert event is None or isinstance(event, Stdin | StdinClosed | Size)


@given(st.binary(min_size=1, max_size=200))
def test_input_comes_through_as_bytes(data: bytes) -> None:
    assert decode_client(stdin_frame(data), V4) == Stdin(data)


@given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 999)), min_size=1, max_size=4))
def test_the_last_of_concatenated_sizes_counts(sizes: list[tuple[int, int]]) -> None:
    frame = b"\x04" + b" ".join(resize_frame(Size(*size))[1:] for size in sizes)

    assert decode_client(frame, V5) == Size(*sizes[-1])


def test_the_close_frame_has_two_bytes_and_only_v5_knows_it() -> None:
    assert decode_client(b"\xff\x00", V5) == StdinClosed()
    assert decode_client(b"\xff\x00", V4) is None
    with pytest.raises(RemoteProtocolError):
        decode_client(b"\xff\x00\x00", V5)
