"""The one door to Faker: distinct people who do not exist, and who share nothing with those of a table."""

from __future__ import annotations

import datetime as dt
import decimal
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from bayesynth._random import whole_seed
from bayesynth.errors import InputError, Problem, raise_all
from bayesynth.schema import Fake
from bayesynth.schema.patterns import normalised

ROWS_PER_ROW, MOST = 10, 20_000
TRIES = 20  # for each value of the pool
DOMAINS = ("example.com", "example.net", "example.org")  # reserved: mail to them reaches nobody
_MAIL = frozenset({"email", "safe_email", "ascii_email", "ascii_safe_email", "free_email", "company_email"})


def pool_size(fakes: Collection[Fake], n_rows: int) -> int:
    """Decide how many people to keep ready: what is stated, else ten for each row within limits."""
    stated = [fake.pool for fake in fakes if fake.pool is not None]
    return max(stated) if stated else max(n_rows, min(ROWS_PER_ROW * n_rows, MOST))


def draw_people(
    fakes: Mapping[str, Fake], avoid: Mapping[str, Collection[str]], size: int, rng: np.random.Generator
) -> dict[str, tuple[str, ...]]:
    """Draw fake people, each with one value for every column.

    Parameters
    ----------
    fakes : mapping of str to Fake
        Columns of one person and locale.
    avoid : mapping of str to collection of str
        Values that must not occur, by column, as `normalised` writes them.
    size : int
        How many; fewer come back where a provider does not have as many.
    rng : Generator
        Draws them.

    Raises
    ------
    InputError
        If Faker is missing, knows no such locale or provider, or gives nothing but values to avoid.
    """
    faker = _generator(fakes)
    faker.seed_instance(whole_seed(rng))
    raise_all(_unknown(faker, fakes))
    seen: dict[str, set[str]] = {name: set(avoid[name]) for name in fakes}
    people: list[dict[str, str]] = []
    for _ in range(TRIES * size):
        person = _Person(faker)
        values = {name: person.value(name, fake) for name, fake in fakes.items()}
        keys = {name: normalised(value) for name, value in values.items()}
        if any(keys[name] in seen[name] or not keys[name] for name in fakes):
            continue
        people.append(values)
        for name, fake in fakes.items():
            if fake.unique:
                seen[name].add(keys[name])
        if len(people) == size:
            break
    if not people:
        raise InputError(
            Problem(
                f"Faker gives {', '.join(map(repr, fakes))} only values that the table holds",
                "a fresh value equals no real one",
                "use another provider or locale, or a pattern",
            )
        )
    return {name: tuple(person[name] for person in people) for name in fakes}


class _Person:
    """One fake person, whose names and addresses agree."""

    def __init__(self, faker: Any):
        self._faker = faker
        self._first, self._last = faker.first_name(), faker.last_name()

    def value(self, column: str, fake: Fake) -> str:
        """Give the value of a provider, the person's own where it is one of a name."""
        own = {"first_name": self._first, "last_name": self._last, "name": f"{self._first} {self._last}"}
        if fake.provider in own:
            return own[fake.provider]
        if fake.provider == "user_name" or fake.provider in _MAIL:
            local = _latin(self._first, self._last) or self._faker.user_name()
            return local if fake.provider == "user_name" else f"{local}@{self._faker.random_element(DOMAINS)}"
        return _text(getattr(self._faker, fake.provider)(), column, fake)


def _latin(*names: str) -> str:
    """Write names as the part of an address before the @; nothing is left of names in another script."""
    plain = (unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower() for name in names)
    parts = [re.sub(r"[^a-z]", "", name) for name in plain]
    return ".".join(parts) if all(parts) else ""


def _text(value: object, column: str, fake: Fake) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float, decimal.Decimal, dt.date)):
        raise InputError(
            Problem(
                f"{fake!r} of column {column!r} gives a {type(value).__name__}",
                "a cell holds a single text, number or date",
                'use another provider, such as "name"',
                column,
            )
        )
    return ", ".join(str(value).splitlines())


def _generator(fakes: Mapping[str, Fake]) -> Any:
    try:
        from faker import Factory
    except ImportError:
        columns = ", ".join(map(repr, fakes))
        raise InputError(
            Problem(
                f"the schema asks for Faker's values ({columns}), and Faker is not installed",
                "it makes up names and addresses",
                'run: pip install "bayesynth[pii]", or state fresh=None or a pattern',
            )
        ) from None
    locale = next(iter(fakes.values())).locale
    try:
        return Factory.create(locale)
    except AttributeError:
        column = next(iter(fakes))
        raise InputError(
            Problem(f"locale={locale!r} of column {column!r}", "Faker does not know it", 'use "en_US" or "fr_CA", say')
        ) from None


def _unknown(faker: Any, fakes: Mapping[str, Fake]) -> Iterator[Problem]:
    for name, fake in fakes.items():
        if not _offers(faker.get_providers(), fake.provider):
            found = f"provider {fake.provider!r} of column {name!r}"
            yield Problem(found, "Faker has no such provider", 'use "name", "email" or "phone_number", say', name)


def _offers(providers: Sequence[object], name: str) -> bool:
    found: Callable | None = next((getattr(type(p), name) for p in providers if hasattr(type(p), name)), None)
    return callable(found)
