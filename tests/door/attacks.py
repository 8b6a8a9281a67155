"""Requests that mean harm, each with the statuses that may answer it. Written for these tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.door.asking import JSON, OCTETS, Pairs, upload

DEEP = 200_000
CUT = (0, 400, 414, 431)
"""What is so long that the connection may be closed before its answer is read; then the status is 0."""
PLAIN = b'{"study_id": "s3000000", "report": "Clear."}\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One request."""

    group: str
    name: str
    status: tuple[int, ...]
    method: str = "GET"
    path: str = "/"
    headers: Pairs = field(default_factory=list)
    body: bytes | None = None
    host: str | None = None
    """None for the page's own."""
    says: str = ""
    """What must stand in the answer."""


def handed(group: str, name: str, body: bytes, status: int, says: str = "problems") -> Attack:
    """A hand-in."""
    return Attack(group=group, name=name, method="POST", path="/ranscore/hand-in", headers=OCTETS, body=body, status=(status,), says=says)


def every() -> tuple[Attack, ...]:
    """All of them."""
    return (*paths(), *files(), *hosts(), *origins(), *heads(), *bodies(), *cards(), *messages())


def paths() -> Iterator[Attack]:
    """Ways around the list of addresses."""
    climbing = (
        "/assets/../../../../../etc/passwd", "/assets/..%2f..%2f..%2fetc%2fpasswd", "/assets/%2e%2e/%2e%2e/routes.py", "/assets/....//x",
        "/assets/..%5c..%5croutes.py", "/assets/%252e%252e/routes.py", "/assets/.%00./x", "/assets/index.js%00.css", "/assets//etc/passwd",
        "/static/fonts/../../../../routes.py", "/static/js/..", "/static/fonts/Lora/%2e%2e/%2e%2e/x", "/static/ffmpeg/ffmpeg-core.js",
        "/static/js/.hidden", "/ranscore/../gradio_api/upload", "/ranscore/%2e%2e/gradio_api/config", "/ranscore/..;/config",
        "//gradio_api/upload", "/./config", "/config/", "/CONFIG", "/gradio_api", "/gradio_api/", "/gradio_api%2fconfig", "/%67radio_api/info",
        "/gradio_api/file%3d/etc/hostname", "/gradio_api/file=config.toml", "/gradio_api;/config", "/theme.css/../config", "/theme.css%2f",
        "/theme.css%0a", "/ranscore/frame.css/", "/ranscore/frame.css%20", "/ranscore/FRAME.css", "/ranscore/frame.css.map", "/robots.txt",
        "/svelte/x.js", "/manifest.json", "/pwa_icon/64", "/login", "/logout", "/login/huggingface", "/login/callback?code=x&state=y",
        "/gradio_api/custom_component/a/server/b/c.js", "/gradio_api/stream/a/b/c/playlist.m3u8", "/gradio_api/heartbeat/abc", "/monitoring",
        "/gradio_api/dev/reload", "/gradio_api/token", "/gradio_api/app_id", "/gradio_api/mcp/sse", "/gradio_api/upload_progress?upload_id=a",
        "/docs", "/redoc", "/openapi.json", "/gradio_api/openapi.json", "/.env", "/.git/config", "/ranscore/receipt/..%2f..%2fstore",
        "/ranscore/receipt/", "/ranscore/receipt/a/b", "/ranscore/export/", "/ranscore/export/..%2fcsv", "/ranscore/film/-1",
        "/ranscore/film/1e9", "/ranscore/film/%d9%a3", "/ranscore/film/99999999999999999999", "/ranscore/%E2%80%AE", "/%ff%fe", "/*",
    )  # fmt: skip
    for path in climbing:
        yield Attack(group="1 paths", name=path, path=path, status=(404,))
    for query in ("deep_link=../../../x", "page=config", "deep_link=abc&page=%00", "__sign=x", "view=api", "__theme=dark&logs=build"):
        yield Attack(group="1 paths", name=f"/?{query}", path=f"/?{query}", status=(200,))
    for name in ("X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix", "X-Forwarded-Path", "X-Script-Name", "X-HTTP-Method-Override"):
        yield Attack(group="1 paths", name=name, headers=[(name, "/gradio_api/config")], status=(200,))
    yield Attack(group="1 paths", name="absolute form", path="http://evil.example/gradio_api/config", status=(400, 404))
    yield Attack(group="1 paths", name="asterisk form", method="OPTIONS", path="*", status=(400, 404, 405))
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "QUERY", "get", "post", "DEBUG", "TRACK", "A" * 500):
        yield Attack(group="1 paths", name=f"method {method[:10]}", method=method, path="/ranscore/view", status=(400, 405))
    upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Key", "x" * 22 + "=="), ("Sec-WebSocket-Version", "13")]
    yield Attack(group="1 paths", name="web socket", path="/gradio_api/queue/join", headers=upgrade, status=(403, 404))


def files() -> Iterator[Attack]:
    """Words of a hand-in that name files."""
    for place in (
        "../config.toml",
        "/etc/hostname",
        "/proc/self/environ",
        "file:///etc/hostname",
        "\\\\host\\share",
        "~/.netrc",
        "NUL",
        "a\0b",
    ):
        yield handed("1 files", f"name {place}", upload(place.encode(), name=place), 200)
        yield handed("1 files", f"cohort {place}", upload(PLAIN, cohort=place), 404, "has no cohort")
        yield handed("1 files", f"link {place}", upload(PLAIN, card={"name": "A", "link": place}), 200)
    for place in ("../synthetic", "%2e%2e%2fsynthetic", "synthetic%00", "synthetic/../hidden", "*", "synthetic/manifest.json", "/", ""):
        yield Attack(
            group="1 files", name=f"example {place}", path=f"/ranscore/example?cohort={place}", status=(404,), says="has no cohort"
        )
        yield Attack(group="1 files", name=f"door {place}", path=f"/ranscore/door?cohort={place}", status=(404,), says="has no cohort")
    for name in ("../../store", ".", "*", "a" * 900, "0" * 16, "\u202e", "a\n.0001"):
        body = json.dumps({"id": name, "code": name, "reason": name}).encode()
        yield Attack(
            group="1 files", name=f"withdraw {name[:9]!a}", method="POST", path="/ranscore/withdraw", headers=JSON, body=body, status=(404,)
        )
    for key in ("path", "url", "file", "orig_name", "meta", "data", "fn_index"):
        yield handed("1 files", f"key {key}", upload(PLAIN, **{key: "/etc/hostname"}), 400, "not known")


def hosts() -> Iterator[Attack]:
    """Names that are not the page's."""
    foreign = (
        "evil.example:80", "localhost.", "localhost.evil.example:7860", "127.0.0.1.nip.example", "127.1", "2130706433", "0x7f000001", "0177.0.0.1",
        "localhost:notaport", "localhost:99999999", "localhost/evil", "localhost@evil.example", "evil.example@localhost", "localhost evil", "[::1",
        "::1", "[::ffff:10.0.0.1]", "10.0.0.1", "8.8.8.8", "0.0.0.0", "169.254.169.254", "*", "lo\xe9alhost", "%6cocalhost", "localhost#", "localhost,evil",
        "huggingface.co", "evil.hf.space", "-", ".", "localhost\tx",
    )  # fmt: skip
    for host in foreign:
        yield Attack(group="2 hosts", name=f"host {host}", path="/ranscore/door", host=host, status=(400, 421))
    twice = [("Host", "evil.example")]
    yield Attack(group="2 hosts", name="two hosts", path="/ranscore/door", headers=twice, status=(400, 421))
    for host in ("localhost", "LOCALHOST:1", "[::1]:7860", "127.0.0.5"):
        yield Attack(group="2 hosts", name=f"own {host}", path="/ranscore/door", host=host, status=(200,))


def origins() -> Iterator[Attack]:
    """Pages that are not this one."""
    foreign = (
        "", "null", "NULL", "file://", "chrome-extension://abcdef", "data:", "blob:http://127.0.0.1", "http://127.0.0.1", "https://127.0.0.1:1", "http://localhost:3000",
        "http://127.0.0.1:80@evil.example", "http://evil.example#127.0.0.1", "http://evil.example/127.0.0.1", "http://127.0.0.1.evil.example", "ws://127.0.0.1",
        "http://board.example.", "https://xboard.example", "https://board.example.evil.example", "https://board.example:444", "http://board.example:8080", "https://BOARD.example evil",
        "https://board.example,https://evil.example", "https://evil.example https://board.example", "https://huggingface.co", "https://evil.hf.space", "https://b\xf6ard.example",
    )  # fmt: skip
    for origin in foreign:
        given = [*OCTETS, ("Origin", origin)]
        yield Attack(
            group="2 origins",
            name=f"origin {origin}",
            method="POST",
            path="/ranscore/hand-in",
            headers=given,
            body=upload(PLAIN),
            status=(403,),
        )
    for site in ("cross-site", "same-site", "CROSS-SITE", "evil", ""):
        for mode in ("cors", "no-cors", "websocket", ""):
            given = [("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", mode)]
            yield Attack(group="2 origins", name=f"read {site} {mode}", path="/ranscore/export/json", headers=given, status=(403,))
        sent = [*JSON, ("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", "navigate")]
        yield Attack(
            group="2 origins",
            name=f"post {site}",
            method="POST",
            path="/ranscore/withdraw",
            headers=sent,
            body=b'{"id": "a"}',
            status=(403,),
        )
    linked = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")]
    yield Attack(group="2 origins", name="a link from elsewhere", headers=linked, status=(200,))


def heads() -> Iterator[Attack]:
    """Kinds of body that a foreign page can send without asking, and requests without the header."""
    for kind in (
        "text/plain;application/octet-stream", "text/plain", "TEXT/PLAIN", "multipart/form-data; boundary=" + "a" * 5000, "multipart/form-data",
        "application/x-www-form-urlencoded; charset=application/json", "application/jsonp", "application/octet-streams", "*/*", "", "application", "text/json",
    ):  # fmt: skip
        given = [("Content-Type", kind), ("X-Ranscore", "1")]
        for path in ("/ranscore/hand-in", "/ranscore/try"):
            yield Attack(
                group="2 heads", name=f"{path} as {kind[:40]}", method="POST", path=path, headers=given, body=upload(PLAIN), status=(415,)
            )
    for value in ("", "0", "true", "11", "1, 1"):
        given = [OCTETS[0], ("X-Ranscore", value)]
        yield Attack(
            group="2 heads",
            name=f"x-ranscore {value}",
            method="POST",
            path="/ranscore/hand-in",
            headers=given,
            body=upload(PLAIN),
            status=(403,),
        )


def odd() -> dict[str, bytes]:
    """Bytes that are no JSON object."""
    return {
        "nothing": b"", "null": b"null", "list": b"[]", "number": b"5", "text": b'"x"', "true": b"true", "nan": b"NaN", "nan inside": b'{"id": NaN}',
        "infinity": b'{"id": -Infinity}', "deep list": b"[" * DEEP, "deep object": b'{"id":' * DEEP, "deep and closed": b'{"id": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        "digits": b'{"id": ' + b"9" * 10_000 + b"}", "twice": b'{"id": "a", "id": "b"}', "latin": b'{"id": "\xe9"}', "utf-16": '{"id": "a"}'.encode("utf-16"),
        "utf-32": '{"id": "a"}'.encode("utf-32"), "byte order": b'\xef\xbb\xbf{"id": "a"}', "cut": b'{"id": "a', "two": b'{"id": "a"}{"id": "b"}', "comment": b'{"id": "a" /* */}',
        "single quotes": b"{'id': 'a'}", "comma": b'{"id": "a",}', "zero bytes": b"\0" * 5000, "half a character": b'{"id": "\\ud800"}', "surrogate pair cut": b'{"reason": "\\udc00\\ud83d"}',
        "key half a character": b'{"\\ud800": 1}', "number for text": b'{"id": 5}', "list for text": b'{"id": ["a"]}', "object for text": b'{"id": {"$ne": ""}}', "control": b'{"id": "\x01"}',
        "proto": b'{"__proto__": {"id": "a"}}', "long": b'{"id": "' + b"a" * 15_000 + b'"}', "exponent": b'{"id": 1e99999}', "many keys": json.dumps(dict.fromkeys(map(str, range(1500)))).encode(),
    }  # fmt: skip


def bodies() -> Iterator[Attack]:
    """Shapes that no route expects."""
    for name, body in odd().items():
        yield Attack(
            group="4 bodies",
            name=f"withdraw {name}",
            method="POST",
            path="/ranscore/withdraw",
            headers=JSON,
            body=body,
            status=(400, 413),
            says="problems",
        )
        if "for text" not in name and name not in ("long",):
            tried = body.replace(b'"id"', b'"report"')
            yield Attack(
                group="4 bodies",
                name=f"try {name}",
                method="POST",
                path="/ranscore/try",
                headers=JSON,
                body=tried,
                status=(400, 413),
                says="problems",
            )
    for key in ("rows", "columns", "address"):
        for value in (
            "5",
            "null",
            '{"a": 1}',
            "[1]",
            "[null]",
            "[[]]",
            "[true]",
            '"\\ud800"',
            '["\\udfff"]',
            '"' + "x" * 3000 + '"',
            "[" * 100_000,
            json.dumps(["a"] * 20_001),
        ):
            body = (
                f'{{"rows": [], "columns": [], "{key}x": 1, "{key}": {value}}}'.replace(f'"{key}": [], ', "")
                .replace(f'"{key}x": 1, ', "")
                .encode()
            )
            status = (404,) if value == "null" else (400, 413)
            yield Attack(
                group="4 bodies",
                name=f"export {key} {value[:20]}",
                method="POST",
                path="/ranscore/export/csv",
                headers=JSON,
                body=body,
                status=status,
            )
    for name, head in {
        "no line": b"", "no end": b'{"name": "a"}', "empty line": b"\n", "long line": b"{" + b" " * 30_000 + b"}\n", "carriage return": b'{"dry": true}\r', "list": b"[]\n", "null": b"null\n",
        "deep": b"[" * 19_000 + b"\n", "file first": b"study_id,report\n", "zip": b"PK\x03\x04" + b"\n" * 9,
    }.items():  # fmt: skip
        yield Attack(
            group="4 bodies",
            name=f"submit {name}",
            method="POST",
            path="/ranscore/hand-in",
            headers=OCTETS,
            body=head,
            status=(400,),
            says="problems",
        )


def cards() -> Iterator[Attack]:
    """Cards and ticks of another kind."""
    group = "4 cards"
    whole = {
        "null": None,
        "list": [],
        "number": 5,
        "text": "Birch",
        "true": True,
        "nested": {"card": {"name": "A"}},
        "pairs": [["name", "A"]],
    }
    for name, value in whole.items():
        yield handed(group, f"card {name}", upload(PLAIN, card=value), 400)
    odd_values: tuple[object, ...] = (5, 1.5, True, [], ["A"], {"a": 1}, [[[]]], "x" * 20_001)
    for key in ("name", "version", "link", "open_weights", "sections", "anonymous_until", "role"):
        for odd_value in odd_values:
            yield handed(group, f"{key} {str(odd_value)[:12]}", upload(PLAIN, card={"name": "A", key: odd_value}), 400)
    for key in ("agreed", "looked", "dry"):
        ticks: tuple[object, ...] = (1, 0, "true", "", [], {}, 0.0)
        for tick in ticks:
            yield handed(group, f"{key} {tick!r}", upload(PLAIN, **{key: tick}), 400)
    for key in ("name", "cohort", "code"):
        for words in (5, ["a"], {"a": 1}, True, "x" * 1001):
            yield handed(group, f"head {key} {str(words)[:9]}", upload(PLAIN, **{key: words}), 400)
    for role in ("ceiling", "floor", "human", "SYSTEM", "system "):
        yield handed(group, f"role {role}", upload(PLAIN, card={"name": "A", "role": role}), 400)
    yield handed(group, "no name", upload(PLAIN, card={}), 200, "no letter and no digit")
    yield handed(group, "unknown key", upload(PLAIN, card={"name": "A", "__class__": "B"}), 400)


def messages() -> Iterator[Attack]:
    """HTTP itself."""
    for name, given, body, status in (
        ("longer than said", [("Content-Length", "3")], b'{"report": "Clear."}', (400,)),
        ("negative length", [("Content-Length", "-5")], b"{}", (400,)),
        ("length in words", [("Content-Length", "five")], b"{}", (400,)),
        ("two lengths", [("Content-Length", "2"), ("Content-Length", "3")], b"{}", (400,)),
        ("huge length", [("Content-Length", "9" * 18)], b"{}", (413,)),
        ("large length", [("Content-Length", "999999999")], b"{}", (413,)),
        ("bad chunk", [("Transfer-Encoding", "chunked")], b"zz\r\n{}\r\n0\r\n\r\n", (400,)),
        ("odd encoding", [("Transfer-Encoding", "gzip")], b"{}", (400, 501)),
        ("packed", [("Content-Encoding", "gzip")], b"\x1f\x8b\x08\x00", (400,)),
    ):
        yield Attack(group="4 messages", name=name, method="POST", path="/ranscore/try", headers=[*JSON, *given], body=body, status=status)
    many = [(f"X-Many-{number}", "a") for number in range(300)]
    yield Attack(group="4 messages", name="many headers", headers=many, status=(200, 400, 431))
    yield Attack(group="4 messages", name="a long header", headers=[("X-Long", "a" * 200_000)], status=CUT)
    yield Attack(group="4 messages", name="a long address", path="/ranscore/view?" + "a" * 200_000, status=CUT)
    yield Attack(
        group="4 messages", name="a broken cookie", headers=[("Cookie", "session=\xff; =; access-token-x=" + "a" * 9000)], status=(200,)
    )
    yield Attack(group="4 messages", name="a broken query", path="/ranscore/view?tab=%ff%00&board=%zz&a[]=1&a[]=2&&&=", status=(200,))
    yield Attack(
        group="4 messages", name="odd ranges", path="/ranscore/frame.css", headers=[("Range", "bytes=-1-,9-1,a")], status=(200, 400, 416)
    )
    yield Attack(
        group="4 messages",
        name="odd conditions",
        path="/theme.css",
        headers=[("If-Modified-Since", "never"), ("If-None-Match", "\xff")],
        status=(200,),
    )
