"""The command line: what it writes, what it says, and how it ends."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import bayesynth as bs
from bayesynth.cli import demo, files, main
from bayesynth.errors import ConvergenceWarning, Problem, warn

QUICK = ["--inference", "laplace"]


@pytest.fixture(scope="module")
def csv(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "penguins.csv"
    bs.load_dataset("penguins").to_csv(path, index=False)
    return path


def fits(text, width=100):
    return all(len(line) <= width for line in text.splitlines())


def test_demo_tells_the_story_and_writes_the_files(hasty, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)  # lines that name a file are as long as its path
    out = Path("shown")
    assert main(["demo", "--out", str(out), *QUICK, "--seed", "3"]) == 0
    said = capsys.readouterr()
    for part in (
        "418 patients",
        "334 patients are fitted, 84 kept aside",
        "Schema",
        "strongest relationships",
        "Convergence",
        "First synthetic rows",
        "excess over the floor",
        "missingness patterns",
        "membership",
    ):
        assert part in said.out, part
    assert fits(said.out)
    assert fits(said.err)
    assert "Traceback" not in said.err
    written = {path.name for path in out.iterdir()}
    pictures = {"network.png", "marginals.png"}
    assert written == {"synthetic.csv", "relationships.csv", "report.html", "pbc.bayesynth"} | pictures
    assert "Reviewer&#x27;s checklist" in (out / "report.html").read_text(encoding="utf-8")
    assert all(name in said.out for name in written)
    assert pd.read_csv(out / "synthetic.csv").shape == (418, 19)
    assert {"parent", "child", "effect", "lower", "upper"} <= set(pd.read_csv(out / "relationships.csv"))
    assert (out / "network.png").read_bytes().startswith(b"\x89PNG")
    again = bs.load(out / "pbc.bayesynth").sample(418, random_seed=4)  # the seed of the demo, and one more
    pd.testing.assert_series_equal(again["bili"], pd.read_csv(out / "synthetic.csv")["bili"])


def test_demo_refuses_a_file_as_its_folder(csv, capsys):
    assert main(["demo", "--out", str(csv), *QUICK]) == 1
    assert "is a file" in capsys.readouterr().err


def test_synthesize_writes_a_table_like_the_input(csv, tmp_path, capsys):
    out = tmp_path / "synthetic.csv"
    out.write_text("old")
    assert main(["synthesize", str(csv), "--out", str(out), "-n", "777", *QUICK, "--seed", "5"]) == 0
    real, made = pd.read_csv(csv), pd.read_csv(out)
    assert len(made) == 777
    assert list(made) == list(real)
    assert made.dtypes.equals(real.dtypes)  # with 777 rows some of the rare blanks are drawn
    text = out.read_text()
    whole = pd.read_csv(out, dtype=str)[["flipper_length_mm", "body_mass_g", "year"]]
    assert not whole.stack().str.contains(".", regex=False).any()  # although two of them have blanks
    said = capsys.readouterr()
    assert "777 rows x 8 columns" in " ".join(said.out.split())
    assert "seed 5" in said.out
    again = tmp_path / "again.csv"
    main(["synthesize", str(csv), "--out", str(again), "-n", "777", *QUICK, "--seed", "5"])
    assert again.read_text() == text
    assert {path.name for path in tmp_path.iterdir()} == {"synthetic.csv", "again.csv"}


def test_synthesize_gives_identifiers_and_people_fresh_values(csv, tmp_path, capsys):
    real = pd.read_csv(csv).head(120)
    real.insert(0, "patient", [f"KH-{i:04d}" for i in range(1, 121)])
    real["surname"], real["mail"] = (
        [f"Zzqx{i % 40}".replace("1", "l") for i in range(120)],
        [f"z{i}@zzqx.org" for i in range(120)],
    )
    data, schema, out = tmp_path / "real.csv", tmp_path / "schema.json", tmp_path / "made.csv"
    real.to_csv(data, index=False)
    people = {
        "surname": {"role": "personal", "fresh": bs.Fake("last_name", pool=200)},
        "mail": {"fresh": bs.Fake("email", pool=200)},
    }
    frame, _ = files.read_table(data)
    with pytest.warns(bs.errors.SchemaWarning, match="'patient' looks like an identifier"):
        bs.Schema.infer(frame, **people).to_json(schema)
    command = ["synthesize", str(data), "--out", str(out), "-n", "90", *QUICK, "--seed", "5"]
    assert main([*command, "--schema", str(schema)]) == 0
    made = pd.read_csv(out)
    assert list(made) == list(real)
    assert made["patient"].tolist() == [f"KH-{i}" for i in range(1000, 1090)]
    assert made["surname"].is_unique
    assert made["mail"].str.contains("@example").all()
    said = capsys.readouterr()
    assert "zzqx" not in (said.out + said.err + out.read_text() + schema.read_text()).lower()
    assert main(command) == 0
    assert pd.read_csv(out)[["surname", "mail"]].isna().all(axis=None)
    assert "looks like e-mail addresses" in " ".join(capsys.readouterr().err.split())


def test_whole_numbers_with_blanks_stay_whole(csv, tmp_path):
    frame, _ = files.read_table(csv)
    assert frame["flipper_length_mm"].dtype == "Int64"
    files.write_table(frame, tmp_path / "again.csv", files.Dialect())
    assert (tmp_path / "again.csv").read_text() == csv.read_text()


def test_a_fresh_seed_is_printed_and_can_be_used_again(csv, tmp_path, capsys):
    first, second = tmp_path / "1.csv", tmp_path / "2.csv"
    main(["synthesize", str(csv), "--out", str(first), *QUICK])
    seed = capsys.readouterr().out.split("seed ")[1].split()[0]
    main(["synthesize", str(csv), "--out", str(second), *QUICK, "--seed", seed])
    assert first.read_text() == second.read_text()


def test_parquet_keeps_the_dtypes(tmp_path):
    pytest.importorskip("pyarrow")
    real = bs.load_dataset("penguins")
    real.to_parquet(tmp_path / "real.parquet")
    assert main(["synthesize", str(tmp_path / "real.parquet"), "--out", str(tmp_path / "made.parquet"), *QUICK]) == 0
    made = pd.read_parquet(tmp_path / "made.parquet")
    assert made.dtypes.equals(pd.read_parquet(tmp_path / "real.parquet").dtypes)


def test_schema_is_printed_written_and_used(csv, tmp_path, capsys):
    out = tmp_path / "schema.json"
    assert main(["schema", str(csv), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "Adelie, Chinstrap, Gentoo" in said
    assert fits(said)
    schema = bs.Schema.from_json(out)
    schema.update(year="count").to_json(out)
    made = tmp_path / "made.csv"
    assert main(["synthesize", str(csv), "--out", str(made), "--schema", str(out), *QUICK]) == 0
    assert main(["schema", str(csv)]) == 0
    assert csv.with_name("penguins.csv.schema.json").exists()


def test_assess_writes_a_report_and_says_the_verdicts(csv, hasty, tmp_path, capsys):
    real = pd.read_csv(csv)
    for i in (1, 2):
        real.iloc[:250].sample(frac=1, random_state=i).to_csv(tmp_path / f"made-{i}.csv", index=False)
    real.iloc[:250].to_csv(tmp_path / "real.csv", index=False)
    real.iloc[250:].to_csv(tmp_path / "aside.csv", index=False)
    out = tmp_path / "report.html"
    told = ["--keys", "island, sex", "--target", "species", "--about", "purpose=Teaching", "--seed", "4"]
    files_of = [str(tmp_path / name) for name in ("real.csv", "made-1.csv", "made-2.csv")]
    wanted = ["assess", *files_of, "--report", str(out), "--holdout", str(tmp_path / "aside.csv"), *told]
    assert main(wanted) == 0
    said = capsys.readouterr()
    assert "membership" in said.out
    assert "worse than floor" in said.out  # copies of the real table are found out
    assert "seed 4" in said.out
    assert fits(said.out)
    page = out.read_text(encoding="utf-8")
    assert "2 synthetic tables of 250 rows each" in page
    assert "94 real rows kept aside" in page
    assert "keys: island, sex" in page
    assert "Teaching" in page
    assert main(wanted) == 0
    assert out.read_text(encoding="utf-8") == page
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_assess_reads_saved_tables_with_their_provenance_and_the_fit(hasty, penguins, laplace, tmp_path, csv):
    fit = laplace(penguins)
    fit.sample_tables(2, random_seed=1).save(tmp_path / "tables")
    fit.save(tmp_path / "fit.bayesynth")
    out = tmp_path / "report.html"
    wanted = ["assess", str(csv), str(tmp_path / "tables"), "--report", str(out)]
    assert main([*wanted, "--fit", str(tmp_path / "fit.bayesynth")]) == 0
    page = out.read_text(encoding="utf-8")
    assert "one posterior draw behind each table (proper synthesis)" in page
    assert "greedy search" in page


def test_assess_refuses_in_words(csv, tmp_path, capsys):
    folder = tmp_path / "folder"
    folder.mkdir()
    report = ["--report", str(tmp_path / "r.html")]
    cases = [
        (["assess", str(csv), str(folder), str(csv), *report], "is a folder among other tables"),
        (["assess", str(csv), str(csv), "--report", str(tmp_path / "no" / "r.html")], "does not exist"),
        (["assess", str(csv), str(csv), "--report", str(csv)], "is the data itself"),
        (["assess", str(csv), str(csv), *report, "--about", "colour=red"], "'colour'"),
        (["assess", str(csv), str(csv), *report, "--about", "purpose"], "--about purpose="),
        (["assess", str(csv), str(csv), *report, "--target", "weight"], "weight"),
        (["assess", str(csv), str(csv), *report, "--keys", "weight"], "weight"),
        (["assess", str(csv), "none.csv", *report], "none.csv"),
    ]
    for arguments, message in cases:
        assert main(arguments) == 1, arguments
        error = " ".join(capsys.readouterr().err.split())
        assert message in error, arguments
        assert "Traceback" not in error
    assert not (tmp_path / "r.html").exists()


def test_dialects_and_dates_come_back_as_they_were(tmp_path):
    lines = [f"{20 + i % 7},{i % 10};2021-0{1 + i % 9}-1{i % 8};{'mf'[i % 2]}" for i in range(60)]
    path = tmp_path / "semicolons.csv"
    path.write_text("\ufeffwert;datum;geschlecht\n" + "\n".join(lines) + "\n", encoding="utf-8")
    frame, dialect = files.read_table(path)
    assert dialect == files.Dialect(";", ",")
    assert list(frame) == ["wert", "datum", "geschlecht"]
    assert frame["wert"].dtype == float
    assert bs.Schema.infer(frame)["datum"].kind == "datetime"
    out = tmp_path / "out.csv"
    assert main(["synthesize", str(path), "--out", str(out), *QUICK]) == 0
    made, dialect = files.read_table(out)
    assert dialect == files.Dialect(";", ",")
    assert made.dtypes.equals(frame.dtypes)
    assert made["datum"].str.fullmatch(r"2021-\d\d-\d\d").all()
    tabs = tmp_path / "out.tsv"
    files.write_table(frame, tabs, dialect)
    pd.testing.assert_frame_equal(files.read_table(tabs)[0].drop(columns="wert"), frame.drop(columns="wert"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n", "one row"),
        ("a,a\n" + "1,2\n" * 9, "'a' occurs 2 times"),
        ("", "is empty"),
        ('a,b\n1,2\n"3,4\n5,6\n', "cannot be read"),
        ("a,b\n1,2\n1,2,3\n", "cannot be read"),
        (b"a,b\n\xff\xfe,2\n", "UTF-8"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_in_words(tmp_path, capsys, content, message):
    path = tmp_path / "bad.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    out = tmp_path / "out.csv"
    assert main(["synthesize", str(path), "--out", str(out), *QUICK]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("error: ")
    assert message in " ".join(said.err.split())
    assert "Traceback" not in said.err
    assert fits(said.err)
    assert said.out == ""
    assert not out.exists()


def test_places_that_cannot_be_read_or_written(csv, tmp_path, capsys):
    cases = [
        (["synthesize", "missing.csv", "--out", "x.csv"], "missing.csv"),
        (["synthesize", str(tmp_path), "--out", "x.csv"], "no ending"),
        (["synthesize", str(csv), "--out", str(tmp_path / "no" / "x.csv")], "does not exist"),
        (["synthesize", str(csv), "--out", str(csv)], "is the data itself"),
        (["synthesize", str(csv), "--out", "x.xlsx"], ".xlsx"),
        (["synthesize", str(csv), "--out", str(tmp_path / "x.csv"), "--schema", "none.json"], "none.json"),
        (["synthesize", str(csv), "--out", str(tmp_path / "x.csv"), "--schema", str(csv)], "not JSON"),
        (["schema", "missing.csv"], "missing.csv"),
    ]
    for arguments, message in cases:
        assert main(arguments) == 1, arguments
        error = " ".join(capsys.readouterr().err.split())
        assert message in error, arguments
        assert "Traceback" not in error
    assert "species" in csv.read_text()


def test_parquet_without_pyarrow_says_what_to_install(csv, monkeypatch, capsys):
    monkeypatch.setattr(files, "find_spec", lambda name: None)
    assert main(["synthesize", str(csv), "--out", "x.parquet"]) == 1
    error = " ".join(capsys.readouterr().err.split())
    assert "pyarrow is not installed" in error
    assert 'pip install "bayesynth[parquet]"' in error


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["synthesize"],
        ["synthesize", "a.csv"],
        ["synthesize", "a.csv", "--out", "b.csv", "-n", "0"],
        ["synthesize", "a.csv", "--out", "b.csv", "-n", "2.5"],
        ["assess", "a.csv", "b.csv"],
        ["demo", "--seed", "-1"],
        ["demo", "--inference", "guess"],
    ],
)
def test_wrong_usage_ends_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: bayesynth" in capsys.readouterr().err


def test_a_failed_run_leaves_the_old_file_alone(csv, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out.csv"
    out.write_text("old")

    def full_disk(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full_disk)
    assert main(["synthesize", str(csv), "--out", str(out), *QUICK]) == 1
    assert "No space left" in capsys.readouterr().err
    assert out.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_ctrl_c_ends_with_130(monkeypatch, tmp_path, capsys):
    def interrupt(name):
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "load_dataset", interrupt)
    assert main(["demo", "--out", str(tmp_path)]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_warnings_are_short_notes_and_said_once(monkeypatch, tmp_path, capsys):
    def careful(name):
        for _ in range(2):
            warn(Problem("family 'x' did not converge", "its figures waver", "sample longer"), ConvergenceWarning)
        raise OSError(5, "Input/output error", "patients.csv")

    monkeypatch.setattr(demo, "load_dataset", careful)
    assert main(["demo", "--out", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error.count("note: family 'x' did not converge: its figures waver; sample longer.") == 1
    assert ".py:" not in error
    assert "patients.csv" in error


def test_version_and_module(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"bayesynth {bs.__version__}\n"
    done = subprocess.run([sys.executable, "-m", "bayesynth", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"bayesynth {bs.__version__}\n"
