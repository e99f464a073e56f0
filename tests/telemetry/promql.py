"""The names that a PromQL expression asks for, as far as the shipped ones go."""

import re

_WORDS = frozenset(
    {"sum", "count", "max", "min", "avg", "absent", "rate", "increase", "changes", "topk"}
    | {"sum_over_time", "max_over_time", "histogram_quantile", "vector", "time"}
    | {"and", "or", "unless", "offset", "bool", "by", "on", "without", "ignoring"}
)
_GROUPING = re.compile(r"\b(?:by|on|without|ignoring|group_left)\s*\(([^)]*)\)")
_SELECTOR = re.compile(r"\{([^}]*)\}")


def _bare(expression: str) -> str:
    return re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression)


def series_of(expression: str) -> set[str]:
    """Metric and recorded names."""
    text = re.sub(r"\[[^\]]*\]|\boffset \w+", "", _bare(expression))
    text = _GROUPING.sub("", _SELECTOR.sub("", text))
    return set(re.findall(r"[a-zA-Z_:][\w:]*", text)) - _WORDS


def labels_of(expression: str) -> set[str]:
    """Labels that are matched or grouped by."""
    text = _bare(expression)
    found = {name for group in _GROUPING.findall(text) for name in re.findall(r"\w+", group)}
    for selector in _SELECTOR.findall(text):
        found |= set(re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*""', selector))
    return found


def pairs_of(expression: str) -> set[tuple[str, str]]:
    """(label, value) that are matched exactly."""
    return set(re.findall(r'(\w+)="([^"]*)"', expression))
