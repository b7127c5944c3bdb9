# Text features: documents to TF-IDF vectors, two classifiers on the same features, one comparison.
#
#   PATH="$PWD/build/venv/bin:$PATH" couler run examples/text_features.cw

workflow text_features {
  doc = "Which of two models tells Python's modules by their documentation?"

  param words: int = 400 in [100, 400, 1000]

  defaults { image = "ghcr.io/acme/sklearn:1.5"; code = ["text_features/"] }

  step collect {
    out docs: file
    run = """python3 text_features/collect.py "$docs" """
  }

  step vectors {
    in  docs = collect.docs
    in  words
    out features: file
    out vocabulary: list<string>
    run = """python3 text_features/vectors.py "$docs" "$words" "$features" "$vocabulary" """
  }

  for model in ["bayes", "logistic"] {
    step fit {
      in  model
      in  features = vectors.features
      out accuracy: float
      run = """python3 text_features/fit.py "$model" "$features" > "$accuracy" """
    }
  }

  let names = ["bayes", "logistic"]

  step verdict {
    in  best = names[argmax(fit.accuracy)]
    in  accuracy = max(fit.accuracy)
    in  size = len(vectors.vocabulary)
    out line: string = stdout
    run = """echo "$best wins with $accuracy on $size words" """
  }

  out line = verdict.line
}
