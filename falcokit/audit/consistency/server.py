"""What an API server is started with: its flags, and the folders that it sees."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

from falcokit.audit.consistency.finding import Finder, Finding, number
from falcokit.audit.consistency.pieces import ApiServer, mounted
from falcokit.audit.consistency.policy import wrong_version
from falcokit.audit.flags import FLAGS

__all__ = ["server"]

_WEBHOOK: Final = "--audit-webhook-config-file=/PATH/webhook-config.yaml"
_FILES: Final = ("audit-policy-file", "audit-webhook-config-file", "audit-log-path")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST_WAIT: Final = 30.0
"""Seconds that a batch waits where no flag says otherwise, by the command line reference of kube-apiserver."""
_BATCH: Final = 400
_BUFFER: Final = 10_000


def server(one: ApiServer, sinks: bool) -> Iterator[Finding]:
    """What is wrong with the flags; *sinks* says that an AuditSink tells where events go."""
    found, flags = Finder(one.piece), one.flags
    if "audit-policy-file" not in flags and not one.managed:
        said = "without --audit-policy-file the API server records nothing"
        yield found.error("policy-flag", None, said, "--audit-policy-file=/PATH/audit-policy.yaml")
    elsewhere = one.managed or sinks or "audit-dynamic-configuration" in flags
    if "audit-webhook-config-file" not in flags and not elsewhere:
        yield found.error("webhook-flag", None, "without --audit-webhook-config-file nothing is sent", _WEBHOOK)
    for name, flag in flags.items():
        if name.startswith("audit-") and name not in FLAGS:
            near = next(iter(get_close_matches(name, FLAGS, 1)), "")
            said = f"the API server has no flag --{name}, and does not start with it"
            yield found.error("unknown-flag", flag.node, said, f"--{near}" if near else "")
        elif name in FLAGS and name != "audit-dynamic-configuration" and one.minor is not None:
            first, last = FLAGS[name]
            if not first <= one.minor <= (last if last is not None else one.minor):
                said = f"Kubernetes 1.{one.minor} does not know --{name}: the API server does not start with it"
                yield found.error("unknown-flag", flag.node, said)
    yield from _files(found, one)
    yield from _dynamic(found, one)
    yield from _batches(found, one)


def _files(found: Finder, one: ApiServer) -> Iterator[Finding]:
    for name in _FILES:
        flag = one.flags.get(name)
        if flag is None or (name == "audit-log-path" and flag.value == "-"):
            continue
        if not flag.value:
            yield found.error("no-path", flag.node, f"--{name} has no value", f"--{name}=/PATH")
        elif not posixpath.isabs(flag.value):
            yield found.warning(
                "relative-path", flag.node, f"`{flag.value}` is no path from the root", f"--{name}=/PATH/{flag.value}"
            )
        elif not mounted(one, flag.value):
            said = f"the API server sees no `{flag.value}`, whose folder is not mounted, and does not start"
            yield found.error("not-mounted", flag.node, said, f"mountPath: {posixpath.dirname(flag.value)}")


def _dynamic(found: Finder, one: ApiServer) -> Iterator[Finding]:
    """The backend by AuditSink objects: Kubernetes 1.13 to 1.18."""
    for name, flag in one.flags.items():
        if name != "audit-dynamic-configuration" and not re.search("DynamicAuditing|auditregistration", flag.value):
            continue
        if one.minor is None or one.minor >= 19:
            said = "AuditSink is gone since Kubernetes 1.19: the API server does not start with this"
            yield found.error("dynamic-audit", flag.node, said, _WEBHOOK)


def _batches(found: Finder, one: ApiServer) -> Iterator[Finding]:
    flags = one.flags
    mode = flags.get("audit-webhook-mode")
    if mode is not None and mode.value in ("blocking", "blocking-strict"):
        strict = ", and fails where it is not" if mode.value == "blocking-strict" else ""
        said = f"every request waits until its event is received{strict}"
        yield found.warning("mode", mode.node, said, "--audit-webhook-mode=batch")
    elif mode is not None and mode.value != "batch":
        yield found.error("mode", mode.node, f"`{mode.value}` is no mode", "--audit-webhook-mode=batch")
    yield from _wait(found, one)
    for name, usual in (("max-size", _BATCH), ("buffer-size", _BUFFER)):
        flag = flags.get(f"audit-webhook-batch-{name}")
        if flag is not None and not number(flag.value):
            said = f"`{flag.value}` is no number of events"
            yield found.error("batch", flag.node, said, f"--audit-webhook-batch-{name}={usual}")
    buffer, size = flags.get("audit-webhook-batch-buffer-size"), flags.get("audit-webhook-batch-max-size")
    most = (number(size.value) if size is not None else None) or _BATCH
    if buffer is not None and 0 < (number(buffer.value) or 0) < most:
        said = "the buffer is smaller than a batch: events are lost when many come"
        yield found.warning("batch", buffer.node, said, f"--audit-webhook-batch-buffer-size={_BUFFER}")
    version = flags.get("audit-webhook-version")
    if version is not None and (wrong := wrong_version(version.value, one.minor)):
        yield found.error("api-version", version.node, wrong[0], f"--audit-webhook-version={wrong[1].split()[1]}")


def _wait(found: Finder, one: ApiServer) -> Iterator[Finding]:
    wait, write = one.flags.get("audit-webhook-batch-max-wait"), "--audit-webhook-batch-max-wait=5s"
    webhook = one.flags.get("audit-webhook-config-file")
    if wait is None:
        if webhook is not None:
            yield found.info("batch", webhook.node, "events wait up to 30 seconds before they are sent", write)
        return
    span = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h)", wait.value, re.ASCII)
    if span is None:
        if not re.fullmatch(r"(\d+(\.\d+)?(ns|us|ms|s|m|h))+", wait.value, re.ASCII):
            said = f"`{wait.value}` is no span of time: the API server does not start"
            yield found.error("batch", wait.node, said, write)
    elif float(span[1]) * _SECONDS[span[2]] > _LONGEST_WAIT:
        yield found.warning("batch", wait.node, f"events wait up to {wait.value} before they are sent", write)
