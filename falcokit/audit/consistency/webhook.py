"""Where events are sent to: the kubeconfig of the webhook, an AuditSink, and the service in front of what receives them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult

from falcokit.audit.consistency.finding import Finder, Finding, Listening, Target, split
from falcokit.audit.consistency.pieces import ApiServer, Piece, items_of, mounted, text_at, text_of
from falcokit.document import Mapping, Node

__all__ = ["kubeconfig", "service", "sink"]

_CLUSTER_NAME: Final = re.compile(r"[a-z0-9-]+\.[a-z0-9-]+\.svc(\..*)?|[a-z0-9-]+\.svc|.*\.cluster\.local", re.ASCII)
_PLACEHOLDER: Final = re.compile(r"\$[({]?\w+|<[^>]*>|\w*CLUSTERIP\w*|\{\{.*", re.ASCII)
_NODE_PORTS: Final = range(30_000, 32_768)
_SECURE: Final = "server: https://..."
_FILES: Final = ("certificate-authority", "client-certificate", "client-key", "tokenFile")


def kubeconfig(
    piece: Piece,
    target: Target,
    listening: Listening | None,
    servers: Sequence[ApiServer],
    services: Sequence[Piece],
) -> Iterator[Finding]:
    """What is wrong with the file that tells the API server where to send events."""
    found, root = Finder(piece), piece.root
    version = text_at(root, "apiVersion")
    if version not in ("v1", ""):
        yield found.error("api-version", root.get("apiVersion"), "a kubeconfig is of apiVersion v1", "apiVersion: v1")
    for key in ("apiVersion", "kind"):
        if not text_at(root, key):
            yield found.warning("api-version", None, f"`{key}` is missing", "apiVersion: v1, kind: Config")
    if text_at(root, "kind") not in ("Config", ""):
        said = (
            f"a kubeconfig has no kind `{text_at(root, 'kind')}`: the API server refuses the file, and does not start"
        )
        yield found.error("kind", root.get("kind"), said, "kind: Config")
    yield from _contexts(found, root)
    context = _context(root)
    clusters = _named(root.get("clusters"), "cluster")
    cluster = clusters.get(text_at(context, "cluster")) or next(iter(clusters.values()), None)
    user = _named(root.get("users"), "user").get(text_at(context, "user"))
    if cluster is None:
        write = f"server: http://ADDRESS:{target.port}{target.path}"
        yield found.error("server", root.get("clusters"), "no cluster says where events are sent to", write)
        return
    resolves = any(text_at(one.piece.root, "spec", "dnsPolicy") == "ClusterFirstWithHostNet" for one in servers)
    yield from _address(found, cluster.get("server"), target, listening, services, resolves=resolves)
    yield from _trust(found, cluster)
    if user is not None:
        yield from _identity(found, user, secure=text_at(cluster, "server").startswith("https:"))
    for owner in (cluster, user):
        for key in _FILES if owner is not None else ():
            node = owner.get(key) if owner is not None else None
            if path := text_of(node):
                yield from _path(found, key, path, node, servers)


def _contexts(found: Finder, root: Mapping) -> Iterator[Finding]:
    contexts = _named(root.get("contexts"), "context")
    node, current = root.get("current-context"), text_at(root, "current-context")
    write = f"current-context: {next(iter(contexts), 'default')}"
    if not current:
        # client-go then has no cluster to talk to, and refuses the file.
        said = "without current-context the API server takes no cluster from this file, and does not start"
        yield found.error("current-context", node, said, write)
    elif current not in contexts:
        yield found.error("current-context", node, f"there is no context `{current}`", write)
    context = _context(root)
    for key in ("cluster", "user"):
        name, known = text_at(context, key), _named(root.get(f"{key}s"), key)
        if context is not None and name and name not in known and not (key == "user" and _has_name(root, name)):
            said = f"the context names a {key} `{name}`, which is not among the {key}s"
            yield found.error("context", context.get(key), said, f"{key}: {next(iter(known), '...')}")


def _context(root: Mapping) -> Mapping | None:
    contexts = _named(root.get("contexts"), "context")
    return contexts.get(text_at(root, "current-context")) or next(iter(contexts.values()), None)


def _has_name(root: Mapping, name: str) -> bool:
    """Whether a user is listed by that name, with nothing said of it."""
    return any(text_at(one, "name") == name for one in items_of(root.get("users")))


def _trust(found: Finder, cluster: Mapping) -> Iterator[Finding]:
    server, authority = cluster.get("server"), cluster.get("certificate-authority")
    given = authority or cluster.get("certificate-authority-data")
    write = "certificate-authority: /PATH/ca.crt"
    if not text_of(server).startswith("https:"):
        if given is not None:
            said = "an authority is given, but http checks no certificate"
            yield found.warning("authority", authority or server, said, _SECURE)
    elif text_at(cluster, "insecure-skip-tls-verify") == "true":
        said = "whoever answers is believed: others can take the events, and what is in them"
        yield found.warning("insecure", cluster.get("insecure-skip-tls-verify"), said, write)
    elif given is None:
        said = "without a certificate-authority only certificates of public authorities are believed"
        yield found.warning("authority", server, said, write)


def _identity(found: Finder, user: Mapping, *, secure: bool) -> Iterator[Finding]:
    for have, lacks in (("client-certificate", "client-key"), ("client-key", "client-certificate")):
        node = user.get(have) or user.get(f"{have}-data")
        if node is not None and user.get(lacks) is None and user.get(f"{lacks}-data") is None:
            # The place is that of the key: what is behind it may be secret.
            said = f"`{have}` needs a `{lacks}` beside it"
            yield found.error("client-certificate", user.key(have) or user.key(f"{have}-data"), said, f"{lacks}: /PATH")
    for key in ("token", "tokenFile", "password"):
        if user.get(key) is not None and not secure:
            said = "what proves who sends can be read by everybody on the way"
            yield found.warning("plain-secret", user.key(key), said, _SECURE)


def _path(found: Finder, key: str, path: str, node: Node | None, servers: Sequence[ApiServer]) -> Iterator[Finding]:
    if not posixpath.isabs(path):
        said = f"`{path}` is looked for beside this file"
        yield found.warning("relative-path", node, said, f"{key}: /PATH/{posixpath.basename(path)}")
    elif any(not mounted(one, path) for one in servers):
        said = f"the API server sees no `{path}`: its folder is not mounted"
        yield found.error("not-mounted", node, said, f"mountPath: {posixpath.dirname(path)}")


def _address(
    found: Finder,
    node: Node | None,
    target: Target,
    listening: Listening | None,
    services: Sequence[Piece],
    *,
    resolves: bool = False,
) -> Iterator[Finding]:
    """What is wrong with the address at *node*, which events are sent to; *resolves* says that the DNS of the cluster is asked."""
    text = text_of(node)
    example = f"server: http://ADDRESS:{target.port}{target.path}"
    if mark := _PLACEHOLDER.search(text):
        yield found.error("placeholder", node, f"`{mark[0]}` still stands where an address belongs", example)
        return
    url = split(text)
    if url is None or not text:
        yield found.error(
            "server", node, "this is no URL" if text else "there is no address to send events to", example
        )
        return
    if url.scheme not in ("http", "https") or not url.hostname:
        said = "the address has to begin with http:// or https://"
        yield found.error("server", node, said, f"server: http://{text.rpartition('://')[2].rpartition('@')[2]}")
        return
    right = _right(url, target, listening, services)
    if said := _wrong_port(url, target, listening, services):
        if url.port in _NODE_PORTS and not _node_ports(services):
            # Where a port of a node leads to cannot be seen from here.
            said = f"{said}: give the Service too, if {url.port} is a port of its on the nodes"
            yield found.warning("port", node, said)
        else:
            yield found.error("port", node, said, right)
    elif said := _another_port(url, services):
        yield found.warning("port", node, said, right)
    path = listening.path if listening is not None else target.path
    if url.path != path:
        alike = url.path.replace("_", "-") == path.replace("_", "-")
        said = f"the path is `{url.path or '/'}`, but {_where(target, listening)} `{path}`"
        yield found.error("path", node, said + (": mind hyphen and underscore" if alike else ""), right)
    if listening is not None and listening.scheme != url.scheme:
        said = f"events are sent by {url.scheme}, but open_params says {listening.scheme}"
        yield found.error("scheme", node, said, right)
    if _CLUSTER_NAME.fullmatch(url.hostname) and resolves:
        said = "this name is found only while the DNS of the cluster runs, which the API server starts before"
        yield found.warning("cluster-dns", node, said, right)
    elif _CLUSTER_NAME.fullmatch(url.hostname):
        said = "the API server does not ask the DNS of the cluster, so it cannot find this name: give the IP of the service"
        yield found.error("cluster-dns", node, said, right)
    elif name := _service_name(url.hostname, services):
        said = f"this is the name of the service `{name}`, which only the DNS of the cluster knows: give the IP of the service"
        yield (found.warning if resolves else found.error)("cluster-dns", node, said, right)
    elif "." not in url.hostname and ":" not in url.hostname and url.hostname != "localhost":
        said = f"a name without dots is found only if the machine of the API server knows it: is `{url.hostname}` a service?"
        yield found.warning("cluster-dns", node, said, right)
    elif _is_unspecified(url.hostname):
        yield found.error("server", node, "one can listen on this address, but not send to it", right)


def _wrong_port(url: SplitResult, target: Target, listening: Listening | None, services: Sequence[Piece]) -> str:
    """What is wrong with the port, empty where it is right."""
    own = _port(url)
    name, ports = _front(url, services)
    if ports:
        return "" if str(own) in ports else f"the port is {own}, but the service `{name}` has {', '.join(ports)}"
    if own in _NODE_PORTS and (given := _node_ports(services)):
        if str(own) in given:
            return ""
        return f"the port is {own}, but on the nodes the service `{next(iter(given.values()))}` has {', '.join(given)}"
    expected = listening.port if listening is not None else target.port
    return "" if own == expected else f"the port is {own}, but {_where(target, listening)} {expected}"


def _port(url: SplitResult) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _another_port(url: SplitResult, services: Sequence[Piece]) -> str:
    """A doubt where the one service that there is has another port, though what it leads to listens on this one."""
    own = str(_port(url))
    if len(services) != 1 or own in _node_ports(services) or url.hostname in ("localhost", "127.0.0.1", "::1"):
        return ""
    known = {text_at(services[0].root, "spec", "clusterIP"), text_at(services[0].root, "spec", "loadBalancerIP")}
    ports = _ports(services[0])
    if not ports or own in ports or (known - {"", "None"} and url.hostname not in known):
        return ""
    name = text_at(services[0].root, "metadata", "name")
    return f"the service `{name}` has the port {', '.join(ports)}, and not {own}: that is where it leads to"


def _ports(service: Piece) -> list[str]:
    return [port for one in items_of(_spec(service, "ports")) if (port := text_at(one, "port"))]


def _node_ports(services: Sequence[Piece]) -> dict[str, str]:
    """The ports on every node, each with the name of its service."""
    return {
        port: text_at(service.root, "metadata", "name")
        for service in services
        for one in items_of(_spec(service, "ports"))
        if (port := text_at(one, "nodePort"))
    }


def _service_name(host: str, services: Sequence[Piece]) -> str:
    """The service that *host* is a name of in the DNS of the cluster, empty if none is."""
    for one in services:
        name, space = text_at(one.root, "metadata", "name"), text_at(one.root, "metadata", "namespace")
        if name and host in (name, f"{name}.{space}"):
            return name
    return ""


def _front(url: SplitResult, services: Sequence[Piece]) -> tuple[str, list[str]]:
    """The service that has the address, and its ports."""
    for one in services:
        if text_at(one.root, "spec", "clusterIP") == url.hostname:
            return text_at(one.root, "metadata", "name"), _ports(one)
    return "", []


def _right(url: SplitResult, target: Target, listening: Listening | None, services: Sequence[Piece]) -> str:
    """The address as it should be written; no name or password is in it."""
    expected = str(listening.port if listening is not None else target.port)
    own = str(_port(url))
    ports = _front(url, services)[1] or (list(_node_ports(services)) if _port(url) in _NODE_PORTS else [])
    if not ports and _another_port(url, services):
        ports = _ports(services[0])
    port = own if own in ports else ports[0] if ports else expected
    host = url.hostname or ""
    if _CLUSTER_NAME.fullmatch(host) or _service_name(host, services) or ("." not in host and ":" not in host):
        host = "CLUSTER_IP"
    elif _is_unspecified(host):
        host = "ADDRESS"
    host = f"[{host}]" if ":" in host else host
    scheme = listening.scheme if listening is not None else url.scheme
    return f"server: {scheme}://{host}:{port}{listening.path if listening is not None else target.path}"


def _where(target: Target, listening: Listening | None) -> str:
    return f"{'open_params' if listening is not None else target.about} listens on"


def _is_unspecified(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def sink(piece: Piece, target: Target, listening: Listening | None, minor: int | None) -> Iterator[Finding]:
    """What is wrong with an AuditSink in Kubernetes 1.*minor*, None for a current one."""
    found = Finder(piece)
    said = "Kubernetes has no AuditSink since 1.19: let the API server send to a webhook"
    write = "--audit-webhook-config-file=/PATH/webhook-config.yaml"
    if minor is None or minor >= 19:
        yield found.error("audit-sink", piece.root.get("kind"), said, write)
    webhook = _spec(piece, "webhook")
    config = webhook.get("clientConfig") if isinstance(webhook, Mapping) else None
    if isinstance(config, Mapping) and config.get("url") is not None:
        yield from _address(found, config.get("url"), target, listening, ())


def service(piece: Piece, target: Target, listening: Listening | None) -> Iterator[Finding]:
    """What is wrong with a service that events may go through."""
    found = Finder(piece)
    ports = items_of(_spec(piece, "ports"))
    own = listening.port if listening is not None else target.port
    leads = [text_at(one, "targetPort") or text_at(one, "port") for one in ports]
    if ports and str(own) not in leads and all(lead.isdecimal() for lead in leads):
        said = f"the service leads to port {', '.join(leads)}, but {_where(target, listening)} {own}"
        yield found.error("target-port", ports[0], said, f"targetPort: {own}")
    for one, lead in zip(ports, leads, strict=True):
        protocol = text_at(one, "protocol")
        if protocol not in ("", "TCP") and (lead == str(own) or len(ports) == 1):
            yield found.error("protocol", one, f"events come by TCP, and the port is for {protocol}", "protocol: TCP")
    # A service of the chart's values gets its selector from the chart.
    is_object = text_at(piece.root, "kind") == "Service" and text_at(piece.root, "spec", "type") != "ExternalName"
    if is_object and not (isinstance(selector := _spec(piece, "selector"), Mapping) and selector.pairs):
        said = "without a selector the service leads to no pod, unless an EndpointSlice is made by hand"
        yield found.warning("selector", piece.root.get("spec"), said, "selector: {app.kubernetes.io/name: falco}")
    address = _spec(piece, "clusterIP")
    if text_of(address) == "None":
        said = "a service without an IP of its own cannot be reached by the API server"
        yield found.error("headless", address, said, "remove clusterIP: None")


def _spec(piece: Piece, key: str) -> Node | None:
    spec = piece.root.get("spec")
    return spec.get(key) if isinstance(spec, Mapping) else None


def _named(node: Node | None, key: str) -> dict[str, Mapping]:
    """The mappings below *key* in a list of pairs with a name, as kubeconfigs have them."""
    found: dict[str, Mapping] = {}
    for one in items_of(node):
        inner = one.get(key) if isinstance(one, Mapping) else None
        if isinstance(inner, Mapping):
            found.setdefault(text_at(one, "name"), inner)
    return found
