"""Authorize a request to Bedrock, IAM, STS, KMS or Service Quotas, by the permissions it requires.

`check_call` and `check_request` find the caller and evaluate the policies; a denial is a
ServiceError with the code that the request's service gives, and a PolicyError names a policy that
the sandbox cannot evaluate. The functions that find the permissions are pure. What only S3 requires
is in `s3_authorization`.

Source: Service Authorization Reference of each service, "Actions" and "Resource types". Where it
does not say which of several resources a request requires, this module takes the stricter reading:

- A create operation requires its action on the kind of resource, as in `model-customization-job/*`,
  which is how AWS's error messages name it, and with tags `bedrock:TagResource` on the same.
- CreateModelCustomizationJob requires its action on the base model and the future custom model,
  which the reference lists, and on the job, which only error messages name.
- With a key of your own, Bedrock's guide names "the roles that will customize the model" without
  saying whether it means the job's role or the caller's: both require the key.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Protocol

from haikuft.package_data import read_toml
from haikuft.sandbox.access.policy_evaluation import ANY, AccessDenied, Caller, Permission
from haikuft.sandbox.access.store import BEDROCK, Store
from haikuft.sandbox.http.messages import (
    Call,
    Request,
    Scope,
    ServiceError,
    read_form,
    read_json_operation,
    read_object,
)

_TABLES = read_toml("haikuft.sandbox.access", "permissions.toml")
_BEDROCK, _IAM, _CALLER = _TABLES["bedrock"], _TABLES["iam"], _TABLES["caller"]
KEY_ACTIONS: list[str] = _BEDROCK["key_actions"]


class Names(Protocol):
    """Finds the ARN of what a request names by name or id."""

    def arn_of(self, kind: str, identifier: str, region: str) -> str | None:
        """Return the ARN of a Region's job, model, throughput or key; None when there is none."""

    def key_of(self, arn: str) -> str:
        """Return the ARN of the key that encrypts the model behind an ARN; "" without one."""


def check_call(store: Store, names: Names, scope: Scope, call: Call) -> None:
    """Authorize a call to Bedrock.

    Args:
        store: The account's storage and identities.
        names: Finds the ARN of what the request names by name or id.
        scope: The scope of the request's signature.
        call: The request.

    Raises ServiceError: AccessDeniedException, in AWS's words.
    """
    caller = store.find_caller(scope.access_key, scope.service)
    permissions = bedrock_permissions(call, names)
    if caller.administrator:  # only a key's policy can deny it anything in Bedrock
        permissions = (one for one in permissions if one.action.startswith("kms:"))
    try:
        store.check(caller, permissions)
    except AccessDenied as error:
        raise ServiceError("AccessDeniedException", error.describe()) from error


def check_request(store: Store, request: Request) -> None:
    """Authorize a request to IAM, STS, KMS or Service Quotas. Raises ServiceError."""
    scope = request.scope
    caller = store.find_caller(scope.access_key, scope.service)
    permissions = _find_permissions(store, caller, request)
    try:
        with store.lock:
            store.check(caller, permissions)
    except AccessDenied as error:
        is_form = scope.service in ("iam", "sts")
        status, code = (403, "AccessDenied") if is_form else (400, "AccessDeniedException")
        raise ServiceError(code, error.describe(), status=status) from error


def _find_permissions(store: Store, caller: Caller, request: Request) -> Iterable[Permission]:
    scope = request.scope
    prefix = f"arn:aws:{scope.service}:{scope.region}:{store.account_id}:"
    if scope.service not in ("iam", "sts"):
        operation, members = read_json_operation(request.environ), read_object(request.body)
        if scope.service == "servicequotas":
            return quota_permissions(operation, members, prefix=prefix)
        key_arn = partial(store.key_arn, region=scope.region)
        return kms_permissions(operation, members, key_arn=key_arn, prefix=prefix)
    asked = read_form(request.environ, request.body)
    operation = asked.get("Action", "")
    if scope.service == "iam":
        return iam_permissions(
            asked, account_id=store.account_id, caller_arn=caller.arn, path_of=store.path_of
        )
    if operation in _CALLER["unsigned"]:
        return ()  # the token authorizes the request; it is not signed
    if operation in _CALLER["no_session"] and not caller.administrator:
        message = (
            f"The sandbox creates no keys by {operation} to which your policies would apply. "
            "Use your own access key, or AssumeRole."
        )
        raise ServiceError("NotImplemented", message, status=501)
    return sts_permissions(asked)


def bedrock_permissions(call: Call, names: Names) -> Iterator[Permission]:
    """Yield the permissions of a request to Bedrock, in the order in which they are checked.

    An operation that is in no table here requires its action on every resource.
    """
    asked, operation = call.parameters, call.operation
    action = f"bedrock:{_BEDROCK['renamed'].get(operation, operation)}"
    found: list[tuple[str, Mapping[str, str]]] = []
    if operation in _BEDROCK["named"]:
        parameter, kind = _BEDROCK["named"][operation]
        found.append((_arn(call, names, kind, asked[parameter]), {}))
    model = asked.get(_BEDROCK["models"].get(operation))
    if model is not None:
        found += _model_arns(call, names, model)
    created = _BEDROCK["created"].get(operation, ())
    found += [(_kind_arn(call, kind, "*"), {}) for kind in created]
    yield from (Permission(action, arn, context) for arn, context in found or [(ANY, {})])
    for parameter, kind in _BEDROCK["tagged"].get(operation, {}).items():
        if asked.get(parameter):
            yield Permission("bedrock:TagResource", _kind_arn(call, kind, "*"))
    if "roleArn" in asked:
        yield Permission("iam:PassRole", asked["roleArn"], {"iam:PassedToService": BEDROCK})
    via = {"kms:ViaService": f"bedrock.{call.region}.amazonaws.com"}
    if asked.get("customModelKmsKeyId"):
        key = asked["customModelKmsKeyId"]
        own = key if key.startswith("arn:") else _kind_arn(call, "key", key, service="kms")
        arn = names.arn_of("key", key, call.region) or own
        yield from (Permission(one, arn, via) for one in KEY_ACTIONS)
    if action.startswith("bedrock:InvokeModel"):
        for model, _ in found:
            key = names.key_of(model)
            if key:
                yield Permission("kms:Decrypt", key, via)


def quota_permissions(
    operation: str, asked: Mapping[str, Any], *, prefix: str
) -> Iterator[Permission]:
    """Yield the permission of a request to Service Quotas; `prefix` begins the ARNs of quotas."""
    named = "ServiceCode" in asked and "QuotaCode" in asked and operation == "GetServiceQuota"
    resource = f"{prefix}{asked['ServiceCode']}/{asked['QuotaCode']}" if named else ANY
    yield Permission(f"servicequotas:{operation}", resource)


def iam_permissions(
    asked: Mapping[str, str],
    *,
    account_id: str,
    caller_arn: str,
    path_of: Callable[[str, str], str | None],
) -> Iterator[Permission]:
    """Yield the permissions of a request to IAM.

    Args:
        asked: The request's form fields, with Action.
        account_id: The account of that IAM.
        caller_arn: The caller, to which a request without a user name applies.
        path_of: (kind, name) -> the path of a role, user or group; None when there is none.
    """
    operation = asked.get("Action", "")
    context = {key: asked[name] for name, key in _IAM["keys"].items() if name in asked}
    resource = ANY
    kinds = [(name, kind) for name, kind in _IAM["kinds"].items() if name in asked]
    if operation in _IAM["own"] and "UserName" not in asked:
        resource = caller_arn
    elif kinds and operation not in _IAM["unnamed"]:
        parameter, kind = kinds[0]
        name = asked[parameter]
        path = asked.get("Path") or path_of(kind, name) or "/"
        resource = f"arn:aws:iam::{account_id}:{kind}{path}{name}"
    elif "PolicyArn" in asked:
        resource = asked["PolicyArn"]
    yield Permission(f"iam:{operation}", resource, context)
    if operation in _IAM["tagged"] and any(name.startswith("Tags.") for name in asked):
        yield Permission(f"iam:{_IAM['tagged'][operation]}", resource)


def sts_permissions(asked: Mapping[str, str]) -> Iterator[Permission]:
    """Yield the permissions of a request to STS; GetCallerIdentity requires none."""
    operation = asked.get("Action", "")
    if operation == "GetCallerIdentity":
        return
    keys = {"ExternalId": "sts:ExternalId", "RoleSessionName": "sts:RoleSessionName"}
    context = {key: asked[name] for name, key in keys.items() if name in asked}
    yield Permission(f"sts:{operation}", asked.get("RoleArn", ANY), context)


def kms_permissions(
    operation: str, asked: Mapping[str, Any], *, key_arn: Callable[[str], str], prefix: str
) -> Iterator[Permission]:
    """Yield the permissions of a request to KMS.

    Args:
        operation: AWS's name.
        asked: The request by AWS's member names.
        key_arn: Key id, alias or ARN -> the key's ARN.
        prefix: The beginning of ARNs in this Region's KMS.
    """
    if operation == "ReEncrypt":
        source = asked.get("SourceKeyId") or _key_of_ciphertext(asked.get("CiphertextBlob", ""))
        yield Permission("kms:ReEncryptFrom", key_arn(source))
        yield Permission("kms:ReEncryptTo", key_arn(asked.get("DestinationKeyId", "")))
        return
    if operation in _TABLES["kms"]["unnamed"]:
        yield Permission(f"kms:{operation}")
        if asked.get("Tags"):
            yield Permission("kms:TagResource", f"{prefix}key/*")
        return
    alias = asked.get("AliasName", "")
    if alias:  # an alias requires both, the alias and its key
        yield Permission(f"kms:{operation}", f"{prefix}{alias}")
    key = asked.get("KeyId") or asked.get("TargetKeyId") or alias
    key = key or _key_of_ciphertext(asked.get("CiphertextBlob", ""))
    yield Permission(f"kms:{operation}", key_arn(str(key)) if key else ANY)


def _key_of_ciphertext(text: Any) -> str:
    """Read the key's id, with which moto begins a ciphertext; "" for any other text."""
    try:
        return base64.b64decode(text, validate=True)[:36].decode("ascii")
    except (binascii.Error, UnicodeDecodeError, TypeError):
        return ""


def _kind_arn(call: Call, kind: str, name: str, *, service: str = "bedrock") -> str:
    owner = "" if kind == "foundation-model" else call.account_id
    return f"arn:aws:{service}:{call.region}:{owner}:{kind}/{name}"


def _arn(call: Call, names: Names, kind: str, identifier: str) -> str:
    if identifier.startswith("arn:"):
        return identifier
    return names.arn_of(kind, identifier, call.region) or _kind_arn(call, kind, identifier)


def _model_arns(call: Call, names: Names, identifier: str) -> list[tuple[str, Mapping[str, str]]]:
    """Find the ARNs of a model; a profile requires itself and the model of this Region."""
    if ":inference-profile/" in identifier or identifier.startswith(tuple(_BEDROCK["profiles"])):
        profile = _arn(call, names, "inference-profile", identifier)
        model = _kind_arn(call, "foundation-model", profile.rpartition("/")[2].partition(".")[2])
        return [(profile, {}), (model, {"bedrock:InferenceProfileArn": profile})]
    if identifier.startswith("arn:"):
        return [(identifier, {})]
    for kind in ("provisioned-model", "custom-model", "custom-model-deployment"):
        arn = names.arn_of(kind, identifier, call.region)
        if arn is not None:
            return [(arn, {})]
    # Base models have a dot in their ids; what has none is a provisioned model that is not there.
    kind = "foundation-model" if "." in identifier else "provisioned-model"
    return [(_kind_arn(call, kind, identifier), {})]
