"""What holding a caller to its policies adds to a request, as a ratio to the administrator's.

Run it by itself: `python tests/benchmarks/caller_speed.py`.

Each kind of request is sent in turn by the administrator and by a user with the policy that
notebook 1 prints, through the sandbox's WSGI application without sockets; medians are divided.
Not collected by pytest, for a timing is no test.
"""

import io
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from usage import parse

from haikuft import iam
from haikuft.sandbox.application import Sandbox

ROUNDS = 300
ACCOUNT, REGION, BUCKET = "123456789012", "us-west-2", "data"
HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
BODY = json.dumps(
    {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 5,
        "messages": [{"role": "user", "content": "hello"}],
    }
).encode()


def send(
    sandbox: Sandbox, key: str, service: str, method: str, path: str, body: bytes = b""
) -> bytes:
    """Send one request as its client would have signed it; raise where it is refused."""
    target, _, query = path.partition("?")
    kind = "application/x-www-form-urlencoded" if service in ("iam", "sts") else ""
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": target,
        "RAW_URI": path,
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": kind,
        "HTTP_HOST": "127.0.0.1:80",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "HTTP_AUTHORIZATION": "AWS4-HMAC-SHA256 "
        f"Credential={key}/20261121/{REGION}/{service}/aws4_request, Signature=0",
    }
    answered: list[str] = []
    answer = b"".join(sandbox(environ, lambda status, headers: answered.append(status)))
    if not answered[0].startswith("2"):
        raise SystemExit(f"{method} {path}: {answered[0]} {answer.decode()}")
    return answer


def main() -> None:
    """Print the medians and their ratio for each kind of request."""
    with tempfile.TemporaryDirectory() as state:
        sandbox = Sandbox(Path(state))

        def call_iam(**fields: str) -> bytes:
            from urllib.parse import urlencode

            return send(sandbox, "admin", "iam", "POST", "/", urlencode(fields).encode())

        serving = ("provisioned_throughput",)
        policy = iam.build_caller_policy(
            ACCOUNT, REGION, BUCKET, "AmazonBedrock-role", serving=serving
        )
        call_iam(Action="CreateUser", UserName="ann")
        document = json.dumps(policy)
        call_iam(Action="PutUserPolicy", UserName="ann", PolicyName="p", PolicyDocument=document)
        made = call_iam(Action="CreateAccessKey", UserName="ann").decode()
        key = made.partition("<AccessKeyId>")[2].partition("<")[0]
        where = f"<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint>"
        place = f"{where}</CreateBucketConfiguration>".encode()
        send(sandbox, "admin", "s3", "PUT", f"/{BUCKET}", place)
        send(sandbox, "admin", "s3", "PUT", f"/{BUCKET}/a", b"text")
        requests: dict[str, Callable[[str], Any]] = {
            "S3 GetObject": lambda k: send(sandbox, k, "s3", "GET", f"/{BUCKET}/a"),
            "S3 ListObjectsV2": lambda k: send(sandbox, k, "s3", "GET", f"/{BUCKET}?list-type=2"),
            "Bedrock ListCustomModels": lambda k: send(
                sandbox, k, "bedrock", "GET", "/custom-models"
            ),
            "Bedrock InvokeModel": lambda k: send(
                sandbox, k, "bedrock", "POST", f"/model/{HAIKU}/invoke", BODY
            ),
        }
        for name, ask in requests.items():
            times: dict[str, list[float]] = {"admin": [], key: []}
            for _ in range(ROUNDS):
                for who, taken in times.items():
                    began = time.perf_counter()
                    ask(who)
                    taken.append(1000 * (time.perf_counter() - began))
            admin, user = (median(taken) for taken in times.values())
            ratio = user / admin
            print(f"{name:26} {admin:.2f} ms, held to policies {user:.2f} ms: {ratio:.2f} times")
        sandbox.close()


if __name__ == "__main__":
    parse(__doc__)
    main()
