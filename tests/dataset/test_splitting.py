"""Splitting: nothing lost, nothing doubled, no prompt in two parts, the same on every machine."""

import re
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from haikuft.base_models import BASE_MODELS, DEFAULT, NOVA_2_LITE, NOVA_MICRO
from haikuft.dataset import (
    check_split,
    find_dataset,
    read_raw,
    read_records,
    record_id,
    split_records,
    validate_files,
    write_split,
)
from haikuft.dataset.splitting import Split, group_key
from haikuft.errors import DataError, SettingsError


def make(prompt, answer="Yes."):
    """Build a record from two texts."""
    return {
        "messages": [
            {"role": "user", "content": prompt},
            {"role": "assistant", "content": answer},
        ]
    }


UNLIKE = [make(f"prompt {n}") for n in range(19_000)]


def make_labelled(each, labels="abc"):
    """Build as many records of each label."""
    return [make(f"{label} {n}", label) for n in range(each) for label in labels]


def prompts(records):
    """Give the user's text of each record."""
    return [record["messages"][0]["content"] for record in records]


PROMPTS = st.sampled_from(["a", "A", "a ", " a", "b", "B  c", "b C", "ａ"]) | st.text(max_size=5)
RECORDS = st.lists(st.builds(make, PROMPTS, st.sampled_from(["x", "y", "z"])), max_size=40)
SHARES = st.tuples(st.floats(0, 0.5, exclude_max=True), st.floats(0, 0.5, exclude_max=True))


@given(records=RECORDS, shares=SHARES, seed=st.integers())
def test_split_when_made_then_loses_and_doubles_nothing_and_divides_no_group(records, shares, seed):
    """Whatever the records, shares and seed."""
    split = split_records(records, validation_share=shares[0], test_share=shares[1], seed=seed)
    together = [record for part in split for record in part]
    assert Counter(map(record_id, together)) == Counter(map(record_id, records))
    groups = [{group_key(record) for record in part} for part in split]
    assert len(set.union(*groups)) == sum(map(len, groups))
    assert split.training or not records


@given(number=st.integers(0, 300), shares=SHARES, seed=st.integers())
def test_split_when_all_prompts_differ_then_sizes_are_right_to_one_record(number, shares, seed):
    """Shares are kept as nearly as whole records allow, as long as training keeps one."""
    records = [make(f"prompt {n}") for n in range(number)]
    split = split_records(records, validation_share=shares[0], test_share=shares[1], seed=seed)
    if number > 2:
        assert abs(len(split.validation) - number * shares[0]) <= 1
        assert abs(len(split.test) - number * shares[1]) <= 1


@given(seed=st.integers(), each=st.integers(10, 30))
def test_split_when_answers_are_labels_then_each_part_has_each_in_its_proportion(seed, each):
    """Stratified: no label differs from its fair share by more than one record."""
    split = split_records(make_labelled(each), validation_share=0.1, test_share=0.2, seed=seed)
    for part, share in ((split.test, 0.2), (split.training, 0.7)):
        for number in Counter(record["messages"][1]["content"] for record in part).values():
            assert abs(number - each * share) <= 1.5


def test_split_when_prompts_differ_only_in_case_space_or_width_then_they_stay_together():
    """Near-identical prompts would give the test away as surely as identical ones."""
    like = [
        "Where is my parcel?",
        "where is  my PARCEL?",
        "Where is my parcel? ",
        "Ｗhere is my parcel?",
    ]
    records = [make(prompt) for prompt in [*like, *map(str, range(30))]]
    for seed in range(20):
        split = split_records(records, validation_share=0.2, test_share=0.3, seed=seed)
        sizes = [len(set(prompts(part)) & set(like)) for part in split]
        assert sorted(sizes) == [0, 0, 4]


def test_group_when_system_prompts_differ_then_another_group():
    """The system prompt is part of the prompt."""
    assert group_key(make("a")) != group_key({"system": "s", **make("a")})
    assert group_key(make("a", "x")) == group_key(make("a", "y"))


def test_split_when_the_file_is_ordered_otherwise_then_every_prompt_lands_in_the_same_part():
    """The order of lines decides nothing."""
    records = make_labelled(20)
    one = split_records(records, validation_share=0.1, test_share=0.2, seed=1)
    other = split_records(records[::-1], validation_share=0.1, test_share=0.2, seed=1)
    assert one == other


def test_split_when_repeated_anywhere_then_the_same():
    """No random generator is used; this split was written down."""
    records = [make(f"prompt {n}") for n in range(12)]
    split = split_records(records, validation_share=0.25, test_share=0.25, seed=7)
    assert [[int(p.split()[1]) for p in prompts(part)] for part in split] == [
        [8, 6, 9, 4, 2, 3],
        [10, 5, 0],
        [11, 7, 1],
    ]


def test_split_when_the_seed_changes_then_the_parts_do():
    """Another seed is another split."""
    records = make_labelled(20)
    one, other = (
        split_records(records, validation_share=0.1, test_share=0.2, seed=seed) for seed in (1, 2)
    )
    assert set(prompts(one.test)) != set(prompts(other.test))


def test_split_when_the_file_is_sorted_by_label_then_training_is_not():
    """Parts are shuffled: a batch of one label only teaches badly."""
    records = sorted(make_labelled(30), key=lambda record: record["messages"][1]["content"])
    labels = [
        record["messages"][1]["content"]
        for record in split_records(records, validation_share=0, test_share=0, seed=1).training
    ]
    assert set(labels[:30]) == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("validation_share", "test_share", "words"),
    [
        (-0.1, 0.2, "validation_share = -0.1"),
        (0.1, 1, "test_share = 1: take a number from 0 to below 1"),
        (float("nan"), 0.2, "validation_share = nan"),
        ("0.1", 0.2, "validation_share = '0.1'"),
        (True, 0.2, "validation_share = True"),
        (0.5, 0.5, "leave nothing for training"),
    ],
)
def test_split_when_shares_cannot_be_then_error_says_which(validation_share, test_share, words):
    """Bad shares are refused before anything is divided."""
    with pytest.raises(SettingsError, match=words):
        split_records([], validation_share=validation_share, test_share=test_share, seed=1)


def test_split_when_the_seed_is_no_whole_number_then_error():
    """A seed of None would mean another split each time."""
    with pytest.raises(SettingsError, match="seed = None"):
        split_records([], validation_share=0.1, test_share=0.1, seed=None)


def test_split_when_shown_then_sizes_and_not_the_records():
    """A notebook shows three numbers."""
    split = Split([make("a")] * 3, [make("b")], [])
    assert repr(split) == "Split(training: 3 records, validation: 1 record, test: 0 records)"


def test_split_when_the_model_takes_no_validation_file_then_its_share_stays_in_training():
    """Nothing is lost, the test part is that of any other model, and the split says why."""
    records = make_labelled(20)
    shares = {"validation_share": 0.1, "test_share": 0.2, "seed": 1}
    usual = split_records(records, **shares, base_model=NOVA_MICRO)
    split = split_records(records, **shares, base_model=NOVA_2_LITE)
    assert split.test == usual.test
    assert split.validation == []
    assert Counter(prompts(split.training)) == Counter(prompts(usual.training + usual.validation))
    assert repr(split) == (
        "Split(training: 48 records, validation: 0 records, test: 12 records). Amazon Nova 2 Lite "
        "takes no validation file: its share of the records stays in training."
    )
    assert usual.note == ""
    assert split_records(records, **shares | {"validation_share": 0}).note == ""


@pytest.mark.parametrize(
    ("number", "wanted"),
    [
        (120, [64, 32, 24]),
        (80, [32, 32, 16]),
        (250, [162, 38, 50]),
        (10_003, [7_002, 1_000, 2_001]),
        (12_000, [8_600, 1_000, 2_400]),
    ],
)
def test_split_when_the_share_is_to_fit_then_it_keeps_the_limits_and_says_so(number, wanted):
    """15 % of 120 records are too few for Claude 3 Haiku, and of 10,003 too many."""
    split = split_records(UNLIKE[:number], validation_share=-1, test_share=0.2, seed=1)
    check_split(split)
    assert [len(part) for part in split] == wanted
    usual = number == 250
    assert split.note == ("" if usual else split.note)
    assert usual or f"has {wanted[1]:,} records and not 15% of all: Claude 3 Haiku" in split.note


@settings(max_examples=30)
@given(copies=st.lists(st.integers(1, 9), min_size=20, max_size=60), seed=st.integers())
def test_split_when_prompts_have_copies_then_a_fitting_share_has_enough_all_the_same(copies, seed):
    """Copies stay together, so the room for 32 records may hold fewer."""
    records = [make(f"prompt {n}", f"{k}") for n, most in enumerate(copies) for k in range(most)]
    split = split_records(records, validation_share=-1, test_share=0.1, seed=seed)
    if len(records) > 100:
        check_split(split)


def test_split_when_no_share_fits_then_the_refusal_says_which_shares_would():
    """63 records are too few for two files of 32; 70 are enough, with less for the test."""
    with pytest.raises(DataError, match="set validation_share to 0, the largest"):
        check_split(split_records(UNLIKE[:63], validation_share=-1, test_share=0.2, seed=1))
    with pytest.raises(DataError, match=r"-p test_share 0\.079"):
        check_split(split_records(UNLIKE[:70], validation_share=-1, test_share=0.2, seed=1))


def test_split_when_records_are_too_few_for_any_share_then_training_is_not_emptied():
    """The refusal counts 32 records as they lie, not what was tried to fill the validation part."""
    split = split_records(UNLIKE[:32], validation_share=-1, test_share=0.2, seed=1)
    assert [len(part) for part in split] == [21, 5, 6]
    with pytest.raises(DataError, match="Training has 21 records, fewer") as caught:
        check_split(split)
    assert "these shares" not in str(caught.value)  # no other shares would do


@pytest.mark.parametrize(
    ("name", "digests"),
    [
        ("support_tickets", ["514a5c9d861f2f8f", "875f9a92c088e271", "ff8fdd47c4bbcc1e"]),
        ("json_answers", ["900b4e91efa7d11d", "542b44dd656d7e7d", "68825150e847b9dd"]),
    ],
)
def test_split_when_made_of_our_data_sets_then_the_files_are_those_of_all_versions(
    name, digests, tmp_path
):
    """Byte for byte what 15 and 20 % gave before a share could fit itself."""
    source = find_dataset(name, root=Path(__file__).parents[2])
    records = read_raw(source.raw, system_prompt=source.system_prompt)
    split = split_records(records, validation_share=-1, test_share=0.2, seed=1)
    files = write_split(split, tmp_path).values()
    assert [sha256(path.read_bytes()).hexdigest()[:16] for path in files] == digests
    assert split.note == ""


def sizes(training, validation=0, test=0):
    """Build a split of these sizes."""
    return Split([make("a")] * training, [make("b")] * validation, [make("c")] * test)


@pytest.mark.parametrize("split", [sizes(32, 32), sizes(32), sizes(9_000, 1_000, 50_000)])
def test_check_when_sizes_suit_the_model_then_nothing_happens(split):
    """The least and the most are allowed, and so is no validation file at all."""
    check_split(split)


@pytest.mark.parametrize(
    ("split", "words"),
    [
        (
            sizes(0),
            "Training has 0 records, fewer than the 32 a job needs. At least 32 records are",
        ),
        (
            sizes(31, 32),
            r"has 31 records, fewer .* least 64 .* 63\. Otherwise set validation_share to 0, the",
        ),
        (
            sizes(210, 30, 60),
            r"With these shares 320 .* are 300\. Otherwise set validation_share to 0\.105, the sm",
        ),
        (sizes(27, 5, 8), r"At least 80 records are needed, 20% of them for the test, and .* 40\."),
        (sizes(0, 64), "With these shares 2,048 records are needed"),
        (sizes(60, 4, 36), "set validation_share to 0.315, the smallest"),
        (
            sizes(20, 20, 60),
            "set validation_share to 0.315, the sm.* and set test_share to 0.355, the largest",
        ),
        (sizes(20, 0, 60), "set test_share to 0.494, the largest that fits"),
        (sizes(10_001), "Training has 10,001 records, more than the 10,000 allowed"),
        (sizes(10_001), "set test_share to 0.001, the smallest that fits"),
        (sizes(5_000, 1_001), "Validation has 1,001 records, more than the 1,000 allowed"),
        (sizes(5_000, 1_001), "set validation_share to 0.166, the largest that fits"),
        (sizes(40_000), "Take fewer"),
        (sizes(9_500, 501), "together has 10,001 records, more than the 10,000"),
    ],
)
def test_check_when_a_part_does_not_suit_then_error_says_how_many_would(split, words):
    """The message does the sum for the reader."""
    with pytest.raises(DataError, match=words):
        check_split(split)


@settings(max_examples=40)
@given(
    number=st.integers(33, 300),
    shares=st.tuples(st.integers(0, 500), st.integers(0, 499)),
)
@example(number=12_000, shares=(150, 200))
@example(number=19_000, shares=(50, 0))
def test_check_when_shares_are_refused_then_those_that_the_refusal_names_fit(number, shares):
    """What the printed command gives is taken."""
    texts = UNLIKE[:number]
    given = {"validation_share": shares[0] / 1000, "test_share": shares[1] / 1000}
    for _ in range(3):
        split = Split(*(texts[:size] for size in _sizes(number, **given)))
        try:
            return check_split(split)
        except DataError as refusal:
            found = re.findall(r"-p (\w+_share) ([\d.]+)", str(refusal))
            assert found
            given |= {name: float(share) for name, share in found}
    raise AssertionError(given)


def _sizes(total, *, validation_share, test_share):
    """Give the sizes of a split of records that all differ."""
    test, validation = round(total * test_share), round(total * validation_share)
    return total - test - validation, validation, test


def test_check_when_two_parts_do_not_suit_then_both_are_named():
    """All faults at once."""
    with pytest.raises(DataError, match=r"Training has 20 .* Validation has 5 "):
        check_split(sizes(20, 5))


def test_check_when_bytes_or_tokens_are_over_the_limits_then_said_before_anything_is_written():
    """Records may be few enough and still too long."""
    small = replace(
        DEFAULT.limits, max_training_bytes=2_900, max_validation_bytes=10, max_record_tokens=1
    )
    with pytest.raises(DataError) as refusal:
        check_split(sizes(32, 32), replace(DEFAULT, limits=small))
    assert "Training would be 2,912 bytes" in str(refusal.value)
    assert "Validation would be 2,912 bytes" in str(refusal.value)
    check_split(sizes(32, 32))
    long = Split([make("word " * 40_000)] + [make("a")] * 31, [], [])
    with pytest.raises(DataError, match="Training has 1 record certainly longer than the 32,000"):
        check_split(long)


@pytest.mark.parametrize(
    ("base_model", "good", "bad", "words"),
    [
        (NOVA_MICRO, sizes(8, 8), sizes(7, 8), "Training has 7 records, fewer than the 8"),
        (NOVA_MICRO, sizes(19_992, 8), sizes(19_993, 8), "has 20,001 records, more than the 20,"),
        (NOVA_2_LITE, sizes(200), sizes(199), "Training has 199 records, fewer than the 200"),
        (NOVA_2_LITE, sizes(20_000), sizes(20_001), "Training has 20,001 records, more than"),
        (NOVA_2_LITE, sizes(200), sizes(200, 1), "Validation has 1 record, and this model takes"),
    ],
)
def test_check_when_the_model_has_other_limits_then_those_hold(base_model, good, bad, words):
    """Each model has its own least and most, and no limit of bytes where none is documented."""
    check_split(good, base_model)
    with pytest.raises(DataError, match=words) as refusal:
        check_split(bad, base_model)
    assert base_model.name in str(refusal.value)


def test_check_when_validation_is_not_taken_then_that_is_the_only_fault():
    """Not also too few, and more than nought."""
    with pytest.raises(DataError) as refusal:
        check_split(sizes(300, 40), NOVA_2_LITE)
    assert str(refusal.value) == (
        "These parts do not suit Amazon Nova 2 Lite. Validation has 40 records, and this model "
        "takes no validation file. Give `split_records` the base model too. "
        "Otherwise set validation_share to 0, the largest that fits (-p validation_share 0)."
    )


def test_check_when_bytes_are_limited_then_those_of_the_models_own_form_count():
    """A block around each text makes a line longer."""
    limits = replace(NOVA_MICRO.limits, max_training_bytes=1_000)
    with pytest.raises(DataError, match="Training would be 1,288 bytes"):
        check_split(sizes(8), replace(NOVA_MICRO, limits=limits))


@pytest.mark.parametrize("base_model", BASE_MODELS.values(), ids=lambda model: model.name)
def test_write_when_done_for_any_model_then_validation_finds_nothing_and_reading_gives_it_back(
    base_model, tmp_path
):
    """From raw records to files that this model's job takes, and back."""
    shares = {"validation_share": 0.2, "test_share": 0.1, "seed": 1}
    records = [make(f"Is it {n}?", f"It is {n}.") for n in range(300)]
    split = split_records(records, **shares, base_model=base_model)
    files = write_split(split, tmp_path, base_model=base_model)
    report = validate_files(
        files["training"],
        validation=files["validation"] if split.validation else None,
        test=files["test"],
        base_model=base_model,
    )
    assert report.counts == {}
    assert [read_records(path) for path in files.values()] == list(split)


def test_write_when_the_split_is_sound_then_three_files_with_every_record(tmp_path):
    """A part without records is an empty file, so that nothing old is taken for it."""
    split = sizes(40, 32)
    files = write_split(split, tmp_path / "data")
    assert [path.name for path in files.values()] == [
        "train.jsonl",
        "validation.jsonl",
        "test.jsonl",
    ]
    assert [read_records(path) for path in files.values()] == list(split)


@pytest.mark.parametrize(
    "split",
    [
        sizes(3),
        Split([make("a")] * 32, [make("b")] * 32, [make("\ud800")]),
    ],
)
def test_write_when_a_part_cannot_be_then_no_file_changes(split, tmp_path):
    """All three or none: a last part that cannot be written leaves the first ones alone, too."""
    (tmp_path / "train.jsonl").write_text("before\n")
    with pytest.raises(DataError):
        write_split(split, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["train.jsonl"]
    assert (tmp_path / "train.jsonl").read_text() == "before\n"
