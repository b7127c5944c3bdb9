"""Writes the orders of a day as CSV, some of them broken: fetch.py DAY OUT."""
import csv
import random
import sys

day, path = sys.argv[1:]
rnd = random.Random(day)
with open(path, "w", newline="", encoding="utf-8") as f:
    out = csv.writer(f)
    out.writerow(["id", "day", "product", "amount"])
    for i in range(500):
        amount = "" if rnd.random() < 0.02 else "%.2f" % rnd.uniform(1, 200)
        out.writerow(["%s-%04d" % (day, i), day, rnd.choice(["tea", "coffee", "cocoa"]), amount])
