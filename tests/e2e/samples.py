"""What a replay publishes, and made rows of the Taobao sample's form for where it is not at hand."""

import gzip
import random
from datetime import UTC, datetime
from pathlib import Path

from tests.oracle.events import Published
from tests.oracle.taobao import Row, rows

#: The made sample: as many customers as a test can afford, over three days.
CUSTOMERS = 300
START = 1_511_544_070


def made(folder: Path) -> Path:
    """Rows as the sample has them, grouped by customer, with a cut last line; the same in every run."""
    rng = random.Random(20_171_125)
    lines = []
    for customer in range(1, CUSTOMERS + 1):
        second = START + rng.randrange(86_400)
        for _ in range(rng.randrange(5, 120)):
            second += rng.choice((3, 20, 90, 400, 2_000, 9_000))
            behaviour = rng.choices(("pv", "fav", "cart", "buy"), (89, 3, 6, 2))[0]
            lines.append(
                f"{customer},{rng.randrange(1, 400)},{rng.randrange(1, 40)},{behaviour},{second}"
            )
    path = folder / "made.csv.gz"
    with gzip.open(path, "wt") as file:
        file.write("\n".join(lines) + "\n7,1,1,p")
    return path


def published(path: Path) -> list[Published]:
    """What a replay of the file publishes, by the contract's words alone."""
    return [_published(number, row) for number, row in enumerate(rows(path), 1)]


def _published(number: int, row: Row) -> Published:
    data: dict[str, object] = {"shop_id": "taobao"}
    match row.behaviour:
        case "pv" | "fav":
            topic = "shop.clicks"
            action = "view" if row.behaviour == "pv" else "favorite"
            data |= {"action": action, "sku": row.item, "category": row.category}
        case "cart":
            topic = "shop.carts"
            data |= {"action": "add", "sku": row.item, "category": row.category, "quantity": 1}
        case _:
            topic = "shop.orders"
            data |= {"order_id": f"row-{number}", "status": "paid", "lines": [{"sku": row.item}]}
    value = {
        "id": str(number),
        "source": "taobao",
        "subject": row.customer,
        "time": datetime.fromtimestamp(row.second, UTC).isoformat(),
        "data": data,
    }
    return Published(topic, row.customer, value)
