"""What Falco knows: fields, event types, sources, plugins.  Data, and questions to it; knows nothing of conditions."""

from falcokit.catalogue.catalogue import AUDIT_CLOUDS, Catalogue
from falcokit.catalogue.events import EventTypes
from falcokit.catalogue.field import Field, FieldError, FieldUse, Plugin

__all__ = ["AUDIT_CLOUDS", "Catalogue", "EventTypes", "Field", "FieldError", "FieldUse", "Plugin"]
