#!/usr/bin/env python3
"""Floats as text against Python's shortest repr in the form of RFC 8785: floats.py build/unit/test_values [N]"""
import math
import random
import struct
import subprocess
import sys


def es(d):
	"""ECMAScript's Number::toString, from the digits that Python finds."""
	if d == 0:
		return "0"
	sign, d = ("-" if d < 0 else ""), abs(d)
	mant, _, exp = repr(d).partition("e")
	whole, _, frac = mant.partition(".")
	digits = whole + frac
	point = len(whole) + int(exp or 0)
	point -= len(digits) - len(digits.lstrip("0"))
	digits = digits.lstrip("0").rstrip("0")
	k = len(digits)
	if k <= point <= 21:
		return sign + digits + "0" * (point - k)
	if 0 < point <= 21:
		return sign + digits[:point] + "." + digits[point:]
	if -6 < point <= 0:
		return sign + "0." + "0" * -point + digits
	return sign + digits[0] + ("." + digits[1:] if k > 1 else "") + "e%+d" % (point - 1)


def samples(n):
	rnd = random.Random(7)
	u = [struct.unpack("<Q", struct.pack("<d", s * x))[0] for s in (1, -1) for x in
	     [2.0 ** e for e in range(-1074, 1024)] + [10.0 ** e for e in range(-323, 309)] + [float(i) / 1000 for i in range(5000)]]
	for x in list(u):
		u += [x + 1, x - 1 if x & (2 ** 63 - 1) else x]
	while len(u) < n:
		kind = rnd.random()
		if kind < 0.4:
			u.append(rnd.getrandbits(64))
		elif kind < 0.7:
			u.append(struct.unpack("<Q", struct.pack("<d", rnd.uniform(-1e3, 1e3)))[0])
		elif kind < 0.8:
			u.append(rnd.getrandbits(52) | rnd.getrandbits(1) << 63)      # subnormal
		else:
			u.append(struct.unpack("<Q", struct.pack("<d", float("%.*g" % (rnd.randint(1, 17), rnd.uniform(0, 1) * 10.0 ** rnd.randint(-30, 30)))))[0])
	return [x for x in u if math.isfinite(struct.unpack("<d", struct.pack("<Q", x & (2 ** 64 - 1)))[0])]


def main():
	u = samples(int(sys.argv[2]) if len(sys.argv) > 2 else 200_000)
	out = subprocess.run([sys.argv[1], "--floats"], input="".join("%016x\n" % (x & (2 ** 64 - 1)) for x in u), capture_output=True, text=True, check=True).stdout.split("\n")
	bad = 0
	for x, got in zip(u, out):
		want = es(struct.unpack("<d", struct.pack("<Q", x & (2 ** 64 - 1)))[0])
		if got != want:
			bad += 1
			if bad <= 10:
				print("%016x: %s, expected %s" % (x & (2 ** 64 - 1), got, want))
	if len(out) != len(u) + 1:
		bad += 1
	print("%d passed, %d failed" % (len(u) - bad, bad))
	return bad != 0


sys.exit(main())
