"""Reference numbers for tapers, multitaper spectra, coherence and band-passed phases.

SciPy 1.17 (`signal.windows.dpss`, `signal.coherence`, `signal.csd`, `signal.sosfiltfilt` with `signal.hilbert`) and
nitime (`algorithms.multi_taper_psd`, weights by eigenvalue).

    python spectra_pairs.py > spectra_pairs.json
"""
import json

import numpy as np
import scipy
from scipy import signal

# nitime asks for names that newer NumPy has dropped.
for name in ("in1d",):
    if not hasattr(np, name):
        setattr(np, name, getattr(np, "isin"))
import nitime
import nitime.algorithms as tsa

n = np.arange(1000)
x = np.sin(0.1 * n) + 0.5 * np.cos(0.37 * n + 1) + 0.3 * np.sin(0.002 * n * n)
y = np.cos(0.1 * n) + 0.2 * np.sin(0.37 * n) + 0.3 * np.sin(0.0015 * n * n + 2)
fs = 100.0
out = {
    "tool": f"SciPy {scipy.__version__}, nitime {nitime.__version__}",
    "signals": "x = sin .1n + .5 cos(.37n + 1) + .3 sin .002n^2, y = cos .1n + .2 sin .37n + .3 sin(.0015n^2 + 2), "
    "n = 0..999, fs 100",
}
for length, nw, count in ((200, 4, 7), (301, 2.5, 4), (1500, 3, 5)):
    w, ratios = signal.windows.dpss(length, nw, count, return_ratios=True)
    out[f"dpss_{length}"] = {"nw": nw, "ratios": ratios.tolist(), "every_37th": w[:, ::37].tolist()}
f, c = signal.coherence(x, y, fs, nperseg=128)
out["coherence_128"] = c.tolist()
out["phase_128"] = np.angle(signal.csd(x, y, fs, nperseg=128)[1]).tolist()
f, c = signal.coherence(x, y, fs, nperseg=125, noverlap=80, detrend="linear", window="hamming")
out["coherence_hamming_125"] = c.tolist()
f, p, nu = tsa.multi_taper_psd(x - x.mean(), Fs=fs, NW=4, adaptive=False, jackknife=False, low_bias=False, NFFT=1000)
out["multitaper_eigenvalue"] = p.tolist()
# Thomson's weights by Percival and Walden 1993, eq. 368a (nitime 0.12 weighs with another variance).
w, ratios = signal.windows.dpss(1000, 4, 8, return_ratios=True)
power = abs(np.fft.rfft(w * (x - x.mean()))) ** 2 / fs
density = power[:2].mean(0)
for _ in range(1000):
    b = density / (ratios[:, None] * density + (1 - ratios[:, None]) * x.var() / fs)
    density = (b * b * ratios[:, None] * power).sum(0) / (b * b * ratios[:, None]).sum(0)
density[1:-1] *= 2
out["multitaper_adaptive"] = density.tolist()
sos = signal.butter(4, [1.2, 2.2], btype="bandpass", fs=fs, output="sos")
z = signal.hilbert(signal.sosfiltfilt(sos, x, padlen=900))
out["analytic_every_50th"] = [[v.real, v.imag] for v in z[::50]]
print(json.dumps(out))
