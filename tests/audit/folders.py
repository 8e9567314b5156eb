"""The folders that tests look at, and their golden texts: `python tests/audit/folders.py` writes these again."""

from __future__ import annotations

import difflib
from pathlib import Path

from falcokit.audit.default_policy import DEFAULT_POLICY
from falcokit.audit.platforms import PLATFORMS, Method, Platform, Receiver, Target, folder

GOLDEN = Path(__file__).parent / "golden"
PEM = "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n"


def receivers(platform: Platform) -> dict[str, Receiver]:
    """The receivers that a platform can send to, by what they are called."""
    if platform.method is Method.plugin:
        return {"falco": Receiver(Target.falco)}
    tls: dict[str, object] = {"tls": True}
    if platform.method is not Method.bridge:
        tls |= {"ca": PEM, "ca_file": "/tls/ca of it.crt"}
    if platform.method is Method.webhook:
        tls |= {"cert_file": "/tls/client.crt", "key_file": "/tls/client.key"}
    found = {}
    for target in Target:
        found[target.value] = Receiver(target)
        found[f"{target} tls"] = Receiver(target, **tls)  # type: ignore[arg-type]
    found["falco at an address"] = Receiver(Target.falco, "192.0.2.7")
    found["sysdig tls at an address"] = Receiver(Target.sysdig, "2001:db8::7", **tls)  # type: ignore[arg-type]
    return found


def files_of(platform: Platform, receiver: Receiver) -> dict[str, str]:
    return folder(platform, receiver, DEFAULT_POLICY)


def text_of(files: dict[str, str]) -> str:
    """All files in one text."""
    return "".join([f"======== {name}\n{text}" for name, text in files.items()])


def golden(platform: Platform) -> str:
    """The folder for Falco, and for each other receiver what differs from it."""
    (first, one), *others = receivers(platform).items()
    base = text_of(files_of(platform, one))
    parts = [f"######## {first}\n", base]
    for name, receiver in others:
        rows = base.splitlines(keepends=True), text_of(files_of(platform, receiver)).splitlines(keepends=True)
        parts += [f"######## {name}\n", *list(difflib.unified_diff(*rows, n=0))[2:]]
    return "".join(parts)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for platform in PLATFORMS.values():
        (GOLDEN / f"{platform.name}.txt").write_text(golden(platform), encoding="utf-8")
