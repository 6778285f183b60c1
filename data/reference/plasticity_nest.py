"""Weights of NEST's plastic synapses for one pair of spike trains: what src/sim/tests/plasticity.rs is held against.

Run: python plasticity_nest.py   (NEST 3.10; writes plasticity_nest.json beside itself)

Two parrot neurons repeat listed spikes; the synapse under test goes from one to the other (receptor 1: what arrives is ignored),
and a weight recorder notes the weight that each spike of the source sends.
"""

import json
import pathlib
import random

import nest

nest.verbosity = nest.VerbosityLevel.ERROR
DT, DELAY = 0.1, 1.5


def trains():
    random.seed(20)
    draw = lambda n: sorted({round(random.randrange(50, 9900) * DT, 1) for _ in range(n)})
    pre, post = draw(40), draw(40)
    # Spikes that reach the synapse together, and one step around that.
    for k, shift in ((5, 0.0), (12, 0.1), (20, -0.1), (28, 0.0)):
        post.append(round(pre[k] - DELAY + shift, 1))
    return pre, sorted(set(post))


def run(model, params, pre, post, weight):
    nest.ResetKernel()
    nest.set(resolution=DT)
    source, target = nest.Create("parrot_neuron", 2)
    # The generators reach the parrots after 1 ms.
    for times, neuron in ((pre, source), (post, target)):
        generator = nest.Create("spike_generator", params={"spike_times": [round(t - 1.0, 1) for t in times]})
        nest.Connect(generator, neuron, syn_spec={"delay": 1.0})
    recorder = nest.Create("weight_recorder")
    nest.CopyModel(model, "under_test", {"weight_recorder": recorder})
    common = {k: v for k, v in params.items() if k.startswith("common_")}
    if common:
        nest.SetDefaults("under_test", {k[7:]: v for k, v in common.items()})
    spec = {k: v for k, v in params.items() if not k.startswith(("common_", "post_"))}
    target.set({k[5:]: v for k, v in params.items() if k.startswith("post_")})
    nest.Connect(source, target, syn_spec={"synapse_model": "under_test", "weight": weight, "delay": DELAY, "receptor_type": 1, **spec})
    nest.Simulate(1000.0)
    events = recorder.events
    return [float(w) for w in events["weights"]], [round(float(t), 1) for t in events["times"]]


CASES = {
    "stdp_additive": ("stdp_synapse", 0.5, {"tau_plus": 16.8, "lambda": 0.02, "alpha": 1.1, "mu_plus": 0.0, "mu_minus": 0.0, "Wmax": 1.0, "post_tau_minus": 33.7}),
    "stdp_multiplicative": ("stdp_synapse", 0.5, {"tau_plus": 20.0, "lambda": 0.02, "alpha": 1.1, "mu_plus": 1.0, "mu_minus": 1.0, "Wmax": 1.0, "post_tau_minus": 20.0}),
    "stdp_gutig": ("stdp_synapse", 0.5, {"tau_plus": 20.0, "lambda": 0.02, "alpha": 1.1, "mu_plus": 0.4, "mu_minus": 0.4, "Wmax": 1.0, "post_tau_minus": 20.0}),
    "stdp_power_law": ("stdp_pl_synapse_hom", 45.0, {"common_tau_plus": 15.0, "common_lambda": 0.1, "common_alpha": 0.06, "common_mu": 0.4, "post_tau_minus": 30.0}),
    "stdp_triplet": ("stdp_triplet_synapse", 1.0, {"tau_plus": 16.8, "tau_plus_triplet": 101.0, "Aplus": 0.005, "Aplus_triplet": 0.006, "Aminus": 0.007, "Aminus_triplet": 0.0023, "Wmax": 100.0, "post_tau_minus": 33.7, "post_tau_minus_triplet": 125.0}),
    "vogels": ("vogels_sprekeler_synapse", 0.5, {"tau": 20.0, "eta": 0.01, "alpha": 0.2, "Wmax": 10.0, "post_tau_minus": 20.0}),
    "tsodyks2": ("tsodyks2_synapse", 1.0, {"U": 0.2, "u": 0.2, "x": 1.0, "tau_rec": 200.0, "tau_fac": 1500.0}),
    "tsodyks": ("tsodyks_synapse", 1.0, {"U": 0.2, "u": 0.0, "x": 1.0, "y": 0.0, "tau_rec": 200.0, "tau_fac": 1500.0, "tau_psc": 3.0}),
}

pre, post = trains()
out = {"tool": f"NEST {nest.__version__}", "script": "plasticity_nest.py", "dt_ms": DT, "delay_ms": DELAY, "pre_ms": pre, "post_ms": post, "cases": {}}
for name, (model, weight, params) in CASES.items():
    weights, times = run(model, params, pre, post, weight)
    assert times == pre, (name, times, pre)
    out["cases"][name] = {"model": model, "weight": weight, "parameters": params, "weights": weights}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(out) + "\n")
