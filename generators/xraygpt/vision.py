"""XrayGPT's eyes: EVA-CLIP ViT-g, a normalisation, BLIP-2's Q-Former and a projection, from three files' tensors or from two."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from generators.blocks.hub_folder import files
from generators.blocks.pretrained import Layout, empty, fill, layout, numbered, renamed, without
from harness.errors import InputError, Problem, UnavailableError
from harness.networks import checkpoints
from harness.signature import digest as digest_of

BLOCKS = 39
"""Number of layers, of 40 in the file, as BLIP-2 takes them."""
HEAD, QUERY_HEAD = 88, 64
"""Widths of an attention head in the vision model and in the Q-Former (bert-base)."""
TODAY_EVA = renamed(
    (
        (r"^embeddings\.class_embedding$", "cls_token"),
        (r"^embeddings\.position_embedding$", "pos_embed"),
        (r"^embeddings\.patch_embedding\.", "patch_embed.proj."),
        (r"^encoder\.layers\.", "blocks."),
        (r"\.layer_norm([12])\.", r".norm\1."),
        (r"\.self_attn\.qkv\.", ".attn.qkv."),
        (r"\.self_attn\.projection\.", ".attn.proj."),
        (r"^post_layernorm\.", "ln_vision."),
    )
)
TODAY_QUERY = renamed(
    (
        (r"^layernorm\.", "embeddings.LayerNorm."),
        (r"\.attention\.attention\.", ".attention.self."),
        (r"\.crossattention\.attention\.", ".crossattention.self."),
        (r"^", "Qformer.bert."),
    )
)
"""Names of transformers' BLIP-2 to the released ones."""
UNREAD_EVA = re.compile(r"^(norm|fc_norm|head|lm_head|mask_token)(\.|$)")
UNREAD_QUERY = re.compile(
    r"^(Qformer\.cls|Qformer\.bert\.pooler|t5_proj|opt_proj|vision_proj|text_proj|itm_head|temp$|visual_encoder)"
    r"|^Qformer\.bert\.embeddings\.(word|position)_embeddings|^Qformer\.bert\.encoder\.layer\.\d+\.(intermediate|output)\."
)
"""The heads of other tasks, and the Q-Former's way for text."""
OWN = ("llama_proj.weight", "llama_proj.bias")
BLIP2 = ("vision_model.", "qformer.", "query_tokens")
"""What is read of a BLIP-2 of the Hub; its language model is another."""


@dataclass(frozen=True, slots=True)
class Vision:
    """The loaded networks."""

    eva: Any = field(repr=False)
    qformer: Any = field(repr=False)
    queries: Tensor = field(repr=False)
    own: Mapping[str, Tensor] = field(repr=False)
    digest: str

    def features(self, films: Tensor) -> Tensor:
        """Normalised patches and class token, shape (films, 257, width)."""
        state: Tensor = self.eva(films.to(self.queries)).last_hidden_state
        return state

    def look(self, films: Tensor) -> Tensor:
        """Normalised films, shape (films, 3, 224, 224), to what the language model is shown, shape (films, 32, its width)."""
        asked = self.queries.expand(len(films), -1, -1)
        answers = self.qformer(query_embeds=asked, encoder_hidden_states=self.features(films)).last_hidden_state
        return F.linear(answers, self.own["llama_proj.weight"], self.own["llama_proj.bias"])


def load(weights: Mapping[str, Path], width: int, device: str) -> Vision:
    """Load from the released files.

    Args:
        weights: `checkpoint`, and `eva` with `qformer` or `blip2`.
        width: Width of the language model.

    Raises:
        InputError: A file is not what was released; every wrong tensor is named.
        UnavailableError: There is neither `eva` with `qformer` nor `blip2`.
    """
    read, weights = _read(weights)
    asking = without(read["qformer"], UNREAD_QUERY.search)
    norm = {name: asking.pop(name) for name in list(asking) if name.startswith("ln_vision.")}
    seen = split_biases(without(read["eva"], lambda name: UNREAD_EVA.search(name) or name.startswith(f"blocks.{BLOCKS}.")), weights["eva"])
    eva = vision_network(seen | norm, weights["eva"])
    expected = layout(eva, TODAY_EVA)
    checkpoints.check(seen, {name: shape for name, shape in expected.items() if not name.startswith("ln_vision.")}, str(weights["eva"]))
    queries = _needed(asking, "query_tokens", weights["qformer"])
    qformer = query_network(asking, queries.shape[-1], expected["cls_token"][-1], weights["qformer"])
    wanted = layout(qformer, TODAY_QUERY) | {"query_tokens": tuple(queries.shape)}
    wanted |= {name: shape for name, shape in expected.items() if name.startswith("ln_vision.")}
    checkpoints.check(asking | norm, wanted, str(weights["qformer"]))
    own = without(read["checkpoint"], lambda name: False)
    digest = digest_of([checkpoints.tensors_digest(part) for part in (seen | norm, asking, own)])
    checkpoints.check(own, {OWN[0]: (width, queries.shape[-1]), OWN[1]: (width,)}, str(weights["checkpoint"]))
    fill(eva, seen | norm, TODAY_EVA, device, torch.float32)
    fill(qformer, asking, TODAY_QUERY, device, torch.float32)
    projection = {name: tensor.to(device, torch.float32) for name, tensor in own.items()}
    return Vision(eva, qformer, queries.to(device, torch.float32), projection, digest)


def _read(weights: Mapping[str, Path]) -> tuple[dict[str, dict[str, Tensor]], Mapping[str, Path]]:
    """The tensors of `eva`, `qformer` and `checkpoint` under their released names, and the files that they are from."""
    if "blip2" in weights:
        weights = {**weights, "eva": weights["blip2"], "qformer": weights["blip2"]}
        eva, query = converted(weights["blip2"])
        return {"eva": eva, "qformer": query, "checkpoint": checkpoints.read(weights["checkpoint"])}, weights
    names = ("eva", "qformer", "checkpoint")
    if lacking := [name for name in names if name not in weights]:
        raise UnavailableError(Problem(f"xraygpt needs {' and '.join(lacking)}", "Give them, or blip2 in place of eva and qformer"))
    return {name: checkpoints.read(weights[name]) for name in names}, weights


def converted(path: Path) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """EVA and Q-Former out of BLIP-2 as `transformers` names it, under their released names.

    Args:
        path: A file, or the folder of a model of the Hub, of which only the parts that hold these two need be here.
    """
    made: tuple[dict[str, Tensor], dict[str, Tensor]] = {}, {}
    for file in [path] if path.is_file() else files(path, lambda name: name.startswith(BLIP2)):
        for name, tensor in checkpoints.read(file).items():
            if name.startswith(BLIP2[0]):
                released = TODAY_EVA(name.removeprefix(BLIP2[0]))
                made[released.startswith("ln_vision.")][released] = tensor  # the Q-Former's file holds EVA's last normalisation
            elif name.startswith(BLIP2):
                made[1][TODAY_QUERY(name.removeprefix(BLIP2[1])) if name.startswith(BLIP2[1]) else name] = tensor
    return made


def split_biases(tensors: Mapping[str, Tensor], file: Path) -> dict[str, Tensor]:
    """EVA's blocks hold biases of query and value; the key has none: one bias of three parts, zeros in the middle."""
    made = dict(tensors)
    for name in tensors:
        if name.endswith(".attn.q_bias"):
            query, value = made.pop(name), _needed(made, name.replace("q_bias", "v_bias"), file)
            del made[name.replace("q_bias", "v_bias")]
            made[name.replace("q_bias", "qkv.bias")] = torch.cat((query, torch.zeros_like(value), value))
    return made


def vision_network(tensors: Mapping[str, Tensor], file: Path) -> Any:
    """An empty EVA of the file's size; the last normalisation is BLIP-2's, whose epsilon is another."""
    from transformers import Blip2VisionConfig, Blip2VisionModel

    width = _needed(tensors, "cls_token", file).shape[-1]
    patch = _needed(tensors, "patch_embed.proj.weight", file).shape[-1]
    side = round((_needed(tensors, "pos_embed", file).shape[1] - 1) ** 0.5)
    config = Blip2VisionConfig(
        hidden_size=width,
        intermediate_size=_needed(tensors, "blocks.0.mlp.fc1.weight", file).shape[0],
        num_hidden_layers=numbered(tensors, "blocks"),
        num_attention_heads=width // HEAD,
        image_size=side * patch,
        patch_size=patch,
        layer_norm_eps=1e-6,
        qkv_bias=True,
    )
    network = empty(lambda: Blip2VisionModel(config))
    last: Any = network.post_layernorm
    last.eps = 1e-5
    return network


def query_network(tensors: Mapping[str, Tensor], width: int, seen: int, file: Path) -> Any:
    """An empty Q-Former of the file's size."""
    from transformers import Blip2QFormerConfig, Blip2QFormerModel

    stem = "Qformer.bert.encoder.layer"
    config = Blip2QFormerConfig(
        hidden_size=width,
        num_hidden_layers=numbered(tensors, stem),
        num_attention_heads=width // QUERY_HEAD,
        intermediate_size=_needed(tensors, f"{stem}.0.intermediate_query.dense.weight", file).shape[0],
        encoder_hidden_size=seen,
        cross_attention_frequency=2,
    )
    return empty(lambda: Blip2QFormerModel(config))


def _needed(tensors: Mapping[str, Tensor], name: str, file: Path) -> Tensor:
    """A tensor that tells a network's size."""
    if name not in tensors:
        raise InputError(Problem(f"1 missing tensors: {name}", "Give the released file", str(file)))
    return tensors[name]


def released_layouts(shape: Mapping[str, int], width: int) -> tuple[Layout, Layout, Layout]:
    """Names and shapes in the three files for a size, as released: EVA with one block more than is read, Q-Former, projection.

    Args:
        shape: `width`, `inner`, `queries`, `query_width`, `query_inner`, `query_layers`.
        width: Width of the language model.
    """
    from transformers import Blip2QFormerConfig, Blip2QFormerModel, Blip2VisionConfig, Blip2VisionModel

    seen = Blip2VisionConfig(
        hidden_size=shape["width"],
        intermediate_size=shape["inner"],
        num_hidden_layers=BLOCKS + 1,
        num_attention_heads=shape["width"] // HEAD,
    )
    asking = Blip2QFormerConfig(
        hidden_size=shape["query_width"],
        num_hidden_layers=shape["query_layers"],
        num_attention_heads=shape["query_width"] // QUERY_HEAD,
        intermediate_size=shape["query_inner"],
        encoder_hidden_size=shape["width"],
    )
    eva: Layout = {}
    norm: Layout = {}
    for name, size in layout(empty(lambda: Blip2VisionModel(seen)), TODAY_EVA).items():
        if name.startswith("ln_vision."):
            norm[name] = size
        elif name.endswith("qkv.bias"):
            eva |= {name.replace("qkv.bias", part): (size[0] // 3,) for part in ("q_bias", "v_bias")}
        else:
            eva[name] = size
    query = layout(empty(lambda: Blip2QFormerModel(asking)), TODAY_QUERY)
    query |= norm | {"query_tokens": (1, shape["queries"], shape["query_width"]), "t5_proj.weight": (8, shape["query_width"])}
    return eva, query, {OWN[0]: (width, shape["query_width"]), OWN[1]: (width,)}
