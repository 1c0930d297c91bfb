"""What can be copied from a prompt, and the features of a place and a word."""

from haikuft.sandbox.standin import copying, features

IDS = {"to": 300, " to": 301}
SIZE = 400


def test_candidates_when_a_prompt_is_read_then_are_its_words_alone_and_after_a_space() -> None:
    """Marks are none; a word of the vocabulary has its token, others tokens after all of those."""
    candidates = copying.find_candidates("Bring it, to Oslo to Oslo!", IDS, SIZE)
    words = ["Bring", "it", "to", "Oslo", "to", "Oslo"]
    assert candidates.texts == [*words, *(f" {word}" for word in words)]
    alone, spaced = [400, 401, 300, 403, 300, 403], [406, 407, 301, 409, 301, 409]
    assert candidates.ids.tolist() == [*alone, *spaced]


def test_candidates_when_a_word_comes_twice_then_what_stands_before_it_differs() -> None:
    """The hashes before it are those of words and marks, the nearest first, whatever their case."""
    candidates = copying.find_candidates("To: Oslo", {}, SIZE)
    of_oslo = candidates.before[1].tolist()
    assert of_oslo == [features.hash_word(b":"), features.hash_word(b"to")]
    assert candidates.before[0].tolist() == [0, 0]


def test_candidates_when_a_prompt_is_long_then_are_its_last_words() -> None:
    """What a question at the end asks for can be copied."""
    text = " ".join(f"w{n}" for n in range(copying.MOST_WORDS + 50))
    assert copying.find_candidates(text, {}, SIZE).texts[0] == "w50"


def test_candidates_when_a_prompt_is_empty_then_are_none() -> None:
    """There is nothing to copy, and no error."""
    candidates = copying.find_candidates("", IDS, SIZE)
    rows = copying.hash_pairs([features.Cursor().columns()], candidates)
    assert (candidates.texts, rows.shape[1:]) == ([], (1, 0))


def test_pairs_when_a_candidate_goes_on_from_the_reply_then_have_rows_of_their_own() -> None:
    """One word before it that agrees is another feature than none, and two are another again."""
    candidates = copying.find_candidates("send nails to Oslo", {}, SIZE)
    place = candidates.texts.index(" Oslo")
    columns = []
    for reply in ("by", "to", "nails to"):
        cursor = features.Cursor()
        for word in reply.split():
            cursor.push(0, word.encode())
        columns.append([*features.Cursor().columns()[:-2], *cursor.words])
    rows = copying.hash_pairs(columns, candidates)
    assert rows.shape == (len(features.TABLE["pairs"]), 3, len(candidates.texts))
    assert len({tuple(one) for one in rows[:, :, place].T}) == 3
    other = candidates.texts.index(" nails")
    assert len({tuple(one) for one in rows[:, :, other].T}) == 1
