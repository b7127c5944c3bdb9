"""Fits a churn classifier and writes the model and its AUC on the rows held out."""
import argparse
import csv
import json

import boost


def auc(scores, labels):
    """Share of (positive, negative) pairs in the right order, ties counted half."""
    order = sorted(range(len(scores)), key=lambda i: scores[i])
    rank_sum, i = 0.0, 0
    while i < len(order):
        j = i
        while j < len(order) and scores[order[j]] == scores[order[i]]:
            j += 1
        rank_sum += sum((i + j + 1) / 2 for k in range(i, j) if labels[order[k]])
        i = j
    positive = sum(labels)
    return (rank_sum - positive * (positive + 1) / 2) / (positive * (len(labels) - positive))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--table", required=True)
    ap.add_argument("--lr", type=float, required=True)
    ap.add_argument("--depth", type=int, required=True)
    ap.add_argument("--model-out", required=True)
    ap.add_argument("--auc-out", required=True)
    o = ap.parse_args()
    with open(o.table, newline="", encoding="utf-8") as f:
        table = [[float(x) for x in row.values()] for row in csv.DictReader(f)]
    cut = len(table) * 3 // 4
    train, test = table[:cut], table[cut:]
    trees = boost.fit([r[:-1] for r in train], [int(r[-1]) for r in train], o.lr, o.depth)
    scores = [boost.predict(trees, o.lr, r[:-1]) for r in test]
    with open(o.model_out, "w", encoding="utf-8") as f:
        json.dump({"lr": o.lr, "depth": o.depth, "trees": trees}, f)
    with open(o.auc_out, "w", encoding="utf-8") as f:
        f.write("%.4f\n" % auc(scores, [int(r[-1]) for r in test]))


main()
