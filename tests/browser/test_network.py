"""What a run leaves behind opens anywhere: Chromium asks for nothing but the file itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from haikuft.series.export import export_run


@pytest.fixture
def ask_of(chromium: Any) -> Any:
    """`ask_of(path)` opens a file and gives what else was asked for, refused or not."""
    context = chromium.new_context()
    asked: list[str] = []

    def note(route: Any) -> None:
        url = route.request.url
        if url.startswith("file:"):
            route.continue_()
        else:
            asked.append(url)
            route.abort()

    context.route("**/*", note)
    page = context.new_page()
    # What the page's own policy refuses never becomes a request; it is told as a message.
    page.on("console", lambda told: asked.append(told.text) if told.type == "error" else None)
    page.on("websocket", lambda socket: asked.append(socket.url))

    def open_page(path: Path) -> tuple[list[str], Any]:
        asked.clear()
        page.goto(path.as_uri(), wait_until="networkidle")
        return list(asked), page

    yield open_page
    context.close()


@pytest.fixture(scope="module")
def executed(walked_to: Callable[[int], Any]) -> list[Path]:
    """Export every notebook that the run has executed."""
    walked_to(6)
    return export_run("first")


def test_pages_of_a_run_when_opened_then_they_load_nothing(
    ask_of: Any,
    walked_to: Callable[[int], Any],
    executed: list[Path],
    keep_screenshot: Callable[..., None],
) -> None:
    """The report, and every notebook exported, run or by hand, with its index."""
    project = walked_to(6)
    by_hand = sorted((project.directory / "lab").glob("*.ipynb"))
    pages = [
        project.directory / "report.html",
        *executed,
        *export_run("first", by_hand, to=project.directory / "by-hand"),
    ]
    assert len(pages) > 3 + len(by_hand)

    for path in pages:
        asked, page = ask_of(path)

        assert asked == [], path.name
        assert page.locator("body").inner_text().strip()
        keep_screenshot(page, f"{path.parent.name}-{path.stem}", full_page=True)


def test_pages_of_a_run_when_opened_then_every_picture_has_a_sentence(
    ask_of: Any, executed: list[Path]
) -> None:
    """Whoever cannot see a figure is told what it shows."""
    for path in executed:
        _, page = ask_of(path)
        for image in page.locator("img").all():
            assert len(image.get_attribute("alt") or "") > 20, path.name


def test_page_when_it_wants_something_from_the_network_then_chromium_is_kept_from_asking(
    ask_of: Any, tmp_path: Path
) -> None:
    """The test above would see it: a page without our policy asks and is noticed."""
    page = tmp_path / "page.html"
    page.write_text('<!doctype html><img src="http://127.0.0.1:9/x.png" alt="">', encoding="utf-8")

    asked, _ = ask_of(page)

    assert "http://127.0.0.1:9/x.png" in asked
