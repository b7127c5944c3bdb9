"""Drops rows without an amount: clean.py RAW OUT DROPPED."""
import csv
import sys

raw, path, dropped_path = sys.argv[1:]
dropped = 0
with open(raw, newline="", encoding="utf-8") as f, open(path, "w", newline="", encoding="utf-8") as g:
    rows = csv.DictReader(f)
    out = csv.DictWriter(g, rows.fieldnames)
    out.writeheader()
    for row in rows:
        if row["amount"]:
            out.writerow(row)
        else:
            dropped += 1
with open(dropped_path, "w", encoding="utf-8") as f:
    f.write(str(dropped))
