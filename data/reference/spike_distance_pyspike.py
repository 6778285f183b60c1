"""Reference distances for src/core/spike_distance.rs: PySpike 0.9.0.

    python spike_distance_pyspike.py > spike_distance_pyspike.json
"""
import itertools
import json

import pyspike as ps

state = 1


def uniform():
    global state
    state = 16807 * state % 2147483647
    return state / 2147483647


STOP = 20.0
# On a grid of 1/64 s, so that some spikes coincide exactly.
trains = [sorted({int(uniform() * STOP * 64) / 64 for _ in range(n)}) for n in (40, 40, 15, 90, 3)]
trains.append(sorted({0.0, STOP} | set(trains[0][5:20])))
trains.append([7.25])
trains.append([])
trains.append([0.0])
spikes = [ps.SpikeTrain(t, [0.0, STOP]) for t in trains]
pairs = list(itertools.combinations(spikes, 2))
print(json.dumps({
    "tool": "PySpike 0.9.0",
    "stop": STOP,
    "trains": trains,
    "isi": [ps.isi_distance(a, b) for a, b in pairs],
    "spike": [ps.spike_distance(a, b) for a, b in pairs],
    "sync": [ps.spike_sync(a, b) for a, b in pairs],
}))
