"""Laplace fit of a clinical table against SDV GaussianCopula, in fresh processes after imports."""

from __future__ import annotations

import tempfile

from _timing import Report, Spread, alternate, figure, options, ours, peer

FITS = 3


def main() -> None:
    """Measure, print, judge."""
    args = options(__doc__, repeats=5).parse_args()
    report = Report("Laplace fit against GaussianCopula")
    with tempfile.TemporaryDirectory() as folder:
        table = ours("export", data=args.data, folder=folder)
        sides = {
            "ours": lambda: ours("fit", data=args.data, inference="laplace", fits=FITS),
            "SDV GaussianCopula": lambda: peer(
                args.peer_python, "sdv_fit", name="GaussianCopulaSynthesizer", fits=FITS, **table
            ),
        }
        runs = alternate(sides, args.repeats)
    report.versions("ours", runs["ours"][0]["versions"])
    report.versions("peer", runs["SDV GaussianCopula"][0]["versions"])
    rows, medians = [], []
    for name, found in runs.items():
        spreads = [Spread.of(times) for times in zip(*(run["seconds"] for run in found), strict=True)]
        rows.append([name, Spread.of([run["import"] for run in found]), *spreads])
        medians.append([spread.median for spread in spreads])
    report.table(["side", "imports (s)", *(f"fit {i + 1} (s)" for i in range(FITS))], rows)
    mine, theirs = medians
    for i, place in ((0, "first"), (1, "second")):
        ratio = theirs[i] / mine[i]
        report.verdict(
            f"our {place} fit is no slower than GaussianCopula's (peer / ours = {figure(ratio)})", ratio >= 1
        )
    report.note(f"families whose Pareto k-hat is above 0.7: {', '.join(runs['ours'][0]['distrusted']) or 'none'}")
    report.write(args.out)


if __name__ == "__main__":
    main()
