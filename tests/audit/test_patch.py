"""Changes to files that configure API servers: right, once, nothing else, or refused."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

sys.path.insert(0, str(Path(__file__).parent))
from configurations import K3S, KOPS, KUBEADM, MANIFESTS, MASTER, MINISHIFT, RKE

from falcokit.audit.default_policy import DEFAULT_POLICY
from falcokit.audit.flags import Flag
from falcokit.audit.patch import Mount, Wanted, patch_k3s, patch_manifest
from falcokit.audit.platforms import PLATFORMS, Receiver, Target, patched
from falcokit.errors import ConfigError

PLACE = "/etc/kubernetes/k8s-audit"
WANTED = Wanted(
    (
        Flag("audit-policy-file", f"{PLACE}/audit-policy.yaml"),
        Flag("audit-webhook-config-file", f"{PLACE}/webhook-config.yaml"),
        Flag("audit-webhook-batch-max-wait", "5s", keep=True),
    ),
    (Mount("k8s-audit", PLACE, PLACE),),
)
RECEIVER = Receiver(Target.falco, "192.0.2.7")
KINDS: dict[tuple[str, str], list[str]] = {
    ("--kube-apiserver-manifest", "kubeadm"): MANIFESTS,
    ("--kubeadm-config", "kubeadm"): KUBEADM,
    ("--kops-cluster", "kops"): KOPS,
    ("--rke-cluster", "rke-1.13"): RKE,
    ("--k3s-config", "k3s"): K3S,
    ("--k3s-config", "rke2"): K3S,
    ("--master-config", "openshift-3.11"): MASTER,
    ("--master-config", "minishift-3.11"): MINISHIFT,
}
CASES = [(*kind, number) for kind, texts in KINDS.items() for number in range(len(texts))]


def change(option: str, platform: str, text: str) -> str:
    return patched(option, PLATFORMS[platform], RECEIVER, DEFAULT_POLICY, "", "the file", text).text


def documents(text: str) -> list[Any]:
    return list(YAML(typ="safe", pure=True).load_all(io.StringIO(text)))


def leaves(node: Any, path: tuple[Any, ...] = ()) -> set[tuple[Any, ...]]:
    """All values with the way to them; the place in a list does not count."""
    if isinstance(node, dict):
        return {leaf for key, value in node.items() for leaf in leaves(value, (*path, key))}
    if isinstance(node, list):
        return {leaf for value in node for leaf in leaves(value, (*path, "-"))}
    return {(*path, str(node))}


def comments(text: str) -> list[str]:
    return sorted(line[line.index("#") :].strip() for line in text.splitlines() if "#" in line)


@pytest.mark.parametrize(("option", "platform", "number"), CASES)
def test_once_is_enough_and_nothing_else_changes(option: str, platform: str, number: int) -> None:
    text = KINDS[option, platform][number]
    once = change(option, platform, text)
    assert once != text
    assert change(option, platform, once) == once
    old, new = documents(text), documents(once)
    assert len(old) == len(new)
    for before, after in zip(old, new, strict=True):
        gone = leaves(before) - leaves(after)
        for leaf in gone:
            said = " ".join(map(str, leaf)).lower()
            assert (
                "audit" in said
                or leaf[-1] in ("None", "feature-gates=A=true")
                or "/old" in said
                or said.endswith("/policy.yaml")
                or said.startswith("spec fileassets")
            ), leaf
    # What people wrote stays: no comment is lost, no line is moved.
    for comment in comments(text):
        assert comment in once or "older" in comment
    old_lines, rest = text.splitlines(), iter(once.splitlines())
    kept = [line for line in old_lines if old_lines.count(line) == once.splitlines().count(line) == 1]
    assert all(line in rest for line in kept)


@pytest.mark.parametrize("number", range(3))
def test_manifest(number: int) -> None:
    done = patch_manifest("m", MANIFESTS[number], WANTED)
    pod = documents(done.text)[0]
    server = next(one for one in pod["spec"]["containers"] if one["name"] == "kube-apiserver")
    said = " ".join([*server["command"], *server.get("args", [])])
    for flag in ("audit-policy-file", "audit-webhook-config-file"):
        assert said.replace("_", "-").count(f"--{flag}") == 1
        assert WANTED.flags[flag != "audit-policy-file"].value in said
    assert said.count("batch-max-wait=") == 1
    mount = next(one for one in server["volumeMounts"] if one["mountPath"] == PLACE)
    volume = next(one for one in pod["spec"]["volumes"] if one["name"] == mount["name"])
    assert volume["hostPath"] == {"path": PLACE, "type": "DirectoryOrCreate"}
    assert mount["readOnly"] is True


@pytest.mark.parametrize("number", range(3))
def test_the_pod_is_still_one(number: int) -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    for text in (MANIFESTS[number], patch_manifest("m", MANIFESTS[number], WANTED).text):
        pod = documents(text)[0]
        pod["metadata"].pop("creationTimestamp", None)  # The schema knows no null, though kubeadm writes it.
        for version in ("1.25", "1.32", "1.37"):
            kubernetes_validate.validate(pod, version, strict=True)


def test_what_was_replaced_is_told() -> None:
    notes = patch_manifest("m", MANIFESTS[1], WANTED).notes
    assert notes == (
        "--audit-policy-file was /etc/kubernetes/pki/old-policy.yaml",
        "--audit-webhook-config-file was /etc/kubernetes/pki/old-webhook.yaml",
    )
    assert patch_manifest("m", MANIFESTS[0], WANTED).notes == ()
    assert "--audit-webhook-batch-max-wait=9s" in patch_manifest("m", MANIFESTS[2], WANTED).text


@pytest.mark.parametrize("mode", ["blocking", "blocking-strict", "batch"])
@pytest.mark.parametrize(("option", "platform"), KINDS)
def test_a_blocking_mode_is_warned_of(option: str, platform: str, mode: str) -> None:
    text = {
        "--kube-apiserver-manifest": MANIFESTS[0].replace(
            "    - --allow-privileged=true", f"    - --audit-webhook-mode={mode}"
        ),
        "--kubeadm-config": "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\napiServer:\n  extraArgs:\n"
        f"  - name: audit-webhook-mode\n    value: {mode}\n",
        "--kops-cluster": KOPS[2].replace("kubeAPIServer: {}", f"kubeAPIServer: {{auditWebhookMode: {mode}}}"),
        "--rke-cluster": f"nodes: []\nservices:\n  kube-api:\n    extra_args: {{audit-webhook-mode: {mode}}}\n",
        "--k3s-config": f"kube-apiserver-arg:\n- audit-webhook-mode={mode}\n",
        "--master-config": f"kind: MasterConfig\nauditConfig: {{webHookMode: {mode}}}\nkubernetesMasterConfig:\n"
        f"  apiServerArguments: {{audit-webhook-mode: [{mode}]}}\n",
    }[option]
    done = patched(option, PLATFORMS[platform], RECEIVER, DEFAULT_POLICY, "", "the file", text)
    assert [f"audit-webhook-mode is {mode}:" in one for one in done.warnings] == ([] if mode == "batch" else [True])


@pytest.mark.parametrize("image", ["registry.k8s.io/kube-apiserver@sha256:abc", "localhost:5000/kube-apiserver"])
def test_a_version_that_nobody_knows_is_warned_of(image: str) -> None:
    text = MANIFESTS[0].replace("registry.k8s.io/kube-apiserver:v1.33.2", image)
    assert text != MANIFESTS[0]
    done = patched("--kube-apiserver-manifest", PLATFORMS["native-1.13"], RECEIVER, "", "", "m", text)
    assert ["tells no version" in one for one in done.warnings] == [True]
    assert patch_manifest("m", MANIFESTS[0], WANTED).warnings == ()


def test_a_log_in_a_read_only_mount_is_called_so() -> None:
    text = MANIFESTS[0].replace("    - --allow-privileged=true", "    - --audit-log-path=/etc/kubernetes/pki/audit.log")
    with pytest.raises(ConfigError, match="is mounted read-only"):
        patch_manifest("m", text, WANTED)


def test_windows_line_ends_and_a_byte_order_mark_stay() -> None:
    for text in (MANIFESTS[0].replace("\n", "\r\n"), "\ufeff" + K3S[0], K3S[0].rstrip("\n")):
        patch: Callable[..., Any] = patch_manifest if "Pod" in text else patch_k3s
        want = WANTED if "Pod" in text else WANTED.replaced(mounts=())
        once = patch("m", text, want).text
        assert patch("m", once, want).text == once
        assert once.startswith(text[:20])
        assert ("\r\n" in text) is ("\r\n" in once)
        assert once.count("\n") == once.count("\r\n") or "\r\n" not in once


def test_maps_in_flags_are_joined() -> None:
    text = (
        MANIFESTS[0]
        .replace("v1.33.2", "v1.15.0")
        .replace("    - --allow-privileged=true", "    - --feature-gates=A=true,DynamicAuditing=false")
    )
    once = patched("--kube-apiserver-manifest", PLATFORMS["native-1.13"], RECEIVER, "", "", "m", text).text
    assert "    - --feature-gates=A=true,DynamicAuditing=true\n" in once
    assert "    - --runtime-config=auditregistration.k8s.io/v1alpha1=true\n" in once
    assert patched("--kube-apiserver-manifest", PLATFORMS["native-1.13"], RECEIVER, "", "", "m", once).text == once


@pytest.mark.parametrize(("option", "platform"), KINDS)
def test_another_kind_of_file_is_refused_in_one_sentence(option: str, platform: str) -> None:
    others = [texts[0] for kind, texts in KINDS.items() if kind[0] != option]
    for text in [
        *others,
        "",
        "# nothing\n",
        "- a\n",
        "x",
        "kind: Service\napiVersion: v1\n",
        "a: [\n",
        "a: 1\na: 2\n---\nb: 1\n",
    ]:
        if option == "--k3s-config" and text in ("", "# nothing\n"):
            continue  # An empty configuration is one.
        with pytest.raises(ConfigError) as error:
            change(option, platform, text)
        assert "\n" not in str(error.value)
        assert str(error.value).startswith("cannot change the file: ")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (MANIFESTS[0].replace("v1.33.2", "v1.7.0"), "1.7 does not know"),
        (MANIFESTS[0].replace("    - --allow-privileged=true", "    - --audit-dynamic-configuration"), "1.33 does not know"),
        (MANIFESTS[0].replace("kube-apiserver\n    - --adv", "etcd\n    - --adv").replace("name: kube-apiserver\n    res", "name: x\n    res"), "no container"),
        (MANIFESTS[0].replace("mountPath: /etc/kubernetes/pki", f"mountPath: {PLACE}"), "something else is mounted"),
        (MANIFESTS[0].replace("    - --allow-privileged=true", "    - --audit-policy-file"), "has no value"),
        (MANIFESTS[0].replace("    - --allow-privileged=true", "    - --audit-log-path=/var/log/a"), "no volume shows"),
        (MANIFESTS[0] + "---\n" + MANIFESTS[0], "more than one"),
        (MANIFESTS[0].replace("hostNetwork: true", "hostNetwork: true\n  volumes: []"), "stands twice"),
        (MANIFESTS[0].replace("  - hostPath:\n      path: /etc/ssl", "  - &a\n    hostPath:\n      path: /etc/ssl").replace("status: {}", "x: *b"), "no YAML"),
        ("kind: Pod\nspec:\n  containers: 3\n", "no container"),
        ("kind: Pod\nspec:\n  containers:\n  - command: kube-apiserver\n    name: kube-apiserver\n", "is no list"),
        ("kind: Pod\nspec:\n  volumes: x\n  containers:\n  - command: [kube-apiserver, --a=b]\n", "are no list"),
        ("base: &b {x: y}\nkind: Pod\nspec:\n  <<: *b\n  containers:\n  - command: [kube-apiserver, --a=b]\n", "`<<`"),
    ],
)  # fmt: skip
def test_what_would_stop_the_server_is_refused(text: str, why: str) -> None:
    with pytest.raises(ConfigError) as error:
        patch_manifest("m", text, WANTED)
    assert why in str(error.value)
    assert "\n" not in str(error.value)


def test_a_change_that_an_alias_would_carry_elsewhere_is_refused() -> None:
    text = (
        "kind: Pod\nspec:\n  containers:\n  - name: kube-apiserver\n    command: &c\n    - kube-apiserver\n    - --a=b\n"
        "  - name: other\n    command: *c\n"
    )
    with pytest.raises(ConfigError):
        patch_manifest("m", text, WANTED)


@pytest.mark.parametrize(
    ("option", "platform", "text"),
    [
        ("--kubeadm-config", "kubeadm", KUBEADM[2].replace("v1beta4", "v1alpha3")),
        ("--kubeadm-config", "kubeadm", KUBEADM[2] + "apiServer: []\n"),
        ("--kubeadm-config", "kubeadm", KUBEADM[2] + f"apiServer: {{extraVolumes: [{{name: a, hostPath: /b, mountPath: {PLACE}}}]}}\n"),
        ("--kops-cluster", "kops", KOPS[0].replace("v1alpha2", "v1alpha3")),
        ("--kops-cluster", "kops", KOPS[1].replace("/etc/motd", "/srv/kubernetes/kube-apiserver/webhook-config.yaml")),
        ("--kops-cluster", "kops", KOPS[2].replace("kubeAPIServer: {}", "kubeAPIServer: {auditLogPath: /srv/kubernetes/kube-apiserver/a.log}")),
        ("--rke-cluster", "rke-1.13", RKE[1].replace("/opt/x:/opt/x", "/opt/x:/var/lib/k8s_audit")),
        ("--rke-cluster", "rke-1.13", RKE[0] + "x: &a\n  - *a\n"),
        ("--k3s-config", "k3s", "kube-apiserver-arg: {a: b}\n"),
        ("--master-config", "openshift-3.11", MASTER[2] + "auditConfig: [enabled]\n"),
        ("--master-config", "minishift-3.11", MINISHIFT[1].replace('["/etc/origin/master/other.yaml"]', "[a, b]")),
    ],
)  # fmt: skip
def test_doubtful_configurations_are_refused(option: str, platform: str, text: str) -> None:
    with pytest.raises(ConfigError) as error:
        change(option, platform, text)
    assert "\n" not in str(error.value)


OTHERS = [
    "--allow-privileged=true",
    "--v=2",
    "--etcd-servers=https://127.0.0.1:2379",
    "--feature-gates=A=true",
    "--audit-log-maxage=30",
]
OURS = [
    "--audit-policy-file=/old/p.yaml",
    "--audit-webhook-config-file=/old/w.yaml",
    "--audit_policy_file=/older.yaml",
    "--audit-webhook-batch-max-wait=1s",
]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(OTHERS), unique=True, max_size=5),
    st.lists(st.sampled_from(OURS), unique=True, max_size=4),
    st.randoms(use_true_random=False),
    st.sampled_from(["plain", "single", "double", "flow", "line", "folded", "literal", "args"]),
    st.integers(0, 4),
    st.booleans(),
)
def test_any_order_and_style(
    others: list[str], ours: list[str], random: Any, style: str, indent: int, volumes: bool
) -> None:
    flags = [*others, *ours]
    random.shuffle(flags)
    pad = " " * indent
    quote = {"single": "'", "double": '"'}.get(style, "")
    if style in ("plain", "single", "double"):
        command = f"    command:\n{pad}    - kube-apiserver\n" + "".join(
            [f"{pad}    - {quote}{f}{quote}\n" for f in flags]
        )
    elif style == "args":
        command = "    command: [kube-apiserver]\n    args:\n" + "".join(
            [f"{pad}    - {f} # {f}\n" for f in flags or ["--z=1"]]
        )
    elif style == "flow":
        command = f"    command: [{', '.join(['kube-apiserver', *[repr(flag) for flag in flags]])}]\n"
    else:
        words = ["exec", "kube-apiserver", *(flags or ["--z=1"]), "2>&1"]
        if style == "line":
            command = f'    command: [sh, -c, "{" ".join(words)}"]\n'
        else:
            sign, joint = {"folded": (">-", "\n"), "literal": ("|", " \\\n")}[style]
            command = (
                f"    command:\n    - sh\n    - -c\n    - {sign}\n"
                + "\n".join(f"      {line}" for line in joint.join(words).split("\n"))
                + "\n"
            )
    text = f"kind: Pod\nspec:\n  containers:\n  - name: kube-apiserver # x\n{command}    image: a:v1.33.0\n"
    if volumes:
        text += f"    volumeMounts:\n{pad}    - {{name: k8s-audit, mountPath: /x}}\n  volumes:\n{pad}  - name: k8s-audit\n{pad}    emptyDir: {{}}\n"
    done = patch_manifest("m", text, WANTED)
    assert patch_manifest("m", done.text, WANTED).text == done.text
    pod = documents(done.text)[0]["spec"]
    server = pod["containers"][0]
    words_after = " ".join([*server["command"], *server.get("args", [])]).split()
    found = {
        word.split("=")[0].replace("_", "-"): word.split("=", 1)[1]
        for word in words_after
        if word.startswith("--audit")
    }
    assert found["--audit-policy-file"] == f"{PLACE}/audit-policy.yaml"
    assert found["--audit-webhook-config-file"] == f"{PLACE}/webhook-config.yaml"
    assert found["--audit-webhook-batch-max-wait"] in ("5s", "1s")
    assert all(f"{PLACE}/" in word for word in words_after if word.replace("_", "-").startswith("--audit-policy-file"))
    assert [word for word in words_after if word in others] == [word for word in flags if word in others]
    mount = next(one for one in server["volumeMounts"] if one["mountPath"] == PLACE)
    assert next(one for one in pod["volumes"] if one["name"] == mount["name"])["hostPath"]["path"] == PLACE


def test_a_quote_that_is_not_closed_is_told_with_its_place() -> None:
    text = "tls-san:\n  - a.example.com\nwrite-kubeconfig-mode: \"'0644'\n"
    with pytest.raises(ConfigError, match="line 3, column 24: the quote is not closed"):
        change("--k3s-config", "rke2", text)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([(*kind, text) for kind, texts in KINDS.items() for text in texts]), st.data())
def test_broken_files_are_refused_or_changed_but_never_worse(case: tuple[str, str, str], data: Any) -> None:
    option, platform, text = case
    at = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(at, min(len(text), at + 40)))
    new = data.draw(
        st.sampled_from(
            [
                "",
                "\n",
                ": ",
                "- ",
                "{",
                "]",
                "'",
                '"',
                "\t",
                "\0",
                "&a ",
                "*a",
                "\u2028",
                "\udc80",
                "!!x ",
                "<<: ",
                "null",
                "# ",
            ]
        )
    )
    broken = text[:at] + new + text[end:]
    try:
        once = change(option, platform, broken)
    except ConfigError as error:
        assert "\n" not in str(error)
        return
    assert change(option, platform, once) == once


def test_bombs_are_refused() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(
        [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}, *a{n - 1}]\n" for n in range(1, 30)]
    )
    deep = "a: " + "[" * 10_000 + "\n"
    for text in (
        bomb + MANIFESTS[0],
        deep + MANIFESTS[0],
        "x" * 5_000_000,
        MANIFESTS[0] + "y: " + "{a: " * 480 + "b" + "}" * 480 + "\n",
    ):
        try:
            patch_manifest("m", text, WANTED)
        except ConfigError as error:
            assert len(str(error)) < 300
        else:
            assert "{a: " in text
