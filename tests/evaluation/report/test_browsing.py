"""The records of an evaluation to page through: a column a model, with the score of each reply."""

from haikuft.browsing import Browser
from haikuft.evaluation.report.browsing import build_reply


def test_browser_when_a_cell_is_a_reply_then_its_score_stands_below_and_sorts() -> None:
    """One column a model instead of two."""
    reply = build_reply("billing", 0.5, "accuracy", "fixed")

    page = Browser(["tuned"], [[reply]])._repr_html_()

    assert '<td data-key="0.500000"><div>billing</div><small>accuracy 0.5, fixed</small>' in page
    assert str(reply) == "billing (accuracy 0.5, fixed)"
