"""IAM policies as plain data: names in, a document out, and the reason for each statement.

The statements themselves, with their sources, are in `statements.toml`, the ARNs that they name in
`arns.toml`.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any

from haikuft.base_models import Serving
from haikuft.errors import SettingsError
from haikuft.package_data import read_toml

Policy = dict[str, Any]
# Way of serving -> the ARNs that it makes, and the statements that it needs.
_SERVINGS: Mapping[Serving, tuple[str, str, str]] = {
    "deployment": ("deployments", "CreateDeployment", "UseDeployments"),
    "provisioned_throughput": ("provisioned_models", "CreateThroughput", "UseThroughput"),
}


def build_trust_policy(account_id: str, region: str) -> Policy:
    """Build the trust policy of the role: Bedrock, for this account's customization jobs."""
    return build_policy("TrustBedrockJobsOfThisAccount", **_name_arns(region, account_id))


def build_role_policy(
    bucket: str,
    *,
    region: str,
    account_id: str,
    kms_key_arn: str = "",
    subnet_ids: Sequence[str] = (),
    security_group_ids: Sequence[str] = (),
) -> Policy:
    """Build what the role may do: read the data, write the output, and what you opt into.

    Args:
        bucket: the run's bucket.
        region: the job's Region.
        account_id: the account of the job.
        kms_key_arn: your own key; "" leaves encryption to AWS's keys.
        subnet_ids: subnets the job is to run in; empty for none.
        security_group_ids: security groups of its network interfaces.

    Raises:
        SettingsError: subnets without security groups, or the other way round.
    """
    if bool(subnet_ids) != bool(security_group_ids):
        raise SettingsError(
            "A job in a VPC needs both subnet_ids and security_group_ids; give both or neither."
        )
    sids = ["FindDataAndOutput", "ReadData", "WriteOutput"]
    if kms_key_arn:
        sids += ["EncryptModel", "UseKeyOnObjects"]
    if subnet_ids:
        sids += ["DescribeNetwork", "CreateTaggedInterface", "UseGivenSubnetsAndGroups"]
        sids += ["ManageTaggedInterface", "TagNewInterface"]
    arns = _name_arns(region, account_id, bucket)
    return build_policy(
        *sids,
        **arns,
        key=kms_key_arn,
        subnets=[f"{arns['ec2']}:subnet/{subnet}" for subnet in subnet_ids],
        groups=[f"{arns['ec2']}:security-group/{group}" for group in security_group_ids],
    )


def build_tls_policy(bucket: str, *, region: str = "") -> Policy:
    """Build a bucket's policy that refuses every request without TLS."""
    return build_policy("RefusePlainHttp", **_name_arns(region, bucket=bucket))


def build_caller_policy(
    account_id: str,
    region: str,
    bucket: str,
    role_name: str,
    kms_key_arn: str = "",
    *,
    serving: Collection[Serving],
    given_bucket: bool = False,
    given_role_arn: str = "",
) -> Policy:
    """Build what the caller of notebooks 1 to 7 needs, ready for an administrator to attach.

    It is made for a customer managed policy: an inline policy of a user may not be so long.

    Args:
        account_id: the account.
        region: the job's Region.
        bucket: the run's bucket.
        role_name: the run's role.
        kms_key_arn: your own key; "" for none.
        serving: how the base model's custom models can be served: its `serving`.
        given_bucket: whether somebody else has made the bucket, so that it is only used.
        given_role_arn: the ARN of a role that somebody else has made; "" for the run's own.
    """
    arns = _name_arns(region, account_id, bucket)
    ways, roles = sorted(serving), arns["roles"]
    own_arn = given_role_arn or f"{roles}/{role_name}"
    sids = ["UseBucket" if given_bucket else "SetUpBucket", "UseObjects"]
    sids += ["ReadRole" if given_role_arn else "SetUpRole", "PassRole", "ReadFoundationModels"]
    sids += ["CreateCustomization", "FollowCustomization", "UseCustomModels"]
    sids += [sid for way in ways for sid in _SERVINGS[way][1:]]
    sids += ["RunEvaluations", "ListOwn", "MarkAsOurs", "AskModels", "ReadQuotas"]
    if kms_key_arn:
        sids += ["GiveKeyToBedrock", "UseKeyThroughS3"]
    return build_policy(
        *sids,
        **arns,
        key=kms_key_arn,
        role=[own_arn, f"{roles}/{name_evaluation_role(role_name)}"],
        served=[arns[_SERVINGS[way][0]] for way in ways],
    )


def name_evaluation_role(role_name: str) -> str:
    """Name the role of a run's evaluation jobs: another one, trusted for that kind of job alone."""
    return f"{role_name[:53]}-evaluation"  # IAM takes 64 characters


def build_evaluation_trust_policy(account_id: str, region: str) -> Policy:
    """Build the trust policy of an evaluation job's role: Bedrock, for this account's such jobs."""
    return build_policy("TrustEvaluationsOfThisAccount", **_name_arns(region, account_id))


def build_evaluation_policy(
    bucket: str, *, region: str, account_id: str, kms_key_arn: str = ""
) -> Policy:
    """Build what an evaluation job's role may do: read prompts, write scores, and ask models.

    Prompts and scores are in the folder evaluation/ of the bucket, encrypted with the key if there
    is one.
    """
    sids = ["FindPrompts", "ReadPromptsWriteScores", "AskEvaluatedModels"]
    sids += ["UseKeyOnObjects"] if kms_key_arn else []
    return build_policy(*sids, **_name_arns(region, account_id, bucket), key=kms_key_arn)


def explain_policy(policy: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Say what a policy does: one (Sid, sentence) for each statement, in order."""
    known = _read("statements.toml")
    return [
        (sid, known[sid]["reason"] if sid in known else _describe(one))
        for one in policy["Statement"]
        for sid in [str(one.get("Sid", ""))]
    ]


def build_policy(*sids: str, **values: str | list[str]) -> Policy:
    """Build a policy document of these statements, their names in braces replaced by values."""
    statements = []
    for sid in sids:
        statement = _read("statements.toml")[sid]
        parts = {k: _fill(v, values) for k, v in statement.items() if k != "reason"}
        statements.append({"Sid": sid, "Effect": "Allow", **parts})
    return {"Version": "2012-10-17", "Statement": statements}


def partition(region: str) -> str:
    """Name the partition of a Region, the second part of its ARNs."""
    if region.startswith("us-gov-"):
        return "aws-us-gov"
    return "aws-cn" if region.startswith("cn-") else "aws"


@cache
def _read(name: str) -> dict[str, Any]:
    return read_toml(__package__, name)


def _name_arns(region: str, account_id: str = "", bucket: str = "") -> dict[str, str]:
    """Build the ARNs of `arns.toml`, beside the names that these and statements are built from."""
    names = {"region": region, "account_id": account_id, "bucket": bucket}
    names["partition"] = partition(region)
    return names | {name: arn.format_map(names) for name, arn in _read("arns.toml").items()}


def _fill(template: Any, values: Mapping[str, str | list[str]]) -> Any:
    """Replace the names in braces; a list's value takes the place of its element."""
    if isinstance(template, dict):
        return {name: _fill(part, values) for name, part in template.items()}
    if isinstance(template, list):
        filled = [_fill(part, values) for part in template]
        return [one for part in filled for one in (part if isinstance(part, list) else [part])]
    value = values.get(template.strip("{}"))
    return value if isinstance(value, list) else template.format_map(values)


def _describe(statement: Mapping[str, Any]) -> str:
    def words(name: str) -> str:
        value = statement.get(name, "*")
        return value if isinstance(value, str) else ", ".join(value)

    return f"{statement['Effect']}s {words('Action')} on {words('Resource')}."
