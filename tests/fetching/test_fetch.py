"""Fetching against a server on this machine: continued after kills, checked, and nothing half placed after any trouble."""

from __future__ import annotations

import json
import random
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from harness.config.home import home
from harness.errors import InputError, RanscoreError, RefusedError, UnavailableError
from ranscore.fetching import placing
from ranscore.fetching.entries import Entry, EntryKind, RemoteFile
from ranscore.fetching.transfer import Transfer
from tests.fetching.server import Files, serving

NOW = "2026-12-01T00:00:00Z"
DATA = random.Random(5).randbytes(3_000_000)
OTHER = random.Random(6).randbytes(70_000)


@pytest.fixture
def server() -> Iterator[Files]:
    with serving(Files(content={"/a/b.bin": DATA, "/a/c.bin": OTHER})) as files:
        yield files


def hashed(data: bytes) -> str:
    return sha256(data).hexdigest()


def entry(server: Files, known: bool = True, **changed: object) -> Entry:
    """Two files, with sizes and hashes or without."""
    listed = [("b.bin", DATA), ("c.bin", OTHER)]
    remote = tuple(
        RemoteFile(address=f"{server.address}/a/{name}", path=name, size=len(data) if known else None, sha256=hashed(data) if known else "")
        for name, data in listed
    )
    made = Entry(name="thing", kind=EntryKind.REPORTS, what="two files", licence="MIT", files=remote)
    return replace(made, **changed)  # type: ignore[arg-type]


def transfer(**mirrors: str) -> Transfer:
    return Transfer(mirrors=mirrors, pause=lambda seconds: None)


def nothing_is_placed() -> bool:
    return not placing.folder(Entry(name="thing", kind=EntryKind.REPORTS, what="", licence="MIT")).exists() and not placing.recorded(
        Entry(name="thing", kind=EntryKind.REPORTS, what="", licence="MIT")
    )


@pytest.mark.parametrize("known", [True, False])
def test_files_are_placed_together_and_checked_again_without_the_network(server: Files, known: bool) -> None:
    placed = placing.fetch(entry(server, known), transfer(), now=NOW)
    assert placed.fresh and [path.read_bytes() for path in placed.paths] == [DATA, OTHER]
    assert sorted(path.name for path in placed.folder.iterdir()) == ["b.bin", "c.bin"]
    before = len(server.asked)
    assert not placing.fetch(entry(server, known), transfer(), now=NOW).fresh and len(server.asked) == before
    assert {item["sha256"] for item in placing.recorded(entry(server)).values()} == {hashed(DATA), hashed(OTHER)}


def test_a_file_whose_hash_nobody_knew_must_stay_what_it_was(server: Files) -> None:
    unknown = entry(server, known=False)
    placed = placing.fetch(unknown, transfer(), now=NOW)
    placed.paths[1].unlink()
    server.content["/a/c.bin"] = OTHER[::-1]
    with pytest.raises(InputError, match="it is not the expected file") as caught:
        placing.fetch(unknown, transfer(), now=NOW)
    assert hashed(OTHER) in str(caught.value) and hashed(OTHER[::-1]) in str(caught.value)


@pytest.mark.parametrize("known", [True, False])
def test_a_cut_connection_is_continued_and_never_asked_from_the_begin_again(server: Files, known: bool) -> None:
    server.troubles[:] = ["cut", "503", "cut", "cut"]
    placed = placing.fetch(entry(server, known), transfer(), now=NOW)
    assert placed.paths[0].read_bytes() == DATA
    assert next(wanted for path, wanted in server.asked if path == "/a/b.bin") == ""
    assert all(wanted for path, wanted in server.asked[1:] if path == "/a/b.bin")
    assert server.sent == len(DATA) + len(OTHER)


def test_a_server_without_ranges_starts_again_and_gives_the_same(server: Files) -> None:
    server.troubles[:] = ["cut", "whole"]
    assert placing.fetch(entry(server), transfer(), now=NOW).paths[0].read_bytes() == DATA


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("more", [b"", b"left over"])
def test_a_kill_after_the_last_byte_is_no_trouble(server: Files, known: bool, more: bytes) -> None:
    wanted = entry(server, known)
    server.troubles[:] = [""]
    part = home() / "fetched" / ".parts" / "thing" / "b.bin"
    part.parent.mkdir(parents=True)
    part.write_bytes(DATA + more)
    part.with_name("b.bin.from").write_text(json.dumps({"address": wanted.files[0].address, "validator": f'"{hashed(DATA)[:16]}"'}))
    assert placing.fetch(wanted, transfer(), now=NOW).paths[0].read_bytes() == DATA


def test_a_file_that_changes_on_the_way_is_taken_from_its_begin(server: Files) -> None:
    unknown = entry(server, known=False)
    part = home() / "fetched" / ".parts" / "thing" / "b.bin"
    part.parent.mkdir(parents=True)
    part.write_bytes(DATA[:1000])
    part.with_name("b.bin.from").write_text(json.dumps({"address": unknown.files[0].address, "validator": '"another state"'}))
    assert placing.fetch(unknown, transfer(), now=NOW).paths[0].read_bytes() == DATA


@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [
        ("wrong hash", InputError, "it is not the expected file"),
        ("larger", InputError, "it is another file"),
        ("moved", UnavailableError, "nothing is at its address any more"),
        ("gone for good", UnavailableError, "nothing is at its address any more"),
        ("forbidden", UnavailableError, "the server does not give it to us"),
        ("always 503", UnavailableError, "could not be fetched to its end: the server answers 503"),
        ("no server", UnavailableError, "there is no connection to 127.0.0.1"),
        ("no name", UnavailableError, "there is no connection to nowhere.invalid"),
        ("file address", InputError, "it is not a web address"),
        ("licence", RefusedError, 'add --accept "CC BY-NC-ND 4.0"'),
        ("other licence", RefusedError, "which you have not accepted"),
        ("credentialed", RefusedError, "is not fetched here. Ask at its page"),
        ("by hand", UnavailableError, "cannot be fetched by a program: write to them"),
    ],
)
def test_every_trouble_is_said_plainly_and_nothing_is_half_placed(
    server: Files, kind: str, error: type[RanscoreError], message: str
) -> None:
    wanted = entry(server)
    moved = transfer()
    if kind == "wrong hash":
        server.content["/a/c.bin"] = OTHER[:-1] + bytes([OTHER[-1] ^ 1])
    elif kind == "larger":
        server.content["/a/c.bin"] = OTHER + b"x"
    elif kind in ("moved", "gone for good", "forbidden"):
        server.status["/a/c.bin"] = {"moved": 404, "gone for good": 410, "forbidden": 403}[kind]
    elif kind == "always 503":
        server.status["/a/c.bin"] = 503
    elif kind in ("no server", "no name", "file address"):
        other = {"no server": "http://127.0.0.1:9", "no name": "http://nowhere.invalid", "file address": "file://"}[kind]
        moved = Transfer(mirrors={f"{server.address}/a/c": f"{other}/a/c"}, pause=lambda seconds: None)
    elif kind in ("licence", "other licence"):
        wanted = replace(wanted, licence="CC BY-NC-ND 4.0")
    elif kind == "credentialed":
        wanted = replace(wanted, credentialed=True, how="ask at its page")
    else:
        wanted = replace(wanted, files=(), how="write to them")
    with pytest.raises(error, match=message):
        placing.fetch(wanted, moved, accepted="MIT" if kind == "other licence" else "", now=NOW)
    assert nothing_is_placed()


def test_after_a_trouble_the_next_attempt_takes_only_what_is_missing(server: Files) -> None:
    server.status["/a/c.bin"] = 404
    with pytest.raises(UnavailableError):
        placing.fetch(entry(server, known=False), transfer(), now=NOW)
    server.status.clear()
    placing.fetch(entry(server, known=False), transfer(), now=NOW)
    assert server.sent == len(DATA) + len(OTHER)


def test_a_redirect_that_leaves_https_is_not_followed_and_another_is(server: Files) -> None:
    from urllib.error import URLError
    from urllib.request import Request

    from ranscore.fetching.transfer import _Redirects

    server.redirects["/old"] = f"{server.address}/a/c.bin"
    moved = entry(server)
    old = replace(moved, files=(replace(moved.files[1], address=f"{server.address}/old"),))
    assert placing.fetch(old, transfer(), now=NOW).paths[0].read_bytes() == OTHER
    with pytest.raises(URLError, match="leads from https"):
        _Redirects().redirect_request(Request("https://a.example/x"), None, 302, "", {}, "http://a.example/x")


def test_a_licence_is_accepted_once_by_its_name_and_recorded(server: Files) -> None:
    asks = entry(server, licence="CC BY-NC-ND 4.0", keep="pass nothing on")
    with pytest.raises(RefusedError, match="pass nothing on"):
        placing.fetch(asks, transfer(), now=NOW)
    assert server.asked == []
    placing.fetch(asks, transfer(), accepted="CC BY-NC-ND 4.0", now=NOW)
    known = json.loads((home() / "fetched" / "licences.json").read_text())
    assert known == {"thing": {"licence": "CC BY-NC-ND 4.0", "accepted": NOW}}
    assert not placing.fetch(asks, transfer(), now=NOW).fresh


def test_a_file_that_the_user_has_is_taken_if_it_is_the_right_one(server: Files, tmp_path: Path) -> None:
    one = replace(entry(server), files=entry(server).files[1:])
    given = tmp_path / "mine.csv"
    given.write_bytes(OTHER[1:])
    with pytest.raises(InputError, match=r"mine\.csv: it is not the expected file"):
        placing.take(one, given, now=NOW)
    assert nothing_is_placed()
    given.write_bytes(OTHER)
    assert placing.take(one, given, now=NOW).paths[0].read_bytes() == OTHER
    assert server.asked == []


FETCH = """
import sys
from ranscore.fetching import placing
from ranscore.fetching.entries import Entry, EntryKind, RemoteFile
from ranscore.fetching.transfer import Transfer
address, size, digest = sys.argv[1:]
one = RemoteFile(address=address, path="b.bin", size=int(size) or None, sha256=digest.strip("-"))
entry = Entry(name="thing", kind=EntryKind.REPORTS, what="", licence="MIT", files=(one,))
print("ready", flush=True)
placing.fetch(entry, Transfer(mirrors={}, tell=lambda done, total: print(done, flush=True)), now="now")
print("whole", flush=True)
"""


@pytest.mark.parametrize("known", [True, False])
def test_a_fetch_that_is_killed_twenty_times_continues_to_the_right_file(server: Files, known: bool) -> None:
    server.pause = 0.002
    told = [f"{server.address}/a/b.bin", str(len(DATA) if known else 0), hashed(DATA) if known else "-"]
    kills, draw = 0, random.Random(1)
    while kills < 20:
        child = subprocess.Popen([sys.executable, "-c", FETCH, *told], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        for _ in range(draw.randrange(1, 3)):  # `ready`, then one piece more each time
            child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        child.communicate()
        kills += 1
        assert nothing_is_placed()
    subprocess.run([sys.executable, "-c", FETCH, *told], check=True, capture_output=True)
    assert (home() / "fetched" / "thing" / "b.bin").read_bytes() == DATA
    assert sum(bool(wanted) for _, wanted in server.asked) >= 5, "it was continued, not begun again"


def test_a_full_disk_is_named_and_what_came_is_continued(server: Files) -> None:
    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    told = [f"{server.address}/a/b.bin", str(len(DATA)), hashed(DATA)]
    failed = subprocess.run([sys.executable, "-c", FETCH, *told], preexec_fn=full, capture_output=True, text=True)
    assert "the disk is full after 1,000,000 bytes" in failed.stderr and nothing_is_placed()
    subprocess.run([sys.executable, "-c", FETCH, *told], check=True, capture_output=True)
    assert (home() / "fetched" / "thing" / "b.bin").read_bytes() == DATA


def test_a_disk_that_is_too_small_is_refused_before_anything_is_asked(server: Files) -> None:
    huge = entry(server, files=(replace(entry(server).files[0], size=10**18),))
    with pytest.raises(InputError, match="GB are needed"):
        placing.fetch(huge, transfer(), now=NOW)
    assert server.asked == [] and nothing_is_placed()


def test_two_processes_do_not_fetch_one_entry_at_a_time(server: Files) -> None:
    with placing._alone(entry(server)), pytest.raises(UnavailableError, match="another process is fetching thing"):
        placing.fetch(entry(server), transfer(), now=NOW)
