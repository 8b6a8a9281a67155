"""The hosted board: builds the page on a store and launches it. Settings are in RANSCORE_HOME/config.toml, table `[page]`."""

from __future__ import annotations

import os

from harness.errors import RanscoreError
from harness.records import store
from harness.storage import notes
from leaderboard.page import app


def main() -> None:
    """Serve the store in RANSCORE_HOME, on all addresses where a host asks for it."""
    hosted = bool(os.environ.get("SPACE_ID"))
    host = os.environ.get("GRADIO_SERVER_NAME") or ("0.0.0.0" if hosted else "127.0.0.1")  # noqa: S104 - a host's container
    try:
        with notes.printed():
            app.run(app.open_site(store.default()), host, int(os.environ.get("GRADIO_SERVER_PORT", "7860")))
    except RanscoreError as error:
        raise SystemExit(f"ranscore: {error}") from None


if __name__ == "__main__":
    main()
