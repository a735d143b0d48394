"""Alertmanager's own list of alerts -> pandas frames."""

import pandas as pd

from monlab import web
from monlab.endpoints import service_url
from monlab.problem import LabProblem
from monlab.settings import settings


def active(**labels: str) -> pd.DataFrame:
    """Alerts that have arrived at Alertmanager: labels, state (active, suppressed), receivers, since when."""
    try:
        answer = web.get(f"{service_url(settings(), 'alertmanager')}/api/v2/alerts", 10)
        answer.raise_for_status()
    except web.FAULTS as error:
        raise LabProblem(f"Alertmanager does not answer: {error}. `stack.status()` shows what runs.") from error
    rows = [
        {
            **alert["labels"],
            "state": alert["status"]["state"],
            "receivers": ", ".join(receiver["name"] for receiver in alert["receivers"]),
            "starts_at": pd.Timestamp(alert["startsAt"]).floor("s"),
        }
        for alert in answer.json()
    ]
    frame = pd.DataFrame(rows, columns=None if rows else ["alertname", "state", "receivers", "starts_at"])
    for key, value in labels.items():
        frame = frame[frame[key] == value] if key in frame else frame.iloc[0:0]
    return frame.reset_index(drop=True)
