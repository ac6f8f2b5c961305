"""What names or reaches a person is recognised and withheld; what only looks like it is not."""

from __future__ import annotations

import datetime as dt
import warnings

import numpy as np
import pandas as pd
import pytest

import bayesynth as bs
from bayesynth.errors import SchemaError, SchemaWarning
from bayesynth.schema import Kind, Role, Schema, disclosure_warnings, national
from bayesynth.schema.infer import infer_column
from bayesynth.schema.personal import RECOGNISERS, is_place, recognise, words_of
from bayesynth.schema.storage import storage_of

faker = pytest.importorskip("faker")


def sort_of(values: object, name: str = "x") -> str | None:
    series = pd.Series(values, name=name)
    return recognise(series, storage_of(series))


def fakes(locale: str, provider: str, n: int = 60, seed: int = 1) -> list[str]:
    made = faker.Factory.create(locale)
    made.seed_instance(seed)
    return [str(getattr(made, provider)()) for _ in range(n)]


# --- numbers of a state: examples that others made, and how many random numbers pass ---

MADE = {
    "us_ssn": ("en_US", "ssn"),
    "swedish": ("sv_SE", "ssn"),
    "finnish": ("fi_FI", "ssn"),
    "norwegian": ("no_NO", "ssn"),
    "french": ("fr_FR", "ssn"),
    "spanish": ("es_ES", "nif"),
    "italian": ("it_IT", "ssn"),
    "polish": ("pl_PL", "pesel"),
    "brazilian": ("pt_BR", "cpf"),
    "canadian": ("en_CA", "ssn"),
    "dutch": ("nl_NL", "ssn"),
    "german_tax": ("de_DE", "vat_id"),
    "iban": ("de_DE", "iban"),
    "payment_card": ("en_US", "credit_card_number"),
}
PUBLISHED = {  # specimens that the issuers print
    "uk_nhs": ["943 476 5919", "4010232137", "9434765870"],
    "german_tax": ["86095742719", "47036892816", "65929970489"],
    "german_insurance": ["A123456780"],
    "finnish": ["131052-308T", "010101-123N"],
    "swedish": ["811228-9874", "19811228-9874", "670919-9530"],
    "french": ["2 55 08 14 168 025 38", "269054958815780"],
    "iban": ["GB82 WEST 1234 5698 7654 32", "DE89 3704 0044 0532 0130 00"],
    "dutch": ["111222333", "123456782"],
    "polish": ["44051401359"],
    "spanish": ["12345678Z", "X1234567L"],
}


@pytest.mark.parametrize("form", [form for form in MADE if form not in ("german_tax", "norwegian", "payment_card")])
def test_forms_accept_numbers_that_others_made(form: str) -> None:
    made = fakes(*MADE[form])
    if form == "french":  # Faker's are of Corsica too, and leave the key out in some versions
        made = [text for text in made if len(text.replace(" ", "")) == 15]
    assert made
    assert np.mean([getattr(national, form)(text) for text in made]) > 0.95


@pytest.mark.parametrize("form", PUBLISHED)
def test_forms_accept_published_specimens(form: str) -> None:
    accepts = getattr(national, form)
    for text in PUBLISHED[form]:
        assert accepts(text), text
        digits = [i for i, c in enumerate(text) if c.isdigit()]
        broken = [text[:i] + str((int(text[i]) + 1) % 10) + text[i + 1 :] for i in digits[-6:]]
        assert not any(map(accepts, broken)), text


@pytest.mark.parametrize("form", [form.__name__ for form in national.NUMBERS.values()])
def test_few_random_numbers_pass(form: str) -> None:
    rng, accepts = np.random.default_rng(1), getattr(national, form)
    for digits in (8, 9, 10, 11, 12, 15, 16):
        texts = [str(rng.integers(10 ** (digits - 1), 10**digits)) for _ in range(400)]
        assert np.mean([accepts(text) for text in texts]) < 0.2
    assert not accepts("")
    assert not accepts("anything else")


# --- the registry ---

NAMES = [
    "Anna Smith",
    "José García",
    "Zoë O'Brien",
    "Müller, Hans",
    "J. Doe",
    "Łukasz Nowak",
    "Li Wei",
    "Ana",
    "Bo Ek",
    "Cy Poe",
]
DATES = pd.to_datetime([f"{1940 + i}-0{1 + i % 9}-11" for i in range(12)])
REMARKS = [f"seen again in week {i}, felt well" for i in range(12)]
POSITIVE = {
    "e-mail addresses": [("x", ["a.b@c.org"]), ("contact", ["x@y.de", "u.v@w.co.uk"]), ("email", ["a@b.fr"] * 2)],
    "web addresses": [("x", [f"https://a.org/{i}" for i in range(6)])],
    "network addresses": [("x", [f"10.0.{i}.7" for i in range(6)]), ("y", [f"2001:db8::{i}" for i in range(6)])],
    "places on the map": [
        ("latitude", [51.5074 + i / 997 for i in range(9)]),
        ("home_gps", [f"51.507{i}, -0.127{i}" for i in range(6)]),
    ],
    "official numbers of persons": [
        ("ssn", [123456789 + 7 * i for i in range(9)]),
        ("Passport No", ["C01X00T47", "C01X00T48"]),
    ],
    "phone numbers": [
        ("phone", ["020 7946 0958", "020 7946 0959"]),
        ("Telefon", [4930123456, 4930123457]),
        ("x", [f"+1 (555) 010-99{i:02d}" for i in range(6)]),
        ("x", fakes("sv_SE", "phone_number", 0) or [f"+46 8 123 45 {i:02d}" for i in range(9)]),
    ],
    "dates of birth": [
        ("dob", DATES),
        ("Date of Birth", DATES),
        ("Geburtsdatum", DATES),
        ("date_naissance", DATES.strftime("%d/%m/%Y")),
        ("fechaNacimiento", DATES),
        ("født_fødselsdato", [dt.date(1950, 1, 1), dt.date(1951, 1, 1)]),
    ],
    "names of persons": [
        *(
            (name, NAMES[:3])
            for name in ("surname", "Last Name", "patient_name", "prenom", "Vorname", "apellidos", "fullName")
        ),
        *((name, NAMES) for name in ("name", "Nom", "NAME", "nome", "mother_name")),
    ],
    "addresses": [
        ("address", [f"Flat {i}, Long House" for i in range(6)]),
        ("x", [f"{i} Main Street, Springfield" for i in range(6)]),
        ("x", [f"Hauptstraße {i}" for i in range(6)]),
        ("x", [f"{i} rue de la Paix" for i in range(6)]),
    ],
    "free text": [("comments", REMARKS), ("Bemerkungen", REMARKS)],
    **{
        what: [("x", fakes(*MADE[form.__name__]))]
        for what, form in national.NUMBERS.items()
        if form.__name__
        in (
            "us_ssn",
            "swedish",
            "finnish",
            "spanish",
            "italian",
            "polish",
            "brazilian",
            "canadian",
            "dutch",
            "iban",
        )
    },
}


def _with_checks(form: str, count: int, start: int, width: int) -> list[str]:
    """Count up and keep what passes."""
    accepts, found = getattr(national, form), []
    while len(found) < count:
        start += 1
        if accepts(f"{start:0{width}d}"):
            found.append(f"{start:0{width}d}")
    return found


POSITIVE |= {
    "Danish personal numbers": [("x", [f"{1 + i:02d}0{1 + i % 9}61-{4000 + 7 * i}" for i in range(20)])],
    "NHS numbers": [
        ("x", _with_checks("uk_nhs", 12, 4_010_232_000, 10)),
        ("y", [*map(int, _with_checks("uk_nhs", 12, 4_010_232_000, 10))]),
    ],
    "German tax numbers": [("x", _with_checks("german_tax", 12, 86_095_742_000, 11))],
    "German health insurance numbers": [
        ("x", [f"A{n}" for n in range(123_456_000, 123_457_000) if national.german_insurance(f"A{n}")])
    ],
    "Norwegian personal numbers": [("x", _with_checks("norwegian", 12, 1_010_150_000, 11))],
    "French social security numbers": [
        ("x", [f"25508141680{i:02d}{97 - int(f'25508141680{i:02d}') % 97:02d}" for i in range(20)])
    ],
    "payment card numbers": [("x", _with_checks("payment_card", 12, 4_111_111_111_110_000, 16))],
}


def test_every_recogniser_has_examples() -> None:
    assert set(POSITIVE) == {one.what for one in RECOGNISERS}


@pytest.mark.parametrize("what", POSITIVE)
def test_personal_values_are_recognised(what: str) -> None:
    for name, values in POSITIVE[what]:
        assert sort_of(values, name) == what, (name, list(values)[:2])


rng = np.random.default_rng(4)
NEGATIVE: dict[str, object] = {
    "sex": ["f", "m"],
    "drug_name": ["Aspirin", "Ibuprofen", "Paracetamol"] * 5,
    "name of drug": [f"Drug{chr(97 + i)}ol" for i in range(20)],
    "hospital_name": ["St Mary", "St Thomas", "Charité"],
    "name": ["aspirin", "placebo"] * 5,
    "gene_name": [f"BRCA{chr(65 + i)}" for i in range(12)],
    "city": ["Oslo", "Bergen"],
    "birth_weight": rng.normal(3400, 400, 50).round(),
    "birth_order": [1, 2, 3, 1],
    "birth_year": rng.integers(1920, 2000, 40),
    "visit": pd.date_range("2020-01-01", periods=9),
    "telomere": rng.normal(5, 1, 30),
    "platelets": rng.integers(150_000, 400_000, 60),
    "timestamp": rng.integers(1_600_000_000, 1_700_000_000, 60),
    "patient": rng.integers(100_000_000, 999_999_999, 60),
    "sample": rng.integers(10**10, 10**11, 60),
    "case": range(1_501_020_001, 1_501_020_061),
    "icd10": [f"C{i:02d}.{i % 10}" for i in range(40)],
    "ec_number": [f"1.{i}.3.4567" for i in range(9)],
    "version": ["1.2", "1.3", "2.0"],
    "bp": ["120/80", "130/85", "140/90"],
    "interval": ["2020-01-05", "2020-02-05", "2020-03-05", "2020-04-05", "2020-05-05", "2020-06-05"],
    "lat": [1.5, 2.5, 3.5, 4.5, 5.5],
    "email_consent": ["yes", "no"],
    "phone_contact": [0, 1, 1],
    "mobile": [True, False],
    "notes": ["yes", "no", "unknown"],
    "comment": [None, None],
    "address_known": [1, 0, 1, 1],
    "dose": rng.normal(2, 0.1, 40).round(4),
    "stage": [1, 2, 3, 4] * 9,
    "nombre_enfants": [1, 2, 3, 0, 2],
}


@pytest.mark.parametrize("name", NEGATIVE)
def test_clinical_columns_raise_no_alarm(name: str) -> None:
    series = pd.Series(NEGATIVE[name], name=name)
    present = series.dropna()
    assert recognise(present, storage_of(series)) is None


@pytest.mark.parametrize("dataset", bs.list_datasets()["name"])
def test_shipped_tables_raise_no_alarm(dataset: str) -> None:
    frame = bs.load_dataset(dataset)
    assert not [name for name in frame if recognise(frame[name].dropna(), storage_of(frame[name])) is not None]
    assert not [name for name in frame if is_place(name)]


def test_words_of_a_name() -> None:
    assert {"date", "of", "birth"} <= words_of("DateOfBirth")
    assert {"patient", "name", "patientname"} <= words_of("PATIENT_NAME")
    assert "fodselsdato" in words_of("Fødselsdato")
    assert "strasse" in words_of("Straße")
    assert words_of("123") == frozenset()


# --- what inference makes of them ---


def test_personal_columns_are_withheld_with_a_way_to_override() -> None:
    frame = pd.DataFrame({"surname": ["Poe", "Poe", "Ek", "Ek"] * 3, "age": range(40, 52)})
    with pytest.warns(
        SchemaWarning, match=r"'surname' looks like names of persons: .*\"role\": \"modelled\""
    ) as caught:
        schema = Schema.infer(frame)
    assert (schema["surname"].kind, schema["surname"].role) == (Kind.IDENTIFIER, Role.PERSONAL)
    assert "Poe" not in "".join(str(one.message) for one in caught) + repr(schema) + schema.to_json()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        told = Schema.infer(frame, surname={"role": "modelled"})
    assert told["surname"].levels == ("Ek", "Poe")
    assert Schema.infer(frame, surname="categorical")["surname"].modelled


def test_a_name_in_every_row_is_one_of_persons_however_few_they_are() -> None:
    assert sort_of(["Ann", "Bob"], "name") == "names of persons"
    assert sort_of(["Ann", "Bob", "Ann", "Bob"], "name") is None


def test_a_family_name_need_not_look_like_one() -> None:
    assert infer_column(pd.Series([f"Poe{i % 4}" for i in range(40)], name="surname")).role is Role.PERSONAL
    assert infer_column(pd.Series([f"Poe{i % 4}" for i in range(40)], name="label")).role is Role.MODELLED


def test_a_constant_address_is_withheld_too() -> None:
    assert infer_column(pd.Series(["dr.poe@ward.org"] * 9, name="contact")).role is Role.PERSONAL


def test_too_many_names_cannot_be_modelled_even_if_stated() -> None:
    letters = "abcdefghijklmnop"
    frame = pd.DataFrame({"surname": [f"X{a}{b}" for a in letters for b in letters], "age": range(256)})
    with pytest.raises(SchemaError, match="levels"):
        Schema.infer(frame, surname={"role": "modelled"}, age="count")


def test_personal_columns_that_are_modelled_all_the_same_are_named_at_the_fit() -> None:
    frame = pd.DataFrame({"surname": ["Poe", "Poe", "Ek", "Ek"] * 3, "dob": DATES, "age": range(40, 52)})
    schema = Schema.infer(frame, surname={"role": "modelled"}, dob="datetime")
    found = [str(problem) for problem in disclosure_warnings(frame, schema)]
    assert len(found) == 1
    assert "'surname' (names of persons), 'dob' (dates of birth)" in found[0]
    assert disclosure_warnings(frame[["age"]], Schema([schema["age"]])) == []


def test_places_are_modelled_with_a_hint() -> None:
    frame = pd.DataFrame({"city": ["Oslo", "Bergen", "Oslo", "Moss"] * 10, "site": ["a", "b", "c", "a"] * 10})
    with pytest.warns(SchemaWarning, match="'city' says where somebody lives") as caught:
        schema = Schema.infer(frame)
    assert schema["city"].kind is Kind.CATEGORICAL
    assert len(caught) == 1


@pytest.mark.parametrize("dtype", ["category", "string", "str", object])
def test_dtypes_of_text_make_no_difference(dtype: object) -> None:
    assert infer_column(pd.Series([*NAMES, None], name="name", dtype=dtype)).role is Role.PERSONAL
