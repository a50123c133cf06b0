"""Tables: ages and states as kubectl prints them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from democluster.table import age_of, pod_reason


@pytest.mark.parametrize(
    ("seconds", "age"),
    [
        (5, "5s"),
        (119, "119s"),
        (180, "3m"),
        (185, "3m5s"),
        (3600, "60m"),
        (4 * 3600 + 60, "4h1m"),
        (30 * 3600, "30h"),
        (3 * 86400, "3d"),
        (3 * 86400 + 7200, "3d2h"),
        (40 * 86400, "40d"),
    ],
)
def test_age_is_as_short_as_kubectl_says_it(seconds: int, age: str) -> None:
    moment = datetime.now(UTC) - timedelta(seconds=seconds, milliseconds=500)

    assert age_of(moment.isoformat()) == age


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"running": {}}, "Running"),
        ({"waiting": {"reason": "CrashLoopBackOff"}}, "CrashLoopBackOff"),
        ({"terminated": {"reason": "Error", "exitCode": 1}}, "Error"),
        ({"terminated": {"exitCode": 1}}, "ExitCode:1"),
    ],
)
def test_pod_is_told_in_one_word(state: dict[str, object], reason: str) -> None:
    status = {"phase": "Running", "containerStatuses": [{"state": state, "ready": True}]}
    pod = {"metadata": {}, "status": status}

    assert pod_reason(pod) == reason
    assert pod_reason(pod | {"metadata": {"deletionTimestamp": "now"}}) == "Terminating"
