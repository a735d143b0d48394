"""course/ -> notebooks, and the learner's workspace."""
