"""Tasks of the peers about structure: known networks and tables drawn from them, and searches by four packages."""

from __future__ import annotations

import gzip
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
from _peer import discretise, read, versions

Edges = list[tuple[str, str]]
Table = dict[str, Any]


class TooLongError(Exception):
    """A search has used up its time."""


@contextmanager
def limited(seconds: float | None) -> Iterator[None]:
    """Raise `TooLongError` after so many seconds of wall time."""

    def stop(*_: object) -> None:
        raise TooLongError

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds or 0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def timed(search: Callable[[], dict[str, Any]], limit: float | None) -> dict[str, Any]:
    """Run a search; after the limit nothing was found."""
    start = time.perf_counter()
    try:
        with limited(limit):
            found = search()
    except TooLongError:
        found = {"edges": None}
    return found | {"seconds": time.perf_counter() - start}


def network_tables(names: list[str], rows: list[int], repeats: int, held_out: int, folder: str) -> dict[str, Any]:
    """Draw tables from the discrete networks inside pgmpy; columns in random order, levels renamed s0, s1, ...

    Folder NAME gets truth.json (nodes, edges, number of states), held_out.csv, and ROWS_REPEAT.csv of each table.
    """
    for name in names:
        where = Path(folder) / name
        if (where / "truth.json").exists():
            known = {path.name for path in where.iterdir()}
            if known >= {f"{n}_{k}.csv" for n in rows for k in range(1, repeats + 1)}:
                continue
        where.mkdir(exist_ok=True)
        order, cpds = _read_network(name)
        label = crc32(name.encode())
        for n, k in [(held_out, 0), *((n, k) for n in rows for k in range(1, repeats + 1))]:
            rng = np.random.default_rng([label, n, k])
            codes = _ancestral(order, cpds, n, rng)
            columns = [order[i] for i in rng.permutation(len(order))]
            table = pd.DataFrame({c: np.char.add("s", codes[c].astype(str)) for c in columns})
            table.to_csv(where / (f"{n}_{k}.csv" if k else "held_out.csv"), index=False)
        edges = [(p, c) for c, (parents, _) in cpds.items() for p in parents]
        states = {c: int(values.shape[0]) for c, (_, values) in cpds.items()}
        (where / "truth.json").write_text(json.dumps({"nodes": order, "edges": edges, "states": states}))
    return {"versions": versions("pgmpy")}


def _read_network(name: str) -> tuple[list[str], dict[str, tuple[list[str], np.ndarray]]]:
    """Topological order, and each node's parents with its table, shape (states, states of parents...)."""
    import networkx as nx
    import pgmpy
    from pgmpy.readwrite import BIFReader

    path = Path(pgmpy.__file__).parent / "utils" / "example_models" / f"{name}.bif.gz"
    model = BIFReader(string=gzip.decompress(path.read_bytes()).decode()).get_model()
    cpds = {cpd.variable: (list(cpd.variables[1:]), np.asarray(cpd.values)) for cpd in model.get_cpds()}
    return list(nx.lexicographical_topological_sort(model)), cpds


def _ancestral(order: list[str], cpds: dict[str, Any], n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    codes: dict[str, np.ndarray] = {}
    for node in order:
        parents, values = cpds[node]
        probabilities = values[(slice(None), *(codes[p] for p in parents))].reshape(len(values), -1)
        below = np.cumsum(probabilities, axis=0)[:-1] / probabilities.sum(axis=0)
        codes[node] = (rng.random(n) >= below).sum(axis=0)
    return codes


def _levels(table: Table, bins: int = 5) -> pd.DataFrame:
    """Read a table of levels as it is, or one with numbers discretised."""
    if "numeric" not in table:
        return pd.read_csv(table["data"], dtype=str)
    frame = read(table["data"], table["numeric"])
    return discretise(frame, table["numeric"], bins).set_axis(frame.columns, axis=1)


def pgmpy_search(tables: list[Table], score: str, bins: int = 5, limit: float | None = None) -> dict[str, Any]:
    """Hill climbing with its defaults and BIC, or BDeu with an equivalent sample size of 1."""
    from pgmpy.estimators import BDeu, HillClimbSearch

    def search(frame: pd.DataFrame) -> dict[str, Any]:
        how = BDeu(frame, equivalent_sample_size=1) if score == "bdeu" else "bic-d"
        found = HillClimbSearch(frame).estimate(scoring_method=how, show_progress=False)
        return {"edges": sorted((str(a), str(b)) for a, b in found.edges())}

    frames = [_levels(table, bins) for table in tables]
    return {"tables": [timed(lambda f=f: search(f), limit) for f in frames], "versions": versions("pgmpy")}


def agrum_search(tables: list[Table], score: str, tabu: bool, limit: float | None = None) -> dict[str, Any]:
    """Greedy hill climbing or local search with a tabu list; pyAgrum's own defaults, on one thread."""
    import pyagrum as gum

    def search(frame: pd.DataFrame) -> dict[str, Any]:
        learner = gum.BNLearner(frame)
        learner.setNumberOfThreads(1)
        (learner.useScoreBDeu if score == "bdeu" else learner.useScoreBIC)()
        (learner.useLocalSearchWithTabuList if tabu else learner.useGreedyHillClimbing)()
        if limit:
            learner.setMaxTime(limit)
        dag, names = learner.learnDAG(), learner.names()
        return {"edges": sorted((names[a], names[b]) for a, b in dag.arcs())}

    frames = [_levels(table) for table in tables]
    return {"tables": [timed(lambda f=f: search(f), None) for f in frames], "versions": versions("pyagrum")}


def sumu_sample(
    tables: list[Table], bins: int = 5, ess: float = 10.0, iterations: int = 20000, seed: int = 1
) -> dict[str, Any]:
    """Gadget's partition MCMC with BDeu and its fair prior: probability of each edge, [i][j] for i -> j."""
    import sumu

    def search(frame: pd.DataFrame) -> dict[str, Any]:
        np.random.seed(seed)  # noqa: NPY002 - the peer reads the old generator
        codes = frame.apply(lambda column: pd.factorize(column, sort=True)[0]).to_numpy(np.int32)
        p = codes.shape[1]
        chain = {"burn_in": iterations, "iterations": iterations, "thinning": 10, "tolerance": 2.0**-32}
        shape = {"K": min(p - 2, 10), "d": 2, "cp_algo": "greedy-lite", "mc3_chains": 8, "max_id": -1}
        data = sumu.Data(np.ascontiguousarray(codes), discrete=True)
        dags, _ = sumu.Gadget(data=data, scoref="bdeu", ess=ess, **shape, **chain).sample()
        total = np.zeros((p, p))
        for dag in dags:
            for child, *parents in dag:
                total[list(parents[0]) if parents else [], child] += 1
        return {"matrix": (total / len(dags)).round(5).tolist()}

    with open(os.devnull, "w") as quiet:
        out, frames = os.dup(1), [_levels(table, bins) for table in tables]
        os.dup2(quiet.fileno(), 1)  # its compiled parts print
        try:
            found = [timed(lambda f=f: search(f), None) for f in frames]
        finally:
            os.dup2(out, 1)
    return {"tables": found, "versions": versions("sumu")}


def causal_learn(tables: list[Table], method: str, bins: int = 5, limit: float | None = None) -> dict[str, Any]:
    """Edges and undirected pairs by PC (chi-squared on levels, or Fisher's z on codes) or GES (Gaussian BIC on codes).

    Codes are numbers as they are and levels in sorted order. Fisher's z drops rows per test; BIC has blanks filled
    with the median.
    """
    from causallearn.search.ConstraintBased.PC import pc
    from causallearn.search.ScoreBased.GES import ges
    from causallearn.utils.cit import chisq, mv_fisherz

    def search(table: Table, names: list[str]) -> dict[str, Any]:
        if method == "pc chisq":
            data = _levels(table, bins).apply(lambda column: pd.factorize(column, sort=True)[0]).to_numpy()
            graph = pc(data, 0.05, chisq, show_progress=False).G
        elif method == "pc fisherz":
            graph = pc(_codes(table).to_numpy(), 0.05, mv_fisherz, show_progress=False).G
        else:
            codes = _codes(table)
            graph = ges(codes.fillna(codes.median()).to_numpy(), "local_score_BIC")["G"]
        return _marks(graph.graph, names)

    found = []
    for table in tables:
        names = list(read(table["data"], table["numeric"]))
        found.append(timed(lambda t=table, n=names: search(t, n), limit))
    return {"tables": found, "versions": versions("causal-learn")}


def _codes(table: Table) -> pd.DataFrame:
    frame = read(table["data"], table["numeric"])
    codes = {c: frame[c] if c in table["numeric"] else pd.factorize(frame[c], sort=True)[0] for c in frame}
    found = pd.DataFrame(codes).astype(float)
    return found.where(frame.notna())


def _marks(graph: np.ndarray, names: list[str]) -> dict[str, Any]:
    """Directed edges and undirected (or doubly directed) pairs of causal-learn's matrix: -1 a tail, 1 a head."""
    edges: Edges = []
    loose: Edges = []
    for i, j in zip(*np.nonzero(np.triu((graph != 0) | (graph.T != 0))), strict=True):
        at_i, at_j = graph[i, j], graph[j, i]  # the end at the first node
        if at_i == -1 and at_j == 1:
            edges.append((names[i], names[j]))
        elif at_i == 1 and at_j == -1:
            edges.append((names[j], names[i]))
        else:
            loose.append((names[i], names[j]))
    return {"edges": edges, "loose": loose}


TASKS = {task.__name__: task for task in (network_tables, pgmpy_search, agrum_search, sumu_sample, causal_learn)}
