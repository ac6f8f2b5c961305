"""The schema of a table: its columns and what is known or guessed of each."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bayesynth.errors import InputError, Problem, SchemaError, SchemaWarning, raise_all, warn
from bayesynth.schema import cards, files, sdv
from bayesynth.schema.checks import frame_problems
from bayesynth.schema.column import Column
from bayesynth.schema.edits import Edit, edit_column, policy_problems, stated, with_policy, withholds
from bayesynth.schema.hints import hints
from bayesynth.schema.infer import infer_column
from bayesynth.schema.levels import settle_levels
from bayesynth.schema.validate import disagreements


@dataclass(frozen=True, repr=False)
class Schema(Mapping[str, Column]):
    """The columns of a table in order, found by name.

    Parameters
    ----------
    columns : iterable of Column
        The columns in the order of the table.

    Raises
    ------
    SchemaError
        If there is no column, or two have one name.

    Examples
    --------
    >>> schema = Schema([Column("age", "count", bounds=(18, 90)), Column("sex", "binary", levels=("female", "male"))])
    >>> schema["age"].bounds
    (18, 90)
    >>> list(schema)
    ['age', 'sex']
    """

    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self.columns))
        if strange := [type(c).__name__ for c in self.columns if not isinstance(c, Column)]:
            raise SchemaError(
                Problem(f"the schema holds {', '.join(strange)}", "it is made of Column objects", "pass Column(...)")
            )
        names = [column.name for column in self.columns]
        problems = [
            Problem(f"column {name!r} occurs twice", "columns are found by name", "rename one", name)
            for name in dict.fromkeys(names)
            if names.count(name) > 1
        ]
        if not names:
            problems.append(Problem("the schema has no columns", "there is nothing to describe", "pass some columns"))
        raise_all(problems, SchemaError)
        object.__setattr__(self, "_by_name", dict(zip(names, self.columns, strict=True)))

    @classmethod
    def infer(cls, frame: pd.DataFrame, /, **edits: Edit) -> Schema:
        """Guess the schema of a table, mark what was guessed, and warn of what deserves a look.

        Parameters
        ----------
        frame : DataFrame
            The table; it is not changed.
        **edits
            Facts that you know, by column, as in `update`: ``stage="ordinal"``, ``age={"unit": "years"}``.

        Returns
        -------
        Schema
            One column for each of the table.

        Raises
        ------
        InputError
            If the table cannot be used; lists all problems at once.
        SchemaError
            If an edit names no column, or cannot be.

        Warns
        -----
        SchemaWarning
            Of identifiers, free text, numbers and dates kept as text, blanks spelled as text, likely sentinels, and
            columns that hardly vary: one warning for each column and meaning.

        Notes
        -----
        The dtype decides where it says something: bool is binary, a category is binary (two declared levels), ordinal
        (ordered) or categorical, dates are datetime and differences of dates are duration. Otherwise, in this order:

        1. Names, dates of birth, addresses, phone numbers, e-mail addresses, national numbers, free text and the like,
           told by the column's name and values: identifier with the role personal. Never where ``role="modelled"`` is
           stated, or a kind.
        2. No or one distinct value: constant. Texts that all write dates in one ISO form, ``2020-01-31`` or with a time
           (``2020-01-31 09:30``, also with seconds or a T between): datetime; they come back as such texts.
        3. At least five texts, nine in ten of them unique: identifier; long texts (40 characters on average), more
           than half of them unique: identifier with the role personal. Whole numbers or texts under a name such as
           ``id`` or ``patient_id``, unique, or at least 20 of them at ten repeats or fewer each: identifier. At least
           20 whole numbers without gap or repetition that begin at 0, 1 or beyond 10,000: identifier.
        4. Text: binary with two distinct values, else categorical, levels sorted.
        5. Numbers: binary with two distinct values; ordinal with 3 to 7, if evenly spaced (each twice on average) or
           each seen at least five times; count if whole and never negative; else continuous.

        A float column of whole numbers and blanks counts as whole. Precision is the coarsest decimal grid that all
        values lie on, the lower bound 0 where no value is negative.

        Examples
        --------
        >>> frame = pd.DataFrame({"stage": [1, 2, 3, 2, 1, 3], "weight": [60.5, 71.0, 80.2, 55.9, 66.6, 91.3]})
        >>> schema = Schema.infer(frame, weight={"unit": "kg"})
        >>> schema["stage"].kind, schema["weight"].precision
        (<Kind.ORDINAL: 'ordinal'>, 1)
        """
        raise_all(frame_problems(frame, [name for name, edit in edits.items() if withholds(edit)]))
        _check_names(edits, list(frame.columns))
        columns, problems = [], []
        for name in frame.columns:
            try:
                column = infer_column(frame[name], *stated(edits.get(name)))
                columns.append(edit_column(column, edits[name]) if name in edits else column)
            except InputError as error:
                problems.extend(error.problems)
        raise_all(problems, SchemaError)
        schema = cls(columns)
        for problem in hints(frame, schema):
            warn(problem, SchemaWarning)
        return schema

    def update(
        self, /, level_policy: str | Edit | None = None, fewest: int | Edit | None = None, **edits: Edit
    ) -> Schema:
        """Make a new schema with some facts changed; what you state is no longer a guess.

        Parameters
        ----------
        level_policy : {"keep", "merge_rare", "drop"}, optional
            What becomes of rare levels in all columns that can have such a policy: modelled categorical and ordinal
            ones. What `edits` states for a column goes first.
        fewest : int, optional
            Rows that a level of these columns needs not to be rare.
        **edits
            By column: a kind (``stage="ordinal"``), facts (``age={"bounds": (18, 90), "unit": "years"}``), or a
            Column. In a table that has a column called ``level_policy`` or ``fewest``, this keyword is an edit of that
            column as well, and a policy is stated column by column.

        Raises
        ------
        SchemaError
            If a column or a fact is unknown, or facts contradict each other; lists all of it at once.

        Examples
        --------
        >>> schema = Schema([Column("stage", "categorical", levels=("I", "III", "II"))])
        >>> schema.update(stage={"kind": "ordinal", "levels": ("I", "II", "III")})["stage"].levels
        ('I', 'II', 'III')
        >>> schema.update(level_policy="merge_rare", fewest=10)["stage"].modelling
        'rare levels merged (fewer than 10 rows)'
        """
        for_all = {"level_policy": level_policy, "fewest": fewest}
        edits |= {name: for_all.pop(name) for name, value in [*for_all.items()] if name in self and value is not None}
        for_all = {fact: value for fact, value in for_all.items() if value is not None}
        _check_names(edits, list(self))
        raise_all(policy_problems(for_all), SchemaError)
        changed, problems = dict(self), []
        for name in dict.fromkeys([*edits, *(self if for_all else ())]):
            edit = edits.get(name, {})
            try:
                changed[name] = with_policy(edit_column(self[name], edit), for_all, edit)
            except SchemaError as error:
                problems.extend(error.problems)
        raise_all(problems, SchemaError)
        return Schema(changed.values())

    @property
    def modelled(self) -> tuple[str, ...]:
        """Names of the columns that are nodes of the network."""
        return tuple(column.name for column in self.columns if column.modelled)

    def validate(self, frame: pd.DataFrame) -> None:
        """Check that a table can be used and agrees with the schema.

        Raises
        ------
        SchemaError
            If it does not; lists all disagreements at once.
        """
        withheld = [column.name for column in self.columns if column.withheld]
        problems = frame_problems(frame, withheld)
        broken = {problem.column for problem in problems}
        if problems and None in broken:  # no table, or one whose columns cannot be told apart
            raise SchemaError(problems)
        raise_all([*problems, *disagreements(frame, self, broken)], SchemaError)

    def settle(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, Schema]:
        """Apply the level policies of the columns: what `Synthesizer.fit` does before it learns anything.

        Parameters
        ----------
        frame : DataFrame
            A table that the schema fits. It is not changed.

        Returns
        -------
        frame : DataFrame
            With rare levels merged or blank.
        schema : Schema
            Without these levels. It settles the same table in the same way.

        Raises
        ------
        SchemaError
            If a column would be left with fewer than two levels.

        Examples
        --------
        >>> frame = pd.DataFrame({"site": ["a"] * 5 + ["b"] * 6 + ["c", "d"] * 3})
        >>> schema = Schema.infer(frame).update(site={"level_policy": "merge_rare"})
        >>> schema.settle(frame)[1]["site"].levels
        ('a', 'b', 'other')
        """
        frame, columns = settle_levels(frame, self)
        return frame, Schema(columns)

    def to_frame(self) -> pd.DataFrame:
        """Show the schema as a table with one row for each column."""
        rows = [
            {
                "column": c.name,
                "kind": str(c.kind),
                "role": str(c.role),
                "levels": list(c.levels),
                "bounds": c.bounds,
                "precision": c.precision,
                "unit": c.unit,
                "nullable": c.nullable,
                "modelling": c.modelling,
                "dtype": c.dtype,
                "guessed": ", ".join(sorted(c.inferred)),
            }
            for c in self.columns
        ]
        return pd.DataFrame(rows, dtype=object).set_index("column")

    def to_json(self, path: str | Path | None = None) -> str:
        """Write the schema as JSON text, and into a file if a path is given."""
        text = files.write(self.columns)
        if path is not None:
            Path(path).write_text(text + "\n", encoding="utf-8")
        return text

    @classmethod
    def from_json(cls, source: str | Path) -> Schema:
        """Read a schema from JSON text or from a file; unknown keys and versions are refused.

        Raises
        ------
        FileFormatError
            If it is not the JSON of a schema of a version that is known here.
        SchemaError
            If a column has unknown keys or contradicts itself; lists all of it at once.

        Examples
        --------
        >>> schema = Schema([Column("age", "count", unit="years")])
        >>> Schema.from_json(schema.to_json()) == schema
        True
        """
        is_text = isinstance(source, str) and source.lstrip().startswith(("{", "["))
        return cls(files.read(source if is_text else Path(source).read_text(encoding="utf-8")))

    def to_sdv_metadata(self, table: str = "table") -> dict[str, object]:
        """Give the schema as SDV's metadata, version 2: ``json.dumps`` of it is what SDV's ``load_from_json`` reads.

        Levels, bounds and decimals go with it; units do not, and keys neither, since a schema does not know whether an
        identifier is unique. Durations are declared as numbers: SDV takes them only as such.

        Parameters
        ----------
        table : str
            Name of the table in the metadata.

        Examples
        --------
        >>> Schema([Column("age", "count", bounds=(18, 90))]).to_sdv_metadata()["tables"]["table"]["columns"]["age"]
        {'sdtype': 'numerical', 'range_is_nullable': False, 'range_min': 18, 'range_max': 90, 'decimal_places': 0}
        """
        return sdv.write(self, table)

    @classmethod
    def from_sdv_metadata(
        cls, source: Mapping[str, object] | str | Path, frame: pd.DataFrame, table: str | None = None
    ) -> Schema:
        """Read a schema from SDV's metadata, version 1 or 2, and the table that it describes.

        What the metadata states holds; what SDV does not say (dtypes, counts, levels that it leaves out) is inferred
        from the table as in `infer`. Faker's types are personal columns that come back as a `Fake`; an ``id`` with a
        ``regex_format`` of characters, classes and counts comes back in that pattern.

        Parameters
        ----------
        source : mapping, str or Path
            The metadata, as a dict (``Metadata.to_dict()``), as JSON text, or the path of a JSON file.
        frame : DataFrame
            The table. It is not changed.
        table : str, optional
            Which table of the metadata; not needed where there is one.

        Raises
        ------
        FileFormatError
            If it is not the metadata of a version that is known here.
        SchemaError
            If the metadata and the table contradict each other; lists all of it at once.

        Warns
        -----
        SchemaWarning
            As in `infer`.

        Examples
        --------
        >>> frame = pd.DataFrame({"stage": [1, 2, 3, 2, 1, 3], "weight": [60.5, 71.0, 80.2, 55.9, 66.6, 91.3]})
        >>> metadata = {"columns": {"stage": {"sdtype": "categorical"}, "weight": {"sdtype": "numerical"}}}
        >>> Schema.from_sdv_metadata(metadata, frame)["stage"].kind
        <Kind.CATEGORICAL: 'categorical'>
        """
        return cls.infer(frame, **sdv.read(source, frame, table))

    def __getitem__(self, name: str) -> Column:
        if name not in self._by_name:
            raise KeyError(f"the schema has no column {name!r}; it has {', '.join(self._by_name)}")
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self.columns)

    def __repr__(self) -> str:
        return cards.text_table(self.columns)

    def _repr_html_(self) -> str:
        return cards.html_card(self.columns)


def _check_names(edits: Mapping[str, Edit], names: Sequence[str]) -> None:
    problems = []
    for name in edits:
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            remedy = f"did you mean {close[0]!r}?" if close else f"the columns are {', '.join(names)}"
            problems.append(Problem(f"facts were given for {name!r}", "the table has no such column", remedy, name))
    raise_all(problems, SchemaError)
