"""Write synthetic tables for a scorer: generate.py DATA.csv OUT --m 5 --n 418 --seed 1 [--inference nuts|laplace]."""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import pandas as pd

import bayesynth as bs


def main() -> None:
    """Fit one table and write m synthetic ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--m", type=int, default=5)
    parser.add_argument("--n", type=int, default=418)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--inference", default="nuts")
    parser.add_argument("--structure", default="posterior")
    parser.add_argument("--graphs", type=int, default=bs.StructureOptions().graphs)
    parser.add_argument("--tau", type=float, default=bs.Prior().tau)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    synthesizer = bs.Synthesizer(
        inference=args.inference,
        prior=bs.Prior(tau=args.tau),
        structure=args.structure,
        structure_options=bs.StructureOptions(graphs=args.graphs),
    )
    fit = synthesizer.fit(pd.read_csv(args.data), random_seed=args.seed, progress=False)
    args.out.mkdir(parents=True, exist_ok=True)
    for i in range(1, args.m + 1):
        fit.sample(args.n, random_seed=args.seed * 1000 + i).to_csv(args.out / f"syn_{i}.csv", index=False)


if __name__ == "__main__":
    main()
