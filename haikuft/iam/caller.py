"""What the caller of notebooks 1 to 7 needs, as one policy for an administrator.

Sources: Bedrock User Guide, "Prerequisites for Provisioned Throughput" and
deploy-custom-model-on-demand; Service Authorization
Reference of S3, IAM, Bedrock and Service Quotas.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from haikuft.base_models import Serving
from haikuft.iam.policies import (
    Policy,
    allow,
    bedrock_arn,
    bucket_arn,
    key_statements,
    partition,
    policy_of,
)

REASONS = {
    "SetUpBucket": "You may create the run's bucket, make it private and encrypted, look into it "
    "and delete it.",
    "UseObjects": "You may upload, read and delete objects in the run's bucket, old versions and "
    "unfinished uploads too.",
    "SetUpRole": "You may create the run's role, keep its policies up to date and delete it.",
    "PassRole": "You may hand the run's role to Bedrock, and to no other service.",
    "ReadFoundationModels": "You may see which base models there are and how far along their "
    "lives they are.",
    "CreateCustomization": "You may start customization jobs that make custom models in this "
    "account and Region.",
    "FollowCustomization": "You may read and stop this account's customization jobs.",
    "UseCustomModels": "You may read and delete this account's custom models.",
    "CreateThroughput": "You may buy Provisioned Throughput for a model; this is what bills by "
    "the hour.",
    "UseThroughput": "You may read and delete this account's Provisioned Throughput.",
    "CreateDeployment": "You may have a custom model served on demand, or another in its place; "
    "this bills its tokens.",
    "UseDeployments": "You may read and delete this account's custom model deployments.",
    "ListOwn": "You may list jobs, custom models and what serves them: what bills is found so, "
    "also when a run's record is lost.",
    "MarkAsOurs": "You may tag what the run makes, and read the tags back before deleting it.",
    "AskModels": "You may ask the tuned model, base models and inference profiles.",
    "ReadQuotas": "You may read Bedrock's quotas before training money is spent.",
    "GiveKeyToBedrock": "You may have Bedrock encrypt the custom model with your key.",
    "UseKeyThroughS3": "You may read and write the bucket's encrypted objects.",
}

_BUCKET_ACTIONS = (
    "CreateBucket",
    "GetBucketLocation",
    "GetBucketTagging",
    "PutBucketTagging",
    "GetBucketPublicAccessBlock",
    "PutBucketPublicAccessBlock",
    "PutEncryptionConfiguration",
    "PutBucketPolicy",
    "ListBucket",
    "ListBucketVersions",
    "ListBucketMultipartUploads",
    "DeleteBucket",
)
_OBJECT_ACTIONS = (
    "GetObject",
    "PutObject",
    "DeleteObject",
    "DeleteObjectVersion",
    "AbortMultipartUpload",
)
_ROLE_ACTIONS = (
    "CreateRole",
    "TagRole",
    "GetRole",
    "UpdateAssumeRolePolicy",
    "PutRolePolicy",
    "ListRolePolicies",
    "DeleteRolePolicy",
    "DeleteRole",
)
_SERVED_BY: Mapping[Serving, str] = {  # the kind of thing in an ARN
    "deployment": "custom-model-deployment",
    "provisioned_throughput": "provisioned-model",
}
_QUOTA_ACTIONS = ("GetServiceQuota", "GetAWSDefaultServiceQuota")


def build_caller_policy(
    account_id: str,
    region: str,
    bucket: str,
    role_name: str,
    kms_key_arn: str = "",
    *,
    serving: Collection[Serving],
) -> Policy:
    """Build what the caller of notebooks 1 to 7 needs, ready for an administrator to attach.

    `serving` says how the base model's custom models can be served: its `serving`.
    It is made for a customer managed policy: an inline policy of a user may not be so long.
    """
    bucket_resource, bedrock = bucket_arn(bucket, region), bedrock_arn(account_id, region)
    role_arn = f"arn:{partition(region)}:iam::{account_id}:role/{role_name}"
    models = f"{bedrock_arn('', region)}:foundation-model/*"
    anywhere = f"arn:{partition(region)}:bedrock:*::foundation-model/*"  # profiles cross Regions
    jobs, custom, profiles = (
        f"{bedrock}:{kind}/*"
        for kind in ("model-customization-job", "custom-model", "inference-profile")
    )
    served = [f"{bedrock}:{_SERVED_BY[kind]}/*" for kind in sorted(serving)]
    statements = [
        allow("SetUpBucket", [f"s3:{action}" for action in _BUCKET_ACTIONS], [bucket_resource]),
        allow(
            "UseObjects", [f"s3:{action}" for action in _OBJECT_ACTIONS], [f"{bucket_resource}/*"]
        ),
        allow("SetUpRole", [f"iam:{action}" for action in _ROLE_ACTIONS], [role_arn]),
        {
            **allow("PassRole", ["iam:PassRole"], [role_arn]),
            "Condition": {"StringEquals": {"iam:PassedToService": "bedrock.amazonaws.com"}},
        },
        _bedrock_allow(
            "ReadFoundationModels",
            "ListFoundationModels GetFoundationModelAvailability",
            ["*"],
        ),
        _bedrock_allow(
            "CreateCustomization", "CreateModelCustomizationJob", [models, custom, jobs]
        ),
        _bedrock_allow(
            "FollowCustomization", "GetModelCustomizationJob StopModelCustomizationJob", [jobs]
        ),
        _bedrock_allow("UseCustomModels", "GetCustomModel DeleteCustomModel", [custom]),
        *_serving_statements(serving, bedrock, models, custom),
        _bedrock_allow(
            "ListOwn",
            "ListModelCustomizationJobs ListCustomModels ListCustomModelDeployments "
            "ListProvisionedModelThroughputs",
            ["*"],
        ),
        _bedrock_allow("MarkAsOurs", "TagResource ListTagsForResource", [jobs, custom, *served]),
        _bedrock_allow(
            "AskModels",
            "InvokeModel InvokeModelWithResponseStream",  # the second streams: the playground
            [*served, anywhere, profiles],
        ),
        allow("ReadQuotas", [f"servicequotas:{action}" for action in _QUOTA_ACTIONS], ["*"]),
    ]
    if kms_key_arn:
        statements += key_statements(kms_key_arn, region, "GiveKeyToBedrock", "UseKeyThroughS3")
    return policy_of(*statements)


def _serving_statements(
    serving: Collection[Serving], bedrock: str, models: str, custom: str
) -> list[dict[str, Any]]:
    """Allow what serving takes, in the ways that the base model has."""
    deployed, provisioned = (
        f"{bedrock}:{_SERVED_BY[kind]}/*" for kind in ("deployment", "provisioned_throughput")
    )
    statements = {
        "deployment": [
            _bedrock_allow(
                "CreateDeployment",
                "CreateCustomModelDeployment UpdateCustomModelDeployment",
                [custom, deployed],
            ),
            _bedrock_allow(
                "UseDeployments",
                "GetCustomModelDeployment DeleteCustomModelDeployment",
                [deployed],
            ),
        ],
        "provisioned_throughput": [
            _bedrock_allow(
                "CreateThroughput",
                "CreateProvisionedModelThroughput",
                [models, custom, provisioned],
            ),
            _bedrock_allow(
                "UseThroughput",
                "GetProvisionedModelThroughput DeleteProvisionedModelThroughput",
                [provisioned],
            ),
        ],
    }
    return [statement for kind in sorted(serving) for statement in statements[kind]]


def _bedrock_allow(sid: str, actions: str, resources: Sequence[str]) -> dict[str, Any]:
    return allow(sid, [f"bedrock:{action}" for action in actions.split()], resources)
