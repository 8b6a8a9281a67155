"""A stock model of transformers, loaded strictly from a release folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch

from generators.blocks import config_sizes, hub_folder
from generators.catalogue import Options
from harness.errors import InputError, Problem
from harness.networks import checkpoints, containers


def load(stock: Any, folder: Path, options: Options, longest: int) -> Any:
    """A model of a stock class, every tensor where it belongs, set to write greedily.

    Raises:
        InputError: Tensors are missing, unexpected or of another shape; the weights are no safetensors; or the configuration describes a
            larger model than they are.
    """
    from transformers import GenerationConfig

    for path in folder.glob("*.safetensors"):
        _readable(path)
    hub_folder.settings(folder, "config.json")
    config_sizes.fitting(stock, folder)
    try:
        model, report = stock.from_pretrained(
            folder,
            dtype=getattr(torch, options.precision),
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    except Exception as error:  # transformers raises what it likes on a damaged or contradictory file
        raise InputError(Problem(f"its weights cannot be read ({type(error).__name__})", "Download it again", str(folder))) from None
    _checked(report, folder)
    checkpoints.finite(model.state_dict().items(), str(folder))
    released, configured = model.generation_config, cast(Any, GenerationConfig)
    # Only what the release says about ends and repetition is kept: its sampling is not what was published, its limits are not ours.
    model.generation_config = configured(
        do_sample=False,
        num_beams=1,
        max_new_tokens=longest,
        eos_token_id=released.eos_token_id,
        pad_token_id=_first(released.pad_token_id, released.eos_token_id),
        repetition_penalty=released.repetition_penalty or 1.0,
    )
    return model.to(options.device).requires_grad_(False).eval()


def _readable(path: Path) -> None:
    """Hold a file's header against its length before anything is read of it."""
    try:
        containers.safetensors_header(path)
    except containers.DamagedError as error:
        raise InputError(Problem(str(error), "Download it again", str(path))) from None


def _first(*ids: Any) -> int | None:
    """The first id that is given; the first of several."""
    found = next((number for number in ids if number is not None), None)
    return found[0] if isinstance(found, list) else found


def _checked(report: Any, folder: Path) -> None:
    """Every wrong tensor is named, as `harness.networks.checkpoints` names them."""
    misshapen = {name: (tuple(found), tuple(wanted)) for name, found, wanted in report["mismatched_keys"]}
    shaped = {name: torch.empty(found, device="meta") for name, (found, _) in misshapen.items()}
    found = dict.fromkeys(report["unexpected_keys"], torch.empty(0)) | shaped
    expected = dict.fromkeys(report["missing_keys"], ()) | {name: wanted for name, (_, wanted) in misshapen.items()}
    checkpoints.check(found, expected, str(folder))
