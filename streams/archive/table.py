"""A Parquet file of records: every byte that Kafka holds of them, and what they add up to.

Columns: offset, timestamp (ms, UTC), timestamp_type (as Kafka numbers them: 1 the producer's, 2 the
broker's), key, value, headers (null where a header's name was not UTF-8, which clients cannot read).
The file's own metadata say topic, partition, covered offsets, rows, first and last offset and CRC-32.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.decoding import RawRecord
from streams.archive.errors import ArchiveDamaged

FORMAT = "1"
#: Rows that are compressed and can be read alone: about 3 MB of events.
GROUP_ROWS = 10_000
#: Rows turned into Python at a time.
_READ_ROWS = 2_000
_META = "huitou."

Headers = Sequence[tuple[str, bytes | None]]


class Row(NamedTuple):
    """A record as it is archived. ``headers`` None: a name of one was not UTF-8."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: Headers | None


class Facts(NamedTuple):
    """What a file's metadata say of it; ``first`` and ``last`` are -1 where it has no rows."""

    topic: str
    partition: int
    start: int
    end: int
    rows: int
    first: int
    last: int
    crc: int


SCHEMA = pa.schema(
    [
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("timestamp", pa.timestamp("ms", tz="UTC"), nullable=False),
        pa.field("timestamp_type", pa.int8(), nullable=False),
        pa.field("key", pa.binary()),
        pa.field("value", pa.binary()),
        pa.field(
            "headers",
            pa.list_(pa.struct([pa.field("name", pa.string()), pa.field("value", pa.binary())])),
        ),
    ]
)

_FIXED = struct.Struct("<qqbii i")


def row_crc(crc: int, row: Row) -> int:
    """CRC-32 over all of a row: fixed fields and lengths (None is -1) little-endian, then the bytes."""
    key, value, headers = row.key, row.value, row.headers
    fixed = _FIXED.pack(
        row.offset,
        row.timestamp,
        row.timestamp_type,
        -1 if key is None else len(key),
        -1 if value is None else len(value),
        -1 if headers is None else len(headers),
    )
    crc = zlib.crc32(b"".join((fixed, key or b"", value or b"")), crc)
    for name, content in headers or ():
        encoded = name.encode()
        lengths = struct.pack("<ii", len(encoded), -1 if content is None else len(content))
        crc = zlib.crc32(b"".join((lengths, encoded, content or b"")), crc)
    return crc


@dataclass(slots=True)
class TableWriter:
    """Writes one file; the same rows give the same bytes, whenever and however often it is done."""

    path: Path
    topic: str
    partition: int
    start: int
    rows: int = 0
    #: Bytes of keys, values and headers.
    size: int = 0
    _first: int = -1
    _last: int = -1
    _crc: int = 0
    _waiting: list[Row] = field(default_factory=list)
    _writer: Any = None

    def __post_init__(self) -> None:
        self._writer = pq.ParquetWriter(
            self.path,
            SCHEMA,
            compression="zstd",
            use_dictionary=["key"],
            write_page_checksum=True,
        )

    def add(self, row: Row) -> None:
        """The next record, whose offset is above the last one's."""
        self._waiting.append(row)
        self._crc = row_crc(self._crc, row)
        self._first = row.offset if self._first < 0 else self._first
        self._last = row.offset
        self.rows += 1
        self.size += len(row.key or b"") + len(row.value or b"")
        for name, content in row.headers or ():
            self.size += len(name) + len(content or b"")
        if len(self._waiting) >= GROUP_ROWS:
            self._write_group()

    def finish(self, end: int) -> Facts:
        """The file covers offsets up to ``end``; closes it."""
        if self._waiting:
            self._write_group()
        facts = Facts(
            self.topic,
            self.partition,
            self.start,
            end,
            self.rows,
            self._first,
            self._last,
            self._crc,
        )
        stated = {_META + name: str(value) for name, value in facts._asdict().items()}
        self._writer.add_key_value_metadata({_META + "format": FORMAT, **stated})
        self._writer.close()
        return facts

    def _write_group(self) -> None:
        offsets, times, kinds, keys, values, headers = zip(*self._waiting, strict=True)
        named = [
            None if each is None else [{"name": name, "value": content} for name, content in each]
            for each in headers
        ]
        columns = [
            pa.array(column, type=kind)
            for column, kind in zip(
                (offsets, times, kinds, keys, values, named), SCHEMA.types, strict=True
            )
        ]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=SCHEMA))
        self._waiting.clear()


class TableReader:
    """Reads one file. Raises ArchiveDamaged for bytes that are not as they were written."""

    def __init__(self, path: Path, topic: str, partition: int) -> None:
        self._place = (topic, partition, path)
        try:
            self._file = pq.ParquetFile(path, page_checksum_verification=True)
        except (pa.ArrowException, OSError) as error:
            raise ArchiveDamaged(*self._place, _sentence(error)) from error
        self.facts = self._facts()

    def close(self) -> None:
        self._file.close()

    def records(self, start: int) -> Iterator[RawRecord]:
        """The records from offset ``start`` on, as a log reader gives them."""
        topic, partition, _ = self._place
        for row in self.rows(start):
            yield RawRecord(
                topic, partition, row.offset, row.timestamp, row.key, row.value, row.headers or ()
            )

    def rows(self, start: int = 0) -> Iterator[Row]:
        """The rows from offset ``start`` on."""
        metadata = self._file.metadata
        for group in range(metadata.num_row_groups):
            statistics = metadata.row_group(group).column(0).statistics
            if statistics is None or statistics.max >= start:
                yield from self._group(group, start)

    def _group(self, group: int, start: int) -> Iterator[Row]:
        try:
            for batch in self._file.iter_batches(_READ_ROWS, row_groups=[group], use_threads=False):
                offsets = batch.column(0).to_pylist()
                if offsets[-1] < start:
                    continue
                for row in zip(offsets, *_columns(batch), strict=True):
                    if row[0] >= start:
                        yield Row(*row)
        except (pa.ArrowException, OSError) as error:
            raise ArchiveDamaged(*self._place, _sentence(error)) from error

    def _facts(self) -> Facts:
        topic, partition, _ = self._place
        stated = {
            name.decode(): value.decode()
            for name, value in (self._file.metadata.metadata or {}).items()
        }
        if stated.get(_META + "format") != FORMAT:
            raise ArchiveDamaged(*self._place, "it is no file of an archive that this build reads")
        numbers = [int(stated[_META + name]) for name in Facts._fields[2:]]
        if (stated[_META + "topic"], stated[_META + "partition"]) != (topic, str(partition)):
            raise ArchiveDamaged(
                *self._place, f"it holds {stated[_META + 'topic']}, not this topic"
            )
        return Facts(topic, partition, *numbers)


def _columns(batch: Any) -> Iterator[list[Any]]:
    _, times, kinds, keys, values, headers = batch.columns
    yield times.cast(pa.int64()).to_pylist()
    for column in (kinds, keys, values):
        yield column.to_pylist()
    if headers.null_count == 0 and len(headers.flatten()) == 0:
        yield [()] * len(headers)
    else:
        yield [
            None if each is None else tuple((entry["name"], entry["value"]) for entry in each)
            for each in headers.to_pylist()
        ]


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split())
