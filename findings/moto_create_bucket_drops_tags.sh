#!/usr/bin/env bash
# moto 5.2.5 accepts the tags of S3's CreateBucket and drops them.
#
# CreateBucketConfiguration has the member Tags (botocore 1.44.8's service model of S3). moto answers
# the call with 200, and GetBucketTagging then says NoSuchTagSet. A program that marks its buckets as it
# creates them passes on AWS and finds unmarked buckets in moto, so whatever goes by tags afterwards (a
# clean-up, say) takes them for somebody else's. PutBucketTagging after the creation works in both.
#
# Seen on 2026-11-28 with moto 5.2.5 and boto3 1.44.8:
#   CreateBucket 200
#   GetBucketTagging NoSuchTagSet
#   after PutBucketTagging {'owner': 'a'}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'moto[s3]==5.2.5' 'boto3==1.44.8' 'botocore==1.44.8'
cat > "$folder/look.py" <<'PYTHON'
import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

TAGS = [{"Key": "owner", "Value": "a"}]
with mock_aws():
    s3 = boto3.client("s3", "us-west-2", aws_access_key_id="a", aws_secret_access_key="b")
    configuration = {"LocationConstraint": "us-west-2", "Tags": TAGS}
    answer = s3.create_bucket(Bucket="marked-bucket", CreateBucketConfiguration=configuration)
    print("CreateBucket", answer["ResponseMetadata"]["HTTPStatusCode"])
    try:
        print("GetBucketTagging", s3.get_bucket_tagging(Bucket="marked-bucket")["TagSet"])
    except ClientError as error:
        print("GetBucketTagging", error.response["Error"]["Code"])
    s3.put_bucket_tagging(Bucket="marked-bucket", Tagging={"TagSet": TAGS})
    found = s3.get_bucket_tagging(Bucket="marked-bucket")["TagSet"]
    print("after PutBucketTagging", {tag["Key"]: tag["Value"] for tag in found})
PYTHON
seen=$(cd "$folder" && "$folder/venv/bin/python" look.py)
wanted="CreateBucket 200
GetBucketTagging NoSuchTagSet
after PutBucketTagging {'owner': 'a'}"
echo "$seen"
if [ "$seen" != "$wanted" ]; then
    echo "The behaviour has changed." >&2
    exit 1
fi
