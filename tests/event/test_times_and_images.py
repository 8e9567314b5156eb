"""Points in time, priorities and images as events write them."""

from __future__ import annotations

import pytest

from falcokit.event.header import priority_of
from falcokit.event.identity import Image, container_of, split_image
from falcokit.event.text_line import read_text_line, unprefixed
from falcokit.event.times import read_time

SECOND = 10**9
NOON = 1770120000 * SECOND  # 2026-02-03T12:00:00Z


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("2026-02-03T12:00:00Z", NOON),
        ("2026-02-03T12:00:00.5Z", NOON + SECOND // 2),
        ("2026-02-03T12:00:00.123456789123Z", NOON + 123456789),
        ("2026-02-03T12:00:00.000000001Z", NOON + 1),
        ("2026-02-03 12:00:00", NOON),
        ("2026-02-03T14:00:00+02:00", NOON),
        ("2026-02-03T14:00:00+0200", NOON),
        ("2026-02-03T14:00:00+02", NOON),
        ("2026-02-03T09:30:00-02:30", NOON),
        ("2026-02-03T12:00:00.000Z+2", NOON),  # The zone is written twice: the first one counts.
        ("2026-02-03t12:00:00z", NOON),
        (1770120000, NOON),
        (1770120000.5, NOON + SECOND // 2),
        (1770120000 * 10**3, NOON),
        (1770120000 * 10**6, NOON),
        (NOON, NOON),
        (str(NOON), NOON),
        ("1770120000", NOON),
        ("2026-02-30T12:00:00Z", None),
        ("12:00:00", None),
        ("yesterday", None),
        ("", None),
        (0, None),
        (-5, None),
        (1 << 64, None),
        (18446744073710, None),  # Milliseconds behind the last nanosecond that fits.
        (float("nan"), None),
        (float("inf"), None),
        (True, None),
        (None, None),
        ([], None),
    ],
)
def test_times(written: object, time: int | None) -> None:
    assert read_time(written) == time


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("CRITICAL", "Critical"), ("informational", "Informational"), ("INFO", "Informational"), ("Warn", "Warning"),
        (0, "Emergency"), (3, "Error"), (7, "Debug"), (8, ""), (-1, ""), (True, ""), ("high", ""), (None, ""), ([], ""),
    ],
)  # fmt: skip
def test_priorities(written: object, word: str) -> None:
    assert priority_of(written) == word


HASH = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("written", "image"),
    [
        ("nginx", Image("nginx")),
        ("nginx:1.25", Image("nginx", "1.25")),
        ("registry:5000/team/app", Image("registry:5000/team/app")),
        ("registry:5000/team/app:v1", Image("registry:5000/team/app", "v1")),
        (f"registry:5000/app@sha256:{HASH}", Image("registry:5000/app", "", f"sha256:{HASH}")),
        (f"app:v1@sha256:{HASH}", Image("app", "v1", f"sha256:{HASH}")),
        (f"sha256:{HASH}", Image("", "", f"sha256:{HASH}")),
    ],
)
def test_images(written: str, image: Image) -> None:
    assert split_image(written) == image
    assert container_of({"container.id": "a", "container.image": written}, {}, "").image == image.replaced(
        told="fields"
    )


@pytest.mark.parametrize(
    ("fields", "labels", "output", "image"),
    [
        ({"container.image.repository": "a", "container.image.tag": "1"}, {"container.image.repo": "b"}, "image=c:2", Image("a", "1", "", "fields")),
        ({"container.image.repository": "<NA>"}, {"container.image.repo": "b", "container.image.tag": "2"}, "image=c", Image("b", "2", "", "labels")),
        ({"container.image.repository": None}, {}, "x (image=c:2)", Image("c", "2", "", "output")),
        ({}, {}, "x container_image_repository=c container_image_tag=3 y", Image("c", "3", "", "output")),
        ({}, {}, "x (image=<NA>)", Image()),
        ({}, {}, "x (myimage=c)", Image()),
        ({"container.image.repository": "sha256", "container.image.tag": HASH}, {}, "", Image("", "", HASH, "fields")),
        ({"container.image.repository": "a", "container.image.digest": ["sha256:1", "sha256:2"]}, {}, "", Image("a", "", "sha256:1", "fields")),
    ],
)  # fmt: skip
def test_where_the_image_is_told(fields: dict[str, object], labels: dict[str, str], output: str, image: Image) -> None:
    assert container_of({"container.id": "0123456789ab", **fields}, labels, output).image == image


@pytest.mark.parametrize(
    ("fields", "output", "told", "found"),
    [
        ({"container.id": "host"}, "", None, ("host", "host", True)),
        ({}, "", "", ("host", "host", True)),
        ({}, "", None, ("", "", False)),
        (
            {"container.id": None},
            "x container_id=0123456789ab container_name=app",
            None,
            ("0123456789ab", "app", False),
        ),
        ({}, "x (container=host)", None, ("host", "host", True)),
        ({}, "x (container=lab9-target)", None, ("", "", False)),
        ({"container.name": "app"}, "", "0123456789ab", ("0123456789ab", "app", False)),
    ],
)
def test_containers(fields: dict[str, object], output: str, told: str | None, found: tuple[str, str, bool]) -> None:
    container = container_of(fields, {}, output, told)
    assert (container.id, container.name, container.on_host) == found


@pytest.mark.parametrize(
    ("line", "priority", "message", "time"),
    [
        ("12:00:00.000000001: Warning A shell (x=1)", "Warning", "A shell (x=1)", None),
        ("2026-02-03T12:00:00.000000001+0000: Critical A shell", "Critical", "A shell", NOON + 1),
        ("2026-02-03T12:00:00Z: Debug A shell", "Debug", "A shell", NOON),
    ],
)
def test_text_lines(line: str, priority: str, message: str, time: int | None) -> None:
    found = read_text_line(line)
    assert found is not None
    assert (found.priority, found.message, found.time) == (priority, message, time)


@pytest.mark.parametrize(
    "line", ["", "12:00:00 Warning x", "12:00:00: Fatal x", "Tue Feb  3 12:00:00 2026: Loading rules"]
)
def test_lines_that_are_no_alerts(line: str) -> None:
    assert read_text_line(line) is None


@pytest.mark.parametrize(
    "prefix",
    [
        "Feb  3 12:00:00 node-1 falco[123]: ",
        "<13>Feb  3 12:00:00 node-1 falco: ",
        "2026-02-03T12:00:00.1+00:00 node-1 falco[1]: ",
        "2026-02-03T12:00:00.123456789Z stdout F ",
        "<13>1 2026-02-03T12:00:00Z node-1 falco 12 - - ",
        "2026-02-03T12:00:00.123456789Z stdout F Feb  3 12:00:00 node-1 falco[123]: ",
    ],
)
def test_prefixes(prefix: str) -> None:
    assert unprefixed(prefix + "the line") == "the line"


def test_prefixes_without_end() -> None:
    assert len(unprefixed("2026-02-03T12:00:00Z stdout F " * 10_000)) > 200_000
