"""Splits scikit-learn's breast cancer data: data.py TRAIN TEST."""
import sys

import joblib
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

x, y = load_breast_cancer(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, random_state=0, stratify=y)
joblib.dump((x_train, y_train), sys.argv[1])
joblib.dump((x_test, y_test), sys.argv[2])
