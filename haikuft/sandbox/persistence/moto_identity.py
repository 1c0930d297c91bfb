"""IAM, STS and KMS as documents: one for each entity, one for the rest of each backend.

The amount is small, so all of it is compared with the stored documents. Entities are the values of
a backend's dictionaries: roles, users, keys. Where one entity contains another (a role its
policies, a group its users), its document has the name of the other. A backend's other attributes
(the account's alias, its password policy, tags, assumed roles) are one document, with only those
that differ from a new backend's. AWS managed policies belong to moto and are not written.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from moto.iam.models import AWSManagedPolicy, iam_backends
from moto.kms.models import kms_backends
from moto.sts.models import sts_backends

from haikuft.errors import SandboxError
from haikuft.sandbox.persistence.documents import Documents, write_key
from haikuft.sandbox.persistence.serializer import Codec

SERVICES = ("iam", "sts", "kms")
_BACKENDS: dict[str, Any] = {"iam": iam_backends, "sts": sts_backends, "kms": kms_backends}
_ENTITY, _REST = "{}.entity", "{}.backend"  # kinds of documents, by service
_NOT_WRITTEN = {  # the identity of the backend, and what it creates again
    *("account_id", "region_name", "partition"),
    *("account_summary", "aws_managed_policies", "policy_arn_regex"),
}

Name = tuple[str, str, str]
"""(service, account, Region or partition) of a backend."""


def save(services: Collection[str], documents: Documents, codec: Codec) -> None:
    """Write the documents of the backends of these services."""
    entities = {id(entity): name for name, entity in _entities()}
    written: set[str] = set()
    for name, entity in _entities():
        if name[0] in services and not isinstance(entity, AWSManagedPolicy):
            written.add(write_key(*name))
            document = codec.write(entity, entities=entities)
            documents.put(_ENTITY.format(name[0]), write_key(*name), document)
    for service in services:
        for key in documents.keys(_ENTITY.format(service)):
            if key not in written:
                documents.put(_ENTITY.format(service), key, None)
    for backend_name, backend in _backends():
        if backend_name[0] in services:
            document = _write_rest(backend, codec, entities) or None
            documents.put(_REST.format(backend_name[0]), write_key(*backend_name), document)


def restore(documents: Documents, codec: Codec) -> None:
    """Restore moto's backends from the documents."""
    found = [row for service in _BACKENDS for row in documents.load(_ENTITY.format(service))]
    blanks = []
    for (service, account, region, table, key), document in found:
        entity = codec.blank(document)
        vars(_BACKENDS[service][account][region]).setdefault(table, {})[key] = entity
        blanks.append((entity, document))
    for entity, document in blanks:
        codec.fill(entity, document, _find)
    for service, backends in _BACKENDS.items():
        for (_, account, region), document in documents.load(_REST.format(service)):
            rest = {key: codec.read(value, _find) for key, value in document.items()}
            vars(backends[account][region]).update(rest)
    for (service, _, _), backend in _backends():
        if service == "iam":
            _count_attachments(backend)


def _backends() -> Iterator[tuple[Name, Any]]:
    for service, accounts in _BACKENDS.items():
        for account, regions in list(accounts.items()):
            for region, backend in list(regions.items()):
                yield (service, account, region), backend


def _entities() -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, backend in _backends():
        for attribute, table in vars(backend).items():
            if attribute not in _NOT_WRITTEN and _holds_entities(table):
                for key, entity in table.items():
                    yield (*name, attribute, key), entity


def _holds_entities(value: Any) -> bool:
    """Whether this is a dictionary of entities."""
    return type(value) is dict and any(hasattr(item, "__dict__") for item in value.values())


def _write_rest(backend: Any, codec: Codec, entities: Mapping[int, Sequence[str]]) -> Any:
    """Describe the attributes that are not entities, where they differ from a new backend's."""

    def write(backend: Any) -> dict[str, Any]:
        return {
            attribute: codec.write(value, entities=entities)
            for attribute, value in vars(backend).items()
            if attribute not in _NOT_WRITTEN and not _holds_entities(value)
        }

    new = write(type(backend)(backend.region_name, backend.account_id))
    return {key: value for key, value in write(backend).items() if new.get(key) != value}


def _find(name: Sequence[str]) -> Any:
    """Find the entity with a name."""
    service, account, region, table, key = name
    try:
        return vars(_BACKENDS[service][account][region])[table][key]
    except KeyError:
        raise SandboxError(
            f"The sandbox's state names {service}'s {key} among the {table}, but does not contain "
            "it. Empty the sandbox with `haikuft sandbox reset`."
        ) from None


def _count_attachments(backend: Any) -> None:
    """Count the attachments of AWS managed policies, which moto counts as it attaches them."""
    holders = [*backend.roles.values(), *backend.users.values(), *backend.groups.values()]
    for policy in backend.aws_managed_policies:
        attached = [holder for holder in holders if policy.arn in holder.managed_policies]
        policy.attachment_count = len(attached)
