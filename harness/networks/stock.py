"""Released folders read into stock classes of transformers: every tensor named, no code of the folder executed, no network asked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.config.home import pip_install
from harness.errors import InputError, Problem, UnavailableError
from harness.networks import checkpoints

BATCH = 32
WEIGHTS = ("model.safetensors", "pytorch_model.bin")


def load_stock(folder: Path, kind: str, name: str, device: str = "", drop: Sequence[str] = (), prefix: str = "") -> tuple[Any, Any, str]:
    """A model, its tokenizer and their digest.

    Args:
        folder: Weights, configuration and tokenizer as released.
        kind: The `model_type` that the configuration must say.
        name: The class of transformers.
        device: `cpu`, `cuda` or `mps`; the best by default.
        drop: Beginnings of names of released tensors that the class makes itself or does not have.
        prefix: What may be before the names of the class's tensors.

    Raises:
        UnavailableError: A file is not there, or PyTorch or transformers are not installed.
        InputError: It is another network, or names every tensor that is missing, unexpected or misshapen.
    """
    try:
        import transformers

        from harness.networks.bert import best_device
    except ImportError as error:
        raise UnavailableError(f"this needs PyTorch and transformers. Run `{pip_install('torch')}`") from error
    weights = next((folder / file for file in WEIGHTS if (folder / file).is_file()), folder / WEIGHTS[0])
    tensors = {key.removeprefix(prefix): tensor for key, tensor in checkpoints.read(weights).items()}
    tensors = {key: tensor for key, tensor in tensors.items() if not key.startswith(tuple(drop))}
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if settings.get("model_type") != kind:
            raise InputError(Problem(f"it is a {settings.get('model_type')!r}, not a {kind!r}", "Give the released folder", str(folder)))
        configuration = transformers.AutoConfig.from_pretrained(folder, **options)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **options)
    except (OSError, ValueError, AttributeError) as error:
        what = f"config.json or the tokenizer's files cannot be read ({type(error).__name__})"
        raise InputError(Problem(what, "Download the folder again", str(folder))) from None
    model: Any = getattr(transformers, name)(configuration)
    checkpoints.check(tensors, {key: tuple(value.shape) for key, value in model.state_dict().items()}, str(weights))
    model.load_state_dict(tensors)
    model.train(False)
    return model.to(best_device(device)), tokenizer, checkpoints.tensors_digest(tensors)


def batches(model: Any, tokenizer: Any, texts: Sequence[str], longest: int) -> Iterator[tuple[list[str], list[list[int]], Any]]:
    """Each different text once, about equally long ones together.

    Yields:
        The texts, their token ids without padding, and what the model returns for them.
    """
    import torch

    different = list(dict.fromkeys(texts))
    ids = {text: tokenizer(text, truncation=True, max_length=longest)["input_ids"] for text in different}
    different.sort(key=lambda text: len(ids[text]))
    for start in range(0, len(different), BATCH):
        part = different[start : start + BATCH]
        padded = tokenizer.pad({"input_ids": [ids[text] for text in part]}, return_tensors="pt")
        with torch.inference_mode():
            output = model(input_ids=padded["input_ids"].to(model.device), attention_mask=padded["attention_mask"].to(model.device))
        yield part, [ids[text] for text in part], output
