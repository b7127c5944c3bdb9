"""Tests of couler_airflow.py in the Airflow of this Python: loader_test.py COULER [unittest's arguments]

A folder of documents as Airflow reads it: one broken among fifty, what a worker opens, 500 DAGs within Airflow's own
time limit, documents changed by hand, stub files, a folder nobody may write to. Last line: `N passed, N failed`.
"""

from __future__ import annotations

import ast
import copy
import glob
import importlib.util
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
LOADER = os.path.join(REPO, "backends/airflow/couler_airflow.py")
SCHEMA = os.path.join(REPO, "backends/airflow/couler-airflow.schema.json")
COULER = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else os.path.join(REPO, "build/couler")
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108

HOME = tempfile.mkdtemp(prefix="couler-loader-", dir=MEMORY)
shutil.copyfile(os.path.join(sys.prefix, "airflow.db"), os.path.join(HOME, "airflow.db"))
os.environ.update(
    AIRFLOW_HOME=HOME, AIRFLOW__CORE__LOAD_EXAMPLES="False", AIRFLOW__CORE__DAGS_FOLDER=os.path.join(HOME, "dags"),
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{HOME}/airflow.db", AIRFLOW__LOGGING__LOGGING_LEVEL="CRITICAL",
)  # fmt: skip
os.makedirs(os.path.join(HOME, "dags"))

try:
    import airflow.providers.fab.auth_manager.models  # noqa: F401  Airflow 2.11 needs it before its own models
except ImportError:
    pass
from airflow.configuration import conf  # noqa: E402  after the settings above
from airflow.utils.session import create_session  # noqa: E402

try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:
    from airflow.models.dagbag import DagBag  # type: ignore[no-redef, attr-defined]
from airflow.version import version as AIRFLOW  # noqa: E402


def compiled(source: str, name: str = "one", *options: str) -> Any:
    """The document of the text of a .cw file."""
    with tempfile.TemporaryDirectory(dir=HOME) as tmp:
        with open(os.path.join(tmp, f"{name}.cw"), "w", encoding="utf-8") as f:
            f.write(source)
        p = subprocess.run([COULER, "compile", f"{name}.cw", "-t", "airflow", "-o", "-", *options], cwd=tmp, capture_output=True, text=True, check=False)
        assert p.returncode == 0, p.stderr
        return json.loads(p.stdout)


def every_document() -> dict[str, Any]:
    """What couler makes of the examples and of the engine's programs, those in parts among them."""
    found = {}
    places = (os.path.join(REPO, "examples"), os.path.join(HERE, "programs"), os.path.join(HERE, "parts"))
    for path in sorted(p for place in places for p in glob.glob(os.path.join(place, "*.cw"))):
        with open(path, encoding="utf-8") as f:
            first = f.readline()
        flags = first.removeprefix("# flags:").split() if first.startswith("# flags:") else []
        p = subprocess.run([COULER, "compile", path, "-t", "airflow", "-o", "-", *flags], capture_output=True, text=True, check=False)
        if p.returncode != 4:
            assert p.returncode == 0, p.stderr
            found[os.path.basename(path)] = json.loads(p.stdout)
    return found


ONE = compiled('workflow one { step a { out x: int; run = """echo 1 > "$x" """ }; step b { in x = a.x; run = """true""" } }')


PARTS = compiled(
    'task t { in n: int; out x: int; run = """echo 1 > "$x" """ }\n'
    "workflow big { step a = t(n = 1); step b = t(n = a.x); step c = t(n = b.x); step d = t(n = c.x) }",
    "big", "--split-steps", "3",
)  # fmt: skip


def loader_module() -> Any:
    os.environ["COULER_AIRFLOW_SCAN"] = "off"
    try:
        spec = importlib.util.spec_from_file_location("couler_airflow", LOADER)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["couler_airflow"] = module
        spec.loader.exec_module(module)
        return module
    finally:
        del os.environ["COULER_AIRFLOW_SCAN"]


class Folder(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="dags-", dir=HOME)
        shutil.copyfile(LOADER, os.path.join(self.folder, "couler_airflow.py"))
        self.environment = dict(os.environ)

    def tearDown(self) -> None:
        os.environ.clear()
        os.environ.update(self.environment)
        shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, name: str, document: Any) -> str:
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(document if isinstance(document, str) else json.dumps(document, indent=1))
        return path

    def many(self, n: int, document: Any = ONE) -> None:
        for i in range(n):
            self.write(f"dag{i}.couler.json", {**document, "dag_id": f"dag{i}"})

    def bag(self) -> Any:
        more: dict[str, Any] = {"include_examples": False}
        if AIRFLOW >= "3":
            from pathlib import Path

            more = {"bundle_path": Path(self.folder), "bundle_name": "dags-folder"}
        return DagBag(self.folder, **more)

    def errors(self, bag: Any) -> dict[str, str]:
        """Import errors by the path below the folder."""
        return {os.path.relpath(os.path.join(self.folder, k), self.folder): v for k, v in bag.import_errors.items()}


class OneOfFifty(Folder):
    def broken(self, text: str, *words: str) -> None:
        self.many(50)
        self.write("dag7.couler.json", text)
        bag = self.bag()
        self.assertEqual(sorted(bag.dags), sorted(f"dag{i}" for i in range(50) if i != 7))
        errors = self.errors(bag)
        self.assertEqual(list(errors), ["dag7.couler.json"])
        for word in ("dag7.couler.json", *words):
            self.assertIn(word, errors["dag7.couler.json"])

    def test_no_json(self) -> None:
        self.broken('{"couler": 1,\n "dag_id": "dag7" "tasks": []}', ":2:19: no JSON")

    def test_cut_off(self) -> None:
        text = json.dumps(ONE, indent=1)
        self.broken(text[: len(text) // 2], "no JSON")

    def test_a_field(self) -> None:
        d = copy.deepcopy(ONE)
        d["tasks"][0]["retries"] = "three"
        self.broken(json.dumps(d), 'tasks[0].retries: expected a whole number, 0 or more, got "three"')

    def test_found_while_building(self) -> None:
        self.broken(json.dumps({**ONE, "dag_id": "dag7", "schedule": {"cron": ["99 * * * *"]}}), "schedule", "99")

    def test_raw_arguments(self) -> None:
        self.broken(json.dumps({**ONE, "dag_id": "dag7", "airflow": {"colour": "blue"}}), "airflow", "colour")

    def test_bytes(self) -> None:
        self.many(3)
        with open(os.path.join(self.folder, "dag1.couler.json"), "wb") as f:
            f.write(b'{"couler": 1, "dag_id": "\xff"}')
        bag = self.bag()
        self.assertEqual(sorted(bag.dags), ["dag0", "dag2"])
        self.assertIn("utf-8", self.errors(bag)["dag1.couler.json"])

    def test_several(self) -> None:
        self.many(5)
        self.write("dag1.couler.json", "{")
        self.write("below/it/dag2.couler.json", "[]")
        bag = self.bag()
        self.assertEqual(sorted(bag.dags), ["dag0", "dag2", "dag3", "dag4"])
        self.assertEqual(sorted(self.errors(bag)), ["below/it/dag2.couler.json", "dag1.couler.json"])

    def test_the_same_id_twice(self) -> None:
        self.many(2)
        self.write("other.couler.json", {**ONE, "dag_id": "dag1"})
        bag = self.bag()
        self.assertEqual(sorted(bag.dags), ["dag0", "dag1"])
        self.assertIn("dag1.couler.json", self.errors(bag)["other.couler.json"])

    def test_mended(self) -> None:
        self.many(2)
        self.write("dag1.couler.json", "{")
        self.assertEqual(sorted(self.bag().dags), ["dag0"])
        self.many(2)
        bag = self.bag()
        self.assertEqual((sorted(bag.dags), bag.import_errors), (["dag0", "dag1"], {}))

    def test_strict(self) -> None:
        os.environ["COULER_STRICT"] = "1"
        self.many(3)
        self.write("dag1.couler.json", "{")
        bag = self.bag()
        self.assertEqual(bag.dags, {})
        self.assertEqual(list(self.errors(bag)), ["couler_airflow.py"])
        self.assertIn("dag1.couler.json", self.errors(bag)["couler_airflow.py"])

    def test_the_database_keeps_the_others(self) -> None:
        """An import error marks all DAGs of its file: none but the broken one may be marked."""
        from airflow.models.dag import DagModel
        from airflow.models.errors import ParseImportError

        self.many(4)
        self.write("dag1.couler.json", "{")
        bag = self.bag()
        if AIRFLOW >= "3":
            from airflow.dag_processing.bundles.manager import DagBundlesManager
            from airflow.dag_processing.dagbag import sync_bag_to_db

            DagBundlesManager().sync_bundles_to_db()
            with create_session() as session:
                sync_bag_to_db(bag, "dags-folder", None, session=session)
        else:
            from airflow.dag_processing.processor import DagFileProcessor

            bag.sync_to_db()
            DagFileProcessor.update_import_errors(bag.file_last_changed, bag.import_errors, None)
        with create_session() as session:
            noted = [(os.path.basename(e.filename), e.stacktrace) for e in session.query(ParseImportError).all()]
            good = {d.dag_id: bool(d.has_import_errors) for d in session.query(DagModel).filter(DagModel.dag_id.in_(bag.dags))}
        self.assertEqual([f for f, _ in noted], ["dag1.couler.json"])
        self.assertIn("no JSON", noted[0][1])
        self.assertEqual(good, {"dag0": False, "dag2": False, "dag3": False})


class Reading(Folder):
    def opened(self, dag_id: str) -> tuple[list[str], Any]:
        """Documents that a worker reads for a task of a DAG, and its bag."""
        seen: list[str] = []

        def hook(event: str, args: Any) -> None:
            # Airflow itself looks into every file for a zip archive
            ours = event == "open" and listening and sys._getframe(1).f_code.co_filename.endswith("couler_airflow.py")
            if ours and str(args[0]).endswith(".couler.json"):
                seen.append(os.path.basename(args[0]))

        listening = True
        sys.addaudithook(hook)
        os.environ["_AIRFLOW_PARSING_CONTEXT_DAG_ID"] = dag_id  # what a worker sets
        bag = self.bag()
        listening = False
        return seen, bag

    def test_a_worker_opens_one(self) -> None:
        self.many(20)
        seen, bag = self.opened("dag11")
        self.assertEqual((set(seen), list(bag.dags)), ({"dag11.couler.json"}, ["dag11"]))

    def test_a_worker_finds_it_under_another_name(self) -> None:
        self.many(5)
        self.write("deep/down/nightly.couler.json", {**ONE, "dag_id": "churn"})
        _, bag = self.opened("churn")
        self.assertIn("churn", bag.dags)

    def test_a_worker_whose_file_lies(self) -> None:
        self.many(3)
        self.write("churn.couler.json", {**ONE, "dag_id": "other"})
        self.write("other.couler.json", {**ONE, "dag_id": "churn"})
        _, bag = self.opened("churn")
        self.assertIn("churn", bag.dags)

    def test_parts(self) -> None:
        """A DAG for each part, which starts when it is there, belongs to its owner and is not switched off."""
        self.many(3)
        self.write("big.couler.json", {**PARTS, "owner": "team", "tags": ["x"], "airflow": {"default_args": {"email": "a@b"}, "max_active_runs": 3}})
        bag = self.bag()
        self.assertEqual({}, dict(bag.import_errors))
        self.assertEqual({"dag0", "dag1", "dag2", "big", "big.big_part_1", "big.big_part_2"}, set(bag.dags))
        part = bag.dags["big.big_part_1"]
        self.assertEqual((part.tags, part.default_args["owner"], part.default_args["email"], part.is_paused_upon_creation, dict(part.params)),
                         ({"x"} if isinstance(part.tags, set) else ["x"], "team", "a@b", False, {}))  # fmt: skip
        self.assertEqual(bag.dags["big"].max_active_runs, 3)
        trigger = next(t for t in bag.dags["big"].tasks if t.task_id.endswith("-run"))
        self.assertEqual((trigger.trigger_dag_id, trigger.wait_for_completion, trigger.template_fields), ("big.big_part_1", False, ("index",)))

    def test_a_worker_makes_one_part(self) -> None:
        self.many(5)
        self.write("big.couler.json", PARTS)
        for dag_id in ("big.big_part_2", "big"):
            seen, bag = self.opened(dag_id)
            self.assertEqual((set(seen), list(bag.dags)), ({"big.couler.json"}, [dag_id]))

    def test_a_part_that_is_broken(self) -> None:
        """It takes its workflow along, and nothing else."""
        self.many(2)
        broken = copy.deepcopy(PARTS)
        broken["parts"][1]["tasks"][0]["kind"] = "nosuch"
        path = self.write("big.couler.json", broken)
        bag = self.bag()
        self.assertEqual({"dag0", "dag1"}, set(bag.dags))
        self.assertRegex(next(iter(bag.import_errors.values())), r"parts\[1\]\.tasks\[0\]\.kind: expected one of")
        self.assertIn(os.path.basename(path), next(iter(bag.import_errors)))

    def test_parts_that_do_not_fit(self) -> None:
        module = loader_module()
        for what, at, value, message in (
            ("a trigger without its part", ("tasks", "dag"), "big.nosuch", "no part has the dag_id 'big.nosuch'"),
            ("a wait without its trigger", ("tasks", "trigger"), "couler-result", "is no task of the kind trigger"),
            ("parts of parts", ("parts", "parts"), [], "a part has no parts of its own"),
        ):
            d = copy.deepcopy(PARTS)
            target = d["parts"][0] if at[0] == "parts" else next(t for t in d["tasks"] if at[1] in t)
            target[at[1]] = value
            with self.assertRaisesRegex(module.CoulerError, message, msg=what):
                module.Document("x", d).parts()
        self.write("a.couler.json", PARTS)
        self.write("b.couler.json", {**ONE, "dag_id": "big.big_part_1"})
        self.assertRegex(str(self.bag().import_errors), "'big.big_part_1' is the id of")

    def test_20000_steps(self) -> None:
        """In parts of 500, well within the time that Airflow gives an import."""
        shapes = os.path.join(REPO, "tests/bench/shapes.py")
        text = subprocess.run([sys.executable, shapes, "layered", "20000"], capture_output=True, text=True, check=True).stdout
        self.write("large.couler.json", compiled(text, "large", "--split-steps", "500"))
        self.assertLessEqual(float(conf.get("core", "dagbag_import_timeout")), 30.0)
        bag = self.bag()
        self.assertEqual({}, dict(bag.import_errors))
        self.assertGreaterEqual(len(bag.dags), 41)
        steps = sum(type(t).__name__ == "Step" for d in bag.dags.values() for t in d.tasks)
        self.assertEqual((steps, max(len(d.tasks) for d in bag.dags.values()) <= 502), (20000, True))

    def test_500_dags(self) -> None:
        """Airflow itself ends an import after its default time; documents of real size."""
        document = every_document()["churn.cw"]
        self.many(500, document)
        self.assertLessEqual(float(conf.get("core", "dagbag_import_timeout")), 30.0)
        bag = self.bag()
        self.assertEqual((len(bag.dags), bag.import_errors), (500, {}))
        self.assertGreater(len(bag.dags["dag0"].tasks), 5)

    def test_stub(self) -> None:
        os.environ["COULER_AIRFLOW_SCAN"] = "off"
        self.many(2)
        self.write("dag9.couler.json", "{")
        for i in (0, 1, 9):
            self.write(f"dag{i}.py", f'from couler_airflow import load  # an Airflow dag\ndag = load("dag{i}.couler.json")\n')
        sys.path.insert(0, self.folder)
        sys.modules.pop("couler_airflow", None)
        try:
            bag = self.bag()
        finally:
            sys.path.remove(self.folder)
        self.assertEqual(sorted(bag.dags), ["dag0", "dag1"])
        self.assertEqual(list(self.errors(bag)), ["dag9.py"])

    def test_nothing_is_written(self) -> None:
        self.many(3)
        written: list[str] = []

        def hook(event: str, args: Any) -> None:
            inside = event == "open" and listening and isinstance(args[0], str) and args[0].startswith(self.folder)
            if inside and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                written.append(args[0])

        listening = True
        sys.addaudithook(hook)
        sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
        bag = self.bag()
        listening, sys.dont_write_bytecode = False, before
        self.assertEqual((len(bag.dags), written), (3, []))

    def test_equal_reads_give_equal_dags(self) -> None:
        module = loader_module()
        for name, d in every_document().items():
            a, b = (module.build(module.Document(name, d)) for _ in range(2))
            self.assertEqual([t.task_id for t in a.tasks], [t.task_id for t in b.tasks], name)
            for t in a.tasks:
                self.assertEqual(t.downstream_task_ids, b.get_task(t.task_id).downstream_task_ids)

    def test_no_code_from_data(self) -> None:
        """No eval, no exec, no shell that reads values as text."""
        with open(LOADER, encoding="utf-8") as f:
            tree = ast.parse(f.read())
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                self.assertNotIn(node.func.id, ("eval", "exec", "compile", "__import__"))
            if isinstance(node, ast.Call):
                self.assertNotIn("shell", [k.arg for k in node.keywords])


class Nonsense(unittest.TestCase):
    """Documents that somebody changed by hand."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.module = loader_module()
        cls.documents = every_document()

    def refused(self, change: Any, *words: str, name: str = "churn.cw") -> None:
        d = copy.deepcopy(self.documents[name])
        change(d)
        with self.assertRaises(self.module.CoulerError) as caught:
            self.module.build(self.module.Document("x.couler.json", d))
        for word in words:
            self.assertIn(word, str(caught.exception))

    @staticmethod
    def task(d: Any, tid: str) -> Any:
        return next(t for t in d["tasks"] if t["task_id"] == tid)

    def test_version(self) -> None:
        self.refused(lambda d: d.update(couler=2), "couler: expected the version 1, got 2")

    def test_unknown_field(self) -> None:
        self.refused(lambda d: d.update(retries=3), "no field 'retries'")
        self.refused(lambda d: self.task(d, "features").update(depends_on=["extract"]), "tasks[", "no field 'depends_on'")

    def test_missing_field(self) -> None:
        self.refused(lambda d: d.pop("dag_id"), "document: the field 'dag_id' is missing")
        self.refused(lambda d: self.task(d, "features").pop("step"), "tasks[", "the field 'step' is missing")

    def test_dag_id(self) -> None:
        self.refused(lambda d: d.update(dag_id="a b"), "dag_id: expected 1 to 250 of letters")

    def test_kind(self) -> None:
        self.refused(lambda d: self.task(d, "features").update(kind="bash"), "kind: expected one of begin, run", '"bash"')

    def test_no_such_task(self) -> None:
        self.refused(lambda d: self.task(d, "features").update(dependencies=["extractt"]), 'dependencies[0]: expected the id of a task, got "extractt"')

    def test_cycle(self) -> None:
        self.refused(lambda d: self.task(d, "extract").update(dependencies=["features"]), "dependencies: a cycle among")

    def test_twice(self) -> None:
        self.refused(lambda d: d["tasks"].append(d["tasks"][0]), "task_id", "stands twice")

    def test_expression(self) -> None:
        self.refused(lambda d: self.task(d, "features")["in"].update(raw=["out", "extract"]), "in.raw: expected a list of 3")
        self.refused(lambda d: self.task(d, "features")["in"].update(raw=["system", "rm"]), "in.raw: expected an expression", "system")
        self.refused(lambda d: self.task(d, "features")["in"].update(raw=["call", "eval", "1"]), "in.raw[1]: expected one of len", '"eval"')
        self.refused(lambda d: self.task(d, "features")["in"].update(raw=0.5), "in.raw: expected an expression, got 0.5")

    def test_rows_of_a_sweep(self) -> None:
        self.refused(lambda d: d["tables"]["tune"]["rows"].__setitem__(1, [0.5, 2]), "tables.tune.rows[1][0]: expected a text, got 0.5")

    def test_type(self) -> None:
        self.refused(lambda d: d["params"]["floor"].update(type="double"), 'params.floor.type: expected a type such as string or list<file>, got "double"')

    def test_loop(self) -> None:
        self.refused(lambda d: d["loops"]["tune-trials"].update(length="8"), 'loops.tune-trials.length: expected a whole number, 0 or more, got "8"')
        self.refused(lambda d: d["loops"]["tune-trials"].pop("length"), "loops.tune-trials: the field 'task' or 'length' is missing")
        self.refused(lambda d: d["loops"]["tune-trials"].update({"in": "tune-trials"}), "loops.tune-trials.in: the loop is inside of itself")

    def test_seconds(self) -> None:
        self.refused(lambda d: self.task(d, "extract").update(retry_delay=1e300), "retry_delay: expected seconds")

    def test_schedule(self) -> None:
        self.refused(lambda d: d.update(schedule="@daily"), 'schedule: expected an object, got "@daily"')
        self.refused(lambda d: d["schedule"].update(cron=["@daily"]), 'schedule.cron[0]: expected five fields such as 0 2 * * 1-5, got "@daily"')
        self.refused(lambda d: d["schedule"].update(timezone="Mars/Olympus"), "schedule", "Mars/Olympus")

    def test_a_key_twice(self) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".couler.json", dir=HOME) as f:
            f.write(json.dumps(ONE).replace('"couler": 1', '"couler": 1, "couler": 1'))
            f.flush()
            with self.assertRaisesRegex(self.module.CoulerError, "'couler' stands twice"):
                self.module.read_document(f.name)

    def test_nesting(self) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".couler.json", dir=HOME) as f:
            f.write('{"couler": 1, "dag_id": "a", "tasks": [], "timeout": ' + '["!",' * 200000 + "true" + "]" * 200000 + "}")
            f.flush()
            with self.assertRaisesRegex(self.module.CoulerError, "nested too deeply"):
                self.module.read_document(f.name)

    def test_schema_and_loader_agree(self) -> None:
        """Emitted documents are valid; of what the schema refuses, the loader takes nothing and names the place."""
        import jsonschema

        with open(SCHEMA, encoding="utf-8") as f:
            schema = json.load(f)
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        for name, d in self.documents.items():
            self.assertEqual([], [f"{e.json_path}: {e.message[:200]}" for e in validator.iter_errors(d)], name)
        rnd = random.Random(11)  # noqa: S311
        refused = 0
        for _ in range(600):
            name = rnd.choice(sorted(self.documents))
            d = copy.deepcopy(self.documents[name])
            path = rnd.choice(list(ways(d)))
            change(d, path, rnd)
            if validator.is_valid(d):
                continue
            refused += 1
            with self.assertRaises(self.module.CoulerError, msg=f"{name}: {path}") as caught:
                self.module.Document("x", d).parts()
            keys = [str(k) for k in path if isinstance(k, str)]
            self.assertTrue(any(k in str(caught.exception) for k in keys) or "document" in str(caught.exception) or path[0] == "tasks",
                            f"{name}: {path}: {caught.exception}")  # fmt: skip
        self.assertGreater(refused, 300)


def ways(doc: Any, path: tuple[Any, ...] = ()) -> Any:
    for k, v in doc.items() if isinstance(doc, dict) else enumerate(doc):
        yield (*path, k)
        if isinstance(v, (dict, list)):
            yield from ways(v, (*path, k))


def change(doc: Any, path: tuple[Any, ...], rnd: random.Random) -> None:
    at = doc
    for k in path[:-1]:
        at = at[k]
    if isinstance(at, dict) and rnd.random() < 0.2:
        del at[path[-1]]
    else:
        at[path[-1]] = rnd.choice([None, "nosuch", 7, 1e300, -3, [], {}, True, [["x"]]])


def main() -> int:
    program = unittest.main(exit=False, verbosity=1)
    shutil.rmtree(HOME, ignore_errors=True)
    result = program.result
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
