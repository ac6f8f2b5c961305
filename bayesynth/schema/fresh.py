"""What an identifier or a personal column comes back as: it is stated, and never learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from bayesynth.errors import InputError, Problem, raise_all
from bayesynth.schema.patterns import Pattern

AUTO, BLANK, INTEGER, UUID = "auto", "blank", "integer", "uuid"
WORDS = (AUTO, BLANK, INTEGER, UUID)
WANTED = f'{", ".join(map(repr, WORDS))}, a pattern such as "PBC-####" (# a digit, @ a letter), Fake("name") or None'


@dataclass(frozen=True)
class Fake:
    """Values of people who do not exist, made by the Faker library: install it with ``pip install "bayesynth[pii]"``.

    Parameters
    ----------
    provider : str
        What Faker calls it: "name", "email", "phone_number", "address", "ssn", ...
    locale : str
        Language and country, "fr_CA" for example.
    person : str
        Columns of one ``person`` and one locale describe the same fake person in each row: given name, family name,
        name, user name and e-mail address agree. Give another word for another person, "doctor" for example.
    unique : bool
        No two rows have the same value. False for what people share, such as "city".
    pool : int, optional
        Distinct values that a fit keeps ready. When left out ten for each row, at most 20,000 unless there are more
        rows. Tables that need more get values with a number added.

    Raises
    ------
    InputError
        If an argument is of another type.

    Examples
    --------
    >>> Fake("name", locale="fr_CA")
    Fake('name', locale='fr_CA')
    """

    provider: str
    locale: str = "en_US"
    person: str = "person"
    unique: bool = True
    pool: int | None = None

    def __post_init__(self) -> None:
        texts = [name for name in ("provider", "locale", "person") if not _is_word(getattr(self, name))]
        problems = [Problem(f"{name}={getattr(self, name)!r}", "it is a word", 'see Fake("name")') for name in texts]
        if not isinstance(self.unique, bool):
            problems.append(Problem(f"unique={self.unique!r}", "it is True or False", "pass one of these"))
        whole = isinstance(self.pool, int) and not isinstance(self.pool, bool) and self.pool > 0
        if self.pool is not None and not whole:
            problems.append(Problem(f"pool={self.pool!r}", "it is a number of values", "pass 10_000, or leave it out"))
        raise_all(problems)

    def __repr__(self) -> str:
        given = {name: value for name, value in asdict(self).items() if name != "provider" and value != _DEFAULTS[name]}
        return f"Fake({', '.join([repr(self.provider), *(f'{name}={value!r}' for name, value in given.items())])})"


_DEFAULTS = {name: field.default for name, field in Fake.__dataclass_fields__.items()}
Fresh = str | Fake


def as_fresh(value: object) -> Fresh:
    """Read what a column is to come back as.

    Raises
    ------
    ValueError
        If it is none of the words, no pattern and no `Fake`.
    """
    if value is None:
        return BLANK
    if isinstance(value, Fake):
        return value
    if not isinstance(value, str):
        raise TypeError("neither a text nor a Fake")
    return value if value in WORDS else Pattern(value).text


def pack(fresh: Fresh) -> object:
    """Write it as JSON holds it."""
    return asdict(fresh) if isinstance(fresh, Fake) else fresh


def unpack(stored: object) -> object:
    """Undo `pack`; what is none of it is left for `as_fresh` to refuse."""
    if not isinstance(stored, Mapping):
        return stored
    try:
        return Fake(**stored)
    except (TypeError, InputError) as error:
        raise ValueError(f"no Fake has these settings ({error})") from None


def _is_word(value: object) -> bool:
    return isinstance(value, str) and value.isidentifier() and not value.startswith("_")
