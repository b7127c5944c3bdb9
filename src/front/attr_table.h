/*
 * Every key of every statement, one row each: what the checker takes, `couler help KEY`,
 * the tables of couler-cw(5) and the editor grammars are made of.
 *
 * ATTR(id, group, key, form, expr, words, owners, dflt, doc, example)
 * group: TOP stands in the statement itself, others in the block of that name. A key
 *   may have several rows with owners that do not overlap.
 * expr: may be an expression over parameters, loop variables and the step's inputs.
 * words: of form WORD (and of forms that take words besides), separated by '|'.
 * dflt: as text, "" where leaving it out means nothing is asked for.
 * example: entries of such a block; tests check each.
 *
 * A new attribute is a row here; where it reaches the IR, attr.c gets its case.
 */
#ifndef ATTR_FORM
/* form, how documents call it */
#define ATTR_FORMS(X) \
	X(STRING, "string") X(INT, "int") X(NUMBER, "number") X(BOOL, "true or false") X(DURATION, "duration") X(SECONDS, "duration of whole seconds") \
	X(SIZE, "size") X(WORD, "one of the words") X(NAME, "name") X(COND, "condition") \
	X(SCRIPT, "script in a verbatim block") X(RAW, "YAML or JSON in a verbatim block") X(SHELL, "word or string") \
	X(COMMAND, "list of strings") X(PATHS, "list of paths") X(AFTER, "list of steps") \
	X(BLOCK, "block") X(MAP, "map of strings") X(ENV, "map of values") X(SOURCES, "list of secret() and config()") \
	X(RETRY, "int or block") X(CACHE, "word or block") X(CODES, "word or list of exit codes") X(LOCK, "string, pool() or a list of these") \
	X(MOUNTS, "map from path to volume, secret() or config()") X(TOLERATE, "list of strings") X(PRIORITY, "int or string") \
	X(SCHEDULE, "cron string or block") X(CRON, "cron string or a list of them") X(SEARCH, "search") X(OBJECTIVE, "output") \
	X(FROM, "operator or a list of them") X(SET, "map of values") X(EXPRS, "list of values")
#define ATTR_FORM
enum attr_form {
#define X(f, s) FORM_##f,
	ATTR_FORMS(X)
#undef X
	FORM_COUNT
};
/* block, the row that holds it */
#define ATTR_GROUPS(X) X(TOP, "") X(RESOURCES, "resources") X(RETRY, "retry") X(CACHE, "cache") X(NODES, "nodes") X(SCHEDULE, "schedule")
enum attr_group {
#define X(g, s) GROUP_##g,
	ATTR_GROUPS(X)
#undef X
	GROUP_COUNT
};
/* What holds for whatever runs something. */
#define OWN_RUNS (OWN_TASK | OWN_STEP | OWN_CALL | OWN_WFCALL | OWN_DEFAULTS | OWN_DEFAULTS_OF_CALL | OWN_SWEEP | OWN_WAIT | OWN_SERVICE)
#define OWN_NODES (OWN_STEP | OWN_CALL | OWN_WFCALL | OWN_SWEEP | OWN_WAIT | OWN_APPROVE | OWN_SERVICE | OWN_FAIL)
#define OWN_JOBS (OWN_JOB_PYTORCH | OWN_JOB_TENSORFLOW | OWN_JOB_MPI | OWN_JOB_RAY)
#endif

#ifdef ATTR
/* of whatever runs */
ATTR(image, TOP, "image", STRING, 1, NULL, OWN_RUNS | OWN_WORKERS, "", "container image; local runs use the host unless --container is given, container engines need one", "image = \"python:3.12-slim\"")
ATTR(code, TOP, "code", PATHS, 0, NULL, OWN_TASK | OWN_STEP | OWN_CALL | OWN_DEFAULTS | OWN_SWEEP | OWN_WAIT | OWN_SERVICE, "", "files and folders beside the .cw file that travel with the step; it starts in a private copy of them", "code = [\"train.py\", \"lib/\"]")
ATTR(env, TOP, "env", ENV, 1, NULL, OWN_RUNS, "", "environment variables: values, secret(\"name\", \"key\"), config(\"name\", \"key\")", "env { LEVEL = \"info\"; TOKEN = secret(\"mlflow\", \"token\") }")
ATTR(env_from, TOP, "env_from", SOURCES, 0, NULL, OWN_RUNS, "", "every key of secrets and configs as an environment variable", "env_from = [secret(\"aws\"), config(\"settings\")]")
ATTR(resources, TOP, "resources", BLOCK, 0, NULL, OWN_RUNS | OWN_WORKERS, "", "what the step asks for", "resources { cpu = 4; memory = 16Gi; gpu = 1 }")
ATTR(cpu, RESOURCES, "cpu", NUMBER, 1, NULL, OWN_RUNS | OWN_WORKERS, "the engine's", "cores, 0.5 is half of one", "resources { cpu = 0.5 }")
ATTR(memory, RESOURCES, "memory", SIZE, 1, NULL, OWN_RUNS | OWN_WORKERS, "the engine's", "main memory", "resources { memory = 16Gi }")
ATTR(gpu, RESOURCES, "gpu", INT, 1, NULL, OWN_RUNS | OWN_WORKERS, "0", "graphics processors", "resources { gpu = 1 }")
ATTR(gpu_type, RESOURCES, "gpu_type", STRING, 1, NULL, OWN_RUNS | OWN_WORKERS, "", "kind of graphics processor, as the cluster labels it", "resources { gpu = 1; gpu_type = \"nvidia-a100\" }")
ATTR(disk, RESOURCES, "disk", SIZE, 1, NULL, OWN_RUNS | OWN_WORKERS, "the engine's", "local disk", "resources { disk = 50GB }")
ATTR(limit_cpu, RESOURCES, "limit_cpu", NUMBER, 1, NULL, OWN_RUNS | OWN_WORKERS, "", "most cores it may use", "resources { cpu = 2; limit_cpu = 4 }")
ATTR(limit_memory, RESOURCES, "limit_memory", SIZE, 1, NULL, OWN_RUNS | OWN_WORKERS, "", "memory at which it is stopped", "resources { memory = 16Gi; limit_memory = 20Gi }")
ATTR(retry, TOP, "retry", RETRY, 1, NULL, OWN_RUNS, "0", "further attempts after a failed one; retry = n is { limit = n }", "retry { limit = 3; backoff = 10s; on = error }")
ATTR(retry_limit, RETRY, "limit", INT, 1, NULL, OWN_RUNS, "0", "further attempts", "retry { limit = 3 }")
ATTR(retry_backoff, RETRY, "backoff", DURATION, 1, NULL, OWN_RUNS, "no delay", "delay before the second attempt", "retry { limit = 3; backoff = 10s }")
ATTR(retry_factor, RETRY, "factor", NUMBER, 1, NULL, OWN_RUNS, "2", "each further delay is this many times the one before", "retry { limit = 3; backoff = 10s; factor = 2 }")
ATTR(retry_max_backoff, RETRY, "max_backoff", DURATION, 1, NULL, OWN_RUNS, "10m", "longest delay", "retry { limit = 8; backoff = 10s; max_backoff = 5m }")
ATTR(retry_within, RETRY, "within", DURATION, 1, NULL, OWN_RUNS, "", "no attempt starts later than this after the first", "retry { limit = 8; backoff = 10s; within = 1h }")
ATTR(retry_on, RETRY, "on", CODES, 0, "any|error|failure|transient", OWN_RUNS, "any", "what is tried again: error is the infrastructure's, failure the step's own, transient what passes by itself, or exit codes [75, 137]", "retry { limit = 3; on = [75, 137] }")
ATTR(timeout, TOP, "timeout", SECONDS, 1, NULL, OWN_RUNS | OWN_APPROVE, "", "time for each attempt; of a wait or an approve, for all of it", "timeout = 2h")
ATTR(cache, TOP, "cache", CACHE, 0, "auto|on|off", OWN_RUNS, "auto; in a block on", "reuse of earlier results: auto if it has an artifact input, on by identity alone, off never", "cache { ttl = 7d; key = [region] }")
ATTR(cache_mode, CACHE, "mode", WORD, 0, "auto|on|off", OWN_RUNS, "on", "as cache = WORD", "cache { mode = on; version = \"2\" }")
ATTR(cache_ttl, CACHE, "ttl", DURATION, 0, NULL, OWN_RUNS, "", "results older than this are not reused", "cache { ttl = 7d }")
ATTR(cache_key, CACHE, "key", EXPRS, 1, NULL, OWN_RUNS, "", "further values that belong to the step's identity", "cache { key = [region] }")
ATTR(cache_version, CACHE, "version", STRING, 0, NULL, OWN_RUNS, "", "text that belongs to the step's identity: change it to run again", "cache { version = \"2\" }")
ATTR(allow_failure, TOP, "allow_failure", BOOL, 0, NULL, OWN_RUNS, "false", "its failure does not fail the run; its outputs become optional", "allow_failure = true")
ATTR(lock, TOP, "lock", LOCK, 1, NULL, OWN_TASK | OWN_STEP | OWN_CALL | OWN_SWEEP | OWN_WAIT | OWN_SERVICE | OWN_WORKFLOW, "", "held while it runs, across runs: a name, or pool(\"name\", 4) for at most four at once", "lock = pool(\"gpu\", 4)")
ATTR(labels, TOP, "labels", MAP, 1, NULL, OWN_RUNS | OWN_APPROVE | OWN_FAIL | OWN_WORKFLOW, "", "labels of what the engine makes", "labels { team = \"growth\" }")
ATTR(annotations, TOP, "annotations", MAP, 1, NULL, OWN_RUNS | OWN_WORKFLOW, "", "annotations of what the engine makes", "annotations { owner = \"growth team, room 4\" }")
ATTR(nodes, TOP, "nodes", BLOCK, 0, NULL, OWN_RUNS, "", "which machines of a cluster may run it", "nodes { selector { disk = \"ssd\" }; tolerate = [\"nvidia.com/gpu\"] }")
ATTR(selector, NODES, "selector", MAP, 1, NULL, OWN_RUNS, "", "labels that the machine must have", "nodes { selector { disk = \"ssd\" } }")
ATTR(tolerate, NODES, "tolerate", TOLERATE, 0, NULL, OWN_RUNS, "", "taints that it stands: \"key\", \"key=value\", \"key=value:NoSchedule\"", "nodes { tolerate = [\"team=ml:NoSchedule\"] }")
ATTR(service_account, TOP, "service_account", STRING, 1, NULL, OWN_RUNS, "the engine's", "account under which a cluster runs it", "service_account = \"trainer\"")
ATTR(priority, TOP, "priority", PRIORITY, 1, NULL, OWN_RUNS, "", "priority class of the cluster, or a number", "priority = \"high\"")
ATTR(mounts, TOP, "mounts", MOUNTS, 0, NULL, OWN_RUNS, "", "volumes of the workflow, and secrets and configs as files, by absolute path", "mounts { \"/data\" = scratch; \"/cred\" = secret(\"aws\") }")
ATTR(argo, TOP, "argo", RAW, 0, NULL, OWN_RUNS | OWN_WORKFLOW, "", "merged into the template (of a workflow: the spec) that Argo gets; in a step without another body, the whole template", "argo = '''{metadata: {labels: {billing: ml}}}'''")
ATTR(airflow, TOP, "airflow", RAW, 0, NULL, OWN_RUNS | OWN_WORKFLOW, "", "merged into the task (of a workflow: the DAG) that Airflow gets", "airflow = '''{pool: warehouse}'''")
/* of nodes */
ATTR(doc, TOP, "doc", STRING, 0, NULL, OWN_TASK | OWN_NODES | OWN_WORKFLOW, "", "what it is for, for people", "doc = \"Retrains the churn model.\"")
ATTR(after, TOP, "after", AFTER, 0, NULL, OWN_NODES, "", "order without data: [a] waits for a to succeed, [a?] for its end, whatever its result", "after = [extract, canary?]")
/* bodies */
ATTR(run, TOP, "run", SCRIPT, 0, NULL, OWN_TASK | OWN_STEP | OWN_WAIT | OWN_SERVICE | OWN_JOBS | OWN_OP | OWN_TRAINER, "", "a script; inputs and outputs are environment variables", "run = \"\"\"python3 -c \"print(1)\" \"\"\"")
ATTR(shell, TOP, "shell", SHELL, 0, "sh|bash|python3", OWN_TASK | OWN_STEP | OWN_WAIT | OWN_SERVICE, "sh", "what runs the script: sh -eu, bash -euo pipefail, python3, or any program that takes a script file", "shell = bash")
ATTR(command, TOP, "command", COMMAND, 1, NULL, OWN_TASK | OWN_STEP | OWN_WAIT | OWN_SERVICE, "", "program and arguments without a shell; ${} names inputs, outputs and env of the step", "command = [\"wc\", \"-l\", \"/etc/hosts\"]")
ATTR(args, TOP, "args", COMMAND, 1, NULL, OWN_TASK | OWN_STEP | OWN_WAIT | OWN_SERVICE, "", "arguments for the image's own entrypoint", "args = [\"--verbose\"]")
ATTR(dataflow, TOP, "dataflow", BLOCK, 0, NULL, OWN_TASK | OWN_STEP, "", "an elastic input pipeline with its trainer", "dataflow { source records = split(shards); op parse { from = records; run = \"\"\"cat\"\"\" }; trainer { from = parse; run = \"\"\"cat > \"$model\" \"\"\" } }")
/* sweep */
ATTR(search, TOP, "search", SEARCH, 0, "grid|random|halving|tpe|llm", OWN_SWEEP, "", "how trials are chosen: grid(), random(trials, seed), halving(trials, seed, factor, budget, min, max), tpe(trials, seed, batch), llm(trials, data_card, model_card)", "search = random(trials = 20, seed = 7)")
ATTR(maximize, TOP, "maximize", OBJECTIVE, 0, NULL, OWN_SWEEP, "", "the output whose greatest value wins", "maximize = auc")
ATTR(minimize, TOP, "minimize", OBJECTIVE, 0, NULL, OWN_SWEEP, "", "the output whose least value wins", "minimize = loss")
ATTR(max_parallel, TOP, "max_parallel", INT, 1, NULL, OWN_SWEEP | OWN_FOR | OWN_WORKFLOW, "no limit", "how many run together: trials, elements of a for, steps of a workflow", "max_parallel = 4")
ATTR(max_failed, TOP, "max_failed", INT, 0, NULL, OWN_SWEEP, "all but one", "at this many failed trials the sweep fails", "max_failed = 3")
ATTR(goal, TOP, "goal", NUMBER, 0, NULL, OWN_SWEEP, "", "a value that ends the search once reached", "goal = 0.95")
/* for, loop */
ATTR(max, TOP, "max", INT, 0, NULL, OWN_LOOP, "", "most rounds, 1 to 64", "max = 5")
/* wait, approve, service */
ATTR(wait_for, TOP, "for", DURATION, 0, NULL, OWN_WAIT, "", "how long to wait", "for = 20s")
ATTR(every, TOP, "every", SECONDS, 0, NULL, OWN_WAIT, "30s", "time between two runs of the script", "every = 30s")
ATTR(message, TOP, "message", STRING, 1, NULL, OWN_APPROVE, "", "the question that is asked", "message = \"ship it?\"")
ATTR(port, TOP, "port", INT, 0, NULL, OWN_SERVICE, "", "the port it listens on; SERVICE.address is host:port", "port = 6333")
ATTR(ready, TOP, "ready", STRING, 0, NULL, OWN_SERVICE, "the port answers", "path that answers 200 once it is ready", "ready = \"/readyz\"")
/* workflow */
ATTR(schedule, TOP, "schedule", SCHEDULE, 0, NULL, OWN_WORKFLOW, "", "when it starts by itself: minute hour day month weekday, in UTC, Sunday is 0", "schedule = \"0 2 * * *\"")
ATTR(cron, SCHEDULE, "cron", CRON, 0, NULL, OWN_WORKFLOW, "", "minute hour day month weekday, numbers only", "schedule { cron = [\"0 2 * * *\", \"0 14 * * *\"] }")
ATTR(timezone, SCHEDULE, "timezone", STRING, 0, NULL, OWN_WORKFLOW, "UTC", "IANA name such as \"Europe/Berlin\"", "schedule { cron = \"0 2 * * *\"; timezone = \"Europe/Berlin\" }")
ATTR(overlap, SCHEDULE, "overlap", WORD, 0, "forbid|allow|replace", OWN_WORKFLOW, "forbid", "what happens when the run before has not ended", "schedule { cron = \"0 2 * * *\"; overlap = forbid }")
ATTR(catchup, SCHEDULE, "catchup", BOOL, 0, NULL, OWN_WORKFLOW, "false", "missed starts are made up for", "schedule { cron = \"0 2 * * *\"; catchup = false }")
ATTR(only_if, SCHEDULE, "only_if", COND, 0, NULL, OWN_WORKFLOW, "", "a condition tested at each start", "schedule { cron = \"0 2 * * *\"; only_if = region == \"eu\" }")
ATTR(deadline, SCHEDULE, "deadline", SECONDS, 0, NULL, OWN_WORKFLOW, "", "how late a start may be", "schedule { cron = \"0 2 * * *\"; deadline = 1h }")
ATTR(keep_runs, SCHEDULE, "keep_runs", INT, 0, NULL, OWN_WORKFLOW, "the engine's", "how many ended runs are kept", "schedule { cron = \"0 2 * * *\"; keep_runs = 4 }")
ATTR(artifacts, TOP, "artifacts", NAME, 0, NULL, OWN_WORKFLOW, "the engine's own", "the store that outputs go to", "artifacts = models")
ATTR(workflow_timeout, TOP, "timeout", SECONDS, 1, NULL, OWN_WORKFLOW, "", "time for the whole run", "timeout = 6h")
ATTR(fail_fast, TOP, "fail_fast", BOOL, 0, NULL, OWN_WORKFLOW, "false", "after a failure nothing new starts", "fail_fast = true")
ATTR(keep, TOP, "keep", DURATION, 0, NULL, OWN_WORKFLOW, "the engine's", "how long an ended run is kept", "keep = 7d")
/* volume, store */
ATTR(size, TOP, "size", SIZE, 0, NULL, OWN_VOLUME, "", "how large it is; it lives as long as the run", "size = 100Gi")
ATTR(class, TOP, "class", STRING, 0, NULL, OWN_VOLUME, "the cluster's", "storage class", "size = 100Gi; class = \"fast\"")
ATTR(mode, TOP, "mode", WORD, 0, "rwo|rwx|rox", OWN_VOLUME, "rwo", "one machine writes, many write, many read", "size = 100Gi; mode = rwx")
ATTR(claim, TOP, "claim", STRING, 0, NULL, OWN_VOLUME, "", "name of a volume claim that is there already", "claim = \"datasets\"")
ATTR(uri, TOP, "uri", STRING, 0, NULL, OWN_STORE, "", "what locations in it start with", "uri = \"s3://acme-models\"")
ATTR(endpoint, TOP, "endpoint", STRING, 0, NULL, OWN_STORE, "", "address of an S3-compatible server", "endpoint = \"https://minio.acme.io:9000\"")
ATTR(region, TOP, "region", STRING, 0, NULL, OWN_STORE, "", "region of the server", "region = \"eu-west-1\"")
ATTR(store_secret, TOP, "secret", STRING, 0, NULL, OWN_STORE, "what the environment knows", "name of the secret with the credentials", "secret = \"s3-cred\"")
/* jobs */
ATTR(job_workers, TOP, "workers", INT, 1, NULL, OWN_JOBS, "1", "processes, one a machine or container", "workers = 4")
ATTR(ps, TOP, "ps", INT, 1, NULL, OWN_JOB_TENSORFLOW, "0", "parameter servers", "ps = 1")
ATTR(slots, TOP, "slots", INT, 1, NULL, OWN_JOB_MPI, "1", "ranks a worker", "slots = 2")
ATTR(action, TOP, "action", WORD, 0, "create|apply|replace|patch|get|delete", OWN_JOB_KUBERNETES, "create", "what is done with the object", "action = create")
ATTR(manifest, TOP, "manifest", RAW, 0, NULL, OWN_JOB_KUBERNETES, "", "the object", "manifest = '''{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}'''")
ATTR(set, TOP, "set", SET, 1, NULL, OWN_JOB_KUBERNETES, "", "values that enter the manifest by path: \"spec.parts[0].size\" = m", "set { \"metadata.name\" = name }")
ATTR(success, TOP, "success", STRING, 0, NULL, OWN_JOB_KUBERNETES, "", "condition under which it has succeeded, in the engine's grammar", "success = \"status.succeeded > 2\"")
ATTR(failure, TOP, "failure", STRING, 0, NULL, OWN_JOB_KUBERNETES, "", "condition under which it has failed", "failure = \"status.failed > 1\"")
/* dataflow */
ATTR(workers, TOP, "workers", BLOCK, 0, NULL, OWN_DATAFLOW, "", "the machines that share the work: min, max, image, resources", "workers { min = 1; max = 16; image = \"acme/prep:3\" }")
ATTR(framing, TOP, "framing", WORD, 0, "lines|length_prefixed|tar", OWN_DATAFLOW, "lines", "how records are told apart", "framing = length_prefixed")
ATTR(runtime, TOP, "runtime", WORD, 0, "tfdata|ray", OWN_DATAFLOW, "couler's own", "who moves the records on a cluster: the tf.data service or Ray Data", "runtime = tfdata")
ATTR(workers_min, TOP, "min", INT, 0, NULL, OWN_WORKERS, "1", "fewest workers", "min = 1")
ATTR(workers_max, TOP, "max", INT, 0, NULL, OWN_WORKERS, "1", "most workers", "max = 16")
ATTR(from, TOP, "from", FROM, 0, NULL, OWN_OP | OWN_TRAINER, "", "whose records it reads: the source, an operator, or a list of them", "from = records")
ATTR(op_cpu, TOP, "cpu", DURATION, 0, NULL, OWN_OP, "measured in the first run", "processor time a record", "cpu = 0.4ms")
ATTR(bytes, TOP, "bytes", SIZE, 0, NULL, OWN_OP, "measured in the first run", "size of a record it writes", "bytes = 12KB")
ATTR(uses_model, TOP, "uses_model", BOOL, 0, NULL, OWN_OP, "false", "it needs the model, so it stays with the trainer", "uses_model = true")
ATTR(ordered, TOP, "ordered", BOOL, 0, NULL, OWN_OP, "false", "it needs the records in order, so it stays with the trainer", "ordered = true")
ATTR(singleton, TOP, "singleton", BOOL, 0, NULL, OWN_OP, "false", "there may be only one of it, so it stays with the trainer", "singleton = true")
#endif
