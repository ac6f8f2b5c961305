"""The page: whole, self-contained, escaped, readable without JavaScript; every picture has a description."""

import html
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from _handmade import every_verdict

from bayesynth.report import assess
from bayesynth.report.template import page

EMPTY = {"meta", "br", "img"}
EVIL = '<script>alert("x")</script>'


class Reader(HTMLParser):
    """Elements and attributes of a page; an end without its beginning is an error."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.ids, self.links, self.texts = [], [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.ids += [value for name, value in attributes if name == "id"]
        self.links += [value for name, value in attributes if name in ("href", "src", "xlink:href", "data", "action")]
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in EMPTY:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


@pytest.fixture
def read(report):
    return Reader(report.to_html())


def test_it_is_one_file_that_asks_for_nothing(report, read):
    text = report.to_html()
    assert text.startswith("<!DOCTYPE html>")
    assert not {"script", "link", "iframe", "object", "img", "form"} & {tag for tag, _ in read.elements}
    assert all(link.startswith("#") for link in read.links)
    assert "url(" not in re.sub(r"url\(#", "", text)
    assert "@import" not in text
    addresses = {a for a in re.findall(r"https?://[^\s\"'<>}]+", text) if "w3.org" not in a}
    assert addresses <= set(re.findall(r"https?://[^\s\"'<>}]+", report.facts.fit.bibtex))
    assert not any(name.startswith("on") for _, attributes in read.elements for name in attributes)


def test_every_link_leads_to_a_section_and_every_id_is_alone(read):
    assert len(read.ids) == len(set(read.ids))
    assert {link[1:] for link in read.links} <= set(read.ids)
    named = ["figures", "columns", "pairs", "blanks", "whole", "network", "inference", "risk", "convergence"]
    assert [place for place in read.ids if "-" not in place] == [*named, "reproducibility", "checklist"]


def test_every_picture_has_a_description_and_no_size_of_its_own(read):
    pictures = [attributes for tag, attributes in read.elements if tag == "svg"]
    assert len(pictures) > 10
    assert all(a["role"] == "img" and a["aria-label"] and "viewbox" in a for a in pictures)
    assert not any("width" in a or "height" in a for a in pictures)
    assert [tag for tag, _ in read.elements].count("title") == len(pictures) + 1


def test_pictures_of_columns_leave_colours_to_the_style_sheet(report):
    for name, picture in report.pictures.items():
        colours = re.findall(r"#[0-9a-fA-F]{6}\b", picture.svg)
        assert bool(colours) == (name == "network"), name


def test_the_network_lies_on_the_paper_of_the_style_sheet(report):
    network = report.pictures["network"].svg
    assert "var(--paper)" in network
    assert "#ffffff" not in network
    dark, paper = (page("t", "").split("@media")[i] for i in (1, 3))
    assert "--turned:invert(1) hue-rotate(180deg)" in dark
    assert "@media print" not in dark
    assert "--turned:none" in paper


def test_the_style_sheet_has_dark_light_print_and_narrow():
    text = page("t", "")
    for query in ("prefers-color-scheme:dark", "@media print", "max-width:720px", "color-scheme:light dark"):
        assert query in text


def test_the_first_screen_answers_five_questions_first(report, read, small_table):
    before = read.text.split("All figures The floor")[0]
    asked = re.findall(r'<div class="card[^"]*"><h2>([^<]*)', report.to_html())
    assert asked == ["What", "How", "How good", "How risky", "What not to do"]
    assert f"4 synthetic tables of {len(small_table)} rows each" in before
    assert "1 ▲ worse than floor" in before
    assert "most in a & b and other" in before
    assert "No differential privacy" in before
    assert "about 75%" in before


def test_values_that_come_from_data_are_escaped(quick):
    rng = np.random.default_rng(2)
    quick(every_verdict(EVIL))
    levels = ['"><img src=x onerror=alert(1)>', "it's", "a&b", "</svg>"]
    frame = pd.DataFrame(
        {
            EVIL: rng.normal(size=90),
            'q" onload="x': rng.choice(levels, 90),
            "</title>": np.where(rng.random(90) < 0.3, np.nan, rng.normal(size=90)),
        }
    )
    about = {"purpose": EVIL, "contact": '"a" <a@b.c>'}
    report = assess(frame, [frame, frame], progress=False, about=about, keys=[EVIL], target=EVIL)
    text = report.to_html()
    read = Reader(text)
    assert "<script" not in text
    assert not {"script", "img"} & {tag for tag, _ in read.elements}
    assert not any(name.startswith("on") for _, attributes in read.elements for name in attributes)
    assert html.escape(EVIL) in text
    assert EVIL in read.text
    card = report._repr_html_()
    assert "<script" not in card
    assert html.escape(EVIL) in card


def test_a_fit_with_odd_names_is_escaped_in_its_network(quick, laplace):
    rng = np.random.default_rng(3)
    x = rng.normal(size=120)
    frame = pd.DataFrame({EVIL: x, "<b>": x + 0.1 * rng.normal(size=120), "g": np.where(x > 0, '"yes"', "<no>")})
    fit = laplace(frame)
    read = Reader(assess(frame, fit.sample_tables(2, random_seed=1), fit=fit, progress=False).to_html())
    assert not {"script", "b onload"} & {tag for tag, _ in read.elements}
    assert EVIL in read.text


def test_without_a_fit_it_says_what_was_not_done(bare):
    read = Reader(bare.to_html())
    assert read.text.count("Not done, because no fit was given") >= 3
    assert "the tables came without a fit" in read.text
    assert "network" not in bare.pictures


def test_the_words_of_false_comfort_do_not_occur(report, bare):
    for text in (report.to_html(), bare.to_html(), repr(report)):
        said = Reader(text).text.lower()
        for phrase in ("statistically identical", "passes", "overall score", "safe to release", "is anonymous"):
            assert phrase not in said
