"""A platform that sends audit events, and the receiver that takes them."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from falcokit.errors import ConfigError
from falcokit.record import Record

__all__ = ["ADDRESS", "Method", "Platform", "Receiver", "Target", "checked_address"]

ADDRESS: Final = "RECEIVER_ADDRESS"
"""What stands for the address of the receiver in files whose address is looked up when they are put in place."""


class Method(StrEnum):
    """How events get from an API server to the receiver."""

    webhook = "webhook"
    """The server posts them: flags, and a kubeconfig that names the receiver."""
    sink = "sink"
    """The server posts them to where an AuditSink object says (Kubernetes 1.13 to 1.18)."""
    bridge = "bridge"
    """A program of its own reads the log of a cloud and posts them."""
    plugin = "plugin"
    """A plugin of Falco reads the log of a cloud; nothing is posted."""


class Target(StrEnum):
    """What receives the events."""

    falco = "falco"
    """Falco with its k8saudit plugin."""
    sysdig = "sysdig"
    """The service of the Sysdig agent."""


class Platform(Record):
    """A platform.

    ``valid`` says for which versions the steps hold, ``dated`` when these were current, ``minors`` which minor versions
    of Kubernetes 1 run.  ``policy_api`` is the version of audit policies, empty where nobody can set a policy.
    ``place`` is the directory of the machine that the files go to, ``seen`` the same as the API server sees it.
    ``successor`` names the platform that came after an outdated one, ``instead`` says it in words.
    """

    __slots__ = (
        "dated", "instead", "method", "minors", "name", "place", "policy_api", "seen", "successor", "title", "valid"
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        title: str,
        valid: str,
        dated: str,
        method: Method,
        minors: tuple[int, int],
        policy_api: str = "",
        place: str = "",
        seen: str = "",
        successor: str = "",
        instead: str = "",
    ) -> None:
        self.name: Final = name
        self.title: Final = title
        self.valid: Final = valid
        self.dated: Final = dated
        self.method: Final = method
        self.minors: Final = minors
        self.policy_api: Final = policy_api
        self.place: Final = place
        self.seen: Final = seen or place
        self.successor: Final = successor
        self.instead: Final = instead

    @property
    def warning(self) -> str:
        """What to use instead of an outdated platform, in a sentence; empty for a current one."""
        if self.successor:
            return f"{self.title} is outdated: use `falcokit audit init {self.successor}` for {self.instead}"
        return f"{self.title} is outdated: {self.instead}" if self.instead else ""

    def header(self, comment: str = "# ") -> str:
        """The lines that begin every file."""
        lines = [
            f"Made by falcokit for {self.title}.",
            f"Valid for {self.valid}; {self.dated}.",
            *([f"Warning: {self.warning}."] if self.warning else []),
        ]
        return "".join([f"{comment}{line}\n" for line in lines])


class Receiver(Record):
    """Where events go.

    ``address`` is an IP or a DNS name, empty if it is looked up in the cluster.  ``ca`` is the PEM text of the authority
    that signed the receiver's certificate; ``ca_file``, ``cert_file`` and ``key_file`` are paths on the machine
    on which the files are put in place, or empty.  The private key itself is never read.
    """

    __slots__ = ("address", "ca", "ca_file", "cert_file", "key_file", "target", "tls")

    def __init__(
        self,
        target: Target,
        address: str = "",
        tls: bool = False,
        ca: str = "",
        ca_file: str = "",
        cert_file: str = "",
        key_file: str = "",
    ) -> None:
        self.target: Final = target
        self.address: Final = address
        self.tls: Final = tls
        self.ca: Final = ca
        self.ca_file: Final = ca_file
        self.cert_file: Final = cert_file
        self.key_file: Final = key_file

    @property
    def port(self) -> int:
        """The port: 9765 is the k8saudit plugin's, 7765 the Sysdig agent's."""
        return 9765 if self.target is Target.falco else 7765

    @property
    def path(self) -> str:
        """The path of the URL that takes events."""
        return "/k8s-audit" if self.target is Target.falco else "/k8s_audit"

    @property
    def service(self) -> str:
        """The name of the service in the cluster."""
        return "falco-k8saudit" if self.target is Target.falco else "sysdig-agent"

    @property
    def namespace(self) -> str:
        """The namespace of the service."""
        return "falco" if self.target is Target.falco else "sysdig-agent"

    def url(self, host: str = "") -> str:
        """The URL that events are posted to, at *host* if it is another than the receiver's address."""
        name = host or self.address or ADDRESS
        return f"{'https' if self.tls else 'http'}://{f'[{name}]' if ':' in name else name}:{self.port}{self.path}"

    @property
    def cluster_url(self) -> str:
        """The same for programs that run in the cluster, which can resolve the service's name."""
        return self.url(self.address or f"{self.service}.{self.namespace}.svc.cluster.local")


_DNS: Final = re.compile(r"(?=.{1,253}\Z)(?!-)[A-Za-z0-9-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*", re.ASCII)


def checked_address(text: str) -> str:
    """*text* if it is an IP address or a DNS name.  Raises `ConfigError`."""
    import ipaddress

    try:
        return str(ipaddress.ip_address(text.removeprefix("[").removesuffix("]")))
    except ValueError:
        if _DNS.fullmatch(text) and not re.fullmatch(r"[0-9.]*", text):
            return text.lower()
    raise ConfigError(f"`{text}` is neither an IP address nor a DNS name, such as 10.96.0.20 or audit.example.com")
