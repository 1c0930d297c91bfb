"""How far the training of a job has come, as its child writes it down while it works.

AWS tells nothing of the kind, so it is told at the sandbox's own address, not as Bedrock:
`GET /_sandbox/jobs/<last part of the job's ARN>/progress`.
"""

import json
import re
from pathlib import Path
from typing import Any

from haikuft.sandbox.job_run import WORK_PREFIX

PROGRESS_PATH = re.compile(r"/_sandbox/jobs/(?P<id>[a-z0-9]+)/progress")


def read_progress(directory: Path, job_id: str) -> dict[str, Any]:
    """Read what the job's child wrote last; empty before it trains and after the job's end.

    Args:
        directory: Where the working directories of jobs are.
        job_id: The last part of the job's ARN.
    """
    for path in directory.glob(f"{WORK_PREFIX}{job_id}-*/progress.json"):
        try:
            return dict(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:  # the job ended between the look and the reading
            continue
    return {}
