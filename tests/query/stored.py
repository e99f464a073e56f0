"""What a store holds, to compare it with what it must hold."""

import json

from sqlalchemy import select

from streams.query.connecting import Database
from streams.query.tables import metadata
from tests.query.expected import Tables, in_order

#: Columns that hold JSON, whose form is the writer's.
_JSON = {
    ("order_events", "data"),
    ("review_events", "data"),
    ("repeats", "data"),
    ("triggers", "data"),
    ("decisions", "data"),
    ("verdicts", "reasons"),
    ("verdicts", "visitors"),
    ("wish_verdicts", "visitors"),
    ("order_lines", "attributes"),
    ("products", "said"),
    ("profile_events", "data"),
    ("service_events", "data"),
    ("wish_events", "data"),
    ("like_events", "data"),
    ("profiles", "tags"),
    ("profiles", "consents"),
}


def content(database: Database) -> Tables:
    """All rows of all tables but the offsets and the moves; JSON in one form."""
    found: Tables = {}
    with database.reading() as connection:
        for table in metadata.tables.values():
            # What depends on what came in which order.
            if table.name in ("sink_offsets", "order_moves"):
                continue
            rows = [dict(row) for row in connection.execute(select(table)).mappings()]
            for row in rows:
                for column in row:
                    if (table.name, column) in _JSON:
                        row[column] = json.dumps(json.loads(row[column]), sort_keys=True)
            found[table.name] = in_order(rows)
    return found


def differences(wanted: Tables, found: Tables) -> list[str]:
    """Row by row, what one has and the other has not."""
    said = []
    for table in sorted(wanted.keys() | found.keys()):
        want = {json.dumps(row, sort_keys=True) for row in wanted.get(table, [])}
        have = {json.dumps(row, sort_keys=True) for row in found.get(table, [])}
        said += [f"{table} lacks {row}" for row in sorted(want - have)]
        said += [f"{table} has too much: {row}" for row in sorted(have - want)]
        if len(wanted.get(table, [])) != len(found.get(table, [])):
            said.append(
                f"{table}: {len(wanted.get(table, []))} rows wanted, {len(found.get(table, []))} found"
            )
    return said
