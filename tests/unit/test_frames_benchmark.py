"""Our frames hold what prometheus-api-client's hold, and are made faster. The full measurement is benchmarks/frames.py."""

import gc
import importlib.util
from types import ModuleType

import numpy as np
import pytest
import requests
from prometheus_api_client import MetricRangeDataFrame

from monlab.settings import settings
from monlab.telemetry import frames
from monlab.telemetry.parsing import parsed

MARGIN = 1.3  # about 3 on a quiet machine


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_frames", settings().repo / "benchmarks" / "frames.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # of the library
def test_a_range_answer_becomes_the_same_rows_as_in_the_library_and_faster(benchmark):
    result = benchmark.answer(count=20, minutes=2000)
    ours, theirs = benchmark.our_frame(result), benchmark.library_frame(result)
    benchmark.assert_equal(ours, theirs)
    library, fast = benchmark.seconds(lambda: MetricRangeDataFrame(result), lambda: frames.table("matrix", result), runs=5)
    assert min(library) > MARGIN * min(fast), f"library {min(library):.3f} s, ours {min(fast):.3f} s"


@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_the_wide_form_holds_the_same_values(benchmark):
    result = benchmark.answer(count=6, minutes=50)
    del result[2]["values"][10:20]
    theirs, ours = MetricRangeDataFrame(result), frames.wide(result)
    pivoted = theirs.pivot(columns=["route", "instance", "code"], values="value")  # what tells the series apart
    assert ours.shape == pivoted.shape == (50, 6) and int(ours.isna().sum().sum()) == 10
    for name in ours.columns:
        labels = [part.split('"')[1] for part in sorted(name.split("{")[1].split(", "))]  # code, instance
        column = pivoted.xs((labels[1], labels[0]), axis=1, level=("instance", "code")).iloc[:, 0]
        assert np.array_equal(ours[name].to_numpy(), column.to_numpy(), equal_nan=True), name


def test_special_values_series_of_unequal_labels_and_histograms_keep_their_place():
    result = [
        {"metric": {"a": "1", "time": "label"}, "values": [[1, "NaN"], [2.5, "+Inf"]]},
        {"metric": {"b": "2"}, "histograms": [[1, {"count": "7", "sum": "1"}]]},
    ]
    frame = frames.table("matrix", result)
    assert list(frame.columns) == ["a", "b", "time", "value"]
    assert frame["a"].tolist() == ["1", "1", ""] and frame["b"].tolist() == ["", "", "2"]
    assert np.array_equal(frame["value"], [np.nan, np.inf, 7], equal_nan=True)
    assert [stamp.timestamp() for stamp in frame["time"]] == [1, 2.5, 1]


@pytest.mark.parametrize("content", [b'{"status": "success"}', b"<html>"])
def test_reading_an_answer_leaves_the_garbage_collector_as_it_was(content):
    answer = requests.Response()
    answer._content = content
    try:
        assert parsed(answer) == {"status": "success"}
    except ValueError:
        assert content == b"<html>"
    assert gc.isenabled()
