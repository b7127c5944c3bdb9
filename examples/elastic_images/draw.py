"""Draws images of two kinds, discs and frames, as PPM, and puts them into shards: draw.py FOLDER SHARDS IMAGES"""
import os
import random
import sys

import couler_data

SIDE = 48


def image(rng, kind):
	"""A disc (1) or a frame (0) of random place, size and color on noise."""
	x, y, r = rng.randrange(16, 32), rng.randrange(16, 32), rng.randrange(8, 14)
	ink = [rng.randrange(160, 256) for _ in range(3)]
	pixels = bytearray(b // 3 for b in rng.randbytes(3 * SIDE * SIDE))
	for j in range(y - r, y + r + 1):
		for i in range(x - r, x + r + 1):
			dx, dy = abs(i - x), abs(j - y)
			if dx * dx + dy * dy <= r * r if kind else max(dx, dy) >= r - 3:
				pixels[3 * (j * SIDE + i):3 * (j * SIDE + i) + 3] = bytes(ink)
	return b"P6 %d %d 255\n" % (SIDE, SIDE) + bytes(pixels)


def main(folder, shards, images):
	os.makedirs(folder, exist_ok=True)
	for s in range(shards):
		rng = random.Random(s)
		with open(os.path.join(folder, "%03d.rec" % s), "wb") as out:
			for _ in range(images):
				kind = rng.randrange(2)
				couler_data.write(bytes([kind]) + image(rng, kind), out, "length_prefixed")


if __name__ == "__main__":
	main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
