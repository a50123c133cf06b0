"""Input reaches the container once, in order and bounded, whoever sends it how often."""

from __future__ import annotations

import asyncio

import pytest

from protocol.close import CloseCode
from protocol.size import Size
from terminal.session.inbox import Inbox, InputGap, InputOverflow

CAPACITY = 100


def an_inbox(client: str = "one") -> Inbox:
    inbox = Inbox(CAPACITY)
    inbox.claim(client)
    return inbox


def deliver(inbox: Inbox, most: int = 1000) -> bytes:
    data = inbox.take_input(most)
    inbox.done(len(data))
    return data


def test_input_is_taken_in_order_and_joined() -> None:
    inbox = an_inbox()

    inbox.add(0, b"ab")
    inbox.add(2, b"cd")

    assert deliver(inbox) == b"abcd"
    assert (inbox.accepted, inbox.delivered) == (4, 4)
    assert deliver(inbox) == b""


def test_input_sent_again_is_taken_once() -> None:
    inbox = an_inbox()
    inbox.add(0, b"abc")

    assert inbox.add(0, b"abc") == b""
    assert inbox.add(1, b"bcde") == b"de"

    assert deliver(inbox) == b"abcde"


def test_skipped_input_is_refused_and_says_what_was_expected() -> None:
    inbox = an_inbox()
    inbox.add(0, b"abc")

    with pytest.raises(InputGap) as gap:
        inbox.add(4, b"e")

    assert gap.value.data == {"expected": 3, "got": 4}
    assert gap.value.close_code is CloseCode.BAD_FRAME
    assert deliver(inbox) == b"abc"


def test_input_beyond_the_window_is_refused_whole() -> None:
    inbox = an_inbox()
    inbox.add(0, b"x" * CAPACITY)

    with pytest.raises(InputOverflow) as overflow:
        inbox.add(CAPACITY, b"y")

    assert overflow.value.data == {"limit": CAPACITY}
    assert overflow.value.close_code is CloseCode.TOO_BIG
    assert deliver(inbox) == b"x" * CAPACITY
    assert inbox.add(CAPACITY, b"y") == b"y"


def test_large_input_is_delivered_in_pieces_of_the_size_asked_for() -> None:
    inbox = an_inbox()
    inbox.add(0, bytes(range(100)))

    pieces = [deliver(inbox, 30) for _ in range(4)]

    assert [len(piece) for piece in pieces] == [30, 30, 30, 10]
    assert b"".join(pieces) == bytes(range(100))


def test_pieces_are_not_joined_beyond_what_was_asked_for() -> None:
    inbox = an_inbox()
    inbox.add(0, b"abc")
    inbox.add(3, b"def")

    assert [deliver(inbox, 5), deliver(inbox, 5)] == [b"abc", b"def"]


def test_a_new_client_counts_from_zero_behind_what_the_other_typed() -> None:
    inbox = an_inbox("one")
    inbox.add(0, b"first")

    inbox.claim("two")
    inbox.add(0, b"second")

    assert deliver(inbox) == b"first"
    assert inbox.delivered == 0
    assert deliver(inbox) == b"second"
    assert inbox.delivered == 6


def test_a_client_that_owns_again_goes_on_where_it_was() -> None:
    inbox = an_inbox("one")
    inbox.add(0, b"abc")
    inbox.claim("two")
    inbox.add(0, b"x")

    inbox.claim("one")

    assert inbox.accepted == 3
    assert inbox.add(2, b"cd") == b"d"
    assert [deliver(inbox) for _ in range(3)] == [b"abc", b"x", b"d"]


def test_a_new_owner_may_type_although_the_one_before_filled_its_window() -> None:
    inbox = an_inbox("one")
    inbox.add(0, b"x" * CAPACITY)

    inbox.claim("two")

    assert inbox.add(0, b"y" * CAPACITY) == b"y" * CAPACITY


def test_a_client_that_returns_may_send_a_window_beyond_what_it_was_told() -> None:
    inbox = an_inbox("one")
    inbox.add(0, b"x" * CAPACITY)

    inbox.claim("one")

    assert inbox.accepted == CAPACITY
    assert inbox.add(CAPACITY, b"y" * CAPACITY) == b"y" * CAPACITY


def test_clients_cannot_fill_the_memory_by_taking_turns() -> None:
    inbox = Inbox(CAPACITY)
    for number in range(4):
        inbox.claim(f"client-{number}")
        inbox.add(0, b"x" * CAPACITY)
    inbox.claim("one-too-many")

    with pytest.raises(InputOverflow):
        inbox.add(0, b"x" * CAPACITY)


def test_only_so_many_clients_are_remembered() -> None:
    inbox = an_inbox("first")
    inbox.add(0, b"abc")
    deliver(inbox)

    for number in range(40):
        inbox.claim(f"client-{number}")
    inbox.claim("first")

    assert inbox.accepted == 0


def test_input_of_a_program_that_never_ran_is_delivered_again_and_counted_once() -> None:
    inbox = an_inbox()
    inbox.add(0, b"ab")
    taken = deliver(inbox)
    inbox.add(2, b"cd")

    inbox.put_back(taken)
    inbox.put_back(b"")

    assert [deliver(inbox), deliver(inbox)] == [b"ab", b"cd"]
    assert inbox.delivered == 4


async def test_what_was_put_back_wakes_the_writer() -> None:
    inbox = an_inbox()

    inbox.put_back(b"ab")

    await asyncio.wait_for(inbox.wait_for_input(), 1)


def test_the_latest_size_wins() -> None:
    inbox = an_inbox()
    inbox.resize(Size(80, 24))
    inbox.resize(Size(100, 30))

    assert inbox.take_size() == Size(100, 30)
    assert inbox.take_size() is None


async def test_waiting_ends_with_input_or_a_size_and_goes_on_when_both_are_taken() -> None:
    inbox = an_inbox()
    inbox.resize(Size(80, 24))
    inbox.add(0, b"a")

    await asyncio.wait_for(inbox.wait(), 1)
    deliver(inbox)
    await asyncio.wait_for(inbox.wait(), 1)
    inbox.take_size()

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(inbox.wait(), 1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(inbox.wait_for_input(), 1)
