"""Conditions as a definition has them, always in the same way; and as a sentence, for explanations."""

from typing import Any

from streams.campaigns.language.conditions.acts import ACTS
from streams.campaigns.language.conditions.condition import (
    ActOf,
    AllOf,
    Among,
    AnyOf,
    Between,
    Compare,
    Condition,
    Count,
    Follows,
    IsKnown,
    Not,
)
from streams.campaigns.language.conditions.values import kind_of, said
from streams.campaigns.language.figures.catalogue import FIGURES
from streams.campaigns.language.quantities.duration import write_duration
from streams.campaigns.language.tree import Plain


def write_condition(condition: Condition, currency: str) -> Plain:
    """The reverse of ``read_condition``: it is read as an equal condition."""
    match condition:
        case Compare(figure, operator, value):
            return {figure: _compared(figure, operator, value, currency)}
        case Among(figure, mode, values):
            kind = kind_of(FIGURES[figure])
            written: Plain = [kind.write(each, currency) for each in values]
            return {figure: written if mode == "any" else {f"{mode}_of": written}}
        case Between(figure, low, high):
            kind = kind_of(FIGURES[figure])
            return {figure: {"between": [kind.write(each, currency) for each in (low, high)]}}
        case IsKnown(figure, known):
            return {figure: {"known": known}}
        case Count():
            within = write_duration(condition.within)
            times = f"{condition.operator}{condition.value}"
            return {"count": {**_act(condition.act), "within": within, "is": times}}
        case Follows():
            return {"sequence": _sequence(condition)}
        case AllOf(parts):
            return {"all": [write_condition(part, currency) for part in parts]}
        case AnyOf(parts):
            return {"any": [write_condition(part, currency) for part in parts]}
        case Not(part):
            return {"not": write_condition(part, currency)}


def _compared(name: str, operator: str, value: Any, currency: str) -> Plain:
    figure = FIGURES[name]
    written = kind_of(figure).write(value, currency)
    if figure.type == "flag":
        return written
    # Always with the operator: a text that begins like one would be taken for it.
    return f"{operator}{written}"


def _act(act: ActOf) -> dict[str, Plain]:
    found: dict[str, Plain] = {"act": act.act}
    if act.of is not None:
        found[ACTS[act.act].of] = act.of
    return found


def _sequence(condition: Follows) -> dict[str, Plain]:
    found: dict[str, Plain] = {
        "first": _act(condition.first),
        "then" if condition.did else "then_not": _act(condition.then),
        "within": write_duration(condition.within),
        "lately": write_duration(condition.lately),
    }
    if condition.same_product:
        found["same"] = "product"
    return found


def phrase(condition: Condition, currency: str) -> str:
    """What a condition asks, in one line; of a combination its word alone."""
    match condition:
        case Compare(figure, operator, value):
            return f"{figure} {operator} {said(FIGURES[figure], value, currency)}"
        case Among(figure, mode, values):
            named = ", ".join(said(FIGURES[figure], each, currency) for each in values)
            if FIGURES[figure].type == "set":
                return f"{figure} has {mode} of [{named}]"
            return f"{figure} {'not in' if mode == 'none' else 'in'} [{named}]"
        case Between(figure, low, high):
            low_said, high_said = (said(FIGURES[figure], each, currency) for each in (low, high))
            return f"{figure} from {low_said} to {high_said}"
        case IsKnown(figure, known):
            return f"{figure} is {'' if known else 'not '}known"
        case Count(act, within, operator, times):
            return f"times of {act_phrase(act)} within {write_duration(within)} {operator} {times}"
        case Follows():
            then = f"{'' if condition.did else 'not '}{act_phrase(condition.then)}"
            ends = (write_duration(condition.lately), write_duration(condition.within))
            of = " of the same product" if condition.same_product else ""
            first = act_phrase(condition.first)
            return f"{first} in the last {ends[0]}, then {then} within {ends[1]}{of}"
        case AllOf():
            return "all"
        case AnyOf():
            return "any"
        case Not():
            return "not"


def act_phrase(act: ActOf) -> str:
    """An act with what it is of."""
    return act.act if act.of is None else f"{act.act}({act.of})"
