"""Who may do what: the role that a job works under, the bucket's policy, the caller's needs.

Policies are plain data, built from names alone; none of these functions sees a client.
Sources: Bedrock User Guide, "Model customization access and security", "Encryption of custom
models" and "Cross-service confused deputy prevention"; IAM API.
"""

from haikuft.lazy_names import offer_names

__all__, __getattr__, __dir__ = offer_names(
    __name__,
    {
        "policies": "build_caller_policy build_evaluation_policy build_evaluation_trust_policy "
        "build_role_policy build_tls_policy build_trust_policy explain_policy name_evaluation_role",
        "roles": "default_role_name ensure_role owns_role",
    },
)
