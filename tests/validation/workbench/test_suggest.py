"""A model proposes guidance: what it is shown, what a person accepts, where the origin is written down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from harness.config.home import home
from harness.extractors.llm import pack as packs
from harness.extractors.llm.framing import framed
from harness.findings import RAN_21
from harness.types import Access
from ranscore.commands import main
from tests.extractors.servers import Faulty
from tests.validation.extractors.conftest import settled
from tests.validation.readers.conftest import Made
from tests.validation.workbench.conftest import answer, pack
from validation.extractors import reference
from validation.workbench import drafts, parts, proposals, rounds
from validation.workbench.drafts import Guide

pytest.importorskip("gepa", reason="the package gepa is not installed: install the extra `suggest`", exc_type=ImportError)
FINDING = "Pleural Effusion"
WORD = "effusion"


def proposes(server: Faulty, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    """Answers questions as the guidance says; asked for guidance, adds a word, and copies a sentence of the first report shown."""
    system, user = (message["content"] for message in body["messages"])
    if not system.startswith("You improve"):
        return server.good(handler, body, answer(system, user))
    guide = json.loads(user[user.index("{") : user.rindex("}") + 1])
    copied = user.rpartition("in one line:\n")[2].split(".")[0] + "."
    guide |= {"words": [*guide["words"], WORD], "yes": [*guide["yes"], copied]}
    return server.good(handler, body, f"Here it is:\n```json\n{json.dumps(guide)}\n```\nRegards")


@pytest.fixture
def server() -> Iterator[Faulty]:
    """Counts what it is asked."""
    with Faulty(proposes, model="tiny") as running:
        yield running


@pytest.fixture
def blind(server: Faulty, capsys: pytest.CaptureFixture[str]) -> Made:
    """A draft that knows no word for an effusion, tried on a settled study."""
    study = settled(60, "lung", items=30, repeats=0)
    tried_blind(server)
    capsys.readouterr()
    return study


def tried_blind(server: Faulty) -> None:
    assert pack(server, "draft", "mine") == 0
    known = drafts.change(drafts.load("mine"), FINDING, lambda guide: replace(guide, words=("a word that nobody says",)))
    drafts.save(known)
    assert pack(server, "try", "mine", "--standard", "lung") == 0
    server.bodies.clear()


def suggest(server: Faulty, *more: str) -> int:
    words = ["--endpoint", server.url, "--model", "tiny", "--dialect", "openai"]
    return main(["pack", "suggest", "mine", *more, *words])


def _asks(body: dict[str, Any]) -> bool:
    return not body["messages"][0]["content"].startswith("You improve")


def requests(server: Faulty) -> list[str]:
    chats = [body["messages"] for body in server.bodies]
    return [chat[1]["content"] for chat in chats if chat[0]["content"].startswith("You improve")]


def test_only_wrong_reports_of_tune_are_shown_and_a_person_decides(blind: Made, server: Faulty, capsys: pytest.CaptureFixture[str]) -> None:
    last = rounds.of("mine").last()
    assert last is not None
    standard = reference.load("lung")
    tune, held = (parts.part_of(standard, name) for name in parts.PARTS)
    column = RAN_21.index(FINDING)
    wrong = {item.id for item in tune.items if last.decisions[item.id][column] != str(standard.labels[item.id].values[column])}
    before = drafts.load("mine")
    assert len(wrong) >= 3 and suggest(server, FINDING, "--most", "2") == 0
    out = capsys.readouterr().out
    asked = requests(server)
    assert 1 <= len(asked) <= 2
    shown = {item for item, (text, *_) in blind.texts.items() if any(framed(text, "line") in text_of for text_of in asked)}
    assert shown <= wrong and shown and not shown & {item.id for item in held.items}
    (made,) = rounds.of("mine").proposals()
    assert (made.finding, made.missed_before + made.invented_before, made.round, made.shown) == (FINDING, len(wrong), 2, len(shown))
    assert made.missed < made.missed_before and made.model == "tiny" and made.tool.startswith("gepa 0.")
    assert f"On the part tune: {made.missed_before} missed and {made.invented_before} invented before, {made.missed} missed" in out
    # The sentence that was copied from a report is not in it, and the draft is as it was.
    assert made.guide == replace(before.guide(FINDING), words=(*before.guide(FINDING).words, WORD))
    assert drafts.load("mine") == before

    server.bodies.clear()
    assert suggest(server, "--accept", "1") == 0 and drafts.load("mine").guide(FINDING) == made.guide
    assert pack(server, "try", "mine", "--standard", "lung") == 0
    assert server.bodies == []  # its question was answered while it was compared
    assert made.origin in capsys.readouterr().out
    again = rounds.of("mine").last()
    assert again is not None and again.origins == {FINDING: made.origin}
    own = next(item for item in again.now.parts[0].findings if item.finding == FINDING)
    assert (own.fp, own.fn) == (made.invented, made.missed)
    assert pack(server, "freeze", "mine") == 0
    assert packs.load("mine").card["suggested"] == {FINDING: made.origin}


def test_after_a_persons_edit_a_proposal_is_not_accepted_and_its_origin_is_not_claimed(
    blind: Made, server: Faulty, capsys: pytest.CaptureFixture[str]
) -> None:
    assert suggest(server, FINDING, "--most", "1") == 0
    assert pack(server, "edit", "mine", FINDING, "--signs", "Blunted angles.") == 0
    capsys.readouterr()
    assert suggest(server, "--accept", "1") != 0 and "was edited after proposal 1" in capsys.readouterr().err
    assert pack(server, "try", "mine", "--standard", "lung") == 0
    last = rounds.of("mine").last()
    assert last is not None and last.origins == {}
    assert suggest(server, "--accept", "7") != 0 and "there is no proposal 7" in capsys.readouterr().err


def test_what_cannot_be_improved_is_refused_and_nothing_is_kept(blind: Made, server: Faulty, capsys: pytest.CaptureFixture[str]) -> None:
    server.behave = lambda own, handler, body: (
        proposes(own, handler, body) if _asks(body) else own.good(handler, body, "I would rather not.")
    )
    assert suggest(server, FINDING, "--most", "2") != 0 and "none of 2 proposals was better" in capsys.readouterr().err
    assert pack(server, "edit", "mine", "fracture", "--add-word", "lung") == 0
    assert suggest(server, FINDING) != 0 and "was not tried as it is now" in capsys.readouterr().err
    assert rounds.of("mine").proposals() == ()


def test_credentialed_reports_go_to_no_server_that_the_configuration_does_not_allow(
    server: Faulty, capsys: pytest.CaptureFixture[str]
) -> None:
    study = settled(60, "lung", items=30, repeats=0, access=Access.CREDENTIALED)
    tried_blind(server)
    assert suggest(server, FINDING, "--with", "large", "--with-endpoint", "https://models.example.org/v1") != 0
    assert "credentialed" in capsys.readouterr().err and server.bodies == [] and rounds.of("mine").proposals() == ()
    assert suggest(server, FINDING, "--most", "1") == 0
    written = "".join(path.read_text(encoding="utf-8") for path in (home() / "workbench" / "mine").rglob("*.json"))
    sentences = {sentence.strip() for text, *_ in study.texts.values() for sentence in text.split(".") if len(sentence.split()) > 2}
    printed = capsys.readouterr().out
    assert len(sentences) > 20 and not any(sentence in written + printed for sentence in sentences)
    assert {path.stat().st_mode & 0o077 for path in (home() / "workbench" / "mine" / "proposals").iterdir()} == {0}


@pytest.mark.parametrize(
    "text",
    ["", "no", "{", "{}", '{"means": 1}', json.dumps({"means": "", "words": [], "signs": "", "unclear": "", "yes": [], "no": []})],
)
def test_an_answer_without_the_six_fields_is_no_proposal(text: str) -> None:
    assert proposals.parse(text, Guide("Fracture", means="a broken bone")) is None


def test_a_guide_comes_back_from_what_a_model_reads() -> None:
    guide = Guide("Fracture", "a broken bone", ("fracture", "broken"), "a step", "old ones count", ("Rib fracture.",), ("No fracture.",))
    assert proposals.parse(f"Sure: {proposals.dumps(guide)} done", Guide("Fracture", means="x")) == guide
    whole = Guide("Fracture", guidance="Say 1.\nElse 0.")
    assert proposals.parse(proposals.dumps(whole), whole) == whole
