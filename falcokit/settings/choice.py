"""Which findings a project wants to see, and how bad they are to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from falcokit.diagnostic import KINDS, Diagnostic, Kind, Severity
from falcokit.record import Record

if TYPE_CHECKING:
    from falcokit.checks import Check

__all__ = ["Choice", "every_kind", "parse_names"]


class Choice(Record):
    """``select`` and ``ignore`` are names, codes, beginnings of codes and families; no ``select`` is all.

    ``per_file`` pairs shell patterns of paths with what is ignored there; ``severity`` gives findings another severity.
    A finding that keeps Falco from loading a file goes away only where its full name or code is given.
    """

    __slots__ = ("ignore", "pedantic", "per_file", "select", "severity")

    def __init__(
        self,
        select: tuple[str, ...] = (),
        ignore: tuple[str, ...] = (),
        pedantic: bool = False,
        per_file: tuple[tuple[str, tuple[str, ...]], ...] = (),
        severity: Mapping[str, Severity] | None = None,
    ) -> None:
        self.select: Final = select
        self.ignore: Final = ignore
        self.pedantic: Final = pedantic
        self.per_file: Final = per_file
        self.severity: Final[Mapping[str, Severity]] = severity or {}

    def checks(self) -> tuple[Check, ...]:
        """The checks to run."""
        from falcokit.checks import all_checks

        found = []
        for check in all_checks():
            if self.select:
                wanted = _names(self.select, check.kind, check.family)
            else:
                wanted = self.pedantic or not check.pedantic
            if wanted and not _names(self.ignore, check.kind, check.family):
                found.append(check)
        return tuple(found)

    def applied(self, findings: Iterable[Diagnostic]) -> list[Diagnostic]:
        """The findings that are wanted, with the severity that is wanted."""
        if not (self.select or self.ignore or self.per_file or self.severity):
            return list(findings)
        from falcokit.checks import all_checks

        families = {check.kind.name: check.family for check in all_checks()}
        found = []
        for d in findings:
            family = families.get(d.kind, "")
            refused = d.check is None and d.is_error
            if self.select and not refused and not _names(self.select, d.about, family):
                continue
            ignored = self.ignore + tuple(
                [name for pattern, names in self.per_file if _fits(d.file.name, pattern) for name in names]
            )
            if _names(ignored, d.about, family, exactly=refused):
                continue
            words = [word for word in self.severity if _names((word,), d.about, family)]
            # The name or code of the finding itself says more than its family or the beginning of its code.
            words += [word for word in words if word in (d.about.name, d.about.code)]
            wanted = self.severity[words[-1]] if words else None
            found.append(d.replaced(severity=wanted) if wanted is not None and not refused else d)
        return found


def _fits(path: str, pattern: str) -> bool:
    path = path.removeprefix("./")
    return fnmatchcase(path, pattern) or fnmatchcase(path, f"*/{pattern}")


def _names(names: Sequence[str], kind: Kind, family: str, *, exactly: bool = False) -> bool:
    return any(
        name in (kind.name, kind.code) or (not exactly and (name == family or _is_prefix(name, kind.code)))
        for name in names
    )


def _is_prefix(name: str, code: str) -> bool:
    return name.startswith("FK") and name[2:].isdigit() and code.startswith(name)


def every_kind() -> dict[str, Kind]:
    """All kinds of findings by name: those of loading and those of checks."""
    from falcokit.checks import all_checks

    return KINDS | {check.kind.name: check.kind for check in all_checks()}


def parse_names(names: Iterable[str]) -> tuple[tuple[str, ...], str]:
    """The *names*, each perhaps several with commas between, and what is wrong with the first that names nothing."""
    found = tuple([part.strip() for name in names for part in name.split(",") if part.strip()])
    if not found:
        return (), ""
    from falcokit.checks import FAMILIES

    kinds = every_kind()
    codes = {kind.code for kind in kinds.values()}
    for name in found:
        if name in kinds or name in FAMILIES or name in codes or any(_is_prefix(name, code) for code in codes):
            continue
        from falcokit.ruleset.suggest import nearest

        near = nearest(name, [*kinds, *FAMILIES])
        hint = f"; did you mean `{near[0]}`?" if near else "; give a name, a code, its beginning, or a family"
        return found, f"there is no finding `{name}`{hint}"
    return found, ""
