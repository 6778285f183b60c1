"""Writes scenarios/microcircuit.toml and, with the argument `large`, microcircuit-large.toml: the cortical microcircuit of Potjans and Diesmann (2014), scaled
down after van Albada et al. (2015).

Populations, connection probabilities, external in-degrees and rates are the published ones. The program works the rest out of the tables (`spikedeck explain circuits`):
numbers of connections from the probabilities, K = ln(1 - C)/ln(1 - 1/(N_pre N_post)); at scale s there are s N neurons with s times the in-degree; weights are
divided by sqrt(s), which keeps the variance of the input, and a constant current replaces the mean that is missing,
(1 - sqrt(s)) tau_syn (sum K w nu + K_ext w nu_ext). What is written here anew for each scale are the limits of the rates.

`python microcircuit.py long` writes every population, projection and stimulus out, as this file did before there were circuits: a test of the room `scenario` holds
that both are the same to the last bit.
"""

import math
import sys

POPULATIONS = ["L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I"]
SIZE = [20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948]
PROBABILITY = [  # target, source
    [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
    [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
    [0.0077, 0.0059, 0.0497, 0.1350, 0.0067, 0.0003, 0.0453, 0.0],
    [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
    [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
    [0.0548, 0.0269, 0.0257, 0.0022, 0.0600, 0.3158, 0.0086, 0.0],
    [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
    [0.0364, 0.0010, 0.0034, 0.0005, 0.0277, 0.0080, 0.0658, 0.1443],
]
EXTERNAL = [1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100]
RATE = [0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829]  # full scale, reference implementation
NU_EXT = 8.0
TAU_SYN = 0.5e-3
W = 87.8081  # pA: 0.15 mV at the peak of the potential
G = -4.0
# Half width of what is accepted, as a share of the published rate and as a rate, by scale: the smaller the circuit, the wider.
TOLERANCE = {0.01: (1.0, 1.2), 0.02: (0.97, 1.0), 0.05: (0.7, 0.8), 0.1: (0.5, 0.6), 0.2: (0.4, 0.45), 0.5: (0.25, 0.3), 1.0: (0.15, 0.2)}


def total(i, j):
    c, pairs = PROBABILITY[i][j], SIZE[i] * SIZE[j]
    return round(math.log(1 - c) / math.log((pairs - 1) / pairs)) if c > 0 else 0


def weight(i, j):
    return G * W if j % 2 else (2 * W if (i, j) == (0, 2) else W)


def at(scale):
    """Path and value of everything that depends on the scale."""
    root = math.sqrt(scale)
    rows = {}
    for i, p in enumerate(POPULATIONS):
        rows[f"populations.{p}.size"] = max(1, round(SIZE[i] * scale))
    for i, p in enumerate(POPULATIONS):
        for j, q in enumerate(POPULATIONS):
            if PROBABILITY[i][j] > 0:
                name, w = f"projections.{q}_{p}", weight(i, j) / root
                rows[f"{name}.connect.total"] = round(total(i, j) * scale * scale)
                bound = "max" if w < 0 else "min"
                rows[f"{name}.weight"] = f'{{ normal = {{ mean = "{w:.4f} pA", sd = "{abs(w) / 10:.4f} pA", {bound} = "0 pA" }} }}'
    for i, p in enumerate(POPULATIONS):
        mean = sum(total(i, j) / SIZE[i] * weight(i, j) * RATE[j] for j in range(8)) + EXTERNAL[i] * W * NU_EXT
        rows[f"stimuli.background_{p}.sources"] = round(EXTERNAL[i] * scale)
        rows[f"stimuli.background_{p}.weight"] = f'"{W / root:.4f} pA"'
        rows[f"stimuli.constant_{p}.amplitude"] = f'"{(1 - root) * TAU_SYN * mean:.4f} pA"'
    share, least = TOLERANCE.get(scale, (0.5, 1.0))
    for i, p in enumerate(POPULATIONS):
        half = max(share * RATE[i], least)
        rows[f"expect.{p}.min"] = f'"{max(0.0, RATE[i] - half):.3f} Hz"'
        rows[f"expect.{p}.max"] = f'"{RATE[i] + half:.3f} Hz"'
    return rows


HEAD = '''# Written by data/reference/microcircuit.py.
title = "The cortical microcircuit, scaled down"
description = """
Four layers of cortex under one square millimetre, with an excitatory and an inhibitory population in each: the circuit of Potjans and Diesmann, whose 77,169 neurons and 299 million connections follow from anatomy and physiology alone. With one set of neurons and synapses everywhere, differences of rate between layers come from the wiring: at full scale 0.9 and 3.0 spikes
a second in layer 2/3 (excitatory, inhibitory), 4.4 and 5.9 in layer 4, 7.6 and 8.6 in layer 5, 1.1 and 7.8 in layer 6.

Here the circuit has @PERCENT@ % of its neurons, and each of them @PERCENT@ % of its connections. Van Albada, Helias and Diesmann showed what can be kept then: the mean and the variance of the input of each neuron, by weights divided by the root of the scale and by a constant current; and what cannot: correlations, which grow as the circuit shrinks, and the smallness of single inputs, whose weights grow. So rates fall behind those of
the full circuit, the more the smaller it is, and the limits below widen: they say what to trust. The order of the layers shows from 5 % on; at 30 % seven of the eight rates are within 12 % of the published ones. Look at the raster: stripes that the full circuit does not have. Other scales are in the variants and, up to full size, in `microcircuit-large`."""
references = [
    "Potjans, Diesmann 2014, Cereb Cortex 24:785-806, doi:10.1093/cercor/bhs358",
    "van Albada, Helias, Diesmann 2015, PLoS Comput Biol 11:e1004490, doi:10.1371/journal.pcbi.1004490",
]
'''


def measured(rows):
    """Analyses and expectations."""
    out = []
    spikes = ", ".join(f'"{p}.spikes"' for p in POPULATIONS)
    out.append(f'[analyses.raster]\nkind = "raster"\nof = [{spikes}]\nbin = "5 ms"\n')
    out.append(f'[analyses.rates]\nkind = "rates"\nof = [{spikes}]\n')
    out.append(f'[analyses.irregularity]\nkind = "isi"\nof = [{spikes}]\nmin_intervals = 3\n')
    out.append(f'[analyses.fluctuation]\nkind = "population_rate"\nof = [{spikes}]\nbin = "3 ms"\n')
    out.append("[expect]")
    for i, p in enumerate(POPULATIONS):
        low, high = rows[f"expect.{p}.min"], rows[f"expect.{p}.max"]
        out.append(
            f'{p} = {{ metric = "rates.{p}.spikes.mean_rate", min = {low}, max = {high}, source = "full scale: {RATE[i]} Hz in the reference implementation (NEST); limits by scale" }}'
        )
    return "\n".join(out)


def limits(scale):
    """Path and value of the limits of the rates, by scale."""
    return {path: value for path, value in at(scale).items() if path.startswith("expect.")}


def scenario(scale, variants, tags):
    listed = lambda values: ", ".join(str(v) for v in values)
    names = listed(f'"{p}"' for p in POPULATIONS)
    out = [HEAD.replace("@PERCENT@", f"{100 * scale:g}"), f"tags = {tags}\n"]
    out.append('[simulation]\nduration = "1.2 s"\ndt = "0.1 ms"\ntransient = "200 ms"\nseed = 1\n')
    rows = "\n".join("    [" + ", ".join(f"{p:6.4f}" if p else "0.0   " for p in row) + "]," for row in PROBABILITY)
    out.append(
        f"""# Rows are targets, columns are sources, both in the order of `populations`. Sizes, weights, in-degrees and rates are those of
# full scale.
[circuits.column]
scale = {scale:g}
populations = [{names}]
sizes = [{listed(SIZE)}]
probability = [
{rows}
]
rule = "fixed_total_number"
autapses = true
receptor = "syn"
weight = [{listed(f'"{weight(7, j):.4f} pA"' for j in range(8))}]
weight_spread = 0.1
pairs.L4E_L23E.weight = "{weight(0, 2):.4f} pA"
delay = [{listed('"0.75 ms"' if j % 2 else '"1.5 ms"' for j in range(8))}]
delay_spread = 0.5
background = {{ sources = [{listed(EXTERNAL)}], rate = "{NU_EXT:g} Hz", weight = "{W} pA" }}
rates = [{listed(f'"{r} Hz"' for r in RATE)}]
decimals = 4
record.spikes = true

[circuits.column.each]
model = "lif"
parameters = {{ tau_m = "10 ms", R_m = "40 Mohm", E_L = "-65 mV", V_th = "-50 mV", V_reset = "-65 mV", t_ref = "2 ms" }}
initial = {{ V_m = {{ normal = {{ mean = "-58 mV", sd = "10 mV", max = "-50.1 mV" }} }} }}
receptors.syn = {{ kind = "exp_current", tau = "{TAU_SYN * 1e3:g} ms" }}
"""
    )
    out.append(measured(limits(scale)))
    for name, s in variants:
        out.append(f'\n[variants.{name}]\n"circuits.column.scale" = {s:g}')
        out += [f'"{path}" = {value}' for path, value in limits(s).items()]
    return "\n".join(out) + "\n"


def written_out(scale, variants, tags):
    rows = at(scale)
    # Rules, ends and delays do not depend on the scale.
    out = [HEAD.replace("@PERCENT@", f"{100 * scale:g}"), f"tags = {tags}\n"]
    out.append('[simulation]\nduration = "1.2 s"\ndt = "0.1 ms"\ntransient = "200 ms"\nseed = 1\n')
    for p in POPULATIONS:
        out.append(
            f"[populations.{p}]\nmodel = \"lif\"\nsize = {rows[f'populations.{p}.size']}\n"
            'parameters = { tau_m = "10 ms", R_m = "40 Mohm", E_L = "-65 mV", V_th = "-50 mV", V_reset = "-65 mV", t_ref = "2 ms" }\n'
            'initial = { V_m = { normal = { mean = "-58 mV", sd = "10 mV", max = "-50.1 mV" } } }\n'
            'receptors.syn = { kind = "exp_current", tau = "0.5 ms" }\n'
        )
    for i, p in enumerate(POPULATIONS):
        for j, q in enumerate(POPULATIONS):
            name = f"projections.{q}_{p}"
            if PROBABILITY[i][j] > 0:
                delay = ("0.75 ms", "0.375 ms") if j % 2 else ("1.5 ms", "0.75 ms")
                out.append(
                    f'[{name}]\nfrom = "{q}"\nto = "{p}.syn"\n'
                    f'connect = {{ rule = "fixed_total_number", total = {rows[name + ".connect.total"]}, multapses = true, autapses = true }}\n'
                    f'weight = {rows[name + ".weight"]}\ndelay = {{ normal = {{ mean = "{delay[0]}", sd = "{delay[1]}", min = "0.1 ms" }} }}\n'
                )
    for i, p in enumerate(POPULATIONS):
        b, c = f"stimuli.background_{p}", f"stimuli.constant_{p}"
        out.append(f'[{b}]\ntarget = "{p}.syn"\nkind = "poisson"\nrate = "{NU_EXT:g} Hz"\nsources = {rows[b + ".sources"]}\nweight = {rows[b + ".weight"]}\n')
        out.append(f'[{c}]\ntarget = "{p}.I"\nkind = "constant"\namplitude = {rows[c + ".amplitude"]}\n')
    for p in POPULATIONS:
        out.append(f"[record.{p}]\nspikes = true\n")
    out.append(measured(rows))
    for name, s in variants:
        out.append(f"\n[variants.{name}]")
        out += [f'"{path}" = {value}' for path, value in at(s).items()]
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    ordinary = '["network", "cortex", "microcircuit", "balanced", "scaling"]'
    large = '["network", "cortex", "microcircuit", "balanced", "scaling", "large"]'
    small = (0.05, [("one_percent", 0.01), ("two_percent", 0.02), ("ten_percent", 0.1)], ordinary)
    if sys.argv[1:] == ["large"]:
        print(scenario(0.2, [("half", 0.5), ("full", 1.0)], large), end="")
    elif sys.argv[1:] == ["long"]:
        print(written_out(*small), end="")
    else:
        print(scenario(*small), end="")
