"""RGRG's published script on given films, up to its regions' sentences: spaCy and BERTScore, which come after them, are not run.

Its script reads one film at a time. It asks for float16 on a GPU, which a processor does not give.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.upstream.narrow import resnet
from benchmarks.upstream.serving import Job, Stub, Write, serve, use_clone

UNUSED = ("spacy", "evaluate", "datasets", "torchinfo", "pandas", "bert_score", "tensorboard")


def load(job: Job) -> Write:
    """The published model with the given weights."""
    import torch

    shape = job["shape"]
    use_clone(job["clone"], changes(shape), UNUSED)
    transformers: Any = import_module("transformers")
    detector: Any = import_module("src.object_detector.object_detector")
    detector.resnet50 = lambda weights: resnet(shape["stem"], shape["blocks"])
    transformers.GPT2LMHeadModel.from_pretrained = lambda name: _gpt2(transformers, shape)
    model: Any = import_module("src.full_model.report_generation_model").ReportGenerationModel(pretrain_without_lm_model=True)
    model.load_state_dict(torch.load(job["weights"]["checkpoint"], map_location="cpu")["model"])
    model.train(False)
    tokenizer = _tokenizer(transformers, job["weights"]["vocabulary"])
    sys.modules["src.full_model.train_full_model"] = Stub("train_full_model")  # the script takes its tokenizer from there
    film = import_module("src.full_model.generate_reports_for_images").get_image_tensor

    def write(films: Sequence[str]) -> list[list[str]]:
        return [sentences(path) for path in films]

    def sentences(path: str) -> list[str]:
        output = model.generate(film(path), max_length=300, num_beams=4, early_stopping=True)
        if output == -1:
            return []
        words: list[str] = tokenizer.batch_decode(output[0], skip_special_tokens=True, clean_up_tokenization_spaces=True)
        return words

    return write


def changes(shape: Any) -> dict[str, list[tuple[str, str]]]:
    """The sizes in the published source, at the released size by themselves."""
    width, channels = shape["width"], 32 * shape["stem"]
    sizes = [(r"=128\b", f"={width // 8}"), (r"=512\b", f"={width // 2}"), (r"=1024\b", f"={width}")]
    return {
        "src.object_detector.custom_roi_heads": [(r"nn\.Linear\(2048, 1024\)", f"nn.Linear({channels}, {width})")],
        "src.object_detector.object_detector": [
            (r"out_channels = 2048", f"out_channels = {channels}"),
            (r"representation_size = 1024", f"representation_size = {width}"),
            (r"Conv2d\(1, 64,", f"Conv2d(1, {shape['stem']},"),
        ],
        "src.binary_classifier.binary_classifier_region_selection": sizes,
        "src.binary_classifier.binary_classifier_region_abnormal": sizes,
        "src.language_model.language_model": [
            (r"embed_dim = 1024", f"embed_dim = {width}"),
            (r"num_heads = 16", f"num_heads = {width // 64}"),
            (r"max_positions = 1024", f"max_positions = {shape['positions']}"),
            (r"= 50256", f"= {shape['words'] - 1}"),
            (r"in_features=1024, out_features=1024", f"in_features={width}, out_features={width}"),
        ],
    }


def _gpt2(transformers: Any, shape: Any) -> Any:
    width = shape["width"]
    config = transformers.GPT2Config(
        vocab_size=shape["words"], n_positions=shape["positions"], n_embd=width, n_layer=shape["layers"], n_head=width // 64
    )
    return transformers.GPT2LMHeadModel(config)


def _tokenizer(transformers: Any, vocabulary: str) -> Any:
    """A tokenizer that only reads ids, so that it needs no merges."""
    with tempfile.TemporaryDirectory() as folder:
        merges = Path(folder) / "merges.txt"
        merges.write_text("#version: 0.2\n", encoding="utf-8")
        return transformers.GPT2Tokenizer(vocabulary, str(merges))


if __name__ == "__main__":
    serve(load)
