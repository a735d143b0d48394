"""Series -> the body of a request of Prometheus' remote write protocol, version 1: a protobuf message under snappy.

The message is built by hand with numpy: a sample of this time takes 18 bytes whatever it holds, so many are one array.
Layout: WriteRequest { repeated TimeSeries = 1 }, TimeSeries { repeated Label = 1, repeated Sample = 2 },
Label { string name = 1, string value = 2 }, Sample { double value = 1, int64 timestamp = 2 }.
"""

from collections.abc import Iterable, Mapping, Sequence

import cramjam
import numpy as np

from monlab.archive.records import STALE

HEADERS = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
# A sample with what announces it: field 2 and its length, field 1 and a double, field 2 and a timestamp of 6 varint bytes.
SAMPLE = np.dtype([("head", "u1", 2), ("value_tag", "u1"), ("value", "<f8"), ("time_tag", "u1"), ("time", "u1", 6)])
FIRST_MS, LAST_MS = 1 << 35, (1 << 42) - 1  # between them, 1971 to 2109, a timestamp takes 6 bytes
_STALE_BITS = np.float64(STALE).view(np.uint64)


def varint(number: int) -> bytes:
    """A number as protobuf writes lengths: seven bits a byte, lowest first, the top bit says that more follow."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number: int, content: bytes) -> bytes:
    """A field with a length: a string, bytes or a message."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def labels(pairs: Mapping[str, str]) -> bytes:
    """The labels of one series, sorted by name as the protocol wants them."""
    return b"".join(
        field(1, field(1, name.encode()) + field(2, value.encode())) for name, value in sorted(pairs.items()) if value
    )


def present(values: np.ndarray) -> np.ndarray:
    """Which values are samples: all but ordinary NaNs. The mark of an ended series is one."""
    return ~np.isnan(values) | (values.view(np.uint64) == _STALE_BITS)


def _framed(times_ms: np.ndarray, values: np.ndarray) -> np.ndarray:
    if not ((times_ms >= FIRST_MS) & (times_ms <= LAST_MS)).all():
        raise ValueError("timestamps must lie between 1971 and 2109, in milliseconds")
    out = np.empty(len(values), SAMPLE)
    out["head"] = (2 << 3 | 2, 16)
    out["value_tag"] = 1 << 3 | 1
    out["value"] = values
    out["time_tag"] = 2 << 3
    shifts = np.arange(0, 42, 7)
    out["time"] = (times_ms[:, None] >> shifts & 0x7F) | np.where(shifts < 35, 0x80, 0)
    return out


def message(series: Iterable[tuple[bytes, np.ndarray]], times_ms: np.ndarray) -> bytes:
    """A WriteRequest. `series` are encoded labels with the values at `times_ms`; one without a sample is left out."""
    parts: list[bytes] = []
    frame = _framed(times_ms, np.zeros(len(times_ms)))  # the times are the same for all series: made once
    for name, values in series:
        kept = present(values)
        frame["value"] = values
        body = name + (frame if kept.all() else frame[kept]).tobytes()
        if len(body) > len(name):
            parts.append(field(1, body))
    return b"".join(parts)


def body(series: Sequence[tuple[bytes, np.ndarray]], times_ms: np.ndarray) -> bytes:
    """What is posted to `/api/v1/write`."""
    return bytes(cramjam.snappy.compress_raw(message(series, times_ms)))
