"""falco.yaml: the plugins that read audit events.

What the plugin takes is its own configuration: plugins/k8saudit/pkg/k8saudit/config.go and source.go in falcosecurity/plugins.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Final

from falcokit.audit.consistency.finding import Finder, Finding, Listening, Target, number, split
from falcokit.audit.consistency.pieces import ApiServer, Piece, items_of, pairs_of, text_at, text_of
from falcokit.document import Mapping, Scalar

__all__ = ["falco", "listening_of"]

_SOURCES: Final = ("k8saudit", "k8saudit-aks", "k8saudit-eks", "k8saudit-gke", "k8saudit-ovh")
_INIT_KEYS: Final = ("sslCertificate", "useAsync", "maxEventSize", "webhookMaxBatchSize")
_OLD_KEYS: Final = {"maxEventBytes": "maxEventSize", "webhookMaxEventSize": "maxEventSize"}
_SIZES: Final = (
    ("maxEventSize", 262_144, "audit-webhook-truncate-max-event-size", 102_400),
    ("webhookMaxBatchSize", 12_582_912, "audit-webhook-truncate-max-batch-size", 10_485_760),
)
"""What the plugin takes at most, and what the API server sends at most where it cuts: key, default, flag, default."""


def listening_of(piece: Piece) -> Listening | None:
    """Where the plugin of a falco.yaml listens, None where it does not."""
    plugin = _plugins(piece.root).get("k8saudit")
    url = split(text_at(plugin, "open_params"))
    if url is None or url.scheme not in ("http", "https"):
        return None
    return Listening(url.scheme, url.port or (443 if url.scheme == "https" else 80), url.path)


def falco(piece: Piece, target: Target, sends: bool, servers: Sequence[ApiServer]) -> Iterator[Finding]:
    """What is wrong with the configuration; *sends* says that an API server sends events somewhere."""
    if target.name != "falco":
        return
    found, root = Finder(piece), piece.root
    plugins = _plugins(root)
    source = next((plugins[name] for name in _SOURCES if name in plugins), None)
    if source is None:
        write = f'- name: k8saudit, library_path: libk8saudit.so, open_params: "http://:{target.port}{target.path}"'
        yield found.error("plugin", root.get("plugins"), "`plugins` has no k8saudit: nothing reads audit events", write)
    if "json" not in plugins:
        said = "`plugins` has no json: Falco does not load rules that ask for jevt.value"
        yield found.error("json-plugin", root.get("plugins"), said, "- name: json, library_path: libjson.so")
    for name, plugin in plugins.items():
        library = posixpath.basename(text_at(plugin, "library_path"))
        if name in (*_SOURCES, "json") and library and library != f"lib{name}.so":
            said = (
                f"`{name}` is mostly in lib{name}.so, and this is `{library}`: Falco ends where it holds another plugin"
            )
            yield found.warning("library", plugin.get("library_path"), said, f"library_path: lib{name}.so")
    loaded = root.get("load_plugins")
    if loaded is not None:
        names = [text_of(one) for one in items_of(loaded)]
        needed = [text_at(source, "name") or "k8saudit", "json"]
        write = f"load_plugins: [{', '.join(dict.fromkeys([*names, *needed]))}]"
        if left_out := [name for name in needed if name not in names]:
            said = f"`load_plugins` leaves out {' and '.join(left_out)}, so Falco does not load it"
            yield found.error(
                "load-plugins", loaded, said.replace("load it", "load them") if left_out[1:] else said, write
            )
    rules = root.get("rules_files")
    paths = [text_of(one) for one in items_of(rules)]
    if rules is not None and not any("audit" in posixpath.basename(path) or not _is_yaml(path) for path in paths):
        said = "none of these files looks like rules for audit events"
        yield found.warning("rules-files", rules, said, "- /etc/falco/k8s_audit_rules.yaml")
    if source is not None and text_at(source, "name") == "k8saudit":
        yield from _open_params(found, source, target, sends)
        yield from _init_config(found, source)
        for server in servers:
            yield from _sizes(found, source, server)


def _plugins(root: Mapping) -> dict[str, Mapping]:
    found: dict[str, Mapping] = {}
    for one in items_of(root.get("plugins")):
        if isinstance(one, Mapping) and (name := text_at(one, "name")):
            found.setdefault(name, one)
    return found


def _is_yaml(path: str) -> bool:
    return path.endswith((".yaml", ".yml"))


def _open_params(found: Finder, plugin: Mapping, target: Target, sends: bool) -> Iterator[Finding]:
    node, text = plugin.get("open_params"), text_at(plugin, "open_params")
    example = f'open_params: "http://:{target.port}{target.path}"'
    url = split(text)
    if not text or (url is None and "://" in text):
        yield found.error("open-params", node or plugin, "open_params does not say where to listen", example)
    elif url is not None and url.scheme in ("http", "https"):
        own = f'open_params: "{url.scheme}://:{url.port or target.port}{url.path or target.path}"'
        if not url.port:
            yield found.warning(
                "open-params", node, "open_params has no port: the plugin listens on that of the scheme", own
            )
        if not url.path:
            yield found.error(
                "open-params", node, "open_params has no path: Falco ends when the plugin is to listen", own
            )
        elif url.path != target.path:
            said = f"the path is `{url.path}`; the usual one of {target.about} is `{target.path}`"
            yield found.info("open-params", node, said, example)
        if url.hostname in ("localhost", "127.0.0.1", "::1"):
            said = "only what runs in the network of the same node, or pod, can send here"
            yield found.warning("loopback", node, said, own)
    elif "://" in text or re.match(r"[^/]*:\d", text):
        yield found.error(
            "open-params", node, "the plugin listens by http:// and https://, and else reads a file", example
        )
    elif sends:
        yield found.error("open-params", node, "events are sent, but the plugin reads a file", example)


def _init_config(found: Finder, plugin: Mapping) -> Iterator[Finding]:
    values = {key.value: (key, value) for key, value in pairs_of(plugin.get("init_config"))}
    for name, (key, _) in values.items():
        if name not in _INIT_KEYS:
            near = _OLD_KEYS.get(name) or next(iter(get_close_matches(name, _INIT_KEYS, 1)), "")
            write = f"{near}: ..." if near else ""
            yield found.warning("init-config", key, f"the plugin does not know `{name}` and passes over it", write)
    params = plugin.get("open_params")
    secure = text_of(params).startswith("https:")
    if "sslCertificate" in values and not secure:
        said = "a certificate is given, but open_params says http"
        yield found.warning("certificate", values["sslCertificate"][0], said, 'open_params: "https://..."')
    if secure and "sslCertificate" not in values:
        said = "the plugin takes certificate and key, both in one file, from /etc/falco/falco.pem"
        yield found.info("certificate", params, said, "sslCertificate: /PATH/falco.pem")
    for name, usual, _, _ in _SIZES:
        if name in values and number(text_of(values[name][1])) is None:
            yield found.error("init-config", values[name][1], f"`{name}` is no number of bytes", f"{name}: {usual}")


def _sizes(found: Finder, plugin: Mapping, server: ApiServer) -> Iterator[Finding]:
    cut = server.flags.get("audit-webhook-truncate-enabled")
    if "audit-webhook-config-file" not in server.flags:
        return
    if cut is None or cut.value == "false":
        said = "the API server sends events of any size, and the plugin drops those that it finds too large"
        yield Finder(server.piece).info("truncate", None, said, "--audit-webhook-truncate-enabled=true")
        return
    values = {key.value: value for key, value in pairs_of(plugin.get("init_config"))}
    for name, usual, flag, sent in _SIZES:
        node = values.get(name)
        most = usual if not isinstance(node, Scalar) else number(text_of(node))
        given = server.flags.get(flag)
        sent = (number(given.value) if given is not None else None) or sent
        if most is not None and most < sent:
            said = f"the plugin drops what has more than {most} bytes, but up to {sent} are sent"
            yield found.error("size", node or plugin, said, f"{name}: {max(usual, sent)}")
