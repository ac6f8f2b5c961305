"""Columns that name, reach or single out a person, recognised by what they are called and by their values.

Values alone suffice where their form leaves no doubt, an e-mail address or a number with a check digit; where it does,
a column's name must say the same, in one of several languages.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd

from bayesynth.schema import national
from bayesynth.schema.storage import NUMBERS, TIMES, Holds, Storage
from bayesynth.schema.texts import reads_as

MOST_READ = 1000  # distinct values of a column that are looked at
SHARE = 0.9  # of them that must have the form
DATE = "dates"  # what stands for a value in a column of dates


@dataclass(frozen=True)
class Recogniser:
    """How one sort of personal data is told.

    Parameters
    ----------
    what : str
        What the values are, for the message.
    form : callable
        Whether a text can be such a value.
    called : collection of str
        Words of a column's name, in lower case without accents, of which one must occur.
    not_called : collection of str
        Words that say that it is something else.
    at_least : int
        Distinct values that are needed under such a name, unless nearly every row has one of its own.
    strict : callable, optional
        Whether a text can be nothing else; values then suffice, without a name.
    alone : int
        Distinct values that are needed without a name; a check digit fits one value in ten by chance.
    """

    what: str
    form: Callable[[str], bool]
    called: Collection[str] = ()
    not_called: Collection[str] = ()
    at_least: int = 1
    strict: Callable[[str], bool] | None = None
    alone: int = 5

    def fits(self, words: Collection[str], texts: Collection[str], n_rows: int) -> bool:
        """Tell whether a column whose name has these words and that holds these distinct texts is one."""
        named = not set(self.called).isdisjoint(words) and set(self.not_called).isdisjoint(words)
        if named and len(texts) >= min(self.at_least, max(2, SHARE * n_rows)) and _most(self.form, texts):
            return True
        return self.strict is not None and len(texts) >= self.alone and _most(self.strict, texts)


def recognise(present: pd.Series, storage: Storage) -> str | None:
    """Say what personal data a column holds, None if it is none that is known here.

    Parameters
    ----------
    present : Series
        Its values without blanks.
    storage : Storage
        How it is stored.
    """
    words = words_of(str(present.name))
    texts = _texts(present, storage)
    return next((one.what for one in RECOGNISERS if texts and one.fits(words, texts, len(present))), None)


def is_place(name: str) -> bool:
    """Tell whether a column is called like the place where somebody lives, which helps to find a person."""
    return not _PLACE.isdisjoint(words_of(name))


def words_of(name: str) -> frozenset[str]:
    """Split a column's name into its words, and those joined that stand side by side.

    Examples
    --------
    >>> sorted(words_of("dateDeNaissance"))
    ['date', 'datede', 'de', 'denaissance', 'naissance']
    """
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss").replace("ø", "o").replace("Ø", "O"))
    plain = plain.encode("ascii", "ignore").decode()
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", plain)
    words = [part.lower() for part in parts]
    joined = [a + b for a, b in pairwise(words)]
    return frozenset([*words, *joined])


def _texts(present: pd.Series, storage: Storage) -> list[str]:
    values = list(present.drop_duplicates().iloc[:MOST_READ])
    if storage.holds in TIMES:
        return [f"{DATE} {value}" for value in values]
    if storage.holds in NUMBERS:
        return [str(int(value)) if value == int(value) else repr(float(value)) for value in values if abs(value) < 1e18]
    return [str(value).strip() for value in values] if storage.holds is Holds.TEXT else []


def _most(form: Callable[[str], bool], texts: Collection[str]) -> bool:
    missed, most = 0, (1 - SHARE) * len(texts)
    for text in texts:
        missed += not form(text)
        if missed > most:
            return False
    return True


# --- forms ---


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda text: compiled.fullmatch(text) is not None


def _is_network_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return not text.isdigit()


def _is_phone(text: str) -> bool:
    return 7 <= sum(c.isdigit() for c in text) <= 15 and re.fullmatch(r"[+(]?[\d\s().\-/x]+", text) is not None


def _is_date(text: str) -> bool:
    return text.startswith(DATE) or (reads_as([text]) or ("", 0))[0] == DATE


def _is_number_of_a_person(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9 .\-/]{7,20}", text) is not None and sum(c.isdigit() for c in text) >= 5


_is_name = _matches(r"(?=.*[^\W\d_]{2})[^\W\d_][^\d_@/\\:;()<>=%]{1,60}")
_has_letters = _matches(r"(?s).*[^\W\d_]{2}.*")
_is_mail = _matches(r"[\w.+%'-]+@[\w-]+(\.[\w-]+)+")
_is_page = _matches(r"(https?://|www\.)\S+")
_is_position = _matches(r"[-+]?\d{1,3}\.\d{3,}")
_are_positions = _matches(r"\(?[-+]?\d{1,2}\.\d{3,}\s*[,;]\s*[-+]?\d{1,3}\.\d{3,}\)?")
_is_street = _matches(
    r"(\d+\w?,? .*\b(street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|court|way|rue|chemin|allee|allée)\b.*"
    r"|(rue|calle|via|avenida|rua)\b.*\d.*|\w*(stra(ss|ß)e|str\.|weg|platz|gatan|vägen|straat|vej|gate)\s+\d+.*)"
)
_is_written = _matches(r"(?s)\S+(\s+\S+){2,}")
_is_anything = _matches(r"(?s)(?=.*[^\W\d_]).{4,}")

# --- words of names ---


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FAMILY = _words(
    "surname lastname firstname fullname forename givenname familyname middlename maidenname patientname namelast "
    "namefirst prenom nomprenom nomfamille apellido apellidos vorname nachname familienname geburtsname cognome "
    "sobrenome voornaam achternaam fornamn efternamn fornavn etternavn efternavn imie nazwisko etunimi sukunimi"
)
_NAME = _words("name names nom noms nombre nombres nome naam namn navn nimi")
_THING = _words(
    "drug brand generic product hospital site centre center clinic study trial gene protein test lab laboratory assay "
    "variable event disease diagnosis condition file column field item unit device procedure medication medicine "
    "treatment therapy intervention company school city town country region state species group arm cohort project "
    "dataset table scientific trade substance agent vaccine food organism pathogen bacteria virus strain department "
    "ward medicamento farmaco medicament medikament arzneimittel lakemedel legemiddel maladie hopital krankenhaus "
    "klinik hospitalet station abteilung service specialty score scale category code level class type"
)
_STREET = _words(
    "address addresses street streetname adresse anschrift strasse hausanschrift rue direccion domicilio calle "
    "indirizzo endereco adress gatuadress gateadresse adres osoite"
)
_PHONE = _words(
    "phone phones telephone tel telefon telefono telefone telefoon telefonnummer phonenumber mobile mobil mobilnummer "
    "handy handynummer cellphone fax portable puhelin"
)
_MAIL = _words("email mail emailaddress courriel correo epost")
_BIRTH = _words(
    "dob birth birthdate birthday birthdt born dateofbirth geburt geburtsdatum geburtstag geboren naissance ddn "
    "nacimiento nascita nascimento fodelsedatum fodelsedag fodselsdato fodselsdag geboortedatum syntymaaika"
)
_STATE = _words(
    "ssn nhs nhsno nhsnumber nino socialsecurity personnummer personnr cpr cprnr cprnummer hetu fodselsnummer insee "
    "numsecu securitesociale dni bsn pesel cpf aadhaar steuerid steuernummer kvnr versichertennummer codicefiscale "
    "passport passportno passeport reisepass pasaporte nationalid ahv"
)
_REMARK = _words(
    "note notes comment comments remark remarks narrative freetext anamnesis bemerkung bemerkungen kommentar notiz "
    "commentaire commentaires remarque remarques observaciones comentario comentarios note osservazioni opmerking "
    "opmerkingen anteckning anmarkning"
)
_PLACE = _words(
    "city town village zip zipcode postcode postalcode postal residence municipality plz postleitzahl wohnort ort "
    "ville commune codepostal ciudad municipio codigopostal citta comune cidade gemeente woonplaats postnummer "
    "kommune kommun"
)

RECOGNISERS = (
    Recogniser("e-mail addresses", _is_mail, _MAIL, strict=_is_mail, alone=1),
    Recogniser("web addresses", _is_page, ("url", "website", "homepage"), strict=_is_page),
    Recogniser("network addresses", _is_network_address, ("ip", "ipaddress"), strict=_is_network_address),
    Recogniser("places on the map", _is_position, ("latitude", "longitude", "lat", "lon", "lng", "gps"), at_least=5),
    Recogniser("places on the map", _are_positions, ("gps", "coordinates", "location"), strict=_are_positions),
    *(Recogniser(what, form, strict=form, alone=10) for what, form in national.NUMBERS.items()),
    Recogniser("official numbers of persons", _is_number_of_a_person, _STATE, at_least=2),
    Recogniser(
        "phone numbers", _is_phone, _PHONE, at_least=2, strict=_matches(r"(\+|\(\+?|00)[1-9][\d\s().\-/x]{6,20}")
    ),
    Recogniser("dates of birth", _is_date, _BIRTH),
    Recogniser("names of persons", _has_letters, _FAMILY, _THING),
    Recogniser("names of persons", _is_name, _NAME, _THING, at_least=10),
    Recogniser("addresses", _is_anything, _STREET, {"ip", "mac", "web", "email"}, at_least=5, strict=_is_street),
    Recogniser("free text", _is_written, _REMARK, at_least=10),
)
