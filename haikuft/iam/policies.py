"""IAM policies as plain data: names in, a document out, each statement with a Sid and a reason.

Sources: Bedrock User Guide, "Model customization access and security" (role, S3, VPC) and
"Encryption of custom models" (KMS). What the caller needs is in `haikuft.iam.caller`.
"""

from collections.abc import Sequence
from typing import Any

from haikuft.errors import SettingsError

Policy = dict[str, Any]

REASONS = {
    # the role's trust policy
    "TrustBedrockJobsOfThisAccount": "Only Bedrock may take on the role, and only for "
    "customization jobs of this account and Region; nobody can borrow it through another account.",
    # the role's own policy
    "FindDataAndOutput": "The job may look which objects lie in the data and output folders, "
    "and in no other.",
    "ReadData": "The job may read the training and validation files.",
    "WriteOutput": "The job may write its metrics to the output folder and read them back.",
    "EncryptModel": "Bedrock may encrypt the custom model with your key and keep it usable "
    "through grants.",
    "UseKeyOnObjects": "Objects in the bucket may be encrypted and decrypted with your key, "
    "through S3 alone.",
    "DescribeNetwork": "Bedrock may look at the network that the job is to run in.",
    "CreateTaggedInterface": "Bedrock may create network interfaces that it tags as its own and "
    "as this job's.",
    "UseGivenSubnetsAndGroups": "Those interfaces may use the subnets and security groups you "
    "named, and no others.",
    "ManageTaggedInterface": "Bedrock may open and delete only the interfaces it tagged, in your "
    "subnets.",
    "TagNewInterface": "Bedrock may set its two tags while it creates an interface, and at no "
    "other time.",
    # the bucket's policy
    "RefusePlainHttp": "Every request to the bucket that does not use TLS is refused, whoever "
    "makes it.",
}


def build_trust_policy(account_id: str, region: str) -> Policy:
    """Build the trust policy of the role: Bedrock, for this account's customization jobs."""
    # The wildcard covers two segments, model id and job id.
    jobs = f"{bedrock_arn(account_id, region)}:model-customization-job/*"
    return trust_bedrock("TrustBedrockJobsOfThisAccount", account_id, jobs)


def trust_bedrock(sid: str, account_id: str, source_arn: str) -> Policy:
    """Build a trust policy: Bedrock, on behalf of this account's resources of that ARN."""
    return policy_of(
        {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": {"Service": "bedrock.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": account_id},
                "ArnLike": {"aws:SourceArn": source_arn},
            },
        }
    )


def build_role_policy(
    bucket: str,
    *,
    region: str,
    account_id: str = "",
    training_prefix: str = "training/",
    validation_prefix: str = "validation/",
    output_prefix: str = "output/",
    kms_key_arn: str = "",
    subnet_ids: Sequence[str] = (),
    security_group_ids: Sequence[str] = (),
) -> Policy:
    """Build what the role may do: read the data, write the output, and what you opt into.

    Args:
        bucket: the run's bucket.
        region: the job's Region.
        account_id: the account of the job; needed with a VPC alone.
        training_prefix: folder of the training file, ending in "/".
        validation_prefix: folder of the validation file.
        output_prefix: folder of the metrics.
        kms_key_arn: your own key; "" leaves encryption to AWS's keys.
        subnet_ids: subnets the job is to run in; empty for none.
        security_group_ids: security groups of its network interfaces.

    Raises:
        SettingsError: subnets without security groups, the other way round, or no account.
    """
    if bool(subnet_ids) != bool(security_group_ids):
        raise SettingsError(
            "A job in a VPC needs both subnet_ids and security_group_ids; give both or neither."
        )
    if subnet_ids and not account_id:
        raise SettingsError("A job in a VPC needs account_id: its network's ARNs contain it.")
    arn = bucket_arn(bucket, region)
    folders = [f"{prefix}*" for prefix in (training_prefix, validation_prefix, output_prefix)]
    statements = [
        {
            "Sid": "FindDataAndOutput",
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": arn,
            "Condition": {"StringLike": {"s3:prefix": folders}},
        },
        allow("ReadData", ["s3:GetObject"], [f"{arn}/{folder}" for folder in folders[:2]]),
        allow("WriteOutput", ["s3:GetObject", "s3:PutObject"], [f"{arn}/{folders[2]}"]),
    ]
    if kms_key_arn:
        statements += key_statements(kms_key_arn, region, "EncryptModel", "UseKeyOnObjects")
    if subnet_ids:
        statements += _network_statements(account_id, region, subnet_ids, security_group_ids)
    return policy_of(*statements)


def build_tls_policy(bucket: str, *, region: str = "") -> Policy:
    """Build a bucket's policy that refuses every request without TLS."""
    arn = bucket_arn(bucket, region)
    return policy_of(
        {
            "Sid": "RefusePlainHttp",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    )


def policy_of(*statements: dict[str, Any]) -> Policy:
    """Put statements into a policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(sid: str, actions: Sequence[str], resources: Sequence[str]) -> dict[str, Any]:
    """Build a statement that allows actions on resources."""
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": list(resources)}


def key_statements(key: str, region: str, model_sid: str, object_sid: str) -> list[dict[str, Any]]:
    """Build what a key of your own takes: Bedrock for the model, S3 for the objects."""

    def via(service: str) -> dict[str, Any]:
        return {"StringEquals": {"kms:ViaService": f"{service}.{region}.amazonaws.com"}}

    use = ["kms:Decrypt", "kms:GenerateDataKey"]
    return [
        {
            **allow(model_sid, [*use, "kms:DescribeKey", "kms:CreateGrant"], [key]),
            "Condition": via("bedrock"),
        },
        {**allow(object_sid, use, [key]), "Condition": via("s3")},
    ]


def _network_statements(
    account_id: str, region: str, subnet_ids: Sequence[str], security_group_ids: Sequence[str]
) -> list[dict[str, Any]]:
    ec2 = f"arn:{partition(region)}:ec2:{region}:{account_id}"
    jobs = f"{bedrock_arn(account_id, region)}:model-customization-job/*"
    subnets = [f"{ec2}:subnet/{subnet}" for subnet in subnet_ids]
    groups = [f"{ec2}:security-group/{group}" for group in security_group_ids]
    look = ["NetworkInterfaces", "Vpcs", "DhcpOptions", "Subnets", "SecurityGroups"]
    manage = "CreateNetworkInterfacePermission DeleteNetworkInterface"
    return [
        allow("DescribeNetwork", [f"ec2:Describe{what}" for what in look], ["*"]),
        {
            **allow(
                "CreateTaggedInterface",
                ["ec2:CreateNetworkInterface"],
                [f"{ec2}:network-interface/*"],
            ),
            "Condition": {
                "StringEquals": {"aws:RequestTag/BedrockManaged": "true"},
                "ArnLike": {"aws:RequestTag/BedrockModelCustomizationJobArn": jobs},
            },
        },
        allow("UseGivenSubnetsAndGroups", ["ec2:CreateNetworkInterface"], [*subnets, *groups]),
        {
            **allow(
                "ManageTaggedInterface",
                [f"ec2:{what}" for what in (*manage.split(), "DeleteNetworkInterfacePermission")],
                ["*"],
            ),
            "Condition": {
                "StringEquals": {"ec2:ResourceTag/BedrockManaged": "true"},
                "ArnLike": {
                    "ec2:ResourceTag/BedrockModelCustomizationJobArn": jobs,
                    "ec2:Subnet": subnets,
                },
            },
        },
        {
            **allow("TagNewInterface", ["ec2:CreateTags"], [f"{ec2}:network-interface/*"]),
            "Condition": {
                "StringEquals": {"ec2:CreateAction": "CreateNetworkInterface"},
                "ForAllValues:StringEquals": {
                    "aws:TagKeys": ["BedrockManaged", "BedrockModelCustomizationJobArn"]
                },
            },
        },
    ]


def partition(region: str) -> str:
    """Name the partition of a Region, the second part of its ARNs."""
    if region.startswith("us-gov-"):
        return "aws-us-gov"
    return "aws-cn" if region.startswith("cn-") else "aws"


def bedrock_arn(account_id: str, region: str) -> str:
    """Build how Bedrock's ARNs begin; foundation models belong to no account."""
    return f"arn:{partition(region)}:bedrock:{region}:{account_id}"


def bucket_arn(bucket: str, region: str) -> str:
    """Build a bucket's ARN."""
    return f"arn:{partition(region)}:s3:::{bucket}"
