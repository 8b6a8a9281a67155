"""Where CheXbert's files are. Nothing here imports PyTorch, so that asking for them takes no time."""

from __future__ import annotations

from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from harness import config
from harness.config.home import pip_install
from harness.errors import Problem, UnavailableError
from harness.networks import checkpoints

REPOSITORIES = ("StanfordAIMI/RRG_scorers",)
FILE = "chexbert.pth"
VOCABULARIES = ("google-bert/bert-base-uncased", "bert-base-uncased")
UNAVAILABLE = (
    f"CheXbert's weights are not on this machine: {FILE}, 1.31 GB, from the Hub's StanfordAIMI/RRG_scorers, free for research only"
    " (Stanford sells the licence for other use)"
)


def find_all() -> None:
    """Look for everything that the network needs, without loading it.

    Raises:
        UnavailableError: PyTorch, the weights or the vocabulary are not here.
    """
    with suppress(ModuleNotFoundError):
        if find_spec("torch") is not None:
            find_vocabulary("", find_weights())
            return
    raise UnavailableError(f"CheXbert needs PyTorch. Run `{pip_install('torch')}`")


def find_weights(named: str | Path = "") -> Path:
    """The file named, else `[weights.chexbert] weights` of the configuration, else the Hub's local cache.

    Raises:
        UnavailableError: None of them is there.
    """
    path = named or config.weights("chexbert").get("weights") or checkpoints.cached(REPOSITORIES, FILE)
    if not path:
        raise UnavailableError(Problem(UNAVAILABLE, "Download it and set `weights` under `[weights.chexbert]` in config.toml to its path"))
    return Path(path).expanduser()


def find_vocabulary(named: str | Path, weights: Path) -> Path:
    """The file named, else `[weights.chexbert] vocabulary`, else `vocab.txt` beside the weights, else the Hub's local cache.

    Raises:
        UnavailableError: None of them is there.
    """
    beside = weights.with_name("vocab.txt")
    path = named or config.weights("chexbert").get("vocabulary") or (beside if beside.is_file() else None)
    path = Path(path).expanduser() if path else checkpoints.cached(VOCABULARIES, "vocab.txt")
    if path is None or not path.is_file():
        what = "CheXbert's vocabulary is not on this machine: vocab.txt of bert-base-uncased, 0.2 MB, Apache-2.0"
        raise UnavailableError(
            Problem(what, "Put it beside the weights, or set `vocabulary` under `[weights.chexbert]` in config.toml", str(path or ""))
        )
    return path
