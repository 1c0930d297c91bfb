"""How long `haikuft validate` takes against a bare json.loads.

Run it by itself: `python tests/benchmarks/validate_speed.py`.

Two files of 10,000 records, of 1 KB and of 8 KB. For each, whole processes are timed in turn:
the floor, a bare Python that calls json.loads on each line and nothing else, and `haikuft
validate` with every check on. Their medians are divided. Wanted: at most 2.5 and 1.8; aimed at:
2.0 and 1.5. Not collected by pytest, for a timing is no test; ends with 1 if a ratio is too high.
"""

import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

RECORDS = 10_000
ROUNDS = 15
WANTED = {1_000: 2.5, 8_000: 1.8}  # bytes of a record -> largest ratio

FLOOR = "import json, sys\nfor line in open(sys.argv[1], 'rb'): json.loads(line)"
CHECK = "import sys; from haikuft.cli import main; sys.exit(main(['validate', sys.argv[1]]))"


def write_records(path: Path, size: int) -> None:
    """Write sound records of so many bytes each, of words, line ends and quotes."""
    draw = random.Random(size)  # noqa: S311 - a benchmark, no secret
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(draw.choices(letters, k=draw.randint(2, 9))) for _ in range(2_000)]

    def talk(length: int) -> str:
        parts = [draw.choice(words) for _ in range(length // 6)]
        for place in range(20, len(parts), 40):
            parts[place] = draw.choice(['"yes"', "so:\n-", "(no)"])
        return " ".join(parts)

    with path.open("w", encoding="utf-8") as file:
        for number in range(RECORDS):
            turns = [
                {"role": "user", "content": f"{number} {talk(int(size * 0.55))}"},
                {"role": "assistant", "content": talk(int(size * 0.3))},
            ]
            record = {"system": "You are a helpful assistant. Be brief.", "messages": turns}
            file.write(json.dumps(record) + "\n")


def time_process(code: str, path: Path) -> float:
    """Run a whole process and give its seconds.

    Raises:
        CalledProcessError: it ended badly, so its time says nothing.
    """
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def compare(path: Path) -> tuple[float, float]:
    """Give the median seconds of the floor and of the check, timed in turn."""
    times = [(time_process(FLOOR, path), time_process(CHECK, path)) for _ in range(ROUNDS + 1)]
    floors, checks = zip(*times[1:], strict=True)  # the first round warms the caches
    return median(floors), median(checks)


def main() -> int:
    """Print a line for each size; 1 if one is over what is wanted."""
    folder = Path(tempfile.mkdtemp())
    failed = False
    try:
        for size, wanted in WANTED.items():
            path = folder / f"{size}.jsonl"
            write_records(path, size)
            floor, check = compare(path)
            ratio = check / floor
            failed |= ratio > wanted
            print(
                f"{RECORDS:,} records of {path.stat().st_size / RECORDS:,.0f} bytes: json.loads "
                f"{floor:.3f} s, haikuft validate {check:.3f} s, ratio {ratio:.2f} "
                f"(at most {wanted})"
            )
    finally:
        shutil.rmtree(folder)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
