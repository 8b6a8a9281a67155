"""Any image-text-to-text model of the Hub with a declared prompt, from the local cache or a folder; no code of the model is run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from generators.adapters import prompting
from generators.adapters.prompting import Prompt
from generators.blocks.answering import Failure, answer
from generators.catalogue import Options, System
from harness.errors import InputError, Problem, UnavailableError, UsageError
from harness.quiet import Quiet
from harness.signature import digest
from harness.storage.files import sha256
from harness.types import Generated, Section, StudyInput


@dataclass(frozen=True, slots=True, repr=False)
class HubRequest(Quiet):
    """What the model is given for one study."""

    text: str = field(repr=False)
    films: tuple[Any, ...]
    """Pictures."""


@dataclass(frozen=True, slots=True)
class Hub:
    """A loaded model."""

    model: Any = field(repr=False)
    processor: Any = field(repr=False)
    prompt: Prompt
    digest: str
    name: str = "transformers"
    exact_batches: bool = False

    @property
    def needs(self) -> frozenset[str]:
        """By the prompt."""
        return self.prompt.needs

    @property
    def writes(self) -> Section:
        """As the user says."""
        return self.prompt.writes

    def generate(self, studies: Sequence[StudyInput]) -> Sequence[Generated]:
        """Greedy, one study at a time: padding changes what many of these models write."""
        return answer(studies, self._prepare, lambda batch: [self._one(asked) for asked in batch])

    def _prepare(self, study: StudyInput) -> tuple[HubRequest, tuple[str, ...]]:
        from harness.films import read_rgb

        text, substituted = self.prompt.filled(study)
        return HubRequest(text, tuple(map(read_rgb, self.prompt.films(study)))), substituted

    def inputs(self, asked: HubRequest) -> Any:
        """The prompt as ids and pixels, in one go: reading a rendered template again would begin the text twice."""
        content: list[dict[str, Any]] = [{"type": "image", "image": film} for film in asked.films]
        messages = [{"role": "user", "content": [*content, {"type": "text", "text": asked.text}]}]
        return self.processor.apply_chat_template(
            messages, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
        )

    def _one(self, asked: HubRequest) -> str | Failure:
        import torch

        given = self.inputs(asked).to(self.model.device, self.model.dtype)
        with torch.inference_mode():
            ids = self.model.generate(**given)[0, given["input_ids"].shape[1] :]
        if len(ids) >= self.prompt.longest and int(ids[-1]) not in _ends(self.model):
            return Failure("the report was cut short at the longest length")
        return str(self.processor.decode(ids, skip_special_tokens=True)).strip()


def _ends(model: Any) -> set[int]:
    found = model.generation_config.eos_token_id
    return set() if found is None else {found} if isinstance(found, int) else set(found)


def make(options: Options) -> Hub:
    """Load a model and its processor.

    Raises:
        UsageError: No model is named.
        UnavailableError: It is not here, or it needs its own code.
        InputError: It has no chat template, or its tensors are not those of its kind; every one is named.
    """
    from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor

    from generators.blocks import hub_folder, stock_model

    named = options.settings.get("model", "")
    if not named:
        raise UsageError("transformers needs --set model=REPOSITORY or a folder")
    folder = Path(named).expanduser() if Path(named).expanduser().is_dir() else _cached(named)
    hub_folder.settings(folder, "config.json")
    processing, configured, stock = cast("tuple[Any, Any, Any]", (AutoProcessor, AutoConfig, AutoModelForImageTextToText))
    try:
        processor = processing.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        kind = type(configured.from_pretrained(folder, local_files_only=True, trust_remote_code=False))
        known = kind in stock._model_mapping
    except (OSError, ValueError, KeyError, ImportError):
        known = False
    if not known:
        what = f"{named} cannot be loaded as an image-text-to-text model without its own code"
        raise UnavailableError(Problem(what, "Serve it in its own environment and use the door openai or command"))
    if not getattr(processor, "chat_template", None):
        raise InputError(Problem("its processor has no chat template", "Use the door command", str(folder)))
    prompt = prompting.prompt(options.settings)
    model = stock_model.load(stock, folder, options, prompt.longest)
    return Hub(model, processor, prompt, digest(["transformers", 3, _identity(folder), *prompt.identity, options.precision]))


def _cached(repository: str) -> Path:
    """The newest snapshot of a repository in the Hub's cache; the network is not asked."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(repository, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        what = f"{repository} is neither a folder nor in the Hub's cache"
        raise UnavailableError(Problem(what, f"Run `hf download {repository}`")) from None


def _identity(folder: Path) -> list[str]:
    """The commit of a snapshot, or what a folder's files hold."""
    if folder.parent.name == "snapshots":
        return [folder.name]
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return [f"{path.name} {sha256(path)}" for path in files]


SYSTEM = System(
    name="transformers",
    make="generators.adapters.hub_model:make",
    summary="any image-text-to-text model of the Hub, with a declared prompt",
    writes=Section.FINDINGS,
    memory="twice its parameters in bytes, in half precision",
    settings={"model": "its repository (downloaded before) or a folder", **prompting.SETTINGS},
)
