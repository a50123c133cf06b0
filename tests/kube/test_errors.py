"""What a person reads when a cluster says no."""

from __future__ import annotations

import pytest

from kube.errors import ApiRefused, BadKubeconfig, CredentialsError, KubeError, Unreachable, refused
from protocol.close import CloseCode
from protocol.execution import Refusal


@pytest.mark.parametrize(
    ("error", "kind", "close_code"),
    [
        (Unreachable("It is away."), Refusal.CLUSTER_UNREACHABLE, CloseCode.UNREACHABLE),
        (CredentialsError("No token."), Refusal.UNAUTHORIZED, CloseCode.UNREACHABLE),
        (ApiRefused(401), Refusal.UNAUTHORIZED, CloseCode.UNREACHABLE),
        (ApiRefused(403, message="no"), Refusal.FORBIDDEN, CloseCode.FORBIDDEN),
        (ApiRefused(404, message="no"), Refusal.POD_NOT_FOUND, CloseCode.NOT_FOUND),
        (ApiRefused(429), Refusal.CLUSTER_UNREACHABLE, CloseCode.UNREACHABLE),
        (ApiRefused(418), Refusal.OTHER, CloseCode.UNREACHABLE),
    ],
)
def test_every_error_becomes_one_that_a_person_may_see(
    error: KubeError, kind: Refusal, close_code: CloseCode
) -> None:
    shown = refused(error, subresource="exec")

    assert shown.refused.kind is kind
    assert shown.close_code is close_code
    assert shown.message.endswith((".", "reason", "no"))
    if isinstance(error, ApiRefused):
        assert shown.refused.status == error.status


def test_a_reasonless_403_names_what_is_missing() -> None:
    error = ApiRefused(403, reason="Forbidden", message='pods "web-1" is forbidden: ')

    assert "create on pods/attach is missing" in refused(error, subresource="attach").message


def test_a_command_line_in_an_answer_is_not_shown() -> None:
    error = ApiRefused(500, message="error executing command [sh -c secret]: gone")

    assert "secret" not in refused(error).message


def test_a_bad_kubeconfig_names_file_context_and_field() -> None:
    error = BadKubeconfig("it is not so", source="config", context="prod", field="exec")

    assert str(error) == (
        "The kubeconfig config, context 'prod', field 'exec' cannot be used: it is not so"
    )
