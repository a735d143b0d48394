"""The sample module, whose checks are of every kind and belong to no lesson."""

from pathlib import Path

SAMPLE = Path(__file__).parent / "sample" / "m90_sample" / "checks.py"
