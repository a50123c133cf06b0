"""The log file of a container: bounded, cut and followed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from democluster.logs import MAX_LOG_BYTES, ContainerLog, LogQuery


@pytest.fixture
def log(tmp_path: Path) -> Iterator[ContainerLog]:
    made = ContainerLog(tmp_path / "pod" / "0.log")
    yield made
    made.complete()


async def text(log: ContainerLog, **wanted: object) -> bytes:
    return b"".join([part async for part in log.read(LogQuery(**wanted))])  # type: ignore[arg-type]


async def test_line_is_kept_when_it_ends(log: ContainerLog) -> None:
    log.write("stdout", b"one\ntw")
    assert await text(log) == b"one\n"

    log.write("stderr", b"between\n")
    log.write("stdout", b"o\n")

    assert await text(log) == b"one\nbetween\ntwo\n"


async def test_unfinished_line_is_kept_at_the_end(log: ContainerLog) -> None:
    log.write("stdout", b"one\r\ntwo")
    log.complete()

    assert await text(log, follow=True) == b"one\r\ntwo\n"


async def test_size_is_bounded_and_the_newest_lines_stay(log: ContainerLog, tmp_path: Path) -> None:
    line = b"x" * 999
    for number in range(3 * MAX_LOG_BYTES // 1000):
        log.write("stdout", line + b"%d\n" % number)

    stored = sum(path.stat().st_size for path in (tmp_path / "pod").iterdir())
    kept = (await text(log)).splitlines()

    assert MAX_LOG_BYTES // 2 <= stored <= MAX_LOG_BYTES + 2000
    assert kept[-1].endswith(b"x%d" % (3 * MAX_LOG_BYTES // 1000 - 1))
    numbers = [int(item.lstrip(b"x")) for item in kept]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))


async def test_follower_loses_nothing_when_the_file_is_renamed(log: ContainerLog) -> None:
    count = 2 * MAX_LOG_BYTES // 1000
    seen: list[bytes] = []

    async def follow() -> None:
        async for part in log.read(LogQuery(follow=True)):
            seen.append(part)

    async with asyncio.TaskGroup() as group:
        group.create_task(follow())
        for number in range(count):
            log.write("stdout", b"x" * 990 + b" %d\n" % number)
            await asyncio.sleep(0)
        log.complete()

    numbers = [int(line.split()[-1]) for line in b"".join(seen).splitlines()]
    assert numbers == list(range(count))


async def test_timestamps_grow_and_stand_once_per_line(log: ContainerLog) -> None:
    log.write("stdout", b"a" * 40000 + b"\nb\n")

    lines = (await text(log, timestamps=True)).splitlines()

    assert [line.split(b" ")[1][:1] for line in lines] == [b"a", b"b"]
    assert lines[0].split(b" ")[0] < lines[1].split(b" ")[0]
