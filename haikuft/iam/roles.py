"""The role that a job works under: make it, read it, delete it.

Source: IAM API; AWS managed policy AmazonBedrockFullAccess (why the role is named so).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from haikuft.aws.errors import explaining, is_absent
from haikuft.aws.ownership import RUN_TAG, is_ours, list_tags, refuse_named
from haikuft.errors import ConflictError

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

POLICY_NAME = "haikuft-customization"  # the role's one inline policy


@dataclass(frozen=True, slots=True)
class Role:
    """One reading of an IAM role.

    Attributes:
        trust_policy: who may assume it.
        tags: its tags; `haikuft:owner` marks ours.
    """

    name: str
    arn: str
    trust_policy: Mapping[str, Any]
    tags: Mapping[str, str]


def default_role_name(run: str) -> str:
    """Name a run's role; AWS's full-access policy passes only roles named AmazonBedrock…."""
    return f"AmazonBedrock-haikuft-{run}"


def ensure_role(
    iam: "IAMClient",
    name: str,
    *,
    trust_policy: Mapping[str, Any],
    role_policy: Mapping[str, Any],
    tags: Mapping[str, str],
    recorded: bool = False,
) -> str:
    """Create the role, or bring ours up to date. Returns its ARN.

    Args:
        iam: a client.
        name: the role.
        trust_policy: who may assume it.
        role_policy: what it may do.
        tags: what marks it as ours: `run.tags`.
        recorded: whether the run's record names it, which is enough for a role from before there
            were owner ids; it is given the run's tags.

    Raises:
        ConflictError: a role of that name exists and is not ours.
    """
    trust = json.dumps(trust_policy)
    marks = list_tags(tags, key="Key", value="Value")
    with explaining(f"setting up role {name}"):
        role = find_role(iam, name)
        if role is None:
            created = iam.create_role(
                RoleName=name,
                AssumeRolePolicyDocument=trust,
                Description="Lets Bedrock read training data and write metrics for haikuft",
                Tags=marks,
            )
            arn = created["Role"]["Arn"]
        else:
            _check_ours(role, tags, recorded)
            arn = role.arn
            if not tags.items() <= role.tags.items():
                iam.tag_role(RoleName=name, Tags=marks)
            if role.trust_policy != trust_policy:
                iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
        iam.put_role_policy(
            RoleName=name, PolicyName=POLICY_NAME, PolicyDocument=json.dumps(role_policy)
        )
    return arn


def find_role(iam: "IAMClient", name: str) -> Role | None:
    """Read a role; None where there is none of that name."""
    with explaining(f"reading role {name}"):
        try:
            role = iam.get_role(RoleName=name)["Role"]
        except ClientError as error:
            if is_absent(error):
                return None
            raise
    document: Any = role.get("AssumeRolePolicyDocument", {})  # botocore has decoded the JSON
    return Role(
        name=role["RoleName"],
        arn=role["Arn"],
        trust_policy=json.loads(document) if isinstance(document, str) else document,
        tags={tag["Key"]: tag["Value"] for tag in role.get("Tags", [])},
    )


def delete_role(
    iam: "IAMClient", name: str, *, tags: Mapping[str, str], recorded: bool = False
) -> bool:
    """Delete our role and its policy. Returns False where it was gone already.

    Raises:
        ConflictError: the role is not ours, or something else uses it.
    """
    role = find_role(iam, name)
    if role is None:
        return False
    _check_ours(role, tags, recorded)
    with explaining(f"deleting role {name}"):
        for page in iam.get_paginator("list_role_policies").paginate(RoleName=name):
            for policy in page["PolicyNames"]:
                iam.delete_role_policy(RoleName=name, PolicyName=policy)
        iam.delete_role(RoleName=name)
    return True


def _check_ours(role: Role, tags: Mapping[str, str], recorded: bool) -> None:
    # Another role of that name may have come since: the record alone proves nothing.
    if not is_ours(role.tags, tags, recorded=recorded and RUN_TAG in role.tags):
        raise ConflictError(refuse_named(f"Role {role.name}", role.tags, tags, "role_name"))
