#!/usr/bin/env bash
# moto 5.2.5 tells the checksum of an object uploaded in parts differently from call to call.
#
# An object that was uploaded in two parts with CRC32 has a composite checksum, which S3 writes with the
# number of parts behind a hyphen and with ChecksumType COMPOSITE (S3 User Guide, "Checking object
# integrity"; both members are in botocore's models of all three answers). In moto GetObject does so,
# HeadObject gives the bare value without a type, and CompleteMultipartUpload gives none. A program that
# keeps what one call told and compares it with another's takes a whole object for a damaged one.
#
# Seen on 2026-11-29 with moto 5.2.5 and boto3 1.44.8:
#   CompleteMultipartUpload {}
#   HeadObject {'ChecksumCRC32': '0n1OSA=='}
#   GetObject {'ChecksumCRC32': '0n1OSA==-2', 'ChecksumType': 'COMPOSITE'}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'moto[s3]==5.2.5' 'boto3==1.44.8' 'botocore==1.44.8'
cat > "$folder/look.py" <<'PYTHON'
import boto3
from moto import mock_aws

PART = b"a" * 5 * 1024 * 1024  # bytes; S3 takes no smaller part but the last
OBJECT = {"Bucket": "parts", "Key": "object"}


def show(name, answer):
    print(name, {key: value for key, value in answer.items() if "Checksum" in key})


with mock_aws():
    s3 = boto3.client("s3", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    s3.create_bucket(Bucket="parts")
    upload = s3.create_multipart_upload(**OBJECT, ChecksumAlgorithm="CRC32")["UploadId"]
    parts = []
    for number in (1, 2):
        part = {"PartNumber": number, "UploadId": upload}
        made = s3.upload_part(**OBJECT, **part, Body=PART, ChecksumAlgorithm="CRC32")
        parts.append({"PartNumber": number, **{k: made[k] for k in ("ETag", "ChecksumCRC32")}})
    done = {"UploadId": upload, "MultipartUpload": {"Parts": parts}}
    show("CompleteMultipartUpload", s3.complete_multipart_upload(**OBJECT, **done))
    show("HeadObject", s3.head_object(**OBJECT, ChecksumMode="ENABLED"))
    show("GetObject", s3.get_object(**OBJECT, ChecksumMode="ENABLED"))
PYTHON
seen=$(cd "$folder" && "$folder/venv/bin/python" look.py)
wanted="CompleteMultipartUpload {}
HeadObject {'ChecksumCRC32': '0n1OSA=='}
GetObject {'ChecksumCRC32': '0n1OSA==-2', 'ChecksumType': 'COMPOSITE'}"
echo "$seen"
if [ "$seen" != "$wanted" ]; then
    echo "The behaviour has changed." >&2
    exit 1
fi
