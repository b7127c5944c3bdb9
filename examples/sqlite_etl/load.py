"""Loads a folder of cleaned CSV files into a database: load.py DB FOLDER."""
import csv
import pathlib
import sqlite3
import sys

db, folder = sys.argv[1:]
with sqlite3.connect(db) as con:
    con.execute("create table orders (id text primary key, day text, product text, amount real)")
    for part in sorted(pathlib.Path(folder).iterdir()):
        path = part / "orders.csv" if part.is_dir() else part
        with open(path, newline="", encoding="utf-8") as f:
            con.executemany("insert into orders values (:id, :day, :product, :amount)", csv.DictReader(f))
