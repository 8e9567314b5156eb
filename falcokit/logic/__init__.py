"""What conditions say of each other, decided without an event: soundly, within a budget, silent where undecided."""

from falcokit.logic.claim import Claim, conjuncts, is_name, is_named
from falcokit.logic.dead import Dead, dead_parts
from falcokit.logic.implication import Caught, may_catch_all
from falcokit.logic.reach import Place, places
from falcokit.logic.solver import Solver, Undecided
from falcokit.logic.survey import Survey, survey

__all__ = [
    "Caught",
    "Claim",
    "Dead",
    "Place",
    "Solver",
    "Survey",
    "Undecided",
    "conjuncts",
    "dead_parts",
    "is_name",
    "is_named",
    "may_catch_all",
    "places",
    "survey",
]
