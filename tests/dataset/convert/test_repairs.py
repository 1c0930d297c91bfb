"""Conversion of whole files, and repair: a new file, a list of what was done, or a refusal."""

import json
import shlex
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikuft.base_models import BASE_MODELS, CLAUDE_3_HAIKU, NOVA_MICRO
from haikuft.cli import main
from haikuft.dataset import convert_file, read_raw, read_records, validate_file, write_records
from haikuft.dataset.convert.converter import convert_example
from haikuft.dataset.formats import to_training, write_record
from haikuft.errors import DataError, SettingsError

FIXTURES = Path(__file__).parents[1] / "fixtures"


def to_lines(*values):
    """Give the bytes of JSON lines."""
    return "".join(json.dumps(value) + "\n" for value in values).encode()


def pair(prompt="a", completion="b", **more):
    """Give an example of two texts."""
    return {"prompt": prompt, "completion": completion, **more}


repair = partial(convert_file, repair=True)


def test_repair_when_the_file_has_every_harmless_fault_then_each_repair_is_listed(tmp_path):
    """The list is the whole difference, but for keys that say nothing, such as a null system."""
    done = repair(FIXTURES / "to_repair.jsonl", tmp_path / "new.jsonl")

    assert [(one.line, one.place, one.code) for one in done.repairs] == [
        (None, "", "windows-line-ends"),
        (1, "", "byte-order-mark"),
        (1, "id", "harmless-key"),
        (1, "messages[1].content", "outer-white-space"),
        (2, "", "blank-line"),
        (4, "", "duplicate-record"),
        (5, "", "blank-line"),
    ]
    assert done.records == 2
    report = validate_file(tmp_path / "new.jsonl", kind="test")
    assert not report.problems


def test_repair_when_done_then_the_source_is_as_it_was(tmp_path):
    """A repair writes a new file."""
    before = (FIXTURES / "to_repair.jsonl").read_bytes()
    repair(FIXTURES / "to_repair.jsonl", tmp_path / "new.jsonl")
    assert (FIXTURES / "to_repair.jsonl").read_bytes() == before


def test_repair_when_repeated_on_its_own_result_then_there_is_nothing_to_repair(tmp_path):
    """One repair is enough, and then every byte stays."""
    repair(FIXTURES / "to_repair.jsonl", tmp_path / "new.jsonl")
    again = repair(tmp_path / "new.jsonl", tmp_path / "newer.jsonl")
    assert again.repairs == ()
    assert (tmp_path / "newer.jsonl").read_bytes() == (tmp_path / "new.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("example", "words"),
    [
        (pair(completion=" \n"), "completion: the text is nothing but white space"),
        (pair(mood="glad"), 'mood: the key "mood" has no place'),
        (pair(id={"a": 1}), 'id: the key "id" has no place'),
        (pair(weight=0), "weight: a weight"),
        (pair("a\nHuman: b"), "reserved"),
        ({"messages": [{"role": "user", "content": "a"}]}, "needs two turns"),
    ],
)
def test_repair_when_a_fault_has_no_safe_repair_then_refused_and_nothing_is_written(
    example, words, write, tmp_path
):
    """What only a person can judge stays a person's."""
    source = write(to_lines(pair(" x ", "y", id=1), example))
    with pytest.raises(DataError, match=rf"line 2.*{words}"):
        repair(source, tmp_path / "new.jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["train.jsonl"]


def test_repair_when_hundreds_of_repairs_are_alike_then_twenty_are_shown_and_the_rest_counted(
    write, tmp_path
):
    """The list stays readable and says how long it would be."""
    done = repair(
        write(to_lines(*[pair(f"{n} ", id=n) for n in range(100)])), tmp_path / "new.jsonl"
    )
    assert len(done.repairs) == 40
    assert done.repair_counts == {"harmless-key": 100, "outer-white-space": 100}
    assert "and 160 more: harmless-key 80, outer-white-space 80" in str(done)


def test_convert_when_not_repairing_then_texts_and_duplicates_stay_as_they_are(write, tmp_path):
    """Conversion changes the shape and nothing else."""
    done = convert_file(write(to_lines(pair(" a "), pair(" a "))), tmp_path / "new.jsonl")
    assert done.repairs == ()
    assert [r["messages"][0]["content"] for r in read_records(tmp_path / "new.jsonl")] == [
        " a "
    ] * 2


def test_convert_when_a_line_cannot_be_used_then_the_old_target_is_untouched(write, tmp_path):
    """Written whole or not at all."""
    target = tmp_path / "new.jsonl"
    target.write_text("precious\n")
    with pytest.raises(DataError, match="line 2, completion"):
        convert_file(write(to_lines(pair(), pair(completion=7))), target)
    assert target.read_text() == "precious\n"
    assert {path.name for path in tmp_path.iterdir()} == {"train.jsonl", "new.jsonl"}


def test_convert_when_target_is_the_source_then_refused(write):
    """Nobody's only copy is written over, whatever it is called."""
    source = write(to_lines(pair()))
    with pytest.raises(SettingsError, match="source and target are the same file"):
        convert_file(source, source.parent / "." / source.name)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"to_format": "csv"}, "to: .*messages, converse, prompt-completion"),
        ({"to_format": "xml"}, 'to: "xml" cannot be written'),
        ({"from_format": "xml"}, 'from: "xml" is no format we read'),
    ],
)
def test_convert_when_a_format_is_not_known_then_error_lists_those_that_are(
    options, words, write, tmp_path
):
    """A slip in a name is not guessed at."""
    with pytest.raises(SettingsError, match=words):
        convert_file(write(to_lines(pair())), tmp_path / "new.jsonl", **options)


def test_convert_when_to_conversation_format_then_it_reads_back_as_the_same_records(tmp_path):
    """bedrock-conversation-2024 holds all that a record holds."""
    source, target = FIXTURES / "messages.jsonl", tmp_path / "new.jsonl"
    convert_file(source, target, to_format="bedrock-conversation-2024")
    assert target.read_text("utf-8") == (FIXTURES / "converse.jsonl").read_text("utf-8")
    assert read_raw(target) == read_records(source)


def test_convert_when_a_conversation_goes_to_prompt_and_completion_then_its_line_is_refused(
    tmp_path,
):
    """Four turns are no pair."""
    with pytest.raises(DataError, match=r"line 4, messages\[2\]: .* two turns, and this has 4"):
        convert_file(
            FIXTURES / "messages.jsonl", tmp_path / "new.jsonl", to_format="prompt_completion"
        )


def test_convert_when_system_prompts_go_to_prompt_and_completion_then_a_note_says_where(tmp_path):
    """Nothing is lost, and nobody takes the key for Bedrock's own."""
    done = convert_file(
        FIXTURES / "prompt_completion.jsonl", tmp_path / "new.jsonl", to_format="prompt-completion"
    )
    assert (tmp_path / "new.jsonl").read_bytes() == (
        FIXTURES / "prompt_completion.jsonl"
    ).read_bytes()
    assert 'System prompts are written to "system"' in str(done)


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@st.composite
def records(draw, *, most_answers=3):
    """Draw a record of one or more questions, with or without a system prompt."""
    system = draw(st.none() | TEXTS)
    turns = [
        {"role": role, "content": draw(TEXTS)}
        for _ in range(draw(st.integers(1, most_answers)))
        for role in ("user", "assistant")
    ]
    return {**({"system": system} if system else {}), "messages": turns}


@given(record=records())
def test_round_trip_when_through_the_conversation_format_then_identity(record):
    """Every record comes back, and so does every file of that format."""
    there = write_record(record, "converse")
    assert convert_example(there).record == record
    assert write_record(convert_example(there).record, "converse") == there


@given(record=records(most_answers=1))
def test_round_trip_when_through_prompt_and_completion_then_identity(record):
    """A record of two turns comes back as it was."""
    assert convert_example(write_record(record, "prompt_completion")).record == record


@given(record=records())
def test_round_trip_when_through_openai_and_sharegpt_then_identity(record):
    """Both hold all that a record holds; so converting them loses nothing."""
    system = [("system", record["system"])] if "system" in record else []
    turns = [*system, *((turn["role"], turn["content"]) for turn in record["messages"])]
    openai = {"messages": [{"role": role, "content": text} for role, text in turns]}
    names = {"user": "human", "assistant": "gpt", "system": "system"}
    sharegpt = {"conversations": [{"from": names[role], "value": text} for role, text in turns]}
    assert convert_example(openai, format_name="openai_chat").record == record
    assert convert_example(sharegpt).record == record


@given(drawn=st.lists(records(), min_size=1, max_size=5))
def test_repair_when_it_gives_a_file_then_validation_has_nothing_left_that_it_repairs(
    drawn, tmp_path_factory
):
    """Either refused, or valid and without a fault that a repair knows of."""
    folder = tmp_path_factory.getbasetemp()
    source = write_records(folder / "drawn.jsonl", drawn)
    try:
        done = repair(source, folder / "fixed.jsonl")
    except DataError:
        assert not validate_file(source, kind="test").ok
        return
    report = validate_file(folder / "fixed.jsonl", kind="test")
    assert report.ok
    assert not set(report.counts) & {"outer-white-space", "duplicate-record", "byte-order-mark"}
    assert done.records + done.repair_counts.get("duplicate-record", 0) == len(drawn)


@given(content=st.binary() | st.text().map(str.encode))
def test_convert_when_given_any_bytes_as_any_table_then_records_or_our_own_error(
    content, tmp_path_factory
):
    """No traceback from any table."""
    path = tmp_path_factory.getbasetemp() / "raw.csv"
    path.write_bytes(content)
    for name in ("csv", "tsv"):
        try:
            assert read_raw(path, format_name=name, prompt_column="a", completion_column="b")
        except DataError:
            continue


def test_command_when_all_is_well_then_says_what_it_wrote_and_status_is_zero(tmp_path, capsys):
    """`haikuft convert` is the function with a voice."""
    target = tmp_path / "train.jsonl"
    asked = [
        "--prompt-column",
        "question",
        "--completion-column",
        "answer",
        "--system",
        "Be brief.",
    ]
    assert main(["convert", str(FIXTURES / "named.csv"), str(target), *asked, "--repair"]) == 0
    out = capsys.readouterr().out
    assert "train.jsonl: 3 records, Messages" in out
    assert 'Columns not converted: "ticket".' in out
    assert {record["system"] for record in read_records(target)} == {"Be brief."}


def test_command_when_the_source_is_refused_then_status_one_and_all_reasons(
    write, tmp_path, capsys
):
    """Reasons go where errors go."""
    source = write(to_lines(pair(mood=1), pair(completion=None)))
    assert main(["convert", str(source), str(tmp_path / "new.jsonl")]) == 1
    err = capsys.readouterr().err
    assert "line 1, mood" in err
    assert "line 2, completion" in err


@pytest.mark.parametrize("options", [["--to", "csv"], ["--from", "word"]])
def test_command_when_misused_then_status_two(options, write, tmp_path, capsys):
    """A format we do not have is a mistake in the command."""
    source = write(to_lines(pair()))
    assert main(["convert", str(source), str(tmp_path / "new.jsonl"), *options]) == 2
    assert "Take one of" in capsys.readouterr().err


@pytest.mark.parametrize("base_model", BASE_MODELS.values(), ids=lambda model: model.name)
@pytest.mark.parametrize(
    "file",
    [
        *("messages.jsonl", "openai_chat.jsonl", "converse.jsonl", "sharegpt.json", "alpaca.json"),
        *("prompt_completion.jsonl", "pairs.csv", "pairs.tsv"),
    ],
)
def test_command_when_given_a_real_file_then_what_it_writes_is_valid(base_model, file, tmp_path):
    """From any format to a file that a job of that model would take, in one command."""
    target = tmp_path / "new.jsonl"
    command = ["convert", str(FIXTURES / file), str(target), "--base-model", base_model.id]
    assert main(command) == 0
    assert validate_file(target, base_model, kind="test").ok
    assert main(["validate", str(target), "--kind", "test", "--base-model", base_model.id]) == 0


@pytest.mark.parametrize(
    ("file", "base_model"),
    [
        ("openai_chat.jsonl", CLAUDE_3_HAIKU),
        ("converse.jsonl", CLAUDE_3_HAIKU),
        ("prompt_completion.jsonl", CLAUDE_3_HAIKU),
        ("pairs.csv", CLAUDE_3_HAIKU),
        ("messages.jsonl", NOVA_MICRO),
        ("openai_chat.jsonl", NOVA_MICRO),
        ("pairs.csv", NOVA_MICRO),
    ],
)
def test_command_when_taken_from_a_message_of_validate_then_it_works_as_it_stands(
    file, base_model, tmp_path
):
    """A person who copies it from the message has training records."""
    source = tmp_path / f"my {file}"
    source.write_bytes((FIXTURES / file).read_bytes())
    fix = validate_file(source, base_model, kind="test").problems[0].fix
    program, *arguments = shlex.split(fix.split("`")[1])
    assert program == "haikuft"
    assert main(arguments) == 0
    assert validate_file(arguments[2], base_model, kind="test").ok


def test_repair_when_the_model_is_novas_then_its_own_form_is_repaired_and_written(tmp_path):
    """Every fix that a Messages file can have, and places as the source has them."""
    broken = to_training(convert_example(pair(" a", "b")).record, NOVA_MICRO) | {
        "id": 7,
        "system": None,
    }
    source = write_records(tmp_path / "old.jsonl", [broken, broken])
    done = repair(source, tmp_path / "new.jsonl", base_model=NOVA_MICRO)
    assert [(one.line, one.place, one.code) for one in done.repairs[:4]] == [
        (1, "id", "harmless-key"),
        (1, "messages[0].content[0].text", "outer-white-space"),
        (2, "id", "harmless-key"),
        (2, "messages[0].content[0].text", "outer-white-space"),
    ]
    assert (done.to_format, done.records) == ("converse", 1)
    assert not validate_file(done.target, NOVA_MICRO, kind="test").problems


def test_convert_when_a_prompt_holds_a_word_that_the_model_reserves_then_refused(write, tmp_path):
    """Whose words are reserved is the base model's to say."""
    source = write(to_lines(pair("User: a", "b")))
    assert convert_file(source, tmp_path / "claude.jsonl").records == 1
    with pytest.raises(DataError, match='line 1, prompt: the text holds "User:", which is res'):
        convert_file(source, tmp_path / "nova.jsonl", base_model=NOVA_MICRO)
