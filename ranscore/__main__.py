"""The command `ranscore`, also as `python -m ranscore`: ready for Ctrl-C before anything is loaded."""

import os
import signal
import sys
from types import FrameType
from typing import Any, NoReturn

INTERRUPTED = 130


def main() -> int:
    """Run one command.

    Returns:
        The exit code, as `ranscore.commands.main`.
    """
    _on_ctrl_c(_leave)  # modules are being loaded, and nothing is being written
    from ranscore.commands import main as run
    from ranscore.commands import terminal

    terminal.prepare()
    sys.unraisablehook = _unraisable
    try:
        return run(begin=lambda: _on_ctrl_c(signal.default_int_handler))
    finally:
        _on_ctrl_c(_leave)


def _on_ctrl_c(handler: Any) -> None:
    signal.signal(signal.SIGINT, handler)


def _leave(number: int = 0, frame: FrameType | None = None) -> NoReturn:
    os.write(2, b"ranscore: interrupted; nothing half written was left behind\n")
    os._exit(INTERRUPTED)


def _unraisable(found: Any) -> None:
    """Ctrl-C in a place from which Python raises nothing ends the program all the same."""
    if found.exc_type is KeyboardInterrupt:
        _leave()
    sys.__unraisablehook__(found)


if __name__ == "__main__":
    sys.exit(main())
