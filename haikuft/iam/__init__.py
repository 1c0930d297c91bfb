"""Who may do what: the role that a job works under, the bucket's policy, the caller's needs.

Policies are plain data, built from names alone; none of these functions sees a client:
`build_trust_policy`, `build_role_policy`, `build_tls_policy`, `build_caller_policy`.
Sources: Bedrock User Guide, "Model customization access and security", "Encryption of custom
models" and "Cross-service confused deputy prevention"; IAM API.
"""

from haikuft.iam.caller import build_caller_policy
from haikuft.iam.evaluation import build_evaluation_policy, build_evaluation_trust_policy
from haikuft.iam.policies import build_role_policy, build_tls_policy, build_trust_policy
from haikuft.iam.reasons import explain_policy
from haikuft.iam.roles import (
    POLICY_NAME,
    Role,
    default_role_name,
    delete_role,
    ensure_role,
    find_role,
    get_role,
)

__all__ = [
    "POLICY_NAME",
    "Role",
    "build_caller_policy",
    "build_evaluation_policy",
    "build_evaluation_trust_policy",
    "build_role_policy",
    "build_tls_policy",
    "build_trust_policy",
    "default_role_name",
    "delete_role",
    "ensure_role",
    "explain_policy",
    "find_role",
    "get_role",
]
