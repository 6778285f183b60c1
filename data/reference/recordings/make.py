"""Small recordings as pynwb, h5py (in SONATA's layout, as bmtk writes it) and NumPy write them, and what stands in them.

    pip install pynwb==4.2.0 h5py==3.16.0 numpy==2.4.6 && python make.py

NWB files are written without the copy of the standard that pynwb puts beside the data. `expected.json` says what a
reader has to find. Identifiers and times of making are fixed, yet HDF5 stores some times of its own: the files that are
stored are those that are tested.
"""

import datetime
import json

import h5py
import numpy as np
from hdmf.backends.hdf5 import H5DataIO
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.ecephys import LFP, ElectricalSeries

rng = np.random.default_rng(1)
expected = {}


def session():
    begin = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    return NWBFile(session_description="example", identifier="example", session_start_time=begin)


def write(nwb, name):
    with NWBHDF5IO(name, "w") as io:
        io.write(nwb, cache_spec=False)


# Four units in two regions; the third was observed for five seconds only, the second never fired.
nwb = session()
probe = nwb.create_device("probe")
shanks = [nwb.create_electrode_group(f"shank{k}", description="s", location="x", device=probe) for k in range(2)]
for k in range(4):
    nwb.add_electrode(group=shanks[k // 2], location=["CA1", "V1"][k // 2])
nwb.add_unit_column("quality", "of the sorting")
nwb.add_unit_column("unit_name", "name")
trains = [
    np.sort(rng.uniform(0.5, 9.5, 40)),
    np.array([]),
    np.sort(rng.uniform(0.5, 4.5, 20)),
    np.sort(rng.uniform(0.5, 9.5, 30)),
]
for k, train in enumerate(trains):
    nwb.add_unit(
        id=[3, 7, 8, 21][k],
        spike_times=train,
        obs_intervals=[[0.0, 5.0 if k == 2 else 10.0]],
        electrodes=[k],
        quality="good",
        unit_name=f"cell_{k}",
    )
nwb.add_trial_column("stimulus", "what was shown")
for k in range(5):
    nwb.add_trial(start_time=2.0 * k, stop_time=2.0 * k + 1.5, stimulus="ab"[k % 2])
sites = nwb.create_electrode_table_region([0, 1], "two sites")
raw = rng.integers(-100, 100, (100, 2)).astype("i2")
nwb.add_acquisition(
    ElectricalSeries(name="raw", data=raw, electrodes=sites, rate=10.0, starting_time=0.5, conversion=1e-6, offset=2e-6)
)
nwb.add_acquisition(TimeSeries(name="eye", data=np.arange(21.0), unit="degrees", timestamps=np.arange(21.0) * 0.5))
nwb.add_acquisition(TimeSeries(name="licks", data=np.ones(4), unit="V", timestamps=[0.0, 1.0, 3.0, 4.0]))
module = nwb.create_processing_module("ecephys", "derived")
lfp = LFP()
module.add(lfp)
wave = np.sin(np.arange(200)[:, None] / [[10.0, 20.0]]).astype("f4")
lfp.add_electrical_series(ElectricalSeries(name="lfp", data=wave, electrodes=sites, rate=20.0, conversion=1e-3))
write(nwb, "units.nwb")
expected["units.nwb"] = {
    "CA1": {"size": 2, "times_s": sorted(trains[0].tolist())},
    "V1": {"size": 2, "times_s": sorted([*trains[2].tolist(), *trains[3].tolist()])},
    "raw": [float(v) for v in raw[:, 1] * 1e-6 + 2e-6],
    "lfp": [float(v) for v in wave[:, 0].astype("f8") * 1e-3],
}

# Two equal trains, of which one was observed half as long: over what both saw they are the same.
nwb = session()
train = np.arange(0.1, 20.0, 0.173)
nwb.add_unit(spike_times=train, obs_intervals=[[0.0, 20.0]])
nwb.add_unit(spike_times=train[train < 10.0], obs_intervals=[[0.0, 10.0]])
write(nwb, "halves.nwb")
expected["halves.nwb"] = {"common_s": [0.0, 10.0], "each": int((train < 10.0).sum())}

# Compressed, shuffled, big-endian, in pieces; no units.
nwb = session()
wave = rng.normal(size=(300, 3)).astype(">f4")
data = H5DataIO(wave, compression="gzip", shuffle=True, fletcher32=True, chunks=(64, 2))
nwb.add_acquisition(TimeSeries(name="wave", data=data, unit="volts", rate=100.0))
write(nwb, "compressed.nwb")
expected["compressed.nwb"] = [float(v) for v in wave[:, 2]]

# A session without anything.
write(session(), "empty.nwb")

# SONATA as bmtk writes it: two populations in two units.
with h5py.File("spikes.h5", "w") as f:
    f.attrs["magic"], f.attrs["version"] = np.uint32(0x0A7A), [np.uint32(0), np.uint32(1)]
    cortex, lgn = f.create_group("/spikes/v1"), f.create_group("/spikes/lgn")
    times = np.sort(rng.uniform(0, 1000, 120))
    cortex.create_dataset("timestamps", data=times).attrs["units"] = "milliseconds"
    cortex.create_dataset("node_ids", data=rng.integers(0, 30, 120).astype("u8"))
    cortex.attrs["sorting"] = "by_time"
    seconds = np.sort(rng.uniform(0, 1, 50))
    lgn.create_dataset("timestamps", data=seconds.astype(">f8"), chunks=(7,), compression="lzf").attrs["units"] = "s"
    lgn.create_dataset("node_ids", data=rng.integers(5, 9, 50).astype(">i4"), chunks=(9,), maxshape=(None,))
    expected["spikes.h5"] = {"v1": times.tolist(), "lgn": (seconds * 1000.0).tolist()}

# The newest and the oldest way of writing the same, without a unit of time.
for name, libver in [("newest.h5", "latest"), ("oldest.h5", "earliest")]:
    with h5py.File(name, "w", libver=libver) as f:
        many = {"chunks": (16,), "maxshape": (None,), "compression": "gzip", "shuffle": True}
        f.create_dataset("/spikes/p/timestamps", data=np.arange(100.0), **many)
        f.create_dataset("/spikes/p/node_ids", data=np.arange(100, dtype="u2") % 7, **many)

# A report of SONATA: a variable of four nodes.
with h5py.File("report.h5", "w") as f:
    report = rng.normal(size=(50, 4))
    f.create_dataset("/report/v1/data", data=report).attrs["units"] = "mV"
    f.create_dataset("/report/v1/mapping/node_ids", data=np.arange(4, dtype="u8"))
    f.create_dataset("/report/v1/mapping/element_ids", data=np.zeros(4, dtype="u8"))
    f.create_dataset("/report/v1/mapping/index_pointer", data=np.arange(5, dtype="u8"))
    f.create_dataset("/report/v1/mapping/time", data=[0.0, 5.0, 0.1]).attrs["units"] = "ms"
    expected["report.h5"] = report[:, 3].tolist()

# Neither of the two.
with h5py.File("other.h5", "w") as f:
    f["spikes"], f["group/x"] = np.arange(3), np.arange(4.0)
    ragged = f.create_dataset("ragged", (3,), dtype=h5py.vlen_dtype(np.float64))
    ragged[0], ragged[2] = [1.0, 2.0], [3.0]

# Arrays.
wave = np.sin(np.arange(400) / 7.0)
np.save("lfp.npy", wave.astype("<f4"))
np.save("two.npy", np.asfortranarray(np.stack([wave, 2 * wave], axis=1).astype(">f8"))[:40])
np.save("counts.npy", np.arange(60, dtype=">i2").reshape(30, 2))
expected["lfp.npy"] = [float(v) for v in wave.astype("<f4")]

# Datasets that were never written: their space is not there, and every value is the fill value.
with h5py.File("unwritten.h5", "w") as f:
    times = f.create_dataset("/spikes/p/timestamps", shape=(3,), dtype="f8", fillvalue=2.5)
    times.attrs["units"] = "ms"
    f.create_dataset("/spikes/p/node_ids", shape=(3,), chunks=(2,), dtype="u4")
    f.create_dataset("/spikes/q/timestamps", shape=(0,), maxshape=(None,), dtype="f8")
    f.create_dataset("/spikes/q/node_ids", shape=(0,), maxshape=(None,), dtype="u4")

with open("expected.json", "w") as f:
    json.dump(expected, f)
    f.write("\n")
