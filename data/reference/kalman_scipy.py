"""Reference for src/core/kalman.rs: SciPy's solve_discrete_are, and the textbook's equations of the filter in NumPy.

    python kalman_scipy.py > kalman_scipy.json
"""
import json

import numpy as np
import scipy
from scipy.linalg import solve_discrete_are, solve_discrete_lyapunov

rng = np.random.default_rng(1)
A = 0.97 * np.array([[np.cos(0.2), -np.sin(0.2)], [np.sin(0.2), np.cos(0.2)]])
W = np.array([[0.3, 0.1], [0.1, 0.2]])
H = np.array([[0.8, 0.1], [-0.3, 0.5], [0.0, 0.4]])
Q = np.array([[1.0, 0.3, 0.0], [0.3, 2.0, 0.2], [0.0, 0.2, 0.7]])
prior = solve_discrete_lyapunov(A, W)
n = 300
x = np.zeros((n, 2))
x[0] = rng.multivariate_normal([0, 0], prior)
for t in range(1, n):
    x[t] = A @ x[t - 1] + rng.multivariate_normal([0, 0], W)
z = x @ H.T + rng.multivariate_normal([0, 0, 0], Q, size=n)
m, P, out = np.zeros(2), prior, []
for t in range(n):
    if t:
        m, P = A @ m, A @ P @ A.T + W
    K = P @ H.T @ np.linalg.inv(H @ P @ H.T + Q)
    m, P = m + K @ (z[t] - H @ m), (np.eye(2) - K @ H) @ P
    out.append(m)
ahead = solve_discrete_are(A.T, H.T, W, Q)
posterior = ahead - ahead @ H.T @ np.linalg.inv(H @ ahead @ H.T + Q) @ H @ ahead
flat = lambda a: np.asarray(a).ravel().tolist()
print(json.dumps({"tool": f"SciPy {scipy.__version__}", "A": flat(A), "W": flat(W), "H": flat(H), "Q": flat(Q), "prior": flat(prior),
                  "posterior": flat(posterior), "z": z.T.tolist(), "estimates": np.array(out).T.tolist()}))
