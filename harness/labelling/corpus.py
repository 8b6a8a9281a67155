"""Labels any file of reports: row by row, with the ids and a few reports in memory, and again from where it stopped.

The file is read twice: once to find everything that is wrong with it, once to label it. Finished chunks are beside the output, in a
folder named after it, until the output is written; each carries a keyed hash of what was labelled by whom in its name, so a restart takes
only what is still true.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

from harness.errors import RefusedError, UsageError
from harness.extractors import extractor
from harness.extractors.cache import home_key, keyed
from harness.findings import VOCABULARIES
from harness.formats.label_files import cells
from harness.formats.reports import inspect, rows
from harness.optional import Chunked
from harness.quiet import Quiet
from harness.storage import files
from harness.types import Extractor

CHUNK = 1000
"""Reports that are labelled and committed together, where the extractor does not say otherwise."""


@dataclass(frozen=True, slots=True, repr=False)
class Chunk(Quiet):
    """Some reports in the file's order."""

    number: int
    ids: tuple[str, ...] = field(repr=False)
    texts: tuple[str, ...] = field(repr=False)


class Labeller(Protocol):
    """Labels chunks somewhere: here, in other processes, on other machines."""

    def run(self, chunks: Iterator[Chunk]) -> Iterator[tuple[Chunk, bytes]]:
        """Every chunk with its rows of the label file, in any order; takes few chunks ahead of what it has given."""
        ...


def label(source: Path, out: Path, made: Extractor, labeller: Labeller | None = None, chunk: int = 0, *, private: bool = True) -> int:
    """Label every report of a file.

    Args:
        source: The reports, as `harness.formats.reports` reads them.
        out: The label file to write, CSV or Parquet by its name's end: `study_id`, a status, and a column a finding, in the order of
            the source. It appears when everything is labelled.
        made: The extractor.
        labeller: Where the work is done; by default here, for the embedded extractor in as many processes as there are processors.
        chunk: Reports that are committed together; 0 for what suits the extractor.
        private: Whether nobody but their owner may read the files that are written.

    Returns:
        How many reports were labelled.

    Raises:
        InputError: Something is wrong with the file; nothing was labelled.
        UsageError: The output's name ends in neither .csv nor .parquet, or is the source.
        RefusedError: Something else than an unfinished output is in the way.
    """
    if out.suffix not in (".csv", ".parquet") or out.resolve() == source.resolve():
        raise UsageError(
            f"labels are written as CSV or Parquet: let {out.name!r} end in .csv or .parquet, and be another file than the reports"
        )
    total = inspect(source)
    folder = out.with_name(out.name + ".parts")
    if folder.exists() and any(not path.name.endswith(".rows") for path in folder.iterdir()):
        raise RefusedError(f"the folder {folder} holds files that this program did not write; move it away")
    folder.mkdir(parents=True, exist_ok=True)
    if private:
        files.close(folder)
    size = chunk or (made.chunk if isinstance(made, Chunked) else CHUNK)
    parts: list[Path] = []
    bar = _Bar(total)

    def missing() -> Iterator[Chunk]:
        """The chunks that no earlier run has finished."""
        for piece in _chunks(source, size):
            part = folder / f"{piece.number:07d}-{_name(piece, made.digest)}.rows"
            parts.append(part)
            if part.is_file():
                bar.add(len(piece.ids))
            else:
                yield piece

    with bar:
        for piece, content in (labeller or here(made)).run(missing()):
            files.write(folder / f"{piece.number:07d}-{_name(piece, made.digest)}.rows", content, private=private)
            bar.add(len(piece.ids))
    _join(parts, out, VOCABULARIES[made.vocabulary], private)
    shutil.rmtree(folder)
    return total


class _Bar:
    """Progress in reports."""

    def __init__(self, total: int) -> None:
        from tqdm import tqdm

        self._bar = tqdm(total=total, desc="labelling", unit=" report", disable=None, delay=0.5, dynamic_ncols=True)
        self.add = self._bar.update

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()


def _chunks(source: Path, size: int) -> Iterator[Chunk]:
    every, number = rows(source), 0
    while pairs := list(islice(every, size)):
        yield Chunk(number, tuple(name for name, _ in pairs), tuple(text for _, text in pairs))
        number += 1


def _name(piece: Chunk, digest: str) -> str:
    """A keyed hash over who labels what."""
    return keyed(home_key(), json.dumps([digest, piece.ids, piece.texts])).hex()


def labelled(made: Extractor, piece: Chunk) -> bytes:
    """A chunk's rows of the label file."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    for name, item in zip(piece.ids, made.extract(piece.texts), strict=True):
        writer.writerow([name, item.report.value, *cells(item)])
    return stream.getvalue().encode()


def _join(parts: Iterable[Path], out: Path, findings: Sequence[str], private: bool) -> None:
    """Put the finished chunks together."""
    header = ["study_id", "status", *findings]
    with files.writing(out, private=private) as stream:
        if out.suffix == ".csv":
            line = io.StringIO()
            csv.writer(line, lineterminator="\n").writerow(header)
            stream.write(line.getvalue().encode())
            for part in parts:
                stream.write(part.read_bytes())
            return
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = pa.schema([(name, pa.string()) for name in header])
        with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
            for part in parts:
                lines = list(csv.reader(io.StringIO(part.read_text(encoding="utf-8"), newline="")))
                writer.write_table(pa.table([list(column) for column in zip(*lines, strict=True)], schema=schema))


@dataclass(frozen=True, slots=True)
class LocalLabeller:
    """In this process."""

    made: Extractor

    def run(self, chunks: Iterator[Chunk]) -> Iterator[tuple[Chunk, bytes]]:
        """One after the other."""
        for piece in chunks:
            yield piece, labelled(self.made, piece)


@dataclass(frozen=True, slots=True)
class Processes:
    """In several processes of this machine, for an extractor that computes."""

    name: str
    count: int

    def run(self, chunks: Iterator[Chunk]) -> Iterator[tuple[Chunk, bytes]]:
        """A few chunks ahead in each process."""
        waiting: deque[tuple[Chunk, Future[bytes]]] = deque()
        with ProcessPoolExecutor(self.count, get_context("spawn"), _begin, (self.name,)) as pool:
            try:
                while True:
                    for piece in islice(chunks, 2 * self.count - len(waiting)):
                        waiting.append((piece, pool.submit(_work, piece)))
                    if not waiting:
                        return
                    piece, future = waiting.popleft()
                    yield piece, future.result()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)


_own: list[Extractor] = []


def _begin(name: str) -> None:
    _own.append(extractor(name))


def _work(piece: Chunk) -> bytes:
    return labelled(_own[0], piece)


def here(made: Extractor) -> Labeller:
    """What suits an extractor on this machine."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if made.name == "lexical" and processors > 1:
        return Processes(made.name, processors)
    return LocalLabeller(made)
