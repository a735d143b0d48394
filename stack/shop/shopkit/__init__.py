"""What the two Python services share: telemetry, errors, fault switches and calls of other services."""
