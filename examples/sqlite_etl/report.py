"""Totals by product as JSON: report.py DB."""
import json
import sqlite3
import sys

con = sqlite3.connect(sys.argv[1])
rows = con.execute("select product, count(*), round(sum(amount), 2) from orders group by product order by product")
print(json.dumps({product: {"orders": n, "amount": amount} for product, n, amount in rows}))
