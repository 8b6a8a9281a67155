"""Several hundred hostile requests: each gets a clear refusal, and the page lives on."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.door.asking import Way, ask
from tests.door.attacks import Attack, every
from tests.door.conftest import Running, still_there

ATTACKS = every()


def test_there_are_enough_of_each_group() -> None:
    groups = Counter(attack.group.split()[0] for attack in ATTACKS)
    assert groups["1"] > 120 and groups["2"] > 100 and groups["4"] > 200
    assert len({(attack.group, attack.name) for attack in ATTACKS}) == len(ATTACKS)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"{attack.group}: {attack.name[:60]}".encode("ascii", "replace").decode())
def test_it_is_refused_in_words(way: Way, attack: Attack) -> None:
    answer = ask(way, attack.method, attack.path, attack.headers, attack.body, attack.host)
    assert answer.status in attack.status, (answer.status, answer.body[:300])
    assert answer.body or answer.status == 0
    assert attack.says in answer.body.decode()
    assert b"Traceback" not in answer.body and not [name for name in answer.headers if name.startswith("access-control")]


def test_the_page_lives_on_and_kept_nothing(way: Way, page: Running) -> None:
    assert still_there(way).body
    kept = page.board_folder.ledger.state().submissions.values()
    assert {item.card.name.split()[0] for item in kept} <= {"Own", "Steps", "Equal"}
