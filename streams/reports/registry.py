"""All reports, in the order in which they are listed. A new one is a module and its place here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from streams.reports import (
    attribution,
    benchmark,
    brushing,
    campaigns,
    carts,
    cohorts,
    completeness,
    demographics,
    fulfilment,
    funnel,
    hours,
    intervals,
    keywords,
    lifecycle,
    live_streams,
    members,
    overview,
    paths,
    payments,
    products,
    refunds,
    regions,
    repurchase,
    reviews,
    rfm,
    service,
    sharing,
    sources,
    value,
    wishes,
)
from streams.reports.model import Report

_MODULES: Final = (
    overview, funnel, sources, attribution, keywords, paths, carts, live_streams, sharing, payments, regions,
    demographics, products, hours, refunds, fulfilment, repurchase, intervals, cohorts, value, rfm, lifecycle,
    members, campaigns, reviews, service, wishes, brushing, completeness, benchmark,
)  # fmt: skip
REPORTS: Final[Mapping[str, Report]] = MappingProxyType(
    {module.REPORT.name: module.REPORT for module in _MODULES}
)


def report_named(name: str) -> Report:
    """The report ``name``. Raises ValueError, which names those that there are."""
    found = REPORTS.get(name)
    if found is None:
        raise ValueError(f"no report {name!r}; there are {', '.join(REPORTS)}")
    return found


def dimension_of(report: Report, given: str | None) -> str | None:
    """What ``report`` is shown by. Raises ValueError, which names its dimensions, for an unknown one."""
    if given is None:
        return report.by
    if given not in report.dimensions:
        raise ValueError(
            f"{report.name} is not shown by {given!r}; it is by {', '.join(report.dimensions)}"
        )
    return given
