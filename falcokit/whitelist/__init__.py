"""Whitelists: the smallest change of custom rules that silences an event, and the proof that it does that and little else."""

from falcokit.whitelist.identity import Identity, identities
from falcokit.whitelist.place import Change, Refused, changes
from falcokit.whitelist.proof import Done, Proof, Unproven, prove

__all__ = ["Change", "Done", "Identity", "Proof", "Refused", "Unproven", "changes", "identities", "prove"]
