"""Five-fold accuracy of a classifier: fit.py bayes|logistic FEATURES"""
import sys

import joblib
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.naive_bayes import MultinomialNB

x, y = joblib.load(sys.argv[2])
model = MultinomialNB() if sys.argv[1] == "bayes" else LogisticRegression(max_iter=1000)
folds = StratifiedKFold(5, shuffle=True, random_state=0)
print("%.4f" % cross_val_score(model, x, y, cv=folds).mean())
