"""Gradient boosting of small regression trees on the logistic loss, in plain Python."""
import math


def sigmoid(x):
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, x))))


def grow(rows, residual, index, depth):
    """A tree as nested tuples (feature, threshold, left, right), or a leaf value."""
    mean = sum(residual[i] for i in index) / len(index)
    if depth == 0 or len(index) < 40:
        return mean
    best = None
    for feature in range(len(rows[0])):
        values = sorted({rows[i][feature] for i in index})
        for k in range(1, 8):
            cut = values[len(values) * k // 8]
            left = [i for i in index if rows[i][feature] < cut]
            if not 20 <= len(left) <= len(index) - 20:
                continue
            inside = set(left)
            right = [i for i in index if i not in inside]
            gain = sum(residual[i] for i in left) ** 2 / len(left) + sum(residual[i] for i in right) ** 2 / len(right)
            if best is None or gain > best[0]:
                best = (gain, feature, cut, left, right)
    if best is None:
        return mean
    _, feature, cut, left, right = best
    return (feature, cut, grow(rows, residual, left, depth - 1), grow(rows, residual, right, depth - 1))


def value(tree, row):
    while isinstance(tree, tuple):
        tree = tree[2] if row[tree[0]] < tree[1] else tree[3]
    return tree


def fit(rows, labels, rate, depth, rounds=12):
    score, trees = [0.0] * len(rows), []
    for _ in range(rounds):
        residual = [y - sigmoid(s) for y, s in zip(labels, score)]
        tree = grow(rows, residual, range(len(rows)), depth)
        trees.append(tree)
        score = [s + 4 * rate * value(tree, r) for s, r in zip(score, rows)]
    return trees


def predict(trees, rate, row):
    return sum(4 * rate * value(t, row) for t in trees)
