"""Containers as runtimes list them."""

from __future__ import annotations

import json

import pytest

from falcokit.whitelist.runtime import containers_in

DIGEST = "sha256:" + "ab" * 32
DOCKER = """\
CONTAINER ID   IMAGE                        COMMAND                  CREATED       STATUS       PORTS     NAMES
4f2e1d9a0b1c   registry.example.com/web:7   "/docker-entrypoint.…"   2 hours ago   Up 2 hours   80/tcp    web
0b1c4f2e1d9a   sysdig/agent                 "/docker-entrypoint.…"   2 hours ago   Up 2 hours             sysdig-agent
"""
SHORT = "NAMES          IMAGE\nweb            registry.example.com/web:7\nsysdig-agent   sysdig/agent\n"
TABS = "NAMES\tIMAGE\nweb\tregistry.example.com/web:7\nsysdig-agent\tsysdig/agent\n"
LINES = '{"ID":"4f2e1d9a0b1c","Image":"registry.example.com/web:7","Names":"web"}\n{"ID":"0b1c4f2e1d9a","Image":"sysdig/agent","Names":"sysdig-agent"}\n'
PODMAN = json.dumps([
    {"Id": "4f2e1d9a0b1c" * 5, "Image": "registry.example.com/web:7", "Names": ["web"]},
    {"Id": "0b1c4f2e1d9a" * 5, "Image": "sysdig/agent", "Names": ["sysdig-agent"]},
])  # fmt: skip
BOTH = [("web", "registry.example.com/web", "7", ""), ("sysdig-agent", "sysdig/agent", "", "")]
CRICTL = json.dumps({"containers": [
    {"id": "4f2e1d9a0b1c", "metadata": {"name": "web"}, "image": {"image": DIGEST}, "imageRef": f"registry.example.com/web@{DIGEST}"},
    {"id": "0b1c4f2e1d9a", "metadata": {"name": "old"}, "image": {"image": DIGEST}, "imageRef": DIGEST},
]})  # fmt: skip
PODS = json.dumps({"kind": "List", "items": [{"kind": "Pod", "metadata": {"name": "web-1", "namespace": "shop"}, "status": {
    "containerStatuses": [{"name": "web", "image": "registry.example.com/web:7", "imageID": f"docker-pullable://registry.example.com/web@{DIGEST}", "containerID": "containerd://4f2e1d9a0b1c"}],
}}]})  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (DOCKER, BOTH), (SHORT, BOTH), (TABS, BOTH), (LINES, BOTH), (PODMAN, BOTH),
        (CRICTL, [("web", "registry.example.com/web", "", DIGEST), ("old", "", "", DIGEST)]),
        (PODS, [("web", "registry.example.com/web", "7", DIGEST)]),
        ("", []), ("hello", []), ("[]", []), ("{", []), ("[[[1]]]", []), ('{"items": [1, {}]}', []), ("NAMES\n", []),
    ],
)  # fmt: skip
def test_lists_of_containers(text: str, expected: list[tuple[str, str, str, str]]) -> None:
    found = [(one.name, one.image.repository, one.image.tag, one.image.digest) for one in containers_in(text)]
    assert found == expected
