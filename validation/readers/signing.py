"""Detached Ed25519 signatures of digests: who vouches for a sheet or a standard. Needs the extra `sign`."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from harness.config.home import pip_install
from harness.errors import InputError, Problem, UnavailableError
from harness.storage import files
from validation.readers.folder import Folder, dumps, read_json

SENTENCES = {
    "sheet": "I read these reports alone.",
    "standard": "This standard follows from the sheets by the rule of its study.",
    "pack": "This pack was validated as its card says.",
}
FORMAT = "ranscore-readers-signature"


@dataclass(frozen=True, slots=True)
class SheetSignature:
    """One signature that was read."""

    file: str
    of: str
    """The digest that is signed."""
    key: str
    """Fingerprint of the public key: the first 16 hex digits of its SHA-256."""
    valid: bool


def sign(folder: Folder, what: str, digest: str, key: Path) -> str:
    """Sign a digest and the sentence that belongs to it.

    Args:
        folder: Keeps the signature.
        what: One of `SENTENCES`.
        digest: What is signed.
        key: A private key, PEM (`openssl genpkey -algorithm ed25519 -out key.pem`).

    Returns:
        The fingerprint of the key.

    Raises:
        UnavailableError: The package cryptography is not installed.
        InputError: The file is no Ed25519 private key without a passphrase.
    """
    ed25519, serialization = _packages()
    try:
        private = serialization.load_pem_private_key(key.read_bytes(), None)
        if not isinstance(private, ed25519.Ed25519PrivateKey):
            raise ValueError("another kind of key")
    except (OSError, ValueError, TypeError):
        what_is_wrong = "it is no Ed25519 private key in PEM without a passphrase"
        raise InputError(Problem(what_is_wrong, "Make one with `openssl genpkey -algorithm ed25519 -out key.pem`", str(key))) from None
    public = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    fingerprint = sha256(public).hexdigest()[:16]
    content = {
        "format": FORMAT,
        "digest": digest,
        "sentence": SENTENCES[what],
        "public_key": public.hex(),
        "signature": private.sign(_message(digest, SENTENCES[what])).hex(),
    }
    files.create(folder.path / "signatures" / f"{digest[:16]}.{fingerprint}.json", dumps(content))
    return fingerprint


def read(folder: Folder) -> tuple[SheetSignature, ...]:
    """Every signature of a study, checked.

    Raises:
        UnavailableError: There are signatures, and the package cryptography is not installed.
    """
    paths = sorted((folder.path / "signatures").glob("*.json"))
    return tuple(_check(path) for path in paths)


def _check(path: Path) -> SheetSignature:
    ed25519, _ = _packages()
    from cryptography.exceptions import InvalidSignature

    data = read_json(path)
    try:
        public = bytes.fromhex(data["public_key"])
        digest, sentence = str(data["digest"]), str(data["sentence"])
        ed25519.Ed25519PublicKey.from_public_bytes(public).verify(bytes.fromhex(data["signature"]), _message(digest, sentence))
        valid = sentence in SENTENCES.values()
    except (KeyError, ValueError, TypeError, InvalidSignature):
        return SheetSignature(path.name, str(data.get("digest", "")), "", False)
    return SheetSignature(path.name, digest, sha256(public).hexdigest()[:16], valid)


def _message(digest: str, sentence: str) -> bytes:
    return f"{FORMAT}\n{digest}\n{sentence}".encode()


def _packages() -> tuple[Any, Any]:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise UnavailableError(Problem("signatures need the package cryptography", f"Install it with `{pip_install('sign')}`")) from None
    return ed25519, serialization
