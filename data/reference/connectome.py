"""A connectome of 76 regions by a spatial rule, written to data/connectomes: no measured brain, the same every time.

  connectome.py [FOLDER]

Places: 38 points a hemisphere, spread evenly (Fibonacci) over half an ellipsoid of 62 x 82 x 55 mm, the right one its
mirror image. Lengths of tracts: 1.2 times the straight line inside a hemisphere, by way of the middle above (0, y, 25 mm)
between hemispheres. Weights: exp(-length/40 mm) times a lognormal number (sigma 1, mean 1), three times that between a
region and its mirror image; the strongest 30 % of the pairs stay, both ways alike, and the largest weight is 1. Such a
rule gives what tractography gives: weights over two decades, many short and few long tracts, more within than between
hemispheres (Ercsey-Ravasz and others 2013, doi:10.1016/j.neuron.2013.07.036; Markov and others 2014,
doi:10.1093/cercor/bhs270).
"""
import math
import os
import random
import statistics
import sys

SIDE = 38
SCALE, SIGMA, DENSITY = 40.0, 1.0, 0.3


def places():
    """Points of both hemispheres in mm."""
    golden = math.pi * (3 - math.sqrt(5))
    left, k = [], 0
    while len(left) < SIDE:
        z = 1 - (2 * k + 1) / (2 * SIDE)
        x, y = math.sqrt(1 - z * z) * math.cos(golden * k), math.sqrt(1 - z * z) * math.sin(golden * k)
        k += 1
        if x < 0:
            left.append((62 * x - 6, 82 * y, 55 * z))
    return left + [(-x, y, z) for x, y, z in left]


def length(a, b):
    """Length of a tract in mm."""
    if a[0] * b[0] > 0:
        return 1.2 * math.dist(a, b)
    middle = (0.0, (a[1] + b[1]) / 2, 25.0)
    return 1.1 * (math.dist(a, middle) + math.dist(middle, b))


def main(folder):
    at = places()
    n = len(at)
    names = [f"{side}{k + 1:02}" for side in "LR" for k in range(SIDE)]
    draw, normal = random.Random(76), statistics.NormalDist()
    lengths = [[0.0] * n for _ in range(n)]
    pairs = []
    for i in range(n):
        for j in range(i):
            lengths[i][j] = lengths[j][i] = length(at[i], at[j])
            z = normal.inv_cdf(1 - draw.random())
            weight = math.exp(-lengths[i][j] / SCALE + SIGMA * z - SIGMA**2 / 2)
            pairs.append((weight * (3 if i == j + SIDE else 1), i, j))
    pairs.sort(reverse=True)
    pairs = pairs[: round(DENSITY * len(pairs))]
    weights = [[0.0] * n for _ in range(n)]
    for weight, i, j in pairs:
        weights[i][j] = weights[j][i] = weight / pairs[0][0]
    for name, matrix, form in [("weights", weights, "{:.4g}"), ("lengths", lengths, "{:.1f}")]:
        with open(os.path.join(folder, f"generated76_{name}.csv"), "w") as out:
            print("", *names, sep=",", file=out)
            for region, row in zip(names, matrix):
                print(region, *(form.format(v) if v else "0" for v in row), sep=",", file=out)


if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    main(sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "../connectomes"))
