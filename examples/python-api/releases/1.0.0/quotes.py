"""What the service knows."""

import random

QUOTES = [
    {"text": "Simplicity is prerequisite for reliability.", "author": "Edsger W. Dijkstra"},
    {"text": "Premature optimization is the root of all evil.", "author": "Donald E. Knuth"},
    {"text": "The most dangerous phrase is: we have always done it this way.", "author": "Grace Hopper"},
]


def random_quote():
    return random.choice(QUOTES)


def authors():
    return sorted(quote["author"] for quote in QUOTES)
