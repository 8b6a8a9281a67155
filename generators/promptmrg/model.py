"""PromptMRG's network: ResNet-101, a memory of retrieved reports, a classifier whose answers are the prompt, and a BERT decoder.

The modules carry the names of the released tensors.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from generators.blocks.resnet import EXPANSION, RESNET_101, resnet

LABELS = 18
"""CheXpert's 14 and aorta, bone or spine, hemidiaphragm, lung volume."""
ANSWERS = 4
"""Blank, positive, negative, uncertain."""


@dataclass(frozen=True, slots=True)
class PromptMRGShape:
    """The sizes of the network; the defaults are the released ones."""

    blocks: tuple[int, ...] = RESNET_101
    base: int = 64
    memory: int = 512
    """Width of the retrieved reports' features and of the memory."""
    memory_inner: int = 2048
    layers: int = 12
    width: int = 768
    heads: int = 12
    inner: int = 3072
    words: int = 30522
    """Pieces of the vocabulary; the start token and the four answers come after them."""
    positions: int = 512

    @property
    def vision(self) -> int:
        """Width of a patch."""
        return self.base * 8 * EXPANSION


TINY = PromptMRGShape((1, 1, 1, 1), 4, 64, 96, 2, 48, 4, 80, 300, 200)
"""The same tensors at a hundredth of the size, for tests."""


class Films(nn.Module):
    """`visual_encoder`."""

    def __init__(self, shape: PromptMRGShape) -> None:
        super().__init__()
        self.model = resnet(shape.blocks, base=shape.base)

    def forward(self, films: Tensor) -> tuple[Tensor, Tensor]:
        """Patches, shape (films, 49, vision), and their mean."""
        features = self.model(films)
        return features.flatten(2).transpose(1, 2), features.mean((2, 3))


class MemoryDecoderLayer(nn.Module):
    """One layer of DETR's decoder, normalised after each step; the query is added wherever positions would be."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(width, 8, batch_first=True)
        self.multihead_attn = nn.MultiheadAttention(width, 8, batch_first=True)
        self.linear1 = nn.Linear(width, inner)
        self.linear2 = nn.Linear(inner, width)
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, state: Tensor, memory: Tensor, query: Tensor) -> Tensor:
        """All of shape (films, tokens, width)."""
        asking = state + query
        state = self.norm1(state + self.self_attn(asking, asking, state, need_weights=False)[0])
        state = self.norm2(state + self.multihead_attn(state + query, memory, memory, need_weights=False)[0])
        result: Tensor = self.norm3(state + self.linear2(F.relu(self.linear1(state))))
        return result


class Memory(nn.Module):
    """`memory`: what the film asks of the retrieved reports."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        layers = [nn.TransformerEncoderLayer(width, 8, inner, activation="relu", batch_first=True) for _ in range(2)]
        self.encoder = nn.ModuleDict({"layers": nn.ModuleList(layers)})
        decoder = [MemoryDecoderLayer(width, inner) for _ in range(2)]
        self.decoder = nn.ModuleDict({"layers": nn.ModuleList(decoder), "norm": nn.LayerNorm(width)})

    def forward(self, reports: Tensor, query: Tensor) -> Tensor:
        """Features of reports, shape (films, reports, width), and one query a film to one answer a film."""
        for layer in self.encoder["layers"]:  # type: ignore[attr-defined]
            reports = layer(reports)
        asked = query[:, None]
        state = torch.zeros_like(asked)
        for layer in self.decoder["layers"]:  # type: ignore[attr-defined]
            state = layer(state, reports, asked)
        result: Tensor = self.decoder["norm"](state)[:, 0]
        return result


class Attention(nn.Module):
    """BERT's attention with its residual step; the source is the text so far or the film's patches."""

    def __init__(self, shape: PromptMRGShape, source: int) -> None:
        super().__init__()
        self.heads = shape.heads
        linear = {"query": shape.width, "key": source, "value": source}
        self.self = nn.ModuleDict({name: nn.Linear(wide, shape.width) for name, wide in linear.items()})
        self.output = nn.ModuleDict({"dense": nn.Linear(shape.width, shape.width), "LayerNorm": nn.LayerNorm(shape.width, 1e-12)})

    def split(self, state: Tensor) -> Tensor:
        """(rows, tokens, width) to (rows, heads, tokens, width of a head)."""
        return state.view(*state.shape[:2], self.heads, -1).transpose(1, 2)

    def keys(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of a source."""
        return self.split(self.self["key"](source)), self.split(self.self["value"](source))

    def forward(self, state: Tensor, keys: Tensor, values: Tensor, causal: bool = False) -> Tensor:
        """Attend, and add what was found."""
        found = F.scaled_dot_product_attention(self.split(self.self["query"](state)), keys, values, is_causal=causal)
        result: Tensor = self.output["LayerNorm"](self.output["dense"](found.transpose(1, 2).flatten(2)) + state)
        return result


class DecoderLayer(nn.Module):
    """One layer of the decoder."""

    def __init__(self, shape: PromptMRGShape) -> None:
        super().__init__()
        self.attention = Attention(shape, shape.width)
        self.crossattention = Attention(shape, shape.vision)
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(shape.width, shape.inner)})
        self.output = nn.ModuleDict({"dense": nn.Linear(shape.inner, shape.width), "LayerNorm": nn.LayerNorm(shape.width, 1e-12)})

    def forward(self, state: Tensor, text: tuple[Tensor, Tensor], film: tuple[Tensor, Tensor]) -> Tensor:
        """Attention of the new tokens, given keys and values of all text so far (theirs too) and of the film."""
        state = self.attention(state, *text, causal=state.shape[1] > 1)
        state = self.crossattention(state, *film)
        inner = F.gelu(self.intermediate["dense"](state))
        result: Tensor = self.output["LayerNorm"](self.output["dense"](inner) + state)
        return result


class TextDecoder(nn.Module):
    """`text_decoder`: BERT with a language model's head."""

    def __init__(self, shape: PromptMRGShape) -> None:
        super().__init__()
        words = shape.words + 1 + ANSWERS
        embeddings: dict[str, nn.Module] = {
            "word_embeddings": nn.Embedding(words, shape.width),
            "position_embeddings": nn.Embedding(shape.positions, shape.width),
        }
        norm: dict[str, nn.Module] = {"LayerNorm": nn.LayerNorm(shape.width, 1e-12)}
        layers = nn.ModuleDict({"layer": nn.ModuleList([DecoderLayer(shape) for _ in range(shape.layers)])})
        self.bert = nn.ModuleDict({"embeddings": nn.ModuleDict(embeddings | norm), "encoder": layers})
        transform = nn.ModuleDict({"dense": nn.Linear(shape.width, shape.width), "LayerNorm": nn.LayerNorm(shape.width, 1e-12)})
        predictions = nn.ModuleDict({"transform": transform, "decoder": nn.Linear(shape.width, words)})
        predictions.register_parameter("bias", nn.Parameter(torch.zeros(words)))  # the file holds it twice; `decoder.bias` is read
        self.cls = nn.ModuleDict({"predictions": predictions})

    @property
    def layers(self) -> list[DecoderLayer]:
        """From the film to the words."""
        return list(self.bert["encoder"]["layer"])  # type: ignore[index]

    def embed(self, ids: Tensor, start: int) -> Tensor:
        """Token ids that begin at a position."""
        table = self.bert["embeddings"]
        places = table["position_embeddings"].weight[start : start + ids.shape[1]]  # type: ignore[index]
        result: Tensor = table["LayerNorm"](table["word_embeddings"](ids) + places)  # type: ignore[index]
        return result

    def logits(self, state: Tensor) -> Tensor:
        """The logits of the last token."""
        head = self.cls["predictions"]
        state = head["transform"]["LayerNorm"](F.gelu(head["transform"]["dense"](state[:, -1])))  # type: ignore[index]
        result: Tensor = head["decoder"](state)  # type: ignore[index]
        return result


class Network(nn.Module):
    """All of it."""

    def __init__(self, shape: PromptMRGShape) -> None:
        super().__init__()
        self.shape = shape
        self.visual_encoder = Films(shape)
        self.vision_proj = nn.Linear(shape.vision, shape.memory)
        self.memory = Memory(shape.memory, shape.memory_inner)
        self.cls_head = nn.Linear(shape.vision + shape.memory, LABELS * ANSWERS)
        self.text_decoder = TextDecoder(shape)

    def look(self, films: Tensor, reports: Tensor) -> tuple[Tensor, Tensor]:
        """Look at films.

        Args:
            films: Shape (films, 3, 224, 224), normalised.
            reports: Features of the retrieved reports, shape (films, reports, memory).

        Returns:
            Patches, shape (films, 49, vision), and the probability of each answer to each label, shape (films, 4, 18).
        """
        patches, mean = self.visual_encoder(films)
        recalled = self.memory(reports, self.vision_proj(mean))
        answers = self.cls_head(torch.cat((mean, recalled), 1)).view(-1, ANSWERS, LABELS)
        return patches, answers.float().softmax(1)

    def prompt(self, answers: Tensor) -> Tensor:
        """The ids that the decoder begins with: the start token and the likeliest answer to each label."""
        start = torch.full((len(answers), 1), self.shape.words, device=answers.device)
        return torch.cat((start, answers.argmax(1) + self.shape.words + 1), 1)


class ReportDecoder:
    """The decoder with its caches: one step of `generators.blocks.decoding`."""

    def __init__(self, decoder: TextDecoder, patches: Tensor) -> None:
        self.decoder = decoder
        self.film = [layer.crossattention.keys(patches) for layer in decoder.layers]
        self.text: list[tuple[Tensor, Tensor]] = []

    def __call__(self, ids: Tensor, origin: Tensor) -> Tensor:
        """Logits of the next token; see `generators.blocks.decoding.Step`."""
        if self.text:
            self.film = [_taken(pair, origin) for pair in self.film]
            self.text = [_taken(pair, origin) for pair in self.text]
        known = self.text[0][0].shape[2] if self.text else 0
        state, text = self.decoder.embed(ids[:, known:], known), []
        for number, layer in enumerate(self.decoder.layers):
            fresh = layer.attention.keys(state)
            text.append(
                (torch.cat((self.text[number][0], fresh[0]), 2), torch.cat((self.text[number][1], fresh[1]), 2)) if known else fresh
            )
            state = layer(state, text[-1], self.film[number])
        self.text = text
        return self.decoder.logits(state)


def _taken(pair: tuple[Tensor, Tensor], origin: Tensor) -> tuple[Tensor, Tensor]:
    return pair[0].index_select(0, origin), pair[1].index_select(0, origin)
