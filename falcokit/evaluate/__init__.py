"""Evaluating conditions against events without a kernel: what Falco's engine would say."""

from falcokit.evaluate.matcher import Matcher, Verdict
from falcokit.evaluate.walk import Answer, Evaluator, Reason

__all__ = ["Answer", "Evaluator", "Matcher", "Reason", "Verdict"]
