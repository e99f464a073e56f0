"""Counts and sequences of what customers do, from what was written; refused where no state keeps enough."""

import math
import re
from typing import Final

from streams.campaigns.language.conditions.acts import ACTS, LONGEST_WINDOW, REFUSED, Act
from streams.campaigns.language.conditions.asking import split_operator
from streams.campaigns.language.conditions.condition import ActOf, Count, Follows, Operator
from streams.campaigns.language.conditions.values import compares, kind_of_act
from streams.campaigns.language.kinds.kind import scalar
from streams.campaigns.language.kinds.quantities import Duration
from streams.campaigns.language.kinds.scalars import Choice, Whole
from streams.campaigns.language.problems import Reader, joined, nearest
from streams.campaigns.language.quantities.duration import MINUTE, write_duration
from streams.campaigns.language.tree import Fields, Node, Scalar, words_for

WINDOW: Final = Duration(MINUTE, LONGEST_WINDOW)
#: No state keeps more times than this of anything: a cart's log has 64.
TIMES: Final = Whole(0, 100)
COUNTED: Final = re.compile(r"^(>=|<=|==|!=|>|<)? ?[0-9]{1,3}$")
COUNT_FIELDS: Final = ("act", "sku", "source", "campaign", "within", "is")
ACT_FIELDS: Final = ("act", "sku", "source", "campaign")
SEQUENCE_FIELDS: Final = ("first", "then", "then_not", "within", "lately", "same")


def read_count(node: Node, path: str, reader: Reader) -> Count | None:
    """How often something was done: ``act`` (and what of), ``within``, ``is``."""
    fields = _fields(node, path, reader, COUNT_FIELDS, ("act", "within", "is"))
    if fields is None:
        return None
    act = _act(fields, path, reader, node, is_counted=True)
    within = WINDOW.read(fields["within"], joined(path, "within"), reader)
    test = _times(fields["is"], joined(path, "is"), reader)
    if act is None or within is None or test is None:
        return None
    if not _is_kept(ACTS[act.act], within, joined(path, "within"), reader):
        return None
    return Count(act, within, *test)


def read_sequence(node: Node, path: str, reader: Reader) -> Follows | None:
    """Something that did, or did not, follow: ``first``, ``then`` or ``then_not``, ``within``, ``lately``."""
    fields = _fields(node, path, reader, SEQUENCE_FIELDS, ("first", "within", "lately"))
    if fields is None:
        return None
    if ("then" in fields) == ("then_not" in fields):
        reader.error(node.place, path, "one of then and then_not is needed here, and only one")
        return None
    name = "then" if "then" in fields else "then_not"
    is_same = "same" in fields and _is_same(fields["same"], joined(path, "same"), reader)
    first = _act_within(fields["first"], joined(path, "first"), reader, is_same)
    then = _act_within(fields[name], joined(path, name), reader, is_same)
    within = WINDOW.read(fields["within"], joined(path, "within"), reader)
    lately = WINDOW.read(fields["lately"], joined(path, "lately"), reader)
    if first is None or then is None or within is None or lately is None:
        return None
    if name == "then_not" and lately <= within:
        reader.error_at(
            joined(path, "lately"),
            f"only after {write_duration(within)} is it known that nothing followed, so this never holds: "
            "lately must be longer than within",
        )
        return None
    for act in (first, then):
        if not _is_kept(ACTS[act.act], lately, joined(path, "lately"), reader):
            return None
    return Follows(first, then, name == "then", within, lately, is_same)


def _fields(
    node: Node, path: str, reader: Reader, names: tuple[str, ...], required: tuple[str, ...]
) -> dict[str, Node] | None:
    """The fields of ``node`` by name; None where one is unknown, there twice or missing."""
    if not isinstance(node, Fields):
        reader.error(
            node.place, path, f"here must be fields ({', '.join(names)}), not {words_for(node)}"
        )
        return None
    found: dict[str, Node] = {}
    is_right = True
    for entry in node.entries:
        name = entry.key.text
        reader.places.setdefault(joined(path, name), entry.value.place)
        if name not in names:
            guess = nearest(name, list(names))
            reader.error(entry.key.place, joined(path, name), f"no field {name!r}{guess}")
            is_right = False
        elif name in found:
            reader.error(entry.key.place, joined(path, name), f"{name!r} is there twice")
            is_right = False
        found[name] = entry.value
    missing = [name for name in required if name not in found]
    if missing:
        reader.error(node.place, path, f"{' and '.join(missing)} must be there")
    return found if is_right and not missing else None


def _times(node: Node, path: str, reader: Reader) -> tuple[Operator, int] | None:
    text = scalar(node, path, reader, "a number of times, as >=2")
    if text is None:
        return None
    operator, rest = split_operator(text)
    value = TIMES.read(Scalar(rest, node.place), path, reader)
    if value is None:
        return None
    operator = operator or "=="
    if compares(operator, 0, math.inf, value) is not None:
        reader.error(
            node.place, path, f"{text!r} holds always or never: nothing is done less than 0 times"
        )
        return None
    return operator, value


def _is_same(node: Node, path: str, reader: Reader) -> bool:
    return Choice(("product",)).read(node, path, reader) is not None


def _act_within(node: Node, path: str, reader: Reader, is_same: bool) -> ActOf | None:
    fields = _fields(node, path, reader, ACT_FIELDS, ("act",))
    if fields is None:
        return None
    found = _act(fields, path, reader, node, is_same=is_same)
    if found is not None and is_same and ACTS[found.act].products is None:
        reader.error_at(
            joined(path, "act"), f"{found.act} is of no product, or the state does not say which"
        )
        return None
    return found


def _act(
    fields: dict[str, Node],
    path: str,
    reader: Reader,
    node: Node,
    *,
    is_same: bool = False,
    is_counted: bool = False,
) -> ActOf | None:
    named = joined(path, "act")
    name = scalar(fields["act"], named, reader, f"one of {', '.join(ACTS)}")
    if name is None:
        return None
    act = ACTS.get(name)
    if act is None:
        why = REFUSED.get(name)
        guess = why or f"{name!r} is nothing that customers do{nearest(name, [*ACTS, *REFUSED])}"
        reader.error(fields["act"].place, named, guess)
        return None
    if is_counted and act.last_only:
        why = (
            f"of {name} the state keeps only the last time of each product, so it cannot be counted"
        )
        reader.error(fields["act"].place, named, f"{why}: ask for a sequence, or a figure")
        return None
    given = [each for each in ("sku", "source", "campaign") if each in fields]
    wrong = [each for each in given if each != act.of or is_same]
    if wrong:
        why = (
            "in a sequence of the same product no product is named"
            if is_same
            else f"{name} has no {wrong[0]}"
        )
        reader.error_at(joined(path, wrong[0]), why)
        return None
    if not given:
        if act.needs_of and not is_same:
            reader.error(
                node.place, path, f"{name} needs a {act.of}, or, in a sequence, same: product"
            )
            return None
        return ActOf(name)
    of = kind_of_act(act).read(fields[act.of], joined(path, act.of), reader)
    return None if of is None else ActOf(name, of)


def _is_kept(act: Act, length: int, path: str, reader: Reader) -> bool:
    """Whether a state keeps times of ``act`` for ``length`` ms."""
    if length <= act.most:
        return True
    most = write_duration(act.most)
    reader.error_at(
        path,
        f"the state keeps the times of {act.name} for {most}, not for {write_duration(length)}",
    )
    return False
