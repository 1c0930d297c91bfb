"""Figures in any script: a font that has it, or a sentence that says which one is missing."""

import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from matplotlib import font_manager, get_data_path

from haikuft.plots import fonts, plot_labels, show_figure

LABELS = {
    "Japanese": ["配送", "アカウント", "返品"],
    "Hindi": ["डिलीवरी", "खाता", "वापसी"],
    "Arabic": ["توصيل", "حساب", "إرجاع"],
}


@pytest.fixture(autouse=True)
def no_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with matplotlib's own fonts and no others."""
    monkeypatch.setattr(font_manager, "findSystemFonts", list)
    fonts._find_families.cache_clear()


@pytest.mark.parametrize(
    ("language", "scripts"), [("Japanese", "Chinese, Katakana"), ("Hindi", "Devanagari")]
)
def test_show_figure_when_no_font_has_a_script_then_the_sentence_names_it(
    language: str, scripts: str, tmp_path: Path
) -> None:
    """And how to install one; the warning of each single character is left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = show_figure(plot_labels({"test": LABELS[language] * 9}), tmp_path / "labels.png")

    assert f"No installed font has the characters of {scripts}: " in picture.sentence
    assert "apt-get install fonts-noto-core fonts-noto-cjk" in repr(picture)
    assert picture.sentence.startswith("27 records with 3 labels")


@pytest.mark.parametrize("labels", [LABELS["Arabic"], ["billing", "Größe €"]])
def test_show_figure_when_the_default_font_has_all_then_there_is_no_note(
    labels: list[str], tmp_path: Path
) -> None:
    """DejaVu Sans, which comes with matplotlib, has Arabic."""
    assert (
        "font" not in show_figure(plot_labels({"test": labels}), tmp_path / "labels.png").sentence
    )


def test_add_fonts_when_an_installed_font_has_the_characters_then_it_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Found by its characters, though nobody named it; a file that is no font is passed over."""
    own = Path(get_data_path(), "fonts", "ttf")
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    installed = [tmp_path / "broken.ttf", own / "DejaVuSans.ttf", own / "LastResortHE-Regular.ttf"]
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: list(map(str, installed)))
    figure, ax = plt.subplots()
    ax.set_title("توصيل")
    with plt.rc_context({"font.family": "cmr10"}):
        assert fonts.add_fonts(figure) == ""
    assert "DejaVu Sans" in ax.title.get_fontfamily()
    ax.set_title("配")
    with pytest.warns(UserWarning, match="Glyph"):
        assert "Chinese" in fonts.add_fonts(figure)
    plt.close(figure)


def test_add_fonts_when_a_family_has_several_weights_then_the_regular_one_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Bold comes first in the alphabet, and one label in bold would look like a heading."""
    own = Path(get_data_path(), "fonts", "ttf")
    for weight, source in {"Bold": "DejaVuSans-Bold.ttf", "Regular": "DejaVuSans.ttf"}.items():
        (tmp_path / f"Own-{weight}.ttf").write_bytes((own / source).read_bytes())
    installed = [str(path) for path in tmp_path.iterdir()]
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: installed)
    added: list[str] = []
    monkeypatch.setattr(font_manager.fontManager, "addfont", added.append)

    assert fonts._find_families(frozenset("توصيل")) == (("DejaVu Sans",), frozenset())
    assert added == [str(tmp_path / "Own-Regular.ttf")]
