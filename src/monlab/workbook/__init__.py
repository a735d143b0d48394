"""course/ -> notebooks, and the learner's workspace."""

import sys

# nbformat loads jsonschema, and jsonschema builds the grammars of rfc3987_syntax: seconds, for a format that no notebook has.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
