"""A model's folder as the Hub lays it out: its JSON files, the tensors of all its shards, and a model built from both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generators.blocks.config_sizes import plausible
from harness.errors import InputError, Problem
from harness.networks import checkpoints, containers
from harness.signature import digest
from harness.types import Json

if TYPE_CHECKING:
    from torch import Tensor

FILES = ("model.safetensors", "pytorch_model.bin")
"""The first that is there is read, or the shards that its `.index.json` names."""
SHOWN = 20
"""How many missing shards an error names."""


def settings(folder: Path, name: str) -> Json:
    """One JSON object of a folder.

    Raises:
        InputError: It is not there, is no JSON object, or is a configuration with sizes that no released model has.
    """
    path = folder / name
    if not path.is_file():
        raise InputError(Problem(f"the folder holds no {name}", "Give the whole released folder", str(folder)))
    try:
        found = containers.json_object(path)
    except containers.DamagedError as error:
        raise InputError(Problem(str(error), "Download it again", str(path))) from None
    if name == "config.json":
        plausible(found, str(path))
    return found


def needed(found: Json, name: str, folder: Path, file: str = "config.json") -> Any:
    """One entry of a JSON object.

    Raises:
        InputError: It is not there.
    """
    if name not in found:
        raise InputError(Problem(f"it has no {name!r}", "Give the released file", str(folder / file)))
    return found[name]


def ends(folder: Path, config: Json) -> tuple[int, ...]:
    """The ids that end a report: of generation_config.json, else of config.json.

    Raises:
        InputError: Neither says.
    """
    own = settings(folder, "generation_config.json") if (folder / "generation_config.json").is_file() else {}
    found = own.get("eos_token_id", config.get("eos_token_id"))
    if found is None:
        raise InputError(Problem("it has no 'eos_token_id'", "Give the released file", str(folder / "config.json")))
    return tuple(found) if isinstance(found, list) else (int(found),)


def tensors(folder: Path) -> dict[str, Tensor]:
    """All tensors of a folder, from one file or from its shards.

    Raises:
        InputError: It holds none, a shard is missing or damaged, or two shards hold a tensor of one name.
    """
    return dict(_each(folder))


def _each(folder: Path) -> Iterator[tuple[str, Tensor]]:
    """The tensors of a folder by name, file by file."""
    seen: set[str] = set()
    for path in files(folder):
        found = checkpoints.read(path, nested=())
        if twice := sorted(seen & found.keys()):
            raise InputError(Problem(f"it and another shard hold {twice[0]}", "Download the folder again", str(path)))
        seen |= found.keys()
        yield from found.items()


def hashed(folder: Path, convert: Callable[[Tensor], Tensor] = lambda tensor: tensor) -> tuple[dict[str, Tensor], str]:
    """All tensors of a folder and the digest of what was released, which does not depend on how they are spread over files.

    Args:
        convert: Done with each tensor as soon as its file is read, so that no more than one file is held twice.

    Raises:
        InputError: As in `tensors`.
    """
    found: dict[str, Tensor] = {}
    digests: dict[str, str] = {}
    for name, tensor in _each(folder):
        digests[name] = checkpoints.tensors_digest({name: tensor})
        found[name] = convert(tensor)
    return found, digest(digests)


def files(folder: Path, wanted: Callable[[str], bool] = lambda name: True) -> list[Path]:
    """The files of a folder's weights, safetensors first.

    Args:
        wanted: Which tensors are; shards that hold none of them need not be here.

    Raises:
        InputError: It holds none, or a shard is missing.
    """
    for name in FILES:
        if (folder / name).is_file():
            return [folder / name]
        if (folder / f"{name}.index.json").is_file():
            return _shards(folder, f"{name}.index.json", wanted)
    raise InputError(Problem(f"the folder holds neither {FILES[0]} nor {FILES[1]}, whole or in shards", "Give the folder", str(folder)))


def _shards(folder: Path, index: str, wanted: Callable[[str], bool]) -> list[Path]:
    places = needed(settings(folder, index), "weight_map", folder, index)
    shards = sorted({str(place) for name, place in places.items() if wanted(name)}) if isinstance(places, dict) else []
    here = {path.name for path in folder.iterdir() if path.is_file()}
    lacking = [repr(shard)[1:-1][:80] for shard in shards if shard not in here]
    if lacking or not shards:
        what = f"{len(lacking)} shards that it names are missing: {', '.join(lacking[:SHOWN])}" if lacking else "it names no shard"
        raise InputError(Problem(what, "Download the folder again", str(folder / index)))
    return [folder / shard for shard in shards]


def parted(found: Mapping[str, Tensor], parts: tuple[str, ...]) -> dict[str, dict[str, Tensor]]:
    """Tensors by the beginnings of their names, which are taken off.

    What belongs to no part goes to the last one, which names it as unexpected; left out it would be lost.
    """
    own = {part: {name.removeprefix(part): tensor for name, tensor in found.items() if name.startswith(part)} for part in parts}
    own[parts[-1]] |= {name: tensor for name, tensor in found.items() if not name.startswith(parts)}
    return own


def built(make: Any, found: Mapping[str, Tensor], file: str, dtype: Any, device: str) -> Any:
    """Build a module and put tensors into it without a second copy of them.

    Args:
        make: Makes the module; called once without memory for its weights.
        found: Exactly the tensors of its state.
        file: What an error names.

    Raises:
        InputError: Tensors are missing, unexpected or of another shape; all are named.
    """
    import torch

    with torch.device("meta"):
        module = make()
    checkpoints.check(found, {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}, file)
    module.load_state_dict({name: tensor.to(device, dtype) for name, tensor in found.items()}, assign=True)
    return module.requires_grad_(False).eval()


def gathered(*makers: Callable[[], Any]) -> list[Any]:
    """What each of them makes.

    Raises:
        InputError: Some cannot; with the problems of all.
    """
    made: list[Any] = []
    problems: list[Problem] = []
    for make in makers:
        try:
            made.append(make())
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return made
