"""Patterns such as "PBC-####": the texts they stand for are numbered, so that free ones can be found and walked."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from math import prod

PLACES = {
    "#": string.digits,
    "@": string.ascii_uppercase,
    "%": string.ascii_lowercase,
    "*": string.digits + string.ascii_uppercase,
}
ESCAPE = "\\"
_SIGNS = {"[0-9]": "#", r"\d": "#", "[A-Z]": "@", "[a-z]": "%", "[A-Z0-9]": "*", "[0-9A-Z]": "*"}
_CLASSES = {choices: next(c for c, sign in _SIGNS.items() if sign == place) for place, choices in PLACES.items()}
_PIECE = re.compile(r"(?:(?P<set>\[[^\]]*\]|\\d)|\\(?P<own>\W)|(?P<plain>[\w \-/:,]))(?:\{(?P<times>\d+)\})?")
LONGEST = 4000  # digits of a number; Python reads no longer ones
FEWEST_TEXTS = 10  # of which a common beginning may be kept: in fewer it could be that of a person
_UUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_DIGITS = re.compile(rf"[0-9]{{1,{LONGEST}}}")


def normalised(text: str) -> str:
    """Write a text without what does not tell two people apart: case, spaces and forms of a character."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


@dataclass(frozen=True)
class Pattern:
    r"""Texts of one shape, numbered from 0 in the order of a dictionary.

    Parameters
    ----------
    text : str
        ``#`` stands for a digit, ``@`` for a capital letter, ``%`` for a small one, ``*`` for a digit or a capital
        letter, anything else for itself; ``\`` before one of them for the character itself.

    Raises
    ------
    ValueError
        If nothing in it varies.

    Examples
    --------
    >>> pattern = Pattern("PBC-####")
    >>> pattern.capacity, pattern.make(7), pattern.number("pbc-0007")
    (10000, 'PBC-0007', 7)
    """

    text: str

    def __post_init__(self) -> None:
        if not any(len(choices) > 1 for choices in self._places):
            raise ValueError("nothing in the pattern varies")

    @cached_property
    def _places(self) -> tuple[str, ...]:
        """What each character may be."""
        return tuple(_read(self.text))

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of choices at each place that varies."""
        return tuple(len(choices) for choices in self._places if len(choices) > 1)

    @property
    def capacity(self) -> int:
        """Number of texts."""
        return prod(self.sizes)

    @cached_property
    def runs_on(self) -> bool:
        """Whether it is a fixed beginning and a number, which may grow by a digit."""
        varying = [len(choices) > 1 for choices in self._places]
        start = varying.index(True)
        return all(varying[start:]) and set(self._places[start:]) == {string.digits}

    @property
    def regex(self) -> str:
        """The same texts as a regular expression."""
        return "".join(_CLASSES.get(choices) or re.escape(choices) for choices in self._places)

    @classmethod
    def of_regex(cls, regex: str) -> Pattern | None:
        r"""Read a regular expression of characters, classes and counts such as ``P-[0-9]{4}``; None for any other."""
        made = ""
        while regex:
            found = _PIECE.match(regex)
            if found is None:
                return None
            sign = _SIGNS.get(found["set"]) if found["set"] else _escaped(found["own"] or found["plain"])
            if sign is None:
                return None
            made += sign * int(found["times"] or 1)
            regex = regex[found.end() :]
        try:
            return cls(made)
        except ValueError:
            return None

    def make(self, number: int) -> str:
        """Write the text of a number; one beyond the capacity takes more digits, where the pattern `runs_on`."""
        if self.runs_on:
            width = len(self.sizes)
            return "".join(self._places[: len(self._places) - width]) + str(number).zfill(width)
        made = []
        for choices in reversed(self._places):
            number, at = divmod(number, len(choices))
            made.append(choices[at])
        return "".join(reversed(made))

    def number(self, text: str) -> int | None:
        """Give the number of a text, whatever its case and spaces; None if it is none of the pattern."""
        text = normalised(text)
        if self.runs_on:
            beginning = normalised("".join(choices for choices in self._places if len(choices) == 1))
            rest = text.removeprefix(beginning) if text.startswith(beginning) else ""
            return int(rest) if _DIGITS.fullmatch(rest) else None
        places = [choices for choices in self._normal_places if choices]
        if len(places) != len(text):
            return None
        number = 0
        for choices, character in zip(places, text, strict=True):
            at = choices.find(character)
            if at < 0:
                return None
            number = number * len(choices) + at
        return number

    @cached_property
    def _normal_places(self) -> tuple[str, ...]:
        split: list[str] = []
        for choices in self._places:
            split += [choices.lower()] if len(choices) > 1 else list(normalised(choices))
        return tuple(split)


def shape_of(texts: Collection[str]) -> str | None:
    """Find the pattern that all texts have: their common beginning, and for every place after it what varies there.

    Letters and digits are kept only where they begin all texts, of which there must be ten at least; separators where
    all texts have the same. None if the texts have no shape in common.

    Examples
    --------
    >>> shape_of([f"PBC-{i}" for i in range(1, 400)])
    'PBC-###'
    """
    texts = list(dict.fromkeys(texts))
    if len(texts) < FEWEST_TEXTS:
        return None
    beginning = _common_beginning(texts).rstrip(string.digits)
    rests = [text[len(beginning) :] for text in texts]
    kept = _escaped(beginning)
    if all(_DIGITS.fullmatch(rest) for rest in rests):
        return kept + "#" * max(map(len, rests))
    if len({len(rest) for rest in rests}) > 1:
        return None
    signs = [_sign(set(characters)) for characters in zip(*rests, strict=True)]
    if None in signs or not set(signs) & set(PLACES):
        return None
    return kept + "".join(signs)


def _escaped(text: str) -> str:
    return re.sub(r"([#@%*\\])", r"\\\1", text)


def _common_beginning(texts: Collection[str]) -> str:
    first, last = min(texts), max(texts)
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return "".join(character for character, _ in alike)


def looks_like_uuids(texts: Collection[str]) -> bool:
    """Tell whether all texts are UUIDs."""
    return len(texts) > 0 and all(_UUID.fullmatch(text.strip()) for text in texts)


def _sign(characters: set[str]) -> str | None:
    """Name what stands at a place, by the narrowest set that holds it."""
    for sign, choices in PLACES.items():
        if characters <= set(choices):
            return sign
    only = next(iter(characters))
    return only if len(characters) == 1 and only.isascii() and not only.isalnum() else None


def _read(text: str) -> Iterator[str]:
    escaped = False
    for character in text:
        if escaped or character not in (*PLACES, ESCAPE):
            yield character
            escaped = False
        elif character == ESCAPE:
            escaped = True
        else:
            yield PLACES[character]
