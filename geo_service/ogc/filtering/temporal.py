"""Temporal operators of CQL2 (clause 7.5): Allen's relations of spans, closed at both ends."""

from collections.abc import Mapping
from typing import NamedTuple

from psycopg import sql


class Times(NamedTuple):
    """When something is, as SQL: from ``start`` to ``end``, the same where it is an instant."""

    start: sql.Composable
    end: sql.Composable
    instant: bool


# a and b are the spans of the operands, numbered by their ends (CQL2, tables 11 to 13).
_RELATIONS: Mapping[str, str] = {
    "t_after": "{a1} > {b2}",
    "t_before": "{a2} < {b1}",
    "t_contains": "{a1} < {b1} AND {a2} > {b2}",
    "t_disjoint": "({a2} < {b1} OR {a1} > {b2})",
    "t_during": "{a1} > {b1} AND {a2} < {b2}",
    "t_equals": "{a1} = {b1} AND {a2} = {b2}",
    "t_finishedby": "{a1} < {b1} AND {a2} = {b2}",
    "t_finishes": "{a1} > {b1} AND {a2} = {b2}",
    "t_intersects": "{a1} <= {b2} AND {a2} >= {b1}",
    "t_meets": "{a2} = {b1}",
    "t_metby": "{a1} = {b2}",
    "t_overlappedby": "{a1} > {b1} AND {a1} < {b2} AND {a2} > {b2}",
    "t_overlaps": "{a1} < {b1} AND {a2} > {b1} AND {a2} < {b2}",
    "t_startedby": "{a1} = {b1} AND {a2} > {b2}",
    "t_starts": "{a1} = {b1} AND {a2} < {b2}",
}

OPERATORS = frozenset(_RELATIONS)

_COMPARISONS: Mapping[str, str] = {
    "<": "{a2} < {b1}",
    ">": "{a1} > {b2}",
    "<=": "{a1} <= {b2}",
    ">=": "{a2} >= {b1}",
}


def relation(operator: str, a: Times, b: Times) -> sql.Composed:
    """Return the SQL of a temporal operator, or of a comparison of times.

    An instant equals a day that holds it; otherwise a day is the span from its first to its last
    moment.
    """
    if operator in {"=", "<>", "t_equals"}:
        equal = _equal(a, b)
        return sql.SQL("(NOT ({}))").format(equal) if operator == "<>" else equal
    template = _RELATIONS.get(operator) or _COMPARISONS[operator]
    return _filled(template, a, b)


def _equal(a: Times, b: Times) -> sql.Composed:
    if a.instant and b.instant:
        return sql.SQL("({} = {})").format(a.start, b.start)
    if a.instant:
        return _filled("{a1} >= {b1} AND {a1} <= {b2}", a, b)
    if b.instant:
        return _equal(b, a)
    return _filled(_RELATIONS["t_equals"], a, b)


def _filled(template: str, a: Times, b: Times) -> sql.Composed:
    # The templates are the constants above.
    return sql.SQL("(" + template + ")").format(a1=a.start, a2=a.end, b1=b.start, b2=b.end)
