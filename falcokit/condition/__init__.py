"""The condition language: text to tree and back.  Knows neither YAML nor which fields exist."""

from falcokit.condition.parse import parse, parse_operand

__all__ = ["parse", "parse_operand"]
