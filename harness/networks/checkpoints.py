"""Reading released weights: tensors only, no code executed, every wrong tensor named at once."""

from __future__ import annotations

import hashlib
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from harness.errors import InputError, Problem, UnavailableError
from harness.files import writing
from harness.home import pip_install

if TYPE_CHECKING:
    from torch import Tensor

NESTED = ("model_state_dict", "state_dict", "model")
"""Keys under which training scripts put the weights, beside the optimizer, the epoch and the like."""
SHOWN = 20
"""How many tensors of one kind an error names before it counts the rest."""


class Inert(dict[Any, Any]):
    """Stands in for every foreign object of a checkpoint (its configuration, say): swallows all, does nothing."""

    def __new__(cls, *_: Any, **__: Any) -> Inert:
        """Ignore what the object was made from."""
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()

    def __call__(self, *_: Any, **__: Any) -> Inert:
        """Being called is being made again."""
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        """Hold nothing."""

    __setstate__ = append = extend = add = __call__


class _Unpickler(pickle.Unpickler):
    """Rebuilds tensors and plain containers; every other name in the file becomes `Inert` without being imported."""

    def find_class(self, module: str, name: str) -> Any:
        import torch

        known = {
            "torch._utils._rebuild_tensor_v2": torch._utils._rebuild_tensor_v2,
            "torch._utils._rebuild_parameter": torch._utils._rebuild_parameter,
            "collections.OrderedDict": OrderedDict,
        }
        return known.get(f"{module}.{name}", Inert)


def read(path: Path, nested: Sequence[str] = NESTED) -> dict[str, Tensor]:
    """Read the tensors of one file, `.safetensors` or PyTorch's format (old or new), on the CPU.

    PyTorch files are read by a restricted unpickler; classes that it does not know become `Inert`, so nothing that the file
    names is executed or imported. Optimizer, epoch and configuration are dropped, and a `module.` before every name is taken off.

    Args:
        path: The file.
        nested: Keys under which the weights may lie; the first that is there is taken, else the whole file.

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
    """Compare with a layout.

    Raises:
        InputError: Names every missing, unexpected and misshapen tensor (up to 20 of a kind, then their number).
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
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return unwrapped(load_file(path))
    except SafetensorError:
        raise InputError(Problem("it is not a safetensors file, or it is cut off", "Download it again", str(path))) from None


def _read_torch(path: Path) -> Any:
    packed = zipfile.is_zipfile(path)
    if packed:
        _refuse_programs(path)
    elif _first_byte(path) != b"\x80":
        raise InputError(Problem("it is not a PyTorch checkpoint", "Give the released .pth, .pt, .ckpt or .safetensors file", str(path)))
    try:
        return _load(path, packed)
    except (ArithmeticError, AttributeError, EOFError, LookupError, RuntimeError, TypeError, ValueError, pickle.UnpicklingError) as error:
        what = f"it is damaged, or holds what cannot be read without executing code ({type(error).__name__})"
        raise InputError(Problem(what, "Download it again; if it stays so, ask its authors for safetensors", str(path))) from None


def _first_byte(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(1)


def _load(path: Path, packed: bool) -> Any:
    """By PyTorch's own safe reader; where that refuses a foreign class, by ours, which replaces such classes."""
    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=packed)
    except pickle.UnpicklingError:
        tolerant = SimpleNamespace(__name__="tolerant", Unpickler=_Unpickler, load=lambda stream, **_: _Unpickler(stream).load())
        return torch.load(path, map_location="cpu", pickle_module=tolerant, weights_only=False, mmap=packed)


def _refuse_programs(path: Path) -> None:
    """TorchScript archives hold code; plain checkpoints never have a `constants.pkl`."""
    with zipfile.ZipFile(path) as archive:
        if any(name.rpartition("/")[2] == "constants.pkl" for name in archive.namelist()):
            raise InputError(Problem("it is a TorchScript program, not a file of weights", "Give the weights", str(path)))


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
