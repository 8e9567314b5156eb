"""Scopes of Sysdig policies: to what of all that is watched a policy applies."""

from falcokit.policy.scope import Clause, Scope, ScopeError, read_scope

__all__ = ["Clause", "Scope", "ScopeError", "read_scope"]
