"""Reference for src/core/filter.rs: SciPy's sosfiltfilt of butter, with the ends continued over `padlen` samples.

    python filters_scipy.py > filters_scipy.json

`padlen` is the number of samples after which the slowest pole has fallen to a thousandth.
"""
import json

import numpy as np
import scipy
from scipy import signal

n = np.arange(1000)
x = np.sin(0.1 * n) + 0.5 * np.cos(0.37 * n + 1) + 0.3 * np.sin(0.002 * n**2) + 0.003 * n
cases = []
for kind, order, edges in [
    ("lowpass", 4, [0.08]),
    ("lowpass", 3, [0.02]),
    ("highpass", 4, [0.03]),
    ("highpass", 5, [0.2]),
    ("bandpass", 4, [0.04, 0.08]),
    ("bandpass", 1, [0.01, 0.3]),
    ("bandpass", 3, [0.05, 0.3]),
    ("bandstop", 2, [0.1, 0.13]),
    ("bandstop", 3, [0.02, 0.4]),
]:
    scaled = edges[0] if len(edges) == 1 else edges
    slowest = np.abs(signal.butter(order, scaled, kind, fs=1.0, output="zpk")[1]).max()
    padlen = int(np.ceil(np.log(1e-3) / np.log(slowest)))
    y = signal.sosfiltfilt(signal.butter(order, scaled, kind, fs=1.0, output="sos"), x, padtype="odd", padlen=padlen)
    cases.append({"kind": kind, "order": order, "edges": edges, "padlen": padlen, "every_20th": y[::20].tolist(), "last": y[-1]})
print(json.dumps({"tool": f"SciPy {scipy.__version__}", "cases": cases}))
