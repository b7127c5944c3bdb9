# TF-IDF vectors of texts with scikit-learn.
# kind: features
# tags: tfidf text vectors sklearn features nlp

task features_tfidf {
  in  data: file
  out table: file
  shell = python3
  image = "ghcr.io/acme/sklearn:1.5"
  run = """
    import os
    import joblib
    from sklearn.feature_extraction.text import TfidfVectorizer
    v = TfidfVectorizer(min_df=2)
    x = v.fit_transform(open(os.environ["data"]))
    joblib.dump((x, v), os.environ["table"])
  """
}

workflow use_features_tfidf {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = features_tfidf(data = make.data)
}
