"""train.py TABLE TREES DEPTH LEAF MODEL ACCURACY"""
import sys

import joblib
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score

table, trees, depth, leaf, model, accuracy = sys.argv[1:]
x, y = joblib.load(table)
forest = RandomForestClassifier(n_estimators=int(trees), max_depth=int(depth), min_samples_leaf=int(leaf), random_state=0)
score = cross_val_score(forest, x, y, cv=5).mean()
joblib.dump(forest.fit(x, y), model)
with open(accuracy, "w", encoding="utf-8") as f:
    f.write("%.4f" % score)
