"""How fast a sheet of 300 reports opens and answers a key, in Chromium, and whether a killed browser loses an answer.

Run by: python -m benchmarks.readers_page [--kills 100].
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Error, Page, Playwright, sync_playwright

from harness.cohorts.synthetic.cohort import build
from harness.types import Access, Section
from validation.readers import page, questions
from validation.readers.draw import order
from validation.readers.study import CohortRef, Draw, Item, ReadingStudy

REPORTS = 300
LISTEN = """() => {
    window.times = [];
    // From the key's own time stamp to the frame after the one in which its effect is drawn.
    addEventListener("keydown", event => requestAnimationFrame(() => requestAnimationFrame(now => window.times.push(now - event.timeStamp))), true);
}"""


def sheet(folder: Path) -> Path:
    """A sheet of 300 synthetic reports with 20 repeats."""
    cohort = build(REPORTS, 0, train=0, dev=1)
    items = tuple(Item(id=f"{number:03d}", study=study.id, patient=study.patient, text="") for number, study in enumerate(cohort.scored))
    study = ReadingStudy(
        form=questions.form("findings"),
        cohort=CohortRef(name="synthetic", digest="0" * 64, section=Section.BOTH, access=Access.OPEN, language="en"),
        draw=Draw(how="random", part="test", of=REPORTS),
        salt="00",
        items=items,
        orders={"reader-1": order([item.id for item in items], "reader-1", 20, "1")},
        at_least=1,
    )
    texts = {item.id: (cohort.reference(item.study),) for item in items}
    path = folder / "sheet.html"
    path.write_text(page.document(page.of_reader("speed", study, "reader-1", texts)), encoding="utf-8")
    return path


def opening(opened: Page, address: str) -> float:
    """Seconds until the first question can be answered."""
    start = time.perf_counter()
    opened.goto(address)
    opened.locator("fieldset.now").wait_for()
    return time.perf_counter() - start


def keys(opened: Page) -> list[float]:
    """Milliseconds from a key to the frame that shows its effect: answers, moves, "the rest is absent"."""
    opened.evaluate(LISTEN)
    for number in range(40):
        for key in ("1", "0", "?", "j", "k", "a", "n"):
            opened.keyboard.press(key)
            opened.wait_for_function("count => window.times.length >= count", arg=7 * number + ("10?jkan".index(key) + 1))
    found: list[float] = opened.evaluate("window.times")
    return found


def killed(playwright: Playwright, path: Path, kills: int) -> None:
    """Answer a report, wait until the page says that it is kept, kill the whole browser, and look whether it is there."""
    rng, lost, kept = random.Random(1), 0, 0
    with tempfile.TemporaryDirectory() as profile:
        for _ in range(kills):
            started = playwright.chromium.launch_persistent_context(
                profile, executable_path=shutil.which("chromium"), args=["--no-sandbox", "--headless"]
            )
            opened = started.new_page()
            opened.goto(path.as_uri())
            opened.locator(f"text={kept} of ").first.wait_for(timeout=5000) if kept else opened.locator("fieldset.now").wait_for()
            for _ in range(rng.randint(1, 3)):
                for key in ("1", "a", "n"):
                    opened.keyboard.press(key)
            opened.locator(".state[data-pending='0']").wait_for()
            now = int(opened.locator("progress").get_attribute("value") or 0)
            lost, kept = lost + (now <= kept), now
            for process in of_profile(profile):
                os.kill(process, signal.SIGKILL)
            with contextlib.suppress(Error):
                started.close()
            for left in Path(profile).glob("Singleton*"):
                left.unlink()
    print(f"{kills} kills of the browser, {kept} reports answered, {lost} times an answer was lost")


def of_profile(profile: str) -> list[int]:
    """The processes of the browser that was started with a profile."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if f"--user-data-dir={profile}".encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=0)
    kills = parser.parse_args().kills
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = sheet(Path(folder))
        if kills:
            killed(playwright, path, kills)
            return
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--headless"])
        opened = browser.new_page()
        first = [opening(opened, path.as_uri()) for _ in range(7)]
        times = sorted(keys(opened))
        again = [opening(opened, path.as_uri()) for _ in range(7)]
        print(f"{path.stat().st_size / 1e3:,.0f} kB, {REPORTS + 20} reports")
        print(
            f"opens in {statistics.median(first):.2f} s (slowest of 7: {max(first):.2f}), with 40 reports answered in {statistics.median(again):.2f} s"
        )
        print(
            f"a key is drawn after {statistics.median(times):.0f} ms (95 % within {times[int(0.95 * len(times))]:.0f}, slowest {times[-1]:.0f}; "
            "two frames, about 17 ms each, are the least there can be)"
        )
        browser.close()


if __name__ == "__main__":
    main()
