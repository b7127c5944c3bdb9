/*
 * Every diagnostic code: DIAG(number, severity, title, help). The one table behind
 * `couler help CW0203`, the SARIF rules and docs. A code never changes its meaning.
 *
 * 00xx text  01xx syntax  02xx names  03xx types  04xx attributes and places
 * 05xx control flow and sweeps  06xx files, imports, code  07xx evaluation
 * 08xx what an engine cannot carry  09xx local runs  10xx nl  11xx IR  12xx passes
 *
 * help: the mistake, then the mend, each in a line or two of .cw.
 */
/* 00xx */
DIAG(0001, SEV_ERROR, "the text holds a NUL byte", "A .cw file is UTF-8 text without NUL bytes.\nMend: remove the byte at the offset shown; the file may be binary or UTF-16.")
DIAG(0002, SEV_ERROR, "the text is not valid UTF-8", "A .cw file is UTF-8.\nMend: save the file as UTF-8, e.g. `iconv -f latin1 -t utf-8 old.cw > new.cw`.")
/* 01xx */
/* 02xx */
DIAG(0201, SEV_ERROR, "a name that is not defined", "A value is a param, a let, a loop variable, an input, or STEP.OUTPUT of a step of this workflow.\n  step use { in x = extrct.raw ... }        # the step is called 'extract'\nMend: spell the name as it is defined, or put quotes around text: \"eu-west-1\".")
DIAG(0202, SEV_ERROR, "no task or workflow of this name", "A step calls a task or a workflow of this file, or of an import by its alias.\n  step fit = trian(table = clean.table)\nMend: spell it as the definition does: step fit = train(table = clean.table); what is imported is written etl.load(...).")
DIAG(0203, SEV_ERROR, "a step has no such output", "STEP.NAME reads an output that the step declares.\n  step features { out table: file ... }\n  in x = features.tabel\nMend: read an output it has, features.table, or declare the one that is missing: out tabel: file.")
DIAG(0204, SEV_ERROR, "a name defined twice", "A workflow has one namespace; only the branches of one `if` may define the same step.\n  param n: int = 1\n  step n { ... }\nMend: give one of them another name.")
DIAG(0205, SEV_ERROR, "a name hides another", "A loop variable, a state or a step of a loop's body has the name of something around it.\n  param shard: string\n  for shard in list { ... }\nMend: give the inner one another name. Only inputs and outputs of steps may repeat a name around them.")
DIAG(0206, SEV_ERROR, "a reserved name", "The name belongs to the system, to a shell, to an engine or to couler.\n  step a { in PATH: string = \"/data\" ... }\nMend: choose another: in path = \"/data\". docs/values.md lists the reserved names.")
DIAG(0207, SEV_ERROR, "no such function", "Expressions have a fixed set of functions: `couler help functions` lists them.\n  in n = length(xs)\nMend: use the right one: in n = len(xs).")
DIAG(0208, SEV_ERROR, "no such argument", "A call names inputs of the task, or params of the workflow, that it calls.\n  step fit = train(tabel = clean.table)\nMend: name one it declares: train(table = clean.table).")
DIAG(0209, SEV_ERROR, "workflow has no such field", "workflow.name, .run_id, .start_time, .scheduled_time, .url; in `on` blocks also .status and .failed_steps.\n  in r = workflow.runid\nMend: in r = workflow.run_id.")
DIAG(0210, SEV_ERROR, "a name that is private to a body", "The body of a `loop` is private; a let of a body is read in that body; steps of an `on` block run last.\n  loop l { ... step inc { ... } }\n  step use { in m = inc.m }\nMend: carry the value out of a loop in a state and read l.STATE; define a let outside of the body.")
DIAG(0211, SEV_ERROR, "an input and an output of one name", "The inputs and outputs of a step are variables of its environment, so their names differ.\n  step a { in table = x.table; out table: file ... }\nMend: rename one: out clean: file.")
DIAG(0212, SEV_ERROR, "no such import", "ALIAS.NAME(...) calls what `import \"FILE\" as ALIAS` brings.\n  step a = tool.noop()          # imported as tools\nMend: use the alias of the import: tools.noop().")
DIAG(0213, SEV_ERROR, "this is not a value", "A step, a sweep, a loop or a volume stands where a value is needed.\n  in raw = extract\nMend: name what you want of it: in raw = extract.raw.")
DIAG(0214, SEV_ERROR, "no such store", "artifacts = NAME names a `store` of this file.\n  artifacts = modles\nMend: define it, store modles { uri = \"s3://...\" }, or spell it as it is defined.")
DIAG(0215, SEV_ERROR, "a key that does not stand here", "A block takes a fixed set of keys.\n  volume scratch { space = 100Gi }\nMend: use one it takes, as the message lists them: volume scratch { size = 100Gi }.")
DIAG(0216, SEV_ERROR, "a field of `on` blocks", "workflow.status and workflow.failed_steps are known when everything else has ended.\n  step a { in s = workflow.status ... }\nMend: read them in a step of on exit { }, on success { } or on failure { }.")
DIAG(0217, SEV_ERROR, "a record has no such member", "A literal map of scalars is a record with the members that were written.\n  for m in [{ name = \"a\", size = 3 }] { step s { in n = m.nmae ... } }\nMend: read a member it has: m.name; every element of the list needs it.")
DIAG(0218, SEV_ERROR, "a key given twice", "A key of a block or a map stands once.\n  volume v { size = 1Gi; size = 2Gi }\nMend: remove one of them.")
DIAG(0219, SEV_ERROR, "a task and a workflow cannot be mixed up", "A step calls a task or a workflow; a function stands in an expression.\n  step n = len(xs)\nMend: a step's work is a task: put functions into an expression, in n = len(xs).")
DIAG(0221, SEV_ERROR, "no such workflow in the file", "--workflow names a workflow of the entry file.\nMend: use one that the message lists.")
DIAG(0222, SEV_ERROR, "several workflows could be the entry", "The entry is the only workflow of the file that no other one calls.\nMend: choose one: --workflow NAME.")
DIAG(0223, SEV_ERROR, "the file has no workflow to start", "A file to compile or to run holds a workflow that no other workflow calls.\n  task train { ... }          # tasks only\nMend: add one: workflow nightly { step fit = train(...) }.")
/* 03xx */
DIAG(0301, SEV_ERROR, "a value of another type", "A value stands where another type is needed; nothing but int to float converts silently.\n  task train { in depth: int ... }\n  step fit = train(depth = \"6\")\nMend: give the right type, depth = 6, or convert: str(x), int(x), float(x), bool(x), json(x).")
DIAG(0302, SEV_ERROR, "a value that may be absent", "The output of a step inside an `if`, or of one with allow_failure, may be absent (its type is T?).\n  step use { in v = maybe.v + 1 ... }\nMend: give a fallback: in v = (maybe.v ?? 0) + 1; or ask: present(maybe.v).")
DIAG(0303, SEV_ERROR, "an operator on types it does not take", "+ - * / % are for numbers, times and durations; && || ! for bool; < for numbers, text, times.\n  in s = a + \".csv\"\nMend: join text by interpolation: in s = \"${a}.csv\"; convert numbers: int(x).")
DIAG(0304, SEV_ERROR, "a function with too few or too many arguments", "Each function takes a fixed number of arguments: `couler help functions`.\n  in n = len([1], [2])\nMend: in n = len([1, 2]).")
DIAG(0305, SEV_ERROR, "an argument of a function of another type", "  in n = sum(names)          # a list<string>\nMend: pass what the function takes: `couler help functions` shows it.")
DIAG(0307, SEV_ERROR, "a list of lists", "Lists hold scalars, json, files or folders. Two `for`s would gather a list of lists.\n  for a in as { for b in bs { step s { out v: int ... } } }\n  step use { in vs = s.v ... }\nMend: reduce it in the inner one: in the body of the outer `for`, a step that takes the list and has one output; or use json.")
DIAG(0308, SEV_ERROR, "a type that nothing tells", "A declaration without a type takes it from its value, and there is none here.\n  task fit { in lr; out model ... }\nMend: write the type: in lr: float; out model: file.")
DIAG(0309, SEV_ERROR, "null for a type that is not optional", "null stands only for a value that may be absent.\n  state last: file = null\nMend: make it optional: state last: file? = null.")
DIAG(0310, SEV_ERROR, "a value that must be constant", "Here a value is needed that is known at compile time: literals, lets of literals and functions of them.\n  depth = int_uniform(1, extract.rows)\nMend: write the number: int_uniform(1, 9).")
DIAG(0311, SEV_ERROR, "a constant that cannot be evaluated", "An expression of constants fails: a division by zero, an index out of range, a number beyond +-(2^53 - 1), text that does not convert.\n  let xs = [\"a\", \"b\"]\n  in x = xs[2]\nMend: mend the operand shown: in x = xs[1].")
DIAG(0312, SEV_ERROR, "this has no text", "A file, a folder or a list cannot stand in \"${...}\".\n  in s = \"${extract.raw}\"\nMend: pass the file as an input of type file and let the script use its path; join lists: join(xs, \",\").")
DIAG(0313, SEV_ERROR, "a comparison with null", "Nothing equals null.\n  if maybe.v == null { ... }\nMend: ask whether it is there: if !present(maybe.v) { ... }.")
DIAG(0314, SEV_WARNING, "a fallback that is never used", "The left side of ?? is never absent.\n  in v = a.v ?? 0          # a always has v\nMend: leave the fallback out: in v = a.v.")
DIAG(0315, SEV_ERROR, "an optional type where none can stand", "Only states of a loop may be declared optional; inputs, outputs, params and asks always have a value.\n  in v: int?\nMend: leave the ? out and give a fallback where the value comes from: in v: int = maybe.v ?? 0.")
DIAG(0316, SEV_ERROR, "the branches of an `if` differ in a type", "When several branches define a step of one name, what is read of it outside has one type.\n  if c { step s { out v: int ... } } else { step s { out v: string ... } }\nMend: declare the output alike in each branch, or give the steps different names.")
DIAG(0317, SEV_ERROR, "a value that is not allowed", "`in [...]` lists the values that are allowed.\n  param n: int = 4 in [1, 2, 3]\nMend: use one of them, or add it to the list.")
DIAG(0318, SEV_ERROR, "not a location", "A file or dir is given as s3://, gs://, https://, git+https://, or a path beside the .cw file.\n  in f: file = \"ftp://host/x\"\nMend: copy it where an engine can read it, or take a string input and fetch it in the step.")
DIAG(0319, SEV_ERROR, "an expression that grows too large", "Lets that use each other twice and more double what has to be evaluated, each time.\nMend: let a step compute the value, and read its output.")
DIAG(0320, SEV_ERROR, "a missing argument", "A call gives every input of the task (param of the workflow) that has no default.\n  task train { in table: file; in lr: float = 0.1 ... }\n  step fit = train(lr = 0.2)\nMend: add it: train(table = clean.table, lr = 0.2).")
DIAG(0321, SEV_ERROR, "an argument by position, or given twice", "Arguments are named, each once.\n  step fit = train(clean.table)\nMend: train(table = clean.table).")
DIAG(0322, SEV_ERROR, "`named` does not fit", "named \"x.bam\" fixes the last component of a file's or folder's path; for a list * stands for the element's number.\n  in csvs: list<file> named \"x.csv\"\nMend: in csvs: list<file> named \"*.csv\".")
DIAG(0323, SEV_ERROR, "`to`, `at`, `stdout` or `in [...]` in the wrong place", "`to` publishes a file of an out, `at` belongs to outputs of job kubernetes, = stdout to one output of scalar, json or list type.\n  out model: file = stdout\nMend: out model: file, and let the script write to \"$model\".")
/* 04xx */
DIAG(0401, SEV_ERROR, "an option that does not exist or a value it does not take", "--set names an option of a backend or a pass.\nMend: `couler help argo` (or another backend or pass) lists its options with their values.")
DIAG(0402, SEV_ERROR, "a parameter from outside that does not fit", "A value given with -p or --param-file names no parameter, is not of its type, or is not one of its allowed values.\nMend: `couler check FILE` shows the parameters; json and lists are given as JSON text: -p 'xs=[1, 2]'.")
/* 05xx */
DIAG(0501, SEV_ERROR, "steps that wait for each other", "A step needs, directly or not, what comes after it.\n  step a { in x = b.v ... }\n  step b { in x = a.v ... }\nMend: break the circle at one of the places shown. What repeats is a `loop`.")
DIAG(0502, SEV_ERROR, "definitions that need each other", "A let, a param or a state is defined by itself, directly or not.\n  let a = b + 1\n  let b = a * 2\nMend: define one of them without the others.")
DIAG(0503, SEV_ERROR, "a workflow that calls itself", "Calls of workflows form no circle.\n  workflow w { step again = w() }\nMend: repeat with `loop`, or run over a list with `for`.")
DIAG(0504, SEV_ERROR, "a step needs exactly one body", "run, command, args, job, dataflow or argo: one of them.\n  step a { image = \"x:1\" }\nMend: add what it does: run = three quotes, the script, three quotes; or call a task: step a = task(...).")
DIAG(0505, SEV_ERROR, "a loop without a bound", "max = N, a number from 1 to 64, bounds a loop.\n  loop l { while auc < 0.9 ... }\nMend: add it: max = 5.")
DIAG(0506, SEV_ERROR, "next names no state", "next { NAME = ... } gives the states of this loop their values for the next round, each once.\n  loop l { state n: int = 0; ... next { m = a.m } }\nMend: name a state, next { n = a.m }, or add it: state m: int = 0.")
DIAG(0507, SEV_ERROR, "while reads a step of its own body", "while is tested before each round, when no step of the body has run.\n  loop l { ... while check.ok; step check { ... } }\nMend: carry the value in a state: state ok: bool = true; while ok; next { ok = check.ok }.")
DIAG(0508, SEV_ERROR, "a sweep needs one objective", "maximize = OUTPUT or minimize = OUTPUT, a number that the task puts out.\n  sweep s = train(lr = uniform(0.1, 0.3)) { search = grid() }\nMend: add it: maximize = auc.")
DIAG(0509, SEV_ERROR, "a sweep needs a search", "search = grid(), random(trials = 20, seed = 7), halving(...), tpe(...) or llm(...).\n  sweep s = train(lr = choice(0.1, 0.3)) { maximize = auc }\nMend: add it: search = grid().")
DIAG(0510, SEV_ERROR, "a grid over a continuous range", "grid() counts through values; uniform, log_uniform and int_uniform have no list of them.\n  sweep s = train(lr = uniform(0.1, 0.3)) { search = grid(); ... }\nMend: lr = choice(0.1, 0.2, 0.3), or lr = steps(0.1, 0.3, 0.05); or search = random(trials = 20).")
DIAG(0511, SEV_ERROR, "a distribution that is not right", "choice(a, b, ...), steps(lo, hi, by), uniform(lo, hi), log_uniform(lo, hi), int_uniform(lo, hi), of constants.\n  lr = log_uniform(0, 1)\nMend: lo and hi above zero for log_uniform, lo not above hi, by above zero.")
DIAG(0512, SEV_ERROR, "a sweep without a search space", "At least one argument is a distribution.\n  sweep s = train(lr = 0.1) { ... }\nMend: lr = choice(0.1, 0.2); or call the task once: step fit = train(lr = 0.1).")
DIAG(0513, SEV_ERROR, "an argument of a search that is not right", "grid(), random(trials, seed), halving(trials, seed, factor, budget, min, max), tpe(trials, seed, batch), llm(trials, data_card, model_card).\n  search = random(n = 20)\nMend: search = random(trials = 20, seed = 7).")
DIAG(0514, SEV_ERROR, "a search of too many trials", "A sweep has at most 1,000,000 trials; a grid counts the product of its values.\nMend: fewer values, or random(trials = 200).")
DIAG(0515, SEV_ERROR, "the budget of halving", "budget = ARG names a number input of the task that the call does not give; halving sets it from min to max.\n  sweep s = train(lr = uniform(0.1, 0.3), epochs = 3) { search = halving(trials = 9, budget = epochs, min = 1, max = 9) }\nMend: leave epochs out of the call.")
DIAG(0517, SEV_ERROR, "after takes names of steps", "after = [a, b?]: steps, sweeps, loops, waits, approves of this workflow; b? waits for its end, whatever its result.\n  after = [extract.raw]\nMend: after = [extract].")
DIAG(0518, SEV_ERROR, "an `on` block that is not right", "on exit { }, on success { } and on failure { }, each once in a workflow.\nMend: put everything for one event into one block.")
DIAG(0519, SEV_ERROR, "a value that is not known when the run starts", "Defaults of params are constants or other params; the same holds for schedules.\n  param n: int = extract.rows\nMend: use a let, let n = extract.rows, or an input of the step that needs it.")
DIAG(0521, SEV_ERROR, "a word of a command that is not right", "Words are strings; ${} names inputs, outputs and env of the step; none in the argument after -c.\n  command = [\"prog\", \"--region\", \"${region}\"]          # region is a param\nMend: add the input: in region.")
DIAG(0522, SEV_ERROR, "a gate that is not right", "wait NAME { for = 20s } or { run; every; timeout }; approve NAME { message; ask ... }; service NAME { image; port }; fail \"message\".\nMend: add what the message names.")
DIAG(0523, SEV_ERROR, "a job that is not right", "job pytorch | tensorflow | mpi | ray { workers = N; run }, job kubernetes { action; manifest; set; success; failure }.\nMend: add what the message names.")
DIAG(0524, SEV_ERROR, "a dataflow that is not right", "dataflow { source NAME = split(INPUT); op NAME { from; run } ...; trainer { from; run }; workers { min; max } }\nMend: add or mend what the message names.")
DIAG(0525, SEV_ERROR, "a schedule, volume or store that is not right", "schedule = \"0 2 * * *\" or { cron; timezone; overlap; catchup; only_if; deadline; keep_runs }; volume NAME { size } or { claim }; store NAME { uri }.\nMend: add or mend what the message names.")
DIAG(0526, SEV_ERROR, "`code` or another attribute that cannot vary", "An override in the call of a workflow holds for all its steps; it reads constants and names of the caller.\nMend: give constants, or add a param to the workflow.")
/* 06xx */
/* 07xx */
DIAG(0701, SEV_ERROR, "division by zero", "The right side of / or % is 0.\nMend: guard it: `n == 0 ? 0.0 : sum / n`.")
DIAG(0702, SEV_ERROR, "a number is out of range", "An int lies within ±9007199254740991 (2^53 - 1), the whole numbers that every engine keeps exactly; a time within the years 0000 to 9999.\nMend: use a float, or smaller numbers.")
DIAG(0703, SEV_ERROR, "a computed number is infinite or not a number", "A computation gave NaN or an infinity, or used one that a step put out.\nMend: test the value first; `x == x` is false for NaN only: `x == x ? x : 0.0`.")
DIAG(0704, SEV_ERROR, "an index is out of range", "Elements are numbered from 0 to len(list) - 1; negative indices do not count from the end.\nMend: `xs[len(xs) - 1]` is the last element; test `len(xs) > 2` before `xs[2]`.")
DIAG(0705, SEV_ERROR, "a json value has no such member", "`.name` reads a member of a json object that has it.\nMend: the name as it stands in the data; `\"name\"` in quotes and brackets for keys that are no names: `j[\"a/b\"]`.")
DIAG(0706, SEV_ERROR, "a value cannot be converted", "str() int() float() bool() parse_json() and typed inputs take only text of the right form: int(\"07\") is 7, int(\"7 apples\") is an error.\nMend: clean the value where it is made, e.g. in the step that writes it.")
DIAG(0707, SEV_ERROR, "no elements to choose from", "min, max, mean, argmin and argmax of an empty list have no result.\nMend: `len(xs) > 0 ? max(xs) : 0.0`.")
DIAG(0708, SEV_ERROR, "a value is too large", "A string of over 16 MiB, a list of over 1,000,000 elements, or an expression of over 20,000,000 operations.\nMend: put large data into a file: `out rows: file`.")
DIAG(0709, SEV_ERROR, "a time cannot be written so", "format_time takes %Y %m %d %H %M %S %j %u %% and an IANA time zone such as \"Europe/Berlin\".\nMend: compose other forms in the step itself.")
DIAG(0710, SEV_ERROR, "lower and upper take ASCII only", "Engines differ in how they fold other letters, so they are refused.\nMend: do it in the step: `python3 -c 'print(...)'`.")
DIAG(0711, SEV_ERROR, "an argument a function does not take", "split and replace need something to look for, pad fills with one character, file() takes a SHA-256 as 64 hex digits.\nMend: as the message says.")
DIAG(0712, SEV_ERROR, "a value is absent", "The output of a step that was skipped, or failed under allow_failure, was used without a fallback.\nMend: `maybe.v ?? 0`.")
DIAG(0713, SEV_ERROR, "a value of the wrong kind", "A json value held something else than the expression needs, e.g. a member of a number.\nMend: test the data, or declare the output with the type it has.")
/* 08xx */
DIAG(0801, SEV_ERROR, "the engine cannot carry a construct", "A construct of the workflow has no counterpart in the engine chosen with -t.\nMend: as the message says, or choose another engine; `couler backends` lists what each carries.")
/* 09xx */
/* 10xx */
/* 11xx */
DIAG(1101, SEV_ERROR, "the IR is not well-formed", "A graph read from JSON, or left by a pass, breaks a rule of grammar/ir.schema.json.\nMend: for a file of your own, what the message names; otherwise this is a fault of couler.")
/* 12xx */
DIAG(1201, SEV_REMARK, "what a pass did", "Printed with --remarks.")
