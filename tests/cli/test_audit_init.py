"""`falcokit audit init` as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "audit"))
from configurations import K3S, KOPS, MANIFESTS

ROOT = Path(__file__).parents[2]
PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
COMMAND = ["-m", "falcokit", "audit", "init"]

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run(*arguments: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, *COMMAND, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "NO_COLOR": "1"},
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    return run


def tree(path: Path) -> dict[str, str]:
    return {str(one.relative_to(path)): one.read_text(encoding="utf-8") for one in path.rglob("*") if one.is_file()}


def test_the_list_says_what_is_outdated(run: Run) -> None:
    code, out, err = run("--list")
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 21
    assert all(len(line) <= 120 for line in out.splitlines())
    assert "native-1.12     webhook  Kubernetes 1.11 and 1.12; outdated: use kubeadm\n" in out
    assert "kubeadm         webhook  Kubernetes 1.32 to 1.37\n" in out


def test_a_folder_is_made_and_made_again(tmp_path: Path, run: Run) -> None:
    code, out, err = run("kubeadm", "--address", "192.0.2.7")
    assert (code, out) == (0, "")
    assert err == "falcokit: written: audit-kubeadm, 11 files; read audit-kubeadm/README.md\n"
    folder = tmp_path / "audit-kubeadm"
    first = tree(folder)
    assert 'server: "http://192.0.2.7:9765/k8s-audit"' in first["webhook-config.yaml"]
    assert os.access(folder / "enable.sh", os.X_OK)
    assert run("kubeadm", "--address", "192.0.2.7")[0] == 0
    assert tree(folder) == first
    # Another content is not written over, whose ever it is.
    code, out, err = run("kubeadm", "--address", "192.0.2.8")
    assert (code, out) == (2, "")
    assert err == "falcokit: audit-kubeadm has other content (README.md): give another folder with -o, or --force\n"
    assert tree(folder) == first
    assert run("kubeadm", "--address", "192.0.2.8", "--force")[0] == 0
    (folder / "mine.txt").write_text("mine", encoding="utf-8")
    assert "(mine.txt)" in run("kubeadm", "--address", "192.0.2.8")[2]
    assert run("kubeadm", "-o", "elsewhere", "--target", "sysdig")[0] == 0
    assert ":7765/k8s_audit" in tree(tmp_path / "elsewhere")["webhook-config.yaml"]
    assert "falco-k8saudit.yaml" not in tree(tmp_path / "elsewhere")


def test_an_outdated_platform_warns_and_is_made(tmp_path: Path, run: Run) -> None:
    code, _, err = run("native-1.13", "--address", "falco.falco.svc")
    assert code == 0
    assert err.splitlines()[0] == (
        "falcokit: warning: Kubernetes 1.13 to 1.18 is outdated: use `falcokit audit init kubeadm` for clusters of Kubernetes 1.32 to 1.37"
    )
    assert "resolves no names of the cluster's DNS" in err.splitlines()[1]
    assert "audit-sink.yaml" in tree(tmp_path / "audit-native-1.13")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "which platform?"),
        (("kubadm",), "did you mean 'kubeadm'?"),
        (("kubeadm", "--address", "a b"), "neither an IP address nor a DNS name"),
        (("kubeadm", "--address", "\x1b[31mx"), "neither an IP address nor a DNS name"),
        (("kubeadm", "--ca", "nowhere.pem", "--tls"), "cannot read nowhere.pem: there is no such file"),
        (("kubeadm", "--key", "nowhere.pem", "--tls"), "cannot read nowhere.pem"),
        (("kubeadm", "--ca", "ca.pem"), "with --tls only"),
        (("kubeadm", "--tls", "--cert", "ca.pem"), "--cert and --key together"),
        (("kubeadm", "--tls", "--ca", "key.pem"), "key.pem is not a PEM file of certificates alone"),
        (("aks", "--target", "sysdig"), "there is no target sysdig"),
        (("aks", "--policy", "ca.pem"), "nobody sets an audit policy on aks"),
        (("kubeadm", "--policy", "ca.pem"), "the audit policy is no `kind: Policy`"),
        (("kubeadm", "--policy", "bytes"), "it is not UTF-8"),
        (("kubeadm", "--write"), "--write changes an existing file"),
        (("kubeadm", "-o", "ca.pem"), "ca.pem is no folder"),
        (("kubeadm", "--kube-apiserver-manifest", "nowhere"), "cannot read nowhere"),
        (("kubeadm", "--kube-apiserver-manifest", "."), "it is a directory"),
        (("kubeadm", "--kube-apiserver-manifest", "ca.pem"), "cannot change ca.pem"),
        (("kubeadm", "--kops-cluster", "ca.pem"), "--kops-cluster is for kops"),
        (("kops", "--kops-cluster", "ca.pem"), "give --address"),
        (("kubeadm", "--kops-cluster", "a", "--k3s-config", "b"), "at a time"),
        (("k3s", "--k3s-config", "ca.pem", "-o", "x"), "leave -o out"),
    ],
)
def test_wrong_usage_is_one_line(tmp_path: Path, run: Run, arguments: tuple[str, ...], said: str) -> None:
    (tmp_path / "ca.pem").write_text(PEM, encoding="utf-8")
    (tmp_path / "key.pem").write_text(PEM + "-----BEGIN PRIVATE KEY-----\nQUJD\n", encoding="utf-8")
    (tmp_path / "bytes").write_bytes(b"a: \xff\n")
    before = tree_names(tmp_path)
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert err.startswith("falcokit: ")
    assert len(err.splitlines()) == 1
    assert "\x1b" not in err
    assert "QUJD" not in err
    assert tree_names(tmp_path) == before


def tree_names(path: Path) -> list[str]:
    return sorted(str(one) for one in path.rglob("*"))


def test_an_existing_manifest_is_shown_then_changed_once(tmp_path: Path, run: Run) -> None:
    manifest = tmp_path / "kube-apiserver.yaml"
    manifest.write_text(MANIFESTS[1], encoding="utf-8")
    manifest.chmod(0o600)
    given = ("kubeadm", "--kube-apiserver-manifest", str(manifest))
    code, out, err = run(*given)
    assert code == 0
    assert err.splitlines()[-1] == "falcokit: nothing is written: --write does it"
    assert "replaced: --audit-policy-file was /etc/kubernetes/pki/old-policy.yaml" in err
    assert "\n+              - --audit-webhook-batch-max-wait=5s\n" in out
    assert manifest.read_text(encoding="utf-8") == MANIFESTS[1]
    assert tree_names(tmp_path) == [str(manifest)]
    code, again, err = run(*given, "--write")
    assert (code, again) == (0, out)
    backup = tmp_path / ".kube-apiserver.yaml.falcokit-backup"
    assert f"falcokit: kept: {backup} (a name with a dot, which kubelet does not start)\n" in err
    assert backup.read_text(encoding="utf-8") == MANIFESTS[1]
    assert {path.stat().st_mode & 0o777 for path in (backup, manifest)} == {0o600}
    changed = manifest.read_text(encoding="utf-8")
    assert "k8s-audit-2" in changed
    code, out, err = run(*given, "--write")
    assert (code, out, err) == (0, "", f"falcokit: nothing to do: {manifest} has it all\n")
    assert manifest.read_text(encoding="utf-8") == changed
    # A later change keeps what was there at first.
    manifest.write_text(changed.replace("audit-policy.yaml", "other.yaml"), encoding="utf-8")
    code, _, err = run(*given, "--write")
    assert code == 0
    assert f"kept from before: {backup}" in err
    assert backup.read_text(encoding="utf-8") == MANIFESTS[1]
    assert manifest.read_text(encoding="utf-8") == changed
    assert tree_names(tmp_path) == sorted([str(backup), str(manifest)])


def test_a_blocking_webhook_and_an_unknown_version_are_warned_of(tmp_path: Path, run: Run) -> None:
    manifest = tmp_path / "kube-apiserver.yaml"
    text = MANIFESTS[0].replace("kube-apiserver:v1.33.2", "kube-apiserver@sha256:abc")
    manifest.write_text(text.replace("    - --allow", "    - --audit-webhook-mode=blocking-strict\n    - --allow"))
    code, out, err = run("kubeadm", "--kube-apiserver-manifest", "kube-apiserver.yaml")
    assert (code, "+    - --audit-policy-file" in out) == (0, True)
    assert "falcokit: warning: audit-webhook-mode is blocking-strict" in err
    assert "falcokit: warning: its image tells no version" in err


def test_a_file_that_would_stop_the_server_stays(tmp_path: Path, run: Run) -> None:
    manifest = tmp_path / "kube-apiserver.yaml"
    text = MANIFESTS[0].replace("v1.33.2", "v1.7.1")
    manifest.write_text(text, encoding="utf-8")
    code, out, err = run("kubeadm", "--kube-apiserver-manifest", "kube-apiserver.yaml", "--write")
    assert (code, out) == (2, "")
    assert "would not start" in err
    assert manifest.read_text(encoding="utf-8") == text
    assert tree_names(tmp_path) == [str(manifest)]


def test_secrets_around_a_change_are_not_printed(tmp_path: Path, run: Run) -> None:
    (tmp_path / "config.yaml").write_text(
        K3S[1].replace("not-a-real-token", "hunter2") + "\x1b]0;x\x07: y\n", encoding="utf-8"
    )
    code, out, err = run("k3s", "--k3s-config", "config.yaml", "--write")
    assert code == 0, err
    assert " token: ...\n" in out
    assert "hunter2" not in out + err
    assert "\x1b" not in out
    assert "hunter2" in (tmp_path / "config.yaml").read_text(encoding="utf-8")


def test_kops_carries_policy_and_certificates(tmp_path: Path, run: Run) -> None:
    (tmp_path / "cluster.yaml").write_text(KOPS[0], encoding="utf-8")
    for name, text in (("ca.pem", PEM), ("c.pem", PEM), ("k.pem", "-----BEGIN PRIVATE KEY-----\nQUJD\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "policy.yaml").write_text(
        "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Metadata\n", encoding="utf-8"
    )
    given = ("kops", "--address", "192.0.2.7", "--tls", "--ca", "ca.pem", "--cert", "c.pem", "--key", "k.pem",
             "--policy", "policy.yaml", "--kops-cluster", "cluster.yaml")  # fmt: skip
    code, out, err = run(*given, "--write")
    assert code == 0, err
    changed = (tmp_path / "cluster.yaml").read_text(encoding="utf-8")
    assert "      - level: Metadata\n" in changed
    assert "      -----BEGIN CERTIFICATE-----\n" in changed
    assert 'server: "https://192.0.2.7:9765/k8s-audit"' in changed
    assert "QUJD" not in changed + out + err
    assert run(*given)[1:] == ("", "falcokit: nothing to do: cluster.yaml has it all\n")


def test_what_cannot_be_written_is_said(tmp_path: Path, run: Run) -> None:
    (tmp_path / "out" / "README.md").mkdir(parents=True)
    code, _, err = run("kubeadm", "-o", "out")
    assert code == 2
    assert "README.md is no plain file" in err
    manifest = tmp_path / "kube-apiserver.yaml"
    manifest.write_text(MANIFESTS[0], encoding="utf-8")
    manifest.chmod(0o400)
    code, _, err = run("kubeadm", "--kube-apiserver-manifest", "kube-apiserver.yaml", "--write")
    assert code == 2
    assert err == "falcokit: cannot write to kube-apiserver.yaml: it is read-only\n"
    assert not list(tmp_path.glob(".*"))
    assert manifest.read_text(encoding="utf-8") == MANIFESTS[0]
