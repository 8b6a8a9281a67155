"""Random weights in LLM-RG4's released layout, the folders around them, and a file that stands for a clone of its repository."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path

from generators.blocks.random_weights import VISION, pieces, rad_dino, seeded, vocabulary
from harness.types import Json

RANK = 32
LANGUAGE: Json = {
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "vocab_size": 383,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
    "rms_norm_eps": 1e-5,
}
READER: Json = {
    "model_type": "bert",
    "hidden_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 96,
    "vocab_size": 400,
    "max_position_embeddings": 128,
}
CLONE = '''"""Stands for a clone: the same names and shapes, other sentences."""
class Model:
    def __init__(self):
{sentences}

    def prompt_sn(self, samples):
        prompt = []
        for b, h_i in enumerate(samples):
{prompts}
        return prompt
'''


def write(folder: Path, seed: int = 0) -> None:
    """Everything that LLM-RG4 needs."""
    import torch
    from safetensors.torch import save_file
    from transformers import LlamaConfig, LlamaForCausalLM

    from generators.llm_rg4.fusion import Fusion, Sizes, low_rank
    from generators.llm_rg4.report import PREFIX
    from harness.networks.bert import BertShape

    sizes = Sizes(12, 48, 96, 64)
    with torch.device("meta"):
        fusion, language = Fusion(sizes), LlamaForCausalLM(LlamaConfig.from_dict(deepcopy(LANGUAGE)))
    layout = {name: tuple(tensor.shape) for name, tensor in fusion.state_dict().items()}
    trained = seeded({**layout, **low_rank(2, 64, RANK)}, seed)
    torch.save({"model": trained, "config": {"beam_size": 3}, "epoch": 1, "step": 2}, folder / "model")
    rad_dino(folder / "rad-dino", VISION, seed)
    for name, config in (("vicuna", LANGUAGE), ("cxr-bert", READER)):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    kept = {name: tuple(tensor.shape) for name, tensor in language.state_dict().items()}
    save_file(seeded(kept, seed), folder / "vicuna" / "model.safetensors", metadata={"format": "pt"})
    (folder / "vicuna" / "tokenizer.model").write_bytes(pieces(383))
    shape = BertShape(2, 48, 4, 96, 400, 128)
    save_file(seeded(shape.layout(PREFIX, pooler=False), seed), folder / "cxr-bert" / "model.safetensors", metadata={"format": "pt"})
    (folder / "cxr-bert" / "vocab.txt").write_text("\n".join(vocabulary(400)) + "\n", encoding="utf-8")
    clone(folder / "code")


def clone(folder: Path) -> None:
    """A file with the names that the prompts are read by."""
    names = [f"{view}_{short}_prompt" for view in ("AP", "PA") for short in ("fi", "f", "i")] + ["f_prompt"]
    sentences = "\n".join(f"        self.{name} = 'write {name} of the lungs'" for name in names)
    frames = {name: "\\n" if name == "f_prompt" else "" for name in names}
    prompts = "\n".join(
        f"            prompt.append(f'A: {{h_i}} [<ImageHere>] {line}{{self.{name}}}. B:')" for name, line in frames.items()
    )
    path = folder / "models" / "LLM_RG4.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(CLONE.format(sentences=sentences, prompts=prompts), encoding="utf-8")
