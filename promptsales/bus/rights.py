"""Logins and rights on the brokers as code: ``schemas/kafka/rights.yml`` compared with the brokers' access lists.

Rights of logins that the file does not name are never touched.
"""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, cast

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its __init__ re-exports without saying so
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)

from promptsales.bus.topics import errors
from promptsales.kafka_address import client_properties
from promptsales.specs.rights import Right, read_rights

_TIMEOUT_S = 20
# of random passwords of 32 bytes, which nobody guesses, more would only slow logins
_ITERATIONS = 4096
_RESOURCES = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP}


class RightChange(NamedTuple):
    """A right to grant or to revoke; ``binding`` is the brokers' own form."""

    action: Literal["grant", "revoke"]
    what: str
    binding: AclBinding


def is_operator(address: str) -> bool:
    """Return whether an address logs in as the operator of the file, who manages the rights."""
    return client_properties(address).get("sasl.username") == read_rights().operator


def set_passwords(client: AdminClient, passwords: dict[str, str]) -> None:
    """Create the logins, or set their passwords.

    Raises:
        TransientError: when no broker answers.
        TerminalError: when a broker refuses.
    """
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _ITERATIONS)
    items: list[UserScramCredentialAlteration] = [
        UserScramCredentialUpsertion(user, info, password.encode()) for user, password in passwords.items()
    ]
    with errors("create logins", client):
        _wait(client.alter_user_scram_credentials(items, request_timeout=_TIMEOUT_S))


def plan(client: AdminClient) -> list[RightChange]:
    """Return the changes that bring the brokers in line with the file.

    Raises:
        TransientError: when no broker answers.
        TerminalError: when a broker refuses.
    """
    rights = read_rights()
    expected = {to_binding(right): str(right) for right in rights.all}
    users = {f"User:{user}" for user in rights.parties}
    with errors("list rights", client):
        existing = client.describe_acls(_ANY, request_timeout=_TIMEOUT_S).result()
    ours = {binding for binding in existing if binding.principal in users}
    granted = sorted((what, binding) for binding, what in expected.items() if binding not in ours)
    revoked = sorted((_describe(binding), binding) for binding in ours - expected.keys())
    return [
        *(RightChange("grant", f"{what} granted", binding) for what, binding in granted),
        *(RightChange("revoke", f"{what} revoked", binding) for what, binding in revoked),
    ]


def apply(client: AdminClient, changes: Iterable[RightChange]) -> None:
    """Carry out a plan.

    Raises:
        TransientError: when no broker answers.
        TerminalError: when a broker refuses.
    """
    by_action: dict[str, list[AclBinding]] = {"grant": [], "revoke": []}
    for change in changes:
        by_action[change.action].append(change.binding)
    with errors("change rights", client):
        if by_action["grant"]:
            _wait(client.create_acls(by_action["grant"], request_timeout=_TIMEOUT_S))
        if by_action["revoke"]:
            _wait(client.delete_acls([_exact(each) for each in by_action["revoke"]], request_timeout=_TIMEOUT_S))


def to_binding(right: Right) -> AclBinding:
    """Return the brokers' own form of a right."""
    operation = AclOperation[right.operation.upper()]
    return AclBinding(_RESOURCES[right.resource], right.name, ResourcePatternType.LITERAL, f"User:{right.user}", "*",
                      operation, AclPermissionType.ALLOW)  # fmt: skip


# the annotations do not know that a filter without a name, principal or host fits all of them
_NO_TEXT: Any = None
_ANY = AclBindingFilter(
    ResourceType.ANY, _NO_TEXT, ResourcePatternType.ANY, _NO_TEXT, _NO_TEXT, AclOperation.ANY, AclPermissionType.ANY
)


def _exact(binding: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(binding.restype, binding.name, binding.resource_pattern_type, binding.principal,
                            binding.host, binding.operation, binding.permission_type)  # fmt: skip


def _describe(binding: AclBinding) -> str:
    user, operation = binding.principal.removeprefix("User:"), cast(AclOperation, binding.operation).name
    resource = cast(ResourceType, binding.restype).name
    return f"{user}: {operation.lower()} {resource.lower()} {binding.name}"


def _wait(answers: dict[Any, Any]) -> None:
    for future in answers.values():
        future.result()
