"""Pictures keep their size, whatever is drawn."""

import io

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from monlab import plots

LONG = "sum by (version) (rate(http_requests_total[5m]) * on (instance) group_left (version) shop_build_info) / " * 8


@pytest.mark.parametrize("title", ["up", LONG, "one_word_" * 60])
def test_a_panel_keeps_its_width_under_a_long_query(monkeypatch, title):
    monkeypatch.setattr(plt, "show", lambda: None)
    frame = pd.DataFrame({"a": [1.0, 2.0]}, index=pd.to_datetime([0, 60], unit="s", utc=True))
    plots.lines([frame], [title])
    figure = plt.gcf()
    figure.savefig(io.BytesIO())
    panel = figure.axes[0].get_position()
    written = figure.axes[0].get_tightbbox().width / figure.bbox.width
    plt.close(figure)
    assert panel.width > 0.8 and panel.height > 0.3 and written <= 1.0
