"""R2GenGPT's published test step on given films; its trainer and its metrics, which come round it, are not run."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from benchmarks.upstream.serving import Job, Stub, Write, serve, use_clone

UNUSED = ("lightning", "evalcap")


def load(job: Job) -> Write:
    """The published model with the given weights, in float32."""
    import torch

    use_clone(job["clone"], {}, UNUSED)
    transformers = import_module("transformers")
    trainer: Any = import_module("lightning.pytorch")
    if isinstance(trainer, Stub):
        trainer.__dict__["LightningModule"] = _plain(torch)
    for name in ("bleu.bleu", "rouge.rouge", "cider.cider", "meteor.meteor"):
        sys.modules[f"evalcap.{name}"] = Stub(name)
    sys.modules["lightning_tools.optim"] = Stub("optim")
    transformers.AutoImageProcessor.from_pretrained = lambda name: _processor(transformers)
    arguments = _arguments(job)
    model: Any = import_module("models.R2GenGPT").R2GenGPT(arguments)
    model.load_state_dict(torch.load(job["weights"]["checkpoint"], map_location="cpu")["model"], strict=False)
    model.float().train(False)
    parser = import_module("dataset.data_helper").FieldParser(arguments)

    def write(films: Sequence[str]) -> list[str]:
        parsed = [parser.parse({"id": film, "image_path": [film]})["image"][0] for film in films]
        pixels = torch.stack([torch.as_tensor(picture) for picture in parsed])
        with torch.no_grad():
            samples = {"id": list(films), "image": [pixels], "input_text": [""] * len(films)}
            reports: list[str] = model.test_step(samples, 0)[0]
        model.test_step_outputs.clear()
        return reports

    return write


def _arguments(job: Job) -> Namespace:
    """What its test script for the Delta variant gives."""
    sizes = {"vis_r": job["rank"], "vis_alpha": 16, "lora_dropout": 0.1, "max_length": 100}
    ways = {"vis_use_lora": True, "freeze_vm": True, "llm_use_lora": False, "low_resource": False, "global_only": False, "do_sample": False}
    search = {"beam_size": 3, "min_new_tokens": 80, "max_new_tokens": 120, "repetition_penalty": 2.0, "length_penalty": 2.0}
    paths = {"vision_model": job["weights"]["swin"], "llama_model": job["weights"]["llama"], "base_dir": "", "delta_file": None}
    return Namespace(**sizes, **ways, **search, **paths, temperature=0, end_sym="</s>", dataset="mimic_cxr")


def _processor(transformers: Any) -> Any:
    """With the settings of `microsoft/swin-base-patch4-window7-224`."""
    means, deviations = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    return transformers.ViTImageProcessor(size={"height": 224, "width": 224}, resample=3, image_mean=means, image_std=deviations)


def _plain(torch: Any) -> type:
    """What is used of Lightning's module here."""

    def save_hyperparameters(self: Any, arguments: Namespace) -> None:
        object.__setattr__(self, "hparams", arguments)

    return type("LightningModule", (torch.nn.Module,), {"save_hyperparameters": save_hyperparameters})


if __name__ == "__main__":
    serve(load)
