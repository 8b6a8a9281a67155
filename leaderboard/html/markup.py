"""HTML and SVG as strings in which submitted text can never become markup: what is not `Html` is escaped."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

VOID = frozenset({"br", "img", "input", "link", "meta", "path", "line", "rect", "circle"})
# Control characters, and the ones that turn the reading direction of whatever follows.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]|[\ud800-\udfff]")
# Gradio's templates read these; in HTML a character reference is the same text.
_TEMPLATES = str.maketrans({"$": "&#36;", "{": "&#123;", "}": "&#125;", "`": "&#96;"})


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def clean(value: str) -> str:
    """Text without characters that nobody sees and that change how the rest is read."""
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", value)


def text(value: object) -> Html:
    """Any value as inert text."""
    return Html(html.escape(clean(str(value)), quote=True).translate(_TEMPLATES))


def el(tag: str, /, *children: object, **attributes: object) -> Html:
    """An element.

    Args:
        tag: Its name.
        children: `Html` is kept as it is, None is left out, anything else is text.
        attributes: `class_` is class, `data_key` is data-key; None and False are left out, True is written without a value.
    """
    opened = "".join(_attribute(name, value) for name, value in attributes.items() if value is not None and value is not False)
    if tag in VOID:
        return Html(f"<{tag}{opened}>" if tag in {"br", "img", "input", "link", "meta"} else f"<{tag}{opened}/>")
    inside = "".join(child if isinstance(child, Html) else text(child) for child in children if child is not None)
    return Html(f"<{tag}{opened}>{inside}</{tag}>")


def _attribute(name: str, value: object) -> str:
    key = name.rstrip("_").replace("_", "-")
    return f" {key}" if value is True else f' {key}="{text(value)}"'


def join(parts: Iterable[Html], between: str = "") -> Html:
    """Several pieces of markup as one."""
    return Html(between.join(parts))


def person(value: str) -> Html:
    """Something that a stranger named: isolated, so that its reading direction ends with it."""
    return el("bdi", value)


def outward(url: str, label: object) -> Html:
    """A link to another site where the address is a plain web address, else the label alone."""
    try:
        parts = urlsplit(url)
        good = (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and not re.search(r"[\s<>\"'`\\]", url) and "@" not in parts.netloc
        )
    except ValueError:
        good = False
    return el("a", label, href=clean(url), rel="noopener noreferrer nofollow ugc", target="_blank") if good else el("span", label)


def scrolling(table: Html, label: str) -> Html:
    """A table that scrolls inside its own box, by keyboard too."""
    return el("div", table, class_="rs-scroll", tabindex="0", role="region", aria_label=label)


def grid(
    caption: object, heads: Iterable[object], rows: Iterable[Iterable[object]], *, sortable: bool = True, hidden: bool = False
) -> Html:
    """A plain table whose first column heads the rows; a cell is text, markup, or a float, which is printed with three digits."""
    listed = [list(row) for row in rows]
    numbers = {index for row in listed for index, value in enumerate(row) if isinstance(value, int | float)}
    top = join(el("th", head, scope="col", class_="n" if index in numbers else None) for index, head in enumerate(heads))
    body = [
        el("tr", el("th", first, scope="row"), *(_cell(value, at in numbers) for at, value in enumerate(rest, 1)))
        for first, *rest in listed
    ]
    table = el(
        "table",
        el("caption", caption, class_="rs-hidden" if hidden else None),
        el("thead", el("tr", top)),
        el("tbody", join(body)),
        data_sortable=sortable,
        class_="rs-grid",
    )
    return scrolling(table, str(caption) if not isinstance(caption, Html) else "table")


def _cell(value: object, number: bool) -> Html:
    if isinstance(value, float):
        return el("td", f"{value:z.3f}", class_="n", data_v=repr(value))
    return el("td", value, class_="n" if number else None, data_v=value if isinstance(value, int) else None)
