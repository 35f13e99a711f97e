"""What the service knows. New in 1.2.0: an anonymous proverb."""

import random

QUOTES = [
    {"text": "Simplicity is prerequisite for reliability.", "author": "Edsger W. Dijkstra"},
    {"text": "Premature optimization is the root of all evil.", "author": "Donald E. Knuth"},
    {"text": "The most dangerous phrase is: we have always done it this way.", "author": "Grace Hopper"},
    {"text": "Controlling complexity is the essence of computer programming.", "author": "Brian W. Kernighan"},
    # The bug: a quote without an author, and random_quote() below still expects one.
    {"text": "Measure twice, cut once.", "author": None},
]


def random_quote():
    quote = random.choice(QUOTES)
    return {**quote, "family_name": quote["author"].split()[-1]}


def authors():
    return sorted((quote["author"] for quote in QUOTES if quote["author"]), key=lambda name: name.split()[-1])
