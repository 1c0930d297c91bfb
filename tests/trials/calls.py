"""The calls that the trials strike and count, as regular expressions for the proxy."""

CREATE_JOB = r"^POST /model-customization-jobs$"
CREATE_THROUGHPUT = r"^POST /provisioned-model-throughput$"
CREATE_DEPLOYMENT = r"^POST /model-customization/custom-model-deployments$"
GET_JOB = r"^GET /model-customization-jobs/"
STOP_JOB = r"^POST /model-customization-jobs/.*/stop$"
GET_THROUGHPUT = r"^GET /provisioned-model-throughput/"
DELETE_THROUGHPUT = r"^DELETE /provisioned-model-throughput/"
READ_TAGS = r"^POST /listTagsForResource$"
WHO_AM_I = r"#GetCallerIdentity$"
FIND_BUCKET = r"^GET /haikuft-[^?]*\?location"
ANY = r"^"

# Kind -> the call that buys one, and under which name its answer has the ARN.
PAID_CALLS = {
    "job": (CREATE_JOB, "jobArn"),
    "throughput": (CREATE_THROUGHPUT, "provisionedModelArn"),
    "deployment": (CREATE_DEPLOYMENT, "customModelDeploymentArn"),
}
# Kind -> what can be denied -> the call.
DENIED = {
    "throughput": {
        "list": r"^GET /provisioned-model-throughputs",
        "get": GET_THROUGHPUT,
        "delete": DELETE_THROUGHPUT,
    },
    "job": {
        "list": r"^GET /model-customization-jobs(\?|$)",
        "get": GET_JOB,
        "stop": STOP_JOB,
    },
    "model": {
        "list": r"^GET /custom-models(\?|$)",
        "get": r"^GET /custom-models/",
        "delete": r"^DELETE /custom-models/",
    },
    "bucket": {
        "list": r"^GET /haikuft-[^?]*\?(list-type|versions)",
        "get": FIND_BUCKET,
        "delete": r"^DELETE /haikuft-|^POST /haikuft-[^?]*\?delete",
    },
}
