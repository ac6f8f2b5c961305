"""Numbers that a state, an insurer or a bank gives to one person, told by their form and check digits."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence

HETU = "0123456789ABCDEFHJKLMNPRSTUVWXY"
DNI = "TRWAGMYFPDXBNJZSQVHLCKE"


def _digits(text: str, length: int, separators: str = "") -> list[int] | None:
    """Read a number of so many digits, whose leading zeros a table of numbers has lost."""
    found = text.translate(str.maketrans("", "", separators)) if separators else text
    found = found.zfill(length) if len(found) >= length - 2 else found
    return list(map(int, found)) if len(found) == length and found.isascii() and found.isdigit() else None


def _sum(digits: Sequence[int], weights: Sequence[int]) -> int:
    return sum(d * w for d, w in zip(digits, weights, strict=True))


def _luhn(digits: Sequence[int]) -> bool:
    doubled = [d if i % 2 == 0 else d * 2 - 9 * (d > 4) for i, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        dt.date(year, month, day)
    except ValueError:
        return False
    return True


def _two(digits: Sequence[int], at: int) -> int:
    return 10 * digits[at] + digits[at + 1]


def us_ssn(text: str) -> bool:
    """United States: three, two and four digits with hyphens; no area 000, 666 or from 900."""
    return re.fullmatch(r"(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}", text) is not None


def uk_nhs(text: str) -> bool:
    """England: ten digits, the last a check modulo 11."""
    d = _digits(text, 10, " -")
    return d is not None and any(d) and (11 - _sum(d[:9], range(10, 1, -1)) % 11) % 11 == d[9]


def swedish(text: str) -> bool:
    """Sweden: a date of birth and four digits, the last a check of Luhn."""
    found = re.fullmatch(r"(?:\d\d)?(\d{6})[-+]?(\d{4})", text)
    if not found:
        return False
    d = list(map(int, found[1] + found[2]))
    day = _two(d, 4)
    return _is_date(2000, _two(d, 2), day - 60 if day > 60 else day) and _luhn(d)


def danish(text: str) -> bool:
    """Denmark: a date of birth, day first, a hyphen and four digits, of which no check is promised any more."""
    found = re.fullmatch(r"(\d\d)(\d\d)\d\d-\d{4}", text)
    return found is not None and _is_date(2000, int(found[2]), int(found[1]))


def finnish(text: str) -> bool:
    """Finland: a date of birth, a sign of the century, three digits and a check modulo 31."""
    found = re.fullmatch(r"(\d{6})[-+A-FU-Y](\d{3})([0-9A-Y])", text.upper())
    if not found or not _is_date(2000, int(found[1][2:4]), int(found[1][:2])):
        return False
    return HETU[int(found[1] + found[2]) % 31] == found[3]


def norwegian(text: str) -> bool:
    """Norway: a date of birth and five digits, two of them checks modulo 11."""
    d = _digits(text, 11, " ")
    if d is None or not _is_date(2000, _two(d, 2), _two(d, 0) - 40 * (d[0] > 3)):
        return False
    first = _sum(d[:10], (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11 == 0
    return first and _sum(d, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def french(text: str) -> bool:
    """France: sex, year, month, place and order of birth, and a key modulo 97."""
    found = re.fullmatch(r"([12378]\d{4}(?:\d\d|2[AB])\d{6})(\d\d)", text.upper().replace(" ", ""))
    if not found:
        return False
    number = int(found[1].replace("2A", "19").replace("2B", "18"))
    return 97 - number % 97 == int(found[2])


def german_tax(text: str) -> bool:
    """Germany: eleven digits, the last a check of ISO 7064 modulo 11 and 10."""
    d = _digits(text, 11, " /")
    if d is None or d[0] == 0:
        return False
    product = 10
    for digit in d[:10]:
        product = 2 * ((digit + product) % 10 or 10) % 11
    return (11 - product) % 10 == d[10]


def german_insurance(text: str) -> bool:
    """Germany: a letter, eight digits and a check of Luhn's kind, of the health insurance."""
    found = re.fullmatch(r"([A-Z])(\d{8})(\d)", text.upper())
    if not found:
        return False
    digits = [int(c) for c in f"{ord(found[1]) - 64:02d}{found[2]}"]
    terms = [d * (1 + i % 2) for i, d in enumerate(digits)]
    return sum(t // 10 + t % 10 for t in terms) % 10 == int(found[3])


def spanish(text: str) -> bool:
    """Spain: eight digits (X, Y or Z for the first of a foreigner) and a letter modulo 23."""
    found = re.fullmatch(r"([XYZ\d])-?(\d{7})-?([A-Z])", text.upper())
    if not found:
        return False
    first = str("XYZ".find(found[1])) if found[1] in "XYZ" else found[1]
    return DNI[int(first + found[2]) % 23] == found[3]


def italian(text: str) -> bool:
    """Italy: letters of the names, date and place of birth and a check letter."""
    return re.fullmatch(r"[A-Z]{6}\d\d[ABCDEHLMPRST][0-7]\d[A-Z]\d{3}[A-Z]", text.upper()) is not None


def dutch(text: str) -> bool:
    """Netherlands: nine digits that pass a test modulo 11."""
    d = _digits(text, 9, ".")
    return d is not None and any(d) and _sum(d, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def polish(text: str) -> bool:
    """Poland: a date of birth, the century in its month, and five digits, the last a check."""
    d = _digits(text, 11)
    if d is None or not _is_date(2000, _two(d, 2) % 20, _two(d, 4)):
        return False
    return _sum(d, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def brazilian(text: str) -> bool:
    """Brazil: eleven digits, two of them checks modulo 11."""
    d = _digits(text, 11, ".-")
    if d is None or len(set(d)) == 1:
        return False
    checks = [_sum(d[:n], range(n + 1, 1, -1)) * 10 % 11 % 10 for n in (9, 10)]
    return checks == d[9:]


def canadian(text: str) -> bool:
    """Canada: nine digits that pass Luhn's test."""
    d = _digits(text, 9, " -")
    return d is not None and any(d) and _luhn(d)


def payment_card(text: str) -> bool:
    """Payment cards: 15 or 16 digits that pass Luhn's test."""
    found = re.sub(r"[ -]", "", text)
    return re.fullmatch(r"[3-6]\d{14,15}", found) is not None and _luhn(list(map(int, found)))


def iban(text: str) -> bool:
    """Bank accounts: country, two check digits modulo 97 and the account."""
    found = text.replace(" ", "").upper()
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", found):
        return False
    return int("".join(str(int(c, 36)) for c in found[4:] + found[:4])) % 97 == 1


NUMBERS: Mapping[str, Callable[[str], bool]] = {
    "US social security numbers": us_ssn,
    "NHS numbers": uk_nhs,
    "Swedish personal numbers": swedish,
    "Finnish personal codes": finnish,
    "Norwegian personal numbers": norwegian,
    "French social security numbers": french,
    "Brazilian taxpayer numbers": brazilian,
    "Polish personal numbers": polish,
    "German tax numbers": german_tax,
    "German health insurance numbers": german_insurance,
    "Spanish identity numbers": spanish,
    "Italian tax codes": italian,
    "Dutch citizen numbers": dutch,
    "Canadian insurance numbers": canadian,
    "Danish personal numbers": danish,
    "payment card numbers": payment_card,
    "bank accounts (IBAN)": iban,
}
