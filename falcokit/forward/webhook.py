"""Webhooks: what a request carries, and its signature by the Standard Webhooks specification."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

__all__ = ["body_of", "signed", "wrong_key"]

_PREFIX: Final = "whsec_"


def body_of(shape: str, messages: Sequence[bytes]) -> bytes:
    """*messages* as one body: a JSON ``array``, one a line (``lines``), or the one there is (``single``)."""
    if shape == "array":
        return b"[" + b",".join(messages) + b"]"
    if shape == "lines":
        return b"".join([message + b"\n" for message in messages])
    (message,) = messages
    return message


def signed(body: bytes, secret: str | bytes, now: float) -> dict[str, str]:
    """The headers that prove that *body* was sent at *now* (seconds since 1970) by someone who has *secret*.

    A secret that begins with ``whsec_`` is Base64 behind that, as the specification writes them; any other is taken as it is.  The identifier
    is made of the body: it is the same when a request is sent again.  Raises `ValueError` for one of which that is not so.
    """
    key = _key(secret)
    name = "msg_" + blake2b(body, digest_size=16).hexdigest()
    moment = str(int(now))
    content = b"%b.%b.%b" % (name.encode(), moment.encode(), body)
    signature = base64.b64encode(hmac.digest(key, content, "sha256")).decode()
    return {"webhook-id": name, "webhook-timestamp": moment, "webhook-signature": f"v1,{signature}"}


def wrong_key(secret: str) -> str:
    """What is wrong with *secret* as a key for `signed`; nothing where it is well."""
    try:
        return "" if _key(secret) else f"has nothing behind `{_PREFIX}`"
    except ValueError:
        return f"is no Base64 behind `{_PREFIX}`"


def _key(secret: str | bytes) -> bytes:
    text = secret.decode("utf-8", "surrogateescape") if isinstance(secret, bytes) else secret
    if text.startswith(_PREFIX):
        return base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    return text.encode("utf-8", "surrogateescape")
