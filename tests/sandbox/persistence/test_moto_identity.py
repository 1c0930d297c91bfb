"""IAM, STS and KMS: what a sandbox answers about them after it was opened again."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fakes import answer

from haikuft.sandbox.persistence.database import Database

ACCOUNT = "123456789012"
REGION = "us-west-2"
TAGS = [{"Key": "run", "Value": "first"}]
DOCUMENT = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
    }
)
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
KEY_POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Own", "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}
        ],
    }
)


@pytest.fixture
def reopen(local_sandbox: Any) -> Callable[[], Any]:
    """Open the state, which was not closed before: `reopen()("iam")` is a client of it."""
    return lambda: local_sandbox().client


def describe_iam(iam: Any) -> dict[str, Any]:
    """Ask everything about the account's identities."""
    everything = answer(iam.get_account_authorization_details)
    about = {
        "everything": everything,
        "summary": answer(iam.get_account_summary),
        "password policy": answer(iam.get_account_password_policy),
        "policies": answer(iam.list_policies, Scope="Local"),
    }
    for name in ("account_aliases", "groups", "instance_profiles", "open_id_connect_providers",
                 "policies", "roles", "saml_providers", "server_certificates", "users",
                 "virtual_mfa_devices"):  # fmt: skip
        about[name] = answer(getattr(iam, f"list_{name}"))
    for provider in about["open_id_connect_providers"]["OpenIDConnectProviderList"]:
        arn = provider["Arn"]
        about[arn] = answer(iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn)
    for role in about["roles"]["Roles"]:
        name = role["RoleName"]
        about[f"role {name}"] = [
            answer(call, RoleName=name)
            for call in (iam.get_role, iam.list_role_tags, iam.list_role_policies,
                         iam.list_attached_role_policies, iam.list_instance_profiles_for_role)
        ]  # fmt: skip
    for policy in about["policies"]["Policies"]:
        arn = policy["Arn"]
        about[f"policy {arn}"] = [
            answer(call, PolicyArn=arn)
            for call in (iam.get_policy, iam.list_policy_versions, iam.list_policy_tags,
                         iam.list_entities_for_policy)
        ]  # fmt: skip
    for user in about["users"]["Users"]:
        name = user["UserName"]
        about[f"user {name}"] = [
            answer(getattr(iam, call), UserName=name)
            for call in ("get_user", "list_access_keys", "list_user_policies", "list_user_tags",
                         "list_attached_user_policies", "list_groups_for_user", "list_mfa_devices",
                         "list_ssh_public_keys", "list_signing_certificates", "get_login_profile")
        ]  # fmt: skip
    for group in about["groups"]["Groups"]:
        about[f"group {group['GroupName']}"] = answer(iam.get_group, GroupName=group["GroupName"])
    return about


def describe_kms(kms: Any) -> dict[str, Any]:
    """Ask everything about the keys of a Region."""
    about = {"keys": answer(kms.list_keys), "aliases": answer(kms.list_aliases)}
    for key in about["keys"]["Keys"]:
        key_id = key["KeyId"]
        about[key_id] = [
            answer(call, KeyId=key_id)
            for call in (kms.describe_key, kms.list_resource_tags, kms.list_grants,
                         kms.list_key_policies, kms.get_key_rotation_status, kms.get_public_key,
                         kms.list_key_rotations)
        ]  # fmt: skip
        about[key_id].append(answer(kms.get_key_policy, KeyId=key_id, PolicyName="default"))
    return about


def make_certificate() -> str:
    """Make a self-signed certificate, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "haikuft")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


def fill_iam(iam: Any) -> None:
    """Make one of everything that IAM has."""
    policy = iam.create_policy(
        PolicyName="read", PolicyDocument=DOCUMENT, Path="/haikuft/", Tags=TAGS, Description="d"
    )["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=DOCUMENT, SetAsDefault=True)
    boundary = iam.create_policy(PolicyName="edge", PolicyDocument=DOCUMENT)["Policy"]["Arn"]
    for name in ("zebra", "ant"):
        iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=TRUST,
            Path="/haikuft/",
            Description="what a job acts as",
            MaxSessionDuration=7200,
            PermissionsBoundary=boundary,
            Tags=TAGS,
        )
    iam.put_role_policy(RoleName="zebra", PolicyName="inline", PolicyDocument=DOCUMENT)
    iam.attach_role_policy(RoleName="zebra", PolicyArn=policy)
    iam.update_assume_role_policy(RoleName="ant", PolicyDocument=TRUST)
    iam.create_service_linked_role(AWSServiceName="bedrock.amazonaws.com")
    iam.create_instance_profile(InstanceProfileName="profile", Tags=TAGS)
    iam.add_role_to_instance_profile(InstanceProfileName="profile", RoleName="zebra")
    iam.create_user(UserName="ada", Tags=TAGS, Path="/people/")
    iam.create_user(UserName="grace", PermissionsBoundary=boundary)
    iam.put_user_policy(UserName="ada", PolicyName="inline", PolicyDocument=DOCUMENT)
    iam.attach_user_policy(UserName="ada", PolicyArn=policy)
    second = iam.create_access_key(UserName="ada")["AccessKey"]["AccessKeyId"]
    iam.update_access_key(UserName="ada", AccessKeyId=second, Status="Inactive")
    iam.create_login_profile(UserName="ada", Password="a long enough one")
    iam.create_group(GroupName="readers")
    iam.add_user_to_group(GroupName="readers", UserName="ada")
    iam.add_user_to_group(GroupName="readers", UserName="grace")
    iam.put_group_policy(GroupName="readers", PolicyName="inline", PolicyDocument=DOCUMENT)
    iam.attach_group_policy(GroupName="readers", PolicyArn=policy)
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")["VirtualMFADevice"]
    iam.enable_mfa_device(
        UserName="ada",
        SerialNumber=device["SerialNumber"],
        AuthenticationCode1="123456",
        AuthenticationCode2="654321",
    )
    certificate = make_certificate()
    iam.upload_signing_certificate(UserName="ada", CertificateBody=certificate)
    iam.upload_ssh_public_key(UserName="ada", SSHPublicKeyBody="ssh-rsa AAAA" + "B" * 40)
    iam.upload_server_certificate(
        ServerCertificateName="site", CertificateBody=certificate, PrivateKey="not looked at"
    )
    iam.create_saml_provider(Name="company", SAMLMetadataDocument="x" * 1000)
    iam.create_open_id_connect_provider(
        Url="https://example.com", ThumbprintList=["a" * 40], ClientIDList=["c"], Tags=TAGS
    )
    iam.create_account_alias(AccountAlias="haikuft-school")
    iam.update_account_password_policy(MinimumPasswordLength=12, RequireSymbols=True)
    iam.generate_credential_report()


def test_iam_when_opened_again_then_is_the_same(reopen: Callable[[], Any]) -> None:
    """Roles, policies, users, groups and all else: ids, dates, tags, order, who has what."""
    iam = reopen()("iam")
    fill_iam(iam)
    before = describe_iam(iam)
    again = reopen()("iam")
    assert describe_iam(again) == before
    assert before["users"]["Users"][0]["UserId"]


def test_iam_when_opened_again_then_things_still_hang_together(reopen: Callable[[], Any]) -> None:
    """A policy changed once is changed for all that have it; what is let go of can be deleted."""
    fill_iam(reopen()("iam"))
    iam = reopen()("iam")
    arn = iam.list_policies(PathPrefix="/haikuft/")["Policies"][0]["Arn"]
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 3
    iam.detach_role_policy(RoleName="zebra", PolicyArn=arn)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 2
    key = iam.list_access_keys(UserName="ada")["AccessKeyMetadata"][0]["AccessKeyId"]
    iam.delete_access_key(UserName="ada", AccessKeyId=key)
    iam.remove_role_from_instance_profile(InstanceProfileName="profile", RoleName="zebra")
    iam.delete_role_policy(RoleName="zebra", PolicyName="inline")
    iam.delete_role(RoleName="zebra")
    iam.update_user(UserName="grace", NewUserName="hopper")
    iam.delete_account_alias(AccountAlias="haikuft-school")
    before = describe_iam(iam)
    assert describe_iam(reopen()("iam")) == before


def test_access_key_when_opened_again_then_is_its_users(
    local_sandbox: Callable[..., Any],
) -> None:
    """The same id and secret still work, also those of an assumed role."""
    local = local_sandbox()
    iam = local.client("iam")
    iam.create_user(UserName="ada")
    made = iam.create_access_key(UserName="ada")["AccessKey"]
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)["Role"]
    lent = local.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="session")[
        "Credentials"
    ]

    def caller(url: str, *credentials: str) -> Any:
        client = boto3.Session(*credentials).client("sts", REGION, endpoint_url=url)
        answered = client.get_caller_identity()
        return answered["UserId"], answered["Arn"]

    keys = (
        (made["AccessKeyId"], made["SecretAccessKey"]),
        (lent["AccessKeyId"], lent["SecretAccessKey"], lent["SessionToken"]),
    )
    before = [caller(local.url, *key) for key in keys]
    assert before[1] == (
        f"{role['RoleId']}:session",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/r/session",
    )
    again = local_sandbox()
    assert [caller(again.url, *key) for key in keys] == before
    used = again.client("iam").get_access_key_last_used(AccessKeyId=made["AccessKeyId"])
    assert (used["UserName"], used["AccessKeyLastUsed"]["ServiceName"]) == ("ada", "sts")


def test_kms_when_opened_again_then_is_the_same(reopen: Callable[[], Any]) -> None:
    """Keys of every kind, with aliases, tags, policies, grants and rotations, in two Regions."""
    client = reopen()
    kms = client("kms")
    tags = [{"TagKey": "run", "TagValue": "first"}]
    key = kms.create_key(Description="data", Tags=tags)["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/haikuft", TargetKeyId=key)
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=KEY_POLICY)
    kms.enable_key_rotation(KeyId=key)
    kms.rotate_key_on_demand(KeyId=key)
    kms.create_grant(
        KeyId=key,
        GranteePrincipal=f"arn:aws:iam::{ACCOUNT}:role/r",
        Operations=["Decrypt", "CreateGrant"],
        Constraints={"EncryptionContextSubset": {"a": "b"}},
    )
    going = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.schedule_key_deletion(KeyId=going, PendingWindowInDays=7)
    kms.disable_key(KeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    kms.describe_key(KeyId="alias/aws/s3")  # makes AWS's own key
    many = kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    kms.replicate_key(KeyId=many, ReplicaRegion="us-east-1")
    for spec in ("RSA_2048", "ECC_NIST_P256"):
        kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")
    kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    for _ in range(2):  # once a replica was looked at, moto calls the first key one, too
        before = [describe_kms(client("kms", region)) for region in (REGION, "us-east-1")]
    client = reopen()
    assert [describe_kms(client("kms", region)) for region in (REGION, "us-east-1")] == before
    assert len(before[0]["keys"]["Keys"]) == 8


def test_key_material_when_opened_again_then_still_serves(reopen: Callable[[], Any]) -> None:
    """What was encrypted is decrypted, what was signed is verified, and so is a MAC."""
    kms = reopen()("kms")
    secret = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/haikuft", TargetKeyId=secret)
    sealed = kms.encrypt(KeyId="alias/haikuft", Plaintext=b"text", EncryptionContext={"a": "b"})
    data_key = kms.generate_data_key(KeyId=secret, KeySpec="AES_256")
    asymmetric = {}
    for spec, algorithm in (("RSA_2048", "RSASSA_PSS_SHA_256"), ("ECC_NIST_P384", "ECDSA_SHA_384")):
        key = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
        asked = {"KeyId": key, "Message": b"text", "SigningAlgorithm": algorithm}
        asymmetric[spec] = asked | {"Signature": kms.sign(**asked)["Signature"]}
    hmac = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]
    asked = {"KeyId": hmac["KeyId"], "Message": b"text", "MacAlgorithm": "HMAC_SHA_256"}
    mac = kms.generate_mac(**asked)["Mac"]

    again = reopen()("kms")
    opened = again.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext={"a": "b"})
    assert opened["Plaintext"] == b"text"
    found = again.decrypt(CiphertextBlob=data_key["CiphertextBlob"])
    assert found["Plaintext"] == data_key["Plaintext"]
    for asked in asymmetric.values():
        assert again.verify(**asked)["SignatureValid"]
    assert again.verify_mac(**asked_mac(hmac["KeyId"]), Mac=mac)["MacValid"]


def asked_mac(key_id: str) -> dict[str, Any]:
    """Say what the test's MAC was made of."""
    return {"KeyId": key_id, "Message": b"text", "MacAlgorithm": "HMAC_SHA_256"}


def test_reading_when_nothing_is_there_then_writes_nothing(
    reopen: Callable[[], Any], tmp_path: Path
) -> None:
    """Looking around in an empty account leaves an empty database."""
    client = reopen()
    describe_iam(client("iam"))
    describe_kms(client("kms"))
    client("sts").get_caller_identity()
    database = Database(tmp_path / "ledger.sqlite")
    for kind in ("iam", "sts", "kms"):
        assert (database.read(f"{kind}.entity"), database.read(f"{kind}.backend")) == ({}, {})
