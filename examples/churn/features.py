"""Numbers out of customers: features.py RAW OUT."""
import csv
import sys

with open(sys.argv[1], newline="", encoding="utf-8") as f, open(sys.argv[2], "w", newline="", encoding="utf-8") as g:
    out = csv.writer(g)
    out.writerow(["tenure", "monthly", "calls", "monthly_contract", "spend", "churned"])
    for row in csv.DictReader(f):
        tenure, monthly = int(row["tenure"]), float(row["monthly"])
        out.writerow([tenure, monthly, row["calls"], int(row["contract"] == "month"), round(tenure * monthly, 2), row["churned"]])
