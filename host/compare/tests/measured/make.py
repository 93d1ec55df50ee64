"""Makes expected.json beside this file: what scipy and numpy make of base.csv and new.csv.

    python3 -m venv venv && venv/bin/pip install numpy==2.3.5 scipy==1.17.1
    venv/bin/python host/compare/tests/measured/make.py

The two files are five runs a side of the simulator over HTTP, their measured rows: TTFT 20 ms with a tail, 4 ms a token and
2 % errors, against 4.15 ms a token and 5 % errors. Nothing here is shared with the program: rows are read by the standard
library, medians and tests are numpy's and scipy's.
"""

import csv
import json
import pathlib

import numpy as np
from scipy import stats

HERE = pathlib.Path(__file__).parent
LATENCIES = {"ttft_p50": "ttft_ms", "tpot_p50": "tpot_ms", "e2e_p50": "e2e_ms"}


def runs(name):
    """The rows of each run, runs by their id."""
    found = {}
    with open(HERE / name, newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["run_id"], []).append(row)
    return [found[run] for run in sorted(found)]


def summary(rows, figure):
    if figure == "error_rate":
        return 100.0 * sum(row["outcome"] != "completed" for row in rows) / len(rows)
    column = LATENCIES[figure]
    values = [float(row[column]) for row in rows if row["outcome"] == "completed" and row[column]]
    return float(np.quantile(values, 0.5))


def mean_difference(x, y, axis):
    return np.mean(y, axis=axis) - np.mean(x, axis=axis)


def compared(figure, base, new):
    base, new = (np.array([summary(rows, figure) for rows in side]) for side in (base, new))
    relative = figure != "error_rate"
    x, y = (np.log(base), np.log(new)) if relative else (base, new)
    welch = stats.ttest_ind(y, x, equal_var=False).confidence_interval(0.90)
    estimate = y.mean() - x.mean()
    low, high, change = (float(np.expm1(v) if relative else v) for v in (welch.low, welch.high, estimate))
    found = stats.permutation_test((x, y), mean_difference, vectorized=True, n_resamples=np.inf)
    # scipy doubles the smaller tail; here all splits at least as extreme in size are counted.
    extreme = np.abs(found.null_distribution) >= abs(found.statistic) * (1 - 1e-9)
    return dict(
        base=[float(v) for v in base],
        new=[float(v) for v in new],
        change=change,
        interval=[low, high],
        p=float(np.mean(extreme)),
    )


def holm(p):
    """Holm (1979): the i-th smallest times (m − i), never below the one before, at most 1."""
    order = np.argsort(p)
    raised = np.maximum.accumulate(np.array(p)[order] * (len(p) - np.arange(len(p))))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(raised, 1.0)
    return [float(v) for v in adjusted]


def main():
    base, new = runs("base.csv"), runs("new.csv")
    figures = [*LATENCIES, "error_rate"]
    expected = {figure: compared(figure, base, new) for figure in figures}
    for figure, adjusted in zip(figures, holm([expected[f]["p"] for f in figures])):
        expected[figure]["adjusted"] = adjusted
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


main()
