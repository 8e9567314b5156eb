"""``falcokit audit check``, ``send`` and ``receive``: whether audit events get from the API server to the rules."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final, Optional

import typer

from falcokit.cli.below import below, or_fail, project_of
from falcokit.cli.match import Matching
from falcokit.cli.options import Colour, Format, fail, say, write
from falcokit.cli.screen import is_coloured, screen_width

if TYPE_CHECKING:
    from datetime import datetime

    from falcokit.evaluate import Matcher
    from falcokit.receive.audit_client import Webhook

__all__ = ["check", "receive", "send"]


class TargetName(StrEnum):
    """What audit events are sent to."""

    falco, sysdig = "falco", "sysdig"


class Level(StrEnum):
    """How much of a request is recorded."""

    metadata, request, request_response = "Metadata", "Request", "RequestResponse"


class Keep(StrEnum):
    """What goes into the history."""

    alerts, events, all = "alerts", "events", "all"


_MAX_DAMAGED: Final = 20


def check(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILES...",
            help="Webhook kubeconfig, falco.yaml, audit policy, manifest of the API server, Service, AuditSink.",
        ),
    ],
    target: Annotated[TargetName, typer.Option(help="What events are sent to.")] = TargetName.falco,
    kubernetes: Annotated[
        Optional[str],
        typer.Option(metavar="VERSION", help="That of the cluster, such as 1.16, where no file tells it."),
    ] = None,
    format: Annotated[Format, typer.Option(help="How to print it.")] = Format.text,
    color: Annotated[Colour, typer.Option(help="Whether to print in colours.")] = Colour.auto,
) -> None:
    """Check whether the files of an audit integration fit together.

    What each file is tells its content: a kubeconfig, a falco.yaml, an audit policy, a Service, an AuditSink, or what starts an API
    server (static pod, kubeadm, kops, RKE, k3s, RKE2, OpenShift); also inside a ConfigMap.  Checked are scheme, address, port and path
    of the webhook against the plugin's open_params, contexts and certificates, plugins and their limits, flags and the
    folders that are mounted for them.

    Exit codes: 0 everything fits (notes do not count), 1 something does not, 2 wrong usage or an unreadable file.

    Example: falcokit audit check webhook-config.yaml falco.yaml audit-policy.yaml kube-apiserver.yaml
    """
    from falcokit.audit.consistency import TARGETS, pieces_of
    from falcokit.audit.consistency import check as checked
    from falcokit.audit.flags import minor_of
    from falcokit.cli.inputs import read_files
    from falcokit.diagnostic import Severity
    from falcokit.report.audit_check import to_json, to_text
    from falcokit.source import SourceFile

    if files.count("-") > 1:
        fail("standard input can be read once: give - once")
    read = [SourceFile(name, content.decode("utf-8", "replace")) for name, content in read_files(dict.fromkeys(files))]
    minor = minor_of(kubernetes) if kubernetes else None
    if kubernetes and minor is None:
        fail(f"--kubernetes takes a version such as 1.34, not '{kubernetes}'")
    goal = TARGETS[target.value]
    pieces = pieces_of(tuple(read))
    if minor is None:
        from falcokit.audit.platforms import PLATFORMS

        # Files of `falcokit audit init` say what they are for.
        headers = {one.header(): one.minors[1] for one in PLATFORMS.values() if one.method in ("webhook", "sink")}
        told = {found for file in read for header, found in headers.items() if file.text.startswith(header)}
        minor = min(told, default=None)
    found = checked(pieces, goal, minor)
    if format is Format.json:
        import json

        write(json.dumps(to_json(pieces, found, goal), ensure_ascii=True, indent=2) + "\n")
    else:
        write(to_text(pieces, found, goal, colour=is_coloured(color), width=screen_width()))
    raise typer.Exit(1 if any(one.severity is not Severity.INFO for one in found) else 0)


def send(
    url: Annotated[
        Optional[str], typer.Argument(metavar="[URL]", help="Such as http://127.0.0.1:9765/k8s-audit.")
    ] = None,
    samples: Annotated[Optional[list[str]], typer.Argument(metavar="[SAMPLE]...", help="Samples by name.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Send every sample.")] = False,
    list_them: Annotated[bool, typer.Option("--list", help="List the samples and their rules; send nothing.")] = False,
    show: Annotated[bool, typer.Option("--print", help="Print the events, one a line; send nothing.")] = False,
    file: Annotated[
        Optional[list[str]],
        typer.Option(metavar="FILE", help="Send the audit events of this file, - is standard input; repeatable."),
    ] = None,
    batch_size: Annotated[
        int, typer.Option(min=1, max=10_000, help="How many events of files one list has at most.")
    ] = 400,
    level: Annotated[Level, typer.Option(help="The level at which samples are recorded.")] = Level.request_response,
    seed: Annotated[
        Optional[int], typer.Option(metavar="NUMBER", help="The same samples each time; else new ones, of now.")
    ] = None,
    ca: Annotated[Optional[str], typer.Option(metavar="FILE", help="The authority to believe, for https.")] = None,
    cert: Annotated[Optional[str], typer.Option(metavar="FILE", help="A certificate to show, for https.")] = None,
    key: Annotated[Optional[str], typer.Option(metavar="FILE", help="Its key, if it is not in the same file.")] = None,
    token_file: Annotated[
        Optional[str], typer.Option(metavar="FILE", help="A bearer token to send; or in FALCOKIT_TOKEN.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=0.1, max=600.0, help="Seconds that one answer may take.")] = 10.0,
    format: Annotated[Format, typer.Option(help="How to print it.")] = Format.text,
) -> None:
    """Send audit events to a webhook, as an API server does: sample events of falcokit, or those of a file.

    A sample is a request, with an event for each of its stages, in a list of its own; most are made so that one default rule
    fires.  Redirects are not followed.  After a failed connection nothing more is tried.

    Exit codes: 0 all lists were accepted, 1 some were not, or a file has something else in it, 2 wrong usage or an unreadable file.

    Example: falcokit audit send http://127.0.0.1:9765/k8s-audit exec privileged-pod
    """
    if list_them:
        _list(format)
        raise typer.Exit(0)
    if show and url is not None and "://" not in url:  # There is no URL to send to.
        samples, url = [url, *(samples or ())], None
    if file and (samples or every):
        fail("give either samples or --file")
    strange: list[str] = []
    batches = _of_files(file, batch_size, strange) if file else _of_samples(samples, every, level.value, seed)
    if show:
        for _, items in batches:
            if not write("".join([item + "\n" for item in items])):
                break
        raise typer.Exit(1 if strange else 0)
    if url is None:
        fail("give the URL to send to, such as http://127.0.0.1:9765/k8s-audit")
    from falcokit.cli.events_store import token_of
    from falcokit.receive.audit_client import webhook_at

    token = token_of(token_file)
    address = url
    webhook = or_fail(
        lambda: webhook_at(address, ca=ca or "", cert=cert or "", key=key or "", token=token, timeout=timeout)
    )
    accepted = _sent(webhook, batches, format, token)
    raise typer.Exit(0 if accepted and not strange else 1)


def _without(token: str, text: str) -> str:
    """An answer without the *token*, which some repeat: whole, or cut off where reading ended."""
    if not token:
        return text
    text = text.replace(token, "...")
    cut = next((size for size in range(len(token) - 1, 3, -1) if text.endswith(token[:size])), 0)
    return text[: len(text) - cut] + "..." if cut else text


def _sent(webhook: Webhook, batches: Iterator[tuple[str, list[str]]], format: Format, token: str) -> bool:
    """Send *batches* and say what became of each: whether all were accepted."""
    import json

    from falcokit.audit.events import event_list
    from falcokit.report.text import plain

    accepted = refused = 0
    if format is Format.text:
        write(f"to {plain(webhook.shown)}\n")
    for name, items in batches:
        reply = webhook.send(event_list(items))
        answer = _without(token, reply.text)
        accepted, refused = accepted + reply.accepted, refused + (not reply.accepted)
        if format is Format.json:
            told = {
                "name": name,
                "events": len(items),
                "accepted": reply.accepted,
                "status": reply.status,
                "answer": answer,
            }
            there = write(json.dumps(told, ensure_ascii=True) + "\n")
        else:
            word = "accepted" if reply.accepted else "refused" if reply.status else "failed"
            status = f"{reply.status} " if reply.status else ""
            there = write(plain(f"{word:<8} {name:<28} {status}{answer[:200]}").rstrip() + "\n")
        if not there or not reply.status:
            break
    if format is Format.text:
        write(f"{accepted} accepted" + (f", {refused} not" if refused else "") + "\n")
    return not refused


def _of_samples(names: list[str] | None, every: bool, level: str, seed: int | None) -> Iterator[tuple[str, list[str]]]:
    """The chosen samples by name, each with its events as JSON."""
    import json
    from datetime import UTC, datetime
    from random import SystemRandom

    from falcokit.audit.events import events_of
    from falcokit.audit.samples import SAMPLES, sample

    if every and names:
        fail("give either names of samples or --all")
    if not every and not names:
        fail("give names of samples, --all, or --file; --list shows them")
    chosen = list(SAMPLES) if every else []
    for name in names or ():
        found = sample(name)
        if found is None:
            from difflib import get_close_matches

            near = get_close_matches(name, [one.name for one in SAMPLES], 1)
            fail(f"there is no sample '{name}'" + (f": did you mean '{near[0]}'?" if near else ": see --list"))
        chosen.append(found)
    start: datetime | None = datetime.now(UTC) if seed is None else None
    number = SystemRandom().getrandbits(64) if seed is None else seed
    return iter([
        (one.name, [json.dumps(event, ensure_ascii=False) for event in events_of(one, number, level, start)]) for one in chosen
    ])  # fmt: skip


def _of_files(paths: list[str], size: int, strange: list[str]) -> Iterator[tuple[str, list[str]]]:
    """The audit events of the files at *paths*, in parts; places without one are told, and go into *strange*."""
    from falcokit.audit.events import batches
    from falcokit.event import AuditEvent, Event
    from falcokit.workspace.event_files import events_in, unreadable

    if paths.count("-") > 1:
        fail("standard input can be read once: give - once")
    for path in paths:
        if (trouble := unreadable(path)) is not None:
            fail(f"cannot read {path}: {trouble.reason}")

    def items(path: str) -> Iterator[str]:
        for found in events_in(path):
            if isinstance(found, Event) and isinstance(found.fields, AuditEvent):
                yield found.written
                continue
            if isinstance(found, Event):
                reason = "this is no audit event"
            elif found.note:
                continue
            else:
                reason = found.reason
            strange.append(f"{path}:{found.line}: {reason}")
            if len(strange) <= _MAX_DAMAGED:
                say(strange[-1])

    for path in paths:
        parts = 0
        for number, part in enumerate(batches(items(path), size), 1):
            parts = number
            yield f"{path} {number}", part
        if not parts:
            fail(f"there is no audit event in {path}")


def _list(format: Format) -> None:
    from falcokit.audit.samples import SAMPLES
    from falcokit.report.audit_check import samples_json, samples_text

    if format is Format.json:
        import json

        write(json.dumps(samples_json(SAMPLES), ensure_ascii=True, indent=2) + "\n")
    else:
        write(samples_text(SAMPLES))


def receive(
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where to listen.")] = "127.0.0.1:9765",
    path: Annotated[str, typer.Option(metavar="PATH", help="The path that events are sent to.")] = "/k8s-audit",
    rules: Annotated[
        Optional[list[str]],
        typer.Option("--rules", metavar="PATH", help="Custom rules files or folders, in load order; repeatable."),
    ] = None,
    defaults: Annotated[
        Optional[list[str]], typer.Option(metavar="PATH", help="Default rules below them, in load order; repeatable.")
    ] = None,
    config: Annotated[
        Optional[str], typer.Option(metavar="FILE", help="A falco.yaml: its rules_files are loaded first.")
    ] = None,
    no_defaults: Annotated[bool, typer.Option("--no-defaults", help="Load nothing below the files.")] = False,
    rule_matching: Annotated[
        Optional[Matching], typer.Option(help="The first rule that fires on an event, as in Falco by default, or all.")
    ] = None,
    format: Annotated[Format, typer.Option(help="Alerts as Falco's texts, or as its JSON, one a line.")] = Format.text,
    store: Annotated[
        Optional[str], typer.Option(metavar="FILE", help="Keep them in this history, for `falcokit events`.")
    ] = None,
    keep: Annotated[
        Optional[Keep], typer.Option(help="What to keep: alerts (the default), the audit events, or both.")
    ] = None,
    once: Annotated[int, typer.Option("--once", metavar="N", min=0, help="Stop after N events; 0 does not.")] = 0,
    cert: Annotated[Optional[str], typer.Option(metavar="FILE", help="A certificate: speak https.")] = None,
    key: Annotated[Optional[str], typer.Option(metavar="FILE", help="Its key, if it is not in the same file.")] = None,
    token_file: Annotated[
        Optional[str],
        typer.Option(metavar="FILE", help="The token that senders have to give; or in FALCOKIT_TOKEN."),
    ] = None,
    no_token: Annotated[
        bool, typer.Option("--no-token", help="Let every machine send that can reach the address.")
    ] = False,
) -> None:
    """Receive audit events as Falco's plugin k8saudit does, and print the alerts of the rules that fire.

    An API server whose webhook leads here, or `falcokit audit send`, sends lists of events by POST.  The answer is 200 once alerts are
    printed and, with --store, safe on disk; 400 where there is no audit event, 503 to send again later.  GET /healthz
    answers 200.  With a token senders give `Authorization: Bearer TOKEN`: `token` of a user in the kubeconfig.

    Exit codes: 0 ended by Ctrl-C, SIGTERM or --once, 1 Falco would not load the rules, or nobody reads the alerts any more, 2 wrong
    usage, or an address or a file that cannot be used.

    Example: falcokit audit receive --rules my_rules.yaml --once 100
    """
    import gc
    import socket

    from falcokit.cli.events_store import address_of, token_of
    from falcokit.receive.audit import Door, Watch, receive_audit
    from falcokit.receive.fold import make_sure
    from falcokit.receive.server import is_loopback
    from falcokit.receive.spool import Spool

    address = address_of(listen)
    if not path.startswith("/") or not path.isprintable() or not path.isascii() or any(sign in path for sign in " ?#%"):
        fail(f"--path begins with / and has no ?, # or blank: '{path}'")
    if keep is not None and store is None:
        fail("--keep says what goes into the history: give one with --store")
    if key and not cert:
        fail("--key needs a --cert beside it")
    token = token_of(token_file)
    if token and no_token:
        fail("give either a token or --no-token")
    if not token and not no_token and not or_fail(lambda: is_loopback(address[0])):
        fail(f"others can reach {address[0]}: give a token with --token-file or FALCOKIT_TOKEN, or --no-token")
    matcher = _matcher(rules, defaults, config, no_defaults, rule_matching)
    tls = None
    if cert:
        import ssl

        from falcokit.receive.audit_client import with_key

        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        chain, context = cert, tls
        or_fail(lambda: with_key(context, chain, key or ""))
    kept, spool, home = "", None, store or ""
    if store:
        or_fail(lambda: make_sure(home))
        spool = or_fail(lambda: Spool(f"{home}.audit-spool"))
        kept = (keep or Keep.alerts).value
    watch = Watch(matcher, json=format is Format.json, keep=kept, host=socket.gethostname())
    gc.enable()  # This run has no end.

    def ready(host: str, port: int) -> None:
        shown = f"[{host}]" if ":" in host else host
        scheme = "https" if tls is not None else "http"
        say(f"listening on {scheme}://{shown}:{port}{path} with {len(matcher.rules)} rules; Ctrl-C ends it")

    door = Door(address, path, token, tls)
    done = or_fail(lambda: receive_audit(door, watch, spool, home, once, write, say, ready))
    said = f"{done.events} event{'s' * (done.events != 1)} received, rules fired on {done.fired}"
    if store:
        said += f", {done.new} new in the history" + ("; the rest waits in the spool" if done.left else "")
    say(said)
    for sentence in matcher.wrong.values():
        say(sentence)
    if done.unread:
        say("ended, for nobody reads the alerts any more: standard output is closed")
        raise typer.Exit(1)


def _matcher(
    rules: list[str] | None,
    defaults: list[str] | None,
    config: str | None,
    no_defaults: bool,
    rule_matching: Matching | None,
) -> Matcher:
    """The rules for audit events; ends the run where Falco would not load the rules, or none is for them."""
    from falcokit.cli.rule_sets import read_rules, refused
    from falcokit.evaluate import Matcher
    from falcokit.ruleset.loader import load

    read = read_rules(rules or (), below(defaults, config, no_defaults, project_of(None, False)), None)
    loaded = load(read.files, read.catalogue)
    if errors := [finding for finding in loaded.diagnostics if finding.is_error]:
        write(refused(errors, is_coloured(Colour.auto), screen_width()))
        raise typer.Exit(1)
    assert loaded.compilation is not None
    matcher = Matcher(
        loaded.compilation.rules.values(),
        read.catalogue,
        rule_matching=rule_matching.value if rule_matching is not None else read.rule_matching,
        runs=lambda one: one.definition.source == "k8s_audit" and read.runs(one),
    )
    if not matcher.rules:
        fail("no rule for audit events (source: k8s_audit) is loaded and enabled")
    return matcher
