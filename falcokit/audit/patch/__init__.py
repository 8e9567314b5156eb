"""Audit flags put into the files that configure API servers: spans only, validated before anybody writes them."""

from falcokit.audit.patch.manifest import patch_manifest
from falcokit.audit.patch.mappings import (
    patch_k3s,
    patch_kops,
    patch_kubeadm,
    patch_master_arguments,
    patch_master_config,
    patch_rke,
    patch_rke2,
)
from falcokit.audit.patch.wanted import Asset, Mount, Patched, Wanted

__all__ = [
    "Asset",
    "Mount",
    "Patched",
    "Wanted",
    "patch_k3s",
    "patch_kops",
    "patch_kubeadm",
    "patch_manifest",
    "patch_master_arguments",
    "patch_master_config",
    "patch_rke",
    "patch_rke2",
]
