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
    "il": """NEURON { SUFFIX il  USEION ca WRITE ica  RANGE g, q10 }
UNITS { (mV) = (millivolt) (mA) = (milliamp) (S) = (siemens) }
PARAMETER { g = 0.0001 (S/cm2) e = 120 (mV) q10 = 2.3 }
ASSIGNED { v (mV) ica (mA/cm2) celsius (degC) phi }
STATE { q r }
INITIAL { phi = q10^((celsius - 36)/10)  q = aq(v)/(aq(v) + bq(v))  r = ar(v)/(ar(v) + br(v)) }
BREAKPOINT { SOLVE s METHOD cnexp  ica = g*q*q*r*(v - e) }
DERIVATIVE s { q' = phi*(aq(v)*(1 - q) - bq(v)*q)  r' = phi*(ar(v)*(1 - r) - br(v)*r) }
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
    "ikca": """NEURON { SUFFIX ikca  USEION ca READ cai  NONSPECIFIC_CURRENT i  RANGE g, q10 }
UNITS { (mV) = (millivolt) (mA) = (milliamp) (S) = (siemens) (mM) = (milli/liter) }
PARAMETER { g = 0.01 (S/cm2) e = -95 (mV) alpha = 48 beta = 0.03 q10 = 3 }
ASSIGNED { v (mV) i (mA/cm2) cai (mM) celsius (degC) phi }
STATE { m }
INITIAL { phi = q10^((celsius - 22)/10)  m = alpha*cai*cai/(alpha*cai*cai + beta) }
BREAKPOINT { SOLVE s METHOD cnexp  i = g*m*m*(v - e) }
DERIVATIVE s { m' = phi*(alpha*cai*cai*(1 - m) - beta*m) }
""",
}

# One gate or two that relax to a steady value: name, current, parameters, gates with their steady value and time constant.
RELAXING = """NEURON { SUFFIX %(name)s  NONSPECIFIC_CURRENT i  RANGE g }
UNITS { (mV) = (millivolt) (mA) = (milliamp) (S) = (siemens) }
PARAMETER { g = 0.0001 (S/cm2) e = %(e)s (mV) }
ASSIGNED { v (mV) i (mA/cm2) celsius (degC) phi }
STATE { p q }
INITIAL { phi = %(q10)s^((celsius - %(reference)s)/10)  p = p_inf(v)  q = q_inf(v) }
BREAKPOINT { SOLVE s METHOD cnexp  i = g*%(open)s*(v - e) }
DERIVATIVE s { p' = phi*(p_inf(v) - p)/p_tau(v)  q' = phi*(q_inf(v) - q)/q_tau(v) }
FUNCTION p_inf(v) { p_inf = %(p_inf)s }
FUNCTION p_tau(v) { p_tau = %(p_tau)s }
FUNCTION q_inf(v) { q_inf = %(q_inf)s }
FUNCTION q_tau(v) { q_tau = %(q_tau)s }
"""
STILL = dict(q_inf="1", q_tau="1")
MODS["im"] = RELAXING % dict(
    STILL, name="im", e=-90, q10=2.3, reference=36, open="p", p_inf="1/(1 + exp(-(v + 35)/10))", p_tau="608/(3.3*exp((v + 35)/20) + exp(-(v + 35)/20))"
)
MODS["ih"] = RELAXING % dict(
    STILL, name="ih", e=-43, q10=3, reference=36, open="p", p_inf="1/(1 + exp((v + 75)/5.5))", p_tau="1/(exp(-14.59 - 0.086*v) + exp(-1.87 + 0.0701*v))"
)
MODS["it"] = RELAXING % dict(
    STILL,
    name="it",
    e=120,
    q10=3,
    reference=36,
    open="(1/(1 + exp(-(v + 59)/6.2)))^2*p",
    p_inf="1/(1 + exp((v + 83)/4))",
    p_tau="(30.8 + (211.4 + exp((v + 115.2)/5))/(1 + exp((v + 86)/3.2)))/3.7",
)
MODS["ia"] = RELAXING % dict(
    name="ia",
    e=-75,
    q10=3,
    reference=18,
    open="p^3*q",
    p_inf="(0.0761*exp((v + 94.22)/31.84)/(1 + exp((v + 1.17)/28.93)))^(1/3)",
    p_tau="0.3632 + 1.158/(1 + exp((v + 55.96)/20.12))",
    q_inf="(1 + exp((v + 53.3)/14.54))^(-4)",
    q_tau="1.24 + 2.678/(1 + exp((v + 50)/16.027))",
)
MODS["nmda"] = """NEURON { POINT_PROCESS Nmda  NONSPECIFIC_CURRENT i  RANGE rise, decay, mg }
UNITS { (mV) = (millivolt) (nA) = (nanoamp) (uS) = (microsiemens) }
PARAMETER { rise = 2 (ms) decay = 50 (ms) mg = 1 }
ASSIGNED { v (mV) i (nA) peak }
STATE { a (uS) b (uS) }
INITIAL { LOCAL t  t = rise*decay/(decay - rise)*log(decay/rise)  peak = exp(-t/decay) - exp(-t/rise)  a = 0  b = 0 }
BREAKPOINT { SOLVE s METHOD cnexp  i = (b - a)/peak/(1 + mg/3.57*exp(-0.062*v))*v }
DERIVATIVE s { a' = -a/rise  b' = -b/decay }
NET_RECEIVE(w (uS)) { a = a + w  b = b + w }
"""


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
    # Rates as they are, whatever the temperature.
    s.q10_il = s.q10_ikca = 1
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


def channels(h):
    """Somata of 20 x 20 um at 30 C with a leak of 0.05 mS/cm2 at -70 mV and one channel each; -15 pA from 50 to 150 ms, 15 pA from 200 to 300 ms."""
    h.celsius = 30
    cells = {"im": 0.3, "ih": 0.05, "it": 0.6, "ia": 4, "il": 0.3, "ikca": 5}
    secs, keep, vs = [], [], {}
    for name, g in cells.items():
        s = h.Section(name=name)
        s.L = s.diam = 20
        s.cm = 1
        s.insert("pas")
        s.g_pas, s.e_pas = 5e-5, -70
        for m in ("il", "shell", "ikca") if name == "ikca" else (name,):
            s.insert(m)
        if name == "ikca":
            # Enough calcium to open the channel without a spike.
            s.g_il, s.depth_shell, s.tau_shell = 0.002, 0.1, 100
        setattr(s, f"g_{name}", g * 1e-3)
        keep += [clamp(h, s(0.5), 50, 100, -0.015), clamp(h, s(0.5), 200, 100, 0.015)]
        vs[name] = h.Vector().record(s(0.5)._ref_v)
        secs.append(s)
    dt = 0.0125
    run(h, 350, dt, -70)
    times = (20, 60, 140, 160, 195, 210, 290, 310, 345)
    return {n: {str(t): round(float(v[int(round(t / dt))]), 5) for t in times} for n, v in vs.items()}


def events(h, synapse, time, weight):
    """A spike into a synapse; NEURON acts on it in the step that begins at `time`."""
    source = h.NetStim()
    source.number, source.start, source.noise = 1, time, 0
    c = h.NetCon(source, synapse)
    c.delay, c.weight[0] = 0, weight
    return source, c


def nmda_spike(h):
    """nmda-spike.toml: one, six and twelve times 0.3 nS AMPA (2 ms) and 0.6 nS NMDA (2 and 50 ms) on a passive dendrite at 20 ms.

    An event's jump is taken to stand half a step later than it does, an error of order 1: voltages are extrapolated from steps of 5 and 2.5 us.
    """
    out = {}
    for name, n in (("one", 1), ("six", 6), ("twelve", 12)):
        runs = []
        for dt in (0.005, 0.0025):
            soma, dend = h.Section(name="soma"), h.Section(name="dendrite")
            soma.L = soma.diam = 20
            dend.L, dend.diam = 300, 1
            dend.connect(soma(1))
            for s in (soma, dend):
                s.Ra, s.cm = 150, 1
                s.nseg = int((s.L / (0.1 * h.lambda_f(100, sec=s)) + 0.9) / 2) * 2 + 1
                s.insert("pas")
                s.g_pas, s.e_pas = 5e-5, -70
            ampa, nmda = h.ExpSyn(dend(0.8)), h.Nmda(dend(0.8))
            ampa.tau, ampa.e = 2, 0
            keep = [events(h, ampa, 20, n * 0.3e-3), events(h, nmda, 20, n * 0.6e-3)]
            vs = {"soma(0.5)": h.Vector().record(soma(0.5)._ref_v), "dendrite(0.8)": h.Vector().record(dend(0.8)._ref_v)}
            run(h, 300, dt, -70)
            every = int(round(0.005 / dt))
            runs.append({place: np.array(v)[::every] for place, v in vs.items()})
            out[name] = {"compartments": dend.nseg}
            del keep, ampa, nmda
            for s in (dend, soma):
                h.delete_section(sec=s)
        for place in runs[0]:
            v = 2 * runs[1][place] - runs[0][place]
            times = {str(t): round(float(v[int(round(t / 0.005))]), 5) for t in (25, 40, 80, 150)}
            out[name][place] = {"peak": round(float(v.max()), 5), "peak_time": round(int(v.argmax()) * 0.005, 4), **times}
    return out


def detailed(h):
    """detailed-neuron.toml: soma, axon, apical trunk with five tufts, four basal dendrites, hh everywhere, 37 C."""
    h.celsius = 37
    secs = {}

    def section(name, length, diameter, nseg, parent=None, end=1, na=0.2, k=0.04):
        s = h.Section(name=name)
        s.L, s.diam, s.nseg, s.Ra, s.cm = length, diameter, nseg, 100, 1
        if parent:
            s.connect(secs[parent](end))
        s.insert("hh")
        s.gnabar_hh, s.gkbar_hh, s.gl_hh, s.el_hh = na, k, 3e-4, -70 if name == "soma" else -54.3
        s.insert("pas")
        s.g_pas, s.e_pas = 1e-4, -70
        secs[name] = s

    section("soma", 20, 20, 1, na=0.4, k=0.05)
    section("axon", 800, 1, 100, "soma", 0, 0.7, 0.1)
    section("apical", 200, 3, 20, "soma")
    for i in range(5):
        section(f"tuft_{i}", 150, 1.5, 15, "apical")
    for i in range(4):
        section(f"basal_{i}", 150, 2, 15, "soma", 0)
    ic = clamp(h, secs["soma"](0.5), 10, 5, 3)
    synapse = h.ExpSyn(secs["apical"](0.7))
    synapse.tau, synapse.e = 2, 0
    keep = events(h, synapse, 40, 0.1)
    t = h.Vector().record(h._ref_t)
    places = {"soma(0.5)": ("soma", 0.5), "axon(0.5)": ("axon", 0.5), "apical(0.7)": ("apical", 0.7), "tuft_0(0.9)": ("tuft_0", 0.9)}
    vs = {k: h.Vector().record(secs[s](x)._ref_v) for k, (s, x) in places.items()}
    dt = 0.0125
    run(h, 100, dt, -70)
    out = {"axon_times": crossings(t, vs["axon(0.5)"], -20.0)}
    at = lambda v, ms: round(float(v[int(round(ms / dt))]), 5)
    for k, v in vs.items():
        out[k] = {"peak": round(float(v.max()), 5), "at_39": at(v, 39), "at_41": at(v, 41), "at_100": at(v, 100)}
    del ic, keep, synapse
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
    for name, f in (("branched", branched), ("ahp", ahp), ("channels", channels), ("nmda_spike", nmda_spike), ("detailed", detailed)):
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
