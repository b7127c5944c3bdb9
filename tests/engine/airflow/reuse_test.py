"""--set airflow.reuse=on in the Airflow of this Python: reuse_test.py COULER. Last line: `N passed, N failed`.

One workflow, run as a DAG again and again: what is the same is taken from an earlier run, files and folders and all; what
changed, what may not be kept, what the budget of the pass `cache` excludes and what is damaged runs again.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
LOADER = os.path.join(HERE, "..", "..", "..", "backends", "airflow", "couler_airflow.py")
COULER = os.path.abspath(sys.argv[1])
HOME = tempfile.mkdtemp(prefix="couler-reuse-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)  # noqa: S108
RAN = os.path.join(HOME, "ran")
SOURCE = '''workflow reuse {
  param day: string = "monday"
  step source { in d = day; out csv: file; out tree: dir; out n: int; cache { mode = on; version = "VERSION" }
    run = """echo source >> RAN; echo "$d" > "$csv"; mkdir -p "$tree/sub"; echo "$d" > "$tree/sub/f"; echo 3 > "$n" """ }
  step count { in csv = source.csv; out n: int; run = """echo count >> RAN; wc -c < "$csv" > "$n" """ }
  step big { in tree = source.tree; out copy: dir; run = """echo big >> RAN; cp -r "$tree" "$copy" """ }
  step parts { in copy = big.copy; out all: list<file>; run = """echo parts >> RAN; mkdir "$all"; cat "$copy/sub/f" > "$all/a"; echo b > "$all/b" """ }
  step clock { out t: string; run = """echo clock >> RAN; date +%s > "$t" """ }
  step keyed { in n = count.n; env { DAY = day }; out v: string; cache { mode = on; key = [n + 1] }; run = """echo keyed >> RAN; echo "$DAY$n" > "$v" """ }
  step last { in all = parts.all; in n = count.n; out v: string; cache = off
    run = """echo last >> RAN; cat "$all"/* | tr '\\n' ' ' > "$v"; echo $n >> "$v" """ }
  out v = last.v
}
'''
EVERY = {"clock", "last"}
ALL = EVERY | {"source", "count", "big", "parts", "keyed"}
passed = failed = 0


def ok(cond: bool, name: str, more: Any = "") -> None:
    global passed, failed
    passed, failed = passed + cond, failed + (not cond)
    if not cond:
        print(f"FAIL {name} {str(more)[-600:]}")


class Airflow:
    def __init__(self) -> None:
        shutil.copyfile(os.path.join(sys.prefix, "airflow.db"), os.path.join(HOME, "airflow.db"))
        env = dict(
            os.environ, AIRFLOW_HOME=HOME, AIRFLOW__CORE__LOAD_EXAMPLES="False", AIRFLOW__CORE__DAGS_FOLDER=os.path.join(HOME, "dags"),
            AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{HOME}/airflow.db", AIRFLOW__LOGGING__LOGGING_LEVEL="ERROR", COULER_LOADER=LOADER,
        )  # fmt: skip
        self.engine = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "engine.py")], env=env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def run(self, document: str, **conf: str) -> tuple[set[str], Any]:
        """Which steps ran, and the answer."""
        if os.path.exists(RAN):
            os.unlink(RAN)
        assert self.engine.stdin is not None and self.engine.stdout is not None
        print(json.dumps({"id": 1, "document": document, "conf": conf}), file=self.engine.stdin, flush=True)
        answer = json.loads(self.engine.stdout.readline())
        ok(answer.get("state") == "success", f"a run with {conf}", answer)
        with open(RAN, encoding="utf-8") as f:
            return set(f.read().split()), answer


def compiled(name: str, *more: str, version: str = "1") -> str:
    source, out = os.path.join(HOME, "reuse.cw"), os.path.join(HOME, "documents", f"{name}.couler.json")
    os.makedirs(os.path.dirname(out), exist_ok=True)
    with open(source, "w", encoding="utf-8") as f:
        f.write(SOURCE.replace("RAN", RAN).replace("VERSION", version))
    p = subprocess.run([COULER, "compile", source, "-t", "airflow", "-o", out, *more], capture_output=True, text=True, check=False)
    ok(p.returncode == 0, f"compiles with {more}", p.stderr)
    return out


def result(answer: Any) -> Any:
    return [r["out"] for task, r in answer["records"] if task.startswith("last")]


def main() -> int:
    airflow = Airflow()
    with open(compiled("off"), encoding="utf-8") as f:
        ok(not any("cache" in t for t in json.load(f)["tasks"]), "nothing is kept unless it is asked for")
    on = compiled("on", "--set", "airflow.reuse=on")
    with open(on, encoding="utf-8") as f:
        kept = {t["task_id"]: t["cache"] for t in json.load(f)["tasks"] if "cache" in t}
    ok(set(kept) == ALL - EVERY and kept["source"] == {"version": "1"} and len(kept["keyed"]["key"]) == 1, "which steps may be taken, and how", kept)
    ran, first = airflow.run(on)
    ok(ran == ALL, "the first run runs all", ran)
    ran, second = airflow.run(on)
    ok(ran == EVERY, "the second takes what is the same", ran)
    same = bool(result(first)) and result(first) == result(second)
    ok(same and "monday b 7" in str(result(second)), "with the same values and files", (result(first), result(second)))
    ran, third = airflow.run(on, day="sunday")
    ok(ran == ALL and "sunday b 7" in str(result(third)), "another parameter", (ran, result(third)))
    profile = os.path.join(HOME, "profile.jsonl")
    figures = (("source", 900, 1000), ("count", 100, 10), ("big", 0.01, 9_000_000), ("parts", 100, 1000), ("keyed", 50, 10))
    with open(profile, "w", encoding="utf-8") as f:
        f.writelines(json.dumps({"step": s, "seconds": t, "bytes": b, "time": 1}) + "\n" for s, t, b in figures)
    budget = ("--set", "cache.budget=5MB", "--set", f"cache.profile={profile}")
    ran, _ = airflow.run(compiled("budget", "--set", "airflow.reuse=on", *budget, version="1"))
    ok(ran == EVERY | {"big"}, "what the budget excludes runs again", ran)
    records = [os.path.join(d, "record") for d, _, files in os.walk(os.path.join(HOME, "couler", "cache")) if "record" in files]
    for path in records:
        with open(path, "w", encoding="utf-8") as f:
            f.write("{")
    ran, _ = airflow.run(on)
    ok(len(records) == 10 and ran == ALL, "what is damaged runs again", (ran, records))
    assert airflow.engine.stdin is not None
    airflow.engine.stdin.close()
    airflow.engine.wait(60)
    shutil.rmtree(HOME, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
