"""Asks a model in this process, without a server: vLLM's offline engine where it is installed, transformers otherwise.

The model is a folder as it was released, or one GGUF file, which transformers reads with the package `gguf`. Nothing is fetched and no code of the weights' folder runs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from hashlib import sha256
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from harness import config
from harness.config.home import home, pip_install
from harness.errors import InputError, Problem, UnavailableError, UsageError
from harness.extractors.llm import protocol as models
from harness.extractors.llm.parser import ModelReply
from harness.extractors.llm.source import Ask, Settle
from harness.networks import checkpoints

PLACE = "in process"
GGUF = ".gguf"
LONGEST = 512
"""Tokens of an answer where the pack leaves its length to the server."""
_SMALL = 64 << 20
"""Bytes up to which a file's whole content is in the fingerprint."""


class Engine(Protocol):
    """Answers chats."""

    batch: int
    """How many chats it likes at once."""

    def replies(self, chats: Sequence[list[dict[str, str]]], protocol: models.Protocol) -> list[ModelReply]:
        """One reply a chat, in order."""
        ...


class InProcess:
    """A source of answers that loads its engine when the first question comes."""

    def __init__(self, load: Callable[[], Engine]) -> None:
        self._load = load
        self._engine: Engine | None = None

    async def answer(self, protocol: models.Protocol, asks: Iterator[Ask], settle: Settle) -> None:
        """Answer batch by batch; what is in a batch counts as in flight."""
        self._engine = self._engine or self._load()
        while batch := list(islice(asks, self._engine.batch)):
            chats = [protocol.messages(ask.asked, ask.report) for ask in batch]
            for ask, reply in zip(batch, self._engine.replies(chats, protocol), strict=True):
                await settle(ask, replace(reply, model=protocol.model.id), PLACE)


def in_process(path: Path, protocol: models.Protocol, engine: str = "") -> tuple[models.Protocol, InProcess]:
    """Weights on this machine as a source, and the protocol with that model in it.

    Two packs that are asked of the same weights one after the other share one engine, so that the model is loaded once.

    Args:
        path: A folder with weights, tokenizer and configuration as released, or a GGUF file.
        protocol: With the pack to ask; its model is replaced by that of the path.
        engine: `vllm` or `transformers`; empty for the first that is installed, and transformers for a GGUF file.

    Raises:
        UsageError: There is no such engine, or it does not read GGUF files.
        UnavailableError: It is not installed, or the path holds no model.
    """
    engine = engine or ("vllm" if find_spec("vllm") and not path.is_file() else "transformers")
    _check(path, engine)
    model = replace(_named(path), revision=fingerprint(path))
    constraint = protocol.pack.constraint
    if engine == "transformers" and constraint == "schema":
        constraint = "none"
    made = models.Protocol(protocol.pack, model, constraint)
    return made, _source(path, engine, model.revision)


def _check(path: Path, engine: str) -> None:
    """Refuse an engine or weights that cannot be used here."""
    if engine not in ("vllm", "transformers"):
        raise UsageError(f"there is no engine {engine!r}; there are vllm and transformers")
    if path.is_file() and (engine == "vllm" or path.suffix != GGUF):
        raise UsageError(f"{path} is a file: give a folder with weights, or a file {GGUF} and the engine transformers")
    needed = [engine, *(["gguf"] if path.is_file() else [])]
    if missing := [name for name in needed if not find_spec(name)]:
        raise UnavailableError(f"{missing[0]} is not installed. Run `{'pip install vllm' if engine == 'vllm' else pip_install('torch')}`")
    if path.is_dir() and not (path / "config.json").is_file():
        raise UnavailableError(f"the folder {path} holds no model: there is no config.json in it")


@lru_cache(maxsize=1)
def _source(path: Path, engine: str, revision: str) -> InProcess:
    """The engine of the weights that were used last; weights that took the place of others have another `revision`."""
    return InProcess(lambda: Vllm(path) if engine == "vllm" else Transformers(path))


def _named(path: Path) -> models.Model:
    """The preset whose weights the name of a folder or file says it holds, else a model of that name."""
    name = path.resolve().name.removesuffix(GGUF)
    for preset in models.presets().values():
        if name.lower() == preset.id.rpartition("/")[2].lower():
            return preset
    return models.find(name)


def fingerprint(weights: Path) -> str:
    """SHA-256 over the names and contents of a folder's files, or of a GGUF file.

    For a file over 64 MB its size, head and tail are taken instead of its content.
    """
    total = sha256()
    for path in sorted(weights.iterdir()) if weights.is_dir() else [weights]:
        if path.suffix not in (".json", ".safetensors", ".txt", ".model", ".jinja", ".bin", ".tiktoken", GGUF):
            continue
        size = path.stat().st_size
        total.update(f"{path.name}:{size}:".encode())
        with path.open("rb") as stream:
            if size <= _SMALL:
                total.update(stream.read())
            else:
                total.update(stream.read(1 << 20))
                stream.seek(-(1 << 20), os.SEEK_END)
                total.update(stream.read())
    return total.hexdigest()


class _Prefix:
    """Keeps what the model computed of the last prompt: two questions about one finding differ in the report alone, which comes last."""

    def __init__(self, config: Any) -> None:
        from transformers import DynamicCache

        self._make: Callable[[], Any] = partial(DynamicCache, config=config)
        self.usable = {type(layer).__name__ for layer in self._make().layers} == {"DynamicLayer"}
        """False for a model that does not keep every token, as with a sliding window: its state cannot be cut."""
        self._tokens: list[int] = []
        self._cache: Any = None

    def of(self, tokens: list[int]) -> Any:
        """The state after the tokens with which the last prompt began too; never after all of them."""
        same = next((at for at, (old, new) in enumerate(zip(self._tokens, tokens[:-1], strict=False)) if old != new), None)
        shared = min(len(self._tokens), len(tokens) - 1) if same is None else same
        kept, self._tokens = self._cache, []
        if kept is None or not shared:
            kept = self._make()
        else:
            kept.crop(shared - kept.get_seq_length())
        self._cache = kept
        return kept

    def keep(self, tokens: list[int]) -> None:
        """The state is that after these tokens, or more."""
        self._tokens = tokens


class Transformers:
    """The model by transformers: one chat at a time on a CPU, a few on a GPU."""

    def __init__(self, path: Path) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        device = "cuda" if torch.cuda.is_available() else "cpu"
        self.batch = 8 if device == "cuda" else 1
        options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        folder = path
        if path.is_file():
            folder, options["gguf_file"] = path.parent, path.name
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, padding_side="left", **options)
            model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype="auto", **options)
        except Exception as error:  # transformers raises what it likes on a damaged or contradictory file
            raise InputError(Problem(f"the model cannot be read ({type(error).__name__})", "Download it again", str(path))) from None
        checkpoints.finite(model.state_dict().items(), str(path))
        self._model = model.to(device).eval()
        self._prefix = _Prefix(self._model.config)
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token

    def replies(self, chats: Sequence[list[dict[str, str]]], protocol: models.Protocol) -> list[ModelReply]:
        """Decode greedily; the pack's seed has nothing to decide."""
        import torch

        template = protocol.model.request.get("chat_template_kwargs", {})
        prompts = [self._tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True, **template) for chat in chats]
        inputs = self._tokenizer(prompts, return_tensors="pt", padding=True, add_special_tokens=False).to(self._model.device)
        length = inputs["input_ids"].shape[1]
        allowed = self._allowed(length) if protocol.constraint == "choice" else None
        tokens = inputs["input_ids"][0].tolist()
        begun = {"past_key_values": self._prefix.of(tokens)} if self._prefix.usable and len(prompts) == 1 else {}
        with torch.inference_mode():
            found = self._model.generate(
                **inputs,
                **begun,
                max_new_tokens=protocol.decoding.get("max_tokens", LONGEST),
                do_sample=False,
                temperature=None,
                top_p=None,
                top_k=None,
                pad_token_id=self._tokenizer.pad_token_id,
                prefix_allowed_tokens_fn=allowed,
            )
        if begun:
            self._prefix.keep(tokens)
        return [self._reply(row[length:].tolist()) for row in found]

    def _allowed(self, length: int) -> Callable[[int, Any], list[int]]:
        """Which token may come next when the answer is one of the two digits."""
        ends = sorted(self._ends())
        answers = [[*self._tokenizer.encode(digit, add_special_tokens=False), ends[0]] for digit in "01"]

        def following(_: int, tokens: Any) -> list[int]:
            said = tokens[length:].tolist()
            return sorted({answer[len(said)] for answer in answers if answer[: len(said)] == said and len(answer) > len(said)}) or ends

        return following

    def _ends(self) -> set[int]:
        ends = self._model.generation_config.eos_token_id
        return set(ends if isinstance(ends, list) else [ends if ends is not None else self._tokenizer.eos_token_id])

    def _reply(self, tokens: list[int]) -> ModelReply:
        ended = next((place for place, token in enumerate(tokens) if token in self._ends()), None)
        text = self._tokenizer.decode(tokens[:ended], skip_special_tokens=True)
        return ModelReply(text, "length" if ended is None else "stop")


class Vllm:
    """The model by vLLM's offline engine; `[vllm]` in `config.toml` holds further keywords for it, such as the number of GPUs."""

    batch = 1024

    def __init__(self, folder: Path) -> None:
        from vllm import LLM

        os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
        try:
            self._engine = LLM(model=str(folder), trust_remote_code=False, seed=0, **config.table("vllm"))
        except TypeError:
            what = "[vllm] holds a keyword that vLLM does not take, or one that the program sets itself"
            raise InputError(Problem(what, "Take it out", str(home() / config.NAME))) from None

    def replies(self, chats: Sequence[list[dict[str, str]]], protocol: models.Protocol) -> list[ModelReply]:
        """Decode as the pack says."""
        from vllm import SamplingParams
        from vllm.sampling_params import StructuredOutputsParams

        held: Any = {"choice": {"choice": ["0", "1"]}, "schema": {"json": protocol.schema()}}.get(protocol.constraint)
        decoding = {"max_tokens": LONGEST, **protocol.decoding}
        how = SamplingParams(**decoding, structured_outputs=StructuredOutputsParams(**held) if held else None)
        template = protocol.model.request.get("chat_template_kwargs", {})
        found = self._engine.chat(list(chats), how, use_tqdm=False, chat_template_kwargs=template)
        return [ModelReply(one.outputs[0].text, one.outputs[0].finish_reason or "stop") for one in found]
