"""Kinds of questions, a file each. A new file is a new kind: `monlab.grading` finds what stands in its `__all__`."""
