/*
 * Statements, functions' examples and topics of `couler help`.
 *
 * STATEMENT(word, text, place, example)    place: of enum example_place, without EX_
 * FN(word, example)                        for each row of EXPR_FNS: an expression
 * CALLED(word, text, place, example)       what is called like a function and stands in one place only
 * TOPIC(word, text, place, example)
 * Each example is checked by a test. In a workflow's body, `extract` has outputs raw (file), rows (int) and tag (string),
 * `region` is a string, `train` a task with inputs table, lr, depth and outputs model, auc, `scratch` a volume.
 */
#ifdef STATEMENT
STATEMENT("import", "Brings the tasks and workflows of another file, written NAME.TASK(...). The path is relative to the importing file and stays inside the project: the nearest folder above that holds couler.yaml or .git.", FILE,
	"import \"lib/etl.cw\" as etl\nworkflow w {\n  step load = etl.load()\n}")
STATEMENT("store", "Says once how a place for files is reached: uri, endpoint, region, secret. A location uses the store with the longest matching uri.", FILE,
	"store models { uri = \"s3://acme-models\"; endpoint = \"https://minio.acme.io:9000\"; secret = \"s3-cred\" }\nworkflow w {\n  artifacts = models\n  step a { run = \"\"\"true\"\"\" }\n}")
STATEMENT("task", "A reusable unit with typed inputs and outputs, called by steps and sweeps. It has one body: run, command, args, job, dataflow or argo.", FILE,
	"task count {\n  in  table: file\n  out rows: int\n  run = \"\"\"wc -l < \"$table\" > \"$rows\" \"\"\"\n}\nworkflow w {\n  step n = count(table = \"s3://acme/t.csv\")\n}")
STATEMENT("workflow", "Steps, control flow and settings of a run. Order in the text means nothing: a step runs as soon as its inputs exist.", FILE,
	"workflow churn {\n  param region: string = \"eu\"\n  defaults { image = \"python:3.12-slim\"; retry = 2 }\n  step extract { in region; out raw: file; run = \"\"\"echo \"$region\" > \"$raw\" \"\"\" }\n  out raw = extract.raw\n}")
STATEMENT("param", "What is known when a run starts: -p NAME=VALUE. Without a default it must be given; `in [...]` lists the allowed values.", WORKFLOW,
	"param day: string = \"2026-01-31\"\nparam depth: int = 6 in [4, 6, 8]")
STATEMENT("let", "A name for a value.", WORKFLOW, "let bucket = \"s3://acme/${region}\"")
STATEMENT("volume", "Storage that lives as long as the run and is mounted by steps; with claim = \"name\" it is somebody's and stays.", WORKFLOW,
	"volume cache_disk { size = 100Gi; class = \"fast\"; mode = rwx }\nstep a { mounts { \"/data\" = cache_disk }; run = \"\"\"ls /data\"\"\" }")
STATEMENT("defaults", "Attributes of all steps in the block around it. Nearest wins: the call, then the task, then defaults from the inside out; blocks merge key by key.", WORKFLOW,
	"defaults { image = \"python:3.12-slim\"; retry = 2; resources { cpu = 1 } }")
STATEMENT("step", "One node of a workflow: written out, or a call of a task or of another workflow, with a block of overrides.", WORKFLOW,
	"step clean { in raw = extract.raw; out table: file; run = \"\"\"sort \"$raw\" > \"$table\" \"\"\" }\nstep fit = train(table = clean.table, lr = 0.1) { retry = 3; timeout = 4h }")
STATEMENT("sweep", "Runs a task or workflow over a search space and picks the best trial. Arguments that are distributions span the space: choice, steps, uniform, log_uniform, int_uniform. Results: NAME.best.OUTPUT, NAME.best.ARGUMENT, NAME.trials.", WORKFLOW,
	"sweep tune = train(table = extract.raw, lr = log_uniform(1e-3, 3e-1), depth = choice(4, 6, 8)) {\n  search   = random(trials = 20, seed = 7)\n  maximize = auc\n}\nstep ship { in model = tune.best.model; in lr = tune.best.lr; run = \"\"\"cat \"$model\"; echo \"$lr\" \"\"\" }")
STATEMENT("loop", "Bounded repetition that carries values. `while` is tested before each round; outside, NAME.STATE is the last state and NAME.iterations the number of rounds.", WORKFLOW,
	"loop refine {\n  max = 5\n  state lr: float = 0.1\n  while lr > 0.01\n  step half { in lr; out v: float = stdout; run = \"\"\"awk \"BEGIN { print $lr / 2 }\" \"\"\" }\n  next { lr = half.v }\n}\nstep use { in lr = refine.lr; run = \"\"\"echo \"$lr\" \"\"\" }")
STATEMENT("if", "A condition over params and outputs. A step that every branch of an `if` with a final `else` defines has a plain output outside; otherwise the output is optional: give it a fallback with ??.", WORKFLOW,
	"if extract.rows > 1000 {\n  step big { out n: int = stdout; run = \"\"\"echo 2\"\"\" }\n} else {\n  step big { out n: int = stdout; run = \"\"\"echo 1\"\"\" }\n}\nstep report { in n = big.n; run = \"\"\"echo \"$n\" \"\"\" }")
STATEMENT("for", "Once per element, in parallel. Outside, the outputs of its steps are lists in order. `for i, x in list` also binds the index; range(a, b) is a up to and without b.", WORKFLOW,
	"for i, lr in [0.1, 0.2] {\n  max_parallel = 8\n  step fit = train(table = extract.raw, lr = lr)\n}\nstep pick { in aucs = fit.auc; run = \"\"\"echo \"$aucs\" \"\"\" }")
STATEMENT("wait", "A pause (for), or a script that is run until it exits with 0 (run, every, timeout).", WORKFLOW,
	"wait settle { for = 20s; after = [extract] }\nwait landed { run = \"\"\"test -e /in/_SUCCESS\"\"\"; every = 30s; timeout = 6h }")
STATEMENT("approve", "A gate that a person opens: on the terminal, or with `couler approve RUN NAME`. Rejection and expiry fail it. `ask` takes an answer.", WORKFLOW,
	"approve gate { message = \"ship ${extract.rows} rows?\"; timeout = 1d; ask verdict: string = \"no\" in [\"yes\", \"no\"] }\nstep ship { in verdict = gate.verdict; run = \"\"\"echo \"$verdict\" \"\"\" }")
STATEMENT("ask", "An answer that an approve takes: NAME: TYPE, a default that is preselected, and the allowed values.", WORKFLOW,
	"approve gate { message = \"ship?\"; ask verdict: string = \"no\" in [\"yes\", \"no\"] }\nstep ship { in verdict = gate.verdict; run = \"\"\"echo \"$verdict\" \"\"\" }")
STATEMENT("service", "A program that lives while the steps that read NAME.address run.", WORKFLOW,
	"service db { image = \"qdrant/qdrant:v1.9.0\"; port = 6333; ready = \"/readyz\" }\nstep load { in url = \"http://${db.address}\"; run = \"\"\"echo \"$url\" \"\"\" }")
STATEMENT("fail", "A step that fails as soon as it may start, and with it the run.", WORKFLOW,
	"if extract.rows == 0 {\n  fail \"no rows for ${region}\"\n}")
STATEMENT("on", "What runs when everything else has ended: on success or on failure, then on exit. Outputs are optional there; workflow.status and workflow.failed_steps say how it went.", WORKFLOW,
	"on failure { step page { in failed = workflow.failed_steps; run = \"\"\"echo \"$failed\" \"\"\" } }\non exit { step clean { run = \"\"\"true\"\"\" } }")
STATEMENT("in", "An input: NAME: TYPE, named \"FILE\" for the last component of its path, = its value (a default, in a task), in [allowed values]. `in region` alone takes the value of that name around the step. The script sees it as a variable.", WORKFLOW,
	"step a {\n  in region\n  in raw = extract.raw\n  in table: file named \"table.csv\" = extract.raw\n  in level: int = 3\n  run = \"\"\"head -n \"$level\" \"$raw\" \"$table\"; echo \"$region\" \"\"\"\n}")
STATEMENT("out", "An output of a step: the variable holds the path to write to; of type T = stdout, what the body prints. `to LOCATION` also publishes it. In a workflow: what its caller sees.", WORKFLOW,
	"step a {\n  out table: file named \"table.csv\"\n  out rows: int = stdout\n  run = \"\"\": > \"$table\"; echo 3\"\"\"\n}\nout rows = a.rows")
STATEMENT("state", "A value that a loop carries: NAME: TYPE = its start. A state that `next` does not name keeps its value.", WORKFLOW,
	"loop l {\n  max = 3\n  state i: int = 0\n  step a { in i; out v: int = stdout; run = \"\"\"echo $((i + 1))\"\"\" }\n  next { i = a.v }\n}")
STATEMENT("while", "The condition under which a loop goes on, tested before each round.", WORKFLOW,
	"loop l {\n  max = 3\n  state i: int = 0\n  while i < 2\n  step a { in i; out v: int = stdout; run = \"\"\"echo $((i + 1))\"\"\" }\n  next { i = a.v }\n}")
STATEMENT("next", "What the states of a loop are in the next round.", WORKFLOW,
	"loop l {\n  max = 3\n  state i: int = 0\n  step a { in i; out v: int = stdout; run = \"\"\"echo $((i + 1))\"\"\" }\n  next { i = a.v }\n}")
STATEMENT("job", "A distributed job as the body of a step: pytorch, tensorflow, mpi or ray with `workers` processes, or kubernetes for any object. RANK, WORLD_SIZE, MASTER_ADDR (or TF_CONFIG) tell each process its place; rank 0's outputs count.", WORKFLOW,
	"step fit {\n  out auc: float\n  job pytorch { workers = 4; run = \"\"\"echo 0.9 > \"$auc\" \"\"\" }\n}")
STATEMENT("source", "Where a dataflow reads: one split per file of an input.", STEP,
	"in shards: dir = \"s3://acme/shards\"; out model: file\ndataflow { source records = split(shards); trainer { from = records; run = \"\"\"cat > \"$model\" \"\"\" } }")
STATEMENT("op", "An operator of a dataflow: reads records on standard input, writes records on standard output. The compiler moves those that do not depend on the model to the workers.", STEP,
	"in shards: dir = \"s3://acme/shards\"; out model: file\ndataflow {\n  source records = split(shards)\n  op parse { from = records; run = \"\"\"tr a-z A-Z\"\"\"; cpu = 0.4ms; bytes = 12KB }\n  trainer { from = parse; run = \"\"\"cat > \"$model\" \"\"\" }\n}")
STATEMENT("trainer", "The end of a dataflow: reads the records on standard input and writes the outputs of the step.", STEP,
	"in shards: dir = \"s3://acme/shards\"; out model: file\ndataflow { source records = split(shards); trainer { from = records; run = \"\"\"cat > \"$model\" \"\"\" } }")
#endif

#ifdef FN
FN("len", "len([1, 2])") FN("range", "range(0, 10)") FN("min", "min(3, extract.rows)") FN("max", "max([1, 2, 3])") FN("sum", "sum([1, 2, 3])") FN("mean", "mean([1, 2, 3])")
FN("argmin", "argmin([3, 1, 2])") FN("argmax", "argmax([3, 1, 2])") FN("index_of", "index_of([\"a\", \"b\"], region)") FN("present", "present(maybe.v)")
FN("str", "str(extract.rows)") FN("int", "int(\"07\")") FN("float", "float(\"0.5\")") FN("bool", "bool(\"true\")") FN("json", "json([1, 2])") FN("parse_json", "parse_json(\"{\\\"a\\\": 1}\").a")
FN("join", "join([\"a\", \"b\"], \", \")") FN("split", "split(region, \"-\")") FN("basename", "basename(\"a/b.csv\")") FN("dirname", "dirname(\"a/b.csv\")")
FN("contains", "contains(region, \"eu\")") FN("starts_with", "starts_with(region, \"eu\")") FN("ends_with", "ends_with(region, \"-1\")") FN("lower", "lower(region)") FN("upper", "upper(region)")
FN("replace", "replace(region, \"-\", \"_\")") FN("pad", "pad(extract.rows, 6, \"0\")") FN("format_time", "format_time(workflow.start_time, \"%Y-%m-%d\")")
FN("file", "file(\"https://acme.io/t.csv\", sha256 = \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\")")
#endif

#ifdef CALLED
CALLED("secret", "A value of a secret, by the secret's name and the key in it. Stands in env; without the key in env_from and mounts. Local runs read $CW_SECRETS/NAME/KEY.", STEP, "env { TOKEN = secret(\"mlflow\", \"token\") }; run = \"\"\"true\"\"\"")
CALLED("config", "A value of a config, by its name and the key in it. Stands in env; without the key in env_from and mounts.", STEP, "env { LEVEL = config(\"settings\", \"level\") }; run = \"\"\"true\"\"\"")
CALLED("pool", "A lock that so many may hold at once. Stands in lock.", STEP, "lock = pool(\"gpu\", 4); run = \"\"\"true\"\"\"")
CALLED("choice", "A distribution of a sweep: one of these values.", WORKFLOW, "sweep tune = train(table = extract.raw, lr = choice(0.1, 0.2)) { search = grid(); maximize = auc }")
CALLED("steps", "A distribution of a sweep: lo, lo + by, ... up to hi, which is in it when it is hit.", WORKFLOW, "sweep tune = train(table = extract.raw, lr = steps(0.1, 0.5, 0.1)) { search = grid(); maximize = auc }")
CALLED("uniform", "A distribution of a sweep: a number from lo up to hi.", WORKFLOW, "sweep tune = train(table = extract.raw, lr = uniform(0.1, 0.5)) { search = random(trials = 8); maximize = auc }")
CALLED("log_uniform", "A distribution of a sweep: a number from lo up to hi, evenly by its logarithm.", WORKFLOW, "sweep tune = train(table = extract.raw, lr = log_uniform(1e-3, 3e-1)) { search = random(trials = 8); maximize = auc }")
CALLED("int_uniform", "A distribution of a sweep: an int from lo to hi.", WORKFLOW, "sweep tune = train(table = extract.raw, lr = 0.1, depth = int_uniform(2, 9)) { search = random(trials = 8); maximize = auc }")
CALLED("grid", "A search: all combinations; the last argument turns fastest.", WORKFLOW, "sweep tune = train(table = extract.raw, lr = choice(0.1, 0.2), depth = choice(4, 6)) { search = grid(); maximize = auc }")
CALLED("random", "A search: so many draws. Equal seeds give equal trials, in every engine.", WORKFLOW, "sweep tune = train(table = extract.raw, lr = uniform(0.1, 0.5)) { search = random(trials = 20, seed = 7); maximize = auc }")
CALLED("halving", "A search: successive halving. The budget argument is not given in the call: it starts at min, and each rung multiplies it by factor and keeps the best 1/factor.", WORKFLOW, "sweep tune = train(table = extract.raw, lr = uniform(0.1, 0.5)) { search = halving(trials = 9, factor = 3, budget = depth, min = 1, max = 9); maximize = auc }")
CALLED("tpe", "A search: the tree-structured Parzen estimator; it learns from the trials before. Needs an engine that can feed results back.", WORKFLOW, "sweep tune = train(table = extract.raw, lr = uniform(0.1, 0.5)) { search = tpe(trials = 50, seed = 7); maximize = auc }")
CALLED("llm", "A search: a language model proposes trials from a data card and a model card. Needs an engine that can feed results back.", WORKFLOW, "sweep tune = train(table = extract.raw, lr = uniform(0.1, 0.5)) { search = llm(trials = 5, data_card = \"Tabular, 10k rows.\", model_card = \"Boosted trees.\"); maximize = auc }")
#endif

#ifdef TOPIC
TOPIC("types", "string int float bool json time duration size file dir, and list<T> of them. T? is a value that may be absent: give it a fallback with ??. int widens to float; nothing else converts silently: str() int() float() bool().", STEP,
	"in xs: list<float> = [0.5, 1]; in wait_for: duration = 30s; in limit: size = 2Gi; run = \"\"\"echo \"$xs\" \"$wait_for\" \"$limit\" \"\"\"")
TOPIC("operators", "By rising precedence: ? :, ??, ||, &&, == != < <= > >= in, + -, * / %, unary ! -, then .name [i] (args). Comparisons do not chain; + is for numbers and times, strings are joined by interpolation.", VALUE,
	"extract.rows > 10 && region in [\"eu\", \"us\"] ? \"big in ${region}\" : \"small\"")
TOPIC("strings", "\"...\" has escapes \\n \\t \\r \\\" \\\\ \\$ \\u{1F600} and interpolation ${expr}. Three quotes, \"\"\" or ''', hold text verbatim: no escapes, no interpolation, the common indentation goes.", VALUE,
	"\"s3://acme/${region}/${pad(extract.rows, 6, \"0\")}.csv\"")
TOPIC("units", "Durations ms s m h d (30s, 1h30m, 1.5h), sizes B KB MB GB TB (powers of 1000) and Ki Mi Gi Ti (powers of 1024). In a script a duration is seconds, a size is bytes.", STEP,
	"timeout = 1h30m; resources { memory = 1.5Gi }; run = \"\"\"true\"\"\"")
TOPIC("locations", "A file or dir may be given as a string: s3://, gs://, https://, git+https://host/repo@ref#path, or a path relative to the .cw file. file(\"...\", sha256 = \"...\") pins it.", STEP,
	"in table: file = \"s3://acme/t.csv\"; run = \"\"\"wc -l \"$table\" \"\"\"")
TOPIC("scripts", "A script sees every input, output and env of its step as a variable of the same name, and nothing else. An input of type file or dir is a path, a list is JSON text (of files: a folder), an output is the path to write to.", WORKFLOW,
	"step stats {\n  in  raw = extract.raw\n  in  region\n  out rows: int\n  run = \"\"\"\n    wc -l < \"$raw\" > \"$rows\"\n    echo \"counted for $region\"\n  \"\"\"\n}")
TOPIC("status", "STEP.status is \"succeeded\", \"failed\" or \"skipped\"; reading it waits for the step's end, whatever its result. workflow.status is for `on` blocks.", WORKFLOW,
	"step tries { allow_failure = true; run = \"\"\"exit 3\"\"\" }\nif tries.status == \"failed\" {\n  step mend { run = \"\"\"true\"\"\" }\n}")
TOPIC("exit_code", "STEP.exit_code is an int: 124 after a timeout, 128 + n after signal n, 121 after an output that is missing or of the wrong type.", WORKFLOW,
	"step tries { allow_failure = true; run = \"\"\"exit 3\"\"\" }\nstep note { in code = tries.exit_code; run = \"\"\"echo \"$code\" \"\"\" }")
TOPIC("best", "SWEEP.best.NAME is an output or an argument of the best trial.", WORKFLOW,
	"sweep tune = train(table = extract.raw, lr = choice(0.1, 0.2)) { search = grid(); maximize = auc }\nstep ship { in model = tune.best.model; in lr = tune.best.lr; run = \"\"\"cat \"$model\"; echo \"$lr\" \"\"\" }")
TOPIC("functions", "Functions are total: an error in a constant is a compile error, otherwise it fails the step that needs the value. `couler help NAME` explains each.", VALUE, "join(split(region, \"-\"), \"_\")")
TOPIC("else", "else if CONDITION { ... }, else { ... }: after the } of an `if`.", WORKFLOW,
	"if extract.rows > 10 {\n  step a { run = \"\"\"true\"\"\" }\n} else if extract.rows > 5 {\n  step b { run = \"\"\"true\"\"\" }\n} else {\n  fail \"too few rows\"\n}")
TOPIC("named", "Fixes the last component of a file's path; in a list `*` stands for the element's six digits.", STEP,
	"in bam: file named \"reads.bam\" = \"s3://acme/reads.bam\"; out gz: file named \"x.vcf.gz\"; run = \"\"\"cp \"$bam\" \"$gz\" \"\"\"")
TOPIC("to", "Also publishes an output at a location, after the step succeeded.", STEP,
	"out table: file to \"s3://acme/clean/table.csv\"; run = \"\"\": > \"$table\" \"\"\"")
TOPIC("stdout", "out NAME: TYPE = stdout takes what the body writes to standard output; one trailing newline is dropped.", STEP, "out rows: int = stdout; run = \"\"\"echo 3\"\"\"")
#endif
