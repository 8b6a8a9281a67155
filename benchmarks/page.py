"""How the page holds up: 1,000 systems on 590 studies, in Chromium and under 50 visitors. Run by: python -m benchmarks.page."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from harness.cohorts.synthetic.cohort import build, matrix_of, present_findings
from harness.cohorts.synthetic.cohort import labels as to_labels
from harness.cohorts.synthetic.labels import perturb
from harness.cohorts.synthetic.systems import systems as systems_of
from harness.metrics import metric
from harness.records import ranks, snapshot
from harness.records.store import Store
from harness.scoring import demo, evaluation
from harness.storage.progress import progress
from harness.types import Grade, Input, SystemCard

VISITORS = 50
REQUESTS = 5_000


def fill(store: Store, systems: int) -> None:
    """Systems of every quality on one cohort, from labels alone, and their ranks."""
    cohort = build(590)
    first = demo.sides(cohort, next(iter(systems_of(cohort))))
    studies, rng = [item.study for item in first.references], np.random.default_rng(0)
    truth = matrix_of(cohort.labels, studies)
    for index in progress(range(systems), "Scoring", unit="system"):
        rate = rng.uniform(0.2, 0.9)
        said = present_findings(perturb(truth, rate, rate * rng.uniform(0.2, 0.6), rng))
        candidates = tuple(Input(study, "", labels={"ran-21": to_labels(found)}) for study, found in zip(studies, said, strict=True))
        card = SystemCard(f"system-{index:04d}", organisation=f"group {index % 97}")
        made = evaluation.evaluate(
            replace(first, candidates=candidates), [metric("ran-score")], card=card, grade=Grade.SCORED_HERE, created="2026-01-01T00:00:00Z"
        )
        store.add(made.record, made.rows, None, first.patients)
    for found in ranks.make(store):
        snapshot.save(store.root, found)


@contextmanager
def serving(store: Store) -> Iterator[tuple[str, int]]:
    """The page in a process of its own: its address and process id."""
    command = [sys.executable, "-m", "ranscore", "serve", "--store", str(store.root), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}) as server:
        try:
            found = re.search(r"http://\S+", server.stdout.readline() if server.stdout else "")
            assert found
            yield found[0], server.pid
        finally:
            server.terminate()


def memory(process: int) -> float:
    """Resident memory in MB."""
    return int(re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{process}/status").read_text())[0]) / 1024


async def visit(address: str, paths: list[str], requests: int) -> tuple[list[float], int]:
    """That many requests by 50 visitors at once: seconds of each, and how many failed."""
    import aiohttp

    times: list[float] = []
    failed = 0
    waiting = iter(range(requests))

    async def one(session: aiohttp.ClientSession) -> None:
        nonlocal failed
        for index in waiting:
            begun = time.perf_counter()
            async with session.get(address + paths[index % len(paths)]) as answer:
                await answer.read()
                failed += answer.status != 200
            times.append(time.perf_counter() - begun)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=VISITORS)) as session:
        await asyncio.gather(*(one(session) for _ in range(VISITORS)))
    return times, failed


def browse(address: str) -> dict[str, float]:
    """In Chromium: seconds until the board can be used, milliseconds of a sort and of a search, each until the next frame is drawn."""
    from playwright.sync_api import sync_playwright

    timed = (
        "(run) => new Promise(done => {{ const t = performance.now(); {0}; "
        "requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - t))); }})"
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--headless", "--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        usable = []
        for _ in range(3):
            begun = time.perf_counter()
            page.goto(address)
            page.locator("th[data-key=system] button").wait_for()
            usable.append(time.perf_counter() - begun)
        sorts = [page.evaluate(timed.format("document.querySelector('th[data-key=system] button').click()")) for _ in range(5)]
        typing = "const q = document.querySelector('input[name=q]'); q.value = q.value ? '' : '12'; q.dispatchEvent(new Event('input', {bubbles: true}))"
        searches = [page.evaluate(timed.format(typing)) for _ in range(6)]
        browser.close()
    return {
        "usable first, s": usable[0],
        "usable again, s": min(usable[1:]),
        "sort worst, ms": max(sorts),
        "filter worst, ms": max(searches),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--systems", type=int, default=1000)
    parser.add_argument("--store", type=Path, help="keep the synthetic store here, and use it again")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(arguments.store or Path(folder) / "store")
        if not (store.root / "snapshots").is_dir():
            fill(store, arguments.systems)
        with serving(store) as (address, process):
            begun = time.perf_counter()
            asyncio.run(visit(address, ["/ranscore/view?tab=board"], 1))
            found: dict[str, float] = {"start to first answer, s": time.perf_counter() - begun}
            found |= browse(address)
            paths = ["/", "/ranscore/view?tab=board", "/ranscore/view?tab=findings", "/ranscore/view?tab=agree", "/ranscore/export/csv"]
            asyncio.run(visit(address, paths, 250))
            before = memory(process)
            times, failed = asyncio.run(visit(address, paths, REQUESTS))
            found |= {"requests": len(times), "failed": failed, "p50, ms": 1000 * float(np.percentile(times, 50))}
            found |= {
                "p95, ms": 1000 * float(np.percentile(times, 95)),
                "memory before, MB": before,
                "memory growth, MB": memory(process) - before,
            }
    print(json.dumps({name: round(value, 2) for name, value in found.items()}, indent=1))


if __name__ == "__main__":
    main()
