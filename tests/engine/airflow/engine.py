"""Runs couler's Airflow documents under the Airflow of this Python: many DAGs in one process.

Reads jobs as JSON lines on standard input, {"id", "document", "conf", "env"}, and answers each with a line on
standard output: {"id", "state", "dag_id", "run_id", "states": [[task id, map index, state]], "records": [[task id,
record]]} or {"id", "error"}. A document with parts is several DAGs, whose runs are all taken on in turn; the answer then has
"runs", one such object for each. What Airflow prints goes to standard error. AIRFLOW_HOME is a folder of ours with a
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


def sync(dags: list[Any]) -> None:
    """Writes the DAGs to the database, where a trigger looks for them."""
    try:
        from airflow.dag_processing.bundles.manager import DagBundlesManager
        from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
    except ImportError:
        serialized = importlib.import_module("airflow.models.serialized_dag").SerializedDagModel
        for dag in dags:
            dag.sync_to_db()
            serialized.write_dag(dag)
        return
    manager = DagBundlesManager()
    manager.sync_bundles_to_db()
    for bundle in manager.get_all_dag_bundles():
        bundle.initialize()
        bag = BundleDagBag(dag_folder=bundle.path, bundle_path=bundle.path, bundle_name=bundle.name)
        if bag.import_errors:
            raise ValueError(str(bag.import_errors))
        sync_bag_to_db(bag, bundle.name, bundle.version)


def start(dag: Any, conf: dict[str, Any] | None) -> str:
    """Starts a run of a DAG and returns its id."""
    trigger = importlib.import_module("airflow.api.common.trigger_dag").trigger_dag
    run_id = f"manual__{time.time_ns()}"
    types = importlib.import_module("airflow.utils.types")
    if not hasattr(types.DagRunType, "OPERATOR_TRIGGERED"):  # Airflow 2
        trigger(dag_id=dag.dag_id, run_id=run_id, conf=conf)
        return run_id
    more = {"run_type": types.DagRunType.MANUAL, "triggered_by": types.DagRunTriggeredByType.TEST}
    with importlib.import_module("airflow.utils.session").create_session() as session:
        trigger(dag_id=dag.dag_id, run_id=run_id, conf=conf, session=session, **more)
    return run_id


def for_scheduler(dag: Any) -> Any:
    try:
        from airflow.serialization.serialized_objects import DagSerialization
    except ImportError:
        return dag
    return DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))


def execute(ti: Any, task: Any, session: Any) -> None:
    try:
        from airflow.sdk.definitions.dag import _run_task
    except ImportError:
        ti.task = task
        importlib.import_module("airflow.models.dag")._run_task(ti=ti, session=session)
        return
    _run_task(ti=ti, task=task)


def several(dags: list[Any], conf: dict[str, Any] | None) -> list[Any]:
    """Runs the first DAG, and what it triggers: dag.test() for several runs at once. Returns the runs, the first one first."""
    from airflow.models.dagrun import DagRun
    from airflow.utils import timezone
    from airflow.utils.session import create_session

    sync(dags)
    run_id = start(dags[0], conf)
    known = {d.dag_id: (d, for_scheduler(d)) for d in dags}
    with create_session() as session:
        while True:
            session.expire_all()
            every = session.query(DagRun).filter(DagRun.dag_id.in_(known), DagRun.run_id.endswith(run_id)).order_by(DagRun.id).all()
            at_work = [r for r in every if str(getattr(r.state, "value", r.state)) in ("queued", "running")]
            if not at_work:
                return every
            moved = [advance(r, *known[r.dag_id], session, timezone.utcnow()) for r in at_work]
            if not any(moved):
                time.sleep(0.2)


def advance(dag_run: Any, dag: Any, scheduled: Any, session: Any, now: Any) -> bool:
    dag_run.dag = scheduled
    if str(getattr(dag_run.state, "value", dag_run.state)) == "queued":
        dag_run.state, dag_run.start_date = "running", now
        session.commit()
    ready, _ = dag_run.update_state(session=session)
    for ti in ready:
        if ti.state != "up_for_reschedule":
            ti.try_number += 1
        ti.state = "scheduled"
    session.commit()
    chosen = [ti for ti in dag_run.get_task_instances(session=session) if ti.state == "scheduled"]
    for ti in chosen:
        try:
            execute(ti, dag.task_dict[ti.task_id], session)
        except Exception:
            traceback.print_exc()
    return bool(chosen)


def seen(dag_run: Any) -> dict[str, Any]:
    return {
        "dag_id": dag_run.dag_id,
        "run_id": dag_run.run_id,
        "state": str(getattr(dag_run.state, "value", dag_run.state)),
        "states": [[ti.task_id, ti.map_index, str(ti.state)] for ti in dag_run.get_task_instances()],
        "records": records(dag_run.dag_id, dag_run.run_id),
    }


def run(loader: str, job: dict[str, Any]) -> dict[str, Any]:
    before = dict(os.environ)
    os.environ.update(job.get("env", {}))
    try:
        dag = load(loader, job["document"])
        module = sys.modules["couler_airflow"]
        parts = [module.build(p) for p in module.read_document(job["document"]).parts()]
        if not parts:
            t0 = time.monotonic()
            dag_run = dag.test(run_conf=job.get("conf") or None)
            return {**seen(dag_run), "seconds": time.monotonic() - t0}
        runs = [seen(r) for r in several([dag, *parts], job.get("conf") or None)]
        return {**runs[0], "runs": runs}
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
