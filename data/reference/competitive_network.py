"""Steady rates of the competitive network of 180 units by an adaptive solver, independent of spikedeck.

3 u' = -u + I + sum_j w_ij S(u_j), S(x) = 1/(1 + exp(-0.6 (x - 6))), w_ii = 5, w_ij = -2 exp(-d^2/(2 24^2)). Writes competitive_network.json.
"""

import json
import sys

import numpy as np
import scipy
from scipy.integrate import solve_ivp

N = 180


def steady(kind, circular, stop=300):
    i = np.arange(N)
    d = np.abs(i[:, None] - i[None, :])
    if circular:
        d = np.minimum(d, N - d)
    w = -2 * np.exp(-(d**2) / (2 * 24.0**2))
    w[i, i] = 5.0
    if kind == "rectangle":
        current = np.where((i >= 60) & (i < 120), 10.0, 0.0)
    else:
        current = 10 * np.exp(-((i - 60) ** 2) / 200) + 9 * np.exp(-((i - 120) ** 2) / 200)
    rate = lambda u: 1 / (1 + np.exp(-0.6 * (u - 6)))
    s = solve_ivp(lambda t, u: (-u + current + w @ rate(u)) / 3, (0, stop), np.zeros(N), method="LSODA", rtol=1e-10, atol=1e-12)
    return rate(s.y[:, -1])


out = {"tool": f"SciPy {scipy.__version__} LSODA, rtol 1e-10, atol 1e-12, from rest to t = 300"}
for kind in ("rectangle", "two_bumps"):
    for circular in (False, True):
        r = steady(kind, circular)
        out[f"{kind}{'_circular' if circular else ''}"] = {"60": r[60], "90": r[90], "119": r[119], "120": r[120], "max": r.max(), "sum": r.sum()}
json.dump(out, open(sys.argv[1] if len(sys.argv) > 1 else "competitive_network.json", "w"), indent=1)
