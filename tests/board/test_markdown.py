"""A board as Markdown holds text and nothing else, by GitHub's own parser and by another one."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import Any

import pytest
from markdown_it import MarkdownIt

from harness.records.store import Store
from leaderboard.content import BoardContent
from leaderboard.exports import tables
from tests.boards import HOSTILE

NAMES = (
    "www.evil.example",
    "WWW.evil.example/path?x=1",
    "see www.evil.example now",
    "(www.evil.example)",
    "_www.evil.example_",
    "*www.evil.example*",
    "someone@evil.example",
    "some.one+x@mail.evil.example",
    "mailto:someone@evil.example",
    "xmpp:someone@evil.example/x",
    "https://evil.example",
    "HTTPS://evil.example/a(b)c",
    "ftp://evil.example/a",
    "xhttps://evil.example",
    "<https://evil.example>",
    "<someone@evil.example>",
    "[x](https://evil.example)",
    "[x]: https://evil.example",
    "[x][y]",
    "![x](//evil.example/x.png)",
    "[^1]",
    "[ ] task",
    "- item",
    "+ item",
    "* item",
    "1. item",
    "12) item",
    "# heading",
    "=== ",
    "--- ",
    "***",
    "> quote",
    "``` code",
    "`code`",
    "~~struck~~",
    "~struck~",
    "**bold** __bold__ *it* _it_",
    "a\\*b\\",
    "\\[x](https://evil.example)",
    "\\`code`",
    "$x^2$",
    "$$x$$",
    "$`x`$",
    ":smile: :+1:",
    "@octocat",
    "@org/team",
    "#123",
    "GH-123 x#12",
    "&lt;b&gt; &amp; &#64; &#x40; &commat;",
    "<b>bold</b>",
    "<!-- comment",
    "<details><summary>x",
    "a | b \\| c",
    "| a |\n| --- |\n| b |",
    "    indented code",
    "\ttab",
    "line\nbreak",
    "line  \nbreak",
    "line\u2028break\x0bmore\x85more",
    "==marked==",
    "^^inserted^^",
    "H~2~O x^2^",
    "evil.example.com",
    "münchen.example",
    "127.0.0.1:8000/x",
    "v1.0.2 (beta)",
    "0.512 [0.4, 0.6]",
    "😀 :",
)
TAGS = re.compile(r"<(?!/?(?:table|thead|tbody|tr|th|td|p|strong|span)\b|!-- -->)")
"""What a board's own table has; anything else came out of a name."""


def github(text: str) -> str:
    """HTML by the parser of GitHub, without its filter of tags."""
    cmark: Any = pytest.importorskip("cmarkgfm")
    from cmarkgfm.cmark import Options

    return str(cmark.github_flavored_markdown_to_html(text, options=Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES))


def other(text: str) -> str:
    """HTML by another parser, with every address made a link that it sees."""
    return str(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text))


def plain(text: str) -> str:
    """What a reader sees."""
    return html.unescape(re.sub(r"<!-- -->|</?span>", "", text)).strip()


@pytest.mark.parametrize("parser", [github, other])
@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_name_is_read_as_it_is_written(name: str, parser: Any) -> None:
    seen = " ".join(name.split())
    cell = parser(f"| a |\n| --- |\n| {tables.markdown_escape(name)} |\n").split("<td>")[1].split("</td>")[0]
    line = parser(tables.markdown_escape(name) + "\n")
    assert plain(cell) == seen
    assert line.strip().startswith("<p>") and plain(line.strip().removeprefix("<p>").removesuffix("</p>")) == seen
    for made in (cell, line):
        assert not TAGS.search(made), made


@pytest.mark.parametrize("name", ["@octocat", "some@org/team", "#123", "x#12", ":smile:", "a :+1: b", "$x$", "$$x$$"])
def test_what_github_looks_for_after_parsing_is_parted(name: str) -> None:
    """Persons, issues, pictures and formulas are found in the text between two tags; none of these texts holds one."""
    for text in re.split(r"<[^>]*>", github(tables.markdown_escape(name))):
        assert not re.search(r"@\w|#\d|:[\w+-]+:|\$.*\$", html.unescape(text))


def test_a_board_of_such_names_has_its_rows_and_nothing_else(demo_store: Store) -> None:
    board = BoardContent(demo_store).content().boards[0]
    names = (*NAMES, *HOSTILE)
    rows = tuple(replace(board.rows[0], name=name, version="", organisation=name) for name in names)
    cohort = replace(board.cohort, name="- www.evil.example someone@evil.example")
    text = tables.to_markdown(replace(board, rows=rows, cohort=cohort, facts=("organisation",)))
    for parser in (other, github):
        made = parser(text)
        assert made.count("<tr>") == len(names) + 1 and made.count("<table>") == 1 and not TAGS.search(made)
        assert "<p>- www.evil.example someone@" in made.replace("<!-- -->", "")
