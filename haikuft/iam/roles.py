"""The role that a job works under: make it, read it, delete it.

A role that somebody else has made, such as a platform team, is used as it is and only read.
Source: IAM API; AWS managed policy AmazonBedrockFullAccess (why the role is named so).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from haikuft.aws.errors import explaining, unless_absent
from haikuft.aws.ownership import check_named, is_foreign, is_ours, list_tags
from haikuft.errors import AccessError, SettingsError

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

POLICY_NAME = "haikuft-customization"  # the role's one inline policy
_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{1,64}")  # IAM API, CreateRole, RoleName

_POLICY_ARN = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}|aws):policy/\S+")


@dataclass(frozen=True, slots=True)
class Role:
    """One reading of an IAM role.

    Attributes:
        arn: with the role's path.
        trust_policy: who may assume it.
        tags: its tags; `haikuft:owner` marks ours.
        permissions_boundary: the ARN of its boundary; "" for none.
    """

    name: str
    arn: str
    trust_policy: Mapping[str, Any]
    tags: Mapping[str, str]
    permissions_boundary: str = ""

    @property
    def trusts_bedrock(self) -> bool:
        """Whether a statement of its trust policy lets Bedrock assume it."""
        statements = self.trust_policy.get("Statement", [])
        return any(
            one.get("Effect") == "Allow" and "bedrock.amazonaws.com" in json.dumps(one)
            for one in ([statements] if isinstance(statements, dict) else statements)
        )


def default_role_name(run: str) -> str:
    """Name a run's role; AWS's full-access policy passes only roles named AmazonBedrock…."""
    return f"AmazonBedrock-haikuft-{run}"


def check_role_name(name: str) -> str:
    """Return a role's name.

    Raises:
        SettingsError: IAM takes no such name; an ARN is answered with the name in it.
    """
    if _NAME.fullmatch(name):
        return name
    last = name.rpartition("/")[2]
    wanted = f' This is an ARN or a path: give its last part, "{last}".' if "/" in name else ""
    raise SettingsError(
        f'role_name = "{name}": a role\'s name has 1 to 64 letters, digits and _+=,.@-.{wanted}'
    )


def check_boundary(arn: str) -> None:
    """Check the ARN of a permissions boundary; "" is for none.

    Raises:
        SettingsError: it is not the ARN of a managed policy.
    """
    if arn and not _POLICY_ARN.fullmatch(arn):
        raise SettingsError(
            f'permissions_boundary = "{arn}": give the ARN of a managed policy, such as '
            "arn:aws:iam::<account>:policy/<name>."
        )


def ensure_role(
    iam: "IAMClient",
    name: str,
    *,
    trust_policy: Mapping[str, Any],
    role_policy: Mapping[str, Any],
    tags: Mapping[str, str],
    recorded: bool = False,
    given: bool = False,
    permissions_boundary: str = "",
) -> str:
    """Create the role, or bring ours up to date. Returns its ARN, with the role's path.

    Args:
        iam: a client.
        name: the role.
        trust_policy: who may assume it.
        role_policy: what it may do.
        tags: what marks it as ours: `run.tags`.
        recorded: whether the run's record names it, which is enough for a role from before there
            were owner ids; it is given the run's tags.
        given: whether the user has named it: then one that no run has made is used as it is.
        permissions_boundary: ARN of the policy that bounds the role; "" for none, or to leave a
            role's own.

    Raises:
        SettingsError: IAM takes no such name.
        ConflictError: a role of that name exists and is not ours.
        AccessError: the given role does not trust Bedrock.
    """
    trust = json.dumps(trust_policy)
    check_role_name(name)
    marks = list_tags(tags, key="Key", value="Value")
    boundary: Any = {"PermissionsBoundary": permissions_boundary} if permissions_boundary else {}
    with explaining(f"setting up role {name}"):
        role = find_role(iam, name)
        if role is None:
            created = iam.create_role(
                RoleName=name,
                AssumeRolePolicyDocument=trust,
                Description="Lets Bedrock read training data and write metrics for haikuft",
                Tags=marks,
                **boundary,
            )
            arn = created["Role"]["Arn"]
        elif given and is_foreign(role.tags):
            return check_given(role, trust_policy).arn
        else:
            check_named("role", name, role.tags, tags, recorded=recorded)
            arn = role.arn
            if not tags.items() <= role.tags.items():
                iam.tag_role(RoleName=name, Tags=marks)
            if role.trust_policy != trust_policy:
                iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
            if permissions_boundary not in ("", role.permissions_boundary):
                iam.put_role_permissions_boundary(RoleName=name, **boundary)
        iam.put_role_policy(
            RoleName=name, PolicyName=POLICY_NAME, PolicyDocument=json.dumps(role_policy)
        )
    return arn


def check_given(role: Role, trust_policy: Mapping[str, Any]) -> Role:
    """Return a role that somebody else has made, if Bedrock may assume it.

    Raises:
        AccessError: it may not; says the trust policy that the role needs.
    """
    if not role.trusts_bedrock:
        raise AccessError(
            f"Role {role.name} was made by somebody else and does not trust "
            "bedrock.amazonaws.com, so Bedrock cannot assume it. Nothing of it is changed: ask "
            f"whoever made it for this trust policy: {json.dumps(trust_policy)}"
        )
    return role


def list_role_names(iam: "IAMClient", prefix: str) -> list[str]:
    """List the names of the account's roles that begin so.

    Raises:
        AccessError: we may not list them.
    """
    with explaining("listing the roles"):
        pages = iam.get_paginator("list_roles").paginate()
        return list(pages.search(f"Roles[?starts_with(RoleName, '{prefix}')].RoleName"))


def owns_role(iam: "IAMClient", name: str, *, tags: Mapping[str, str]) -> bool:
    """Tell whether a role carries the run's tags; False for somebody else's, or for none."""
    role = find_role(iam, name)
    return role is not None and is_ours(role.tags, tags)


def find_role(iam: "IAMClient", name: str) -> Role | None:
    """Read a role; None where there is none of that name."""
    with explaining(f"reading role {name}"):
        found = unless_absent(iam.get_role, RoleName=name)
        if found is None:
            return None
        role = found["Role"]
    document: Any = role.get("AssumeRolePolicyDocument", {})  # botocore has decoded the JSON
    return Role(
        name=role["RoleName"],
        arn=role["Arn"],
        trust_policy=json.loads(document) if isinstance(document, str) else document,
        tags={tag["Key"]: tag["Value"] for tag in role.get("Tags", [])},
        permissions_boundary=role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
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
    check_named("role", name, role.tags, tags, recorded=recorded)
    with explaining(f"deleting role {name}"):
        for page in iam.get_paginator("list_role_policies").paginate(RoleName=name):
            for policy in page["PolicyNames"]:
                iam.delete_role_policy(RoleName=name, PolicyName=policy)
        iam.delete_role(RoleName=name)
    return True
