"""``falcokit audit``: the Kubernetes audit log, from the cluster to the rules."""

from __future__ import annotations

import typer

from falcokit.cli.audit_check import check, receive, send
from falcokit.cli.audit_init import init
from falcokit.cli.audit_policy import policy
from falcokit.cli.options import group, write

__all__ = ["command"]


def _audit(context: typer.Context) -> None:
    """Get the audit events of a cluster to the rules, and find out which rules can never fire.

    Example: falcokit audit init kubeadm --target falco --address 10.96.0.50
    """
    if context.invoked_subcommand is None:
        write(context.get_help() + "\n")
        raise typer.Exit(2)


command = group(_audit, {"init": init, "policy": policy, "check": check, "send": send, "receive": receive})
