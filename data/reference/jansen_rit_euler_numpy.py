"""Spectral numbers of a Jansen-Rit column under per-sample noise, stepped by explicit Euler in plain Python.

Three second-order filters y'' = G r S(v) - 2 r y' - r^2 y (3.25 mV and 100/s for pyramidal and excitatory cells, 22 mV and 50/s
for inhibitory ones), v_p = C_pe y_e - C_pi y_i, v_e = C_ep y_p, v_i = C_ip y_p with C_ep = C, C_pe = 0.8 C,
C_ip = C_pi = 0.25 C; the rate of the excitatory cells is S(v_e) + n_k/C with n_k ~ N(160, 200) redrawn in every step of 0.1 ms.
20 s from zero, numpy.random.default_rng(42); 2 s are left out; Welch with a symmetric Hann window of 4 s that overlaps by half.

Writes jansen_rit_euler_numpy.json beside itself. Needs numpy.
"""

import json
import math
import pathlib

import numpy as np


def column(c, seed=42, dt=1e-4, duration=20.0):
    steps = round(duration / dt)
    noise = np.random.default_rng(seed).normal(160.0, 200.0, steps).tolist()
    pe, pi, ip = 0.8 * c, 0.25 * c, 0.25 * c
    rate = lambda v: 5.0 / (1.0 + math.exp(-0.56 * (v - 6.0)))
    yp = ye = yi = zp = ze = zi = 0.0
    eeg = [0.0]
    for n in noise:
        sp, se, si = rate(pe * ye - pi * yi), rate(c * yp) + n / c, rate(ip * yp)
        dp = 3.25 * 100.0 * sp - 200.0 * zp - 1e4 * yp
        de = 3.25 * 100.0 * se - 200.0 * ze - 1e4 * ye
        di = 22.0 * 50.0 * si - 100.0 * zi - 2500.0 * yi
        yp, ye, yi = yp + dt * zp, ye + dt * ze, yi + dt * zi
        zp, ze, zi = zp + dt * dp, ze + dt * de, zi + dt * di
        eeg.append(pe * ye - pi * yi)
    return np.array(eeg)


def measure(eeg, fs=1e4, drop=2.0, segment=4.0, lowest=3.0):
    x = eeg[round(drop * fs):]
    x = x - x.mean()
    n = round(segment * fs)
    w = np.hanning(n)
    power = []
    for start in range(0, len(x) - n + 1, n // 2):
        s = x[start:start + n]
        p = np.abs(np.fft.rfft((s - s.mean()) * w)) ** 2 / (fs * (w * w).sum())
        p[1:-1] *= 2.0
        power.append(p)
    power = np.mean(power, axis=0)
    f = np.fft.rfftfreq(n, 1.0 / fs)
    first = int(np.argmax(f >= lowest))
    k = first + int(np.argmax(power[first:]))
    return {"peak_hz": float(f[k]), "peak_power": float(power[k]), "rms": float(np.sqrt(np.mean(x * x)))}


if __name__ == "__main__":
    rows = {str(c): measure(column(c)) for c in (110, 122.5, 135, 147.5, 160)}
    text = json.dumps({"tool": f"numpy {np.__version__}", "seed": 42, "rows": rows}, indent=1)
    pathlib.Path(__file__).with_suffix(".json").write_text(text + "\n")
    print(text)
