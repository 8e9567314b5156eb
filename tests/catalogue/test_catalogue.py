"""What the bundled catalogue holds, and catalogues of one's own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from falcokit.catalogue import Catalogue, FieldError, FieldUse, Plugin
from falcokit.catalogue.releases import engine_versions, feature_releases, first_release
from falcokit.catalogue.types import TYPES, group_of
from falcokit.data import read_data
from falcokit.errors import CatalogueError

PLUGINS = ("container", "k8saudit", "json", "cloudtrail", "okta", "github", "gcpaudit")


def test_bundled_plugins_and_sources() -> None:
    catalogue = Catalogue.bundled()
    assert catalogue.engine_version == (0, 63, 0)
    assert tuple(plugin.name for plugin in catalogue.plugins) == PLUGINS
    assert catalogue.plugins[1] == Plugin("k8saudit", "0.18.0", "k8s_audit", 1)
    assert catalogue.sources == ("syscall", "k8s_audit", "aws_cloudtrail", "okta", "github", "gcp_auditlog")
    assert Catalogue.bundled() is catalogue


def test_only_the_plugins_asked_for() -> None:
    catalogue = Catalogue.bundled(["container"])
    assert catalogue.sources == ("syscall",)
    assert isinstance(catalogue.resolve("container.id", "syscall"), FieldUse)
    assert isinstance(catalogue.resolve("json.obj", "syscall"), FieldError)
    assert not [field for field in Catalogue.bundled([]).fields() if field.plugin]


def test_fields_by_source() -> None:
    catalogue = Catalogue.bundled()
    syscall = {field.name for field in catalogue.fields("syscall")}
    audit = {field.name for field in catalogue.fields("k8s_audit")}
    assert {"proc.name", "container.id", "json.value", "evt.num"} <= syscall
    assert {"ka.verb", "json.value", "evt.num"} <= audit
    assert not {"proc.name", "container.id", "evt.type"} & audit
    assert len(list(catalogue.fields())) == 571
    assert catalogue.sources_of("json.obj") == catalogue.sources
    assert catalogue.sources_of("ka.verb") == ("k8s_audit",)


def test_a_field_in_full() -> None:
    found = Catalogue.bundled().resolve("proc.apid[1]", "syscall")
    assert isinstance(found, FieldUse)
    assert found.argument == "1"
    field = found.field
    assert (field.argument, field.no_rhs, field.no_transformer, field.filter_only) == ("optional", True, True, False)
    assert (field.print_format, field.plugin, field.source) == ("id", "", "syscall")


def own(**more: Any) -> str:
    return json.dumps({"source": "mine", "fields": [{"name": "my.a", "type": "CHARBUF", "list": False, **more}]})


def test_a_catalogue_of_ones_own() -> None:
    catalogue = Catalogue.from_json(own(arg="required", arg_kind=["key"]))
    assert catalogue.sources == ("syscall", "mine")
    assert isinstance(catalogue.resolve("my.a[k]", "mine"), FieldUse)
    assert isinstance(catalogue.resolve("evt.num", "mine"), FieldUse)
    assert isinstance(catalogue.resolve("proc.name", "mine"), FieldError)


def test_extending_leaves_the_bundled_one_alone() -> None:
    bundled = Catalogue.bundled()
    extended = bundled.extended(own())
    assert extended.sources == (*bundled.sources, "mine")
    assert isinstance(extended.resolve("ka.verb", "k8s_audit"), FieldUse)
    assert "mine" not in bundled.sources


def test_a_plugin_of_the_same_name_is_replaced() -> None:
    text = json.dumps(
        {
            "source": "syscall",
            "plugin": {"name": "container", "version": "9.0.0"},
            "fields": [{"name": "container.id", "type": "UINT64"}],
        }
    )
    catalogue = Catalogue.bundled().extended(text)
    found = catalogue.resolve("container.id", "syscall")
    assert isinstance(found, FieldUse)
    assert found.type == "UINT64"
    assert isinstance(catalogue.resolve("container.name", "syscall"), FieldError)
    assert [p.version for p in catalogue.plugins if p.name == "container"] == ["9.0.0"]


def test_fields_for_every_source() -> None:
    text = json.dumps({"source": "*", "plugin": {"name": "p"}, "fields": [{"name": "my.a", "type": "BOOL"}]})
    catalogue = Catalogue.bundled().extended(text)
    assert catalogue.sources == Catalogue.bundled().sources
    assert catalogue.sources_of("my.a") == catalogue.sources


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", '"source"'),
        ('{"source": ""}', '"source"'),
        ('{"source": "s"}', '"fields"'),
        ('{"source": "s", "fields": {}}', '"fields"'),
        ('{"source": "s", "fields": [1]}', "fields[0]"),
        ('{"source": "s", "fields": [], "plugin": 1}', '"plugin"'),
        ('{"source": "s", "fields": [], "plugin": {"version": "1"}}', "x.y.z"),
        (own(name="my"), "fields[0]"),
        (own(name=1), "fields[0]"),
        (own(type="TEXT"), "fields[0] (my.a)"),
        (own(type=["CHARBUF"]), "fields[0] (my.a)"),
        (own(list="no"), '"list"'),
        (own(arg="maybe"), '"arg"'),
        (own(arg="optional", arg_kind=["x"]), '"arg_kind"'),
        (own(arg_kind=["key"]), '"arg_kind"'),
        ('{"source": "s", "fields": [{"name": "a.b", "type": "BOOL"}, {"name": "a.b", "type": "BOOL"}]}', "fields[1]"),
        ('{"source": "s", "fields": [{"name": "evt.num", "type": "UINT64"}]}', "evt.num"),
    ],
)
def test_a_broken_catalogue_names_the_place(text: str, place: str) -> None:
    with pytest.raises(CatalogueError) as error:
        Catalogue.from_json(text)
    assert place in str(error.value)


def test_types() -> None:
    assert group_of("CHARBUF", False).name == "text"
    assert group_of("CHARBUF", True).operators == {"in", "intersects", "exists"}
    assert group_of("INT64", True).operators == group_of("DYN", False).operators == {"exists"}
    assert TYPES["BYTEBUF"].with_modifier >= {"bcontains", "bstartswith", "="}
    assert not TYPES["BYTEBUF"].with_modifier & {"in", "exists", "<"}


def test_releases() -> None:
    assert engine_versions()["0.45"] == "0.63.0"
    assert set(feature_releases().values()) <= set(engine_versions())
    assert first_release("0.63.0") == "0.45"
    assert first_release("0.41.0") == "0.39"
    assert first_release("26") == first_release("18") == "0.36"
    assert first_release("27") == "0.37"
    assert first_release("1.0.0") is None


def test_the_data_read_at_every_start_is_small() -> None:
    assert len(read_data("schemas", "catalogue/falco.json")) < 64 * 1024
    services = json.loads(read_data("schemas", "catalogue/services.json"))
    assert (services["ssh"], services["domain"], services["https"]) == (22, 53, 443)
    assert all(0 < port < 65536 for port in services.values())
