"""What the tests of forwarding share: events, integrations, the command as a real process, certificates, receivers of syslog."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Signal
from time import monotonic
from typing import Any

import pytest

from falcokit.event import Event, read_events

ROOT = Path(__file__).parents[2]
FORWARD = [sys.executable, "-m", "falcokit", "forward"]
"""The command, to which its arguments are added."""


def line(number: int, **more: Any) -> bytes:
    """An alert as Falco writes it, another one for each number, with the end of its line."""
    moment = f"2026-11-{1 + number // 86_400:02}T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}.{number % 999_983 + 1:09}Z"
    fields = {"container.id": "4e1c2f3a5b6d", "container.name": "web", "proc.name": "sh", "proc.pid": number, "k8s.ns.name": "prod"}  # fmt: skip
    document = {"hostname": "node-1", "output": f"{moment[11:-1]}: Warning A shell was spawned (number={number})", "output_fields": fields,
                "priority": "Warning", "rule": "Terminal shell", "source": "syscall", "time": moment}  # fmt: skip
    return json.dumps(document | more, ensure_ascii=False).encode() + b"\n"


def lines(start: int, end: int) -> bytes:
    """The alerts of these numbers."""
    return b"".join(map(line, range(start, end)))


def events(data: bytes) -> list[Event]:
    """The events of *data*."""
    return [one for one in read_events((data,)) if isinstance(one, Event)]


def number_of(document: dict[str, Any]) -> int:
    """The number of the alert that an enriched event is of."""
    return next(int(pair["value"]) for pair in document["fields"] if pair["key"] == "proc.pid")


def integration(
    name: str, kind: str, target: str, secrets: dict[str, str] | None = None, **options: Any
) -> dict[str, Any]:
    """The data of an integration."""
    return {"name": name, "kind": kind, "target": target, "options": options, "secrets": secrets or {}}


def configured(folder: Path, *integrations: dict[str, Any]) -> Path:
    """A file of integrations in *folder*."""
    path = folder / "integrations.json"
    path.write_text(json.dumps({"version": 1, "integrations": integrations}), encoding="utf-8")
    path.chmod(0o600)
    return path


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a process whose own files are in *folder*."""
    own = {name: str(folder / name) for name in ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME")}
    path = os.pathsep.join([str(ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    return {**os.environ, **own, "PYTHONPATH": path, "COLUMNS": "80", **more}


def forward(folder: Path, *arguments: str | Path, input: bytes | None = None, **more: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a command of forwarding that ends by itself."""
    done = subprocess.run(
        [*FORWARD, *map(str, arguments)], cwd=folder, env=environment(folder, **more), input=input,
        stdin=subprocess.DEVNULL if input is None else None, capture_output=True, check=False, timeout=300,
    )  # fmt: skip
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done.returncode, done.stdout.decode(), done.stderr.decode()


class Run:
    """A run that goes on."""

    def __init__(self, process: subprocess.Popen[bytes], errors: Path) -> None:
        self.process = process
        self._errors = errors

    @property
    def said(self) -> str:
        """What it has said so far on standard error."""
        return self._errors.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self.process.kill()
        self.process.wait()

    def end(self) -> int:
        """End it in order: its exit code."""
        self.process.terminate()
        code = self.process.wait(timeout=60)
        assert "Traceback" not in self.said, self.said
        return code


@contextmanager
def running(
    folder: Path,
    *arguments: str | Path,
    stdin: Any = subprocess.DEVNULL,
    stdout: Any = subprocess.DEVNULL,
    before: str = "",
    **more: str,
) -> Iterator[Run]:
    """A run that goes on until it is ended; *before* is what a shell does in its process first."""
    errors = folder / f"errors-{len(list(folder.glob('errors-*')))}.txt"
    with open(errors, "wb") as written:
        process = subprocess.Popen(
            ["/bin/sh", "-c", f'{before}; exec "$@"'.removeprefix("; "), "-", *FORWARD, *map(str, arguments)],
            cwd=folder, env=environment(folder, **more), stdin=stdin, stdout=stdout, stderr=written,
        )  # fmt: skip
    run = Run(process, errors)
    try:
        until(lambda: "falcokit: forwarding" in run.said or process.poll() is not None)
        yield run
    finally:
        process.kill()
        process.wait()
        if process.stdin is not None:
            process.stdin.close()


def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something that another process does."""
    end, never = monotonic() + seconds, Signal()
    while not holds():
        assert monotonic() < end, "it did not come to pass"
        never.wait(0.02)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that nobody has right now."""
    with socket.socket(socket.AF_INET, kind) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Certificates:
    """An authority, and what it has signed: ``ca``, ``server``, ``client`` with their keys; ``other`` is of nobody."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("openssl")
        if program is None:
            pytest.skip("the program `openssl` makes the certificates: apt install openssl")
        folder.mkdir()
        self.folder = folder

        def openssl(*arguments: str) -> None:
            subprocess.run([program, *arguments], cwd=folder, check=True, capture_output=True)

        new = ("req", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "2")
        for name in ("ca", "other"):
            openssl(*new, "-x509", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem",
                    "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")  # fmt: skip
        for name in ("server", "client"):
            openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")  # fmt: skip
            (folder / "more").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n", encoding="utf-8")
            openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-out", f"{name}.pem", "-extfile", "more")  # fmt: skip

    def __getattr__(self, name: str) -> str:
        if name.startswith("__"):
            raise AttributeError(name)
        stem, _, ending = name.partition("_")
        return str(self.folder / f"{stem}.{ending or 'pem'}")


def program_of(name: str, package: str) -> str:
    """Where a program is; skips the test where it is not."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"the receiver `{name}` is not here: apt install {package}")
    return found


class Syslog:
    """A receiver of syslog, as a process of its own: everything it parsed is in a file, a JSON object a line."""

    def __init__(self, folder: Path, command: Sequence[str], parsed: Path, port: int, stream: bool) -> None:
        self._folder = folder
        self._command = command
        self._parsed = parsed
        self.port = port
        self._stream = stream
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, and wait until it listens."""
        with open(self._folder / "said.txt", "ab") as said:
            self._process = subprocess.Popen(self._command, cwd=self._folder, stdout=said, stderr=said, stdin=subprocess.DEVNULL)  # fmt: skip
        until(self._listens)

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "said.txt").read_text(encoding="utf-8", errors="replace")
        table = "tcp" if self._stream else "udp"
        state = "0A" if self._stream else "07"
        with open(f"/proc/net/{table}", encoding="ascii") as rows:
            return any(row.split()[1].endswith(f":{self.port:04X}") and row.split()[3] == state for row in rows)

    def kill(self) -> None:
        """End it at once."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def found(self) -> list[dict[str, Any]]:
        """What it has parsed so far."""
        if not self._parsed.exists():
            return []
        whole = self._parsed.read_bytes().rpartition(b"\n")[0]
        return [json.loads(one) for one in whole.splitlines()]

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        """What it has parsed, once that is so many messages."""
        until(lambda: self._parsed.exists() and self._parsed.read_bytes().count(b"\n") >= count)
        return self.found()


def rsyslog(folder: Path, transport: str, certificates: Certificates | None = None, driver: str = "gtls") -> Syslog:
    """An rsyslog that listens by *transport* (``udp``, ``tcp``, ``tls``)."""
    program = program_of("rsyslogd", "rsyslog")
    folder.mkdir()
    port = free_port(socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM)
    parsed = folder / "parsed.json"
    more, module = "", "udp" if transport == "udp" else "tcp"
    if certificates is not None:
        names = {"gtls": "rsyslog-gnutls", "ossl": "rsyslog-openssl"}
        if not list(Path("/usr/lib").glob(f"**/rsyslog/lmnsd_{driver}.so")):
            pytest.skip(f"rsyslog speaks no TLS here: apt install {names[driver]}")
        files = f'DefaultNetstreamDriverCAFile="{certificates.ca}" DefaultNetstreamDriverCertFile="{certificates.server}" DefaultNetstreamDriverKeyFile="{certificates.server_key}"'
        more = f' StreamDriver.Name="{driver}" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/certvalid"'
    else:
        files = ""
    names_of = ("rawmsg", "pri", "timereported", "hostname", "app-name", "msgid", "structured-data", "msg", "syslogtag")
    dated = {"timereported": ' dateFormat="rfc3339"'}
    properties = '\n  constant(value=",")\n'.join([f'  property(outname="{one}" name="{one}" format="jsonf"{dated.get(one, "")})' for one in names_of])  # fmt: skip
    (folder / "rsyslog.conf").write_text(
        f"""global(workDirectory="{folder}" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off" {files})
module(load="im{module}"{more})
input(type="im{module}" address="127.0.0.1" port="{port}")
template(name="all" type="list") {{
  constant(value="{{")
{properties}
  constant(value="}}\\n")
}}
action(type="omfile" file="{parsed}" template="all")
""",
        encoding="utf-8",
    )
    command = [program, "-n", "-f", str(folder / "rsyslog.conf"), "-i", str(folder / "pid")]
    return Syslog(folder, command, parsed, port, transport != "udp")


def syslog_ng(
    folder: Path, transport: str, protocol: str, framing: str, certificates: Certificates | None = None
) -> Syslog:
    """A syslog-ng that listens by *transport* for messages of *protocol* (``rfc5424``, ``rfc3164``) in this *framing*."""
    program = program_of(
        "syslog-ng", "syslog-ng-core (Debian does not install it beside rsyslog: unpack it with dpkg -x)"
    )
    folder.mkdir()
    port = free_port(socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM)
    parsed = folder / "parsed.json"
    tls = ""
    if certificates is not None:
        tls = f' tls(key-file("{certificates.server_key}") cert-file("{certificates.server}") ca-file("{certificates.ca}") peer-verify(required-trusted))'
    # Its `syslog` source reads lengths in front, `network` lines; both read either protocol by the flag.
    kind = "syslog" if framing == "octet" and transport != "udp" else "network"
    flags = "flags(syslog-protocol)" if protocol == "rfc5424" and kind == "network" else ""
    (folder / "ng.conf").write_text(
        f"""@version: 3.38
options {{ keep-hostname(yes); use-dns(no); dns-cache(no); log-msg-size(65536); stats-freq(0); check-hostname(no); }};
source s {{ {kind}(ip("127.0.0.1") port({port}) transport("{transport}") log-iw-size(1000) {flags}{tls}); }};
destination d {{ file("{parsed}" template("$(format-json pri=$PRI host=$HOST program=$PROGRAM msgid=$MSGID time=$ISODATE msg=$MESSAGE --key .SDATA.*)\\n")); }};
log {{ source(s); destination(d); }};
""",
        encoding="utf-8",
    )
    command = [program, "-F", "--no-caps", "-f", str(folder / "ng.conf"), "-R", str(folder / "persist"), "-p", str(folder / "pid"), "-c", str(folder / "ctl")]  # fmt: skip
    return Syslog(folder, command, parsed, port, transport != "udp")
