"""``falcokit audit init``."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from falcokit.cli.options import fail, say, write

if TYPE_CHECKING:
    from falcokit.audit.platforms import Platform, Receiver

__all__ = ["init"]

_MAX_POLICY = 1 << 20
_MAX_PEM = 1 << 18
_SCRIPTS = ("enable.sh", "disable.sh")


class Receives(StrEnum):
    """What receives the events."""

    falco = "falco"
    sysdig = "sysdig"


def init(
    platform: Annotated[
        Optional[str], typer.Argument(metavar="[PLATFORM]", help="Such as kubeadm or kind; --list shows all.")
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="List the platforms.")] = False,
    output: Annotated[
        Optional[str], typer.Option("--output", "-o", metavar="FOLDER", help="Where to; without it ./audit-PLATFORM.")
    ] = None,
    target: Annotated[
        Receives, typer.Option(help="Falco with its k8saudit plugin (port 9765), or the Sysdig agent (port 7765).")
    ] = Receives.falco,
    address: Annotated[
        Optional[str],
        typer.Option(metavar="IP-OR-NAME", help="The receiver; without it enable.sh looks its service up."),
    ] = None,
    tls: Annotated[bool, typer.Option("--tls", help="Post by HTTPS.")] = False,
    ca: Annotated[
        Optional[str], typer.Option(metavar="FILE", help="What signed the receiver's certificate, PEM.")
    ] = None,
    cert: Annotated[Optional[str], typer.Option(metavar="FILE", help="A client certificate, PEM.")] = None,
    key: Annotated[Optional[str], typer.Option(metavar="FILE", help="Its key; falcokit does not read it.")] = None,
    policy: Annotated[
        Optional[str], typer.Option(metavar="FILE", help="An audit policy of your own, instead of falcokit's.")
    ] = None,
    kube_apiserver_manifest: Annotated[
        Optional[str], typer.Option(metavar="FILE", help="An existing kube-apiserver.yaml: show what changes in it.")
    ] = None,
    kubeadm_config: Annotated[
        Optional[str], typer.Option(metavar="FILE", help="The same for a ClusterConfiguration of kubeadm.")
    ] = None,
    kops_cluster: Annotated[
        Optional[str], typer.Option(metavar="FILE", help="The same for `kops get cluster -o yaml`.")
    ] = None,
    rke_cluster: Annotated[
        Optional[str], typer.Option(metavar="FILE", help="The same for the cluster.yml of RKE.")
    ] = None,
    k3s_config: Annotated[
        Optional[str], typer.Option(metavar="FILE", help="The same for the config.yaml of k3s or RKE2.")
    ] = None,
    master_config: Annotated[
        Optional[str], typer.Option(metavar="FILE", help="The same for the master-config.yaml of OpenShift 3.11.")
    ] = None,
    apply: Annotated[
        bool, typer.Option("--write", help="Change the existing file, and keep what it was beside it.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that has other files.")] = False,
) -> None:
    """Make the files that route a platform's audit events to Falco or to the Sysdig agent.

    The folder has the audit policy, where to post events, flags and patches for the API server, the receiver's service,
    a README with the steps, and enable.sh and disable.sh that do them (--dry-run says what they would do).  With an
    existing file of the platform nothing but that file is looked at: its changes are shown, checked (YAML, flags that the
    version knows, a mount for each path), and made with --write.

    Exit codes: 0 done, 2 wrong usage, or a file that cannot be changed or should not.

    Example: falcokit audit init kubeadm --address 10.96.0.20
    """
    from falcokit.audit.platforms import PLATFORMS, Target, checked, receiver_for
    from falcokit.cli.below import or_fail

    if show:
        write(_listed())
        return
    if platform is None:
        fail("which platform? `falcokit audit init --list` shows them")
    if platform not in PLATFORMS:
        from difflib import get_close_matches

        near = get_close_matches(platform, PLATFORMS, 1)
        fail(f"there is no platform '{platform}'" + (f": did you mean '{near[0]}'?" if near else "; --list shows them"))
    chosen = PLATFORMS[platform]
    receiver = _receiver(Target(target.value), address, tls, ca, cert, key)
    or_fail(lambda: checked(chosen, receiver))
    receiver = receiver_for(chosen, receiver)
    given = {
        "--kube-apiserver-manifest": kube_apiserver_manifest,
        "--kubeadm-config": kubeadm_config,
        "--kops-cluster": kops_cluster,
        "--rke-cluster": rke_cluster,
        "--k3s-config": k3s_config,
        "--master-config": master_config,
    }
    existing = [(option, path) for option, path in given.items() if path is not None]
    if len(existing) > 1:
        fail(f"give one of {' and '.join([option for option, _ in existing])} at a time")
    if apply and not existing:
        fail("--write changes an existing file: name one, such as --kube-apiserver-manifest FILE")
    text = _policy(chosen, policy)
    if chosen.warning:
        say(f"warning: {chosen.warning}")
    if receiver.address.endswith((".svc", ".cluster.local")) and chosen.method in ("webhook", "sink"):
        say(
            f"warning: an API server resolves no names of the cluster's DNS, such as {receiver.address}: give the cluster IP"
        )
    if existing:
        if output is not None:
            fail("with an existing file no folder is written: leave -o out")
        _change(*existing[0], chosen, receiver, text, _read(cert, _MAX_PEM) if cert else "", apply)
    else:
        _folder(chosen, receiver, text, output if output is not None else f"audit-{platform}", force)


def _listed() -> str:
    from falcokit.audit.platforms import PLATFORMS

    lines = []
    for one in PLATFORMS.values():
        after = f"; outdated{f': use {one.successor}' if one.successor else ''}" if one.warning else ""
        lines.append(f"{one.name:<15} {one.method:<8} {one.valid}{after}\n")
    return "".join(lines)


def _receiver(
    target: object, address: str | None, tls: bool, ca: str | None, cert: str | None, key: str | None
) -> Receiver:
    import os
    from typing import cast

    from falcokit.audit.platforms import Receiver, Target, checked_address
    from falcokit.cli.below import or_fail

    host = or_fail(lambda: checked_address(address)) if address is not None else ""
    text = ""
    if ca is not None:
        text = _read(ca, _MAX_PEM)
        if "-----BEGIN CERTIFICATE-----" not in text or "PRIVATE KEY" in text:
            fail(f"{ca} is not a PEM file of certificates alone")
        text = text if text.endswith("\n") else text + "\n"
    if cert is not None and (
        "-----BEGIN CERTIFICATE-----" not in (pem := _read(cert, _MAX_PEM)) or "PRIVATE KEY" in pem
    ):
        fail(f"{cert} is not a PEM file of certificates alone")
    if key is not None and not os.path.isfile(key):
        fail(f"cannot read {key}: there is no such file")
    for path in (ca, cert, key):
        if path is not None and not path.isprintable():
            fail("the path of a certificate has a character that a script cannot hold")
    absolute = [os.path.abspath(path) if path is not None else "" for path in (ca, cert, key)]
    return Receiver(cast("Target", target), host, tls, text, *absolute)


def _read(path: str, limit: int = 8 << 20) -> str:
    from falcokit.source.decode import decode, first_invalid
    from falcokit.workspace.sources import Unreadable, read_bytes

    content = read_bytes(path, limit)
    if isinstance(content, Unreadable):
        fail(f"cannot read {path}: {content.reason}")
    text = decode(content)
    if first_invalid(text) is not None:
        fail(f"cannot read {path}: it is not UTF-8")
    return text


def _policy(platform: Platform, path: str | None) -> str:
    if path is not None:
        if not platform.policy_api:
            fail(f"nobody sets an audit policy on {platform.name}: leave --policy out")
        return _read(path, _MAX_POLICY)
    from falcokit.audit.default_policy import DEFAULT_POLICY

    return DEFAULT_POLICY


def _folder(platform: Platform, receiver: Receiver, policy: str, path: str, force: bool) -> None:
    """Write the folder; what is in it already and is not ours stays, and stops us without *force*."""
    import os

    from falcokit.audit.platforms import folder
    from falcokit.cli.below import or_fail
    from falcokit.workspace.write import write_whole

    files = or_fail(lambda: folder(platform, receiver, policy))
    if os.path.lexists(path) and not os.path.isdir(path):
        fail(f"{path} is no folder")
    if not force and (other := _other(path, files)):
        fail(f"{path} has other content ({other}): give another folder with -o, or --force")
    for name, text in files.items():
        target = os.path.join(path, *name.split("/"))
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
        except OSError as error:
            fail(f"cannot make {os.path.dirname(target)}: {(error.strerror or 'it failed').lower()}")
        if os.path.lexists(target) and not os.path.isfile(target):
            fail(f"{target} is no plain file")
        or_fail(lambda target=target, text=text: write_whole(target, text))  # type: ignore[misc]
        if name in _SCRIPTS:
            os.chmod(target, 0o755)
    say(f"written: {path}, {len(files)} files; read {os.path.join(path, 'README.md')}")


def _other(path: str, files: dict[str, str]) -> str:
    """A file below *path* that is none of *files*, or has another text; empty if there is none."""
    import os

    from falcokit.workspace.sources import Unreadable, read_bytes

    if not os.path.isdir(path):
        return ""
    try:
        for folder, folders, names in os.walk(path):
            folders.sort()
            for name in sorted(names):
                full = os.path.join(folder, name)
                relative = os.path.relpath(full, path).replace(os.sep, "/")
                content = read_bytes(full, len(files[relative].encode()) + 1) if relative in files else b""
                if relative not in files or isinstance(content, Unreadable) or content != files[relative].encode():
                    return relative
    except OSError as error:
        return (error.strerror or "it cannot be read").lower()
    return ""


def _change(
    option: str, path: str, platform: Platform, receiver: Receiver, policy: str, cert: str, apply: bool
) -> None:
    """Show what is to change in an existing file, and change it."""
    import difflib

    from falcokit.audit.platforms import PATCHES, patched
    from falcokit.cli.below import or_fail

    if platform.name not in PATCHES[option]:
        names = ", ".join(PATCHES[option])
        fail(f"{platform.name} has no such file: {option} is for {names}")
    if option == "--kops-cluster" and not receiver.address:
        fail("kops carries the address to the machines: give --address")
    before = _read(path)
    done = or_fail(lambda: patched(option, platform, receiver, policy, cert, path, before))
    if done.text == before:
        say(f"nothing to do: {path} has it all")
        return
    for note in done.notes:
        say(f"replaced: {note}")
    for warning in done.warnings:
        say(f"warning: {warning}")
    rows = before.splitlines(keepends=True), done.text.splitlines(keepends=True)
    for line in difflib.unified_diff(*rows, path, path):
        write(_harmless(line.rstrip("\r\n")) + "\n")
    if apply:
        _write(path, before, done.text)
    else:
        say("nothing is written: --write does it")


def _harmless(line: str) -> str:
    """A line of a difference, without values of the lines around it that may be secrets."""
    import re

    from falcokit.report.text import plain

    if not line.startswith(" ") or re.fullmatch(r" +(?:- --[a-z].*|#.*|-)?", line):
        return plain(line)
    found = re.match(r" +(?:- +)*[\w./+-]+:(?= |$)", line)
    if found is None:
        return plain(line[: len(line) - len(line.lstrip())] + "...")
    secret = re.search(r"token|secret|passw|credential|private|key|endpoint|auth", found[0], re.IGNORECASE)
    return plain(found[0] + " ..." if secret and found[0] != line else line)


def _write(path: str, before: str, after: str) -> None:
    """Write the file, after what it was is kept beside it under a name that kubelet passes over."""
    import os

    from falcokit.workspace.write import write_text

    real = os.path.realpath(path)
    folder, name = os.path.split(real)
    # kubelet starts all that lies in its directory of manifests but for names that begin with a dot.
    backup, is_new = os.path.join(folder, f".{name}.falcokit-backup"), True
    try:
        mode = os.stat(real).st_mode & 0o777
        with open(backup, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as stream:
            stream.write(before.encode("utf-8", "surrogateescape"))
    except FileExistsError:
        is_new = False
        say(f"kept from before: {backup}")
    except OSError as error:
        fail(f"cannot write {backup}: {(error.strerror or 'it failed').lower()}; {path} is left as it was")
    if problem := write_text(path, before, after):
        if is_new:
            os.unlink(backup)
        fail(f"cannot write to {path}: {problem}")
    if is_new:
        say(f"kept: {backup} (a name with a dot, which kubelet does not start)")
    say(f"written: {path}")
