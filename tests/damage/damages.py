"""Ways in which a file is damaged, each from a seed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from harness.storage.stored import SEAL, seal

Damage = Callable[[Path, Random], None]
ODD: tuple[Any, ...] = (None, True, -1, 1e308, float("nan"), float("inf"), "", "x", "\ud800", [], {}, [[]], {"a": 1}, 10**400, "nan")
"""Values of other kinds."""


def flip(path: Path, random: Random) -> None:
    """One bit of one byte."""
    data = bytearray(path.read_bytes())
    data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    path.write_bytes(bytes(data))


def change(path: Path, random: Random) -> None:
    """One byte becomes another printable one."""
    data = bytearray(path.read_bytes())
    data[random.randrange(len(data))] = random.choice(b'0123456789abcxyz"{}[],:. \n')
    path.write_bytes(bytes(data))


def cut(path: Path, random: Random) -> None:
    """The file ends early."""
    data = path.read_bytes()
    path.write_bytes(data[: random.randrange(len(data))])


def empty(path: Path, random: Random) -> None:
    """No byte is left."""
    path.write_bytes(b"")


def deep(path: Path, random: Random) -> None:
    """Brackets without end."""
    path.write_bytes(b"[" * 200_000)


def deep_object(path: Path, random: Random) -> None:
    """Deep and complete."""
    path.write_bytes(b'{"schema": 1, "data": ' * 5_000 + b"1" + b"}" * 5_000)


def binary(path: Path, random: Random) -> None:
    """Random bytes."""
    path.write_bytes(random.randbytes(random.choice((1, 100, 10_000))))


def zeros(path: Path, random: Random) -> None:
    """As a crash of some file systems leaves it."""
    path.write_bytes(bytes(len(path.read_bytes())))


def folder(path: Path, random: Random) -> None:
    """A directory in its place."""
    path.unlink()
    path.mkdir()
    (path / "inside").write_text("x")


def dangling(path: Path, random: Random) -> None:
    """A link to nothing in its place."""
    path.unlink()
    path.symlink_to(path.parent / "nowhere")


def pipe(path: Path, random: Random) -> None:
    """A named pipe in its place: opening it for reading would wait for ever."""
    path.unlink()
    os.mkfifo(path)


def forbidden(path: Path, random: Random) -> None:
    """Nobody may read it; the superuser may."""
    path.chmod(0)


def gone(path: Path, random: Random) -> None:
    """It is not there."""
    path.unlink()


def other(path: Path, random: Random) -> None:
    """The content of another file of its folder."""
    others = sorted(item for item in path.parent.iterdir() if item.is_file() and item.suffix == path.suffix and item != path)
    if others:
        shutil.copyfile(random.choice(others), path)
    else:
        path.write_bytes(b"{}")


def value(path: Path, random: Random) -> None:
    """A field of another kind, in a file that has no seal."""
    _edited(path, random, lambda holder, key: holder.__setitem__(key, random.choice(ODD)), sealed=False)


def sealed_value(path: Path, random: Random) -> None:
    """A field of another kind, in a file that was sealed after it."""
    _edited(path, random, lambda holder, key: holder.__setitem__(key, random.choice(ODD)), sealed=True)


def missing(path: Path, random: Random) -> None:
    """A field is missing, in a file that has no seal."""
    _edited(path, random, lambda holder, key: holder.__delitem__(key), sealed=False)


def _edited(path: Path, random: Random, edit: Callable[[Any, Any], None], *, sealed: bool) -> None:
    """Change one place of a JSON file; of lines, one place of one line; of another file, a byte."""
    lines = path.read_bytes().split(b"\n")
    whole = path.suffix == ".json"
    at = 0 if whole else random.randrange(max(1, len(lines) - 1))
    try:
        data = json.loads(path.read_bytes() if whole else lines[at])
        holder, key = random.choice(list(_places(data)))
    except (ValueError, IndexError):
        return change(path, random)
    edit(holder, key)
    if whole and isinstance(data, dict):
        data.pop(SEAL, None)
        with suppress(ValueError):
            data = seal(data) if sealed else data
    text = json.dumps(data)
    path.write_bytes(text.encode() if whole else b"\n".join([*lines[:at], text.encode(), *lines[at + 1 :]]))
    return None


def _places(data: Any) -> Any:
    """Every place of a value: what holds it, and under which key."""
    for key in data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ():
        yield data, key
        yield from _places(data[key])


PLAIN: tuple[Damage, ...] = (cut, empty, deep, deep_object, binary, zeros, folder, dangling, pipe)
"""After these a file cannot be taken for whole."""
DAMAGES: tuple[Damage, ...] = (*PLAIN, flip, change, forbidden, gone, other, value, sealed_value, missing)
