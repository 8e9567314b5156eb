"""Whose event it is: the container and its image."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from falcokit.record import Record

__all__ = ["Container", "Image", "container_of", "split_image"]

_REPOSITORY: Final = re.compile(r"(?:^|[\s(|])container_image_repository=([^\s()]{1,512})")
_TAG: Final = re.compile(r"(?:^|[\s(|])container_image_tag=([^\s()]{1,128})")
_IMAGE: Final = re.compile(r"(?:^|[\s(|])(?:container_)?image=([^\s()]{1,512})")
_ID: Final = re.compile(r"(?:^|[\s(|])(?:container_id|container)=([0-9a-f]{12,64}|host)(?=[\s)]|$)")
_NAME: Final = re.compile(r"(?:^|[\s(|])container_name=([^\s()]{1,255})")
_UNTOLD: Final = ("<NA>", "incomplete")
"""What Falco writes for what it does not know, or not yet."""
_DIGEST: Final = re.compile(r"(?:sha256:)?[0-9a-f]{64}", re.ASCII)


class Image(Record):
    """An image; parts that are not known are empty.

    ``told`` is how sure it is: ``fields`` and ``labels`` are the event's own words, ``output`` was read out of the text of the
    alert, which may be wrong: anybody can choose names that look like it.
    """

    __slots__ = ("digest", "repository", "tag", "told")

    def __init__(self, repository: str = "", tag: str = "", digest: str = "", told: str = "") -> None:
        self.repository: Final = repository
        self.tag: Final = tag
        self.digest: Final = digest
        self.told: Final = told

    @property
    def certain(self) -> bool:
        """Whether the event says so itself."""
        return self.told in ("fields", "labels")


class Container(Record):
    """A container; texts are empty where they are not known, ``on_host`` tells that it is the host and no container."""

    __slots__ = ("id", "image", "name", "on_host")

    def __init__(self, id: str, name: str, image: Image, on_host: bool) -> None:
        self.id: Final = id
        self.name: Final = name
        self.image: Final = image
        self.on_host: Final = on_host


def container_of(
    fields: Mapping[str, object], labels: Mapping[str, str], output: str, container_id: str | None = None
) -> Container:
    """The container that the *fields* of an event, else its *labels*, else its *output* tell of.

    *container_id* is one told beside them; empty it says that there is no container.
    """
    output = output[:20_000]
    own = _text(fields.get("container.id")) or container_id or ""
    own = own or ("" if container_id == "" else _first(_ID, output))
    on_host = own == "host" or (container_id == "" and not own)
    name = _text(fields.get("container.name")) or labels.get("container.name", "") or _first(_NAME, output)
    if on_host:
        return Container("host", "host", Image(), True)
    return Container(own, name, _image(fields, labels, output), False)


def _image(fields: Mapping[str, object], labels: Mapping[str, str], output: str) -> Image:
    written = _text(fields.get("container.image"))
    found = split_image(written) if written else Image()
    repository = _text(fields.get("container.image.repository")) or found.repository
    tag = _text(fields.get("container.image.tag")) or found.tag
    digest = _text(fields.get("container.image.digest")) or found.digest
    if repository == "sha256":  # An image that was deployed by digest: old versions cut it at the colon.
        tag, repository, digest = "", "", digest or tag
    label = labels.get("container.image.repo", "") or labels.get("container.image.repository", "")
    if repository == label:
        tag, digest = tag or labels.get("container.image.tag", ""), digest or labels.get("container.image.digest", "")
    if repository or digest:
        return Image(repository or label, tag, digest, "fields" if repository or not label else "labels")
    if label:
        return Image(label, labels.get("container.image.tag", ""), labels.get("container.image.digest", ""), "labels")
    repository = _first(_REPOSITORY, output)
    if repository:
        return Image(repository, _first(_TAG, output), "", "output")
    written = _first(_IMAGE, output)
    return split_image(written).replaced(told="output") if written else Image()


def split_image(text: str) -> Image:
    """The parts of an image as it is written: ``registry:5000/name:tag@sha256:...``; none of them has to be there."""
    name, _, digest = text.partition("@")
    if _DIGEST.fullmatch(name):
        return Image("", "", name)
    head, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return Image(head + slash + last, tag, digest)


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found is not None and found[1] != "<NA>" else ""


def _text(value: object) -> str:
    """A text that says something; of a list its first."""
    if isinstance(value, list):
        value = value[0] if value else ""
    return value if isinstance(value, str) and value not in _UNTOLD else ""
