"""Reads `spikes.h5` of a run, as `spikedeck run --format sonata` writes it, with h5py.

    pip install h5py==3.16.0 && python read_sonata.py results/spikes.h5

It prints the digest of the file and what h5py finds in it.
"""

import hashlib
import sys

import h5py

with open(sys.argv[1], "rb") as f:
    print(hashlib.sha256(f.read()).hexdigest())
with h5py.File(sys.argv[1]) as f:
    print({k: f.attrs[k].tolist() for k in sorted(f.attrs)})
    for name, group in f["spikes"].items():
        print(name, dict(group["timestamps"].attrs), group["timestamps"].dtype, group["node_ids"].dtype)
        print(group["timestamps"][:].tolist(), group["node_ids"][:].tolist())
