"""evaluate.py MODEL TEST: accuracy on rows that training never saw."""
import sys

import joblib

x, y = joblib.load(sys.argv[2])
print("%.4f" % joblib.load(sys.argv[1]).score(x, y))
