"""Networks of `transformers` filled with released weights: strictly, and whatever today's library calls the tensors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

import torch
from torch import Tensor, nn

Rename = Callable[[str], str]
"""Today's name of a tensor to its released one."""
BUFFERS = re.compile(r"(^|\.)(rotary_emb\.inv_freq|relative_position_index|position_ids)$")
"""What older libraries saved beside the weights; it is computed again."""
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
