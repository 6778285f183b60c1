"""Reference values for src/core/spike_tiles.rs, train_metric.rs, spike_distance.rs, kernel_rate.rs: Elephant 1.2.1 and
PySpike 0.9.0.

    python spike_trains_elephant.py > spike_trains_elephant.json
"""
import itertools
import json
import warnings

import neo
import numpy as np
import pyspike as ps
import quantities as pq
from elephant.conversion import BinnedSpikeTrain
from elephant.spike_train_correlation import correlation_coefficient, spike_time_tiling_coefficient
from elephant.spike_train_dissimilarity import van_rossum_distance, victor_purpura_distance
from elephant.statistics import optimal_kernel_bandwidth

warnings.simplefilter("ignore")
state = 1


def uniform():
    global state
    state = 16807 * state % 2147483647
    return state / 2147483647


STOP = 20.0
# On a grid of 1/64 s, so that some spikes coincide exactly; the last is in bursts.
trains = [sorted({(1 + int(uniform() * (STOP - 1) * 64)) / 64 for _ in range(n)}) for n in (40, 40, 15, 90, 3)]
trains.append([t + 1 / 64 for t in trains[0][3:33]])
trains.append(sorted({t + k / 64 for t in trains[2] for k in (0, 1, 3, 4)}))
neo_trains = [neo.SpikeTrain(t, units="s", t_start=0 * pq.s, t_stop=STOP * pq.s) for t in trains]
spikes = [ps.SpikeTrain(t, [0.0, STOP]) for t in trains]
pairs = list(itertools.combinations(range(len(trains)), 2))
upper = np.triu_indices(len(trains), 1)
threshold = ps.isi_lengths.default_thresh(spikes)
binned = BinnedSpikeTrain(neo_trains, bin_size=0.5 * pq.s, t_start=0 * pq.s, t_stop=STOP * pq.s)

# Rates that rise and fall, for the bandwidth: a sine of 0.5 Hz between 2 and 38 Hz.
rising = []
t = 0.0
while True:
    t -= np.log(1.0 - uniform()) / 40.0
    if t > STOP:
        break
    if 40.0 * uniform() < 20.0 + 18.0 * np.sin(np.pi * t):
        rising.append(t)

print(json.dumps({
    "tool": "Elephant 1.2.1, PySpike 0.9.0",
    "stop": STOP,
    "trains": trains,
    "sttc_dt": [0.02, 0.1, 0.5],
    "sttc": [[float(spike_time_tiling_coefficient(neo_trains[i], neo_trains[j], dt=dt * pq.s)) for i, j in pairs]
             for dt in (0.02, 0.1, 0.5)],
    "victor_purpura_q": [1.0, 7.0, 50.0],
    "victor_purpura": [victor_purpura_distance(neo_trains, cost_factor=q / pq.s)[upper].tolist()
                       for q in (1.0, 7.0, 50.0)],
    "van_rossum_tau": [0.02, 0.3, 2.0],
    "van_rossum": [van_rossum_distance(neo_trains, time_constant=tau * pq.s)[upper].tolist() for tau in (0.02, 0.3, 2.0)],
    "correlation_bin": 0.5,
    "correlation": correlation_coefficient(binned)[upper].tolist(),
    "threshold": float(threshold),
    "adaptive_isi": [ps.isi_distance(spikes[i], spikes[j], MRTS=threshold) for i, j in pairs],
    "adaptive_spike": [ps.spike_distance(spikes[i], spikes[j], MRTS=threshold) for i, j in pairs],
    "adaptive_sync": [ps.spike_sync(spikes[i], spikes[j], MRTS=threshold) for i, j in pairs],
    "order": [ps.spike_train_order(spikes[i], spikes[j]) for i, j in pairs],
    "rising": rising,
    "bandwidth": float(optimal_kernel_bandwidth(np.array(rising))["optw"]),
}))
