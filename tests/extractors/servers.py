"""Real servers on loopback with a tiny model made on the spot, and a small server with faults that no healthy one has on demand."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
VLLM = ROOT / ".venv-vllm" / "bin" / "python"
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)


def make_tiny(folder: Path) -> Path:
    """A Qwen3 of random weights whose last layer is set by hand so that it behaves: told not to think, it answers 0 or 1 and stops;
    otherwise it opens a thought that never ends. Which digit it is depends on the whole prompt in a random way."""
    import torch
    from tokenizers import Regex, Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE
    from tokenizers.trainers import BpeTrainer
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

    from harness.extractors.llm import pack

    tokenizer: Any = Tokenizer(BPE())
    # Qwen's own way of cutting text, so that what the tests show of token borders holds for it.
    split = Regex(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(split, "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    corpus = [text for mode in pack.MODES for question in pack.load(mode=mode).questions for text in (question.guidance, "a\n\nb " * 50)]
    corpus += [message["content"] for message in pack.load(mode="joint").messages(None, "x")]
    tokenizer.train_from_iterator(
        corpus, BpeTrainer(vocab_size=1500, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    )
    make: Any = PreTrainedTokenizerFast
    wrapped = make(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=TEMPLATE)
    wrapped.add_tokens(["<think>", "</think>"])
    torch.manual_seed(3)
    configure: Any = Qwen3Config
    config = configure(
        vocab_size=len(wrapped),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=32,
        max_position_embeddings=16384,
        tie_word_embeddings=False,
        eos_token_id=wrapped.convert_tokens_to_ids("<|im_end|>"),
        bos_token_id=None,
        pad_token_id=wrapped.convert_tokens_to_ids("<|endoftext|>"),
        initializer_range=0.1,
    )
    model: Any = Qwen3ForCausalLM(config)
    _teach(model, wrapped)
    model.save_pretrained(folder)
    wrapped.save_pretrained(folder)
    return folder


def _teach(model: Any, tokenizer: Any) -> None:
    """Set the last layer: what follows a line end, two line ends, and a digit."""
    import torch

    one = {text: tokenizer.convert_tokens_to_ids(token) for text, token in {"\n": "Ċ", "\n\n": "ĊĊ", "0": "0", "1": "1"}.items()}
    think, end = tokenizer.convert_tokens_to_ids("<think>"), tokenizer.convert_tokens_to_ids("<|im_end|>")
    with torch.no_grad():
        embed, head = model.model.embed_tokens.weight, model.lm_head.weight
        embed.normal_(0, 1.0)
        head.mul_(0.02)
        lean = torch.randn(embed.shape[1])
        lean -= embed[one["\n\n"]] * (lean @ embed[one["\n\n"]]) / (embed[one["\n\n"]] @ embed[one["\n\n"]])
        head[one["0"]], head[one["1"]] = embed[one["\n\n"]] + 0.3 * lean, embed[one["\n\n"]] - 0.3 * lean
        head[think] = embed[one["\n"]] - embed[one["\n\n"]]
        head[end] = 4 * (embed[one["0"]] + embed[one["1"]]) - 4 * embed[one["\n\n"]]


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextmanager
def served(
    command: list[str], port: int, log: Path, env: dict[str, str], cwd: Path | None = None, patience: float = 400.0
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A server process that answers /v1/models; stopped, with all its children, at the end."""
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, stdout=stream, stderr=subprocess.STDOUT, env={**os.environ, **env}, start_new_session=True, cwd=cwd
        )
    try:
        until = time.monotonic() + patience
        while time.monotonic() < until and process.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=5).read()
                break
            except OSError:
                time.sleep(0.3)
        else:
            raise RuntimeError(f"the server did not start: {log.read_text(errors='replace')[-3000:]}")
        yield f"http://127.0.0.1:{port}/v1", process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server and its children at once."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, 9)
    process.wait()


def vllm(folder: Path, log: Path) -> Any:
    """vLLM's server for the CPU, from its own environment."""
    port = free_port()
    command = [str(VLLM), "-m", "vllm.entrypoints.openai.api_server", "--model", str(folder), "--served-model-name", "tiny"]
    command += ["--max-model-len", "16384", "--enforce-eager", "--dtype", "float32", "--gpu-memory-utilization", "0.2"]
    command += ["--structured-outputs-config.backend", "xgrammar", "--structured-outputs-config.disable_any_whitespace", "true"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    return served(command, port, log, VLLM_ENV)


VLLM_ENV = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "TORCH_COMPILE_DISABLE": "1",
    "VLLM_LOGGING_LEVEL": "WARNING",
}


def transformers_serve(folder: Path, log: Path) -> Any:
    """`transformers serve` from the project's own environment."""
    import sys

    port = free_port()
    command = [str(Path(sys.executable).with_name("transformers")), "serve", folder.name, "--host", "127.0.0.1", "--port", str(port)]
    hub = log.parent / "hub"
    hub.mkdir(exist_ok=True)  # it lists the models of this folder, and fails where there is none
    return served(command, port, log, {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_CACHE": str(hub)}, folder.parent)


Behaviour = Callable[["Faulty", BaseHTTPRequestHandler, dict[str, Any]], None]


class Faulty:
    """A small HTTP server that answers as it is told to, counts, and remembers what it was asked."""

    def __init__(
        self,
        behave: Behaviour | None = None,
        model: str = "tiny",
        delay: float = 0.0,
        port: int = 0,
        bodies: list[dict[str, Any]] | None = None,
    ) -> None:
        self.behave, self.model, self.delay, self._port = behave, model, delay, port
        self.bodies: list[dict[str, Any]] = [] if bodies is None else bodies
        self.connections: set[socket.socket] = set()
        self.answered: Counter[str] = Counter()
        self.running = self.most = 0
        self.lock = threading.Lock()
        self._server = _server(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Faulty:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening, and break off what is in flight."""
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def truth(self, body: dict[str, Any]) -> str:
        """The answer that this server's model gives: by rule, so that tests know it."""
        prompt = body["messages"][0]["content"] + body["messages"][1]["content"]
        return verdict(prompt)

    def good(self, handler: BaseHTTPRequestHandler, body: dict[str, Any], content: str | None = None, **more: Any) -> None:
        """A proper answer."""
        text = self.truth(body) if content is None else content
        with self.lock:
            self.answered[json.dumps(body["messages"])] += 1
        message = {"role": "assistant", "content": text, **more.pop("message", {})}
        data = {"model": self.model, "choices": [{"message": message, "finish_reason": "stop", **more}], "usage": {"prompt_tokens": 9}}
        send(handler, 200, json.dumps(data).encode())


def verdict(prompt: str) -> str:
    """0 or 1 from the prompt, in a way that is easy to repeat: by the number of letters e."""
    return str(prompt.count("e") % 2)


def send(handler: BaseHTTPRequestHandler, status: int, data: bytes, headers: dict[str, str] | None = None) -> None:
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(data)), "Content-Type": "application/json", **(headers or {})}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(data)


def _server(faulty: Faulty) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def setup(self) -> None:
            super().setup()
            faulty.connections.add(self.connection)

        def do_GET(self) -> None:
            send(self, 200, json.dumps({"data": [{"id": faulty.model}]}).encode())

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with faulty.lock:
                faulty.bodies.append(body)
                faulty.running += 1
                faulty.most = max(faulty.most, faulty.running)
            try:
                time.sleep(faulty.delay)
                if faulty.behave:
                    faulty.behave(faulty, self, body)
                else:
                    faulty.good(self, body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
            finally:
                with faulty.lock:
                    faulty.running -= 1

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 512

        def handle_error(self, *_: Any) -> None:
            pass

    return Server(("127.0.0.1", faulty._port), Handler)


def reports(count: int) -> list[str]:
    """Reports for tests: all different, all clinical."""
    return [f"The heart is normal in size. Nodule number {number} measures {number % 17} mm." for number in range(count)]


def words(text: str) -> set[str]:
    """Every word of a text that is long enough to be looked for."""
    return set(re.findall(r"\w{6,}", text))
