"""Evaluating conditions against events without a kernel: what Falco's engine would say."""

from falcokit.evaluate.walk import Evaluator

__all__ = ["Evaluator"]
