"""Runs couler's Airflow documents under the Airflow of this Python: many DAGs in one process.

Reads jobs as JSON lines on standard input, {"id", "document", "conf", "env"}, and answers each with a line on
standard output: {"id", "state", "dag_id", "run_id", "states": [[task id, map index, state]], "records": [[task id,
record]]} or {"id", "error"}. What Airflow prints goes to standard error. AIRFLOW_HOME is a folder of ours with a
migrated database; COULER_LOADER is the path of couler_airflow.py, which is copied into its DAGs folder.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import shutil
import sys
import time
import traceback
from typing import Any


def prepare() -> str:
    dags = os.environ["AIRFLOW__CORE__DAGS_FOLDER"]
    os.makedirs(dags, exist_ok=True)
    loader = os.path.join(dags, "couler_airflow.py")
    shutil.copyfile(os.environ["COULER_LOADER"], loader)
    return loader


def load(loader: str, document: str) -> Any:
    os.environ["COULER_AIRFLOW_DOCUMENTS"] = document
    spec = importlib.util.spec_from_file_location("couler_airflow", loader)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["couler_airflow"] = module
    spec.loader.exec_module(module)
    return module.load(document)


def records(dag_id: str, run_id: str) -> list[Any]:
    from airflow.utils.session import create_session

    models = importlib.import_module("airflow.models.xcom")
    XCom = getattr(models, "XComModel", None) or models.BaseXCom
    with create_session() as session:
        rows = session.query(XCom).filter(XCom.dag_id == dag_id, XCom.run_id == run_id, XCom.key == "couler").all()
        return [[row.task_id, row.value if isinstance(row.value, dict) else XCom.deserialize_value(row)] for row in rows]


def run(loader: str, job: dict[str, Any]) -> dict[str, Any]:
    before = dict(os.environ)
    os.environ.update(job.get("env", {}))
    try:
        dag = load(loader, job["document"])
        t0 = time.monotonic()
        dag_run = dag.test(run_conf=job.get("conf") or None)
        seconds = time.monotonic() - t0
        instances = dag_run.get_task_instances()
        return {
            "dag_id": dag.dag_id,
            "run_id": dag_run.run_id,
            "state": str(dag_run.state),
            "seconds": seconds,
            "states": [[ti.task_id, ti.map_index, str(ti.state)] for ti in instances],
            "records": records(dag.dag_id, dag_run.run_id),
        }
    finally:
        os.environ.clear()
        os.environ.update(before)


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    loader = prepare()
    try:
        import airflow.providers.fab.auth_manager.models  # noqa: F401  Airflow 2.11 needs it before its own models
    except ImportError:
        pass
    for line in sys.stdin:
        job = json.loads(line)
        try:
            answer = run(loader, job)
        except Exception as x:
            traceback.print_exc()
            answer = {"error": f"{type(x).__name__}: {x}"}
        print(json.dumps({"id": job["id"], **answer}), file=answers, flush=True)


if __name__ == "__main__":
    main()
