"""Files whose times are in other units than usual, or said twice.

    pip install h5py==3.16.0 numpy==2.4.6 && python times.py

`milliseconds.nwb` has spikes, observation intervals, trials, a start and times of samples in milliseconds by their
attribute `unit`. `rows.h5` is a report in SONATA's layout with fewer rows than its time says.
"""

import h5py
import numpy as np


def dataset(group, name, values, **attributes):
    made = group.create_dataset(name, data=np.asarray(values))
    for key, value in attributes.items():
        made.attrs[key] = value
    return made


with h5py.File("milliseconds.nwb", "w") as file:
    units = file.create_group("units")
    dataset(units, "id", [0, 1])
    dataset(units, "spike_times", [100.0, 250.0, 900.0, 400.0, 500.0], unit="milliseconds")
    dataset(units, "spike_times_index", [3, 5])
    dataset(units, "obs_intervals", [[0.0, 1000.0], [0.0, 1000.0]], unit="ms")
    dataset(units, "obs_intervals_index", [1, 2])
    trials = file.create_group("intervals/trials")
    dataset(trials, "id", [0, 1])
    dataset(trials, "start_time", [0.0, 500.0], unit="ms")
    dataset(trials, "stop_time", [500.0, 1000.0], unit="ms")
    values = np.sin(np.arange(100) / 5.0)
    for name, rate, times, conversion in [
        ("by_start", 100.0, None, 1.0),
        ("by_times", None, 20.0 + 10.0 * np.arange(100), 1.0),
        ("both", 100.0, 20.0 + 10.0 * np.arange(100), 1.0),
        ("against_each_other", 100.0, 20.0 + 5.0 * np.arange(100), 1.0),
        ("nothing_is_left", 100.0, None, 0.0),
    ]:
        series = file.create_group(f"acquisition/{name}")
        dataset(series, "data", values, unit="volts", conversion=conversion)
        if rate is not None:
            dataset(series, "starting_time", 20.0, unit="ms", rate=rate)
        if times is not None:
            dataset(series, "timestamps", times, unit="ms")

with h5py.File("rows.h5", "w") as file:
    report = file.create_group("report/cells")
    dataset(report, "data", np.zeros((90, 2)) + np.arange(2), units="mV")
    dataset(report, "mapping/time", [0.0, 100.0, 1.0], units="ms")
    dataset(report, "mapping/node_ids", [0, 1])
