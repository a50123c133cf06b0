"""What a screen is rebuilt from."""

from __future__ import annotations

import random

import pytest

from protocol.size import Size
from terminal.screen.limits import KEPT_BYTES
from terminal.screen.past import Past
from terminal.screen.wire import Position, Tail

_SIZE = Size(80, 24)


def _kept(past: Past) -> list[bytes | Tail | Size]:
    return [item if isinstance(item, Size | Tail) else bytes(item) for item in past]


def test_small_pieces_are_joined_and_resizes_stay_between_them() -> None:
    past = Past(_SIZE)
    for item in (b"a", b"b", Size(10, 5), b"c", b"d" * 5000, b"e"):
        past.add(item)
    assert _kept(past) == [b"ab", Size(10, 5), b"c", b"d" * 5000, b"e"]
    assert past.kept_bytes == 5004


def test_a_keyframe_replaces_what_came_before_it() -> None:
    past = Past(_SIZE)
    for item in (b"abc", Size(10, 5), b"defg", Size(20, 6), b"h"):
        past.add(item)
    past.keep(Position(5, 1), b"keyframe")
    assert (past.start, past.keyframe, past.size) == (Position(5, 1), b"keyframe", Size(10, 5))
    assert _kept(past) == [b"fg", Size(20, 6), b"h"]
    past.keep(Position(2, 0), b"older")
    assert past.keyframe == b"keyframe"
    past.keep(Position(8, 2), b"all")
    assert (_kept(past), past.kept_bytes, past.size) == ([], 0, Size(20, 6))


def test_a_tail_takes_its_own_length_and_stands_for_more() -> None:
    past = Past(_SIZE)
    tail = Tail(b"tail", 1000)
    for item in (b"abc", tail, b"de"):
        past.add(item)
    assert past.kept_bytes == 9
    past.keep(Position(3, 0), b"before it")
    assert (_kept(past), past.kept_bytes) == ([tail, b"de"], 6)
    past.keep(Position(1004, 0), b"behind it")
    assert (_kept(past), past.start, past.kept_bytes) == ([b"e"], Position(1004, 0), 1)


def test_there_is_no_state_within_a_tail() -> None:
    past = Past(_SIZE)
    past.add(Tail(b"tail", 1000))
    with pytest.raises(ValueError, match="within a tail"):
        past.keep(Position(500, 0), b"keyframe")
    assert past.keyframe is None


def test_too_much_loses_the_oldest_and_the_keyframe() -> None:
    past = Past(_SIZE)
    past.keep(Position(0, 0), b"keyframe")
    piece = b"x" * (KEPT_BYTES // 8)
    assert not any(past.add(piece) for _ in range(8))
    assert past.add(b"one more")
    assert past.keyframe is None
    assert past.kept_bytes <= KEPT_BYTES // 2
    assert past.start.offset + past.kept_bytes == KEPT_BYTES + 8


def test_whatever_is_kept_continues_the_keyframe() -> None:
    chance = random.Random(1)
    for _ in range(200):
        past, whole, positions = Past(_SIZE), bytearray(), [Position(0, 0)]
        for _ in range(chance.randrange(1, 20)):
            at = positions[-1]
            if chance.randrange(4) == 0:
                past.add(Size(chance.randrange(2, 99), 9))
                positions.append(Position(at.offset, at.resizes + 1))
                continue
            data = chance.randbytes(chance.randrange(1, 6000))
            past.add(data)
            whole += data
            cut = chance.randrange(len(data))
            positions += [
                Position(at.offset + cut, at.resizes),
                Position(at.offset + len(data), at.resizes),
            ]
        position = chance.choice(positions)
        past.keep(position, b"keyframe")
        assert past.start == position
        rest = b"".join(item for item in _kept(past) if isinstance(item, bytes))
        assert rest == whole[position.offset :]
        resizes = sum(isinstance(item, Size) for item in past)
        assert resizes == positions[-1].resizes - position.resizes
