"""A sheet as a page: one view for the file that a reader opens and for the page that is served."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib import resources

from harness.signature import digest as digest_of
from harness.types import Json
from validation.readers import questions, texts
from validation.readers.sheets import FORMAT, SCHEMA, Reply, reply_json
from validation.readers.study import ReadingStudy

REMIND = 25
"""After so many reports a reader of a file is asked to save a copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What one page shows."""

    name: str
    """The name of the study; part of the name of the file that a reader saves."""
    study: ReadingStudy
    reader: str
    reports: Sequence[tuple[str, ...]] = field(repr=False)
    """The texts of each report, in the order in which this reader sees them."""
    mode: str = "file"
    """`file`, `served`, or `practise`."""
    replies: Mapping[int, Reply] = field(default_factory=dict, repr=False)
    """What the server holds already."""


def of_reader(
    name: str, study: ReadingStudy, reader: str, loaded: texts.Texts, mode: str = "file", replies: Mapping[int, Reply] | None = None
) -> View:
    """The sheet of a reader: her reports in her order, and nothing else of the study."""
    return View(name=name, study=study, reader=reader, reports=texts.shown(loaded, study, reader), mode=mode, replies=replies or {})


def data(view: View) -> Json:
    """All that the page's script knows."""
    form, language = view.study.form, view.study.form.language
    table = questions.words(language)
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        "name": view.name,
        "study": view.study.digest,
        "reader": view.reader,
        "sheet": digest_of([view.study.digest, view.reader])[:32],
        "mode": view.mode,
        "remind": REMIND,
        "language": language,
        "report_language": view.study.cohort.language,
        "title": form.title,
        "intro": form.intro,
        "rest": form.rest,
        "rest_done": table["kinds"][form.kind]["rest_done"],
        "attestation": form.attestation,
        "most": questions.MOST,
        "questions": [
            {
                "id": item.id,
                "name": item.name,
                "help": item.help,
                "type": item.type,
                "rest": item.rest,
                "choices": [[value, label] for value, label in item.choices.items()],
            }
            for item in form.questions
        ],
        "sides": sides(view.study, table["sides"]),
        "reports": view.reports,
        "answers": {str(at): reply_json(reply) for at, reply in view.replies.items()},
        "words": table["page"],
    }


def sides(study: ReadingStudy, names: Mapping[str, str]) -> list[str]:
    """The heading of each text of a report."""
    if study.kind == "pairs":
        return [names["a"], names["b"]]
    return [names["reference"], names["one"]] if study.with_reference else [names["one"]]


@cache
def asset(name: str) -> str:
    """A file of `assets`."""
    return resources.files("validation.readers").joinpath("assets").joinpath(name).read_text(encoding="utf-8")


def policy(view: View) -> str:
    """The page's content security policy: its own script and style by their hashes, no other host, and from a file no host at all."""
    script, style = (base64.b64encode(sha256(asset(name).encode()).digest()).decode() for name in ("sheet.js", "sheet.css"))
    connect = "'none'" if view.mode == "file" else "'self'"
    return (
        f"default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; connect-src {connect}; img-src data:; "
        "form-action 'none'; base-uri 'none'"
    )


def document(view: View) -> str:
    """The whole page. Text of reports is data in it, never markup."""
    # In a script element only "</" and "<!--" could end or change the data; no "<" is left.
    plain = json.dumps(data(view), ensure_ascii=False).replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    form = view.study.form
    return (
        f'<!doctype html>\n<html lang="{form.language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy(view)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="referrer" content="no-referrer">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{html.escape(f'{view.name}: {view.reader}')}</title>\n<style>{asset('sheet.css')}</style>\n</head>\n<body>\n"
        f'<div id="app"></div>\n<noscript><p>{html.escape(form.title)} JavaScript is off: please allow it for this file.</p></noscript>\n'
        f'<script type="application/json" id="data">{plain}</script>\n<script>{asset("sheet.js")}</script>\n</body>\n</html>\n'
    )
