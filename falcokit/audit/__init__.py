"""Kubernetes audit logs, from cluster to rules: platforms, policies, checks.  Pure: no disk, network or clock."""
