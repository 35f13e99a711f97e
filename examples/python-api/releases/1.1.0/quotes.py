"""What the service knows. New in 1.1.0: five quotes, and the family name of the author for sorting."""

import random

QUOTES = [
    {"text": "Simplicity is prerequisite for reliability.", "author": "Edsger W. Dijkstra"},
    {"text": "Premature optimization is the root of all evil.", "author": "Donald E. Knuth"},
    {"text": "The most dangerous phrase is: we have always done it this way.", "author": "Grace Hopper"},
    {"text": "Controlling complexity is the essence of computer programming.", "author": "Brian W. Kernighan"},
    {"text": "The purpose of computing is insight, not numbers.", "author": "Richard W. Hamming"},
]


def random_quote():
    quote = random.choice(QUOTES)
    return {**quote, "family_name": quote["author"].split()[-1]}


def authors():
    return sorted((quote["author"] for quote in QUOTES), key=lambda name: name.split()[-1])
