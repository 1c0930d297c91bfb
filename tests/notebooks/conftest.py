"""A copy of the project's folder to walk in, so that no test writes into the real one."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from project_copy import copy_project

from haikuft import cli
from haikuft.runs.record_file import FILE_NAME, RunRecord, read_record
from haikuft.sandbox import Endpoint

REGION = "us-west-2"


@dataclass(frozen=True, slots=True)
class Project:
    """A project folder with runs of its own, and the sandbox behind it."""

    root: Path
    endpoint: Endpoint

    def run(self, *arguments: str) -> int:
        """Call `haikuft run` in this folder."""
        return cli.main(["run", *arguments])

    def record(self, run: str) -> RunRecord:
        """Read a run's record."""
        return read_record(self.root / "runs" / run / FILE_NAME)

    def client(self, service: str, region: str = REGION):
        """A client that can reach this sandbox only."""
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.endpoint.url,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=Config(proxies={}),
        )


@pytest.fixture(scope="module")
def project(
    sandbox: Endpoint, sandbox_state: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """A project whose notebooks find this module's sandbox, kernels included."""
    root = copy_project(tmp_path_factory.mktemp("project") / "copy")
    here = Path.cwd()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HAIKUFT_SANDBOX_STATE", str(sandbox_state))
        patch.setenv("HAIKUFT_HOME", str(root))
        os.chdir(root)
        yield Project(root, sandbox)
        os.chdir(here)


@pytest.fixture
def holdings(project: Project) -> Callable[..., dict[str, list[str]]]:
    """What the sandbox holds, by listing each service."""

    def listed(region: str = REGION) -> dict[str, list[str]]:
        bedrock, s3, iam = (project.client(name, region) for name in ("bedrock", "s3", "iam"))
        buckets = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
        return {
            "throughputs": [
                one["provisionedModelArn"]
                for one in bedrock.list_provisioned_model_throughputs()["provisionedModelSummaries"]
            ],
            "jobs": [
                one["jobArn"]
                for one in bedrock.list_model_customization_jobs()["modelCustomizationJobSummaries"]
            ],
            "models": [one["modelArn"] for one in bedrock.list_custom_models()["modelSummaries"]],
            "buckets": buckets,
            "objects": [
                item["Key"]
                for bucket in buckets
                for item in s3.list_objects_v2(Bucket=bucket).get("Contents", [])
            ],
            "roles": [role["RoleName"] for role in iam.list_roles()["Roles"]],
            "policies": [p["Arn"] for p in iam.list_policies(Scope="Local")["Policies"]],
        }

    return listed
