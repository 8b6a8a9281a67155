"""A small synthetic store with its cohort beside it, and names that mean harm."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness import cohorts
from harness.metrics import metric
from harness.records import ranks, snapshot
from harness.records.record import Record
from harness.records.store import Store
from harness.scoring import demo
from harness.types import Grade, Role
from leaderboard.content import BoardContent

HOSTILE = (
    "<script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    "<svg onload=window.pwned=1>",
    '"><script>window.pwned=1</script>',
    "' onmouseover='window.pwned=1",
    '" autofocus onfocus="window.pwned=1',
    "</td></tr></table><script>window.pwned=1</script>",
    "</title><script>window.pwned=1</script>",
    "</style><script>window.pwned=1</script>",
    "</textarea><script>window.pwned=1</script>",
    "<!--<script>window.pwned=1</script>",
    "<a href=javascript:window.pwned=1>x</a>",
    "[x](javascript:window.pwned=1)",
    "![x](https://evil.example/x.png)",
    "<iframe src=https://evil.example></iframe>",
    "<style>@import url(https://evil.example/x.css)</style>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "${window.pwned=1}",
    "{{constructor.constructor('window.pwned=1')()}}",
    "`${window.pwned=1}`",
    '=HYPERLINK("https://evil.example")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\\input{/etc/passwd}",
    "\\write18{touch pwned}",
    "}, note = {pwned",
    "- dataset: {id: pwned}\n  value: 1",
    "name\x00with\x1bcontrol\u202eedoc",
    "&lt;script&gt;window.pwned=1&lt;/script&gt;",
    "a | b | c\n\n# heading",
    "javascript:window.pwned=1",
)
"""Names that try to be markup, a script, a formula, a macro, an entry, a template."""
LINKS = (
    "javascript:window.pwned=1",
    "data:text/html,<script>window.pwned=1</script>",
    "JaVaScRiPt:alert(1)",
    "https://user:pw@evil.example/",
    "//evil.example/x",
    'https://evil.example/" onclick="window.pwned=1',
    "https://evil.example/<script>",
    "vbscript:x",
    "\x01javascript:alert(1)",
    "https://[broken",
)


@pytest.fixture(scope="session")
def demo_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The synthetic board at a small size, with two text metrics, its cohort beside the store."""
    root = tmp_path_factory.mktemp("demo")
    store = Store(root / "store")
    cohort = demo.fill(store, [metric("ran-score"), metric("bleu:coco|ptb"), metric("rouge-l:coco|ptb")], studies=120)
    cohorts.save(cohort, root / "cohorts" / "synthetic")
    return store


@pytest.fixture
def board_content(demo_store: Store) -> BoardContent:
    """As pages see it."""
    return BoardContent(demo_store)


def hostile(record: Record, name: str, index: int) -> Record:
    """A record whose every submitted string means harm."""
    link = LINKS[index % len(LINKS)]
    card = replace(record.system, name=name, version=name[:20], organisation=name, link=link, role=Role.SYSTEM)
    return replace(record, system=card, grade=Grade.SCORED_HERE, created="2026-01-01T00:00:00Z", unavailable={name: name})


@pytest.fixture(scope="session")
def hostile_store(demo_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store in which everybody means harm."""
    store = Store(tmp_path_factory.mktemp("hostile") / "store")
    first = next(item for item in demo_store.all() if item.record.system.role is Role.SYSTEM)
    rows, patients = demo_store.rows(first.record), demo_store.patients(first.record.cohort)
    for index, name in enumerate(HOSTILE):
        store.add(hostile(first.record, name, index), rows, dict.fromkeys(patients, name), patients)
    store.withdraw(store.all()[0].id, HOSTILE[0])
    for made in ranks.make(store):
        snapshot.save(store.root, made)
    return store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for a static site."""
    return tmp_path / "site"
