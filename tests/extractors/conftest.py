"""The tiny model and the real servers, each started once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.extractors import servers


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model's folder."""
    return servers.make_tiny(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="session")
def transformers_url(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running `transformers serve`."""
    with servers.transformers_serve(tiny, tmp_path_factory.mktemp("logs") / "transformers.log") as (url, _):
        yield url


@pytest.fixture(scope="session")
def vllm_url(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running vLLM."""
    if not servers.VLLM.exists():
        pytest.skip("the environment .venv-vllm is not here; .ci/vllm makes it")
    with servers.vllm(tiny, tmp_path_factory.mktemp("logs") / "vllm.log") as (url, _):
        yield url
