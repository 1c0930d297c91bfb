"""Where data sets lie: by name, by folder, by file."""

import pytest

from haikuft.dataset import find_dataset
from haikuft.dataset.read.sources import Source
from haikuft.errors import DataError


@pytest.fixture
def root(tmp_path):
    """Build a project with one data set in data/ and one elsewhere."""
    folder = tmp_path / "data" / "tickets"
    folder.mkdir(parents=True)
    (folder / "raw.jsonl").write_text("{}\n")
    (folder / "system.txt").write_text("Sort them.\n")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "examples.jsonl").write_text("{}\n")
    return tmp_path


def test_dataset_when_named_then_its_folder_in_data_with_its_system_prompt(root):
    """The name of a folder is enough."""
    raw = root / "data" / "tickets" / "raw.jsonl"
    assert find_dataset("tickets", root=root) == Source("tickets", raw, "Sort them.")


def test_dataset_when_a_system_prompt_is_given_then_it_is_taken(root):
    """A given one goes before the data set's own."""
    assert find_dataset("tickets", system_prompt="Mine.", root=root).system_prompt == "Mine."


@pytest.mark.parametrize("name", ["mine", "mine/examples.jsonl"])
def test_dataset_when_named_by_a_relative_path_then_it_starts_at_the_root(name, root):
    """A folder with one file, or the file itself, without a system prompt of its own."""
    raw = root / "mine" / "examples.jsonl"
    assert find_dataset(name, root=root) == Source(name, raw, "")
    assert find_dataset(str(root / name), root=root).raw == raw


def test_dataset_when_unknown_then_error_lists_those_in_data(root):
    """One sees at once what could have been meant; no name at all is no data set either."""
    with pytest.raises(DataError, match=r'dataset = "ticket": .* In data/ are: tickets\.'):
        find_dataset("ticket", root=root)
    with pytest.raises(DataError, match="In data/ are: tickets"):
        find_dataset("", root=root)


def test_dataset_when_its_folder_leaves_a_choice_then_error_lists_the_files(root):
    """Guessing between two files would be worse than asking."""
    (root / "mine" / "more.jsonl").write_text("{}\n")
    with pytest.raises(DataError, match=r"Found: examples\.jsonl, more\.jsonl\. Name the file"):
        find_dataset("mine", root=root)


def test_dataset_when_its_system_prompt_is_not_utf8_then_error_names_the_file(root):
    """A file of ours that cannot be read is said like any other."""
    (root / "data" / "tickets" / "system.txt").write_bytes(b"\xff")
    with pytest.raises(DataError, match=r"system\.txt cannot be read as UTF-8"):
        find_dataset("tickets", root=root)


@pytest.mark.parametrize("name", ["raw.csv", "raw.xlsx", "pairs.tsv", "chats.JSON", "a.parquet"])
def test_dataset_when_its_file_is_of_another_format_then_it_is_found(name, tmp_path):
    """Every format that can be read can be a data set."""
    folder = tmp_path / "data" / "mine"
    folder.mkdir(parents=True)
    (folder / name).write_text("a,b\n")
    (folder / "README.md").write_text("About it.\n")
    assert find_dataset("mine", root=tmp_path).raw == folder / name
