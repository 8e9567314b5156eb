"""The audit flags of kube-apiserver, and which minor versions of Kubernetes 1 know them."""

from __future__ import annotations

from typing import Final

from falcokit.record import Record

__all__ = ["FLAGS", "Flag", "known", "minor_of", "newest"]

# From k8s.io/apiserver/pkg/server/options/audit.go of the releases: a flag that a server does not know stops it.
_BATCH: Final = (
    "batch-buffer-size", "batch-max-size", "batch-max-wait", "batch-throttle-burst", "batch-throttle-qps"
)  # fmt: skip
_TRUNCATE: Final = ("truncate-enabled", "truncate-max-batch-size", "truncate-max-event-size")
FLAGS: Final[dict[str, tuple[int, int | None]]] = {
    "audit-log-path": (4, None),
    "audit-log-maxage": (4, None),
    "audit-log-maxbackup": (4, None),
    "audit-log-maxsize": (4, None),
    "audit-log-format": (7, None),
    "audit-log-mode": (10, None),
    "audit-log-version": (10, None),
    "audit-log-batch-throttle-enable": (10, None),
    "audit-log-compress": (20, None),
    "audit-policy-file": (7, None),
    "audit-webhook-config-file": (7, None),
    "audit-webhook-mode": (7, None),
    "audit-webhook-version": (10, None),
    "audit-webhook-initial-backoff": (10, None),
    "audit-webhook-batch-initial-backoff": (8, None),
    "audit-webhook-batch-throttle-enable": (10, None),
    "audit-dynamic-configuration": (13, 18),
    **{f"audit-log-{name}": (10, None) for name in _BATCH},
    **{f"audit-webhook-{name}": (8, None) for name in _BATCH},
    **{f"audit-{backend}-{name}": (11, None) for backend in ("log", "webhook") for name in _TRUNCATE},
}
"""The first and the last minor version that has the flag; None: all later ones."""
_SWITCHES: Final = {"DynamicAuditing": (13, 18), "auditregistration.k8s.io/v1alpha1": (13, 18)}
"""The same for what stands in ``feature-gates`` and ``runtime-config``."""
newest: Final = 37
"""The newest minor version that this table was compared with."""


class Flag(Record):
    """A flag that an API server is to have: its name without dashes, and its value.

    ``keep`` says that a value which is there already is as good; ``joined`` that the value, such as ``A=true``, is one
    of several that commas separate.
    """

    __slots__ = ("joined", "keep", "name", "value")

    def __init__(self, name: str, value: str, keep: bool = False, joined: bool = False) -> None:
        self.name = name
        self.value = value
        self.keep = keep
        self.joined = joined


def known(flag: Flag, minor: int) -> bool:
    """Whether an API server of Kubernetes 1.*minor* takes *flag*."""
    first, last = _SWITCHES[flag.value.split("=")[0]] if flag.joined else FLAGS[flag.name]
    return first <= minor <= (last if last is not None else minor)


def minor_of(version: str) -> int | None:
    """The minor version in texts such as ``v1.33.2``, ``1.13`` or ``v1.16.3-rancher1-1``; None where there is none."""
    import re

    found = re.search(r"(?:^|[:v])v?1\.([0-9]{1,3})(?![0-9])", version)
    return int(found[1]) if found else None
