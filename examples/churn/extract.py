"""Writes a table of customers: extract.py ROWS OUT. Stands in for a query of a warehouse."""
import csv
import random
import sys

rows, path = int(sys.argv[1]), sys.argv[2]
rnd = random.Random(2024)
with open(path, "w", newline="", encoding="utf-8") as f:
    out = csv.writer(f)
    out.writerow(["tenure", "monthly", "calls", "contract", "churned"])
    for _ in range(rows):
        tenure = rnd.randrange(1, 73)
        monthly = round(rnd.uniform(15, 120), 2)
        calls = min(9, int(rnd.expovariate(0.7)))
        contract = rnd.choice(["month", "month", "year", "two years"])
        score = 0.03 * (monthly - 60) - 0.05 * (tenure - 24) + 0.7 * calls + (1.2 if contract == "month" else -1.0)
        out.writerow([tenure, monthly, calls, contract, int(score + rnd.gauss(0, 1.4) > 0.5)])
