"""Another visitor during floods of the page: seconds until the board comes, and the page's memory. Run by: python -m benchmarks.floods.

Each flood comes from a process of its own, on loopback, for some seconds, from addresses that a proxy on this machine names.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

import aiohttp
import numpy as np

from benchmarks.page import fill, memory
from generators.baseline import trained
from harness.cohorts.synthetic.cohort import build
from harness.records.store import Store
from leaderboard.films.reader import example

SECONDS = 12
SYSTEMS = 84
CLIENTS = 8
Flood = Callable[[aiohttp.ClientSession, str, random.Random, str], Awaitable[None]]


def who(number: int) -> dict[str, str]:
    """The header by which a proxy names a visitor."""
    return {"x-forwarded-for": f"10.{number // 65_536 % 256}.{number // 256 % 256}.{number % 256}"}


def word(draw: random.Random) -> str:
    """Something invented."""
    return "".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=8))


async def invented(session: aiohttp.ClientSession, address: str, draw: random.Random, me: str) -> None:
    """Any tab with invented parameters."""
    tab = draw.choice(["board", "findings", "compare", "agree", "system", "about", word(draw)])
    query = urlencode({"tab": tab, "part": word(draw), "board": word(draw), "a": word(draw), word(draw): word(draw)})
    await _read(session.get(f"{address}/ranscore/view?{query}", headers={"x-forwarded-for": me}))


async def pairs(session: aiohttp.ClientSession, address: str, draw: random.Random, me: str) -> None:
    """Pairs and systems that there are, each another one."""
    one, other = draw.sample(session.rows, 2)  # type: ignore[attr-defined]
    query = urlencode({"tab": draw.choice(["compare", "system"]), "a": one, "b": other, "system": one})
    await _read(session.get(f"{address}/ranscore/view?{query}", headers={"x-forwarded-for": me}))


async def exports(session: aiohttp.ClientSession, address: str, draw: random.Random, me: str) -> None:
    """Exports of rows in an order of their own."""
    rows: list[str] = draw.sample(session.rows, len(session.rows))  # type: ignore[attr-defined]
    kind = draw.choice(["csv", "latex", "svg", "markdown", "json"])
    body = {"rows": rows, "columns": ["evidence", word(draw)], "address": f"https://{word(draw)}.example"}
    await _read(session.post(f"{address}/ranscore/export/{kind}", json=body, headers={"x-forwarded-for": me}))


async def hand_ins(session: aiohttp.ClientSession, address: str, draw: random.Random, me: str) -> None:
    """Files that are checked and not submitted."""
    head = {"name": "a.csv", "cohort": "synthetic", "card": {"name": word(draw)}, "dry": True}
    body = json.dumps(head).encode() + b"\n" + b"study_id,report\n" + b"".join(b"%d,T4-1.1@\n" % number for number in range(3000))
    headers = {"content-type": "application/octet-stream", "x-ranscore": "1", "x-forwarded-for": me}
    await _read(session.post(f"{address}/ranscore/hand-in", data=body, headers=headers))


async def films(session: aiohttp.ClientSession, address: str, draw: random.Random, me: str) -> None:
    """Whole films of noise, as fast as they are taken."""
    body = b'{"name": "a.png", "reference": ""}\n\x89PNG\r\n\x1a\n' + draw.randbytes(2_000_000)
    headers = {"content-type": "application/octet-stream", "x-forwarded-for": me}
    await _read(session.post(f"{address}/ranscore/film", data=body, headers=headers))


async def _read(asked: aiohttp.client._RequestContextManager) -> None:
    async with asked as answer:
        await answer.read()


REPEATED: dict[str, Flood] = {
    "invented addresses": invented,
    "pairs and systems": pairs,
    "exports": exports,
    "hand-ins": hand_ins,
    "films of noise": films,
}
"""Floods of requests, by as many clients as `CLIENTS`."""
FILM = b"POST /ranscore/film HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: %s\r\ncontent-type: application/octet-stream\r\ncontent-length: 9999999\r\n\r\n"
HELD: dict[str, tuple[int, bytes, bytes]] = {
    "slow films": (100, FILM, b"x"),
    "half-open connections": (900, b"GET / HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: %s\r\nx-a: ", b"y"),
    "idle connections": (500, b"GET /ranscore/frame.css HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: %s\r\n\r\n", b""),
}
"""Floods of connections: how many at once, how each begins, and what it sends each second."""


async def repeat(flood: Flood, address: str, seconds: float) -> int:
    """Send requests until the time is over; how many were answered."""
    end, count = time.monotonic() + seconds, 0

    async def one(session: aiohttp.ClientSession, number: int) -> None:
        nonlocal count
        draw = random.Random(number)
        while time.monotonic() < end:
            with suppress(aiohttp.ClientError, asyncio.TimeoutError):
                await flood(session, address, draw, who(number)["x-forwarded-for"])
                count += 1

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        async with session.get(f"{address}/ranscore/export/json") as answer:
            found = json.loads(await answer.text())
        session.__dict__["rows"] = [row["id"] for row in found["rows"]]
        await asyncio.gather(*(one(session, number) for number in range(CLIENTS)))
    return count


async def hold(kind: str, address: str, seconds: float) -> int:
    """Keep connections open, and open them again where they are closed; how many were opened."""
    many, first, more = HELD[kind]
    place = urlsplit(address)
    end, count = time.monotonic() + seconds, 0

    async def one(number: int) -> None:
        nonlocal count
        while time.monotonic() < end:
            with suppress(OSError):
                _, stream = await asyncio.open_connection(place.hostname, place.port)
                count += 1
                stream.write(first.replace(b"%s", who(number)["x-forwarded-for"].encode()))
                while time.monotonic() < end and not stream.is_closing():
                    stream.write(more)
                    await stream.drain()
                    await asyncio.sleep(1)
                stream.close()

    await asyncio.gather(*(one(number) for number in range(many)))
    return count


def visit(address: str, seconds: float) -> list[float]:
    """Open the board again and again, as one visitor; the seconds of each."""
    times, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        begun = time.perf_counter()
        with urlopen(f"{address}/ranscore/view?tab=board", timeout=60) as answer:
            answer.read()
        times.append(time.perf_counter() - begun)
        time.sleep(0.05)
    return times


def film(address: str) -> float:
    """Seconds until one visitor has the report for a film."""
    body = b'{"name": "a.png", "reference": ""}\n' + example(0)[0]
    begun = time.perf_counter()
    with urlopen(_request(f"{address}/ranscore/film", body), timeout=120) as answer:
        answered = b"wrote" in answer.read()
    return time.perf_counter() - begun if answered else float("nan")


def _request(address: str, body: bytes) -> Request:
    return Request(address, body, {"content-type": "application/octet-stream", "x-forwarded-for": "192.0.2.1"})


@contextmanager
def serving(store: Store, model: Path) -> Iterator[tuple[str, int]]:
    """The page with the trained baseline, in a process of its own: its address and process id."""
    command = [sys.executable, "-m", "ranscore", "serve", "--store", str(store.root), "--port", "0"]
    command += ["--generator", "trained-baseline", "--weights", f"model={model}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}) as server:
        try:
            found = re.search(r"http://\S+", server.stdout.readline() if server.stdout else "")
            assert found
            yield found[0], server.pid
        finally:
            server.terminate()


def measure(kind: str, address: str, process: int, seconds: float) -> str:
    """One line of the table."""
    before = memory(process)
    command = [sys.executable, "-m", "benchmarks.floods", "--flood", kind, "--address", address, "--seconds", str(seconds + 3)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as flood:
        time.sleep(3)
        times = visit(address, seconds)
        report = film(address)
        sent = (flood.communicate()[0] or "").strip()
    time.sleep(2)
    middle, late = np.percentile(times, [50, 95])
    took = f"{middle * 1000:7.0f} {late * 1000:7.0f} {max(times) * 1000:7.0f} {report:8.1f}"
    return f"{kind:22} {sent:>9} {len(times):6} {took} {before:8.0f} {memory(process):8.0f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flood", choices=[*REPEATED, *HELD], help="only make this flood, at --address")
    parser.add_argument("--address")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--systems", type=int, default=SYSTEMS)
    arguments = parser.parse_args()
    if arguments.flood:
        run = repeat(REPEATED[arguments.flood], arguments.address, arguments.seconds) if arguments.flood in REPEATED else None
        print(asyncio.run(run or hold(arguments.flood, arguments.address, arguments.seconds)))
        return
    with tempfile.TemporaryDirectory() as folder:
        store, model = Store(Path(folder) / "store"), Path(folder) / "model.npz"
        fill(store, arguments.systems)
        trained.train(build(studies=1, seed=4, images=Path(folder) / "films", train=200, dev=1)).save(model)
        print(f"load of this machine at the beginning: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
        print(f"{'flood':22} {'sent':>9} {'boards':>6} {'p50 ms':>7} {'p95 ms':>7} {'most ms':>7} {'film s':>8} {'MB':>8} {'MB after':>8}")
        with serving(store, model) as (address, process):
            quiet = visit(address, 5)
            report = film(address)
            middle, late = np.percentile(quiet, [50, 95])
            took = f"{middle * 1000:7.0f} {late * 1000:7.0f} {max(quiet) * 1000:7.0f} {report:8.1f}"
            print(f"{'none':22} {'':>9} {len(quiet):6} {took} {'':8} {memory(process):8.0f}", flush=True)
            for kind in (*REPEATED, *HELD):
                print(measure(kind, address, process, arguments.seconds), flush=True)
        print(f"load of this machine at the end: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
