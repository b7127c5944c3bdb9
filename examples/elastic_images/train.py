"""A small network, one hidden layer, trained on the records that come on standard input: train.py RATE

Writes the weights to $model and the accuracy over the last quarter of the records, each judged before it is learned
from, to $accuracy. Nothing but Python, so that it runs anywhere; with PyTorch the two lines that matter are

    data = couler_data.torch_dataset(decode)
    for x, y in torch.utils.data.DataLoader(data, batch_size=64): ...
"""
import json
import math
import os
import random
import sys

import couler_data

HIDDEN = 12


def features(record):
	"""Mean brightness of the 8 x 8 cells, around zero, then 1 for the bias."""
	gray = record[1:]
	return [(gray[32 * j + 2 * i] + gray[32 * j + 2 * i + 1] + gray[32 * j + 16 + 2 * i] + gray[32 * j + 17 + 2 * i]) / 510 - 1 for j in range(8) for i in range(8)] + [1.0]


def main(rate):
	rng = random.Random(0)
	inner = [[rng.uniform(-0.3, 0.3) for _ in range(65)] for _ in range(HIDDEN)]
	outer = [rng.uniform(-0.3, 0.3) for _ in range(HIDDEN + 1)]
	right = []
	for record in couler_data.records():
		x, y = features(record), record[0]
		h = [math.tanh(sum(w * v for w, v in zip(row, x))) for row in inner] + [1.0]
		p = 1 / (1 + math.exp(-sum(w * v for w, v in zip(outer, h))))
		right.append((p > 0.5) == bool(y))
		step = rate * (y - p) / 10
		for k in range(HIDDEN):
			back = step * outer[k] * (1 - h[k] * h[k])
			inner[k] = [w + back * v for w, v in zip(inner[k], x)]
		outer = [w + step * v for w, v in zip(outer, h)]
	with open(os.environ["model"], "w") as out:
		json.dump({"inner": inner, "outer": outer}, out)
	last = right[-(len(right) // 4) or -1:]
	with open(os.environ["accuracy"], "w") as out:
		out.write(repr(sum(last) / max(len(last), 1)))


if __name__ == "__main__":
	main(float(sys.argv[1]))
