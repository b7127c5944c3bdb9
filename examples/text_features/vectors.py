"""TF-IDF of documents: vectors.py DOCS WORDS FEATURES VOCABULARY"""
import json
import sys

import joblib
from sklearn.feature_extraction.text import TfidfVectorizer

docs_path, words, features, vocabulary = sys.argv[1:]
with open(docs_path, encoding="utf-8") as f:
    docs = json.load(f)
tfidf = TfidfVectorizer(max_features=int(words), stop_words="english", token_pattern=r"[a-z]{3,}")
x = tfidf.fit_transform(d["text"] for d in docs)
joblib.dump((x, [d["label"] for d in docs]), features)
with open(vocabulary, "w", encoding="utf-8") as f:
    json.dump(sorted(tfidf.vocabulary_), f)
