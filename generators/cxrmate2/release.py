"""What CXRMate-2's released files must say to be its files, and how they take a film; see `generators.cxrmate2.system`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from generators.blocks.language import Words
from generators.blocks.preprocess import equalised
from generators.cxrmate2.model import PatchReader
from harness.errors import InputError, Problem
from harness.films import read, read_rgb
from harness.types import Json


def reader(config: Json, own: Mapping[str, Tensor]) -> Callable[[], PatchReader]:
    """What makes the reader in the sizes that the release gives; the width of its inner layers only its tensors tell."""
    queries, layers = int(config["num_q_adapter_queries"]), int(config["num_q_adapter_layers"])
    width = int(config["vision_config"].get("hidden_size", 768))
    first = own.get("layers.0.intermediate.dense.weight")
    inner = 3072 if first is None else int(first.shape[0])
    return lambda: PatchReader(queries, layers, width, inner, config["text_config"]["hidden_size"])


def expect(config: Json, shown: Json, folder: Path) -> None:
    """The released layout: the encoder's last layer after its normalisation, as a picture that is made a row again.

    Raises:
        InputError: Names every setting that is another, and every one that is not there.
    """
    vision, text = config.get("vision_config") or {}, config.get("text_config") or {}
    last = f"stage{vision.get('num_hidden_layers', 12)}"
    queries = config.get("num_q_adapter_queries")
    expected = [
        (config, "model_type", ("cxrmate-2",)),
        (config, "permute_encoder_last_hidden_state", (True,)),
        (config, "vision_feature_layer", (-1, None)),
        (config, "vision_feature_select_strategy", ("full", None)),
        (config, "time_delta_monotonic_inversion", (True, None)),
        (vision, "model_type", ("dinov2",)),
        (vision, "reshape_hidden_states", (True, None)),
        (vision, "apply_layernorm", (True, None)),
        (vision, "out_features", ([last], None)),
        (text, "model_type", ("llama",)),
        (shown, "embeddings_per_image", (queries,)),
    ]
    wrong = [
        Problem(f"{name} is {table.get(name)!r}, not {values[0]!r}", "Give the folder of CXRMate-2", str(folder))
        for table, name, values in expected
        if table.get(name) not in values
    ]
    lacking = [name for name in ("num_q_adapter_queries", "num_q_adapter_layers") if not isinstance(config.get(name), int)]
    lacking += [] if isinstance(text.get("hidden_size"), int) else ["text_config.hidden_size"]
    lacking += [] if isinstance(shown.get("token_type_to_token"), dict) else ["token_type_to_token"]
    wrong += [Problem(f"it has no {name!r}", "Give the folder of CXRMate-2", str(folder)) for name in lacking]
    if wrong:
        raise InputError(wrong)


def single(words: Words, token: Any, file: Path) -> int:
    """The id of a special token.

    Raises:
        InputError: The tokenizer takes it for several.
    """
    ids = words.ids(str(token))
    if len(ids) != 1:
        raise InputError(Problem(f"its tokenizer does not know {token!r} as one token", "Give the whole released folder", str(file)))
    return ids[0]


def prepared(film: Path, equalising: bool) -> Image.Image:
    """A film as the release's picture settings take it.

    Raises:
        InputError: It has one grey level alone, which the release refuses too.
    """
    if not equalising:
        return read_rgb(film)
    values = read(film).astype(np.float32)
    low = values.min()
    span = values.max() - low
    if not span:
        raise InputError(Problem("a film has one grey level alone", file=str(film)))
    return Image.fromarray(equalised(((values - low) / span * 255).astype(np.uint8))).convert("RGB")
