"""How many calls the sandbox answers, beside moto's own server, and how fast a tuned model replies.

Run it by itself: `python tests/benchmarks/sandbox_load.py`.

Both servers are processes of their own on loopback. 64 clients, each a thread with a socket that
it keeps for as long as the server lets it, send the same finished bytes again and again and read
the answers, to either server alike. Throughput is taken in turn, round by round; a call of
Bedrock's is divided by moto's faster call. Then one client measures how long single calls take,
while the sandbox is idle and while a job trains. Wanted: each ratio at least 1.0, and a
label-sized answer within 20 ms at the median.

With `--mixes` it measures instead how long calls take in mixes, again in turn with moto's server:
S3, IAM and STS by 64 clients on each server; 32 clients of S3 alone, and beside 32 of Bedrock.
Wanted: median and p99 of the first mix at most 1.2 times moto's, and S3's median beside Bedrock's
clients at most 1.2 times its median alone. Not collected by pytest, for a timing is no test; ends
with 1 if something wanted is missed.
"""

import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from statistics import median, quantiles
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import boto3
from botocore.config import Config
from usage import parse

import haikuft.sandbox
from haikuft import aws, iam
from haikuft.base_models import CLAUDE_3_HAIKU
from haikuft.s3 import ensure_bucket

CLIENTS = 64
ROUNDS = 5
ROUND_SECONDS = 2.0
SINGLE_CALLS = 300
LABELS = 20
REGION = "us-west-2"
BUCKET = "load-123456789012"
LEAST_RATIO = 1.0
MOST_RATIO = 1.2  # of times
MOST_MS = 20.0
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


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it goes over the wire, and where to."""

    name: str
    address: tuple[str, int]
    data: bytes


def write_request(
    name: str, url: str, service: str, method: str, path: str, body: bytes = b"", kind: str = ""
) -> Request:
    """Write a request as botocore would, down to the signature, which neither server checks."""
    address = urlsplit(url)
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {address.netloc}",
        "User-Agent: sandbox-load",
        "X-Amz-Date: 20261121T000000Z",
        f"Authorization: AWS4-HMAC-SHA256 Credential=load/20261121/{REGION}/{service}/aws4_request"
        f", SignedHeaders=host;x-amz-date, Signature={'0' * 64}",
        f"Content-Type: {kind or 'application/json'}",
        f"Content-Length: {len(body)}",
    ]
    head = "\r\n".join(lines) + "\r\n\r\n"
    return Request(name, (str(address.hostname), address.port or 80), head.encode() + body)


class Client:
    """One socket, opened again whenever the server has closed it; sends its requests in turn."""

    def __init__(self, *requests: Request) -> None:
        self._requests = cycle(requests)
        self._socket: socket.socket | None = None

    def ask(self) -> None:
        """Send a request and read the answer to its end; anything but 2xx is an error."""
        self._request = next(self._requests)
        if self._socket is None:
            self._socket = socket.create_connection(self._request.address, timeout=30)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(self._request.data)
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._receive()
        head, _, body = data.partition(b"\r\n\r\n")
        if not head[9:10] == b"2":
            raise RuntimeError(f"{self._request.name}: {data[:500]!r}")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        left = int(fields.get(b"content-length", 0)) - len(body)
        while left > 0 and not self._request.data.startswith(b"HEAD "):
            left -= len(self._receive())
        if head.startswith(b"HTTP/1.0") or fields.get(b"connection") == b"close":
            self._socket.close()
            self._socket = None

    def _receive(self) -> bytes:
        assert self._socket is not None
        piece = self._socket.recv(65_536)
        if not piece:
            raise RuntimeError(f"{self._request.name}: the server closed the connection")
        return piece


def measure_throughput(request: Request) -> float:
    """Answers a second to 64 clients at once."""
    times = measure_times([[request]] * CLIENTS)
    return sum(map(len, times)) / ROUND_SECONDS


def measure_times(asked: list[list[Request]]) -> list[list[float]]:
    """Milliseconds of the calls of each client, all of them at once; each has its requests."""
    times: list[list[float]] = [[] for _ in asked]
    failures: list[Exception] = []
    begin, over = threading.Barrier(len(asked) + 1), threading.Event()

    def work(number: int) -> None:
        client = Client(*asked[number])
        try:
            client.ask()
            begin.wait()
            while not over.is_set():
                begun = time.perf_counter()
                client.ask()
                times[number].append(1000 * (time.perf_counter() - begun))
        except threading.BrokenBarrierError:
            return
        except Exception as error:  # shown by the main thread
            failures.append(error)
            begin.abort()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(asked))]
    for thread in threads:
        thread.start()
    with suppress(threading.BrokenBarrierError):
        begin.wait()
    over.wait(ROUND_SECONDS)
    over.set()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return times


def measure_latency(request: Request) -> list[float]:
    """Milliseconds of single calls by one client."""
    client, times = Client(request), []
    for _ in range(SINGLE_CALLS + 10):
        begun = time.perf_counter()
        client.ask()
        times.append(1000 * (time.perf_counter() - begun))
    return times[10:]


def write_records(count: int) -> bytes:
    """Write records whose label follows from a word among others."""
    lines = []
    for n in range(count):
        label = n % LABELS
        asked = (
            f"Message {n}: my matter {label} concerns thing{label} and item{n % 97}. Which topic?"
        )
        turns = [("user", asked), ("assistant", f"topic_{label}")]
        record = {"messages": [{"role": role, "content": text} for role, text in turns]}
        lines.append(json.dumps(record))
    return "\n".join(lines).encode()


def start_job(clients: Callable[[str], Any], name: str, key: str, epochs: int) -> str:
    """Start a job on an uploaded file; its ARN."""
    made = clients("bedrock").create_model_customization_job(
        jobName=name,
        customModelName=name,
        roleArn="arn:aws:iam::123456789012:role/AmazonBedrock-load",
        baseModelIdentifier=CLAUDE_3_HAIKU.id,
        trainingDataConfig={"s3Uri": f"s3://{BUCKET}/{key}"},
        outputDataConfig={"s3Uri": f"s3://{BUCKET}/output/"},
        hyperParameters={"epochCount": str(epochs), "batchSize": "4"},
    )
    return str(made["jobArn"])


def wait_for(clients: Callable[[str], Any], job: str, stage: str) -> dict[str, Any]:
    """Wait until a job trains, or has completed."""
    while True:
        found = clients("bedrock").get_model_customization_job(jobIdentifier=job)
        if stage in (found["status"], found["statusDetails"]["trainingDetails"]["status"]):
            return dict(found)
        if found["status"] == "Failed":
            raise RuntimeError(found["failureMessage"])
        time.sleep(0.05)


def fill_sandbox(url: str) -> tuple[Callable[[str], Any], str, str]:
    """Put records, a role, a tuned model and its throughput there: (clients, job, throughput)."""
    session = aws.connection._sandbox_session(REGION)

    def clients(service: str) -> Any:
        return aws.connection._make_client(session, service, 30.0, url)

    ensure_bucket(clients("s3"), BUCKET, region=REGION, tags={})
    clients("s3").put_object(Bucket=BUCKET, Key="object", Body=b"x" * 1000)
    for key, count in (("training/small.jsonl", 400), ("training/large.jsonl", 9_000)):
        clients("s3").put_object(Bucket=BUCKET, Key=key, Body=write_records(count))
    iam.ensure_role(
        clients("iam"),
        "AmazonBedrock-load",
        trust_policy=iam.build_trust_policy("123456789012", REGION),
        role_policy=iam.build_role_policy(BUCKET, region=REGION, account_id="123456789012"),
        tags={},
    )
    clients("iam").create_role(RoleName="load", AssumeRolePolicyDocument=TRUST)
    job = start_job(clients, "small", "training/small.jsonl", 5)
    model = wait_for(clients, job, "Completed")["outputModelArn"]
    throughput = clients("bedrock").create_provisioned_model_throughput(
        modelUnits=1, provisionedModelName="load", modelId=model
    )
    return clients, job, throughput["provisionedModelArn"]


def start_moto() -> tuple[subprocess.Popen[bytes], str]:
    """Start moto's own server with a role and an object in it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    session = boto3.Session("load", "load", region_name=REGION)
    s3 = session.client("s3", endpoint_url=url, config=Config(retries={"total_max_attempts": 30}))
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=BUCKET, Key="object", Body=b"x" * 1000)
    session.client("iam", endpoint_url=url).create_role(
        RoleName="AmazonBedrock-load",
        AssumeRolePolicyDocument=json.dumps(iam.build_trust_policy("123456789012", REGION)),
    )
    session.client("iam", endpoint_url=url).create_role(
        RoleName="load", AssumeRolePolicyDocument=TRUST
    )
    return process, url


def compare_throughput(bedrock: list[Request], moto: list[Request]) -> bool:
    """Print answers a second and each ratio; whether all of them are high enough."""
    rounds = [[measure_throughput(request) for request in (*moto, *bedrock)] for _ in range(ROUNDS)]
    found = [median(column) for column in zip(*rounds, strict=True)]
    print(f"Answers a second to {CLIENTS} clients, median of {ROUNDS} rounds:")
    for request, rate in zip(moto, found, strict=False):
        print(f"  moto's server  {request.name:26} {rate:7,.0f}")
    best = max(found[: len(moto)])
    ratios = [rate / best for rate in found[len(moto) :]]
    for request, rate, ratio in zip(bedrock, found[len(moto) :], ratios, strict=True):
        wanted = f"(at least {LEAST_RATIO})"
        print(f"  the sandbox    {request.name:26} {rate:7,.0f}  ratio {ratio:.2f} {wanted}")
    return min(ratios) >= LEAST_RATIO


def compare_latency(requests: list[Request], when: str) -> list[float]:
    """Print how long single calls take; their medians, ms."""
    medians = []
    for request in requests:
        times = measure_latency(request)
        medians.append(median(times))
        print(f"  {request.name:26} {when:16} {medians[-1]:6.2f} {quantiles(times, n=20)[-1]:6.2f}")
    return medians


def write_mix(url: str) -> list[Request]:
    """Write requests to S3, IAM and STS: more reads than changes, as the notebooks send them."""
    form = "application/x-www-form-urlencoded; charset=utf-8"
    role = "arn:aws:iam::123456789012:role/load"
    body = b"x" * 1000
    forms = {
        "GetRole": ("iam", {"RoleName": "AmazonBedrock-load"}),
        "ListRoles": ("iam", {}),
        "TagRole": (
            "iam",
            {
                "RoleName": "AmazonBedrock-load",
                "Tags.member.1.Key": "run",
                "Tags.member.1.Value": "first",
            },
        ),
        "GetCallerIdentity": ("sts", {}),
        "AssumeRole": ("sts", {"RoleArn": role, "RoleSessionName": "load"}),
    }
    versions = {"iam": "2010-05-08", "sts": "2011-06-15"}
    return [
        write_request("GetObject", url, "s3", "GET", f"/{BUCKET}/object"),
        write_request("HeadObject", url, "s3", "HEAD", f"/{BUCKET}/object"),
        write_request("PutObject", url, "s3", "PUT", f"/{BUCKET}/put", body, "text/plain"),
        write_request("ListObjectsV2", url, "s3", "GET", f"/{BUCKET}?list-type=2"),
        *(
            write_request(
                name,
                url,
                service,
                "POST",
                "/",
                urlencode({"Action": name, "Version": versions[service], **values}).encode(),
                form,
            )
            for name, (service, values) in forms.items()
        ),
    ]


def compare_mixes(sandbox_url: str, moto_url: str, bedrock: list[Request]) -> bool:
    """Print how long calls take in mixes; whether all of it is as wanted."""
    ours, theirs = write_mix(sandbox_url), write_mix(moto_url)
    s3 = [[*ours[n % 4 : 4], *ours[: n % 4]] for n in range(CLIENTS // 2)]
    others = [[bedrock[n % len(bedrock)]] for n in range(CLIENTS // 2)]

    def spread(mix: list[Request]) -> list[list[Request]]:
        return [[*mix[n % len(mix) :], *mix[: n % len(mix)]] for n in range(CLIENTS)]

    found: dict[str, list[list[float]]] = {}

    def note(name: str, times: list[list[float]]) -> None:
        joined = [one for client in times for one in client]
        found.setdefault(name, []).append([median(joined), quantiles(joined, n=100)[-1]])

    for _ in range(ROUNDS):
        note("S3, IAM, STS: moto's server", measure_times(spread(theirs)))
        note("S3, IAM, STS: the sandbox", measure_times(spread(ours)))
        note("S3 alone, 32 clients", measure_times(s3))
        mixed = measure_times([*s3, *others])
        note("S3 beside Bedrock", mixed[: len(s3)])
        note("Bedrock beside S3", mixed[len(s3) :])
    print(f"Milliseconds of a call, median of {ROUNDS} rounds:       median     p99")
    middle = {name: [median(column) for column in zip(*found[name], strict=True)] for name in found}
    for name, (half, most) in middle.items():
        print(f"  {name:42} {half:9.1f} {most:7.1f}")
    peer, own = middle["S3, IAM, STS: moto's server"], middle["S3, IAM, STS: the sandbox"]
    ratios = [own[0] / peer[0], own[1] / peer[1]]
    ratios.append(middle["S3 beside Bedrock"][0] / middle["S3 alone, 32 clients"][0])
    print(
        "Ratios: the mix's median {:.2f} and p99 {:.2f} to moto's, S3's median beside Bedrock "
        "{:.2f} to alone (each at most {})".format(*ratios, MOST_RATIO)
    )
    return max(ratios) <= MOST_RATIO


def main(*, mixes: bool) -> int:
    """Print all figures; 1 if one is not as wanted."""
    with tempfile.TemporaryDirectory() as state:
        sandbox = haikuft.sandbox.start(state, settings={"stage_seconds": 0})
        moto, moto_url = start_moto()
        try:
            clients, job, throughput = fill_sandbox(sandbox.url)
            body = {
                "anthropic_version": "bedrock-2023-05-31",
                "max_tokens": 20,
                "temperature": 0,
                "messages": [
                    {"role": "user", "content": "My matter concerns thing7. Which topic?"}
                ],
            }
            bedrock = [
                write_request(name, sandbox.url, "bedrock", method, path, data)
                for name, method, path, data in [
                    (
                        "GetModelCustomizationJob",
                        "GET",
                        f"/model-customization-jobs/{quote(job, safe='')}",
                        b"",
                    ),
                    ("ListCustomModels", "GET", "/custom-models?maxResults=10", b""),
                    (
                        "InvokeModel, tuned",
                        "POST",
                        f"/model/{quote(throughput, safe='')}/invoke",
                        json.dumps(body).encode(),
                    ),
                ]
            ]
            if mixes:
                return int(not compare_mixes(sandbox.url, moto_url, bedrock))
            form = "application/x-www-form-urlencoded; charset=utf-8"
            asked = b"Action=GetRole&Version=2010-05-08&RoleName=AmazonBedrock-load"
            comparable = [
                write_request("GetRole", moto_url, "iam", "POST", "/", asked, form),
                write_request("HeadObject", moto_url, "s3", "HEAD", f"/{BUCKET}/object"),
            ]
            good = compare_throughput(bedrock, comparable)
            print("Milliseconds of a single call:                   median    p95")
            single = [bedrock[0], bedrock[2]]
            idle = compare_latency(single, "idle")
            training = start_job(clients, "large", "training/large.jsonl", 10)
            wait_for(clients, training, "InProgress")
            busy = compare_latency(single, "while a job trains")
            still = clients("bedrock").get_model_customization_job(jobIdentifier=training)
            print(f"  (the job was still {still['status']})")
            clients("bedrock").stop_model_customization_job(jobIdentifier=training)
            return int(not good or max(idle[1], busy[1]) > MOST_MS)
        finally:
            moto.terminate()
            moto.wait()
            haikuft.sandbox.stop(state)


if __name__ == "__main__":
    mixes = {"action": "store_true", "help": "measure mixes of calls instead"}
    sys.exit(main(mixes=parse(__doc__, **{"--mixes": mixes}).mixes))
