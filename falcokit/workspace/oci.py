"""Getting published rules artifacts from an OCI registry: bounded, and every byte checked against its digest."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from falcokit.errors import ConfigError
from falcokit.record import Record

if TYPE_CHECKING:
    import requests

__all__ = ["Artifact", "Reference", "fetch", "read_reference"]

_MAX_DOCUMENT: Final = 1 << 20
_MAX_LAYER: Final = 16 << 20
_MAX_FILES: Final = 50
_MAX_TEXT: Final = 8 << 20
_TIMEOUT: Final = (10, 60)
"""Seconds to connect, and between two pieces of an answer."""
_DEADLINE: Final = 300
"""Seconds for a whole answer."""
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_RULES: Final = "ghcr.io/falcosecurity/rules/"
_PLUGINS: Final = "ghcr.io/falcosecurity/plugins/ruleset/"
"""Where the rules of Falco and of its plugins are published, as the index of falcoctl tells."""
_PART: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE: Final = re.compile(
    rf"(?:(?P<registry>localhost(?::\d+)?|[A-Za-z0-9.-]+(?:\.[A-Za-z0-9-]+|:\d+)(?::\d+)?|\[[0-9a-fA-F:]+\](?::\d+)?)/)?"
    rf"(?P<repository>{_PART}(?:/{_PART})*)(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}))?(?:@(?P<digest>{_DIGEST.pattern}))?"
)
_MANIFESTS: Final = (
    "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)  # fmt: skip
_LAYER: Final = "rulesfile.layer"
"""What the media type of a layer with rules has in it."""


class Reference(Record):
    """Which artifact: ``registry``, ``repository``, ``tag`` (empty where only a digest is given) and ``digest`` (or empty)."""

    __slots__ = ("digest", "registry", "repository", "tag")

    def __init__(self, registry: str, repository: str, tag: str, digest: str = "") -> None:
        self.registry: Final = registry
        self.repository: Final = repository
        self.tag: Final = tag
        self.digest: Final = digest

    @property
    def name(self) -> str:
        """The artifact without its version."""
        return f"{self.registry}/{self.repository}"

    def __str__(self) -> str:
        return f"{self.name}:{self.tag}" if self.tag else f"{self.name}@{self.digest}"


class Artifact(Record):
    """What was fetched: the ``digest`` of its manifest, the ``version`` it says it has (or empty), and its rules ``files``, name
    and content."""

    __slots__ = ("digest", "files", "version")

    def __init__(self, digest: str, version: str, files: tuple[tuple[str, bytes], ...]) -> None:
        self.digest: Final = digest
        self.version: Final = version
        self.files: Final = files


def read_reference(text: str) -> Reference | None:
    """The artifact that *text* names: a whole reference, or one of the public names (``falco-rules:5.1.0``,
    ``k8saudit-rules``); None where it can be none.  Without tag and digest it is ``latest``."""
    match = _REFERENCE.fullmatch(text) if len(text) <= 500 else None
    if match is None:
        return None
    repository, digest = match["repository"], match["digest"] or ""
    tag = match["tag"] or ("" if digest else "latest")
    if match["registry"]:
        return Reference(match["registry"], repository, tag, digest)
    if "/" in repository:
        return None
    if repository.startswith("falco-") or repository == "application-rules" or not repository.endswith("-rules"):
        base = f"{_RULES}{repository}"
    else:
        base = f"{_PLUGINS}{repository.removesuffix('-rules')}"
    registry, _, path = base.partition("/")
    return Reference(registry, path, tag, digest)


def fetch(reference: Reference, *, plain_http: bool = False) -> Artifact:
    """The artifact from its registry; credentials are those of ``docker login``.

    Raises `falcokit.ConfigError` where it cannot be reached, is not what its digest says, or holds no rules.
    """
    client = _Client(reference, plain_http)
    body = client.manifest(reference.digest or reference.tag)
    digest = _digest(body)
    if reference.digest and digest != reference.digest:
        raise ConfigError(f"{reference}: what the registry sends is not {reference.digest}: it has been changed")
    manifest = _document(reference, body)
    if "manifests" in manifest:
        inner = next((one for one in _entries(manifest["manifests"]) if one["mediaType"] == _MANIFESTS[0]), None)
        if inner is None:
            raise ConfigError(f"{reference}: its index names no manifest")
        manifest = _document(reference, client.manifest(inner["digest"], inner["digest"]))
    config = manifest.get("config")
    version = ""
    if isinstance(config, dict) and _is_entry(config):
        with suppress(ConfigError):
            version = str(_document(reference, client.blob(config, _MAX_DOCUMENT)).get("version", ""))
    files: dict[str, bytes] = {}
    for layer in _entries(manifest.get("layers")):
        if _LAYER in layer["mediaType"] or layer["mediaType"].endswith((".tar+gzip", "yaml")):
            for name, content in _rules_in(reference, layer, client.blob(layer, _MAX_LAYER)):
                if files.get(name, content) != content:
                    raise ConfigError(f"{reference} has two files that are called {name}: falcokit keeps one of a name")
                files[name] = content
    if not files:
        raise ConfigError(f"{reference} holds no rules files: it is another kind of artifact")
    return Artifact(digest, version, tuple(sorted(files.items())))


class _Client:
    """One conversation with a registry."""

    def __init__(self, reference: Reference, plain_http: bool) -> None:
        import logging

        import oras.container
        import oras.logger
        import oras.provider
        import requests

        class Session(requests.Session):
            """Waits for no answer for ever, and reads none without end."""

            def request(self, *args: Any, **more: Any) -> requests.Response:
                streamed = more.pop("stream", False)
                if not plain_http and not str(args[1] if len(args) > 1 else more.get("url", "")).startswith("https://"):
                    raise ConfigError(
                        f"{reference}: the registry leads to an address without TLS: nothing was asked there"
                    )
                response = super().request(*args, **{"timeout": _TIMEOUT, **more, "stream": True})
                if not streamed:  # The library's own, for a token.
                    response._content = _read(reference, response, _MAX_DOCUMENT)
                return response

        oras.logger.logger.set_level(logging.CRITICAL + 1)
        self._reference: Final = reference
        self._base: Final = f"{'http' if plain_http else 'https'}://{reference.registry}/v2/"
        with _told(reference), Session() as session:
            asked = session.get(self._base, allow_redirects=False)
        scheme = asked.headers.get("Www-Authenticate", "").lower()
        self._registry: Final = oras.provider.Registry(
            hostname=reference.registry,
            insecure=plain_http,
            auth_backend="basic" if scheme.startswith("basic") else "token",
        )
        session = Session()
        session.cookies = self._registry.session.cookies
        self._registry.session = self._registry.auth.session = session
        folder = os.environ.get("DOCKER_CONFIG")
        configs = [os.path.join(folder, "config.json")] if folder else None
        try:
            self._registry.auth.load_configs(oras.container.Container(str(reference)), configs)
        except (OSError, ValueError, TypeError, AttributeError, KeyError):
            raise ConfigError("the configuration of docker with its credentials cannot be read; mend it, or set DOCKER_CONFIG to another folder") from None  # fmt: skip

    def manifest(self, which: str, digest: str = "") -> bytes:
        """The manifest of a tag or digest."""
        return self._get(
            f"{self._base}{self._reference.repository}/manifests/{which}",
            _MAX_DOCUMENT,
            digest,
            {"Accept": ", ".join(_MANIFESTS)},
        )

    def blob(self, entry: Mapping[str, Any], limit: int) -> bytes:
        """What *entry* of a manifest stands for."""
        return self._get(
            f"{self._base}{self._reference.repository}/blobs/{entry['digest']}", limit, entry["digest"], {}
        )

    def _get(self, url: str, limit: int, digest: str, headers: dict[str, str]) -> bytes:
        from oras.provider import Registry

        reference = self._reference
        with _told(reference):
            # Tried once: the library would go on for two minutes where there is no network.
            response = Registry.do_request.__wrapped__(self._registry, url, "GET", headers=headers, stream=True)
            with response:
                if response.status_code != 200:
                    raise ConfigError(f"{reference}: {_said(reference, response)}")
                found = _read(reference, response, limit)
        if digest and _digest(found) != digest:
            raise ConfigError(f"{reference}: what the registry sends is not {digest}: it was changed or cut")
        return found


@contextmanager
def _told(reference: Reference) -> Iterator[None]:
    """What goes wrong with a registry as a `ConfigError` in one sentence."""
    import requests

    try:
        yield
    except requests.exceptions.TooManyRedirects:
        raise ConfigError(f"{reference}: the registry leads in a circle") from None
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema):
        raise ConfigError(f"{reference}: the registry leads to what is no address of the web") from None
    except (requests.exceptions.ConnectionError, requests.exceptions.Timeout, OSError) as error:
        raise ConfigError(f"cannot reach {reference.registry}: {_reason(error)}; what was pulled before is there: falcokit defaults list") from None  # fmt: skip
    except (ValueError, TypeError, AttributeError, KeyError):  # What the client makes of an answer that is none.
        raise ConfigError(f"{reference}: {_refused(reference)}") from None


def _read(reference: Reference, response: requests.Response, limit: int) -> bytes:
    """The body of *response*, if it ends in time and within *limit* bytes."""
    import time

    data, end = bytearray(), time.monotonic() + _DEADLINE
    for piece in response.iter_content(1 << 16):
        data += piece
        if len(data) > limit:
            raise ConfigError(f"{reference}: an answer of the registry is larger than {limit >> 20} MB")
        if time.monotonic() > end:
            raise ConfigError(f"{reference}: the registry takes more than {_DEADLINE} seconds for an answer")
    return bytes(data)


def _said(reference: Reference, response: requests.Response) -> str:
    """Why a registry gave nothing."""
    if response.status_code == 404:
        return "there is no such artifact in the registry"
    return _refused(reference) if response.status_code in (401, 403) else f"the registry answers {response.status_code}"


def _refused(reference: Reference) -> str:
    return f"the registry does not give it: there is no such artifact, or it needs `docker login {reference.registry}`"


def _reason(error: Exception) -> str:
    """The innermost reason of a failed request, in a few words."""
    text = str(error)
    for sign, said in (
        ("Name or service not known", "its name is not known"), ("name resolution", "its name is not known"), ("refused", "the connection is refused"),
        ("timed out", "it does not answer in time"), ("CERTIFICATE", "its certificate is not trusted"), ("WRONG_VERSION", "it speaks no TLS (--plain-http)"),
        ("record layer failure", "it speaks no TLS (--plain-http)"), ("wrong version number", "it speaks no TLS (--plain-http)"), ("unreachable", "there is no network"),
    ):  # fmt: skip
        if sign in text:
            return said
    return "the conversation broke off"


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _document(reference: Reference, data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ConfigError(f"{reference}: the registry sends something else than a manifest")
    return found


def _entries(value: object) -> Iterator[dict[str, Any]]:
    for entry in value[:_MAX_FILES] if isinstance(value, list) else ():
        if isinstance(entry, dict) and _is_entry(entry):
            yield entry


def _is_entry(entry: Mapping[str, Any]) -> bool:
    digest = entry.get("digest")
    return isinstance(entry.get("mediaType"), str) and isinstance(digest, str) and _DIGEST.fullmatch(digest) is not None


def _rules_in(reference: Reference, layer: Mapping[str, Any], data: bytes) -> Iterator[tuple[str, bytes]]:
    """The rules files of a layer: those of an archive, or the layer itself."""
    if layer["mediaType"].endswith("yaml"):
        notes = layer.get("annotations")
        title = notes.get("org.opencontainers.image.title") if isinstance(notes, dict) else None
        name = _plain_name(title if isinstance(title, str) else "rules.yaml")
        if name:
            yield name, data
        return
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as archive:
            left = _MAX_TEXT * 4
            for number, member in enumerate(archive):
                if number >= 1000:
                    raise ConfigError(f"{reference}: an archive of it has too many files")
                name = _plain_name(member.name)
                hidden = member.name.rpartition("/")[2].startswith(".")
                if member.isreg() and not name and member.name.endswith((".yaml", ".yml")) and not hidden:
                    raise ConfigError(f"{reference}: falcokit keeps no file of this name: {member.name[:80]}")
                if not member.isreg() or not name:
                    continue  # Links, folders and devices are nobody's rules.
                left -= member.size
                if member.size > _MAX_TEXT or left < 0:
                    raise ConfigError(f"{reference}: the file {name} is larger than falcokit reads")
                file = archive.extractfile(member)
                if file is not None:
                    yield name, file.read(_MAX_TEXT)
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise ConfigError(f"{reference}: an archive of it is damaged: {type(error).__name__}") from None


def _plain_name(path: str) -> str:
    """The name of a rules file without folders; empty where it is none."""
    name = path.replace("\\", "/").rpartition("/")[2]
    return name if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,100}\.ya?ml", name) else ""
