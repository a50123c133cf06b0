"""Who may: roles, impersonation and access reviews."""

from __future__ import annotations

import pytest

from tests.contract.client import (
    V4,
    V5,
    Access,
    Api,
    HandshakeRefused,
    exec_options,
    impersonating,
)
from tests.contract.conftest import ContractCluster

REVIEWS = "/apis/authorization.k8s.io/v1"
OPERATOR = impersonating("olga", "contract-operator")
VIEWER = impersonating("vera", "contract-viewer")
STRANGER = impersonating("sam", "contract-nobody")


async def test_roles_decide_what_a_person_may_read(api: Api, cluster: ContractCluster) -> None:
    assert (await api.get(cluster.pods, headers=VIEWER)).status == 200
    assert (await api.get(f"{cluster.pods}/shells", headers=OPERATOR)).status == 200
    listed = await api.get(cluster.pods, headers=STRANGER)
    got = await api.get(f"{cluster.pods}/shells", headers=STRANGER)
    everywhere = await api.get("/api/v1/pods", headers=VIEWER)
    namespaces = await api.get("/api/v1/namespaces", headers=VIEWER)

    where = f'in API group "" in the namespace "{cluster.namespace}"'
    assert listed.status == got.status == everywhere.status == namespaces.status == 403
    assert listed.message == f'pods is forbidden: User "sam" cannot list resource "pods" {where}'
    assert listed.json["details"] == {"kind": "pods"}
    expected = f'pods "shells" is forbidden: User "sam" cannot get resource "pods" {where}'
    assert got.message == expected
    assert got.json["reason"] == "Forbidden"
    assert got.json["details"] == {"name": "shells", "kind": "pods"}
    assert everywhere.message == (
        'pods is forbidden: User "vera" cannot list resource "pods" in API group "" '
        "at the cluster scope"
    )
    assert namespaces.message == (
        'namespaces is forbidden: User "vera" cannot list resource "namespaces" in API group "" '
        "at the cluster scope"
    )


async def test_own_group_and_namespace_are_named_where_they_matter(
    api: Api, cluster: ContractCluster
) -> None:
    path = f"/apis/apps/v1/namespaces/{cluster.namespace}/deployments"
    deployments = await api.get(path, headers=VIEWER)
    namespace = await api.get(f"/api/v1/namespaces/{cluster.namespace}", headers=VIEWER)

    where = f'in the namespace "{cluster.namespace}"'
    assert deployments.message == (
        'deployments.apps is forbidden: User "vera" cannot list resource "deployments" '
        f'in API group "apps" {where}'
    )
    assert namespace.message == (
        f'namespaces "{cluster.namespace}" is forbidden: User "vera" cannot get resource '
        f'"namespaces" in API group "" {where}'
    )


@pytest.mark.parametrize("protocol", [V5, V4])
@pytest.mark.parametrize("kind", ["exec", "attach"])
async def test_exec_and_attach_need_get_and_create(
    api: Api, cluster: ContractCluster, kind: str, protocol: str
) -> None:
    path = f"{cluster.pods}/shells/{kind}"
    options = exec_options("main", *(["true"] if kind == "exec" else []))

    async def refusal(role: str) -> HandshakeRefused:
        headers = impersonating("gus", f"contract-{role}")
        with pytest.raises(HandshakeRefused) as raised:
            async with api.stream(path, options, protocols=[protocol], headers=headers):
                pass
        return raised.value

    viewer, getter = await refusal("viewer"), await refusal("getter")
    creator = await refusal("creator")

    assert {item.reply.status for item in (viewer, getter, creator)} == {403}
    no_get = (
        f'pods "shells" is forbidden: User "gus" cannot get resource "pods/{kind}" in API group "" '
        f'in the namespace "{cluster.namespace}"'
    )
    assert viewer.reply.message == creator.reply.message == no_get
    assert getter.reply.message == 'pods "shells" is forbidden: '
    assert getter.reply.json["details"] == {"name": "shells", "kind": "pods"}
    async with api.stream(path, options, protocols=[protocol], headers=OPERATOR) as stream:
        assert stream.subprotocol == protocol


async def test_impersonation_without_a_user_is_a_bad_request(
    api: Api, cluster: ContractCluster
) -> None:
    headers = [("Impersonate-Group", "contract-operator")]

    reply = await api.get(cluster.pods, headers=headers)
    with pytest.raises(HandshakeRefused) as raised:
        async with api.stream(
            f"{cluster.pods}/shells/exec", exec_options("main", "true"), headers=headers
        ):
            pass

    assert (reply.status, reply.json["reason"]) == (400, "BadRequest")
    assert "without impersonating a user" in reply.message
    assert raised.value.reply.status == 400


async def test_every_impersonated_group_counts(api: Api, cluster: ContractCluster) -> None:
    headers = impersonating("two", "contract-viewer", "contract-operator")

    async with api.stream(
        f"{cluster.pods}/shells/exec", exec_options("main", "true"), headers=headers
    ) as stream:
        assert (await stream.until_end()).exit_code == 0


async def test_who_may_not_impersonate_is_refused(cluster: ContractCluster) -> None:
    async with Api(Access.of(cluster.user_kubeconfig("bob"))) as bob:
        reply = await bob.get(cluster.pods, headers=impersonating("alice"))
        with pytest.raises(HandshakeRefused) as raised:
            async with bob.stream(
                f"{cluster.pods}/shells/exec",
                exec_options("main", "true"),
                headers=impersonating("alice"),
            ):
                pass

    expected = (
        'users "alice" is forbidden: User "bob" cannot impersonate resource "users" in API group '
        '"" at the cluster scope'
    )
    assert (reply.status, reply.message) == (403, expected)
    assert (raised.value.reply.status, raised.value.reply.message) == (403, expected)


async def test_accounts_have_their_groups_and_rights(cluster: ContractCluster) -> None:
    review = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    kind = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    async with Api(Access.of(cluster.user_kubeconfig("alice"))) as alice:
        about = (await alice.call("POST", review, kind)).json["status"]["userInfo"]
        shop = await alice.get("/api/v1/namespaces/shop/pods")
        vault = await alice.get("/api/v1/namespaces/vault/pods")
    async with Api(Access.of(cluster.user_kubeconfig("bob"))) as bob:
        deployments = await bob.get("/apis/apps/v1/namespaces/shop/deployments")
        default = await bob.get("/api/v1/namespaces/default/pods")

    assert about["username"] == "alice"
    assert about["groups"] == ["team-a", "system:authenticated"]
    assert (shop.status, vault.status) == (200, 403)
    assert (deployments.status, default.status) == (200, 403)


@pytest.mark.parametrize(
    ("headers", "verb", "subresource", "allowed"),
    [
        (OPERATOR, "get", "exec", True),
        (OPERATOR, "create", "exec", True),
        (OPERATOR, "create", "attach", True),
        (OPERATOR, "patch", "ephemeralcontainers", False),
        (VIEWER, "get", "exec", False),
        (VIEWER, "get", "log", True),
        (STRANGER, "get", "", False),
        ([], "delete", "", True),
    ],
)
async def test_people_ask_what_they_may(
    api: Api,
    cluster: ContractCluster,
    headers: list[tuple[str, str]],
    verb: str,
    subresource: str,
    allowed: bool,
) -> None:
    wanted = {
        "namespace": cluster.namespace,
        "verb": verb,
        "group": "",
        "resource": "pods",
        "subresource": subresource,
        "name": "shells",
    }
    body = {"spec": {"resourceAttributes": wanted}}

    reply = await api.call("POST", f"{REVIEWS}/selfsubjectaccessreviews", body, headers=headers)

    assert reply.status == 201
    assert reply.json["kind"] == "SelfSubjectAccessReview"
    assert reply.json["status"]["allowed"] is allowed
    assert ("RBAC: allowed by" in reply.json["status"].get("reason", "")) is (
        allowed and bool(headers)
    )


async def test_one_may_ask_about_others_if_allowed(api: Api, cluster: ContractCluster) -> None:
    wanted = {"namespace": cluster.namespace, "verb": "create", "resource": "pods"}
    spec = {"user": "olga", "groups": ["contract-operator"]}
    body = {"spec": {**spec, "resourceAttributes": {**wanted, "subresource": "exec"}}}

    asked = await api.call("POST", f"{REVIEWS}/subjectaccessreviews", body)
    refused = await api.call("POST", f"{REVIEWS}/subjectaccessreviews", body, headers=VIEWER)
    nobody = {"spec": {"resourceAttributes": wanted}}
    invalid = await api.call("POST", f"{REVIEWS}/subjectaccessreviews", nobody)
    empty = await api.call("POST", f"{REVIEWS}/selfsubjectaccessreviews", {"spec": {}})

    assert asked.json["status"]["allowed"] is True
    assert refused.status == 403
    assert refused.message == (
        'subjectaccessreviews.authorization.k8s.io is forbidden: User "vera" cannot create '
        'resource "subjectaccessreviews" in API group "authorization.k8s.io" at the cluster scope'
    )
    assert (invalid.status, empty.status) == (422, 422)
    assert "at least one of user or group must be specified" in invalid.message
    assert "exactly one of nonResourceAttributes or resourceAttributes" in empty.message


async def test_rules_of_a_namespace_can_be_listed(api: Api, cluster: ContractCluster) -> None:
    body = {"spec": {"namespace": cluster.namespace}}
    path = f"{REVIEWS}/selfsubjectrulesreviews"

    rules = (await api.call("POST", path, body, headers=OPERATOR)).json["status"]["resourceRules"]
    missing = await api.call("POST", path, {"spec": {}})

    assert any(
        set(rule["verbs"]) == {"get", "create"}
        and set(rule["resources"]) == {"pods/exec", "pods/attach"}
        for rule in rules
    )
    assert (missing.status, missing.message) == (400, "no namespace on request")


async def test_taken_away_binding_takes_the_right_away(api: Api, cluster: ContractCluster) -> None:
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{cluster.namespace}/rolebindings"
    group = {"kind": "Group", "name": "brief", "apiGroup": "rbac.authorization.k8s.io"}
    reference = {"kind": "Role", "name": "viewer", "apiGroup": "rbac.authorization.k8s.io"}
    body = {"metadata": {"name": "brief"}, "roleRef": reference, "subjects": [group]}
    headers = impersonating("brian", "brief")
    assert (await api.get(cluster.pods, headers=headers)).status == 403
    assert (await api.call("POST", rbac, body)).status == 201
    await _until_status(api, cluster.pods, headers, 200)

    assert (await api.call("DELETE", f"{rbac}/brief")).status == 200
    await _until_status(api, cluster.pods, headers, 403)


async def _until_status(api: Api, path: str, headers: list[tuple[str, str]], status: int) -> None:
    for _ in range(200):
        if (await api.get(path, headers=headers)).status == status:
            return
    pytest.fail(f"{path} never answered {status}")
