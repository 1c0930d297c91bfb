"""Statistics: what a data set holds, in figures that add up."""

from haikuft.dataset import describe_records, estimate_total_tokens
from haikuft.dataset.tokens import estimate_record_tokens


def describe(records):
    """Give the figures by their names."""
    return dict(describe_records(records).rows)


def test_statistics_when_records_are_plain_then_counts_lengths_and_tokens(make_record):
    """Every figure is about all records."""
    records = [make_record(n, system="Be brief.") for n in range(3)] + [make_record(0)] * 2
    found = describe(records)
    assert (found["records"], found["different prompts"]) == ("5", "4")
    assert found["different system prompts"] == "1"
    assert found["records without a system prompt"] == "2"
    assert found["messages in a record"] == "2 in 5"
    assert found["all together"] == str(estimate_total_tokens(records))
    assert "labels: records" not in found
    assert found["prompt, UTF-8 bytes"] == "19 to 28, median 28"
    assert found["answer, UTF-8 bytes"] == "8 to 8, median 8"


def test_statistics_when_answers_are_labels_then_each_is_counted_most_frequent_first(make_record):
    """Labels are recognised and counted."""
    records = [make_record(n, answer="no" if n % 4 else "yes") for n in range(20)]
    assert describe(records)["labels: records"] == "2 labels: no 15, yes 5"


def test_statistics_when_there_are_no_records_then_zeros():
    """Nothing to describe is no reason to fail."""
    found = describe([])
    assert (found["records"], found["messages in a record"]) == ("0", "")
    assert found["answer, UTF-8 bytes"] == "0 to 0, median 0"
    assert found["all together"] == "about 0 tokens (0 to 0)"


def test_statistics_when_shown_then_the_same_figures_as_text_and_table(make_record):
    """The notebook's table is escaped and says what the text says."""
    records = [make_record(n, answer="<b>" if n % 2 else "x") for n in range(10)]
    found = describe_records(records)
    assert "2 labels: x 5, <b> 5" in str(found)
    assert "2 labels: x 5, &lt;b&gt; 5" in found._repr_html_()
    assert "<b>" not in found._repr_html_()


def test_statistics_when_shown_then_tokens_of_one_record_and_of_all_with_their_basis(make_record):
    """A range without the way it came about would be a promise."""
    short, long = make_record(1), make_record(2, answer="Wait and see. " * 300 + "Soon.")
    found = describe([short, long])
    assert found["the shortest record"] == str(estimate_record_tokens(short))
    assert found["the median record"] == str(estimate_record_tokens(short))
    assert found["the longest record"] == str(estimate_record_tokens(long))
    assert found["all together"] == str(estimate_total_tokens([short, long]))
    assert "an older Claude tokenizer" in found["basis of the tokens"]
    assert "for Nova it is only an estimate" in found["basis of the tokens"]


def test_statistics_when_there_are_many_records_then_the_text_is_as_short_as_the_table(make_record):
    """A figure a line, and no line a record: a notebook keeps the text beside its table."""
    text = repr(describe_records([make_record(number) for number in range(3_000)]))
    assert text.splitlines()[0].split() == ["records", "3,000"]
    assert len(text) < 2_000
