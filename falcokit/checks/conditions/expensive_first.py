"""FK460."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from falcokit.checks.check import Finding, check
from falcokit.condition.ast import And, Check, Expression, Field, Identifier, ListValue, Not, Or, Value
from falcokit.condition.render import to_source
from falcokit.diagnostic import Confidence, Severity
from falcokit.ruleset.macros import Bound
from falcokit.ruleset.rule_compiler import CompiledRule
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import Origin

__all__ = ["expensive_first"]

_FREQUENT: Final = (
    "open", "openat", "openat2", "read", "readv", "pread", "write", "writev", "pwrite", "close", "stat", "lstat", "fstat",
    "newfstatat", "access", "connect", "accept", "accept4", "sendto", "recvfrom", "sendmsg", "recvmsg", "mmap", "futex",
)  # fmt: skip
"""Events that come by the thousand.  New processes are too rare for the order of their comparisons to matter."""
_ANCESTORS: Final = ("proc.aname", "proc.aexe", "proc.aexepath", "proc.acmdline", "proc.aargs", "proc.aenv")
_PUT_TOGETHER: Final = ("proc.cmdline", "proc.pcmdline", "proc.args", "proc.env", "evt.args", "evt.buffer")
"""Long texts, most of which are put together when they are asked for."""
_SEARCHING: Final = ("contains", "icontains", "glob", "iglob")
_SELECTIVE: Final = (
    "proc.name", "proc.pname", "proc.exe", "proc.exepath", "fd.name", "fd.directory", "fd.filename", "fd.sport", "fd.rport",
)  # fmt: skip
_FLAGS: Final = ("evt.is_open_write", "evt.is_open_exec", "proc.is_exe_upper_layer", "proc.is_exe_from_memfd")
_MAX_VALUES: Final = 50
"""With more values, a comparison may hold for most events."""


@check("FK460", Severity.INFO, Confidence.MEDIUM)
def expensive_first(ruleset: Ruleset) -> Iterator[Finding]:
    """A slow comparison stands before a fast one that few events pass.

    Falco works `and` out from left to right and stops at the first part that does not hold.  What is slow, such as `regex`, all
    ancestors of a process, or a search in a command line, belongs behind what is fast and seldom holds, such as `proc.name = x`.

    Where `evt.type` stands makes no difference: Falco tries a rule on events of its types only.  So rules of rare events, such as
    new processes, are not flagged either, nor are exclusions.

    ## Flagged

    ```yaml custom.yaml
    - macro: open_write
      condition: evt.type in (open, openat, openat2) and evt.is_open_write = true
    - rule: Write by a descendant
      desc: a write
      condition: «proc.aname in (sshd, telnetd)» and open_write
      output: file %fd.name
      priority: INFO
    - rule: Read of keys
      desc: a read
      condition: >
        evt.type in (open, openat) and («proc.cmdline contains "--all" or proc.cmdline contains "-a"»)
        and not proc.pname = cron and fd.name = /etc/keys
      output: file %fd.name
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - macro: open_write
      condition: evt.type in (open, openat, openat2) and evt.is_open_write = true
    - rule: Write by a descendant
      desc: a write
      condition: open_write and proc.aname in (sshd, telnetd) and proc.name = cp
      output: file %fd.name
      priority: INFO
    - rule: Write
      desc: a write
      condition: not proc.aname in (sshd, telnetd) and open_write
      output: file %fd.name
      priority: INFO
    - rule: Command
      desc: a command
      condition: proc.cmdline contains "--all" and evt.type = execve and proc.name = cp
      output: command %proc.cmdline
      priority: INFO
    - rule: Connection
      desc: a connection
      condition: proc.cmdline contains "--all" and evt.type = connect and container.id != host
      output: command %proc.cmdline
      priority: INFO
    ```
    """
    frequent = ruleset.catalogue.events.names(_FREQUENT)
    for rule in ruleset.rules:
        bound, body = rule.bound, rule.body
        if bound is None or body is None or not rule.codes & frequent or body.parts[0].file.origin is not Origin.CUSTOM:
            continue
        operands = _operands(bound.tree)
        # The types are sorted out beforehand, so what only compares them always holds.
        late = next((n for n, operand in enumerate(operands) if not _is_type(operand, bound)), len(operands))
        if late < len(operands) and _is_expensive(operands[late]):
            cheap = next((operand for operand in operands[late + 1 :] if _is_selective(operand, bound)), None)
            if cheap is not None:
                yield _finding(rule, operands[late], cheap)


def _finding(rule: CompiledRule, slow: Expression, cheap: Expression) -> Finding:
    assert rule.body is not None
    text = to_source(cheap)
    text = text if len(text) <= 60 else text[:57] + "..."
    message = f"this is slow, and worked out before `{text}`, which is fast and seldom holds"
    return Finding(rule.body.locate(slow.start, slow.end), message, f"move `{text}` in front of it")


def _operands(tree: Expression | None) -> list[Expression]:
    """The parts of the outermost `and`, in order."""
    if not isinstance(tree, And):
        return [] if tree is None else [tree]
    return [operand for child in tree.children for operand in _operands(child)]


def _is_type(node: Expression, bound: Bound | None) -> bool:
    """Whether nothing but the type of the event decides."""
    if isinstance(node, Check):
        return isinstance(node.left, Field) and node.left.name in ("evt.type", "syscall.type", "evt.dir")
    if isinstance(node, Identifier):
        inner = bound.env.get(node.name) if bound is not None else None
        return inner is not None and inner.tree is not None and _is_type(inner.tree, inner)
    if isinstance(node, Not):
        return _is_type(node.child, bound)
    return all(_is_type(child, bound) for child in node.children)


def _is_expensive(node: Expression) -> bool:
    if isinstance(node, Or):
        return all(_is_expensive(child) for child in node.children)
    if not isinstance(node, Check) or not isinstance(node.left, Field):
        return False
    if node.operator == "regex" or (node.left.name in _ANCESTORS and node.left.argument is None):
        return True
    return node.operator in _SEARCHING and node.left.name in _PUT_TOGETHER


def _is_selective(node: Expression, bound: Bound) -> bool:
    """Whether the comparison is fast, and few events pass it."""
    if isinstance(node, Identifier):
        inner = bound.env.get(node.name)
        return inner is not None and inner.tree is not None and _is_selective(inner.tree, inner)
    if isinstance(node, And):
        # What stands before the selective part is worked out, too.
        for child in node.children:
            if _is_selective(child, bound):
                return True
            if not _is_type(child, bound):
                return False
        return False
    if isinstance(node, Or):
        return all(_is_selective(child, bound) for child in node.children)
    if not isinstance(node, Check) or not isinstance(node.left, Field) or node.modifier:
        return False
    if node.operator not in ("=", "==", "in"):
        return False
    if isinstance(node.right, Value):
        return node.left.name in _SELECTIVE or (node.left.name in _FLAGS and node.right.text == "true")
    return isinstance(node.right, ListValue) and node.left.name in _SELECTIVE and len(node.right.texts) <= _MAX_VALUES
