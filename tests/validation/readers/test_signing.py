"""Detached Ed25519 signatures: made, verified, and refused after any change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import InputError, UnavailableError
from ranscore.commands import main
from tests.validation.readers.conftest import Made
from tests.validation.readers.test_commands import saved
from validation.readers import signing, standard


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A new private key in PEM."""
    reason = "the package cryptography is not installed (pip install 'ranscore[sign]')"
    ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519", reason=reason)
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization", reason=reason)
    path = tmp_path / "key.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(ed25519.Ed25519PrivateKey.generate().private_bytes(*form))
    return path


def test_sheets_and_standard_are_signed_and_checked(made: Made, key: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = saved(made.folder, tmp_path)
    assert main(["readers", "take", "trial", str(files[0]), "--sign", str(key)]) == 0
    assert main(["readers", "take", "trial", *map(str, files[1:])]) == 0
    assert main(["readers", "settle", "trial", "--sign", str(key)]) == 0
    capsys.readouterr()
    assert main(["readers", "check", "trial"]) == 0
    said = capsys.readouterr().out
    assert "sheet of reader-1, number 1, key" in said and "standard, key" in said
    found = signing.read(made.folder)
    assert len(found) == 2 and all(item.valid for item in found) and len({item.key for item in found}) == 1
    assert {item.of for item in found} == {made.folder.counting()["reader-1"].digest, standard.load(made.folder.path)["digest"]}


@pytest.mark.parametrize("part", ["digest", "sentence", "public_key", "signature"])
def test_a_signature_that_was_changed_is_not_valid(part: str, made: Made, key: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made.hand_in()
    signing.sign(made.folder, "sheet", made.folder.counting()["reader-2"].digest, key)
    path = next((made.folder.path / "signatures").glob("*.json"))
    data = json.loads(path.read_text())
    data[part] = data[part][:-1] + ("0" if data[part][-1] != "0" else "1")
    path.write_text(json.dumps(data))
    assert [item.valid for item in signing.read(made.folder)] == [False]
    assert main(["readers", "check", "trial"]) == 1
    assert "is not valid" in capsys.readouterr().out


def test_a_signature_of_something_that_is_not_here_is_wrong(made: Made, key: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made.hand_in()
    signing.sign(made.folder, "sheet", "0" * 64, key)
    assert main(["readers", "check", "trial"]) == 1
    assert "nothing that is here" in capsys.readouterr().out


def test_what_is_no_key_is_refused(made: Made, key: Path, tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    for path in (tmp_path / "no.pem", tmp_path / "absent.pem"):
        with pytest.raises(InputError, match="openssl genpkey"):
            signing.sign(made.folder, "sheet", "0" * 64, path)


def test_without_the_package_the_remedy_is_named(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    real = builtins.__import__

    def without(name: str, *arguments: object, **options: object) -> object:
        if name.startswith("cryptography"):
            raise ImportError(name)
        return real(name, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UnavailableError, match=r"\[sign\]"):
        signing.sign(made.folder, "sheet", "0" * 64, tmp_path / "key.pem")
