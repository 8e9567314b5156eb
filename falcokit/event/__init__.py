"""Events as Falco's plugins and alerts give them, with values by field expressions."""

from falcokit.event.audit import AuditEvent, audit_events

__all__ = ["AuditEvent", "audit_events"]
