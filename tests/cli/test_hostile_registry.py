"""A registry is hostile input: whatever it answers ends in one sentence, and nothing of it lands beside its place."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from registry import LAYER_TYPE, MANIFEST_TYPE, archive, digest

ROOT = Path(__file__).parents[2]
RULES = "- list: a\n  items: [b]\n"
CONFIG = b'{"version": "1"}'


class Registry:
    """Answers by path; what it was not told of is not found."""

    def __init__(self) -> None:
        answers: dict[str, tuple[int, dict[str, str], bytes]] = {}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, headers, body = answers.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    return  # The client has heard enough.

            def log_message(self, format: str, *arguments: object) -> None:
                return

        self.answers = answers
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        self.answer("/v2/", b"{}")

    def answer(self, path: str, body: bytes, status: int = 200, **headers: str) -> None:
        self.answers[path] = (status, {name.replace("_", "-"): value for name, value in headers.items()}, body)

    def manifest(self, body: bytes | dict[str, object], **headers: str) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answer("/v2/x/manifests/1", data, **headers)

    def layers(self, *blobs: bytes, kind: str = LAYER_TYPE, config: bytes = CONFIG) -> None:
        for blob in (*blobs, config):
            self.answer(f"/v2/x/blobs/{digest(blob)}", blob)
        layers = [{"mediaType": kind, "digest": digest(blob), "size": len(blob)} for blob in blobs]
        described = {"mediaType": "application/json", "digest": digest(config), "size": len(config)}
        self.manifest({"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": described, "layers": layers})


@pytest.fixture
def registry() -> Iterator[Registry]:
    found = Registry()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


def pull(registry: Registry, tmp_path: Path, reference: str = "x:1") -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "falcokit", "defaults", "pull", "--plain-http", f"{registry.host}/{reference}"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_DATA_HOME": str(tmp_path / "data"), "DOCKER_CONFIG": str(tmp_path)},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    return done.returncode, done.stderr


def files_of(tmp_path: Path) -> set[str]:
    return {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.yaml")}


def test_the_stand_in_is_one(registry: Registry, tmp_path: Path) -> None:
    registry.layers(archive({"r.yaml": RULES}))
    assert pull(registry, tmp_path)[0] == 0
    assert {name.rpartition("/")[2] for name in files_of(tmp_path)} == {"r.yaml"}


def test_bytes_that_are_not_those_of_the_digest(registry: Registry, tmp_path: Path) -> None:
    good = archive({"r.yaml": RULES})
    registry.layers(good)
    registry.answer(f"/v2/x/blobs/{digest(good)}", archive({"r.yaml": RULES.replace("b", "c")}))
    code, said = pull(registry, tmp_path)
    assert (code, "it was changed or cut" in said) == (2, True)
    registry.layers(good)
    code, said = pull(registry, tmp_path, f"x:1@sha256:{'0' * 64}")
    assert (code, "no such artifact" in said) == (2, True)
    registry.answer(f"/v2/x/manifests/sha256:{'0' * 64}", registry.answers["/v2/x/manifests/1"][2])
    code, said = pull(registry, tmp_path, f"x:1@sha256:{'0' * 64}")
    assert (code, "it has been changed" in said) == (2, True)
    assert not files_of(tmp_path)


@pytest.mark.parametrize(
    "body",
    [b"", b"no", b"[]", b"[" * 100_000, b"{}", b'{"layers": 1}', b'{"layers": [1, {"digest": "../../x", "mediaType": "rulesfile.layer"}]}',
     b'{"manifests": []}', b'{"config": {"digest": 1}, "layers": null}', b" " * (2 << 20)],
    ids=["empty", "text", "array", "nested", "bare", "number", "path", "index", "config", "large"],
)  # fmt: skip
def test_manifests_that_are_none(registry: Registry, tmp_path: Path, body: bytes) -> None:
    registry.manifest(body)
    assert pull(registry, tmp_path)[0] == 2
    assert not files_of(tmp_path)


@pytest.mark.parametrize("status", [204, 301, 401, 403, 418, 429, 500, 503])
def test_answers_that_give_nothing(registry: Registry, tmp_path: Path, status: int) -> None:
    registry.answer("/v2/x/manifests/1", b"", status)
    assert pull(registry, tmp_path)[0] == 2


@pytest.mark.parametrize("token", [b"", b"[]", b"1", b'{"token": 5}', b'{"token": "x\\r\\ny: z"}', b"a" * (2 << 20)])
def test_tokens_that_are_none(registry: Registry, tmp_path: Path, token: bytes) -> None:
    registry.answer("/token", token)
    registry.answer("/token?service=s", token)
    ask = f'Bearer realm="http://{registry.host}/token",service="s"'
    registry.answer("/v2/x/manifests/1", b"", 401, WWW_Authenticate=ask)
    assert pull(registry, tmp_path)[0] == 2


def test_a_way_round_in_circles(registry: Registry, tmp_path: Path) -> None:
    registry.answer("/v2/x/manifests/1", b"", 302, Location="/v2/x/manifests/1")
    assert pull(registry, tmp_path)[0] == 2


def test_archives_reach_for_nothing_beside_their_place(registry: Registry, tmp_path: Path) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name in (
            "../../../../evil.yaml",
            "/tmp/evil.yaml",
            "a/b/../deep.yaml",
            ".hidden.yaml",
            "no.txt",
        ):
            member = tarfile.TarInfo(name)
            member.size = len(RULES)
            tar.addfile(member, io.BytesIO(RULES.encode()))
        for name, kind in (
            ("link.yaml", tarfile.SYMTYPE),
            ("hard.yaml", tarfile.LNKTYPE),
            ("pipe.yaml", tarfile.FIFOTYPE),
        ):
            member = tarfile.TarInfo(name)
            member.type = kind
            member.linkname = "/etc/passwd"
            tar.addfile(member)
    registry.layers(gzip.compress(data.getvalue()))
    code, _ = pull(registry, tmp_path)
    assert code == 0
    found = files_of(tmp_path)
    assert {name.rpartition("/")[2] for name in found} == {"evil.yaml", "deep.yaml"}
    assert all(name.startswith("data/falcokit/defaults/") for name in found)


@pytest.mark.parametrize(
    "files",
    [{"x\n.yaml": RULES}, {"\x1b[31m.yaml": RULES}, {"a/r.yaml": RULES, "b/r.yaml": "- list: other\n  items: []\n"}],
)
def test_files_that_could_be_missed_are_told(registry: Registry, tmp_path: Path, files: dict[str, str]) -> None:
    registry.layers(archive(files))
    code, said = pull(registry, tmp_path)
    assert (code, "\x1b" in said, files_of(tmp_path)) == (2, False, set())


@pytest.mark.parametrize("size", [9 << 20, 1 << 40])
def test_archives_that_would_grow_without_end(registry: Registry, tmp_path: Path, size: int) -> None:
    member = tarfile.TarInfo("r.yaml")
    member.size = size
    registry.layers(gzip.compress(member.tobuf() + b" " * (9 << 20)))
    code, said = pull(registry, tmp_path)
    assert (code, "larger than falcokit reads" in said) == (2, True)


@pytest.mark.parametrize(
    "blob",
    [b"", b"no", gzip.compress(b"no"), gzip.compress(b"\0" * (64 << 20)), archive({"r.yaml": RULES})[:60]],
    ids=["empty", "text", "packed-text", "zeros", "cut"],
)
def test_archives_that_are_damaged(registry: Registry, tmp_path: Path, blob: bytes) -> None:  # fmt: skip
    registry.layers(blob)
    assert pull(registry, tmp_path)[0] == 2
    assert not files_of(tmp_path)


def test_other_kinds_of_artifacts(registry: Registry, tmp_path: Path) -> None:
    registry.layers(archive({"plugin.so": "x"}), kind="application/vnd.cncf.falco.plugin.layer.v1+tar.gz")
    code, said = pull(registry, tmp_path)
    assert (code, "holds no rules files" in said) == (2, True)
