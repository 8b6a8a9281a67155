"""XrayGPT's published model on given films, one at a time as in its test; greedy, because draws cannot be repeated."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.upstream.serving import Job, Stub, Write, hollow, serve, use_clone

UNUSED = ("timm", "iopath", "omegaconf", "pandas")


def load(job: Job) -> Write:
    """The published model with the given weights, in float32."""
    import torch

    use_clone(job["clone"], {}, UNUSED)
    for name in ("xraygpt", "xraygpt.models", "xraygpt.processors"):
        hollow(name, str(Path(job["clone"], *name.split("."))))
    # The registry looks for these two where the packages' own `__init__` would have put them.
    sys.modules["xraygpt.models"].__dict__["BaseModel"] = import_module("xraygpt.models.base_model").BaseModel
    sys.modules["xraygpt.processors"].__dict__["BaseProcessor"] = import_module("xraygpt.processors.base_processor").BaseProcessor
    _sized(torch, job)
    mini: Any = import_module("xraygpt.models.mini_gpt4")
    model = mini.MiniGPT4(
        vit_precision="fp32",
        q_former_model=job["weights"]["qformer"],
        llama_model=job["weights"]["vicuna"],
        prompt_path=str(Path(job["clone"], "prompts", "alignment.txt")),
        prompt_template="###Patient: {} ###Doctor: ",
    )
    model.load_state_dict(torch.load(job["weights"]["checkpoint"], map_location="cpu")["model"], strict=False)
    model.float().train(False)
    model.prompt_list = [model.prompt_list[job["number"] - 1]]
    model.llama_model.generate = _greedy(model.llama_model.generate)
    sys.modules["xraygpt.processors.randaugment"] = Stub("randaugment")
    prepare = import_module("xraygpt.processors.blip_processors").Blip2ImageEvalProcessor()

    def write(films: Sequence[str]) -> list[str]:
        with torch.no_grad():
            return [model.test({"image": prepare(_picture(film))[None]})[0] for film in films]

    return write


def _sized(torch: Any, job: Job) -> None:
    """Put files in the place of addresses, and the sizes of the weights in the place of constants."""
    shape: Any = job["shape"]
    base: Any = import_module("xraygpt.models.blip2")
    eyes: Any = import_module("xraygpt.models.eva_vit")
    eyes.download_cached_file = lambda *arguments, **options: job["weights"]["eva"]
    width = shape["width"]
    build = eyes.VisionTransformer
    eyes.VisionTransformer = lambda **given: build(
        **{**given, "embed_dim": width, "num_heads": width // 88, "mlp_ratio": shape["inner"] / width}
    )
    config = base.BertConfig(
        hidden_size=shape["query_width"],
        num_hidden_layers=shape["query_layers"],
        num_attention_heads=shape["query_width"] // 64,
        intermediate_size=shape["query_inner"],
    )
    base.BertConfig.from_pretrained = lambda name: config
    base.Blip2Base.init_tokenizer = classmethod(lambda cls: None)


def _greedy(generate: Any) -> Any:
    return lambda **given: generate(**{**given, "do_sample": False, "top_p": 1.0})


def _picture(film: str) -> Any:
    from PIL import Image

    return Image.open(film).convert("RGB")


if __name__ == "__main__":
    serve(load)
