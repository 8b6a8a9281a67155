"""Repositories of the Hub, put into the Hub's cache at one commit; interrupted downloads are continued by its own client."""

from __future__ import annotations

import json
from pathlib import Path

from harness import config
from harness.config.home import home, pip_install
from harness.errors import InputError, Problem, RefusedError, UnavailableError
from harness.storage import files
from harness.storage.stored import Source, exists, read_object
from harness.types import Json
from ranscore.fetching.entries import Entry
from ranscore.fetching.placing import agree

UNREAD = ("*.h5", "*.msgpack", "*.ot", "*.onnx", "onnx/*", "openvino/*", "coreml/*", "*.tflite", "*.gguf")
"""Weights for other libraries, which nothing here reads."""


def fetch(entry: Entry, *, accepted: str = "", now: str) -> dict[str, Path]:
    """Download the repositories of an entry. The commit of the first time is recorded and fetched again later.

    Returns:
        By repository the folder in the Hub's cache.

    Raises:
        RefusedError: The licence is not accepted, or the Hub wants a person to accept its terms first.
        UnavailableError: The Hub cannot be reached, or has no such repository.
        InputError: The disk is full.
    """
    agree(entry, accepted, now)
    path = home() / "fetched" / f"{entry.name}.json"
    source = Source(str(path), "the record of a fetch", "Remove it and fetch again", InputError)
    record: Json = read_object(path, source) if exists(path) else {}
    commits: dict[str, str] = dict(record.get("commits", {}))
    found = {}
    for wanted in entry.hub:
        repository, _, only = wanted.partition(":")
        place = _snapshot(repository, only, commits.get(repository, "main"))
        found[repository], commits[repository] = place, place.name
        files.write(path, json.dumps({"entry": entry.name, "licence": entry.licence, "fetched": now, "commits": commits}, indent=1) + "\n")
    return found


def _snapshot(repository: str, only: str, revision: str) -> Path:
    """One repository, or one file of it, in the Hub's cache."""
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError
    except ImportError as error:
        raise UnavailableError(f"the Hub's client is not installed. Run `{pip_install('board')}`") from error
    endpoint = str(config.table("hub").get("endpoint") or "") or None
    page = f"{endpoint or 'https://huggingface.co'}/{repository}"
    try:
        return Path(
            snapshot_download(
                repository,
                revision=revision,
                allow_patterns=[only] if only else None,
                ignore_patterns=list(UNREAD),
                endpoint=endpoint,
                local_files_only=False,
            )
        )
    except GatedRepoError:
        what = f"{repository} is given to people who have accepted its terms"
        raise RefusedError(
            Problem(what, "Accept them on its page, run `hf auth login` or set HF_TOKEN, and run the command again", page)
        ) from None
    except RevisionNotFoundError:
        what = f"{repository} has no commit {revision} any more"
        raise UnavailableError(Problem(what, "Remove its record under RANSCORE_HOME/fetched to take the newest", page)) from None
    except RepositoryNotFoundError:
        what = f"the Hub has no {repository}, or does not show it to you"
        raise UnavailableError(Problem(what, "Look on its page; log in with `hf auth login` where it is closed", page)) from None
    except LocalEntryNotFoundError:
        what = "the Hub cannot be reached"
        raise UnavailableError(
            Problem(what, "Check the network, HTTPS_PROXY, or `endpoint` under [hub] in config.toml; what came stays", page)
        ) from None
    except OSError as error:
        if error.errno is not None:
            what = f"it could not be kept ({error.strerror})"
            raise InputError(Problem(what, "Make room, or set HF_HOME to a folder on a larger disk", page)) from None
        raise UnavailableError(Problem(f"the Hub refuses ({type(error).__name__})", "Try again later; what came stays", page)) from None
