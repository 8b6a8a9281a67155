"""Chromium, and the page served on this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

from harness.records.store import Store
from tests.boards import board_content, demo_store, folder, hostile_store

__all__ = ["board_content", "demo_store", "folder", "hostile_store"]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests; each opens windows of its own."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def serving(store: Store, *options: str, errors: IO[bytes] | int | None = None, command: str = "serve", **variables: str) -> Iterator[str]:
    """`ranscore serve` in a process of its own; its address.

    Args:
        store: What it serves.
        options: Of the command.
        errors: Where its standard error goes; by default where the test's does.
        command: `demo` serves a store of its own, beside this one.
        variables: Of its environment.
    """
    which = ["--store", str(store.root)] if command == "serve" else []
    words = [sys.executable, "-m", "ranscore", command, *which, "--port", "0", *options]
    environment = {**os.environ, "RANSCORE_HOME": str(store.root.parent), "PYTHONUNBUFFERED": "1", **variables}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment) as server:
        try:
            assert server.stdout
            found = next((match for line in server.stdout if (match := re.search(r"The board is at (http://\S+)", line))), None)
            assert found, "the server did not say its address"
            wait(found[1])
            yield found[1]
        finally:
            server.terminate()


def wait(address: str) -> None:
    """Until the server answers: the listener is there before the app behind it."""
    from urllib.request import urlopen

    with urlopen(f"{address}/ranscore/view?tab=about", timeout=60) as answer:
        assert answer.status == 200


@pytest.fixture(scope="session")
def address(demo_store: Store) -> Iterator[str]:
    """The synthetic board, served."""
    with serving(demo_store) as found:
        yield found


@contextmanager
def window(chromium: Browser, address: str, width: int = 1440, scheme: str = "light") -> Iterator[Page]:
    """A window that fails the test where the page asks a foreign host, raises an error, or runs what a stranger wrote."""
    context = chromium.new_context(
        viewport={"width": width, "height": 844 if width < 600 else 900},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
        accept_downloads=True,
    )
    page = context.new_page()
    wrong: list[str] = []

    def refuse(dialog: Dialog) -> None:
        wrong.append(dialog.message)
        dialog.dismiss()

    page.on("request", lambda asked: None if asked.url.startswith((address, "data:", "blob:", "file:")) else wrong.append(asked.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", refuse)
    try:
        yield page
        assert page.evaluate("window.pwned") is None
        assert wrong == []
    finally:
        context.close()


def visit(page: Page, address: str, query: str = "") -> None:
    """Open a page of the board and wait until it is there."""
    page.goto(f"{address}/{query}")
    page.locator(".rs-on h2").first.wait_for()


def shoot(page: Page, name: str) -> None:
    """Keep a picture for the documentation, when asked to."""
    if os.environ.get("RANSCORE_SCREENSHOTS"):
        page.wait_for_timeout(300)
        page.screenshot(path=str(Path(__file__).parents[2] / "docs" / "images" / f"{name}.png"))
