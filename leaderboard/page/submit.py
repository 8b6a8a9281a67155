"""Submit: hand a file in, see where it stands, withdraw it. Everything is decided in `submissions`; here it is only wired."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from harness.errors import InputError, Problem, RanscoreError, RefusedError
from harness.records.record import card_from_json
from harness.types import Access, Section, SystemCard
from leaderboard.hub import repository
from submissions import intake, receipts
from submissions.desk import Desk
from submissions.events import VISITOR, Submission
from submissions.example import example
from submissions.ledger import Folder
from submissions.worker import Worker

CHOICES = ["unknown", "yes", "no"]


def build(site: Any) -> None:
    """The tab's components; also starts a worker for open cohorts whose text lies beside the board, and follows the Hub."""
    desk = repository.open_desk(site.shelf.store.root.parent)
    repository.follow(desk)
    _start_worker(desk)
    head = "<h2 tabindex='-1'>Submit</h2><p>Hand in a file with one report a study: columns <b>study_id</b> and <b>report</b>. Nobody is shown its text.</p>"
    more = "<p class='rs-fine'>Check only names every problem at once and keeps nothing. Hand in gives a receipt; the scores come onto the board by themselves.</p>"
    gr.HTML(f"<div class='rs-view' style='padding-bottom:.6rem'>{head}{more}</div>", apply_default_css=False)
    with gr.Column(elem_classes="rs-form"):
        _form(desk)
    _interface(desk)


def _form(desk: Desk) -> None:
    names = list(desk.manifests())
    hidden = [name for name, manifest in desk.manifests().items() if manifest.access is Access.CREDENTIALED]
    with gr.Row():
        with gr.Column():
            cohort = gr.Dropdown(names, value=names[0] if names else None, label="Cohort", elem_id="submit-cohort")
            sample = gr.Button("Fill in the example", elem_id="submit-example", visible=len(hidden) < len(names))
        file = gr.File(label="Reports: CSV, JSON Lines, JSON or Parquet", type="filepath", elem_id="submit-file", height=170)
    with gr.Row():
        card: list[Any] = [
            gr.Textbox(label="System", max_length=80, elem_id="submit-name"),
            gr.Textbox(label="Version", max_length=40),
            gr.Textbox(label="Organisation", max_length=80),
            gr.Textbox(label="Link (https://...)", max_length=200),
        ]
    with gr.Accordion("More about the system", open=False):
        card += [
            gr.Radio(CHOICES, value="unknown", label="Are its weights public?"),
            gr.Radio(CHOICES, value="unknown", label="Was it trained on this cohort?"),
            gr.Radio(["unknown", *Section], value="unknown", label="What it writes"),
            gr.Textbox(label="Anonymous until (2027-01-31); empty for never", max_length=10),
            gr.Textbox(label="New version: code of an earlier receipt", max_length=40, type="password", elem_id="submit-earlier"),
        ]
    agreed = gr.Checkbox(label=intake.DATA_USE, visible=bool(hidden), elem_id="submit-agreed")
    looked = gr.Checkbox(label="I looked at what the privacy screen noticed; it names nobody", elem_id="submit-looked")
    if os.environ.get("SPACE_ID"):
        gr.LoginButton()
    with gr.Row():
        check = gr.Button("Check only", elem_id="submit-check")
        send = gr.Button("Hand in", variant="primary", elem_id="submit-send")
    said = gr.HTML("", elem_id="submit-said")
    gr.HTML("<h3>Where it stands</h3>")
    with gr.Row():
        name = gr.Textbox(label="Receipt", max_length=32, elem_id="submit-receipt")
        code = gr.Textbox(label="Code, to withdraw", max_length=40, type="password", elem_id="submit-code")
        reason = gr.Textbox(label="Reason, to withdraw", max_length=200)
        gone = gr.Button("Withdraw", elem_id="submit-withdraw")
    stands = gr.HTML("", elem_id="submit-stands")
    timer = gr.Timer(1.0)
    inputs = [file, cohort, *card, agreed, looked]
    sample.click(_asked(_example, desk), cohort, [file, card[0], said], api_visibility="private")
    check.click(_asked(_checked, desk), inputs, [said, name, code], api_visibility="private")
    send.click(_asked(_sent, desk), inputs, [said, name, code], api_visibility="private")
    gone.click(_asked(_withdraw_shown, desk), [name, code, reason], said, api_visibility="private")
    timer.tick(_asked(_stands, desk), name, stands, show_progress="hidden", api_visibility="private")


def _interface(desk: Desk) -> None:
    """What `ranscore submit --to` asks, by name."""
    with gr.Row(visible=False):
        file, text = gr.File(type="filepath"), [gr.Textbox() for _ in range(3)]
        ticks, answer, button = [gr.Checkbox() for _ in range(3)], gr.JSON(), gr.Button()
    button.click(_asked(hand_in, desk), [file, *text[:2], *ticks, text[2]], answer, api_name="hand_in")
    button.click(lambda name: receipts.receipt(desk, str(name)), text[0], answer, api_name="receipt")
    button.click(_asked(withdraw, desk), text, answer, api_name="withdraw")


def _asked(answer: Callable[..., Any], desk: Desk) -> Callable[..., Any]:
    """A function as Gradio calls it: it sees from the first argument's type that the request is wanted."""

    def asked(request: gr.Request, *given: Any) -> Any:
        return answer(desk, request, *given)

    return asked


def taken(path: str | None, most: int) -> tuple[bytes, str]:
    """An upload's content and name; the copy that Gradio made is gone when this returns, for its files can be read by address.

    Args:
        most: Bytes that are allowed; one more is read.

    Raises:
        InputError: There is no file.
    """
    if not path:
        raise InputError(Problem("there is no file", "Choose one"))
    place = Path(path)
    try:
        with place.open("rb") as stream:
            return stream.read(most + 1), place.name
    finally:
        place.unlink(missing_ok=True)


def person(request: gr.Request) -> str:
    """Who asks: the login at the Hub on a Space, the login of the server elsewhere, else a visitor of this machine.

    Raises:
        RefusedError: On a Space without a login.
    """
    if os.environ.get("SPACE_ID"):
        session = getattr(request.request, "session", {}) or {}
        found = (session.get("oauth_info") or {}).get("userinfo", {}).get("preferred_username")
        if not found:
            raise RefusedError("log in with your Hub account first: submissions are of a person")
        return f"hf:{found}"
    return f"local:{request.username}" if request.username else VISITOR


def hand_in(
    desk: Desk, request: gr.Request, path: str | None, cohort: str, card: str, agreed: bool, looked: bool, dry: bool, code: str = ""
) -> Any:
    """Check a file, and hand it in unless `dry`: everything that is wrong, or the receipt, as JSON."""
    try:
        content, file = taken(path, desk.policy.max_bytes)
        system = card_from_json(json.loads(card))
        upload = intake.Upload(content, file, cohort, system, person(request), bool(agreed), bool(looked), str(code))
        return handed(desk, upload, bool(dry))
    except RanscoreError as error:
        return {"problems": [_plain(problem) for problem in error.problems]}
    except (ValueError, TypeError, KeyError):
        return {"problems": [_plain(Problem("the card is not a system's card", "Use `ranscore submit`"))]}


def handed(desk: Desk, upload: intake.Upload, dry: bool) -> dict[str, Any]:
    """Look, then hand in."""
    found = intake.look(desk, upload)
    answer: dict[str, Any] = {
        "problems": [_plain(problem) for problem in found.problems],
        "warnings": [str(problem) for problem in found.warnings],
        "private": [_plain(problem) for problem in found.private],
        "reports": len(found.reports),
    }
    if dry or (found.private and not upload.looked and not found.problems):
        return answer
    receipt = intake.submit(desk, upload, found)
    return {**answer, "problems": [], "id": receipt.id, "code": receipt.code}


def _plain(problem: Problem) -> dict[str, Any]:
    return {name: getattr(problem, name) for name in ("what", "remedy", "file", "line", "study")}


def withdraw(desk: Desk, request: gr.Request, name: str, code: str, reason: str) -> Any:
    """Withdraw: an empty answer, or why not."""
    try:
        intake.withdraw(desk, str(name).strip(), str(reason), person=person(request), code=str(code).strip())
    except RanscoreError as error:
        return {"refused": str(error)}
    return {}


def _withdraw_shown(desk: Desk, request: gr.Request, name: str, code: str, reason: str) -> str:
    answer = withdraw(desk, request, name, code, reason)
    return _list([answer["refused"]], "Not withdrawn") if answer else "<p role='status'>Withdrawn. A tombstone stays.</p>"


def _example(desk: Desk, request: gr.Request, cohort: str) -> Sequence[Any]:
    """The example's file and name in the form; the file can be downloaded there, and goes when it is handed in."""
    try:
        text = example(desk.cohort(desk.manifest(str(cohort)).digest))
    except RanscoreError as error:
        return gr.skip(), gr.skip(), _list([str(problem) for problem in error.problems], "There is no example")
    place = Path(tempfile.mkdtemp()) / "example.csv"
    place.write_text(text, encoding="utf-8")
    return str(place), "Example", ""


def _checked(desk: Desk, request: gr.Request, *given: Any) -> Sequence[Any]:
    return _answer(desk, True, request, *given)


def _sent(desk: Desk, request: gr.Request, *given: Any) -> Sequence[Any]:
    return _answer(desk, False, request, *given)


def _answer(desk: Desk, dry: bool, request: gr.Request, path: str | None, cohort: str, *given: Any) -> Sequence[Any]:
    """The form's answer as HTML, with the receipt's id and code."""
    *fields, earlier, agreed, looked = given
    card = _card([str(value or "").strip() for value in fields])
    answer = hand_in(desk, request, path, str(cohort), json.dumps(intake.card_json(card)), agreed, looked, dry, str(earlier or "").strip())
    if problems := answer["problems"]:
        return _list([str(Problem(**problem)) for problem in problems], "It cannot be handed in"), gr.skip(), gr.skip()
    notes = [*answer["warnings"], *(str(Problem(**problem)) for problem in answer["private"])]
    if "id" not in answer:
        head = "Look at this first, then tick that it names nobody" if answer["private"] else "It can be handed in; nothing was kept"
        return _list(notes, head), gr.skip(), gr.skip()
    code = f"Keep this code, with which alone it can be withdrawn: <code>{escape(answer['code'])}</code>. " if answer["code"] else ""
    address = f"?tab=submit&receipt={answer['id']}"
    link = f"<p role='status'>Handed in. {code}Its page: <a href='{address}'>{answer['id']}</a></p>"
    return link + _list(notes, ""), answer["id"], answer["code"]


def _card(fields: Sequence[str]) -> SystemCard:
    name, version, organisation, link, weights, trained, section, until = fields
    return SystemCard(
        name, version, organisation, link, weights, trained, None if section == "unknown" else Section(section), anonymous_until=until
    )


def _list(items: Sequence[str], head: str) -> str:
    """Messages as a list; whatever they hold is text."""
    lines = "".join(f"<li>{escape(item)}</li>" for item in items)
    return (f"<p role='status'><strong>{escape(head)}</strong></p>" if head else "") + (f"<ul>{lines}</ul>" if lines else "")


def _stands(desk: Desk, request: gr.Request, name: str) -> Any:
    """A receipt as HTML, again every second; without an id in the box, that of the address."""
    wanted = (name or "").strip() or str(request.query_params.get("receipt", ""))
    if not wanted:
        return gr.skip()
    found = receipts.receipt(desk, wanted)
    return _list(receipts.lines(found), "") if found else "<p>There is no such receipt.</p>"


def _start_worker(desk: Desk) -> None:
    """A worker in this process, where everything it needs lies beside the page and is open."""
    root = desk.root / "cohorts"
    here = {
        manifest.digest
        for name, manifest in desk.manifests().items()
        if manifest.access is Access.OPEN and (root / name / "text.jsonl").is_file()
    }
    if not here or not isinstance(desk.ledger.shelf, Folder):
        return

    def takes(item: Submission) -> bool:
        return item.cohort in here

    worker = Worker(desk, takes=takes, listed=repository.publisher(desk))
    threading.Thread(target=worker.run, kwargs={"poll": 0.5}, daemon=True, name="worker").start()
