"""NEST's side of `spikedeck bench stdp`: the same network, the same rule, the same second.

Run: python plastic_network_nest.py [THREADS] [REPEATS]   (NEST 3.10)
Prints one JSON object: seconds of nest.Simulate (without building), mean rate, connections.
"""

import json
import statistics
import sys
import time

import nest

threads = int(sys.argv[1]) if len(sys.argv) > 1 else 1
repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 3
nest.verbosity = nest.VerbosityLevel.ERROR

NE, NI, CE, CI = 8000, 2000, 1000, 200
NEURON = {"tau_m": 20.0, "E_L": 0.0, "V_th": 20.0, "V_reset": 10.0, "t_ref": 2.0, "tau_minus": 20.0}
RULE = {"synapse_model": "plastic", "weight": 0.1, "delay": 1.5}


def once():
    nest.ResetKernel()
    nest.set(resolution=0.1, local_num_threads=threads, rng_seed=1)
    exc = nest.Create("iaf_psc_delta", NE, params=NEURON)
    inh = nest.Create("iaf_psc_delta", NI, params=NEURON)
    for group in (exc, inh):
        group.V_m = nest.random.uniform(0.0, 20.0)
    noise = nest.Create("poisson_generator", params={"rate": 12000.0})
    recorder = nest.Create("spike_recorder")
    nest.CopyModel("stdp_synapse", "plastic", {"tau_plus": 20.0, "lambda": 0.01, "alpha": 1.0, "mu_plus": 1.0, "mu_minus": 1.0, "Wmax": 0.2})
    began = time.perf_counter()
    for group in (exc, inh):
        nest.Connect(exc, group, {"rule": "fixed_indegree", "indegree": CE}, RULE)
        nest.Connect(inh, group, {"rule": "fixed_indegree", "indegree": CI}, {"weight": -0.6, "delay": 1.5})
        nest.Connect(noise, group, syn_spec={"weight": 0.1, "delay": 1.5})
        nest.Connect(group, recorder)
    nest.Prepare()
    built = time.perf_counter()
    nest.Run(1000.0)
    done = time.perf_counter()
    nest.Cleanup()
    return done - built, built - began, recorder.n_events / (NE + NI)


results = [once() for _ in range(repeats)]
print(json.dumps({
    "tool": f"NEST {nest.__version__}",
    "threads": threads,
    "median_s": statistics.median(r[0] for r in results),
    "all_s": [r[0] for r in results],
    "build_s": results[-1][1],
    "rate_hz": results[-1][2],
    "plastic_connections": (NE + NI) * CE,
}))
