"""Whether the numbers of a `config.json` fit the weights beside it, before a model is built from them.

A stock class allocates what its configuration says. A configuration that says more than its files hold is damaged or hostile.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from harness.errors import InputError, Problem
from harness.types import Json

LARGEST = 2**31 - 1
"""Of any whole number: a vocabulary, a width, a number of positions."""
MOST = 4_096
"""Of layers, blocks, heads and experts: each is built one by one. The largest released models have some 500 of a kind."""
LABELS = 100_000
"""Of labels: a name is made for each."""
PARTS = re.compile(r"(layers?|depths?|blocks?|heads|experts|stages|repeats?|groups|levels)$")
SPARE = 2.1
"""How many times the numbers in its files a model may have: an output layer that is its embedding is released once."""
COMPUTED = 2_000_000_000
"""Bytes of tables that a class computes for itself: positions, masks."""
SHOWN = 10


def plausible(settings: Json, file: str) -> None:
    """Look for whole numbers that no released model has.

    Raises:
        InputError: Names every one of them.
    """
    wrong = [(name, value, most) for name, value in _numbers(settings) if abs(value) > (most := _most(name))]
    if wrong:
        listed = ", ".join(f"{name} is {_short(value)} (at most {most:,})" for name, value, most in wrong[:SHOWN])
        more = f", and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise InputError(Problem(f"no released model has such sizes: {listed}{more}", "Download the folder again", file))


def fitting(stock: Any, folder: Path) -> None:
    """Build a stock class without memory for its weights, and hold its size against the files.

    Args:
        stock: A class of transformers with `from_pretrained`, or one of its `AutoModel` classes.
        folder: A folder whose `config.json` is plausible and whose weights are safetensors with true headers.

    Raises:
        InputError: The configuration describes more numbers than the files hold, or cannot be built.
    """
    import torch
    from transformers import AutoConfig

    held = sum(_held(path) for path in folder.glob("*.safetensors"))
    file = str(folder / "config.json")
    try:
        config = cast(Any, AutoConfig).from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        with torch.device("meta"):
            model = stock.from_config(config) if hasattr(stock, "from_config") else stock(config)
    except Exception as error:  # transformers raises what it likes on a contradictory configuration
        raise InputError(Problem(f"no model can be built from it ({type(error).__name__})", "Download it again", file)) from None
    described = sum(tensor.numel() for tensor in model.parameters())
    computed = sum(tensor.numel() * tensor.element_size() for tensor in model.buffers())
    if described > held * SPARE or computed > COMPUTED:
        what = f"it describes {described:,} numbers and {computed:,} bytes of computed tables; the files beside it hold {held:,} numbers"
        raise InputError(Problem(what, "Download the whole folder again", file))


def _held(path: Path) -> int:
    """How many numbers a file of safetensors holds, by its header."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as opened:
            return sum(math.prod(opened.get_slice(name).get_shape()) for name in opened.keys())  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        what = f"it is not a safetensors file, or it is damaged or cut off ({type(error).__name__})"
        raise InputError(Problem(what, "Download it again", str(path))) from None


def _numbers(value: Any, name: str = "") -> Iterator[tuple[str, int]]:
    """Every whole number in a JSON value, with the key that it is under."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _numbers(inner, str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _numbers(inner, name)
    elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value == int(value):
        yield name[:60], int(value)


def _most(name: str) -> int:
    if name == "num_labels":
        return LABELS
    return MOST if PARTS.search(name) else LARGEST


def _short(value: int) -> str:
    return f"{value:,}" if abs(value) < 10**15 else f"{value:.1e}" if abs(value) < 10**300 else "enormous"
