"""The words of a query: metrics, labels, functions, texts and durations, whatever their order.

An empty result says nothing about how it came about. Two queries that give nothing count as the same mistake when they are made
of the same words.
"""

import re

NAMED = re.compile(r"""__name__\s*=\s*(?:"([^"]*)"|'([^']*)')""")
TOKEN = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|\d+(?:ms|[smhdwy])|[A-Za-z_:][A-Za-z0-9_:]*""")


def tokens(query: str) -> frozenset[str]:
    """Its words; `{__name__="x"}` is x, and all quotes are alike. Plain numbers, operators and order are left out."""
    plain = NAMED.sub(lambda match: f" {match[1] or match[2] or ''} ", query)
    return frozenset('"' + word[1:-1] + '"' if word[0] in "\"'`" else word for word in TOKEN.findall(plain))
