"""`haikuft validate`: what it prints, and its exit status."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from haikuft.cli import main


def make_lines(number: int, first: int = 0) -> list[bytes]:
    """Build so many different valid records, a line each."""
    return [
        json.dumps(
            {
                "messages": [
                    {"role": "user", "content": f"What is {n} plus one?"},
                    {"role": "assistant", "content": f"It is {n + 1}."},
                ]
            }
        ).encode()
        + b"\n"
        for n in range(first, first + number)
    ]


@pytest.fixture
def train(tmp_path: Path) -> Path:
    """Write a clean training file."""
    path = tmp_path / "train.jsonl"
    path.write_bytes(b"".join(make_lines(60)))
    return path


def ask(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, Any]]:
    """Call with --format json and give exit status and object."""
    status = main(["validate", *map(str, arguments), "--format", "json"])
    return status, json.loads(capsys.readouterr().out)


def test_validate_when_clean_then_status_0_and_the_whole_object(
    train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exactly the members that are promised."""
    status, found = ask(capsys, train)

    assert status == 0
    (file,) = found["files"]
    assert set(file.pop("tokens")) == {"low", "likely", "high"}
    assert file == {
        "file": str(train),
        "kind": "training",
        "records": 60,
        "bytes": train.stat().st_size,
    }
    assert {name: found[name] for name in ("schema_version", "ok", "problems", "counts")} == {
        "schema_version": 2,
        "ok": True,
        "problems": [],
        "counts": {},
    }
    assert set(found) == {"schema_version", "ok", "files", "problems", "counts"}


def test_validate_when_there_is_an_error_then_status_1_and_each_member_of_the_problem(
    train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """File, line, place, code, severity, message, fix: nothing more and nothing less."""
    lines = make_lines(60)
    lines[6] = lines[6].replace(b"user", b"human")
    train.write_bytes(b"".join(lines))

    status, found = ask(capsys, train)

    assert status == 1
    assert found["ok"] is False
    assert found["counts"] == {"wrong-role": 1}
    assert found["problems"] == [
        {
            "file": str(train),
            "line": 7,
            "place": "messages[0].role",
            "code": "wrong-role",
            "severity": "error",
            "message": '"human" is not a role',
            "fix": 'Write "user" or "assistant", in lower case.',
        }
    ]


def test_validate_when_only_warnings_then_status_0_unless_strict(
    train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """--strict turns warnings into errors."""
    train.write_bytes(b"".join(make_lines(40)))

    status, found = ask(capsys, train)
    assert (status, found["ok"], found["problems"][0]["severity"]) == (0, True, "warning")
    assert found["problems"][0]["line"] is None

    status, found = ask(capsys, train, "--strict")
    assert (status, found["ok"], found["problems"][0]["severity"]) == (1, False, "error")


@pytest.mark.parametrize("name", ["none.jsonl", ""], ids=["missing", "folder"])
def test_validate_when_it_cannot_be_read_then_status_2_and_the_same_object_with_that_problem(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script finds the reason where it finds all others."""
    status, found = ask(capsys, tmp_path / name)

    assert status == 2
    assert found["ok"] is False
    assert found["files"][0]["records"] == 0
    (problem,) = found["problems"]
    assert (problem["code"], problem["line"]) == ("cannot-read", None)
    assert problem["fix"]


def test_validate_when_three_files_are_given_then_each_is_checked_and_they_are_compared(
    train: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each under its own limits; the test file has none."""
    validation, test = tmp_path / "validation.jsonl", tmp_path / "test.jsonl"
    validation.write_bytes(b"".join(make_lines(1_001, first=100)))
    test.write_bytes(b"".join(make_lines(2, first=5)))

    status, found = ask(capsys, train, "--validation", validation, "--test", test)

    assert status == 1
    assert [file["kind"] for file in found["files"]] == ["training", "validation", "test"]
    assert [(p["file"], p["line"], p["code"]) for p in found["problems"]] == [
        (str(validation), None, "too-many-records"),
        (str(test), 1, "overlap"),
        (str(test), 2, "overlap"),
    ]


@pytest.mark.parametrize(("kind", "status"), [("training", 0), ("validation", 1), ("test", 0)])
def test_validate_when_kind_is_given_then_that_files_limits_hold(
    kind: str, status: int, train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """1,001 records are too many for a validation file alone."""
    train.write_bytes(b"".join(make_lines(1_001)))

    found_status, found = ask(capsys, train, "--kind", kind)

    assert found_status == status
    assert found["files"][0]["kind"] == kind


@pytest.mark.parametrize(
    ("base_model", "codes"),
    [
        ("amazon.nova-micro-v1:0:128k", []),
        ("amazon.nova-2-lite-v1:0:256k", ["too-few-records", "validation-not-taken"]),
        ("anthropic.claude-3-haiku-20240307-v1:0:200k", ["wrong-format", "wrong-format"]),
    ],
)
def test_validate_when_a_base_model_is_named_then_its_rules_hold(
    base_model: str, codes: list[str], train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its form, its limits, and whether it takes a validation file."""
    files = [train.with_name("train.nova.jsonl"), train.with_name("validation.nova.jsonl")]
    for number, path in enumerate(files):
        train.write_bytes(b"".join(make_lines(60, first=60 * number)))
        nova = ["--base-model", "amazon.nova-micro-v1:0:128k"]
        assert main(["convert", str(train), str(path), *nova]) == 0
    capsys.readouterr()

    status, found = ask(capsys, files[0], "--validation", files[1], "--base-model", base_model)

    assert [problem["code"] for problem in found["problems"]] == codes
    assert status == bool(codes)


def test_validate_when_as_text_then_each_problem_is_a_line_and_a_total_ends_it(
    train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """For people."""
    train.write_bytes(b"".join([*make_lines(60), b"{'messages': []}\n"]))

    assert main(["validate", str(train)]) == 1

    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == (
        f"error: {train}, line 61: column 2: not valid JSON, single quotes. "
        "Write all keys and texts in double quotes. [not-json]"
    )
    assert lines[-1] == "1 error, 0 warnings."


@pytest.mark.parametrize(
    "more",
    [
        ["--base-model", "no.such-model"],
        ["--kind", "validation", "--test", "test.jsonl"],
    ],
)
def test_validate_when_misused_then_status_2_and_one_sentence(
    more: list[str], train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is checked under rules that were not meant."""
    assert main(["validate", str(train), *more]) == 2
    assert capsys.readouterr().err.startswith("haikuft: ")


def test_validate_when_random_bytes_are_piped_in_then_one_clear_error() -> None:
    """As in `head -c 1000000 /dev/urandom | haikuft validate /dev/stdin`."""
    code = "import sys; from haikuft.cli import main; sys.exit(main(sys.argv[1:]))"

    done = subprocess.run(
        [sys.executable, "-c", code, "validate", "/dev/stdin"],
        input=bytes(n * n % 251 for n in range(100_000)),
        capture_output=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr == b""
    assert b"binary data, not text" in done.stdout
    assert done.stdout.splitlines()[-1] == b"1 error, 0 warnings."


def test_validate_when_the_reader_of_its_words_leaves_then_no_traceback(tmp_path: Path) -> None:
    """As in `haikuft validate train.jsonl | head -n 1`."""
    path = tmp_path / "train.jsonl"
    path.write_bytes(b"{\n" * 60)
    code = "import sys; from haikuft.cli import main; sys.exit(main(sys.argv[1:]))"
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, "validate", str(path)],
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")
