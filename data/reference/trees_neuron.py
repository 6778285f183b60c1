"""Numbers of NEURON for trees, written to trees_neuron.json.

  trees_neuron.py MORPHOLOGIES OUT.json

NEURON 9.0.2, fixed step, secondorder = 2 (staggered Crank-Nicolson) but for `branched`, rates without tables. Its spike times are upward
crossings interpolated linearly between samples of every step. The mechanisms that NEURON does not have are written here in
its own language, with the rates of data/channels.
"""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

MODS = {
    "il": """NEURON { SUFFIX il  USEION ca WRITE ica  RANGE g }
UNITS { (mV) = (millivolt) (mA) = (milliamp) (S) = (siemens) }
PARAMETER { g = 0.0001 (S/cm2) e = 120 (mV) }
ASSIGNED { v (mV) ica (mA/cm2) }
STATE { q r }
INITIAL { q = aq(v)/(aq(v) + bq(v))  r = ar(v)/(ar(v) + br(v)) }
BREAKPOINT { SOLVE s METHOD cnexp  ica = g*q*q*r*(v - e) }
DERIVATIVE s { q' = aq(v)*(1 - q) - bq(v)*q  r' = ar(v)*(1 - r) - br(v)*r }
FUNCTION aq(v) { LOCAL x  x = (-27 - v)/3.8  if (fabs(x) < 1e-6) { aq = 0.055*3.8*(1 - x/2) } else { aq = 0.055*3.8*x/(exp(x) - 1) } }
FUNCTION bq(v) { bq = 0.94*exp((-75 - v)/17) }
FUNCTION ar(v) { ar = 0.000457*exp((-13 - v)/50) }
FUNCTION br(v) { br = 0.0065/(exp((-15 - v)/28) + 1) }
""",
    "shell": """NEURON { SUFFIX shell  USEION ca READ ica WRITE cai  RANGE depth, tau }
UNITS { (mM) = (milli/liter) (mA) = (milliamp) (um) = (micron) FARADAY = (faraday) (coulomb) }
PARAMETER { depth = 1 (um) tau = 100 (ms) rest = 0.00024 (mM) }
ASSIGNED { ica (mA/cm2) }
STATE { cai (mM) }
INITIAL { cai = rest }
BREAKPOINT { SOLVE s METHOD cnexp }
DERIVATIVE s { cai' = -(10000)*ica/(2*FARADAY*depth) - (cai - rest)/tau }
""",
    "ikca": """NEURON { SUFFIX ikca  USEION ca READ cai  NONSPECIFIC_CURRENT i  RANGE g }
UNITS { (mV) = (millivolt) (mA) = (milliamp) (S) = (siemens) (mM) = (milli/liter) }
PARAMETER { g = 0.01 (S/cm2) e = -95 (mV) alpha = 48 beta = 0.03 }
ASSIGNED { v (mV) i (mA/cm2) cai (mM) }
STATE { m }
INITIAL { m = alpha*cai*cai/(alpha*cai*cai + beta) }
BREAKPOINT { SOLVE s METHOD cnexp  i = g*m*m*(v - e) }
DERIVATIVE s { m' = alpha*cai*cai*(1 - m) - beta*m }
""",
}


def crossings(t, v, level=-10.0):
    t, v = np.array(t), np.array(v)
    k = np.where((v[:-1] < level) & (v[1:] >= level))[0]
    return [round(float(t[i] + (level - v[i]) / (v[i + 1] - v[i]) * (t[i + 1] - t[i])), 6) for i in k]


def run(h, stop, dt, start, order=2):
    h.dt, h.secondorder, h.usetable_hh = dt, order, 0
    h.steps_per_ms = 1 / dt
    h.finitialize(start)
    h.continuerun(stop)


def clamp(h, seg, delay, duration, amplitude):
    ic = h.IClamp(seg)
    ic.delay, ic.dur, ic.amp = delay, duration, amplitude
    return ic


def hh_cable(h):
    """10 um axon of 5 mm, 101 compartments, 5 nA for 0.5 ms into its end at 1 ms, 6.3 C."""
    h.celsius = 6.3
    s = h.Section(name="cable")
    s.L, s.diam, s.nseg, s.Ra, s.cm = 5000, 10, 101, 100, 1
    s.insert("hh")
    ic = clamp(h, s(0), 1, 0.5, 5)
    t = h.Vector().record(h._ref_t)
    vs = {x: h.Vector().record(s(x)._ref_v) for x in (0.25, 0.5, 0.75)}
    run(h, 12, 0.005, -65)
    out = {f"time_{x}": crossings(t, v) for x, v in vs.items()}
    out["peak_0.5"] = round(float(vs[0.5].max()), 5)
    del ic
    return out


def branched(h):
    """Parent 300 x 4 um, daughters 400 x 2 and 250 x 1 um, 21 compartments each; steady 10 pA into the beginning."""
    secs = []
    for length, diameter in ((300, 4), (400, 2), (250, 1)):
        s = h.Section(name=f"s{len(secs)}")
        s.L, s.diam, s.nseg, s.Ra, s.cm = length, diameter, 21, 150, 1
        s.insert("pas")
        s.g_pas, s.e_pas = 1 / 20000, -65
        secs.append(s)
    secs[1].connect(secs[0](1))
    secs[2].connect(secs[0](1))
    ic = clamp(h, secs[0](0), 0, 1e9, 0.01)
    places = {"parent(0)": secs[0](0), "parent(1)": secs[0](1), "wide(1)": secs[1](1), "thin(1)": secs[2](1)}
    vs = {k: h.Vector().record(s._ref_v) for k, s in places.items()}
    # Of order 1: of order 2 NEURON's voltage at an end without area that takes a current alternates between two values.
    run(h, 400, 0.1, -65, order=0)
    # While it charges and at the end (steady), in mV.
    del ic
    return {k: {"at_10": round(float(v[100]) + 65, 8), "at_400": round(float(v[len(v) - 1]) + 65, 8)} for k, v in vs.items()}


def pyramidal(h, folder):
    """pyramidal.swc: hh in soma and axon, a tenth of it in the apical tree, passive basal trees; 1.5 nA into the soma."""
    h.celsius = 16

    class Cell:
        pass

    cell = Cell()
    r = h.Import3d_SWC_read()
    r.input(os.path.join(folder, "pyramidal.swc"))
    h.Import3d_GUI(r, 0).instantiate(cell)
    h.define_shape()
    for s in cell.all:
        s.Ra, s.cm = 150, 1
        lam = h.lambda_f(100, sec=s)
        s.nseg = int((s.L / (0.1 * lam) + 0.9) / 2) * 2 + 1
        s.insert("pas")
        s.g_pas, s.e_pas = 1 / 10000, -65
        name = s.name()
        if "dend" not in name:
            s.insert("hh")
            part = 0.1 if "apic" in name else 1.0
            s.gnabar_hh, s.gkbar_hh, s.gl_hh = 0.12 * part, 0.036 * part, 0
    soma, axon = cell.soma[0], cell.axon[0]
    tip = max(cell.apic, key=lambda s: h.distance(s(1), soma(0.5)))
    ic = clamp(h, soma(0.5), 5, 40, 1.5)
    t = h.Vector().record(h._ref_t)
    vs = {"soma(0.5)": h.Vector().record(soma(0.5)._ref_v), "axon(1)": h.Vector().record(axon(1)._ref_v), "tip": h.Vector().record(tip(1)._ref_v)}
    run(h, 60, 0.0125, -65)
    out = {
        "compartments": sum(s.nseg for s in cell.all),
        "sections": len(list(cell.all)),
        "area_um2": round(sum(seg.area() for s in cell.all for seg in s), 4),
        "soma_times": crossings(t, vs["soma(0.5)"]),
        "axon_times": crossings(t, vs["axon(1)"]),
        "soma_peak": round(float(vs["soma(0.5)"].max()), 5),
        "tip_peak": round(float(vs["tip"].max()), 5),
        "tip_distance": round(h.distance(tip(1), soma(0.5)), 4),
    }
    del ic
    return out


def ahp(h):
    """A soma of 20 x 20 um: hh at 6.3 C, il 0.5 mS/cm2, a shell of calcium, ikca 5 mS/cm2; 0.3 nA for 100 ms."""
    h.celsius = 6.3
    s = h.Section(name="soma")
    s.L = s.diam = 20
    s.cm = 1
    for m in ("hh", "il", "shell", "ikca"):
        s.insert(m)
    s.el_hh = -54.387
    s.g_il, s.g_ikca, s.depth_shell, s.tau_shell = 0.0005, 0.005, 0.5, 60
    ic = clamp(h, s(0.5), 10, 100, 0.3)
    t, v, ca = (h.Vector().record(x) for x in (h._ref_t, s(0.5)._ref_v, s(0.5)._ref_cai))
    dt = 0.003125
    run(h, 200, dt, -65)
    k = lambda ms: int(round(ms / dt))
    out = {
        "times": crossings(t, v),
        "greatest_calcium_uM": round(float(ca.max()) * 1e3, 6),
        "v_at_115": round(float(v[k(115)]), 5),
        "v_at_200": round(float(v[len(v) - 1]), 5),
    }
    del ic
    return out


def main():
    folder, target = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    work = tempfile.mkdtemp()
    for name, text in MODS.items():
        with open(os.path.join(work, name + ".mod"), "w") as f:
            f.write(text)
    os.chdir(work)
    tool = os.path.join(os.path.dirname(sys.executable), "nrnivmodl")
    subprocess.run([tool], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    import neuron
    from neuron import h
    h.load_file("stdrun.hoc")
    h.load_file("import3d.hoc")
    out = {"tool": f"NEURON {neuron.__version__}", "hh_cable": hh_cable(h)}
    for name, f in (("branched", branched), ("ahp", ahp)):
        for s in list(h.allsec()):
            h.delete_section(sec=s)
        out[name] = f(h)
    for s in list(h.allsec()):
        h.delete_section(sec=s)
    out["pyramidal"] = pyramidal(h, folder)
    with open(target, "w") as f:
        json.dump(out, f, indent=1)
        f.write("\n")


main()
