"""Writes data/morphologies/pyramidal.swc: a layer 5 pyramidal cell as textbooks draw it, the same every time.

  pyramidal_swc.py OUT.swc

A soma of one sample (radius 10 um), five basal trees that branch twice, an apical trunk of 400 um with six obliques and a
tuft of eight branches, an axon of 600 um. Branches wander by a linear congruential generator, diameters at branchings follow
Rall's 3/2 power law. Made up: no reconstruction, no measured cell.
"""
import math
import sys

STATE = 20260101


def uniform(low, high):
    """Knuth's MMIX generator."""
    global STATE
    STATE = (STATE * 6364136223846793005 + 1442695040888963407) & (2**64 - 1)
    return low + (high - low) * ((STATE >> 11) / 2.0**53)


ROWS = []


def sample(kind, at, radius, parent):
    ROWS.append((len(ROWS) + 1, kind, *at, radius, parent))
    return len(ROWS)


def unit(v):
    n = math.sqrt(sum(x * x for x in v))
    return [x / n for x in v]


def turned(direction, angle):
    side = [uniform(-1, 1) for _ in range(3)]
    dot = sum(a * b for a, b in zip(side, direction))
    side = unit([s - dot * d for s, d in zip(side, direction)])
    return [math.cos(angle) * d + math.sin(angle) * s for d, s in zip(direction, side)]


def branch(kind, parent, at, direction, length, radius, end, step=15.0, wander=0.1):
    """An unbranched run; returns its last sample, position and direction."""
    n = max(2, round(length / step))
    for k in range(n):
        direction = unit([d + uniform(-wander, wander) for d in direction])
        at = [a + d * length / n for a, d in zip(at, direction)]
        parent = sample(kind, at, radius + (end - radius) * (k + 1) / n, parent)
    return parent, at, direction


def grow(kind, parent, at, direction, lengths, radius):
    """A tree that branches in two after each length."""
    last, at, direction = branch(kind, parent, at, direction, lengths[0] * uniform(0.85, 1.15), radius, 0.85 * radius)
    if len(lengths) > 1:
        for sign in (1, -1):
            grow(kind, last, at, turned(direction, sign * uniform(0.35, 0.6)), lengths[1:], 0.85 * radius * 0.5 ** (2 / 3))


def main():
    soma = sample(1, [0, 0, 0], 10.0, -1)
    for k in range(5):
        phi, down = 2 * math.pi * k / 5, -0.5
        d = unit([math.cos(phi), down, math.sin(phi)])
        start = [10 * x for x in d]
        first = sample(3, start, 0.9, soma)
        grow(3, first, start, d, [35, 60, 90], 0.9)
    up = [0.0, 1.0, 0.0]
    at, parent, radius = [0.0, 10.0, 0.0], sample(4, [0.0, 10.0, 0.0], 2.0, soma), 2.0
    for k in range(6):
        parent, at, up = branch(4, parent, at, up, 66.0, radius, radius - 0.15, wander=0.03)
        radius -= 0.15
        if k < 5:
            grow(4, parent, at, turned(up, uniform(1.0, 1.4)), [uniform(70, 110)], 0.45)
    for sign in (1, -1):
        grow(4, parent, at, turned(up, sign * 0.35), [50, 70, 110], radius * 0.5 ** (2 / 3))
    start = [0.0, -10.0, 0.0]
    branch(2, sample(2, start, 0.6, soma), start, [0.0, -1.0, 0.0], 600.0, 0.6, 0.6, step=12.0, wander=0.05)
    with open(sys.argv[1], "w") as f:
        f.write("# made up by data/reference/pyramidal_swc.py, no reconstruction; id type x y z radius parent\n")
        for i, kind, x, y, z, r, p in ROWS:
            f.write(f"{i} {kind} {x:.4f} {y:.4f} {z:.4f} {r:.4f} {p}\n")


main()
