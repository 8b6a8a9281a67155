"""Reading released weights: tensors only, no code executed, every wrong tensor named at once."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.config.home import pip_install
from harness.errors import InputError, Problem, UnavailableError
from harness.networks import containers
from harness.storage.files import writing

if TYPE_CHECKING:
    from torch import Tensor

NESTED = ("model_state_dict", "state_dict", "model")
"""Keys under which training scripts put the weights, beside the optimizer, the epoch and the like."""
SHOWN = 20
"""How many tensors of one kind an error names before it counts the rest."""


def read(path: Path, nested: Sequence[str] = NESTED) -> dict[str, Tensor]:
    """Read the tensors of one file, `.safetensors` or PyTorch's format (old or new), on the CPU.

    Nothing that the file names is executed or imported (see `torch_files`), and no more memory is taken than the file has bytes.
    Optimizer, epoch and configuration are dropped, and a `module.` before every name is taken off.

    Args:
        path: The file.
        nested: Keys under which the weights may be; the first that is there is taken, else the whole file.

    Raises:
        UnavailableError: There is no such file, or torch is not installed.
        InputError: The file is not a checkpoint, is damaged, is a program (TorchScript), or holds what cannot be read safely.
    """
    if not path.is_file():
        raise UnavailableError(Problem("there is no such file of weights", "Check the path", str(path)))
    _need_torch()
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    found = _read_torch(path)
    for key in nested:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
            break
    if not isinstance(found, Mapping):
        raise InputError(Problem("it holds no table of tensors", "Give the released file", str(path)))
    return unwrapped({str(name): value for name, value in found.items() if _is_tensor(value)})


def unwrapped(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Take off the `module.` that DataParallel puts before every name."""
    if tensors and all(name.startswith("module.") for name in tensors):
        return {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    return dict(tensors)


def check(found: Mapping[str, Tensor], expected: Mapping[str, tuple[int, ...]], file: str) -> None:
    """Compare with a layout, and look for values that are no numbers.

    Raises:
        InputError: Names every missing, unexpected and misshapen tensor (up to 20 of a kind, then their number); where there is
            none, every tensor that holds NaN or infinity.
    """
    wrong = [
        (f"{name} is {list(found[name].shape)}, not {list(shape)}")
        for name, shape in expected.items()
        if name in found and tuple(found[name].shape) != shape
    ]
    kinds = {
        "missing tensors": [name for name in expected if name not in found],
        "unexpected tensors": [name for name in found if name not in expected],
        "tensors of another shape": wrong,
    }
    problems = [
        Problem(f"{len(names)} {kind}: {_shown(names)}", "Give the released file, or name the layout it has", file)
        for kind, names in kinds.items()
        if names
    ]
    if problems:
        raise InputError(problems)
    finite(found.items(), file)


def finite(tensors: Iterable[tuple[str, Tensor]], file: str) -> None:
    """Look for values that are no numbers: with one of them a system writes nonsense, or the same report for every film.

    A mask may hold minus infinity. The look costs about a fifth of what the digest costs.

    Raises:
        InputError: Names every tensor that holds NaN or infinity.
    """
    bad = [name for name, tensor in tensors if not _is_finite(tensor) and "mask" not in name.rpartition(".")[2]]
    if bad:
        what = f"{len(bad)} tensors hold NaN or infinity: {_shown(bad)}"
        raise InputError(Problem(what, "Download it again; if it stays so, its training has failed", file))


def _is_finite(tensor: Tensor) -> bool:
    import torch

    if tensor.is_meta or not tensor.numel() or not (tensor.is_floating_point() or tensor.is_complex()):
        return True
    values = torch.view_as_real(tensor) if tensor.is_complex() else tensor
    if values.itemsize == 1:  # torch has no largest value of an 8-bit float
        values = values.to(torch.float16)
    return all(math.isfinite(float(end)) for end in torch.aminmax(values))


def write_safetensors(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write tensors as one safetensors file, atomically."""
    from safetensors.torch import save

    with writing(path) as stream:
        stream.write(save({name: tensor.contiguous().clone() for name, tensor in tensors.items()}))


def tensors_digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, shapes, types and values, in the order of the names: the same for either file format."""
    import torch

    total = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        total.update(f"{name} {list(tensor.shape)} {tensor.dtype}\n".encode())
        total.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()


def cached(repositories: Iterable[str], file: str) -> Path | None:
    """Where the Hub's local cache holds a file of the first of these repositories that has it; asks no network."""
    from huggingface_hub import try_to_load_from_cache

    for repository in repositories:
        found = try_to_load_from_cache(repository, file)
        if isinstance(found, str):
            return Path(found)
    return None


def _need_torch() -> None:
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise UnavailableError(f"weights need PyTorch, which is not installed. Run `{pip_install('torch')}`") from error


def _is_tensor(value: Any) -> bool:
    from torch import Tensor

    return isinstance(value, Tensor)


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    try:
        containers.safetensors_header(path)
        return unwrapped(load_file(path))
    except containers.DamagedError as error:
        raise InputError(Problem(str(error), "Download it again", str(path))) from None
    except Exception as error:  # torch raises what it likes where a type or a shape is none of its own
        what = f"it is not a safetensors file, or it is damaged or cut off ({type(error).__name__})"
        raise InputError(Problem(what, "Download it again", str(path))) from None


def _read_torch(path: Path) -> Any:
    from harness.networks import torch_files

    try:
        return torch_files.read(path)
    except containers.DamagedError as error:
        remedy = "Give the released .pth, .pt, .ckpt or .safetensors file; if it is that, download it again"
        raise InputError(Problem(str(error), remedy, str(path))) from None


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
