"""RAD-DINO, the frozen encoder of chest films that several systems share: preparing a film, and the states of its layers.

Released as a folder: config.json, preprocessor_config.json and the weights of a DINOv2 model; or as a part of a system's own folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from PIL.Image import Image, Resampling
from torch import Tensor

from generators.blocks.hub_folder import needed, settings, tensors
from generators.blocks.preprocess import resized_short
from harness.errors import InputError, Problem
from harness.networks.checkpoints import check, tensors_digest
from harness.types import Json


@dataclass(frozen=True, slots=True)
class ImagePreparation:
    """What preprocessor_config.json says."""

    short: int
    crop: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @property
    def ground(self) -> tuple[int, ...]:
        """The mean as a colour, cut to whole grey levels: what Libra pads with (135 with the released numbers)."""
        return tuple(int(value * 255) for value in self.mean)

    def __call__(self, picture: Image) -> Tensor:
        """Bicubic to the short side, the middle square, normalised: transformers' `BitImageProcessor`; shape (1, 3, side, side)."""
        picture = resized_short(picture, self.short, Resampling.BICUBIC)
        # Its crop rounds down, where torchvision's rounds to even.
        left, top = (picture.width - self.crop) // 2, (picture.height - self.crop) // 2
        values = np.asarray(picture.crop((left, top, left + self.crop, top + self.crop))).transpose(2, 0, 1)
        scaled = (values.astype(np.float64) * (1 / 255)).astype(np.float32)
        shape = (-1, 1, 1)
        return torch.from_numpy(
            (scaled - np.array(self.mean, np.float32).reshape(shape)) / np.array(self.deviation, np.float32).reshape(shape)
        )[None]


@dataclass(frozen=True, slots=True)
class DinoShape:
    """What config.json says."""

    width: int
    layers: int
    heads: int
    side: int
    patch: int
    inner: int
    epsilon: float

    def layout(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the released tensors."""
        wide, inner, count = (self.width,), (self.inner,), (self.side // self.patch) ** 2
        table: dict[str, tuple[int, ...]] = {
            "embeddings.cls_token": (1, 1, self.width),
            "embeddings.mask_token": (1, self.width),
            "embeddings.position_embeddings": (1, count + 1, self.width),
            "embeddings.patch_embeddings.projection.weight": (self.width, 3, self.patch, self.patch),
            "embeddings.patch_embeddings.projection.bias": wide,
            "layernorm.weight": wide,
            "layernorm.bias": wide,
        }
        for stem in (f"encoder.layer.{number}" for number in range(self.layers)):
            for part in ("attention.query", "attention.key", "attention.value", "output.dense"):
                table |= {f"{stem}.attention.{part}.weight": wide * 2, f"{stem}.attention.{part}.bias": wide}
            for number in (1, 2):
                table |= {f"{stem}.norm{number}.weight": wide, f"{stem}.norm{number}.bias": wide}
                table[f"{stem}.layer_scale{number}.lambda1"] = wide
            table |= {f"{stem}.mlp.fc1.weight": inner + wide, f"{stem}.mlp.fc1.bias": inner}
            table |= {f"{stem}.mlp.fc2.weight": wide + inner, f"{stem}.mlp.fc2.bias": wide}
        return table


@dataclass(frozen=True, slots=True)
class DinoTower:
    """The loaded encoder, written out because installed libraries name its tensors differently from the released file."""

    tensors: Mapping[str, Tensor] = field(repr=False)
    shape: DinoShape
    prepare: ImagePreparation
    digest: str

    def last(self, film: Tensor) -> Tensor:
        """The patches after the final normalisation, shape (1, patches, width)."""
        return self._norm("layernorm", self._states(film)[-1])[:, 1:]

    def layers(self, film: Tensor) -> Tensor:
        """The patches after each layer, before the final normalisation, shape (1, layers, patches, width)."""
        return torch.stack([state[:, 1:] for state in self._states(film)], 1)

    @torch.inference_mode()
    def _states(self, film: Tensor) -> list[Tensor]:
        kernel = self.tensors["embeddings.patch_embeddings.projection.weight"]
        film = film.to(kernel.device, kernel.dtype)
        patches = F.conv2d(film, kernel, self.tensors["embeddings.patch_embeddings.projection.bias"], stride=self.shape.patch)
        rows = torch.cat([self.tensors["embeddings.cls_token"], patches.flatten(2).transpose(1, 2)], 1)
        states = [rows + self.tensors["embeddings.position_embeddings"]]
        for number in range(self.shape.layers):
            states.append(self._layer(f"encoder.layer.{number}", states[-1]))
        return states[1:]

    def _layer(self, stem: str, state: Tensor) -> Tensor:
        normal = self._norm(f"{stem}.norm1", state)
        query, key, value = (
            self._linear(f"{stem}.attention.attention.{part}", normal)
            .view(1, -1, self.shape.heads, self.shape.width // self.shape.heads)
            .transpose(1, 2)
            for part in ("query", "key", "value")
        )
        mixed = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        state = state + self._linear(f"{stem}.attention.output.dense", mixed) * self.tensors[f"{stem}.layer_scale1.lambda1"]
        inner = F.gelu(self._linear(f"{stem}.mlp.fc1", self._norm(f"{stem}.norm2", state)))
        return state + self._linear(f"{stem}.mlp.fc2", inner) * self.tensors[f"{stem}.layer_scale2.lambda1"]

    def _linear(self, name: str, state: Tensor) -> Tensor:
        return F.linear(state, self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"])

    def _norm(self, name: str, state: Tensor) -> Tensor:
        return F.layer_norm(state, (self.shape.width,), self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"], self.shape.epsilon)


def load(folder: Path, device: str, dtype: torch.dtype) -> DinoTower:
    """Read the folder strictly.

    Raises:
        InputError: A file of it is missing, or tensors are missing, unexpected or of another shape.
    """
    return tower(tensors(folder), settings(folder, "config.json"), folder, device, dtype)


def tower(own: Mapping[str, Tensor], config: Json, folder: Path, device: str, dtype: torch.dtype, stem: str = "") -> DinoTower:
    """The encoder from tensors that are read already.

    Args:
        own: Exactly its tensors, under their own names.
        config: Its part of config.json.
        folder: Holds preprocessor_config.json; what an error names.
        stem: Prefix of the tensor names in the folder; for errors.

    Raises:
        InputError: A file of it is missing, or tensors are missing, unexpected or of another shape.
    """
    found, sizes, prepare = dict(own), shape(config, folder), preparation(folder)
    found.setdefault("embeddings.mask_token", torch.zeros(1, sizes.width))  # only training uses it, and not every copy holds it
    check(found, sizes.layout(), f"{folder} ({stem}*)" if stem else str(folder))
    if prepare.crop != sizes.side:
        what = f"films are cut to {prepare.crop} and the encoder has places for {sizes.side}"
        raise InputError(Problem(what, "Give the released folder", str(folder)))
    return DinoTower({name: tensor.to(device, dtype) for name, tensor in found.items()}, sizes, prepare, tensors_digest(found))


def shape(found: Json, folder: Path) -> DinoShape:
    """What config.json, or a part of it, says; what it leaves out has the default of its library (`Dinov2Config`)."""
    if found.get("use_swiglu_ffn"):
        raise InputError(Problem("it describes another encoder (use_swiglu_ffn)", "Give RAD-DINO's folder", str(folder / "config.json")))
    width = int(found.get("hidden_size", 768))
    return DinoShape(
        width,
        int(found.get("num_hidden_layers", 12)),
        int(found.get("num_attention_heads", 12)),
        int(found.get("image_size", 224)),
        int(found.get("patch_size", 14)),
        width * int(found.get("mlp_ratio", 4)),
        float(found.get("layer_norm_eps", 1e-6)),
    )


def preparation(folder: Path) -> ImagePreparation:
    """Read preprocessor_config.json, or where newer libraries put it: within processor_config.json."""
    name, joined = "preprocessor_config.json", "processor_config.json"
    if (folder / name).is_file() or not (folder / joined).is_file():
        found = settings(folder, name)
    else:
        name, found = joined, needed(settings(folder, joined), "image_processor", folder, joined)
    size, crop = needed(found, "size", folder, name), needed(found, "crop_size", folder, name)
    return ImagePreparation(
        _side(size, "shortest_edge"),
        _side(crop, "height"),
        tuple(needed(found, "image_mean", folder, name)),
        tuple(needed(found, "image_std", folder, name)),
    )


def _side(size: int | Mapping[str, int], name: str) -> int:
    """Old files give the number alone."""
    return int(size[name]) if isinstance(size, Mapping) else int(size)


def squared(picture: Image, ground: tuple[int, ...]) -> Image:
    """Pad to a square with a colour, the film in the middle; an odd rest goes right or below."""
    from PIL import Image as Pictures

    side = max(picture.size)
    made = Pictures.new(picture.mode, (side, side), ground)
    made.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return made
