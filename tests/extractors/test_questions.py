"""Answers by question: an edit asks what it changes and nothing else, equal questions are asked once whatever the pack is called."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.extractors import recorded
from harness.extractors.answers import Answer
from harness.extractors.cache import opened
from harness.extractors.llm import pack, protocol
from harness.extractors.llm.extractor import LLM, make
from harness.extractors.llm.pack import ASKED, Pack
from harness.findings import RAN_21
from harness.types import Labels, Status
from tests.extractors.servers import Faulty, reports

TEXTS = reports(7)


def edited(base: Pack, finding: str, guidance: str, name: str = "other", **change: Any) -> Pack:
    """A pack in which one finding's guidance is another."""
    questions = tuple(replace(item, guidance=guidance) if item.finding == finding else item for item in base.questions)
    return replace(base, name=name, questions=questions, **change)


def ask(server: Faulty, chosen: Pack, texts: Sequence[str] = TEXTS, model: str = "tiny") -> tuple[LLM, Sequence[Labels]]:
    own = LLM(protocol.protocol(chosen, protocol.find(model), "openai"), make(endpoint=server.url, access="open", dialect="openai").source)
    return own, own.extract(texts)


def test_an_edit_of_one_finding_asks_that_finding_alone() -> None:
    base = pack.load()
    with Faulty(model="tiny") as server:
        first, labels = ask(server, base)
        assert len(server.bodies) == first.questions_asked == 20 * len(TEXTS)
        second, after = ask(server, edited(base, "Fracture", "Present means: the word nodule is there."))
        new = server.bodies[20 * len(TEXTS) :]
        assert len(new) == second.questions_asked == len(TEXTS)
        assert all("the word nodule is there" in body["messages"][0]["content"] for body in new)
        others = [index for index, name in enumerate(RAN_21) if name not in ("Fracture", "No Finding")]
        assert [[one.values[index] for index in others] for one in labels] == [[one.values[index] for index in others] for one in after]
        # Back to the words from before: everything is known.
        third, again = ask(server, base)
        assert third.questions_asked == 0 and again == labels and len(server.bodies) == 21 * len(TEXTS)


def test_a_renamed_pack_asks_nothing_and_another_model_asks_everything() -> None:
    base = pack.load()
    with Faulty(model="tiny") as server:
        ask(server, base)
        assert ask(server, replace(base, name="renamed", card={"note": "another card"}))[0].questions_asked == 0
        assert ask(server, replace(base, source="a" * 64))[0].questions_asked == 0  # another digest of the pack, the same questions
    with Faulty(model="large") as server:
        assert ask(server, base, model="large")[0].questions_asked == 20 * len(TEXTS)


@pytest.mark.parametrize("change", [{"hedges": "Hedges count."}, {"framing": "raw"}, {"parser": "first-digit"}, {"strip": True}])
def test_whatever_can_change_a_decision_is_part_of_every_question(change: dict[str, Any]) -> None:
    base = pack.load()
    own, other = (protocol.protocol(item, protocol.find("tiny")) for item in (base, replace(base, **change)))
    assert all(own.question_digest(name) != other.question_digest(name) for name in ASKED)
    assert len({own.question_digest(name) for name in ASKED}) == 20


def test_the_joint_mode_asks_everything_again() -> None:
    base = pack.load(mode="joint")
    own = protocol.protocol(base, protocol.find("tiny"))
    assert own.question_digest("*") == "" and own.asked == ("*",)
    assert protocol.protocol(edited(base, "Fracture", "x"), protocol.find("tiny")).digest != own.digest


def test_an_edited_pack_is_replayed_and_exported_like_any_other(tmp_path: Path) -> None:
    """What was taken over from another pack is there for whoever looks under the digest of the protocol."""
    other = edited(pack.load(), "Fracture", "Nodules.")
    with Faulty(model="tiny") as server:
        ask(server, pack.load())
        own, labels = ask(server, other)
    assert recorded.make(protocol=own.digest).extract(TEXTS) == labels
    with opened() as cache:
        assert set(cache.protocols().values()) == {20 * len(TEXTS)} and len(cache.protocols()) == 2


def test_answers_of_before_and_imported_ones_are_shared_on_demand() -> None:
    """A cache that was filled by protocol alone, as earlier versions did, and one with whole answers."""
    base = protocol.protocol(pack.load(), protocol.find("tiny", ""), "openai")
    digests = {name: base.question_digest(name) for name in ASKED}
    with Faulty(model="tiny") as server:
        _, labels = ask(server, pack.load())
        with opened() as cache:
            cache._base.execute("DELETE FROM answers WHERE protocol IN (SELECT id FROM protocols WHERE digest LIKE 'question:%')")
            whole = recorded.complete(cache, base.digest, TEXTS[0])
            assert whole is not None
            cache._base.execute("DELETE FROM answers WHERE key=?", (cache.key(TEXTS[0]),))
            cache.add(base.digest, [Answer("*", cache.key(TEXTS[0]), whole)])
            assert cache.share(base.digest, digests) == 20 * len(TEXTS) and cache.share(base.digest, digests) == 0
        asked = len(server.bodies)
        own, after = ask(server, edited(pack.load(), "Fracture", "Nodules."))
        assert len(server.bodies) - asked == own.questions_asked == len(TEXTS)
        place = RAN_21.index("Edema")
        assert [item.values[place] for item in after] == [item.values[place] for item in labels]


def test_many_reports_are_looked_up_at_once_and_damage_is_mended_from_an_equal_question() -> None:
    base = protocol.protocol(pack.load(), protocol.find("tiny"), "openai")
    digests = {name: base.question_digest(name) for name in ASKED}
    with Faulty(model="tiny") as server:
        ask(server, pack.load())
    with opened() as cache:
        first = cache.known(base.digest, digests, TEXTS)
        assert [set(answers) for answers in first.values()] == [set(ASKED)] * len(TEXTS) and list(first) == list(TEXTS)
        assert cache.known(base.digest, digests, ["a text that nobody asked about"]) == {"a text that nobody asked about": {}}
        # One answer is damaged, one is gone: both are taken from the question's own place, and filed again.
        number = cache._protocol(base.digest)
        cache._base.execute("UPDATE answers SET decision='?' WHERE protocol=? AND key=? AND asked='Edema'", (number, cache.key(TEXTS[1])))
        cache._base.execute("DELETE FROM answers WHERE protocol=? AND key=? AND asked='Fracture'", (number, cache.key(TEXTS[2])))
        assert set(cache.find(base.digest, cache.keys(TEXTS[1]))) == set(ASKED) - {"Edema"}
        assert cache.known(base.digest, digests, TEXTS) == first
        assert all(set(cache.find(base.digest, cache.keys(text))) == set(ASKED) for text in TEXTS)
        # A whole answer needs no single ones beside it.
        cache._base.execute("DELETE FROM answers WHERE protocol=? AND key=?", (number, cache.key(TEXTS[0])))
        cache.add(base.digest, [Answer("*", cache.key(TEXTS[0]), ((1, Status.OK),) * 20)])
        assert set(cache.known(base.digest, digests, TEXTS)[TEXTS[0]]) == {"*"} == set(cache.find(base.digest, cache.keys(TEXTS[0])))


PROCESS = """
import sys
from dataclasses import replace
from harness.extractors.llm import pack, protocol
from tests.extractors.test_questions import ask, edited
from tests.extractors.servers import reports
class Server:
    url = sys.argv[1]
print(ask(Server, edited(pack.load(), "Fracture", sys.argv[2], sys.argv[2]), reports(4))[0].questions_asked)
"""


def test_two_processes_with_two_drafts_share_the_questions_that_are_equal() -> None:
    env = {**os.environ, "PYTHONPATH": os.getcwd()}
    with Faulty(model="tiny", delay=0.01) as server:
        running = [
            subprocess.Popen([sys.executable, "-c", PROCESS, server.url, words], stdout=subprocess.PIPE, text=True, env=env)
            for words in ("first", "second")
        ]
        counts = [int(process.communicate()[0]) for process in running]
        asked = Counter(body["messages"][0]["content"] + body["messages"][1]["content"] for body in server.bodies)
    assert sum(counts) == len(server.bodies)
    # 19 findings are equal: each is asked once, or twice where both had it in flight at the same moment.
    assert len(asked) == 21 * 4 and len(server.bodies) < 2 * 20 * 4 and set(asked.values()) <= {1, 2}
