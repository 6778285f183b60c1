"""Rest, rheobase and firing of conductance and quadratic neurons by an adaptive solver of high order.

Independent of spikedeck: equations written here from the papers, SciPy's DOP853 at tolerances of 1e-10, crossings located by the solver.
Writes point_neurons.json. Voltages in mV, times in ms, currents in uA/cm2 (conductance models) or pA (Izhikevich).
"""

import json
import sys

import numpy as np
import scipy
from scipy.integrate import solve_ivp
from scipy.optimize import brentq, minimize_scalar


def run(f, y0, stop, threshold, reset=None, start=0.0):
    """Upward crossings of threshold(y) = 0; with a reset the state jumps there."""
    event = lambda t, y: threshold(y)
    event.direction, event.terminal = 1, reset is not None
    spikes, t, y = [], start, np.array(y0, float)
    while t < stop:
        s = solve_ivp(f, (t, stop), y, method="DOP853", rtol=1e-10, atol=1e-10, events=event)
        spikes += list(s.t_events[0])
        if reset is None or s.status == 0:
            y = s.y[:, -1]
            break
        t, y = s.t[-1], reset(s.y_events[0][-1])
    return np.array(spikes), y


def wilson(I, tau_R=4.2, g_T=0.1, g_H=5.0):
    def f(t, y):
        V, R, T, H = y
        U = V / 100
        return [
            I(t) - (17.8 + 47.6 * U + 33.8 * U**2) * (V - 50) - 26 * R * (V + 95) - g_T * T * (V - 120) - g_H * H * (V + 95),
            (1.24 + 3.7 * U + 3.2 * U**2 - R) / tau_R,
            (8 * (U + 0.725) ** 2 - T) / 14,
            (3 * T - H) / 45,
        ]

    return f


def wilson_steady(V, g_T, g_H):
    """Steady current at V."""
    U = V / 100
    T = 8 * (U + 0.725) ** 2
    return (17.8 + 47.6 * U + 33.8 * U**2) * (V - 50) + 26 * (1.24 + 3.7 * U + 3.2 * U**2) * (V + 95) + g_T * T * (V - 120) + g_H * 3 * T * (V + 95)


POSPISCHIL = {
    "rs": dict(g_L=0.0205, g_Na=56, g_K=6, g_M=0.075, g_T=0, E_L=-70.3, V_T=-56.2, V_x=2, tau_max=608),
    "fs": dict(g_L=0.038, g_Na=58, g_K=3.9, g_M=0.0787, g_T=0, E_L=-70.4, V_T=-57.9, V_x=2, tau_max=502),
    # ModelDB 123623, demo_PY_IB.hoc: one burst, then single spikes; with 0.22 mS/cm2 bursts all the time.
    "ib": dict(g_L=0.01, g_Na=50, g_K=5, g_M=0.03, g_T=0, E_L=-85, V_T=-55, V_x=2, tau_max=1000, g_CaL=0.17, E_K=-100),
    "ibr": dict(g_L=0.01, g_Na=50, g_K=5, g_M=0.03, g_T=0, E_L=-85, V_T=-55, V_x=2, tau_max=1000, g_CaL=0.22, E_K=-100),
    "lts": dict(g_L=0.019, g_Na=50, g_K=4, g_M=0.028, g_T=0.4, E_L=-50, V_T=-50, V_x=-7, tau_max=4000),
}


def rates(V, p):
    v = V - p["V_T"]
    quotient = lambda x, k: k if abs(x) < 1e-9 else x / np.expm1(x / k)
    am, bm = 0.32 * quotient(13 - v, 4), 0.28 * quotient(v - 40, 5)
    ah, bh = 0.128 * np.exp((17 - v) / 18), 4 / (1 + np.exp((40 - v) / 5))
    an, bn = 0.032 * quotient(15 - v, 5), 0.5 * np.exp((10 - v) / 40)
    p_inf = 1 / (1 + np.exp(-(V + 35) / 10))
    tau_p = p["tau_max"] / (3.3 * np.exp((V + 35) / 20) + np.exp(-(V + 35) / 20))
    w = V + p["V_x"]
    s = 1 / (1 + np.exp(-(w + 57) / 6.2))
    u_inf = 1 / (1 + np.exp((w + 81) / 4))
    tau_u = (30.8 + (211.4 + np.exp((w + 113.2) / 5)) / (1 + np.exp((w + 84) / 3.2))) / 3.7
    return am, bm, ah, bh, an, bn, p_inf, tau_p, s, u_inf, tau_u


def high_threshold(V):
    """Rates of the two gates of the L current."""
    x = (-27 - V) / 3.8
    aq = 0.055 * 3.8 if abs(x) < 1e-9 else 0.055 * 3.8 * x / np.expm1(x)
    return aq, 0.94 * np.exp((-75 - V) / 17), 0.000457 * np.exp((-13 - V) / 50), 0.0065 / (np.exp((-15 - V) / 28) + 1)


def ionic(V, m, h, n, q, u, a, r, s, p):
    return (
        p["g_L"] * (V - p["E_L"]) + p["g_Na"] * m**3 * h * (V - 50) + (p["g_K"] * n**4 + p["g_M"] * q) * (V - p.get("E_K", -90)) + (p["g_T"] * s**2 * u + p.get("g_CaL", 0) * a**2 * r) * (V - 120)
    )


def pospischil(I, p):
    def f(t, y):
        V, m, h, n, q, u, a, r = y
        am, bm, ah, bh, an, bn, p_inf, tau_p, s, u_inf, tau_u = rates(V, p)
        aq, bq, ar, br = high_threshold(V)
        return [
            I(t) - ionic(V, m, h, n, q, u, a, r, s, p),
            am * (1 - m) - bm * m,
            ah * (1 - h) - bh * h,
            an * (1 - n) - bn * n,
            (p_inf - q) / tau_p,
            (u_inf - u) / tau_u,
            aq * (1 - a) - bq * a,
            ar * (1 - r) - br * r,
        ]

    return f


def pospischil_rest(p):
    def at(V):
        am, bm, ah, bh, an, bn, p_inf, _, s, u_inf, _ = rates(V, p)
        aq, bq, ar, br = high_threshold(V)
        return [V, am / (am + bm), ah / (ah + bh), an / (an + bn), p_inf, u_inf, aq / (aq + bq), ar / (ar + br)], s

    def current(V):
        y, s = at(V)
        return ionic(*y, s, p)

    grid = np.linspace(-95, -40, 2000)
    values = [current(V) for V in grid]
    first = next(i for i in range(len(grid) - 1) if values[i] < 0 <= values[i + 1])
    return at(brentq(current, grid[first], grid[first + 1], xtol=1e-12))[0]


IZHIKEVICH = {
    # C, k, v_r, v_t, V_peak, p_u, a, b, b_3, c, c_u, d, u_max
    "rs": (100, 0.7, -60, -40, 35, 0, 0.03, -2, 0, -50, 0, 100, 1e6),
    "ib": (150, 1.2, -75, -45, 50, 0, 0.01, 5, 0, -56, 0, 130, 1e6),
    "ch": (50, 1.5, -60, -40, 25, 0, 0.03, 1, 0, -40, 0, 150, 1e6),
    "lts": (100, 1, -56, -42, 40, -0.1, 0.03, 8, 0, -53, 0.04, 20, 670),
    "fs": (20, 1, -55, -40, 25, 0, 0.2, 0, 0.025, -45, 0, 0, 1e6),
    "msn": (50, 1, -80, -25, 40, 0, 0.01, -20, 0, -55, 0, 150, 1e6),
    "tc": (200, 1.6, -60, -50, 35, 0.1, 0.01, 0, 0, -60, -0.1, 10, 1e6),
    "rtn": (40, 0.25, -65, -45, 0, 0, 0.015, 2, 0, -55, 0, 50, 1e6),
    "ti": (20, 0.5, -60, -50, 20, 0, 0.05, 7, 0, -65, 0, 50, 1e6),
}
# What is added to b below -65 mV.
BELOW = {"tc": 15, "rtn": 8}


def izhikevich(name, current, stop=1000.0, y0=None, start=0.0):
    """Spikes, and the state at the end."""
    C, k, vr, vt, peak, pu, a, b, b3, c, cu, d, most = IZHIKEVICH[name]
    low = BELOW.get(name, 0)
    f = lambda t, y: [(k * (y[0] - vr) * (y[0] - vt) - y[1] + current) / C, a * (b * (y[0] - vr) + b3 * max(y[0] + 55, 0) ** 3 + low * min(y[0] + 65, 0) - y[1])]
    reset = lambda y: np.array([c + cu * y[1], min(y[1] + d, most)])
    return run(f, y0 or [vr, 0.0], stop, lambda y: y[0] - peak - pu * y[1], reset, start)


def late_spiking(current, stop=1000.0):
    f = lambda t, y: [
        (0.3 * (y[0] + 66) * (y[0] + 40) + 1.2 * (y[2] - y[0]) - y[1] + (current if t < 800 else 0)) / 20,
        0.17 * (5 * (y[0] + 66) - y[1]),
        0.01 * (y[0] - y[2]),
    ]
    return run(f, [-66.0, 0.0, -66.0], stop, lambda y: y[0] - 30, lambda y: np.array([-45, y[1] + 100, y[2]]))[0]


def summary(spikes):
    isi = np.diff(spikes)
    last = float(1000 / np.mean(isi[-3:])) if len(isi) >= 3 else None
    return {"count": len(spikes), "first": float(spikes[0]) if len(spikes) else None, "first_isi": float(isi[0]) if len(isi) else None, "steady_rate": last}


def main():
    out = {"tool": f"SciPy {scipy.__version__} DOP853, rtol = atol = 1e-10"}
    kinds = {"rs": dict(), "fs": dict(tau_R=1.5, g_T=0.25, g_H=0.0), "ib": dict(g_T=2.25, g_H=9.5), "two_variables": dict(g_T=0.0, g_H=0.0)}
    w = {}
    for name, k in kinds.items():
        g_T, g_H = k.get("g_T", 0.1), k.get("g_H", 5.0)
        V = brentq(lambda V: wilson_steady(V, g_T, g_H), -90, -72)
        U = V / 100
        T = 8 * (U + 0.725) ** 2
        top = minimize_scalar(lambda V: -wilson_steady(V, g_T, g_H), bounds=(-85, -60), method="bounded", options={"xatol": 1e-10})
        y0 = [V, 1.24 + 3.7 * U + 3.2 * U**2, T, 3 * T]
        w[name] = {"rest": V, "gates": y0[1:], "fold": {"V": float(top.x), "I": float(-top.fun)}, "runs": {}}
        for I in (50.0, 100.0):
            w[name]["runs"][str(I)] = summary(run(wilson(lambda t: I, **k), y0, 1000, lambda y: y[0] + 20)[0])
    out["wilson"] = w
    p = {}
    for name, k in POSPISCHIL.items():
        y0 = pospischil_rest(k)
        p[name] = {"rest": y0, "runs": {}}
        for I in () if name.startswith("ib") else (0.5, 1.0, 2.0):
            p[name]["runs"][str(I)] = summary(run(pospischil(lambda t: I, k), y0, 1000, lambda y: y[0] + 20)[0])
        if name.startswith("ib"):
            p[name]["spikes"] = list(run(pospischil(lambda t: 0.52, k), y0, 2000, lambda y: y[0] + 20)[0])
            continue
        # Release from 500 ms of inhibition.
        _, y = run(pospischil(lambda t: -1.0, k), y0, 500, lambda y: y[0] + 20)
        p[name]["rebound"] = list(run(pospischil(lambda t: 0.0, k), y, 1500, lambda y: y[0] + 20, start=500)[0])
    out["pospischil"] = p
    out["izhikevich_2007"] = {n: {str(I): summary(izhikevich(n, I)[0]) for I in (100.0, 300.0, 500.0)} for n in IZHIKEVICH}
    # Thalamic cells: 300 ms of inhibition, 300 ms of nothing, 400 ms of excitation.
    thalamus = {}
    for n, (down, up) in {"tc": (-1200, 150), "rtn": (-300, 100), "ti": (-200, 150)}.items():
        none, y = izhikevich(n, down, 300)
        rebound, y = izhikevich(n, 0, 600, list(y), 300)
        tonic, _ = izhikevich(n, up, 1000, list(y), 600)
        thalamus[n] = {"down": down, "up": up, "before": len(none), "rebound": list(rebound), "tonic": list(tonic)}
    out["thalamus"] = thalamus
    out["late_spiking"] = {str(I): list(late_spiking(I)) for I in (100.0, 130.0, 135.0, 140.0, 145.0, 150.0)}
    json.dump(out, open(sys.argv[1] if len(sys.argv) > 1 else "point_neurons.json", "w"), indent=1)


main()
