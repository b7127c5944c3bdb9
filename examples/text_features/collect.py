"""Docstrings of the standard library, labelled by module: collect.py OUT."""
import importlib
import inspect
import json
import sys

docs = []
for module in ["email.message", "logging", "pathlib", "socket", "statistics", "tarfile", "threading", "unittest.case"]:
    m = importlib.import_module(module)
    for _, thing in sorted(vars(m).items()):
        if not inspect.isclass(thing) and not inspect.isfunction(thing):
            continue
        for part in [thing, *[f for _, f in sorted(vars(thing).items()) if inspect.isfunction(f)]] if inspect.isclass(thing) else [thing]:
            text = inspect.getdoc(part)
            if text and len(text) > 60:
                docs.append({"label": module, "text": text})
with open(sys.argv[1], "w", encoding="utf-8") as f:
    json.dump(docs, f)
