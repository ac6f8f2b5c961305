"""The report on synthetic tables: what was found, in one page for people and one file for machines."""

from bayesynth.report.assess import assess
from bayesynth.report.facts import ABOUT, Facts
from bayesynth.report.report import Report

__all__ = ["ABOUT", "Facts", "Report", "assess"]
