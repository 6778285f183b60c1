"""Reference fits for src/core/aperiodic.rs: specparam 2.0.0rc7, fixed mode, defaults.

    python aperiodic_specparam.py > aperiodic_specparam.json
"""
import json

import numpy as np
import specparam
from specparam import SpectralModel

rng = np.random.default_rng(5)
f = np.arange(2, 81) * 0.5
cases = []
for offset, exponent, peaks in (
    (1.0, 1.2, [(10.0, 0.8, 1.0), (22.0, 0.4, 2.0)]),
    (-0.5, 2.0, [(6.0, 0.6, 0.8), (30.0, 0.5, 1.5)]),
    (2.0, 0.7, [(12.0, 1.0, 1.5)]),
):
    y = offset - exponent * np.log10(f) + sum(h * np.exp(-((f - c) ** 2) / (2 * s * s)) for c, h, s in peaks)
    y = np.round(y + 0.03 * rng.standard_normal(len(f)), 6)
    m = SpectralModel(aperiodic_mode="fixed", max_n_peaks=8, verbose=False)
    m.fit(f, 10**y)
    gaussians = np.atleast_2d(m.results.params.periodic.get_params("fit"))
    cases.append({
        "log10_power": y.tolist(),
        "aperiodic": np.asarray(m.results.params.aperiodic.get_params("fit")).tolist(),
        "peaks": gaussians.tolist(),
        "r_squared": float(m.results.metrics.get_metrics("gof", "rsquared")),
    })
print(json.dumps({"tool": f"specparam {specparam.__version__}", "frequencies": f.tolist(), "cases": cases}))
