"""Uploads between their dry run and their confirmation: in the file store, known by a signed token."""

from __future__ import annotations

import secrets

from django.core import signing
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

FOLDER = "imports"  # swept by arena.orphans
SALT = "arena.admin.staging"
MAX_AGE = 6 * 3600  # seconds


def stage(data: bytes, user: int, purpose: str) -> str:
    """Store the bytes; returns the token by which this user gets them back for this purpose."""
    name = default_storage.save(f"{FOLDER}/{secrets.token_hex(16)}.bin", ContentFile(data))
    return signing.dumps([name, user, purpose], salt=SALT)


def staged(token: str, user: int, purpose: str) -> bytes | None:
    """The bytes; None when the token is forged, somebody else's, for something else, or too old."""
    name = _name(token, user, purpose)
    if name is None:
        return None
    try:
        with default_storage.open(name, "rb") as file:
            return bytes(file.read())
    except FileNotFoundError:
        return None


def discard(token: str, user: int, purpose: str) -> None:
    """Delete the bytes; nothing happens where `staged` would return None."""
    if name := _name(token, user, purpose):
        default_storage.delete(name)


def _name(token: str, user: int, purpose: str) -> str | None:
    try:
        name, owner, meant_for = signing.loads(token, salt=SALT, max_age=MAX_AGE)
    except (signing.BadSignature, ValueError):
        return None
    return str(name) if (owner, meant_for) == (user, purpose) else None
