"""Reference numbers of single series for src/core/{ordinal,sample_entropy,lempel_ziv,fluctuation,divergence,entropy}.rs:
nolds 0.6.3, antropy 0.2.3, ordpy 1.2.3, infomeasure 0.6.3, SciPy 1.17.1.

    python series_tools.py > series_tools.json

The series need no file: 1000 normals of Lehmer's generator from seed 1, the logistic map at 4 from 0.3123, and a
pseudo-random walk of the normals' signs. nolds is loaded without its package, whose import fails on Python 3.11.
"""
import importlib.util
import json
import math
import sys

import antropy
import infomeasure
import numpy as np
import ordpy
from scipy.integrate import quad
from scipy.special import digamma


def nolds():
    found = importlib.util.find_spec("nolds").submodule_search_locations[0]
    spec = importlib.util.spec_from_file_location("nolds_measures", found + "/measures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def normals(seed, n):
    state = [seed]

    def uniform():
        state[0] = state[0] * 16807 % 2147483647
        return state[0] / 2147483647

    return np.array([math.sqrt(-2 * math.log(uniform())) * math.cos(2 * math.pi * uniform()) for _ in range(n)])


def logistic(n):
    x, values = 0.3123, []
    for _ in range(n):
        x = 4.0 * x * (1.0 - x)
        values.append(x)
    return np.array(values)


def fluctuation(x, s):
    """Root mean square of the profile less a line in each window, by polyfit (nolds takes the mean of the roots)."""
    y = np.cumsum(x - np.mean(x))
    rest = []
    for start in range(0, len(y) - s + 1, s // 2):
        window, t = y[start : start + s], np.arange(s)
        rest.append(np.mean((window - np.polyval(np.polyfit(t, window, 1), t)) ** 2))
    return float(np.sqrt(np.mean(rest)))


nolds = nolds()
noise, chaos = normals(1, 1000), logistic(1000)
out = {"tools": "nolds 0.6.3, antropy 0.2.3, ordpy 1.2.3, infomeasure 0.6.3"}
for name, x in [("noise", noise), ("chaos", chaos)]:
    r = 0.2 * float(np.std(x))
    scales = [10, 14, 20, 28, 40, 56, 80, 100]
    _, rosenstein = nolds.lyap_r(
        x, emb_dim=2, lag=1, min_tsep=5, tau=1, trajectory_len=15, fit="poly", debug_data=True
    )
    binary = (x > np.median(x)).astype(int)
    out[name] = {
        "sample_entropy_nolds": nolds.sampen(x, emb_dim=2, tolerance=r, closed=True),
        "sample_entropy_antropy": antropy.sample_entropy(x, order=2, tolerance=r),
        "permutation_entropy_antropy": antropy.perm_entropy(x, order=4, delay=2),
        "permutation_entropy_ordpy": ordpy.permutation_entropy(x, dx=4, taux=2, normalized=False),
        "lempel_ziv_antropy": antropy.lziv_complexity("".join(map(str, binary)), normalize=False),
        "dfa_scales": scales,
        "dfa_fluctuations": [fluctuation(x, s) for s in scales],
        "rosenstein_curve": np.asarray(rosenstein[1]).tolist(),
    }
counts = [4, 12, 4, 5, 3, 1, 5, 1, 2, 2, 2, 2, 11, 3, 4, 12, 12, 1, 2]
data = np.repeat(np.arange(len(counts)), counts)
out["counts"] = counts
for approach in ["discrete", "miller_madow", "chao_shen", "shrink"]:
    out[approach] = float(infomeasure.entropy(data, approach=approach, base="e"))
# infomeasure's "grassberger" is that of 1988; that of 2003 by its integral, G(n) = psi(n) + (-1)^n int x^(n-1)/(1+x).
g = [digamma(n) + (-1) ** n * quad(lambda x: x ** (n - 1) / (1 + x), 0, 1, epsabs=1e-14)[0] for n in counts]
total = sum(counts)
out["grassberger_2003"] = math.log(total) - sum(n * v for n, v in zip(counts, g)) / total
json.dump(out, sys.stdout, indent=1)
