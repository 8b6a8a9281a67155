"""PromptMRG's published model on given films and retrieved reports, in batches as its test script takes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.upstream.narrow import resnet
from benchmarks.upstream.serving import Job, Write, serve, use_clone


def load(job: Job) -> Write:
    """The published model with the given weights."""
    import numpy as np
    import torch

    shape = job["shape"]
    use_clone(job["clone"], changes(shape))
    transformers, vision, med = (import_module(name) for name in ("transformers", "torchvision", "models.med"))
    vision.models.resnet101 = lambda pretrained: resnet(shape["base"], shape["blocks"])
    read = med.BertConfig.from_json_file
    med.BertConfig.from_json_file = lambda path: _sized(read(path), shape)
    med.BertLMHeadModel.from_pretrained = lambda name, config: med.BertLMHeadModel(config)
    blip: Any = import_module("models.blip")
    arguments = type("Arguments", (), {"image_size": 224})
    model = blip.blip_decoder(arguments, _tokenizer(transformers, job["weights"]["vocabulary"]), prompt=" ".join(["[BLA]"] * 18) + " ")
    model.load_state_dict(torch.load(job["weights"]["checkpoint"], map_location="cpu"))
    model.train(False)
    features = torch.from_numpy(np.load(job["weights"]["features"]))
    listed = {entry["image_path"][0]: entry["clip_indices"] for entry in json.loads(Path(job["weights"]["annotation"]).read_text())["test"]}
    prepare = _prepare(vision)

    def write(films: Sequence[str]) -> list[str]:
        with torch.no_grad():
            recalled = torch.stack([features[listed[Path(film).name]] for film in films])
            pixels = torch.stack([prepare(film) for film in films])
            captions: list[str] = model.generate(pixels, recalled, num_beams=3, max_length=job["longest"], min_length=job["shortest"])[0]
        return captions

    return write


def changes(shape: Any) -> dict[str, list[tuple[str, str]]]:
    """The sizes in the published source, at the released size by themselves."""
    vision, memory = 32 * shape["base"], shape["memory"]
    sizes = [
        (r"vision_width = 2048", f"vision_width = {vision}"),
        (r"\b512\b", str(memory)),
        (r"Transformer\(", f"Transformer(dim_feedforward={shape['memory_inner']},"),
    ]
    return {"models.blip": sizes}


def _sized(config: Any, shape: Any) -> Any:
    config.hidden_size, config.num_hidden_layers, config.num_attention_heads = shape["width"], shape["layers"], shape["heads"]
    config.intermediate_size, config.vocab_size, config.max_position_embeddings = shape["inner"], shape["words"], shape["positions"]
    return config


def _tokenizer(transformers: Any, vocabulary: str) -> Any:
    """As the test script makes it."""
    tokenizer = transformers.BertTokenizer(vocabulary)
    tokenizer.add_special_tokens({"bos_token": "[DEC]"})
    tokenizer.add_tokens(["[BLA]", "[POS]", "[NEG]", "[UNC]"])
    return tokenizer


def _prepare(vision: Any) -> Any:
    """The steps of its test set."""
    from PIL import Image

    steps = vision.transforms
    means, deviations = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    chain = steps.Compose([steps.Resize(256), steps.CenterCrop(224), steps.ToTensor(), steps.Normalize(means, deviations)])
    return lambda film: chain(Image.open(film).convert("RGB"))


if __name__ == "__main__":
    serve(load)
