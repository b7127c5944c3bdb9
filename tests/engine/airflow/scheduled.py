#!/usr/bin/env python3
"""A workflow in parts under Airflow's own scheduler, from an empty installation: scheduled.py COULER VERSION

The loader and one document lie in the DAGs folder, the processes of an installation are started, and the workflow is switched
on and triggered by Airflow's command; nobody touches its parts. A step of its second part fails, and its reason is mended. On
Airflow 3 the part is cleared as a whole; on 2 the step in the part's run, then the task that waits for it. The run must come to
its end with the outputs of `couler run`, and what had succeeded must not have run again. Last line: `N passed, N failed`.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
PROGRAM = '''workflow big {{
  fail_fast = true
  step a {{ out v: int; out f: file; run = """echo 1 > "$v"; echo one > "$f" """ }}
  step b {{ in n = a.v; in g = a.f; out v: int; out f: file; run = """echo $((n + 1)) > "$v"; {{ cat "$g"; echo two; }} > "$f" """ }}
  step c {{ in n = b.v; in g = b.f; out v: int; out f: file; run = """test -e {mark}; echo $((n + 1)) > "$v"; {{ cat "$g"; echo three; }} > "$f" """ }}
  step d {{ in n = c.v; in g = c.f; out v: int; out t: string = stdout; run = """echo $((n + 1)) > "$v"; cat "$g" """ }}
  out v = d.v
  out t = d.t
}}
'''
LIMIT = 600.0  # seconds for one state to come


def free_ports(n: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


class Airflow:
    """An installation in a folder of its own, with its processes."""

    def __init__(self, version: str, home: str):
        env_dir = subprocess.run([os.path.join(HERE, "setup.sh"), version], check=True, capture_output=True, text=True).stdout.strip()
        self.home, self.three = home, version.startswith("3")
        self.program = os.path.join(env_dir, "bin/airflow")
        os.makedirs(os.path.join(home, "dags"))
        shutil.copyfile(os.path.join(env_dir, "airflow.db"), os.path.join(home, "airflow.db"))
        port, log_port = free_ports(2)
        self.env = {k: os.environ[k] for k in ("HOME", "USER", "TZ") if k in os.environ}
        self.env.update(
            PATH=os.path.join(env_dir, "bin") + ":" + os.environ["PATH"], LANG="C.UTF-8", AIRFLOW_HOME=home, AIRFLOW__CORE__LOAD_EXAMPLES="False",
            AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{home}/airflow.db", AIRFLOW__COULER__POLL="8",
            AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL="5", AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL="5",
            AIRFLOW__CORE__EXECUTOR="LocalExecutor" if self.three else "SequentialExecutor", AIRFLOW__CORE__PARALLELISM="2",
            AIRFLOW__CORE__EXECUTION_API_SERVER_URL=f"http://127.0.0.1:{port}/execution/", AIRFLOW__API__PORT=str(port),
            AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT=str(log_port), AIRFLOW__API__BASE_URL=f"http://127.0.0.1:{port}", AIRFLOW__API__HOST="127.0.0.1",
            AIRFLOW__API__WORKERS="1", AIRFLOW__API_AUTH__JWT_SECRET=secrets.token_hex(32),
        )  # fmt: skip
        commands = ("api-server", "dag-processor", "scheduler") if self.three else ("scheduler",)
        self.log = open(os.path.join(home, "log"), "wb")  # noqa: SIM115
        self.processes = [subprocess.Popen([self.program, c], env=self.env, stdout=self.log, stderr=self.log, start_new_session=True) for c in commands]

    def command(self, *args: str) -> str:
        p = subprocess.run([self.program, *args], env=self.env, capture_output=True, text=True, check=False)
        if p.returncode:
            raise RuntimeError(f"airflow {' '.join(args)}: {p.stderr[-600:]}")
        return p.stdout

    def rows(self, query: str, *args: str) -> list[Any]:
        with sqlite3.connect(f"file:{self.home}/airflow.db?mode=ro", uri=True, timeout=60) as db:
            return db.execute(query, args).fetchall()

    def until(self, what: str, query: str, *args: str, want: Any) -> None:
        """Waits until the first column of the rows is one of what is wanted."""
        end = time.monotonic() + LIMIT
        while True:
            got = sorted(str(r[0]) for r in self.rows(query, *args))
            if got in want:
                return
            if time.monotonic() > end or any(p.poll() is not None for p in self.processes):
                raise RuntimeError(f"{what}: {got} after {LIMIT:.0f} s, or a process of Airflow has ended")
            time.sleep(1)

    def close(self) -> None:
        for p in self.processes:
            try:
                os.killpg(p.pid, 15)
            except ProcessLookupError:
                continue
        for p in self.processes:
            try:
                p.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, 9)
                p.wait()
        self.log.close()


def outputs(home: str, run_id: str) -> dict[str, str]:
    """Of the run's last task, as Airflow's command would show them."""
    query = "SELECT value FROM xcom WHERE dag_id = 'big' AND run_id = ? AND task_id = 'couler-result' AND key = 'couler'"
    with sqlite3.connect(f"file:{home}/airflow.db?mode=ro", uri=True, timeout=60) as db:
        ((raw,),) = db.execute(query, (run_id,)).fetchall()
    record = json.loads(raw)
    record = json.loads(record) if isinstance(record, str) else record
    return {name: packed[0] for name, packed in record["out"].items()}


def locally(couler: str, folder: str) -> dict[str, str]:
    env = {**os.environ, "COULER_CACHE": os.path.join(folder, "cache")}
    subprocess.run([couler, "run", "-q", "--outputs-json", "local.json", "big.cw"], cwd=folder, env=env, check=True)
    with open(os.path.join(folder, "local.json"), encoding="utf-8") as f:
        return dict(json.load(f)["outputs"])


def scenario(couler: str, airflow: Airflow, mark: str) -> list[str]:
    states = "SELECT state FROM dag_run WHERE dag_id = ? AND run_id LIKE ?"
    problems = []
    airflow.until("the DAGs are found", "SELECT dag_id FROM serialized_dag", want=[["big", "big.big_part_1", "big.big_part_2"]])
    airflow.until("the parts are switched on, the whole is not", "SELECT dag_id FROM dag WHERE NOT is_paused", want=[["big.big_part_1", "big.big_part_2"]])
    airflow.command("dags", "unpause", "big")
    day = ("--logical-date", "2026-01-01T00:00:00Z") if airflow.three else ()  # by which its `tasks clear` finds runs
    airflow.command("dags", "trigger", "big", "--run-id", "one", *day)
    airflow.until("a run with a step that fails", states, "big", "one", want=[["failed"]])
    airflow.until("its first part", states, "big.big_part_1", "%__one", want=[["success"]])
    airflow.until("its second part", states, "big.big_part_2", "%__one", want=[["failed"]])
    open(mark, "w", encoding="utf-8").close()
    if airflow.three:
        airflow.command("tasks", "clear", "big", "-y", "-t", "big_part_2-run", "-d")
    else:
        airflow.command("tasks", "clear", "big.big_part_2", "-y", "-t", "^c$", "-d")
        airflow.until("a part whose step was cleared", states, "big.big_part_2", "%__one", want=[["success"]])
        airflow.command("tasks", "clear", "big", "-y", "-t", "^big_part_2$", "-d")
    airflow.until("a run whose part was cleared", states, "big", "one", want=[["success"]])
    airflow.until("its part", states, "big.big_part_2", "%__one", want=[["success"]])
    local, got = locally(couler, airflow.home), outputs(airflow.home, "one")
    if {k: str(v) for k, v in local.items()} != got:
        problems.append(f"outputs {got}, locally {local}")
    tries = airflow.rows("SELECT MAX(try_number) FROM task_instance WHERE dag_id = 'big.big_part_1'")
    if tries != [(1,)]:
        problems.append(f"the first part, which had succeeded, was run again: {tries}")
    return problems


def main() -> int:
    couler, version = os.path.abspath(sys.argv[1]), sys.argv[2]
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
    home = tempfile.mkdtemp(prefix="couler-scheduled-", dir=base)
    mark = os.path.join(home, "mark")
    airflow = Airflow(version, os.path.join(home, "airflow"))
    try:
        for folder in (home, airflow.home):
            with open(os.path.join(folder, "big.cw"), "w", encoding="utf-8") as f:
                f.write(PROGRAM.format(mark=mark))
        dags = os.path.join(airflow.home, "dags")
        subprocess.run([couler, "airflow", "install", dags], check=True, capture_output=True)
        subprocess.run([couler, "compile", "big.cw", "-t", "airflow", "--split-steps", "2", "-o", os.path.join(dags, "big.couler.json")], cwd=home, check=True)
        problems = scenario(couler, airflow, mark)
    except (RuntimeError, subprocess.CalledProcessError, sqlite3.Error) as x:
        problems = [str(x)]
    finally:
        airflow.close()
    for p in problems:
        print(f"FAIL under the scheduler of {version}: {p}")
    if problems:
        with open(os.path.join(airflow.home, "log"), encoding="utf-8", errors="replace") as f:
            print("".join(f.readlines()[-40:]))
    if not problems or not os.environ.get("KEEP"):
        shutil.rmtree(home, ignore_errors=True)
    print(f"{int(not problems)} passed, {int(bool(problems))} failed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
