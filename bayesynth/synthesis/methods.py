"""The paragraph for a paper's Methods section, built from what a fit was really made with, and its references."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bayesynth._html import Markup, card, escape
from bayesynth._words import counted, listed
from bayesynth.encoding.parametric import DISTRIBUTIONS
from bayesynth.errors import Problem, raise_all
from bayesynth.rules.plan import BY_REJECTION
from bayesynth.structure.partition import LARGEST_MEAN_SD, LARGEST_SD
from bayesynth.synthesis.pooling import cases, rule_for

if TYPE_CHECKING:
    from bayesynth.synthesis.fit import Fit
    from bayesynth.synthesis.tables import SyntheticTables

REFERENCES = Path(__file__).with_name("references.bib")
REGRESSIONS = {
    "gaussian": "linear regression of its normal score, randomised within ties [@DunnSmyth1996], for a numeric column",
    "binary": "logistic regression for a binary one",
    "ordinal": "proportional-odds regression [@McCullagh1980] for an ordinal one",
    "categorical": "multinomial logistic regression for a categorical one",
}
KINDS = {"gaussian": "numeric", "binary": "binary", "ordinal": "ordinal", "categorical": "categorical"}
SCORES = {
    "evidence": "the marginal likelihood of its regression under these priors [@Heckerman1995]",
    "bdeu": "BDeu with an equivalent sample size of {ess:g} [@Heckerman1995]",
    "bge": "BGe [@GeigerHeckerman2002]",
    "bic": "BIC [@Schwarz1978]",
}

SOURCES = {"fully": "Raghunathan2003", "ppd": "Raab2017", "ppd_hybrid": "Raab2017", "plugin": "Raab2017"}


@dataclass(frozen=True)
class MethodsText:
    """What a paper says about a synthesis, and the references that it cites.

    Parameters
    ----------
    text : str
        The paragraph; references stand in it as ``[@Key]``, as Pandoc and Quarto read them.
    bibtex : str
        Their BibTeX entries, in order of appearance.
    """

    text: str
    bibtex: str

    def __str__(self) -> str:
        return f"{self.text}\n\n{self.bibtex}"

    def _repr_html_(self) -> str:
        entries = (
            f'<details><summary>BibTeX</summary><pre style="text-align:left">{escape(self.bibtex)}</pre></details>'
        )
        text = f'<div style="max-width:48em">{escape(self.text)}</div>'
        return card("Methods", "for a paper, true to the settings of this fit", Markup(text + entries))


def describe(fit: Fit, tables: SyntheticTables | None = None) -> MethodsText:
    """Write the paragraph of a fit and, if they are given, of the tables drawn from it.

    Raises
    ------
    InputError
        If the tables come from another real table than the fit.
    """
    raise_all(_strangers(fit, tables))
    parts = (_model(fit), _rules(fit), _priors(fit), _graph(fit), _parameters(fit), _draws(fit, tables), _software(fit))
    text = " ".join(sentence for part in parts for sentence in part)
    keys = list(dict.fromkeys(re.findall(r"@(\w+)", text)))
    entries = _entries() | {"bayesynth": _software_entry(fit)}
    return MethodsText(text, "\n\n".join(entries[key] for key in keys))


def _strangers(fit: Fit, tables: SyntheticTables | None) -> Iterator[Problem]:
    if tables is not None and tables.provenance.n_real != fit.n_rows:
        found = f"the tables come from {tables.provenance.n_real} real rows, the fit from {fit.n_rows}"
        yield Problem(found, "they are not draws from this fit", "pass what fit.sample_tables returned")


def _model(fit: Fit) -> Iterator[str]:
    nodes, blocks = fit.network.encoding.nodes, fit.network.encoding.blocks
    counts = {f: sum(n.family == f and not n.is_indicator for n in nodes.values()) for f in KINDS}
    counts = {family: count for family, count in counts.items() if count}
    kinds = listed([f"{count} {KINDS[family]}" for family, count in counts.items()]) or "no"
    columns = "column" if sum(counts.values()) == 1 else "columns"
    yield f"A table of {fit.n_rows} rows was modelled by a Bayesian network over {kinds} {columns}."
    if blocks:
        gates = counted(len(blocks), "group")
        yield (
            f"Columns that are blank in the same rows share an indicator of being observed ({gates}), which is a node "
            "of the network with a logistic regression of its own; the likelihood is that of the table as it was "
            "recorded, and no value was imputed. A value is never a parent of its own indicator: a dependence of "
            "that kind cannot be learned from the recorded table [@MohanPearl2021]."
        )
    if counts:
        refined = ", two parents by their product, and the spread and shape of a residual may depend on parents"
        yield (
            f"Given its parents, a column follows a regression: {listed([REGRESSIONS[f] for f in counts])}. A numeric "
            f"parent may enter by a natural cubic spline{refined if fit.settings.search.refine else ''}, where the "
            "marginal likelihood pays for it."
        )
    if any(family.design.stand_ins for family in fit.network.families.values()):
        yield (
            "Where a parent was blank, its features in the regression were their mean or, where its other parents were "
            "known and the marginal likelihood did not speak against it, what a ridge regression on these gave."
        )
    if "gaussian" in counts:
        yield from _marginals(fit)
    if unseen := [f"{100 * c.unseen_share:g}% of {c.name}" for c in fit.schema.columns if c.unseen_share is not None]:
        yield (
            "Levels that no row has were drawn with stated probabilities, whatever the other columns "
            f"({listed(unseen)}, where recorded)."
        )


def _marginals(fit: Fit) -> Iterator[str]:
    found = {name: node.marginal for name, node in fit.network.encoding.nodes.items() if node.marginal is not None}
    stated = [DISTRIBUTIONS[m.distribution].title for m in found.values() if m.parameters]
    if len(stated) < len(found):
        whose = " of the other columns" if stated else ""
        yield (
            f"Normal scores{whose} are turned back by the empirical distribution function, whose shape is varied by "
            "the Bayesian bootstrap [@Rubin1981]."
        )
    if not stated:
        return
    laws = [f"{stated.count(title)} {title}" for title in dict.fromkeys(stated)]
    yield (
        f"{counted(len(stated), 'numeric column')} had a marginal distribution with parameters ({listed(laws)}), drawn "
        "from their posterior under weakly informative priors; of each draw only the shape is used, since the "
        "regression carries the uncertainty of location and scale."
    )
    if any(fit.model_schema[name].marginal == "auto" for name in found):
        yield (
            "Where the distribution was left to the evidence, the one with the largest marginal likelihood was taken, "
            "unless a Polya tree centred on it had more [@BergerGuglielmi2001]; then the empirical one."
        )


def _rules(fit: Fit) -> Iterator[str]:
    if not fit.rules:
        return
    said = "; ".join(rule.describe().rstrip(".") for rule in fit.rules)
    again = [rule for rule in fit.rules if fit.rule_plan.kept_by(rule) == BY_REJECTION]
    how = "by the construction of the rows" + (f", {len(again)} of them by drawing rows again" if again else "")
    yield f"{counted(len(fit.rules), 'rule')} hold in every synthetic row, {how}: {said}."


def _priors(fit: Fit) -> Iterator[str]:
    prior = fit.settings.prior
    families = {node.family for node in fit.network.encoding.nodes.values()}
    if not families:
        return
    residual = (
        f"; residual variances of normal scores had IG({prior.variance_shape:g}, {prior.variance_scale:g}) priors"
        if "gaussian" in families
        else ""
    )
    yield (
        f"Slopes had normal priors with mean 0 and standard deviation {prior.tau:g}/√I, I being the Fisher information "
        "of one row about the linear predictor without parents; intercepts and cut points had N(0, "
        f"{prior.intercept_sd:g}²) priors (both in units of the residual standard deviation for normal scores)"
        f"{residual}."
    )


def _graph(fit: Fit) -> Iterator[str]:
    settings, structure = fit.settings, fit.structure
    if not structure.nodes:
        return
    if settings.graph_given:
        yield "The graph between columns was given; what was learned of the graph concerns blanks."
    if settled := _settled(fit):
        yield f"Background knowledge settled the direction of {counted(settled, 'possible edge')} between columns."
    fitted = counted(len(fit.network.graphs), "graph")
    if structure.how == "posterior":
        yield from _posterior(fit)
        yield (
            f"Probabilities of edges are shares among {structure.n_draws} drawn graphs; {fitted}, evenly spread over "
            "them, stood for all of them in what follows."
        )
        if settings.search.refine and _uses_evidence(fit):
            yield (
                "In each of these, the forms in which parents enter the regressions were drawn from their posterior "
                "[@HoetingMadiganRafteryVolinsky1999]."
            )
    elif structure.how == "bootstrap":
        yield (
            f"Graphs were found by greedy search on {settings.structure_options.bootstraps} tables of resampled rows "
            f"[@Friedman1999], scored by {SCORES['evidence']}; {fitted} of them stood for all. Shares of agreement "
            "among them are not posterior probabilities."
        )
    else:
        yield (
            f"The graph was found by greedy search with a tabu list and {settings.search.restarts} restarts, scored by "
            f"{SCORES['evidence']}. It is one point estimate: its uncertainty is not in the results."
        )
    if _uses_evidence(fit) and {n.family for n in fit.network.encoding.nodes.values()} - {"gaussian"}:
        yield "Marginal likelihoods without a closed form were approximated by Laplace's method [@TierneyKadane1986]."


def _posterior(fit: Fit) -> Iterator[str]:
    options, structure = fit.settings.structure_options, fit.structure
    if isinstance(options.prior, str):
        prior = {
            "fair": "gives every number of parents of a node the same mass [@FriedmanKoller2003]",
            "uniform": "gives every graph the same mass",
        }[options.prior]
    else:
        prior = f"multiplies by exp({options.prior:g}) for every edge"
    score = SCORES[options.score].format(ess=options.equivalent_sample_size)
    yield (
        "Graphs were drawn from their posterior by partition MCMC [@KuipersMoffa2017] with moves that turn "
        f"single edges [@GrzegorczykHusmeier2008], in {counted(structure.drawn.shape[0], 'independent run')} of "
        f"{structure.steps:,} steps with {counted(options.temperatures, 'tempered chain')} each [@Viinikka2020]. The "
        f"score of a node's parents was {score}; the prior over graphs {prior}."
    )
    if structure.converged is not None:
        yield (
            f"In the probabilities of edges, the {structure.verdict()}; accepted were {LARGEST_SD:g} and "
            f"{LARGEST_MEAN_SD:g}."
        )


def _parameters(fit: Fit) -> Iterator[str]:
    families, sampler = list(fit.network.families.values()), fit.settings.sampler
    if not families:
        return
    count = counted(len(families), "distinct regression")
    poor = [p.name for p in families if not p.trusted]
    failed = f"; these criteria were NOT met by {counted(len(poor), 'regression')}" if poor else ""
    if fit.settings.inference == "nuts":
        rhat, bulk = (np.array([getattr(p, name) for p in families]) for name in ("rhat", "ess_bulk"))
        tail = np.array([p.ess_tail for p in families])
        yield (
            f"The parameters of the {count} were sampled with the No-U-Turn sampler [@HoffmanGelman2014] of nutpie on "
            f"the densities of PyMC [@AbrilPla2023]: {counted(sampler.chains, 'chain')} of {sampler.draws} draws after "
            f"{sampler.tune} for tuning, longer where convergence asked for it. Convergence was judged by R-hat and "
            f"effective sample sizes [@Vehtari2021]: largest R-hat {np.nanmax(rhat):.3f}, smallest effective sample "
            f"sizes {np.nanmin(bulk):.0f} (bulk) and {np.nanmin(tail):.0f} (tail), "
            f"{counted(sum(p.divergences for p in families), 'divergent transition')}{failed}."
        )
        return
    checked = [p.pareto_k for p in families if not np.isnan(p.pareto_k)]
    yield (
        f"The parameters of the {count} were drawn ({fit.network.n_draws} draws each) from their posterior where it is "
        "closed, and from the normal approximation at its mode elsewhere; where that was too poor, from a t with four "
        "degrees of freedom, resampled by importance."
    )
    if checked:
        yield (
            f"The approximation was checked by the Pareto k-hat of importance ratios [@Vehtari2024]: largest "
            f"{max(checked):.2f}, accepted up to 0.7{failed}."
        )


def _draws(fit: Fit, tables: SyntheticTables | None) -> Iterator[str]:
    drawn = "a graph and of all parameters" if len(fit.network.graphs) > 1 else "all parameters"
    if tables is None:
        yield (
            f"Synthetic tables for inference have one posterior draw of {drawn} behind each table (proper synthesis); "
            "all their cells are synthetic. Analyses of the tables are pooled by rules for fully synthetic data "
            "[@Raghunathan2003; @Raab2017]."
        )
        return
    p = tables.provenance
    blanks = "with blanks as the model gives them" if p.blanks else "without blanks, filled as the model gives them"
    behind = "table (proper synthesis)" if p.draws == "each_table" else "row (the posterior predictive distribution)"
    yield (
        f"{counted(p.m, 'synthetic table')} of {p.n_synthetic} rows {'was' if p.m == 1 else 'were'} drawn, "
        f"{blanks}; one posterior draw of {drawn} stands behind each {behind}, and all cells are synthetic."
    )
    rules = [(case, *rule_for(p, columns)) for case, columns in cases(p)]
    pooled = [f"T = {formula} [@{SOURCES[kind]}] for {case}" for case, kind, formula, _ in rules if formula]
    if pooled:
        yield (
            f"Estimates are means over the tables and their variances {listed(pooled)}, where u is the mean variance "
            "within tables and b the variance between them."
        )


def _software(fit: Fit) -> Iterator[str]:
    versions = fit.settings.versions
    names = ("pymc", "nutpie", "arviz") if fit.settings.inference == "nuts" else ("arviz",)
    used = ", ".join(f"{name} {versions[name]}" for name in names)
    seed = "" if fit.settings.seed is None else f"; the seed of the fit was {fit.settings.seed}"
    yield (
        f"The software was bayesynth {versions['bayesynth']} [@bayesynth] with {used}, in Python "
        f"{versions['python']}{seed}."
    )


def _uses_evidence(fit: Fit) -> bool:
    return fit.structure.how != "posterior" or fit.settings.structure_options.score == "evidence"


def _settled(fit: Fit) -> int:
    """Pairs of columns whose direction the user's knowledge rules out in one way."""
    gates = {block.name for block in fit.network.encoding.blocks}
    return len({frozenset(edge) for edge in fit.structure.settled if not gates & set(edge)})


def _entries() -> Mapping[str, str]:
    text = REFERENCES.read_text(encoding="utf-8")
    return {key: entry for entry, key in re.findall(r"(^@\w+\{(\w+),\n.*?^\})", text, re.DOTALL | re.MULTILINE)}


def _software_entry(fit: Fit) -> str:
    return (
        "@misc{bayesynth,\n"
        "  author = {{The bayesynth developers}},\n"
        "  title  = {bayesynth: synthetic clinical tables from a posterior over {Bayesian} networks},\n"
        f"  note   = {{Python package, version {fit.settings.versions['bayesynth']}}}\n"
        "}"
    )
