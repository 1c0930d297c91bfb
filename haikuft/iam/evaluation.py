"""The role of a Bedrock evaluation job: who may take it on, and what it may do.

It is another role than a customization job's: each is trusted for its own kind of job alone.
Sources: Bedrock User Guide, "Required service role permissions for creating a model evaluation job
that uses a judge model" and "Service role requirements for automatic model evaluation jobs".
"""

from typing import Any

from haikuft.iam.policies import (
    Policy,
    allow,
    bedrock_arn,
    bucket_arn,
    partition,
    policy_of,
    trust_bedrock,
)

REASONS = {
    "TrustEvaluationsOfThisAccount": "Only Bedrock may take on the role, and only for evaluation "
    "jobs of this account and Region.",
    "FindPrompts": "The job may look which objects lie in the evaluation folder.",
    "ReadPromptsWriteScores": "The job may read its prompts and write its scores there.",
    "AskModels": "The job may ask the models it evaluates and the model that judges.",
}


def build_evaluation_trust_policy(account_id: str, region: str) -> Policy:
    """Build the trust policy of the role: Bedrock, for this account's evaluation jobs."""
    jobs = f"{bedrock_arn(account_id, region)}:evaluation-job/*"
    return trust_bedrock("TrustEvaluationsOfThisAccount", account_id, jobs)


def build_evaluation_policy(
    bucket: str, *, region: str, account_id: str, prefix: str = "evaluation/", asks: bool = True
) -> Policy:
    """Build what the role may do: read prompts, write scores, and ask models.

    Args:
        bucket: the bucket of prompts and scores.
        region: the job's Region.
        account_id: the account of the job.
        prefix: folder of prompts and scores, ending in "/".
        asks: the job asks models: those it evaluates, or a judge. Own responses that are scored
            without a judge need no such permission.
    """
    arn = bucket_arn(bucket, region)
    statements: list[dict[str, Any]] = [
        {
            **allow("FindPrompts", ["s3:ListBucket"], [arn]),
            "Condition": {"StringLike": {"s3:prefix": [f"{prefix}*"]}},
        },
        allow("ReadPromptsWriteScores", ["s3:GetObject", "s3:PutObject"], [f"{arn}/{prefix}*"]),
    ]
    if asks:
        own = bedrock_arn(account_id, region)
        models = [
            f"arn:{partition(region)}:bedrock:*::foundation-model/*",
            f"{own}:inference-profile/*",
            f"{own}:provisioned-model/*",
        ]
        actions = ["InvokeModel", "CreateModelInvocationJob", "StopModelInvocationJob"]
        statements.append(allow("AskModels", [f"bedrock:{action}" for action in actions], models))
    return policy_of(*statements)
