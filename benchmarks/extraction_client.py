"""What asking costs the client: its processor time a question, cache writes included, beside a bare HTTP load generator on the same server.

    python -m benchmarks.extraction_client [QUESTIONS]

The server answers at once and runs in a process of its own, so what is measured is the client: user and system time of this process,
divided by the questions. Concurrency 32. The peer sends the same bytes with the same HTTP library and throws the answers away.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

CONCURRENCY = 32
_SERVER = """
import asyncio, json
ANSWER = json.dumps({"id": "x", "object": "chat.completion", "model": "tiny", "choices": [{"index": 0, "message": {"role": "assistant",
  "content": "1"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 600, "completion_tokens": 2, "total_tokens": 602}}).encode()
HEAD = b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(ANSWER)
async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            size = int(head.lower().split(b"content-length:")[1].split(b"\\r\\n")[0])
            await reader.readexactly(size)
            writer.write(HEAD + ANSWER)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 20)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


def spent() -> float:
    """Processor seconds of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def texts(count: int) -> list[str]:
    """Reports of about the usual length, all different."""
    body = "Heart size is normal. The lungs are clear without focal consolidation, effusion or pneumothorax. " * 5
    return [f"Study {number}. {body}" for number in range(count)]


async def bare(url: str, bodies: list[bytes]) -> None:
    """Send the same bytes with the same library, and throw the answers away."""
    import aiohttp

    left = iter(bodies)

    async def work(session: aiohttp.ClientSession) -> None:
        for body in left:
            async with session.post(url + "/chat/completions", data=body, headers={"Content-Type": "application/json"}) as response:
                await response.read()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(work(session) for _ in range(CONCURRENCY)))


def _bare(url: str, bodies: list[bytes]) -> None:
    asyncio.run(bare(url, bodies))


def measured(name: str, count: int, run: Callable[[], object]) -> float:
    """Print what a run costs a question.

    Returns:
        Processor milliseconds a question.
    """
    started, before = time.perf_counter(), spent()
    run()
    wall, used = time.perf_counter() - started, spent() - before
    print(f"{name:32} {1000 * used / count:6.3f} ms CPU a question   {count / wall:7.0f} questions a second")
    return 1000 * used / count


def main(count: int) -> None:
    """Measure both on one server, alternating, and print the ratio."""
    from harness.extractors import extractor
    from harness.extractors.llm.endpoint import Endpoint
    from harness.extractors.llm.extractor import LLM
    from harness.extractors.llm.framing import framed
    from harness.extractors.llm.servers import request

    with (
        tempfile.TemporaryDirectory() as home,
        subprocess.Popen([sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, text=True) as server,
    ):
        assert server.stdout is not None
        url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        os.environ["RANSCORE_HOME"] = home
        reports = texts(count // 20)
        try:
            for turn in range(3):
                made = extractor("llm", endpoint=url, model="tiny", limit=CONCURRENCY)
                assert isinstance(made, LLM)
                for path in Path(home).glob("cache.db*"):
                    path.unlink()
                one = Endpoint(url)
                bodies = [
                    json.dumps(request(made.protocol, one, asked, framed(text, "line"))).encode()
                    for text in reports
                    for asked in made.protocol.asked
                ]
                peer = measured("bare HTTP load generator", len(bodies), partial(_bare, url, bodies))
                ours = measured("ranscore, cache writes included", len(bodies), partial(made.extract, reports))
                again = measured("ranscore, all from the cache", len(bodies), partial(made.extract, reports))
                print(f"turn {turn + 1}: {ours / peer:.2f} times the load generator; from the cache {again / peer:.2f}")
        finally:
            server.kill()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
