"""What to say of a name in a condition that is no macro."""

from __future__ import annotations

from collections.abc import Mapping

from falcokit.diagnostic import Label
from falcokit.ruleset.definitions import ListDefinition, MacroDefinition
from falcokit.ruleset.suggest import nearest
from falcokit.source import Span

__all__ = ["explain_undefined"]

_WORDS = {
    "and": "there is a check missing before `and`: an appended condition begins with `and` or `or`",
    "or": "there is a check missing before `or`",
    "not": "`not` needs a check behind it",
    "true": "conditions have no `true`: use a check that always holds, such as `evt.num >= 0`",
    "false": "conditions have no `false`: use a check that never holds, such as `evt.num = 0`",
    "always_true": "no file that is loaded defines this macro of the public rules: define it as `evt.num >= 0`",
    "never_true": "no file that is loaded defines this macro of the public rules: define it as `evt.num = 0`",
}


def explain_undefined(
    name: str,
    owner: str,
    from_list: str | None,
    macros: Mapping[str, MacroDefinition],
    lists: Mapping[str, ListDefinition],
) -> tuple[str, str, tuple[Label, ...]]:
    """Message, help and further places for the undefined macro *name*, written in the condition of the macro *owner*
    or, with ``""``, of a rule, or put there as an item of the list *from_list*; *macros* are all that are collected."""
    message = f"the macro `{name}` is not defined"
    if from_list is not None:
        help_text = f"Falco puts the list `{from_list}` in wherever its name stands: write `FIELD in ({from_list})`"
        if from_list in macros:
            help_text = f"a list and a macro have the name `{from_list}`, and the list is put in: rename one of them"
        return f"the condition names the list `{from_list}`, whose item `{name}` is no macro", help_text, ()
    if name == owner:
        return f"the macro `{name}` names itself", "name another macro, or write the check that is meant", ()
    defined = macros.get(name)
    if defined is not None:
        node = defined.item.name.node
        label = Label(Span(defined.item.file, node.start, node.end), "it is defined here, too late")
        return (
            f"the macro `{name}` is not defined before this place",
            "move its definition above this one: a macro sees only the macros defined before it",
            (label,),
        )
    if name in _WORDS:
        return message, _WORDS[name], ()
    if name in lists:
        return message, f"`{name}` is a list: write `FIELD in ({name})`", ()
    near = nearest(name, macros)
    if near:
        node = macros[near[0]].item.name.node
        label = Label(Span(macros[near[0]].item.file, node.start, node.end), f"`{near[0]}` is defined here")
        return message, f"did you mean `{near[0]}`?", (label,)
    return (
        message,
        "define it as a macro above, or load the file that does before; a value needs a field and an operator",
        (),
    )
