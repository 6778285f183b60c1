"""Points of Sobol' sequences in 21 dimensions (Joe and Kuo 2008), as SciPy's `scipy.stats.qmc.Sobol` gives them without
scrambling: numbers for src/scenario/design.rs. Run with SciPy 1.13 or later."""

import numpy as np
from scipy.stats import qmc

points = qmc.Sobol(d=21, scramble=False, bits=32).random(1024)
for k in (1, 6, 100, 1023):
    print(k, np.array2string(points[k] * 1024, separator=", ", max_line_width=110, formatter={"float": "{:.0f}".format}))
