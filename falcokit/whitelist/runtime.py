"""Containers as the tools of container runtimes and Kubernetes list them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from falcokit.event.identity import Container, Image, split_image

__all__ = ["containers_in"]

_GAP: Final = re.compile(r"\t+| {2,}")
_SCHEME: Final = re.compile(r"[a-z-]+://")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


def containers_in(text: str) -> tuple[Container, ...]:
    """The containers that *text* lists: ``docker ps`` and ``podman ps`` as tables or JSON, ``crictl ps`` as table or JSON, ``kubectl get
    pods -o json``.  None where it is none of these."""
    text = text.removeprefix("\ufeff")
    found = tuple(_of_json(text)) if text.lstrip()[:1] in ("{", "[") else tuple(_of_table(text))
    return tuple(dict.fromkeys(found))


def _of_json(text: str) -> Iterator[Container]:
    try:
        documents = [json.loads(text)]
    except (ValueError, RecursionError):
        documents = []
        for line in text.splitlines():  # docker ps --format json: an object a line
            try:
                documents.append(json.loads(line))
            except (ValueError, RecursionError):
                continue
    for document in documents:
        entries = document if isinstance(document, list) else [document]
        for entry in entries:
            if isinstance(entry, dict):
                yield from _of_object(entry)


def _of_object(entry: dict[str, Any]) -> Iterator[Container]:
    if isinstance(entry.get("items"), list):
        for pod in entry["items"]:
            if isinstance(pod, dict):
                yield from _of_pod(pod)
    elif isinstance(entry.get("containers"), list) and "status" not in entry:
        for one in entry["containers"]:
            if isinstance(one, dict):
                name = _text(_part(one, "metadata", "name"))
                image = (
                    _image(_text(one.get("imageRef")))
                    if "@" in _text(one.get("imageRef"))
                    else _image(_text(_part(one, "image", "image")))
                )
                yield Container(_text(one.get("id"))[:12], name, image, False)
    elif entry.get("kind") == "Pod":
        yield from _of_pod(entry)
    elif "Image" in entry:
        names = entry.get("Names")
        name = _text(names[0]) if isinstance(names, list) and names else _text(names)
        yield Container(
            _text(entry.get("ID") or entry.get("Id"))[:12], name.partition(",")[0], _image(_text(entry["Image"])), False
        )


def _of_pod(pod: dict[str, Any]) -> Iterator[Container]:
    """The containers of a pod, by what their states say of the image that runs."""
    status = pod.get("status")
    for key in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        states = status.get(key) if isinstance(status, dict) else None
        for state in states if isinstance(states, list) else ():
            if not isinstance(state, dict):
                continue
            image = _image(_text(state.get("image")))
            # What stands there without a repository is the id of the image, which is another one than its digest.
            running = split_image(_SCHEME.sub("", _text(state.get("imageID"))))
            if running.repository and running.digest:
                image = image.replaced(digest=running.digest)
            yield Container(
                _SCHEME.sub("", _text(state.get("containerID")))[:12], _text(state.get("name")), image, False
            )


def _of_table(text: str) -> Iterator[Container]:
    """The rows of a table whose head names the columns."""
    lines = [line for line in text.splitlines() if line.strip()]
    heads = [name.strip().upper() for name in _GAP.split(lines[0])] if lines else []
    name_at = next((heads.index(name) for name in ("NAMES", "NAME") if name in heads), -1)
    if name_at < 0 or "IMAGE" not in heads:
        return
    image_at = heads.index("IMAGE")
    starts = [lines[0].upper().find(head) for head in heads]
    for line in lines[1:]:
        cells = [cell.strip() for cell in _GAP.split(line)]
        if len(cells) != len(heads) and "\t" not in line:
            # A cell is empty: the columns stand where their heads do.
            ends = [*starts[1:], len(line)]
            cells = [line[start:end].strip() for start, end in zip(starts, ends, strict=True)]
        if max(name_at, image_at) < len(cells):
            yield Container("", cells[name_at].partition(",")[0], _image(cells[image_at]), False)


def _image(text: str) -> Image:
    """The image that *text* names; a bare id is no digest of a repository."""
    text = _SCHEME.sub("", text)
    if re.fullmatch(r"(?:sha256:)?[0-9a-f]{12,64}", text):
        return Image("", "", text if _DIGEST.fullmatch(text) else "", "fields")
    return split_image(text).replaced(told="fields")


def _part(value: dict[str, Any], first: str, second: str) -> Any:
    inner = value.get(first)
    return inner.get(second) if isinstance(inner, dict) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
