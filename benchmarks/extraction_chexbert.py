"""CheXbert's labels of real reports: sorted batches and each text once, beside batches of 64 in file order by transformers.

`python -m benchmarks.extraction_chexbert REPORTS.csv [N]` reads the columns `findings` and `impression` (or `report`) of a CSV. The weights
are random, in the released layout and size, and the vocabulary is made from the reports: speed and equality do not depend on
what was learned. CPU seconds on one thread; equal labels are checked, not assumed.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from harness.networks.bert import BertShape
from harness.networks.chexbert import CheXbert, prepared
from tests.released import chexbert_file, chexbert_model, chexbert_state, vocabulary


def main(path: str, count: int = 1000) -> None:
    torch.set_num_threads(1)
    texts = reports(Path(path), count)
    with tempfile.TemporaryDirectory() as folder:
        bert, heads = chexbert_model(BertShape(), seed=2)
        weights = chexbert_file(Path(folder, "chexbert.pth"), chexbert_state(bert, heads))
        vocabulary(Path(folder, "vocab.txt"), BertShape().words, texts)
        network = CheXbert(weights, device="cpu")
    ids = network._tokenise([prepared(text) for text in texts])
    tokens = sum(map(len, ids))
    print(f"{len(texts)} reports, {len(set(texts))} different, {tokens / len(texts):.1f} tokens each, longest {max(map(len, ids))}")
    peer, peer_seconds = timed(lambda: in_file_order(bert, heads, ids))
    ours, our_seconds = timed(lambda: network.classes(texts))
    different = sum(a != b for left, right in zip(peer, ours, strict=True) for a, b in zip(left, right, strict=True))
    print(f"batches of 64 in file order, transformers: {peer_seconds:.1f} CPU s, {len(texts) / peer_seconds:.1f} reports/s")
    print(f"sorted batches, each text once, this project: {our_seconds:.1f} CPU s, {len(texts) / our_seconds:.1f} reports/s")
    print(
        f"ratio {peer_seconds / our_seconds:.2f}; labels that differ: {different} of {14 * len(texts)}; label rows seen: {len(set(map(tuple, ours)))}"
    )


def reports(path: Path, count: int) -> list[str]:
    """The first `count` reports that hold text."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    columns = [name for name in ("findings", "impression", "report") if name in table]
    texts = table[columns].agg("\n".join, axis=1)
    return [text for text in texts.tolist() if text.strip()][:count]


@torch.inference_mode()
def in_file_order(bert: Any, heads: torch.nn.ModuleList, ids: Sequence[Sequence[int]], size: int = 64) -> list[list[int]]:
    """What the packages of the field do: consecutive texts, padded to the longest."""
    classes: list[list[int]] = []
    for start in range(0, len(ids), size):
        batch = ids[start : start + size]
        longest = max(map(len, batch))
        padded = torch.tensor([list(row) + [0] * (longest - len(row)) for row in batch])
        real = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in batch])
        state = bert(padded, attention_mask=real).last_hidden_state[:, 0]
        classes += torch.stack([head(state).argmax(dim=1) for head in heads], dim=1).tolist()
    return classes


def timed(run: Callable[[], Any]) -> tuple[Any, float]:
    """Result and CPU seconds."""
    start = time.process_time()
    result = run()
    return result, time.process_time() - start


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:3]))
