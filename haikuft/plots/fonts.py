"""Fonts for the scripts in a figure, and a note of those that no installed font has."""

import unicodedata
from functools import cache

from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.text import Text

_INSTALL = "on Debian and Ubuntu with `apt-get install fonts-noto-core fonts-noto-cjk`"


def add_fonts(figure: Figure) -> str:
    """Lay a figure out, its texts with the fonts that they need besides their own.

    The layout measures twice, so that tick labels that change with the size are measured again.

    Returns:
        A sentence that names the scripts no installed font has, and how to install one; "" where
        every character can be drawn.
    """
    _lay_out(figure)  # only then have the axes their texts
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text)]
    default = font_manager.get_font(font_manager.findfont(font_manager.FontProperties()))
    characters = {character for text in texts for character in text.get_text()}
    families, missing = _find_families(
        frozenset(c for c in characters if c.isprintable() and not default.get_char_index(ord(c)))
    )
    if families:
        for text in texts:
            text.set_fontfamily([*text.get_fontfamily(), *families])
        _lay_out(figure)
    if not missing:
        return ""
    scripts = {
        unicodedata.name(c, "unknown letters").split()[0].replace("CJK", "Chinese").title()
        if unicodedata.category(c)[0] in "LM"
        else "symbols"
        for c in missing
    }
    return (
        f"No installed font has the characters of {', '.join(sorted(scripts))}: in the figure "
        f"boxes stand for them. Install one, {_INSTALL}, and run the notebook again."
    )


def _lay_out(figure: Figure) -> None:
    """Compute a figure's layout and its axes' texts, in less time than drawing it."""
    if engine := figure.get_layout_engine():
        engine.execute(figure)
    else:
        figure.draw_without_rendering()


@cache
def _find_families(characters: frozenset[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Find installed fonts that have these characters, and the characters that none has."""
    families: list[str] = []
    paths = font_manager.findSystemFonts() if characters else []
    for path in sorted(paths, key=lambda path: ("Regular" not in path, path)):  # rather than bold
        try:
            font = font_manager.get_font(path)
        except (OSError, RuntimeError):  # a file that is no font that matplotlib can read
            continue
        has = {character for character in characters if font.get_char_index(ord(character))}
        if has and "LastResort" not in path.replace(" ", ""):
            font_manager.fontManager.addfont(path)
            families.append(font.family_name)
            characters -= has
    return tuple(families), characters
