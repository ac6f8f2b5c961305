"""Words of sentences that are put together: numbers with their nouns, and lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def counted(n: int, word: str) -> str:
    """Write a number with its noun.

    Examples
    --------
    >>> counted(1, "family"), counted(1200, "family"), counted(0, "row")
    ('1 family', '1,200 families', '0 rows')
    """
    plural = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return f"{n:,} {word if n == 1 else plural}"


def listed(items: Iterable[str]) -> str:
    """Join words by commas and a last "and".

    Examples
    --------
    >>> listed([]), listed(["a"]), listed(["a", "b", "c"])
    ('', 'a', 'a, b and c')
    """
    *first, last = [*items] or [""]
    return f"{', '.join(first)} and {last}" if first else last


def first_of(items: Sequence[str], most: int) -> str:
    """Join words by commas, and count those beyond a number.

    Examples
    --------
    >>> first_of(["a", "b"], 2), first_of(["a", "b", "c", "d"], 2)
    ('a, b', 'a, b and 2 more')
    """
    return ", ".join(items[:most]) + (f" and {len(items) - most:,} more" if len(items) > most else "")
