#!/usr/bin/env python3
"""High-precision reference values of elementary functions (mpmath, 60 digits), as hexadecimal bits of the nearest double.
Writes elementary_functions.csv beside this script: function, bits of x, bits of y (0 if unary), bits of the value."""
import os, random, struct
from mpmath import mp, mpf, exp, expm1, log, tanh, sin, cos, tan, sinh, cosh, power
mp.dps = 60
random.seed(20260101)
bits = lambda v: struct.unpack("<Q", struct.pack("<d", v))[0]
def near(v):
    # rounds once, also to subnormals and infinity
    if v == 0: return 0.0
    sign = -1.0 if v < 0 else 1.0
    v = abs(v)
    if v >= mpf(2) ** 1024 - mpf(2) ** 970: return sign * float("inf")
    e = int(mp.floor(mp.log(v, 2)))
    q = mpf(2) ** max(e - 52, -1074)
    n = int(mp.nint(v / q))
    return sign * float(n) * float(q) if float(q) != 0 else sign * 0.0
def exprel(x): return mpf(1) if x == 0 else expm1(x) / x
def sigmoid(x): return 1 / (1 + exp(-x))
def uniform(a, b, n): return [random.uniform(a, b) for _ in range(n)]
def wide(lo, hi, n): return [random.choice((-1, 1)) * 2.0 ** random.uniform(lo, hi) for _ in range(n)]
span = uniform(-1, 1, 150) + uniform(-30, 10, 150) + uniform(-740, 709, 100) + wide(-60, 9, 100)
edge = [0.34657359, -0.34657359, 0.5, 1.0, -1.0, 709.78, -708.3, -744.5, 36.7, -36.7, 1e-300]
rows = []
def add(name, f, xs):
    for x in xs:
        v = near(f(mpf(x)))
        rows.append((name, bits(x), 0, bits(v)))
add("exp", exp, span + edge)
add("expm1", expm1, span + edge + uniform(-2, 2, 200))
add("exprel", exprel, span + edge + uniform(-2, 2, 200))
add("log", log, [abs(x) for x in span + edge + wide(-1070, 1023, 300)] + uniform(0.5, 2, 200) + [5e-324, 2.3e-308])
add("tanh", tanh, span + uniform(-3, 3, 300))
add("sigmoid", sigmoid, span + edge)
trig = uniform(-1, 1, 100) + uniform(-10, 10, 200) + uniform(-1e4, 1e4, 200) + wide(-40, 30, 200) + [float(k) * 1.5707963267948966 for k in range(-20, 21) if k]
for n, f in (("sin", sin), ("cos", cos), ("tan", tan)): add(n, f, trig)
add("sinh", sinh, span + uniform(-2, 2, 200) + [710.2, -710.2])
add("cosh", cosh, span + uniform(-2, 2, 200) + [710.2, -710.2])
for _ in range(1200):
    x = 2.0 ** random.uniform(-40, 40) if random.random() < 0.5 else random.uniform(0.2, 5)
    y = random.uniform(-17, 17) if random.random() < 0.6 else random.choice([0.5, -0.5, 1.5, 2.5, 1 / 3, 40.25, -38.1])
    rows.append(("pow", bits(x), bits(y), bits(near(power(mpf(x), mpf(y))))))
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "elementary_functions.csv"), "w") as f:
    f.write("# mpmath %s, 60 digits; bits of doubles in hexadecimal; made by elementary_functions.py\nfunction,x,y,value\n" % __import__("mpmath").__version__)
    for r in rows: f.write("%s,%x,%x,%x\n" % r)
