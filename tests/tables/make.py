# Writes the Parquet files beside it: types that other programs write and ours does not. Needs pyarrow.
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

MS, UNITS = [10, 20, 30, 40, 55, 60, 80], [0, 1, 0, 1, 2, 0, 2]


def write(name, times, units=None, metadata=None, **more):
    units = pa.array(UNITS, pa.int64()) if units is None else units
    table = pa.table({"time_ms" if "time" not in more else more.pop("time"): times, "unit": units, **more})
    if metadata:
        table = table.replace_schema_metadata(metadata)
    pq.write_table(table, f"{name}.parquet", compression="none", write_statistics=False)


# Seven spikes of three units in every width and type that numbers have.
for kind in ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64"]:
    dtype = getattr(pa, kind)()
    whole = pa.array(UNITS, dtype if "int" in kind else pa.int16())
    times = pa.array(MS, pa.int64()).cast(dtype) if "int" in kind else pa.array([float(m) for m in MS], pa.float64()).cast(dtype)
    write(kind, times, whole)
write("decimal", pa.array([Decimal(m) for m in MS], pa.decimal128(6, 1)))
write("decimal_wide", pa.array([Decimal(m) for m in MS], pa.decimal128(30, 3)))
write("duration", pa.array([m * 1000 for m in MS], pa.duration("us")), time="time")
write("metadata", pa.array([m / 1e3 for m in MS], pa.float64()), time="time", metadata={"time_unit": "s"})
write("dictionary", pa.array(MS, pa.float64()), pa.array([f"ch_{u}" for u in UNITS]).dictionary_encode())
write("text", pa.array(MS, pa.float64()), pa.array([f"ch_{u}" for u in UNITS]))
# What is no number, in the place of times, and beside them, where nobody asks for it.
STRANGE = {
    "timestamp": pa.array(MS, pa.timestamp("ms")),
    "date": pa.array([1] * 7, pa.date32()),
    "clock": pa.array(MS, pa.time32("ms")),
    "list": pa.array([[1.0, 2.0]] * 7, pa.list_(pa.float64())),
    "struct": pa.array([{"a": 1}] * 7),
    "map": pa.array([[("a", 1)]] * 7, pa.map_(pa.string(), pa.int64())),
    "binary": pa.array([b"x"] * 7),
    "nested": pa.array([[{"a": [1]}]] * 7),
}
for name, values in STRANGE.items():
    write(f"time_is_{name}", values)
write("beside", pa.array(MS, pa.float64()), **STRANGE)
# A table without rows has a row group of none, whose columns stand nowhere.
none = pa.table({"time_ms": pa.array([], pa.float64()), "unit": pa.array([], pa.int64())})
pq.write_table(none, "no_rows.parquet", compression="none", write_statistics=False)
