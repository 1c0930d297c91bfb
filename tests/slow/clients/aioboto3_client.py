"""Keep an object in S3 and read it again, with aioboto3."""

import asyncio

import aioboto3


async def main() -> None:
    """Make a bucket, put an object there and print its body."""
    session = aioboto3.Session(region_name="us-west-2")
    async with session.client("s3") as s3:
        place = {"LocationConstraint": "us-west-2"}
        await s3.create_bucket(Bucket="data", CreateBucketConfiguration=place)
        await s3.put_object(Bucket="data", Key="k", Body=b"text")
        found = await s3.get_object(Bucket="data", Key="k")
        print((await found["Body"].read()).decode())


asyncio.run(main())
