#!/usr/bin/env python3
"""Compiles .cw files with `-t airflow`, runs them under real Airflow and compares.

  run.py [--couler build/couler] [--airflow VERSION] [--local] [--only GLOB] PATH...

PATH: a .cw file, or a folder with .cw files and NAME.expect.json beside them (the form of the conformance programs:
outputs, statuses, marks in a probe folder). What has no expectation must succeed. --local also runs each program with
`couler run` and compares the status, exit code and outputs of every step: scalars by their exact text, json by value,
files and folders by SHA-256.
--documents: PATH holds .couler.json files, which are run as they are and must succeed.
--generate N: also N random programs (tests/gen.py, from --first on), which are compared with a local run.
A program that begins with the line `# flags: OPTIONS` is compiled, and run locally, with these; a part is a DAG of its own,
and what its run showed counts as if there had been one. --parts: --generate makes such programs (tests/split_gen.py).
Last line: `N passed, N failed`; exit 0 if none failed. One Airflow process runs all of them (engine.py).
"""

from __future__ import annotations

import argparse
import concurrent.futures
import fnmatch
import glob
import hashlib
import importlib
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
TYPED = re.compile(r"list<|json$")


class Number(str):
    """A JSON number kept as its text."""


def loads(text: str) -> Any:
    return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=Number)


# ---------------------------------------------------------------- comparing


def value(x: Any) -> Any:
    if isinstance(x, Number):
        return float(x)
    if isinstance(x, list):
        return [value(y) for y in x]
    if isinstance(x, dict):
        return {k: value(y) for k, y in x.items()}
    return x


def same(a: Any, b: Any) -> bool:
    a, b = value(a), value(b)
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return float(a) == float(b) or (math.isnan(a) and math.isnan(b))
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    return type(a) is type(b) and a == b


def digest(path: str) -> str:
    """Of a file; of a folder: of the lines `SHA256  PATH` in byte order of PATH."""
    if not os.path.isdir(path):
        with open(path, "rb") as f:
            return hashlib.sha256(f.read()).hexdigest()
    lines = []
    for base, _, files in os.walk(path):
        for name in files:
            p = os.path.join(base, name)
            lines.append((os.path.relpath(p, path).encode(), digest(p)))
    text = b"".join(d.encode() + b"  " + p + b"\n" for p, d in sorted(lines))
    return hashlib.sha256(text).hexdigest()


def read(path: str) -> str:
    with open(path, "rb") as f:
        return f.read().decode("utf-8", "replace")


def tree(path: str) -> dict[str, str]:
    got = {}
    for base, _, files in os.walk(path):
        for f in files:
            p = os.path.join(base, f)
            got[os.path.relpath(p, path)] = read(p)
    return got


def short(x: Any) -> str:
    s = json.dumps(value(x))
    return s if len(s) <= 200 else s[:190] + "..."


def unlike(want: dict[str, Any], got: Any) -> str | None:
    """None, or how got differs from what an expectation says."""
    ((kind, w),) = want.items()
    if kind == "text":
        ok = isinstance(got, str) and not isinstance(got, Number) and got == w
    elif kind == "json":
        ok = same(w, got)
    elif kind == "file":
        got = read(got["path"])
        ok = got == w
    elif kind == "files":
        got = [read(g["path"]) for g in got]
        ok = got == w
    elif kind == "dir":
        got = tree(got["path"])
        ok = got == w
    else:
        got = {k: hashlib.sha256(v.encode()).hexdigest()[:12] for k, v in tree(got["path"]).items()}
        ok = got == w
    return None if ok else f"expected {short(w)}, got {short(got)}"


# ---------------------------------------------------------------- what a run showed, in the form of --outputs-json


def shown(packed: Any) -> Any:
    """A value of a record."""
    text, kind = packed[0], packed[1]
    if kind in ("file", "dir"):
        return {"path": text, "sha256": digest(text) if os.path.exists(text) else None}
    if kind in ("list<file>", "list<dir>"):
        return [shown([p, kind[5:-1]]) for p in json.loads(text)]
    return loads(text) if TYPED.search(kind) else text


def labelled(t: dict[str, Any], index: list[int]) -> str:
    label: str = t.get("label", t.get("name", t["task_id"]))
    for i in index:
        label = label.replace("[*]", f"[{i}]", 1)
    return label


def joined(document: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """The runs of a document with parts as one."""
    documents = {d["dag_id"]: d for d in [document, *document["parts"]]}
    runs = {(r["dag_id"], r["run_id"]): r for r in answer["runs"]}
    steps: dict[str, Any] = {}
    whole: dict[str, Any] = {}

    def walk(at: tuple[str, str], prefix: str) -> None:
        d = documents[at[0]]
        tasks = {t["task_id"]: t for t in d["tasks"]}
        mine = view(d, runs.pop(at))
        whole.update(mine if not whole else {})
        parts = {t["name"] for t in d["tasks"] if t.get("part")}
        steps.update({prefix + k: v for k, v in mine["steps"].items() if k not in parts})
        for tid, r in records[at]:
            t = tasks[tid]
            if t["kind"] != "trigger" or r["status"] != "succeeded":
                continue
            run_id = "".join([tid, *(f".{i}" for i in r["index"])]) + "__" + at[1]
            walk((t["dag"], run_id), prefix + ("" if t.get("part") else labelled(t, r["index"]) + "."))

    records = {k: r["records"] for k, r in runs.items()}
    walk((answer["dag_id"], answer["run_id"]), "")
    if runs:
        steps["runs that nobody started"] = {"status": sorted(map(str, runs)), "exit_code": None, "outputs": {}}
    return {**whole, "steps": steps}


def view(document: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    tasks = {t["task_id"]: t for t in document["tasks"]}
    kinds = ("run", "call_end", "triggered", "best", "wait", "poll", "approve", "fail")
    steps: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    recorded = set()
    for tid, r in answer["records"]:
        t = tasks[tid]
        recorded.add(tid)
        if t["kind"] == "result":
            outputs = {k: shown(v) for k, v in r["out"].items() if v is not None}
        if t["kind"] not in kinds or t.get("trial") or (t["kind"] == "best" and "keep_best" in t):
            continue
        label = labelled(t, r["index"])
        if label in steps and r["status"] == "skipped":
            continue
        steps[label] = {"status": r["status"], "exit_code": r["exit_code"],
                        "outputs": {k: shown(v) for k, v in r["out"].items() if v is not None}}  # fmt: skip
    for tid, index, state in answer["states"]:
        t = tasks[tid]
        label = t.get("label", t.get("name", tid))
        if tid not in recorded and t["kind"] in kinds and index < 0 and not t.get("trial") and label not in steps:
            steps[label] = {"status": "failed" if state == "failed" else "skipped", "exit_code": None, "outputs": {}}
    status = "succeeded" if answer["state"].endswith("success") else "failed"
    return {"status": status, "outputs": outputs, "steps": steps}


def differences(mine: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    """How Airflow's run differs from the local one."""
    out = []
    if mine["status"] != theirs["status"]:
        out.append(f"status {mine['status']}, locally {theirs['status']}")
    for name, w in theirs["outputs"].items():
        if name not in mine["outputs"]:
            out.append(f"out {name} is missing, locally {short(w)}")
        elif not alike(mine["outputs"][name], w):
            out.append(f"out {name}: {short(mine['outputs'][name])}, locally {short(w)}")
    for name, w in theirs["steps"].items():
        got = mine["steps"].get(name)
        if got is None:
            # of a region that was not entered, a local run may know steps of which Airflow made no instance
            if w["status"] != "skipped":
                out.append(f"step {name} is missing, locally {w['status']}")
            continue
        if got["status"] != w["status"]:
            out.append(f"step {name}: {got['status']}, locally {w['status']}")
        elif got["status"] != "skipped" and got["exit_code"] is not None and value(w["exit_code"]) != got["exit_code"]:
            out.append(f"step {name}: exit code {got['exit_code']}, locally {w['exit_code']}")
        for k, v in w.get("outputs", {}).items():
            if k not in got["outputs"] or not alike(got["outputs"][k], v):
                out.append(f"step {name}.{k}: {short(got['outputs'].get(k))}, locally {short(v)}")
    return out


def alike(a: Any, b: Any) -> bool:
    if isinstance(b, dict) and set(b) == {"path", "sha256"}:
        return isinstance(a, dict) and a.get("sha256") == b["sha256"]
    if isinstance(b, list) and b and isinstance(b[0], dict) and set(b[0]) == {"path", "sha256"}:
        return isinstance(a, list) and len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, str) and isinstance(b, str) and not isinstance(a, Number) and not isinstance(b, Number):
        return a == b
    return same(a, b)


# ---------------------------------------------------------------- programs


class Program:
    def __init__(self, path: str):
        self.path = path
        self.name = os.path.basename(path).removesuffix(".cw")
        expect = path.removesuffix(".cw") + ".expect.json"
        self.expect: dict[str, Any] = {}
        self.has_expect = os.path.exists(expect)
        if self.has_expect:
            with open(expect, encoding="utf-8") as f:
                self.expect = json.load(f)
        with open(path, encoding="utf-8") as f:
            first = f.readline()
        self.flags = first.removeprefix("# flags:").split() if first.startswith("# flags:") else []
        self.problems: list[str] = []
        self.skipped = ""
        self.document: dict[str, Any] = {}

    def capability(self) -> bool:
        want = self.expect.get("compile", {}).get("airflow", "ok")
        return want is None or "capability" in (want if isinstance(want, list) else [want])

    def params(self, probe: str) -> dict[str, str]:
        return {k: v.replace("@probe@", probe) for k, v in self.expect.get("params", {}).items()}


def conf_of(document: dict[str, Any], params: dict[str, str]) -> dict[str, Any]:
    """Texts as -p takes them, as the JSON that a run is triggered with."""
    conf: dict[str, Any] = {}
    for name, text in params.items():
        p = document["params"][name]
        kind = p["type"]
        if TYPED.search(kind):
            conf[name] = json.loads(text)
        elif kind == "bool":
            conf[name] = text == "true"
        elif kind in ("int", "float") and "enum" in p:
            conf[name] = json.loads(text)
        else:
            conf[name] = text
    return conf


class Engine:
    """One Airflow process; jobs go in and answers come out one by one."""

    def __init__(self, version: str, home: str):
        env_dir = subprocess.run([os.path.join(HERE, "setup.sh"), version], check=True, capture_output=True, text=True).stdout.strip()
        os.makedirs(home, exist_ok=True)
        shutil.copyfile(os.path.join(env_dir, "airflow.db"), os.path.join(home, "airflow.db"))
        env = {k: os.environ[k] for k in ("PATH", "HOME", "USER", "TZ") if k in os.environ}
        env.update(
            LANG="C.UTF-8", AIRFLOW_HOME=home, AIRFLOW__CORE__LOAD_EXAMPLES="False",
            AIRFLOW__CORE__DAGS_FOLDER=os.path.join(home, "dags"), AIRFLOW__COULER__ROOT=os.path.join(home, "files"),
            AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{home}/airflow.db", AIRFLOW__LOGGING__LOGGING_LEVEL="INFO",
            COULER_LOADER=os.path.join(REPO, "backends/airflow/couler_airflow.py"), COULER_STRICT="1", AIRFLOW__COULER__POLL="0.2",
            AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL="0", AIRFLOW__CORE__MIN_SERIALIZED_DAG_FETCH_INTERVAL="0",
        )  # fmt: skip
        self.log = open(os.path.join(home, "log"), "wb")  # noqa: SIM115
        self.process = subprocess.Popen(
            [os.path.join(env_dir, "bin/python"), os.path.join(HERE, "engine.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, env=env, text=True,
        )  # fmt: skip

    def run(self, job: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            return {"error": "the Airflow process ended"}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()
        self.log.close()


def compile_one(couler: list[str], p: Program, out: str) -> bool:
    r = subprocess.run([*couler, "compile", os.path.basename(p.path), "-t", "airflow", "-o", out, *p.flags],
                       cwd=os.path.dirname(p.path), capture_output=True, text=True, check=False)  # fmt: skip
    if r.returncode == 4 and p.capability():
        p.skipped = "capability error, as expected"
        return False
    if r.returncode:
        p.problems.append(f"compile: exit {r.returncode}: {r.stderr.strip()[:300]}")
        return False
    if p.expect.get("compile", {}).get("airflow") == "capability":
        p.problems.append("compile: expected a capability error")
        return False
    with open(out, encoding="utf-8") as f:
        p.document = json.load(f)
    return True


def check(p: Program, seen: dict[str, Any], probe: str) -> None:
    """Compares with the expectation; what has none must succeed."""
    want = p.expect.get("exit", 0)
    status = "succeeded" if 0 in (want if isinstance(want, list) else [want]) else "failed"
    if seen["status"] != status:
        p.problems.append(f"the run {seen['status']}, expected {status}")
    for name, w in p.expect.get("outputs", {}).items():
        if name not in seen["outputs"]:
            p.problems.append(f"out {name}: no such output")
        elif bad := unlike(w, seen["outputs"][name]):
            p.problems.append(f"out {name}: {bad}")
    for name, w in p.expect.get("instances", {}).items():
        s = seen["steps"].get(name, {})
        if [s.get("status"), s.get("exit_code")][: len(w)] != w:
            p.problems.append(f"step {name}: expected {w}, got {s}")
    for state in ("succeeded", "failed", "skipped"):
        for name in p.expect.get(state, []):
            got = {s["status"] for k, s in seen["steps"].items() if re.sub(r"\[.*$", "", k) == name}
            if got != {state}:
                p.problems.append(f"step {name}: expected {state}, got {sorted(got)}")
    for name, w in p.expect.get("probe", {}).items():
        path = os.path.join(probe, name)
        if (w is None) == os.path.lexists(path):
            p.problems.append(f"mark {name}: {'must not be there' if w is None else 'is not there'}")
        elif isinstance(w, str) and read(path) != w:
            p.problems.append(f"mark {name}: expected {short(w)}, got {short(read(path))}")
    if p.expect.get("probe_exact"):
        more = set(os.listdir(probe)) - {k for k, v in p.expect["probe"].items() if v is not None}
        if more:
            p.problems.append(f"also left: {sorted(more)}")


def local_run(couler: list[str], p: Program, tmp: str) -> dict[str, Any] | None:
    probe = os.path.join(tmp, "local-probe")
    os.makedirs(probe, exist_ok=True)
    out = os.path.join(tmp, "local.json")
    args = [x for k, v in p.params(probe).items() for x in ("-p", f"{k}={v}")]
    env = {**os.environ, **p.expect.get("env", {}), "COULER_CACHE": os.path.join(tmp, "cache")}
    r = subprocess.run([*couler, "run", os.path.basename(p.path), "--outputs-json", out, *args, *p.flags],
                       cwd=os.path.dirname(p.path), capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL, check=False)  # fmt: skip
    if r.returncode not in (0, 6):
        p.problems.append(f"couler run: exit {r.returncode}: {r.stderr.strip()[:200]}")
        return None
    with open(out, encoding="utf-8") as f:
        seen: dict[str, Any] = loads(f.read())
    return seen


def one(o: argparse.Namespace, engine: Engine, p: Program, tmp: str) -> None:
    work = os.path.join(tmp, p.name)
    probe = os.path.join(work, "probe")
    os.makedirs(probe)
    out = os.path.join(work, p.name + ".couler.json")
    if o.documents:
        shutil.copyfile(p.path, out)
        with open(out, encoding="utf-8") as f:
            p.document = json.load(f)
    elif not compile_one(o.couler, p, out):
        return
    if p.expect.get("run") is False:
        p.skipped = "not to be run"
        return
    job = {"id": p.name, "document": out, "conf": conf_of(p.document, p.params(probe)), "env": p.expect.get("env", {})}
    answer = engine.run(job)
    if "error" in answer:
        p.problems.append("airflow: " + answer["error"])
        return
    seen = joined(p.document, answer) if "runs" in answer else view(p.document, answer)
    if p.flags and "runs" not in answer:
        p.problems.append("it was not split")
    if p.has_expect or not o.local:
        check(p, seen, probe)
    if o.local:
        theirs = local_run(o.couler, p, work)
        if theirs is not None:
            p.problems += differences(seen, theirs)


def several(o: argparse.Namespace, engine: Engine, part: list[Program], tmp: str) -> None:
    for p in part:
        one(o, engine, p, tmp)


def programs(o: argparse.Namespace) -> list[Program]:
    suffix = ".couler.json" if o.documents else ".cw"
    paths = []
    for path in o.paths:
        paths += sorted(glob.glob(os.path.join(path, "*" + suffix))) if os.path.isdir(path) else [path]
    found = [Program(os.path.abspath(x)) for x in paths]
    return [p for p in found if not o.only or fnmatch.fnmatch(p.name, o.only)]


def generated(o: argparse.Namespace, tmp: str) -> list[Program]:
    if not o.generate:
        return []
    o.local = True
    sys.path.insert(0, os.path.join(REPO, "tests"))
    gen: Any = importlib.import_module("split_gen" if o.parts else "gen")
    found = []
    for seed in range(o.first, o.first + o.generate):
        path = os.path.join(tmp, f"seed{seed}.cw")
        with open(path, "w", encoding="utf-8") as f:
            f.write("# flags: --split-steps 4\n" + gen.generate(seed, 14, soft=False) if o.parts else gen.generate(seed))
        found.append(Program(path))
    return found


def main() -> int:
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--couler", default=os.path.join(REPO, "build/couler"), type=lambda s: [os.path.abspath(s)])
    a.add_argument("--airflow", default="3.3.2")
    a.add_argument("--local", action="store_true")
    a.add_argument("--documents", action="store_true")
    a.add_argument("--only")
    a.add_argument("--generate", type=int, default=0, metavar="N")
    a.add_argument("--first", type=int, default=1)
    a.add_argument("--parts", action="store_true")
    a.add_argument("--jobs", type=int, default=1, help="Airflow processes")
    a.add_argument("--keep", help="folder to keep the work in")
    a.add_argument("paths", nargs="*")
    o = a.parse_args()
    if isinstance(o.couler, str):
        o.couler = [o.couler]
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  memory: a database there is much faster
    tmp = o.keep or tempfile.mkdtemp(prefix="couler-airflow-", dir=base)
    os.makedirs(tmp, exist_ok=True)
    every = programs(o) + generated(o, tmp)
    engines = [Engine(o.airflow, os.path.join(tmp, f"home-{i}")) for i in range(min(o.jobs, len(every) or 1))]
    with concurrent.futures.ThreadPoolExecutor(len(engines)) as pool:
        parts = [every[i :: len(engines)] for i in range(len(engines))]
        list(pool.map(lambda engine, part: several(o, engine, part, tmp), engines, parts))
    for e in engines:
        e.close()
    for p in every:
        print(f"{'FAIL' if p.problems else 'ok  '} {p.name}{' (' + p.skipped + ')' if p.skipped else ''}")
        for x in p.problems[:10]:
            print(f"       {x}")
    failed = sum(bool(p.problems) for p in every)
    if not o.keep:
        shutil.rmtree(tmp, ignore_errors=True)
    print(f"{len(every) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
