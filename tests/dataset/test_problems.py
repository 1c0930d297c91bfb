"""The report: it reads well as text, in a notebook and as JSON, and hides nothing."""

import json

import pytest

from haikuft.dataset import validate_file
from haikuft.dataset.problems import Problem, count, load_rules, quote
from haikuft.dataset.report import FileSummary, Report
from haikuft.dataset.tokens import TokenRange
from haikuft.errors import DataError


def make_problem(line, code):
    """Build a problem of that code in that line."""
    rule = load_rules()[code]
    return Problem("a.jsonl", line, "", code, rule.severity, "it is <bad>", "Fix it.", rule.basis)


@pytest.fixture
def report():
    """20 of 100 like warnings were kept, then an error."""
    problems = [make_problem(line, "outer-white-space") for line in range(1, 21)]
    return Report(
        files=(FileSummary("a.jsonl", "training", 1000, 5000, TokenRange(1, 2, 3)),),
        problems=(*problems, make_problem(26, "empty-text")),
        counts={"outer-white-space": 100, "empty-text": 1},
    )


def test_report_when_shown_as_text_then_every_kept_problem_in_order_and_the_rest_counted(report):
    """The text holds what the JSON holds."""
    lines = str(report).splitlines()
    assert lines[0] == "a.jsonl (training): 1,000 records, 5,000 bytes, about 2 tokens (1 to 3)"
    assert lines[1].startswith("warning: a.jsonl, line 1: ")
    assert lines[21] == "error: a.jsonl, line 26: it is <bad>. Fix it. [empty-text]"
    assert lines[-2] == "And 80 more: outer-white-space 80."
    assert lines[-1] == "1 error, 100 warnings."
    assert len(lines) == 1 + 21 + 2


def test_report_when_shown_in_a_notebook_then_the_same_rows_escaped(report):
    """The table holds what the text holds, and no file can put tags on the page."""
    html = report._repr_html_()
    assert html.count("<tr>") == 22
    assert "it is &lt;bad&gt;" in html
    assert "<bad>" not in html
    assert "And 80 more: outer-white-space 80." in html


def test_report_when_strict_then_every_warning_is_an_error(report):
    """Counts, words and JSON alike; whose rule it is stays as it was."""
    strict = report.as_strict()
    assert (strict.errors, strict.warnings, strict.ok) == (101, 0, False)
    assert {problem["severity"] for problem in strict.to_dict()["problems"]} == {"error"}
    assert strict.problems[0].basis == "advice"
    assert str(strict).endswith("101 errors, 0 warnings.")


def test_report_when_nothing_was_found_then_it_says_so(write, make_lines):
    """A clean file gets its summary and a kind word."""
    report = validate_file(write(make_lines(60)))
    assert str(report).endswith("No problems found.")
    assert "<table>" not in report._repr_html_()


def test_report_when_made_a_dict_then_json_with_the_same_content(report):
    """A program reads what a person reads."""
    content = json.loads(json.dumps(report.to_dict()))
    assert (content["schema_version"], content["ok"]) == (2, False)
    assert content["files"] == [
        {
            "file": "a.jsonl",
            "kind": "training",
            "records": 1000,
            "bytes": 5000,
            "tokens": {"low": 1, "likely": 2, "high": 3},
        }
    ]
    assert content["problems"][0] == {
        "file": "a.jsonl",
        "line": 1,
        "place": "",
        "code": "outer-white-space",
        "severity": "warning",
        "message": "it is <bad>",
        "fix": "Fix it.",
    }
    assert content["counts"] == {"outer-white-space": 100, "empty-text": 1}


def test_report_when_asked_to_raise_then_only_errors_do(report, write, make_lines):
    """Warnings let one go on; an error stops with the whole report as message."""
    validate_file(write(make_lines(40))).raise_if_errors()
    with pytest.raises(DataError, match="1 error, 100 warnings"):
        report.raise_if_errors()


def test_text_from_a_file_when_quoted_then_it_is_harmless_and_short():
    """No control character, half surrogate or endless text reaches the terminal."""
    assert quote("a\x1b[31m\ud800\u202e") == '"a\\x1b[31m\\ud800\\u202e"'
    assert quote("a" * 100) == '"' + "a" * 39 + '…"'


def test_number_when_written_with_its_noun_then_grammatical():
    """One record, two records, thousands with commas."""
    assert [count(n, "record") for n in (0, 1, 2000)] == [
        "0 records",
        "1 record",
        "2,000 records",
    ]


def test_rules_when_read_then_each_has_a_known_basis_and_a_fix_with_its_message():
    """The sandbox relies on `refused`: a warning must never carry it."""
    for code, (basis, message, fix) in load_rules().items():
        assert basis in ("refused", "stricter", "advice"), code
        assert bool(message) == bool(fix), code
    assert load_rules()["nul"].severity == "error"
    assert load_rules()["overlap"].severity == "warning"
