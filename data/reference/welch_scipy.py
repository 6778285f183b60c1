"""Reference spectra for src/core/welch.rs: SciPy 1.17.1, signal.welch, fs = 100 Hz.

    python welch_scipy.py > welch_scipy.json
"""
import json

import numpy as np
import scipy
from scipy import signal

n = np.arange(1000)
x = np.sin(0.1 * n) + 0.5 * np.cos(0.37 * n + 1) + 0.003 * n
cases = {
    "default": dict(),
    "linear": dict(detrend="linear", nperseg=200, noverlap=150),
    "none_hamming": dict(window="hamming", detrend=False, nperseg=125, noverlap=60),
    "symmetric": dict(window=signal.windows.hann(128, sym=True), nperseg=128, scaling="spectrum"),
    "boxcar_odd": dict(window="boxcar", nperseg=101, noverlap=0),
}
out = {"tool": f"SciPy {scipy.__version__} signal.welch", "signal": "sin(.1 n) + .5 cos(.37 n + 1) + .003 n, n = 0..999, fs 100"}
for name, options in cases.items():
    out[name] = signal.welch(x, 100.0, **options)[1].tolist()
print(json.dumps(out))
