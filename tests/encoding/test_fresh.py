"""Fresh values: distinct, seeded, in the recorded dtype, and never those of the table."""

from __future__ import annotations

import builtins
import uuid
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import bayesynth as bs
from bayesynth.encoding import fakes
from bayesynth.encoding.fresh import Walk, _free, fresh_columns, plan_fresh
from bayesynth.errors import InputError
from bayesynth.schema import Column, Schema
from bayesynth.schema.infer import infer_column
from bayesynth.schema.patterns import normalised

N = 60
draw = np.random.default_rng(2)


def column(values: object, fresh: object = "auto", role: str = "identifier", dtype: object = None) -> Column:
    guessed = infer_column(pd.Series(values, name="x", dtype=dtype), bs.schema.Kind.IDENTIFIER, bs.schema.Role(role))
    return Column("x", "identifier", role=role, storage=guessed.storage, fresh=fresh, nullable=True)


def made(values: object, fresh: object = "auto", n: int = 100, seed: int = 1, **facts: object) -> pd.Series:
    series = pd.Series(values, name="x", dtype=facts.get("dtype"))
    schema = Schema([column(values, fresh, **facts)])
    plans = plan_fresh(series.to_frame(), schema, np.random.default_rng(5))
    return fresh_columns(schema, plans, n, np.random.default_rng(seed))["x"]


BIG = 9_007_199_254_740_993_123  # 19 digits: the next power of ten is no 64-bit number
COLUMNS = {
    "integers": (range(1, N + 1), "auto", "int64", 101),
    "large integers": ([BIG + i for i in range(N)], "auto", "int64", None),
    "negative integers": (range(-N, 0), "auto", "int64", 11),
    "floats with blanks": ([*map(float, range(1, N)), np.nan], "auto", "float64", 101.0),
    "floats near the limit": ([float(2**53 - 2 * i) for i in range(N)], "auto", "float64", None),
    "decimals": ([Decimal(i) for i in range(1, N + 1)], "auto", "object", Decimal(101)),
    "objects": (pd.Series(range(1, N + 1), dtype=object), "auto", "object", 101),
    "texts of one shape": ([f"PBC-{i:04d}" for i in range(1, N + 1)], "auto", None, "PBC-1000"),
    "texts that fill their shape": ([f"P{i}" for i in range(100)], "auto", None, "P100"),
    "texts without a shape": ([f"{'ab' * (i % 3)}{i}?" for i in range(N)], "auto", None, "id-000001"),
    "texts like ours": ([*[f"id-{i:06d}" for i in range(N)], "other"], "auto", None, "id-100000"),
    "texts like ours, longer": ([f"id-{10**7 + i}" for i in range(N)] + ["other"], "auto", None, "id-100000000"),
    "codes": ([f"{i:02d}-X{i % 10}" for i in range(N)], "auto", None, None),
    "a stated pattern": ([f"PBC-{i:04d}" for i in range(1, N + 1)], "PBC-####", None, "PBC-1000"),
    "another pattern": ([f"PBC-{i:04d}" for i in range(1, N + 1)], "@@-###", None, None),
    "a pattern for numbers": (range(N), "A-###", None, "A-001"),
    "numbers for texts": ([f"{i:05d}" for i in range(N)], "integer", None, "101"),
    "uuid": (range(N), "uuid", None, None),
    "uuid for texts": ([f"p{i}" for i in range(N)], "uuid", None, None),
    "more digits than a number has": (["9" * 5000, *["9" * 400 + str(i) for i in range(10, N)]], "auto", None, None),
    "numbers that no dtype holds": ([1e300 + i * 1e290 for i in range(N)], "auto", "float64", 1.0),
    "the last unsigned numbers": (np.arange(N, dtype="uint64") + np.uint64(2**64 - N), "auto", "uint64", 1),
    "blank texts": (["", " ", *[f"k{i}" for i in range(N)]], "auto", None, "id-000001"),
    "infinite": ([np.inf, *range(N)], "auto", "float64", 101.0),
    "all blank": ([None] * N, "integer", None, None),
}


@pytest.mark.parametrize("case", COLUMNS)
def test_values_are_distinct_and_of_nobody(case: str) -> None:
    values, fresh, dtype, first = COLUMNS[case]
    drawn = made(values, fresh)
    assert len(drawn) == 100
    assert drawn.is_unique
    assert not drawn.isna().any()
    assert not {normalised(str(v)) for v in drawn} & {normalised(str(v)) for v in values}
    assert dtype is None or drawn.dtype == dtype
    assert first is None or drawn[0] == first
    assert isinstance(drawn.index, pd.RangeIndex)


def test_recorded_uuids_come_back_as_uuids() -> None:
    drawn = made([str(uuid.UUID(int=i)) for i in range(N)])
    assert {uuid.UUID(value).version for value in drawn} == {4}


DTYPES = {
    "int8": ("int8", "int64"),
    "uint64": ("uint64", "uint64"),
    "Int64": ("Int64", "Int64"),
    "Int8": ("Int8", "Int64"),
    "float32": ("float32", "float32"),
    "Float64": ("Float64", "Float64"),
    "arrow": ("int64[pyarrow]", "int64[pyarrow]"),
    "narrow arrow": ("int8[pyarrow]", "int64[pyarrow]"),
}


@pytest.mark.parametrize("case", DTYPES)
def test_the_recorded_dtype_is_kept_where_it_is_wide_enough(case: str) -> None:
    recorded, wanted = DTYPES[case]
    drawn = made(range(1, 101), dtype=recorded)
    assert drawn.dtype == wanted
    assert drawn.tolist() == list(range(1001, 1101))


@pytest.mark.parametrize("dtype", ["string[python]", "string[pyarrow]", "category", pd.ArrowDtype])
def test_texts_keep_their_dtype_but_categories_go(dtype: object) -> None:
    if dtype is pd.ArrowDtype:
        import pyarrow as pa

        dtype = pd.ArrowDtype(pa.string())
    drawn = made([f"P{i}" for i in range(20)], dtype=dtype)
    assert drawn.dtype == dtype or not isinstance(drawn.dtype, pd.CategoricalDtype)
    assert (dtype == "category") == (drawn.dtype != dtype)


@pytest.mark.parametrize("values", [pd.to_datetime(["1950-01-01", "1960-02-02"]), [True, False], ["a", "b"]])
def test_blank_columns_keep_their_dtype(values: object) -> None:
    drawn = made(values, "blank", role="personal")
    assert drawn.isna().all()
    if not isinstance(values, list):
        assert drawn.dtype == values.dtype


def test_personal_columns_are_blank_unless_something_is_stated() -> None:
    assert made([f"P{i}" for i in range(N)], role="personal").isna().all()
    assert made([f"P{i}" for i in range(N)], "integer", role="personal").is_unique


# --- stretches of free numbers ---


@pytest.mark.parametrize("sizes", [(10, 10, 10), (26, 10, 10), (10, 36, 26), (10,) * 6])
@pytest.mark.parametrize("n_taken", [1, 5, 40])
def test_a_free_stretch_holds_no_taken_number(sizes: tuple[int, ...], n_taken: int) -> None:
    capacity = int(np.prod(sizes))
    for _ in range(20):
        taken = sorted(set(draw.integers(0, capacity, n_taken).tolist()))
        first, room = _free(taken, sizes, 50)
        assert not set(taken) & set(range(first, first + room))
        assert first >= 0
        assert first + room <= capacity
        assert room > 0 or capacity <= 10 * n_taken * 10


def test_the_ends_of_a_stretch_do_not_tell_a_number() -> None:
    first, room = _free([123, 487], (10, 10, 10), 300)
    assert (first, room) == (500, 500)
    first, room = _free(list(range(0, 1000, 50)), (10, 10, 10), 10)
    assert first % 10 == room % 10 == 0


def test_a_pattern_that_is_too_small_is_refused_with_a_way_out() -> None:
    with pytest.raises(InputError, match=r"60 rows .* 'x', and P-## has 40 in a row .*longer pattern"):
        made([f"P-{i:02d}" for i in range(N)], "P-##")
    with pytest.raises(InputError, match=r"5000 rows .* PBC-### has 900"):
        made([f"PBC-{i:03d}" for i in range(N)], "PBC-###", n=5000)


def test_a_pattern_of_the_recorded_texts_never_ends() -> None:
    drawn = made([f"PBC-{i:03d}" for i in range(N)], n=5000)
    assert drawn.is_unique
    assert (drawn.iloc[0], drawn.iloc[-1]) == ("PBC-100", "PBC-5099")


def test_problems_come_together() -> None:
    frame = pd.DataFrame({"x": [f"p{i:02d}" for i in range(N)], "y": range(N), "z": range(N)})
    known = {name: {"role": "identifier", "fresh": "#"} for name in ("x", "y")}
    schema = Schema.infer(frame, z={"fresh": bs.Fake("no_such_thing")}, **known)
    with pytest.raises(InputError, match="3 problems"):
        plan_fresh(frame, schema, np.random.default_rng(1))


# --- fake people ---

REAL = ["anna  SMITH", "Bob Jones", "Carl Meyer"] * 20
FAKES = {"name": bs.Fake("name"), "mail": bs.Fake("email"), "login": bs.Fake("user_name"), "town": bs.Fake("city")}


def people(n: int = 100, seed: int = 1, plan_seed: int = 5, **fakes: bs.Fake) -> pd.DataFrame:
    frame = pd.DataFrame(dict.fromkeys(fakes, REAL))
    schema = Schema.infer(frame, **{name: {"fresh": fake} for name, fake in fakes.items()})
    plans = plan_fresh(frame, schema, np.random.default_rng(plan_seed))
    return pd.DataFrame(fresh_columns(schema, plans, n, np.random.default_rng(seed)))


def test_name_and_address_are_of_one_person() -> None:
    drawn = people(**FAKES)
    assert all(drawn[name].is_unique for name in drawn)
    local = drawn["name"].str.lower().str.replace(r"[^a-z ]", "", regex=True).str.replace(" ", ".")
    assert (drawn["mail"].str.split("@").str[0] == local).all()
    assert (drawn["login"] == local).all()
    assert set(drawn["mail"].str.split("@").str[1]) <= set(fakes.DOMAINS)


def test_another_person_has_another_name() -> None:
    drawn = people(
        name=bs.Fake("name"), doctor=bs.Fake("name", person="doctor"), abroad=bs.Fake("name", locale="fr_CA")
    )
    assert (drawn["name"] != drawn["doctor"]).mean() > 0.9
    assert (drawn["name"] != drawn["abroad"]).mean() > 0.9


def test_equal_seeds_give_equal_people_whatever_other_columns_there_are() -> None:
    alone = people(name=bs.Fake("name"))
    pd.testing.assert_frame_equal(alone, people(name=bs.Fake("name")))
    with_others = people(name=bs.Fake("name"), doctor=bs.Fake("name", person="doctor"))
    pd.testing.assert_series_equal(alone["name"], with_others["name"])
    assert not alone.equals(people(seed=2, name=bs.Fake("name")))


class _Few:
    """A Faker of four people, three of them in the table."""

    def __init__(self) -> None:
        self._first = ["Anna", "Bob", "Carl", "Dora", "Dora"] * 10_000
        self._last = {"Anna": "Smith", "Bob": "Jones", "Carl": "MEYER", "Dora": "Novak"}

    def first_name(self) -> str:
        self._now = self._first.pop()
        return self._now

    def last_name(self) -> str:
        return self._last[self._now]

    def seed_instance(self, seed: int) -> None:
        pass

    def get_providers(self) -> list[object]:
        return [type("P", (), {"name": print})()]


def test_a_fake_that_equals_a_real_value_but_for_case_and_space_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fakes, "_generator", lambda _: _Few())
    drawn = people(4, name=bs.Fake("name"))
    assert drawn["name"].tolist() == ["Dora Novak", "Dora Novak 2", "Dora Novak 3", "Dora Novak 4"]
    shared = people(3, name=bs.Fake("name", unique=False))
    assert shared["name"].tolist() == ["Dora Novak"] * 3
    monkeypatch.setitem(globals(), "REAL", [*REAL, "dora novak"])
    with pytest.raises(InputError, match="only values that the table holds"):
        people(4, name=bs.Fake("name"))


def test_numbers_beyond_the_pool_make_no_real_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fakes, "_generator", lambda _: _Few())
    monkeypatch.setitem(globals(), "REAL", [*REAL, "dora novak 2", "dora novak 37"])
    drawn = people(50, name=bs.Fake("name"))["name"]
    assert drawn.is_unique
    assert drawn[1] == "Dora Novak 101"
    assert not {normalised(name) for name in drawn} & {normalised(name) for name in REAL}


@pytest.mark.parametrize("fake", [bs.Fake("name"), bs.Fake("email"), bs.Fake("phone_number"), bs.Fake("first_name")])
def test_many_more_rows_than_the_pool_are_distinct(fake: bs.Fake) -> None:
    assert people(3000, x=bs.Fake(fake.provider, pool=40))["x"].is_unique


@pytest.mark.parametrize("locale", ["ja_JP", "ru_RU", "sv_SE", "de_DE", "ar_AA"])
def test_other_scripts_have_addresses_too(locale: str) -> None:
    drawn = people(20, name=bs.Fake("name", locale=locale), mail=bs.Fake("email", locale=locale))
    assert drawn["mail"].str.fullmatch(r"[\w.+-]+@example\.\w+").all()
    assert drawn["mail"].is_unique


def test_numbers_of_any_length_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "REAL", ["9" * 5000, "9" * 30])
    assert people(300, x=bs.Fake("name", pool=40))["x"].is_unique


def test_fake_dates_are_dates_in_a_column_of_dates() -> None:
    born = pd.Series(pd.date_range("1950-01-01", periods=N, freq="31D"), name="x")
    drawn = made(born, bs.Fake("date_of_birth"), role="personal")
    assert drawn.dtype == born.dtype
    assert not set(drawn) & set(born)
    assert isinstance(made(born, bs.Fake("name"), role="personal")[0], str)


REFUSED: dict[str, tuple[bs.Fake, str]] = {
    "provider": (bs.Fake("no_such_thing"), "Faker has no such provider"),
    "method": (bs.Fake("seed_instance"), "Faker has no such provider"),
    "locale": (bs.Fake("name", locale="xx_XX"), "locale='xx_XX' of column 'x'"),
    "type": (bs.Fake("simple_profile"), "gives a dict"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_faker_cannot_give_is_refused(case: str) -> None:
    fake, message = REFUSED[case]
    with pytest.raises(InputError, match=message):
        people(x=fake)


def test_without_faker_the_message_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def absent(name: str, *args: object, **kwargs: object) -> object:
        if name.split(".")[0] == "faker":
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(InputError, match=r'pip install "bayesynth\[pii\]"'):
        people(x=bs.Fake("name"))


def test_faker_leaves_global_randomness_alone() -> None:
    import random

    random.seed(3)
    before = random.getstate()
    people(x=bs.Fake("name"))
    assert random.getstate() == before


def test_walks_count() -> None:
    assert Walk("A-##", 98, None).values("x", 4, np.random.default_rng(1)) == ["A-98", "A-99", "A-100", "A-101"]
