"""Live figures for one answer: what was read of a period is not read again."""

from streams.domain.reading import Readable, Reading, Wanted


class ReadOnce:
    """Keeps every reading, so it is for one command: an answer's rows, notes and freshness are of one."""

    def __init__(self, live: Readable) -> None:
        self._live = live
        self._read: list[tuple[str, Wanted, Reading]] = []

    def read(self, shop_id: str, wanted: Wanted) -> Reading:
        """As the aggregates read it, or what was read before. Raises what they raise."""
        for shop, known, reading in self._read:
            if shop == shop_id and known.covers(wanted):
                whole = len(wanted.spans) < len(known.spans)
                return Reading([reading.whole()], reading.coverage) if whole else reading
        reading = self._live.read(shop_id, wanted)
        self._read.append((shop_id, wanted, reading))
        return reading
