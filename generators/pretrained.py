"""Networks of `transformers` filled with released weights: strictly, and whatever today's library calls the tensors."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from harness import checkpoints
from harness.errors import InputError, Problem, UnavailableError
from harness.signature import digest as digest_of

Rename = Callable[[str], str]
"""Today's name of a tensor to its released one."""
INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
SINGLE = ("model.safetensors", "pytorch_model.bin")
BUFFERS = re.compile(r"(^|\.)(rotary_emb\.inv_freq|relative_position_index|position_ids)$")
"""What older libraries saved beside the weights; it is computed anew."""
Layout = dict[str, tuple[int, ...]]


def empty(build: Callable[[], nn.Module]) -> nn.Module:
    """A network whose weights take no memory yet, and whose computed buffers are there."""
    from accelerate import init_empty_weights

    with init_empty_weights(include_buffers=False):
        return build().eval().requires_grad_(False)


def layout(module: nn.Module, released: Rename = str) -> Layout:
    """Released names and shapes of a network's tensors."""
    return {released(name): tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def fill(module: nn.Module, tensors: Mapping[str, Tensor], released: Rename, device: str, dtype: torch.dtype) -> None:
    """Put weights, checked before, into an empty network."""
    named = {name: tensors[released(name)].to(device, dtype) for name in module.state_dict()}
    module.load_state_dict(named, assign=True)
    module.to(device)


def without(tensors: Mapping[str, Tensor], ignored: Callable[[str], object]) -> dict[str, Tensor]:
    """Leave out what is not read: computed buffers, and what a system says it ignores."""
    return {name: tensor for name, tensor in tensors.items() if not BUFFERS.search(name) and not ignored(name)}


def files(folder: Path) -> list[Path]:
    """The files of weights in a folder of `transformers`, safetensors first.

    Raises:
        UnavailableError: There are none, or the index names one that is not here.
    """
    found = next((folder / name for name in INDEXES if (folder / name).is_file()), None)
    one = next((folder / name for name in SINGLE if (folder / name).is_file()), None)
    if one is not None and (found is None or one.suffix == ".safetensors"):
        return [one]
    if found is None:
        what = f"the folder holds neither {' nor '.join((*SINGLE, *INDEXES))}"
        raise UnavailableError(Problem(what, "Give the whole folder as released", str(folder)))
    return _shards(found)


def _shards(index: Path) -> list[Path]:
    try:
        # Only names inside the folder: an index is downloaded, too.
        names = sorted({Path(str(name)).name for name in json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()})
    except (ValueError, KeyError, AttributeError) as error:
        raise InputError(Problem("it is not an index of weights", "Download it again", str(index))) from error
    paths = [index.with_name(name) for name in names]
    if lacking := [path for path in paths if not path.is_file()]:
        raise UnavailableError([Problem("a part of the weights is not here", "Download it", str(path)) for path in lacking])
    return paths


def read_folder(folder: Path, convert: Callable[[Tensor], Tensor] = lambda tensor: tensor) -> tuple[dict[str, Tensor], str]:
    """All tensors of a folder and their digest, which does not depend on how they are spread over files.

    Args:
        convert: Done with each tensor as soon as its file is read, so that no more than one file is held twice.
    """
    found: dict[str, Tensor] = {}
    digests: dict[str, str] = {}
    for path in files(folder):
        for name, tensor in checkpoints.read(path).items():
            digests[name] = checkpoints.tensors_digest({name: tensor})
            found[name] = convert(tensor)
    return found, digest_of(digests)


def settings(kind: Any, folder: Path) -> Any:
    """A folder's `config.json` as the library's class of settings.

    Raises:
        UnavailableError: The folder has none.
        InputError: It cannot be read.
    """
    path = folder / "config.json"
    if not path.is_file():
        raise UnavailableError(Problem("the folder has no config.json", "Give the whole folder as released", str(folder)))
    try:
        return kind.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise InputError(Problem(f"it is not a {kind.__name__}", "Download it again", str(path))) from error


def renamed(table: Iterable[tuple[str, str]]) -> Rename:
    """A function that replaces patterns in a name, one after the other."""
    rules = [(re.compile(pattern), put) for pattern, put in table]

    def rename(name: str) -> str:
        for pattern, put in rules:
            name = pattern.sub(put, name)
        return name

    return rename


def numbered(names: Iterable[str], stem: str) -> int:
    """How many layers a file holds: one more than the largest number after a stem; 0 without any."""
    return max((number for name in names for number in _after(name, stem)), default=-1) + 1


def _after(name: str, stem: str) -> Iterator[int]:
    found = re.match(re.escape(stem) + r"\.(\d+)\.", name)
    if found:
        yield int(found[1])
