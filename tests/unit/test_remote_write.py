"""The bodies of remote write requests, byte by byte against a plain encoder that is written here."""

import struct

import cramjam
import numpy as np
import pytest

from monlab.archive import remote_write
from monlab.archive.records import STALE

TIMES_MS = 1_780_272_000_000 + np.arange(5, dtype=np.int64) * 60_000
STALE_BITS = bytes.fromhex("020000000000f07f")


def plain_varint(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number % 128 + 128]) + plain_varint(number // 128)


def plain_sample(time_ms: int, value: bytes) -> bytes:
    content = b"\x09" + value + b"\x10" + plain_varint(time_ms)
    return b"\x12" + plain_varint(len(content)) + content


def plain_series(name: bytes, samples: list[tuple[int, bytes]]) -> bytes:
    content = name + b"".join(plain_sample(time_ms, value) for time_ms, value in samples)
    return b"\x0a" + plain_varint(len(content)) + content


@pytest.mark.parametrize("number", [0, 1, 127, 128, 300, 16_383, 16_384, 2**21, 2**40])
def test_lengths_are_written_seven_bits_a_byte(number):
    assert remote_write.varint(number) == plain_varint(number)


def test_labels_are_sorted_by_name_and_empty_ones_are_left_out():
    label = b"\x0a\x06\x0a\x01%b\x12\x01%b"
    pairs = {"b": "2", "a": "1", "c": ""}
    assert remote_write.labels(pairs) == label % (b"a", b"1") + label % (b"b", b"2")


def test_labels_hold_more_than_ascii():
    assert "pâté".encode() in remote_write.labels({"dish": "pâté"})


def test_a_message_is_what_a_plain_encoder_writes():
    name = remote_write.labels({"__name__": "x"})
    values = np.array([0.0, 1.5, -2.0, 1e300, np.inf])
    wanted = plain_series(name, [(int(time), struct.pack("<d", value)) for time, value in zip(TIMES_MS, values, strict=True)])
    assert remote_write.message([(name, values)], TIMES_MS) == wanted


def test_a_missing_sample_is_left_out_and_the_mark_of_an_end_is_sent_bit_for_bit():
    values = np.array([1.0, np.nan, STALE, np.nan, 2.0])
    wanted = plain_series(
        b"", [(int(TIMES_MS[0]), struct.pack("<d", 1)), (int(TIMES_MS[2]), STALE_BITS), (int(TIMES_MS[4]), struct.pack("<d", 2))]
    )
    assert remote_write.message([(b"", values)], TIMES_MS) == wanted


def test_a_series_without_a_sample_is_left_out_and_the_next_is_not_harmed():
    full, empty = np.arange(5.0), np.full(5, np.nan)
    alone = remote_write.message([(b"n", full)], TIMES_MS)
    assert remote_write.message([(b"e", empty), (b"n", full), (b"e", empty)], TIMES_MS) == alone


def test_the_body_is_the_message_under_snappy():
    series = [(remote_write.labels({"__name__": "x"}), np.arange(5.0))]
    unpacked = bytes(cramjam.snappy.decompress_raw(remote_write.body(series, TIMES_MS)))
    assert unpacked == remote_write.message(series, TIMES_MS)


@pytest.mark.parametrize("time_ms", [0, remote_write.FIRST_MS - 1, remote_write.LAST_MS + 1])
def test_a_time_that_does_not_fit_the_layout_is_refused(time_ms):
    with pytest.raises(ValueError, match="1971"):
        remote_write.message([(b"", np.zeros(1))], np.array([time_ms]))


@pytest.mark.parametrize("time_ms", [remote_write.FIRST_MS, remote_write.LAST_MS])
def test_the_first_and_the_last_time_of_the_layout_are_written_right(time_ms):
    assert remote_write.message([(b"", np.zeros(1))], np.array([time_ms])) == plain_series(b"", [(time_ms, bytes(8))])
