"""YAML with exact places.  The only room that knows the YAML library; knows nothing of rules."""

from falcokit.document.compose import YamlError, compose
from falcokit.document.node import Document, Mapping, Node, Scalar, Sequence, key_text

__all__ = ["Document", "Mapping", "Node", "Scalar", "Sequence", "YamlError", "compose", "key_text"]
