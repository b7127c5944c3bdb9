"""The two operators of the pipeline: prep.py decode | augment. A record is a label and an image."""
import sys

import couler_data

SIDE = 16


def decode(record):
	"""PPM to a square of SIDE gray values, by averaging."""
	label, ppm = record[:1], record[1:]
	head, pixels = ppm.split(b"\n", 1)
	width, height = (int(n) for n in head.split()[1:3])
	gray = [(pixels[3 * k] * 299 + pixels[3 * k + 1] * 587 + pixels[3 * k + 2] * 114) // 1000 for k in range(width * height)]
	w, h = width // SIDE, height // SIDE
	small = bytearray()
	for j in range(SIDE):
		for i in range(SIDE):
			cell = [gray[(j * h + b) * width + i * w + a] for b in range(h) for a in range(w)]
			small.append(sum(cell) // len(cell))
	return label + bytes(small)


def augment(record):
	"""The image and its mirror image, with the contrast stretched: two records for one."""
	label, gray = record[:1], record[1:]
	low, high = min(gray), max(gray)
	even = bytes((g - low) * 255 // max(high - low, 1) for g in gray)
	mirror = b"".join(even[j * SIDE:(j + 1) * SIDE][::-1] for j in range(SIDE))
	return [label + even, label + mirror]


if __name__ == "__main__":
	couler_data.map_records({"decode": decode, "augment": augment}[sys.argv[1]])
