"""A registry of the real kind on loopback, and the publishing of rules artifacts to it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import socket
import subprocess
import tarfile
import threading
import urllib.request
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

CONFIG_TYPE = "application/vnd.cncf.falco.rulesfile.config.v1+json"
LAYER_TYPE = "application/vnd.cncf.falco.rulesfile.layer.v1+tar.gz"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


@contextmanager
def real_registry(folder: Path, more: str = "") -> Iterator[str]:
    """Host and port of a registry that keeps its data in *folder*, with *more* in its configuration.

    Skips the test where there is no such program.
    """
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("needs docker-registry (Debian: apt install docker-registry)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{probe.getsockname()[1]}"
    settings = folder / "registry.yml"
    settings.write_text(
        f"version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: {folder / 'data'}}}}}\nhttp: {{addr: '{host}'}}\n{more}",
        encoding="utf-8",
    )
    process = subprocess.Popen([program, "serve", str(settings)], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if "listening on" in line:
            break
    else:
        pytest.fail(said)
    drained = threading.Thread(target=deque, args=(process.stderr, 0))
    drained.start()
    try:
        yield host
    finally:
        process.terminate()
        process.wait(10)
        drained.join()
        process.stderr.close()


def archive(files: Mapping[str, str]) -> bytes:
    """A packed archive with *files*."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return gzip.compress(data.getvalue(), mtime=0)


def publish(host: str, repository: str, tag: str, files: Mapping[str, str]) -> str:
    """Publish *files* as Falco's rules are; the digest of the manifest."""
    base = f"http://{host}/v2/{repository}"
    config = json.dumps({"name": repository.rpartition("/")[2], "version": tag}).encode()
    layer = archive(files)
    entries = [(CONFIG_TYPE, config), (LAYER_TYPE, layer)]
    for _, data in entries:
        with _request("POST", f"{base}/blobs/uploads/", b"") as answer:
            place = answer.headers["Location"]
        sign = "&" if "?" in place else "?"
        _request("PUT", f"{place}{sign}digest={digest(data)}", data, "application/octet-stream").close()
    described = [{"mediaType": kind, "digest": digest(data), "size": len(data)} for kind, data in entries]
    manifest = json.dumps(
        {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": described[0], "layers": described[1:]}
    ).encode()
    _request("PUT", f"{base}/manifests/{tag}", manifest, MANIFEST_TYPE).close()
    return digest(manifest)


def digest(data: bytes) -> str:
    """The digest of *data* as registries write it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _request(method: str, url: str, data: bytes, kind: str = "") -> urllib.request.http.client.HTTPResponse:  # type: ignore[name-defined]
    headers = {"Content-Type": kind} if kind else {}
    return urllib.request.urlopen(urllib.request.Request(url, data=data, method=method, headers=headers), timeout=10)
