"""CXR-BERT similarity: the cosine between two reports as CXR-BERT specialised projects them (Boecking et al. 2022), as CXRMate-2 prints it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness import config
from harness.config.home import pip_install
from harness.errors import Problem, UnavailableError, UsageError
from harness.metrics.means import Mean, both_written
from harness.types import Array

if TYPE_CHECKING:
    from harness.networks.bert import BertShape

PROJECTION = 128
HEAD = "cls_projection_head."
_SPARE = ("bert.pooler.", "bert.embeddings.position_ids", "cls.")
"""Beginnings of released tensors that only its training needs."""


def cxr_bert(recipe: str) -> Mean:
    """CXR-BERT similarity by the folder that `[weights.cxr-bert]` names.

    Raises:
        UsageError: A recipe is named; there is none.
        UnavailableError: The folder or PyTorch are not here.
        InputError: The folder is not what was released.
    """
    if recipe:
        raise UsageError(f"cxr-bert has no recipe {recipe!r}: it has one definition")
    folder = config.weights("cxr-bert").get("folder")
    if not folder:
        what = "CXR-BERT similarity needs the folder of microsoft/BiomedVLP-CXR-BERT-specialized (MIT, 0.4 GB)"
        raise UnavailableError(Problem(what, "Download it and set `folder` under `[weights.cxr-bert]` in config.toml"))
    try:
        from harness.networks.bert import BertShape
    except ImportError as error:
        raise UnavailableError(f"CXR-BERT similarity needs PyTorch. Run `{pip_install('torch')}`") from error
    return load(Path(folder).expanduser(), BertShape())


def load(folder: Path, shape: BertShape, projection: int = PROJECTION, device: str = "") -> Mean:
    """CXR-BERT similarity by the network in this folder."""
    import torch
    from torch.nn import functional

    from harness.networks import bert, checkpoints
    from harness.signature import digest

    files = [folder / name for name in ("model.safetensors", "pytorch_model.bin") if (folder / name).is_file()]
    weights = files[0] if files else folder / "pytorch_model.bin"
    tensors = {name: tensor for name, tensor in checkpoints.read(weights).items() if not name.startswith(_SPARE)}
    wide, narrow = (projection, shape.width), (projection,)
    head = {"dense_to_hidden.weight": wide, "dense_to_hidden.bias": narrow, "LayerNorm.weight": narrow, "LayerNorm.bias": narrow}
    head |= {"dense_to_output.weight": narrow * 2, "dense_to_output.bias": narrow}
    checkpoints.check(tensors, shape.layout("bert.", pooler=False) | {HEAD + name: size for name, size in head.items()}, str(weights))
    pieces = bert.read_vocabulary(folder / "vocab.txt", shape.words)
    tokenise, encoder = bert.wordpiece(pieces, shape.positions), bert.Encoder(tensors, shape, device, prefix="bert.")
    parts = {name: tensors[HEAD + name].float() for name in head}

    def projected(texts: Sequence[str]) -> dict[str, Array]:
        """By text its projection of length 1."""
        different = list(dict.fromkeys(texts))
        state = torch.stack(bert.encode_first(encoder, tokenise([readable(text) for text in different]), "CXR-BERT"))
        state = functional.gelu(functional.linear(state, parts["dense_to_hidden.weight"], parts["dense_to_hidden.bias"]))
        state = functional.layer_norm(state, narrow, parts["LayerNorm.weight"], parts["LayerNorm.bias"], 1e-12)
        state = functional.linear(state, parts["dense_to_output.weight"], parts["dense_to_output.bias"])
        return dict(zip(different, functional.normalize(state, dim=-1).numpy(), strict=True))

    def measure(references: Sequence[str], candidates: Sequence[str]) -> Array:
        """0 where a side is blank."""
        values, places = np.zeros((len(references), 1)), both_written(references, candidates)
        if places:
            vectors = projected([side[place] for place in places for side in (references, candidates)])
            values[places, 0] = [float(vectors[references[place]] @ vectors[candidates[place]]) for place in places]
        return values

    marks = digest([checkpoints.tensors_digest(tensors), list(pieces)])
    return Mean("cxr-bert", "", ("cosine",), measure, limits=(-1.0, 1.0), fit_digest=marks)


def readable(text: str) -> str:
    """Half a surrogate pair, which no tokeniser takes, becomes `?`."""
    return text.encode("utf-8", "replace").decode()
