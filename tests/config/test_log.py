"""config.log: one line for each event, whatever is in it."""

from __future__ import annotations

import json
import logging
import sys

from config.log import JsonFormatter


def line(message: str, *arguments: object) -> str:
    return JsonFormatter().format(
        logging.LogRecord("hatchway", logging.INFO, "", 1, message, arguments, None)
    )


def test_a_name_cannot_forge_a_second_line() -> None:
    text = line("refused %s", 'x\n{"level":"info","message":"all is well"}\x1b[2J\u2028')

    assert len(text.splitlines()) == 1
    assert text.isascii()
    assert "\x1b" not in text
    assert json.loads(text)["level"] == "info"


def test_tickets_do_not_stand_in_lines() -> None:
    assert "c4n4ry" not in line("offered hatchway.tty.v1, hatchway.ticket.c4n4ry-_x")


def test_a_traceback_stays_in_its_line() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 1, "failed", None, sys.exc_info())

    text = JsonFormatter().format(record)

    assert len(text.splitlines()) == 1
    assert "two\nlines" in json.loads(text)["traceback"]
