"""An integration: where events are forwarded to, and how; read from plain data and written to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from falcokit.forward.options import KINDS, OPTIONS, Option, options_of, secrets_of
from falcokit.forward.target import wrong_target
from falcokit.record import Record
from falcokit.ruleset.suggest import nearest

__all__ = ["Integration", "read_integration", "to_data"]

_KEYS: Final = ("name", "kind", "target", "enabled", "options", "event_labels", "labels", "filter", "rate", "dedup", "secrets")  # fmt: skip
_REFERENCE: Final = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]{0,127}|file:/[^\0-\x1f\x7f]{1,1023}", re.ASCII)
_TLS: Final = ("ca", "client_cert", "client_key", "server_name", "verify")
_NAME: Final = re.compile(r"[^\W_][\w .-]{0,63}(?<! )")
_SD_ID: Final = re.compile(r"[!#-<>-\\^-~]{1,32}", re.ASCII)
_APP_NAME: Final = re.compile(r"[!-~]{1,48}", re.ASCII)
_HOSTNAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]{0,254}|", re.ASCII)
_INDEX: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,199}|", re.ASCII)
_MIN_SIZE: Final = 480
"""What every receiver of syslog takes (RFC 5424, 6.1)."""
_MIN_DOCUMENT: Final = 4096
_MAX_LABEL: Final = 200
"""Characters of what events are called at a receiver."""
_MAX_LABELS: Final = 64
_MAX_NAMES: Final = 200
_MAX_NAME: Final = 200
_MAX_VALUE: Final = 1000
_MAX_FILTER: Final = 10_000
_MAX_TOLD: Final = 60


class Integration(Record):
    """Where events go.

    ``name`` is unique, ``kind`` one of `falcokit.forward.options.KINDS`, ``target`` an address (``host:port``), a URL or a path.
    ``options`` has what is not as by default: `option` gives both.  ``include`` are the labels that events get beside the usual ones,
    ``exclude`` those that they lose; both may be shell patterns.  ``labels`` are put on every event.  ``filter`` is a condition in Falco's
    language, empty for all events; ``rate`` is how many events a second may go, ``dedup`` for how many seconds events of one form
    go once, or as often as ``burst`` says (0: no limit).  ``secrets`` has for each secret where it is (``env:NAME`` or ``file:PATH``), never what it is.
    """

    __slots__ = ("dedup", "enabled", "exclude", "filter", "include", "kind", "labels", "name", "options", "rate", "secrets", "target")  # fmt: skip

    def __init__(
        self,
        name: str,
        kind: str,
        target: str,
        enabled: bool = True,
        options: Mapping[str, str | int | float | bool] | None = None,
        include: tuple[str, ...] = (),
        exclude: tuple[str, ...] = (),
        labels: Mapping[str, str] | None = None,
        filter: str = "",
        rate: float = 0,
        dedup: float = 0,
        secrets: Mapping[str, str] | None = None,
    ) -> None:
        self.name: Final = name
        self.kind: Final = kind
        self.target: Final = target
        self.enabled: Final = enabled
        self.options: Final = options or {}
        self.include: Final = include
        self.exclude: Final = exclude
        self.labels: Final = labels or {}
        self.filter: Final = filter
        self.rate: Final = rate
        self.dedup: Final = dedup
        self.secrets: Final = secrets or {}

    def option(self, name: str) -> Any:
        """The option *name*, one of its kind's: what was set, else the default."""
        return self.options.get(name, OPTIONS[name].default)

    def text(self, name: str) -> str:
        """The option *name*, which is a text; empty where the kind has none of that name."""
        found = self.option(name) if self.kind in OPTIONS[name].kinds else ""
        return found if isinstance(found, str) else ""

    @property
    def max_size(self) -> int:
        """Bytes that a message has at most."""
        return int(self.option("max_size")) or (8192 if self.kind == "syslog" else 1 << 20)


def read_integration(data: object) -> tuple[Integration | None, tuple[str, ...]]:
    """The integration that *data* describes, or None with every mistake: the key, what is wrong, what to write.

    No mistake repeats what may be a secret.
    """
    if not isinstance(data, dict):
        return None, ('an integration is an object with "name", "kind" and "target"',)
    reading = _Reading(data)
    reading.keys("", data, _KEYS)
    name = reading.name()
    kind = reading.kind()
    target = reading.target(kind)
    labels = reading.table("labels")
    chosen = reading.table("event_labels")
    reading.keys("event_labels.", chosen, ("include", "exclude"))
    read = Integration(
        name,
        kind,
        target,
        reading.flag("enabled", True),
        reading.options(kind),
        reading.names("include", chosen),
        reading.names("exclude", chosen),
        reading.labels(labels),
        reading.filter(),
        reading.number("rate", 1e6),
        reading.number("dedup", 86_400.0),
        reading.secrets(kind),
    )
    return (None if reading.mistakes else read), tuple(reading.mistakes)


def to_data(integration: Integration) -> dict[str, Any]:
    """What `read_integration` reads: what is as by default is left out."""
    chosen = {key: list(names) for key, names in (("include", integration.include), ("exclude", integration.exclude)) if names}  # fmt: skip
    more = {
        "options": {name: value for name, value in sorted(integration.options.items()) if value != OPTIONS[name].default},
        "event_labels": chosen,
        "labels": dict(integration.labels),
        "filter": integration.filter,
        "rate": integration.rate,
        "dedup": integration.dedup,
        "secrets": dict(integration.secrets),
    }  # fmt: skip
    return {
        "name": integration.name,
        "kind": integration.kind,
        "target": integration.target,
        "enabled": integration.enabled,
        **{key: value for key, value in more.items() if value},
    }


class _Reading:
    """One integration being read."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data: Final = data
        self.mistakes: Final[list[str]] = []

    def wrong(self, key: str, message: str) -> None:
        self.mistakes.append(f"`{key}` {message}")

    def keys(self, prefix: str, found: Mapping[str, Any], known: Iterable[str]) -> None:
        known = tuple(known)
        for key in found:
            if key not in known:
                near = nearest(key, known)
                hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(known)}"
                self.wrong(f"{prefix}{_cut(key)}", f"is not known: {hint}")

    def name(self) -> str:
        value = self._data.get("name")
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            self.wrong("name", "must be a text of up to 64 letters, digits, blanks, `.`, `-` and `_`; it begins with a letter or digit")  # fmt: skip
            return ""
        return value

    def kind(self) -> str:
        value = self._data.get("kind")
        if isinstance(value, str) and value in KINDS:
            return value
        self.wrong("kind", _one_of(value, tuple(KINDS)))
        return ""

    def target(self, kind: str) -> str:
        value = self._data.get("target")
        if not isinstance(value, str):
            self.wrong("target", "must be a text: an address, a URL or a path")
            return ""
        if problem := kind and wrong_target(kind, value):
            self.wrong("target", problem)
        return value

    def table(self, key: str) -> dict[str, Any]:
        value = self._data.get(key, {})
        if isinstance(value, dict):
            return value
        self.wrong(key, "must be an object")
        return {}

    def flag(self, key: str, default: bool) -> bool:
        value = self._data.get(key, default)
        if not isinstance(value, bool):
            self.wrong(key, "must be true or false")
        return value is True

    def number(self, key: str, high: float) -> float:
        value = self._data.get(key, 0)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= high:
            self.wrong(key, f"must be a number from 0 (no limit) to {high:g}")
            return 0
        return value

    def names(self, key: str, chosen: dict[str, Any]) -> tuple[str, ...]:
        value = chosen.get(key, [])
        if not isinstance(value, list) or not all(map(_is_name, value)) or len(value) > _MAX_NAMES:
            self.wrong(f"event_labels.{key}", f"must be an array of up to {_MAX_NAMES} names of labels, such as `container.label.team` or `agent.tag.*`")  # fmt: skip
            return ()
        return tuple(value)

    def labels(self, found: dict[str, Any]) -> dict[str, str]:
        if len(found) > _MAX_LABELS:
            self.wrong("labels", f"must be up to {_MAX_LABELS}")
        for name, value in found.items():
            if not _is_name(name):
                self.wrong(f"labels.{_cut(name)}", f"must have a name of up to {_MAX_NAME} printable characters, such as `agent.tag.location`")  # fmt: skip
            if not isinstance(value, str) or not value or len(value) > _MAX_VALUE or not value.isprintable():
                self.wrong(f"labels.{_cut(name)}", f"must be a text of 1 to {_MAX_VALUE} printable characters")
        return dict(found)

    def filter(self) -> str:
        value = self._data.get("filter", "")
        if not isinstance(value, str) or len(value) > _MAX_FILTER:
            self.wrong("filter", f"must be a condition of up to {_MAX_FILTER} characters, such as `k8s.ns.name = prod`")
            return ""
        if value:
            from falcokit.forward.filter import wrong_filter

            if problem := wrong_filter(value):
                self.wrong("filter", problem)
        return value

    def options(self, kind: str) -> dict[str, str | int | float | bool]:
        found = self.table("options")
        if not kind:
            return {}
        known = options_of(kind)
        read: dict[str, str | int | float | bool] = {}
        for name, value in found.items():
            option = known.get(name)
            if option is None:
                self._no_option(name, kind, known)
            elif problem := _wrong_value(option, value) or _wrong_form(kind, name, value):
                self.wrong(f"options.{name}", problem)
            else:
                read[name] = value
        if read.get("client_key") and not read.get("client_cert"):
            self.wrong("options.client_key", "goes with `client_cert`")
        if read.get("burst", 1) != 1 and not self._data.get("dedup"):
            self.wrong("options.burst", "goes with `dedup`, which says for how many seconds")
        if read.get("framing") == "lf" and read.get("transport", "udp") != "tcp":
            self.wrong("options.framing", "`lf` goes with `transport` `tcp` only")
        target = self._data.get("target")
        plain = read.get("transport", "udp") != "tls" if kind == "syslog" else str(target).lower().startswith("http://")
        for name in _TLS if plain else ():
            if name in read and read[name] != OPTIONS[name].default:
                how = "`transport` `tls`" if kind == "syslog" else "`https://`"
                self.wrong(f"options.{name}", f"goes with {how} only: nothing else is encrypted")
        return read

    def _no_option(self, name: str, kind: str, known: Mapping[str, Option]) -> None:
        if name in OPTIONS:
            self.wrong(f"options.{name}", f"is no option of {kind}: leave it out")
            return
        near = nearest(name, known)
        hint = f"did you mean `{near[0]}`?" if near else f"{kind} has {', '.join(known)}"
        self.wrong(f"options.{_cut(name)}", f"is not known: {hint}")

    def secrets(self, kind: str) -> dict[str, str]:
        found = self.table("secrets")
        if not kind:
            return {}
        known = secrets_of(kind)
        for name, value in found.items():
            if name not in known:
                self.wrong(f"secrets.{_cut(name)}", f"is no secret of {kind}: " + (f"it has {', '.join(known)}" if known else "it has none"))  # fmt: skip
            elif not isinstance(value, str) or not _REFERENCE.fullmatch(value):
                # It may be the secret itself: it is not repeated.
                self.wrong(
                    f"secrets.{name}", "must say where the secret is, not what it is: `env:NAME` or `file:/path`"
                )
        for name, secret in known.items():
            if kind in secret.required and name not in found:
                self.wrong(f"secrets.{name}", "is missing: say where it is with `env:NAME` or `file:/path`")
        if "password" in found and "token" in found:
            self.wrong("secrets.password", "and `token` exclude each other")
        user = self.table("options").get("user") if isinstance(self._data.get("options"), dict) else ""
        if kind == "elastic" and ("password" in found) != bool(user):
            self.wrong("secrets.password", "and `options.user` go together")
        return {name: value for name, value in found.items() if isinstance(value, str)}


def _wrong_value(option: Option, value: object) -> str:
    """What is wrong with *value* of *option*, or nothing."""
    if isinstance(option.default, bool):
        return "" if isinstance(value, bool) else "must be true or false"
    if isinstance(option.default, str):
        if not isinstance(value, str):
            return "must be a text"
        if option.choices:
            return "" if value in option.choices else _one_of(value, option.choices)
        if len(value) > _MAX_VALUE or not value.isprintable():
            return f"must be a text of up to {_MAX_VALUE} printable characters"
        return ""
    whole = isinstance(option.default, int)
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or not option.low <= value <= option.high:  # fmt: skip
        return f"must be a {'whole ' * whole}number from {option.low:.15g} to {option.high:.15g}"
    return ""


def _wrong_form(kind: str, name: str, value: object) -> str:
    """What is wrong with the value of an option that has a form of its own."""
    least = _MIN_SIZE if kind in ("syslog", "file") else _MIN_DOCUMENT
    if name == "max_size" and isinstance(value, int) and 0 < value < least:
        return f"must be 0, or at least {least}"
    if not isinstance(value, str):
        return ""
    if name == "app_name" and not _APP_NAME.fullmatch(value):
        return "must be 1 to 48 printable ASCII characters without blanks"
    if name == "sd_id" and value and not (_SD_ID.fullmatch(value) and value.count("@") == 1 and value.rpartition("@")[2].replace(".", "").isdigit()):  # fmt: skip
        return "must be a name, `@` and a private enterprise number, such as `event@32473`, or empty"
    if name in ("source", "sourcetype", "service_name", "user") and len(value) > _MAX_LABEL:
        return f"must be a text of up to {_MAX_LABEL} characters"
    if name in ("hostname", "server_name") and not _HOSTNAME.fullmatch(value):
        return "must be the name or address of a host"
    if name == "index" and not _INDEX.fullmatch(value):
        return "must be small letters, digits, `.`, `-` and `_`, and begin with a letter or digit"
    if name in ("ca", "client_cert", "client_key") and value and not value.startswith("/"):
        return "must be an absolute path"
    return ""


def _one_of(value: object, choices: tuple[str, ...]) -> str:
    near = nearest(value, choices) if isinstance(value, str) else ()
    return f"must be one of {', '.join(choices)}" + (f"; did you mean `{near[0]}`?" if near else "")


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _MAX_NAME and value.isprintable() and value == value.strip()


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_TOLD else text[:_MAX_TOLD] + "..."
