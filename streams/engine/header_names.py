"""Records whose header names are not UTF-8: read without their headers, where aiokafka ends the consumer.

aiokafka decodes header names strictly while it unpacks a fetch, so one such record on an input topic
would end every worker that fetches it, for ever. librdkafka gives no names of such a record either, so
reading it without headers makes worker, recovery and verify agree.
"""

import struct
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy, _DefaultRecordPy
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import decode_varint

#: Base offset and length, in front of every batch.
_OVERHEAD = struct.calcsize(">qi")


class _PlainBatch(_DefaultRecordBatchPy):
    """aiokafka's parser in Python, but a record with an unreadable header name has no headers.

    The log reader (librdkafka) can only do the same, and both must give the same dead letter.
    """

    def _read_msg(self, decode_varint: Any = decode_varint) -> _DefaultRecordPy:
        start: int = self._pos
        try:
            return super()._read_msg(decode_varint)
        except UnicodeDecodeError:
            pass
        buffer = self._buffer
        length, begin = decode_varint(buffer, start)
        _, at = decode_varint(buffer, begin)
        delta, at = decode_varint(buffer, at)
        offset_delta, at = decode_varint(buffer, at)
        parts: list[bytes | None] = []
        for _ in range(2):
            size, at = decode_varint(buffer, at)
            parts.append(bytes(buffer[at : at + size]) if size >= 0 else None)
            at += max(size, 0)
        timestamp = (
            self.max_timestamp
            if self.timestamp_type == self.LOG_APPEND_TIME
            else self.first_timestamp + delta
        )
        self._pos: int = begin + length
        return _DefaultRecordPy(
            self.base_offset + offset_delta, timestamp, self.timestamp_type, *parts, []
        )


class KeptRecords:
    """aiokafka's MemoryRecords, which also knows where in the bytes the last batch began."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._inner = MemoryRecords(data)
        self.size_in_bytes = self._inner.size_in_bytes
        self.has_next = self._inner.has_next
        self._batch, self._next = 0, 0

    def next_batch(self) -> Any:
        self._batch = self._next
        (length,) = struct.unpack_from(">i", self._data, self._batch + _OVERHEAD - 4)
        self._next += _OVERHEAD + length
        return self._inner.next_batch()

    def again(self) -> "PlainRecords":
        """From the last batch on."""
        return PlainRecords(self._data[self._batch :])


class PlainRecords(KeptRecords):
    """The same, with every batch parsed in Python."""

    def next_batch(self) -> Any:
        super().next_batch()
        return _PlainBatch(self._data[self._batch : self._next])


class PartitionRecords(fetcher.PartitionRecords):
    """aiokafka's, but for a batch that its C parser cannot read."""

    def __next__(self) -> Any:
        try:
            return super().__next__()
        except UnicodeDecodeError:
            # The generator has ended; the position is that of the record that could not be read, and
            # what is known of aborted transactions holds for its batch.
            self._records: KeptRecords = self._records.again()
            self._records_iterator = self._unpack_records()
            return super().__next__()


def install() -> None:
    """Make aiokafka's fetcher use the above. The good path costs nothing more a record."""
    fetcher.MemoryRecords = KeptRecords
    fetcher.PartitionRecords = PartitionRecords
