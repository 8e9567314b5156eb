"""What is sent for events of every form, letter by letter.

After a wanted change: ``python tests/forward/test_golden.py`` writes the files anew; read the difference.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from falcokit.event import Event, read_events
from falcokit.forward.render import render

sys.path.insert(0, str(Path(__file__).parent))
from made import integration
from parsers import cef, leef, rfc3164, rfc5424

HERE = Path(__file__).parent
OWN = {path.stem: path for path in sorted((HERE.parent / "event" / "samples").glob("*.json"))}
SHARED = {path.stem: path for path in sorted((HERE.parents[2] / "shared" / "events").glob("*.json"))}
FORMATS = {
    "rfc5424 json": ("syslog", {"facility": "local3"}),
    "rfc5424 output": ("syslog", {"message": "output"}),
    "rfc3164 output": ("syslog", {"protocol": "rfc3164", "message": "output"}),
    "rfc3164 cef": ("syslog", {"protocol": "rfc3164", "message": "cef", "facility": "auth"}),
    "leef": ("file", {"message": "leef"}),
    "splunk": ("splunk", {"index": "main"}),
    "elastic": ("elastic", {"index_by": "day"}),
    "otlp": ("otlp", {}),
}


def events_of(path: Path) -> list[Event]:
    return [one for one in read_events([path.read_bytes()], path.name) if isinstance(one, Event)]


def rendered(path: Path) -> str:
    """What each format makes of the events in *path*."""
    said = []
    for event in events_of(path):
        for name, (kind, options) in FORMATS.items():
            one = integration(kind, options, labels={"agent.tag.location": "europe"}, event_labels={"include": ["proc.pname"]})  # fmt: skip
            said.append(f"## {name}\n{render(one, event).decode()}\n")
    return "".join(said)


@pytest.mark.parametrize("name", OWN)
def test_own_events(name: str) -> None:
    assert rendered(OWN[name]) == (HERE / "golden" / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SHARED or [pytest.param("", marks=pytest.mark.skip("needs the events in ../shared"))])
def test_events_of_other_people(name: str) -> None:
    """Parsed by other readers, they say what the event says."""
    for event in events_of(SHARED[name]):
        syslog = rfc5424(render(integration("syslog", {"message": "output"}), event))
        (params,) = syslog.data.values()
        assert dict(params)["rule"] == event.rule
        assert syslog.message.removeprefix(b"\xef\xbb\xbf").decode() == (event.output or event.rule).replace(
            "\n", "#012"
        )
        assert syslog.hostname == (event.host or "-")
        old = rfc3164(render(integration("syslog", {"protocol": "rfc3164"}), event))
        assert (old.hostname, old.tag) == (event.host or "unknown", "falco")
        head, found = cef(render(integration("file", {"message": "cef"}), event).decode())
        assert (head[3], found["msg"]) == (event.rule, event.output or event.rule)
        _, attributes = leef(render(integration("file", {"message": "leef"}), event).decode())
        assert attributes["msg"] == (event.output or event.rule).replace("\n", "#012").replace("^", "#136")
        assert attributes.get("containerId", "") == (event.fields.get("container.id") or event.header.container_id or "").replace("host", "")  # fmt: skip


if __name__ == "__main__":
    for stem, place in OWN.items():
        (HERE / "golden" / f"{stem}.txt").write_text(rendered(place), encoding="utf-8")
