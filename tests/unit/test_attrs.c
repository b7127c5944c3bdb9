/* Attributes: keys, forms, values, merging, wrong spellings; code files and imports; what scripts are checked for. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "front/attr.h"

static char dir[64];

static void setup(void)
{
	strcpy(dir, "/tmp/couler-attrs-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
}

static void teardown(void)
{
	char cmd[96];

	ck_assert_int_eq(chdir("/"), 0);
	snprintf(cmd, sizeof cmd, "rm -rf '%s'", dir);
	ck_assert_int_eq(system(cmd), 0);
}

static void put_bytes(const char *path, const char *s, size_t n)
{
	FILE *f;

	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		char up[256];

		snprintf(up, sizeof up, "%.*s", (int)(p - path), path);
		ck_assert(!mkdir(up, 0755) || errno == EEXIST);
	}
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(s, 1, n, f), n);
	ck_assert_int_eq(fclose(f), 0);
}

static void put(const char *path, const char *s)
{
	put_bytes(path, s, strlen(s));
}

struct built { struct arena *a; struct diag *d; struct ir *m; char *text; int status; };

/* main.cw, checked as `couler check` does it, or its entry. */
static struct built build(const char *text, bool check)
{
	struct built b = { .a = arena_new() };
	struct front_opts o = { .entry_optional = check };
	struct strbuf out = { 0 };

	put("main.cw", text);
	b.d = diag_new(b.a);
	b.m = front(b.a, strtab_new(b.a), b.d, "main.cw", &o, &b.status);
	diag_write(b.d, DIAG_TEXT, false, &out);
	b.text = arena_dup(b.a, out.s ? out.s : "", out.n);
	sb_free(&out);
	return b;
}

/* want: texts that the diagnostics must hold, separated by '|'; "": there are none. One diagnostic at most. */
static void gives(const char *text, const char *want)
{
	struct built b = build(text, true);
	const char *p = want;
	unsigned items = 0;

	ck_assert_msg(*want || !*b.text, "%s\nshould be fine, but:\n%s", text, b.text);
	for (const struct diag_item *it = b.d->first; it; it = it->next)
		items++;
	ck_assert_msg(!*want || items == 1, "%s\nshould have one diagnostic, but:\n%s", text, b.text);
	while (*p) {
		char part[200];
		size_t n = strcspn(p, "|");

		snprintf(part, sizeof part, "%.*s", (int)n, p);
		ck_assert_msg(strstr(b.text, part), "%s\nshould say '%s', but:\n%s", text, part, b.text);
		p += n + (p[n] == '|');
	}
	arena_free(b.a);
}

/* Where an entry stands: step, workflow, sweep, wait, approve, service, for, loop, task, defaults, volume, store, call. */
struct entry { const char *where, *entry, *want; };

static void gives_entry(const struct entry *e)
{
	static const struct { const char *where, *before, *after; } frames[] = {
		{ "step", "workflow w { param region: string = \"eu\"; param n: int = 2; volume vol { size = 1Gi }; step one { out v: int = stdout; run = \"\"\"echo 1\"\"\" }\nstep a { in k: int = 3; ", "\nrun = \"\"\"true\"\"\" } }" },
		{ "body", "workflow w { step a { ", " } }" },
		{ "task", "task t { in k: int = 3; ", "\nrun = \"\"\"true\"\"\" }\nworkflow w { step a = t() }" },
		{ "call", "task t { in k: int = 3; run = \"\"\"true\"\"\" }\nworkflow w { param n: int = 2; step b { run = \"\"\"true\"\"\" }; step a = t() { ", " } }" },
		{ "wfcall", "workflow v { step a { run = \"\"\"true\"\"\" } }\nworkflow w { step b { run = \"\"\"true\"\"\" }; step a = v() { ", " } }" },
		{ "defaults", "workflow w { param n: int = 2; defaults { ", " }\nstep a { run = \"\"\"true\"\"\" } }" },
		{ "workflow", "store models { uri = \"s3://acme\" }\nworkflow w { param n: int = 2; ", "\nstep a { run = \"\"\"true\"\"\" } }" },
		{ "sweep", "task t { in lr: float; out auc: float; run = \"\"\"echo 1 > \"$auc\" \"\"\" }\nworkflow w { sweep s = t(lr = choice(0.1, 0.2)) { maximize = auc; search = grid(); ", " } }" },
		{ "sweep?", "task t { in lr: float; out auc: float; run = \"\"\"echo 1 > \"$auc\" \"\"\" }\nworkflow w { sweep s = t(lr = choice(0.1, 0.2)) { ", " } }" },
		{ "wait", "workflow w { step b { run = \"\"\"true\"\"\" }; wait s { ", " } }" },
		{ "approve", "workflow w { step b { run = \"\"\"true\"\"\" }; approve g { message = \"go?\"; ", " } }" },
		{ "service", "workflow w { service db { image = \"redis:7\"; port = 6379; ", " }\nstep a { in u = db.address; run = \"\"\"true\"\"\" } }" },
		{ "fail", "workflow w { step b { run = \"\"\"true\"\"\" }; fail \"no\" { ", " } }" },
		{ "for", "workflow w { param n: int = 2; for x in [1, 2] { ", "\nstep a { in x; run = \"\"\"true\"\"\" } } }" },
		{ "loop", "workflow w { loop l { ", "\nstate i: int = 0; step a { in i; out v: int = stdout; run = \"\"\"echo 1\"\"\" }; next { i = a.v } } }" },
		{ "if", "workflow w { param n: int = 2; if n > 1 { ", "\nstep a { run = \"\"\"true\"\"\" } } }" },
		{ "on", "workflow w { step b { run = \"\"\"true\"\"\" }; on exit { ", "\nstep a { run = \"\"\"true\"\"\" } } }" },
		{ "volume", "workflow w { volume v { ", " }\nstep a { mounts { \"/d\" = v }; run = \"\"\"true\"\"\" } }" },
		{ "store", "store m { uri = \"s3://a\"; ", " }\nworkflow w { artifacts = m; step a { run = \"\"\"true\"\"\" } }" },
	};
	struct strbuf b = { 0 };

	for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
		if (!strcmp(frames[i].where, e->where))
			sb_f(&b, "%s%s%s\n", frames[i].before, e->entry, frames[i].after);
	ck_assert_msg(b.n, "no frame %s", e->where);
	gives(sb_cstr(&b), e->want);
	sb_free(&b);
}

static const struct entry entries[] = {
	/* what is right */
	{ "step", "image = \"ghcr.io/acme/train:1.4\"", "" },
	{ "step", "image = \"acme/${region}:${n}\"", "" },
	{ "step", "image = \"registry:5000/a/b@sha256:0123\"", "" },
	{ "step", "env { A = \"x\"; B = region; C = n; D = 1.5; E = true; F = k > 2 ? \"y\" : \"n\"; PATH = \"/opt/bin\"; LC_ALL = \"C\"; LD_PRELOAD = \"x\" }", "" },
	{ "step", "env = { T = secret(\"ml.flow-1\", \"to_ken.x\"); \"U\" = config(\"c\", \"k\") }", "" },
	{ "step", "env_from = [secret(\"aws\"), config(\"x\")]", "" },
	{ "step", "resources { cpu = 0.5; memory = 16Gi; gpu = 1; gpu_type = \"nvidia-a100\"; disk = 1.5GB; limit_cpu = 2; limit_memory = 20Gi }", "" },
	{ "step", "resources { cpu = n; memory = \"16Gi\"; gpu = 0 }", "" },
	{ "step", "retry = 3", "" },
	{ "step", "retry = n + k", "" },
	{ "step", "retry { limit = 3; backoff = 10s; factor = 1.5; max_backoff = 10m; within = 2h; on = [75, 137] }", "" },
	{ "step", "retry { limit = 1; on = error }", "" },
	{ "step", "retry { limit = 1; on = \"failure\" }", "" },
	{ "step", "timeout = 90s", "" },
	{ "step", "timeout = \"2h\"", "" },
	{ "step", "cache = on", "" },
	{ "step", "cache = \"off\"", "" },
	{ "step", "cache { mode = auto; ttl = 7d; key = [region, n]; version = \"2\" }", "" },
	{ "step", "allow_failure = true", "" },
	{ "step", "lock = \"one\"", "" },
	{ "step", "lock = pool(\"gpu-${region}\", 4)", "" },
	{ "step", "lock = [\"a\", pool(\"b\", 2)]", "" },
	{ "step", "labels { team = \"growth\"; \"acme.io/x\" = region }; annotations { note = \"any text, at all\" }", "" },
	{ "step", "nodes { selector { \"kubernetes.io/arch\" = \"arm64\" }; tolerate = [\"gpu\", \"a/b=c:NoSchedule\", \"x=:NoExecute\"] }", "" },
	{ "step", "service_account = \"trainer\"; priority = \"high\"", "" },
	{ "step", "priority = 10", "" },
	{ "step", "mounts { \"/data\" = vol; \"/cred\" = secret(\"name\"); \"/etc/x.d\" = config(\"c\") }", "" },
	{ "step", "argo = '''\n  metadata:\n    labels: {a: b}\n'''", "" },
	{ "step", "airflow = '''{\"pool\": \"x\"}'''", "" },
	{ "step", "doc = \"a step\"; after = [one?]", "" },
	{ "body", "command = [\"echo\", \"a b\"]", "" },
	{ "body", "args = [\"x\"]; image = \"a:1\"", "" },
	{ "body", "argo = '''container: {image: a}'''", "" },
	{ "body", "shell = bash; run = \"\"\"true\"\"\"", "" },
	{ "body", "shell = \"/usr/bin/env\"; run = \"\"\"true\"\"\"", "" },
	{ "task", "retry = k; resources { memory = 1Gi }; lock = \"x\"", "" },
	{ "call", "after = [b]; retry = n; env { X = \"1\" }", "" },
	{ "wfcall", "after = [b?]; allow_failure = true; image = \"a:1\"; retry = 2", "" },
	{ "defaults", "image = \"a:1\"; retry = n; env { A = \"b\" }; resources { cpu = 1 }; allow_failure = false", "" },
	{ "workflow", "doc = \"x\"; schedule = \"0 2 * * *\"; artifacts = models; max_parallel = 16; timeout = 6h; fail_fast = true; keep = 7d; lock = \"r\"; labels { a = \"b\" }", "" },
	{ "workflow", "schedule { cron = [\"*/15 9-17 * * 1-5\", \"0 0 1,15 * *\"]; timezone = \"Europe/Berlin\"; overlap = replace; catchup = true; only_if = n > 1; deadline = 1h; keep_runs = 4 }", "" },
	{ "workflow", "schedule { cron = \"0 0 29 2 *\"; overlap = \"allow\"; timezone = \"UTC\" }", "" },
	{ "sweep", "max_parallel = 4; max_failed = 1; goal = 0.9; retry = 1; image = \"a:1\"; labels { a = \"b\" }", "" },
	{ "wait", "for = 20s; after = [b]", "" },
	{ "wait", "run = \"\"\"test -e x\"\"\"; every = 30s; timeout = 6h; image = \"a:1\"", "" },
	{ "approve", "timeout = 1d; after = [b]; labels { a = \"b\" }", "" },
	{ "service", "ready = \"/x\"; env { A = \"b\" }; resources { memory = 1Gi }", "" },
	{ "fail", "after = [b]; labels { a = \"b\" }", "" },
	{ "for", "max_parallel = 8", "" },
	{ "for", "max_parallel = n", "" },
	{ "loop", "max = 5", "" },
	{ "volume", "size = 100Gi; class = \"fast\"; mode = rwx", "" },
	{ "volume", "claim = \"theirs\"", "" },
	{ "store", "endpoint = \"https://x\"; region = \"r\"; secret = \"s3-cred\"", "" },
	/* unknown and misplaced keys */
	{ "step", "timout = 5m", "CW0410|'timout'|did you mean 'timeout'" },
	{ "step", "maxParallel = 5", "CW0410|" },
	{ "step", "allowFailure = true", "did you mean 'allow_failure'" },
	{ "step", "qqqq = 1", "CW0410|a step has no attribute 'qqqq'|it takes" },
	{ "step", "cpu = 4", "CW0411|'cpu' stands in 'resources'|resources { cpu = ... }" },
	{ "step", "limit = 4", "CW0411|retry { limit" },
	{ "step", "ttl = 7d", "CW0411|cache { ttl" },
	{ "step", "resources { image = \"a:1\" }", "CW0411|'image' does not stand in 'resources'" },
	{ "step", "resources { limit = 4 }", "CW0411|retry { limit" },
	{ "step", "resources { cpus = 4 }", "CW0413|cores are `cpu`" },
	{ "step", "resources { foo = 4 }", "CW0410|'resources' has no attribute 'foo'|cpu, memory, gpu" },
	{ "step", "retry { count = 4 }", "CW0410|'retry' has no attribute 'count'" },
	{ "step", "max_parallel = 4", "CW0411|a step takes no 'max_parallel'|a for" },
	{ "step", "schedule = \"0 2 * * *\"", "CW0411|a workflow" },
	{ "task", "after = [x]", "CW0411|'after' does not stand in a task" },
	{ "defaults", "lock = \"one\"", "CW0411|lock|defaults" },
	{ "defaults", "after = [a]", "CW0411|'after' does not stand in `defaults`" },
	{ "defaults", "run = \"\"\"x\"\"\"", "CW0411|'run'|defaults" },
	{ "workflow", "image = \"a:1\"", "CW0411|a workflow takes no 'image'|defaults { image" },
	{ "workflow", "retry = 2", "CW0411|defaults { retry" },
	{ "for", "image = \"a:1\"", "CW0411|a for takes no 'image'|defaults" },
	{ "if", "image = \"a:1\"", "CW0108|image" },
	{ "fail", "retry = 1", "CW0411|a fail takes no 'retry'" },
	{ "approve", "retry = 1", "CW0411|an approve takes no 'retry'" },
	{ "approve", "allow_failure = true", "CW0411" },
	{ "volume", "storage_class = \"x\"; size = 1Gi", "CW0413|class" },
	{ "store", "bucket = \"x\"", "CW0413|uri" },
	/* twice */
	{ "step", "image = \"a:1\"; image = \"b:1\"", "CW0412|'image' is given twice|already" },
	{ "step", "env { A = \"1\" }; env { B = \"2\" }", "CW0412|'env' is given twice" },
	{ "step", "env { A = \"1\"; A = \"2\" }", "CW0412|'A' is given twice" },
	{ "step", "resources { cpu = 1; cpu = 2 }", "CW0412|'cpu' is given twice" },
	{ "step", "labels { a = \"b\"; a = \"c\" }", "CW0412" },
	{ "step", "mounts { \"/a\" = vol; \"/a\" = vol }", "CW0412" },
	/* other tools' words */
	{ "step", "depends_on = [one]", "CW0413|after = [a]" },
	{ "step", "needs = [one]", "CW0413|in raw = extract.raw" },
	{ "step", "retries = 3", "CW0413|retry = 3" },
	{ "step", "when = n > 1", "CW0413|if region" },
	{ "step", "gpus = 1", "CW0413|gpu = 1" },
	{ "step", "inputs { a = 1 }", "inputs have no block" },
	{ "step", "outputs { a = 1 }", "outputs have no block" },
	{ "step", "env_vars { A = \"b\" }", "CW0413|env {" },
	{ "workflow", "concurrency = 4", "CW0413|max_parallel = 8" },
	{ "workflow", "parallelism = 4", "CW0413|max_parallel = 8" },
	{ "workflow", "trigger = \"push\"", "CW0413|couler submit" },
	{ "sweep", "objective = auc", "CW0413|maximize = auc" },
	{ "sweep", "trials = 20", "CW0413|random(trials = 20" },
	{ "step", "secret = \"x\"", "CW0413|env { TOKEN" },
	{ "step", "name = \"x\"", "CW0413|head of the statement" },
	/* forms */
	{ "body", "run = \"python train.py\"", "CW0414|verbatim|run = \"\"\"python train.py\"\"\"" },
	{ "body", "run = \"python ${x}\"", "CW0414|declare `in lr`" },
	{ "body", "run = [\"python\", \"x\"]", "CW0414|command = [...]" },
	{ "body", "command = \"python train.py\"", "CW0414|command = [\"python\", \"train.py\"]" },
	{ "body", "command = \"a | b\"", "CW0414|run = \"\"\"" },
	{ "body", "shell = \"bash -x\"; run = \"\"\"true\"\"\"", "CW0414|shell = bash" },
	{ "body", "shell = [\"bash\"]; run = \"\"\"true\"\"\"", "CW0414|one program" },
	{ "step", "code = \"train.py\"", "CW0414|code = [\"train.py\"]" },
	{ "step", "code = [region]", "CW0414|plain strings" },
	{ "step", "after = one", "CW0414|after = [one]" },
	{ "step", "after = [\"one\"]", "CW0414|after = [one]" },
	{ "step", "env = \"A=b\"", "CW0414|env { LEVEL" },
	{ "step", "env = [{ name = \"A\", value = \"b\" }]", "CW0414|env { LEVEL" },
	{ "step", "resources = \"small\"", "CW0414|resources { cpu = 4" },
	{ "step", "retry = \"three\"", "CW0414|'retry'" },
	{ "step", "retry = true", "CW0414|'retry'" },
	{ "step", "retry { limit = \"3\" }", "CW0414|write 3, without quotes" },
	{ "step", "cache = 3", "CW0414|auto, on, off" },
	{ "step", "cache = true", "CW0416|cache = on" },
	{ "step", "cache = never", "CW0416|auto, on or off" },
	{ "step", "cache { version = 2 }", "CW0414|version = \"2\"" },
	{ "step", "cache { key = n }", "CW0414|key = [n]" },
	{ "step", "env_from = secret(\"aws\")", "CW0414|env_from = [secret(\"aws\")]" },
	{ "step", "argo = \"a: b\"", "CW0414|'''...'''" },
	{ "step", "argo { a = 1 }", "CW0414|'''...'''" },
	{ "step", "image { name = \"x\" }", "CW0414|'image' takes no block" },
	{ "sweep?", "search = random; maximize = auc", "CW0414|random(trials = 20, seed = 7)" },
	{ "sweep?", "search = \"bayesian\"; maximize = auc", "CW0414|tpe(" },
	{ "sweep?", "search = grid(); maximize = \"auc\"", "CW0414|maximize = auc" },
	{ "sweep?", "search = grid(); maximize = t.auc", "CW0414|maximize = auc" },
	{ "workflow", "schedule = [\"0 2 * * *\"]", "CW0414|schedule { cron = [\"0 2 * * *\"] }" },
	{ "workflow", "schedule = 15m", "CW0414|*/15" },
	{ "workflow", "artifacts = \"models\"", "CW0414|artifacts = models" },
	{ "step", "allow_failure = yes", "CW0414|allow_failure = true" },
	{ "step", "allow_failure = \"false\"", "CW0414|allow_failure = false" },
	{ "step", "allow_failure = 1", "CW0414|allow_failure = true" },
	{ "step", "timeout = null", "CW0414|takes no null" },
	/* numbers and units */
	{ "step", "resources { cpu = 500m }", "CW0414|cpu = 0.5" },
	{ "step", "resources { cpu = \"250m\" }", "CW0414|cpu = 0.25" },
	{ "step", "resources { cpu = \"4\" }", "CW0414|write 4, without quotes" },
	{ "step", "resources { cpu = 4Gi }", "CW0414|number of cores" },
	{ "step", "resources { cpu = 0 }", "CW0415|more than 0" },
	{ "step", "resources { cpu = -1 }", "CW0415" },
	{ "step", "resources { memory = 16 }", "CW0414|write 16Gi" },
	{ "step", "resources { memory = 17179869184 }", "CW0414|17179869184B" },
	{ "step", "resources { memory = 512m }", "CW0414|write 512Mi" },
	{ "step", "resources { memory = \"16G\" }", "CW0414|write 16Gi" },
	{ "step", "resources { memory = \"16 GiB\" }", "CW0414|write 16Gi" },
	{ "step", "resources { memory = \"lots\" }", "CW0414|like 16Gi" },
	{ "step", "resources { memory = 0B }", "CW0415" },
	{ "step", "resources { gpu = 0.5 }", "'gpu'|int" },
	{ "step", "resources { gpu = -1 }", "CW0415|at least 0" },
	{ "step", "resources { cpu = 4; limit_cpu = 2 }", "CW0415|'limit_cpu' is less than 'cpu'" },
	{ "step", "resources { memory = 4Gi; limit_memory = 2GB }", "CW0415|limit_memory" },
	{ "step", "timeout = 90", "CW0414|write 90s" },
	{ "step", "timeout = \"90\"", "CW0414|write 90s" },
	{ "step", "timeout = \"2 hours\"", "CW0414|write 2h" },
	{ "step", "timeout = 0.5s", "CW0415|write 1s" },
	{ "step", "timeout = 0s", "CW0415|more than 0" },
	{ "step", "timeout = 2Gi", "CW0414|size" },
	{ "step", "retry = -1", "CW0415|at least 0" },
	{ "step", "retry { limit = 1; factor = 0.5 }", "CW0415|at least 1" },
	{ "step", "retry { limit = 1; on = [0] }", "CW0415|0 is success" },
	{ "step", "retry { limit = 1; on = [256] }", "CW0415|1 to 255" },
	{ "step", "retry { limit = 1; on = [] }", "CW0414|no exit code" },
	{ "step", "retry { limit = 1; on = 75 }", "CW0414|on = [75]" },
	{ "step", "retry { limit = 1; on = errors }", "CW0416|did you mean 'error'" },
	{ "step", "retry { backoff = 10s }", "CW0430|limit = 3" },
	{ "wait", "run = \"\"\"true\"\"\"; every = 0.5s", "CW0415|whole seconds" },
	{ "wait", "for = 20", "CW0414|write 20s" },
	/* env, secrets */
	{ "step", "env { \"MY-VAR\" = \"x\" }", "CW0418|MY-VAR" },
	{ "step", "env { IFS = \",\" }", "CW0418|reserved" },
	{ "step", "env { CW_X = \",\" }", "CW0418|reserved" },
	{ "step", "env { X = one.v }", "CW0425|in value = one.v" },
	{ "step", "env { X = nosuch }", "nosuch" },
	{ "step", "env { T = secret(\"ML_Flow\", \"t\") }", "CW0419|ML_Flow|\"ml-flow\"" },
	{ "step", "env { T = secret(\"a\") }", "CW0419|env_from" },
	{ "step", "env { T = secret(\"a\", \"b/c\") }", "CW0419|b/c" },
	{ "step", "env { T = secret(name = \"a\", key = \"b\") }", "CW0419|by position" },
	{ "step", "env_from = [\"aws\"]", "CW0419|secret(\"aws\")" },
	{ "step", "env_from = [secret(\"aws\", \"k\")]", "CW0419|alone" },
	{ "step", "timeout = one.v", "|" },
	/* labels, taints, mounts, locks, images, accounts */
	{ "step", "labels { team = \"data science\" }", "CW0420|annotations" },
	{ "step", "labels { \"a b\" = \"c\" }", "CW0420|'a b'" },
	{ "step", "labels { \"/x\" = \"c\" }", "CW0420" },
	{ "step", "nodes { tolerate = [\"a:Never\"] }", "CW0421|NoSchedule" },
	{ "step", "nodes { tolerate = [\"a b\"] }", "CW0421" },
	{ "step", "nodes { tolerate = \"gpu\" }", "CW0414|tolerate = [\"gpu\"]" },
	{ "step", "mounts { data = vol }", "CW0422|absolute" },
	{ "step", "mounts { \"/a/../b\" = vol }", "CW0422|absolute" },
	{ "step", "mounts { \"/a\" = nosuch }", "CW0422|volume nosuch" },
	{ "step", "mounts { \"/a\" = region }", "CW0422|no volume" },
	{ "step", "mounts { \"/a\" = \"vol\" }", "CW0422|volume scratch" },
	{ "task", "mounts { \"/a\" = vol }", "CW0422|in the call" },
	{ "step", "lock = pool(4)", "CW0423|pool(\"gpu\", 4)" },
	{ "step", "lock = pool(\"a\", 0)", "CW0415" },
	{ "step", "lock = \"a b\"", "CW0423" },
	{ "step", "lock = \"\"", "CW0423" },
	{ "step", "lock = 3", "CW0423" },
	{ "step", "image = \"\"", "CW0426|empty" },
	{ "step", "image = \"docker://python:3\"", "CW0426|\"python:3\"" },
	{ "step", "image = \"python 3\"", "CW0426|' '" },
	{ "step", "service_account = \"My Account\"", "CW0414|My Account" },
	{ "step", "priority = 1.5", "CW0414|priority" },
	/* raw blocks: the place of the mistake */
	{ "step", "argo = '''\n  metadata:\n    labels: [a\n  spec: x\n'''", "CW0424|main.cw:5:" },
	{ "step", "argo = '''- a\n'''", "CW0424|no mapping" },
	{ "step", "argo = ''''''", "CW0424|empty" },
	{ "step", "airflow = '''{\"a\": 1'''", "CW0424" },
	{ "step", "argo = '''\na: 1\n---\nb: 2\n'''", "CW0424|more than one|main.cw:4:" },
	{ "body", "argo = '''container: ['''", "CW0424" },
	{ "workflow", "argo = '''\"x'''", "CW0424" },
	/* cron and zones */
	{ "workflow", "schedule = \"@daily\"", "CW0427|\"0 0 * * *\"" },
	{ "workflow", "schedule = \"@every 1h\"", "CW0427|*/15" },
	{ "workflow", "schedule = \"0 0 2 * * *\"", "CW0427|five|0 2 * * *" },
	{ "workflow", "schedule = \"0 0 2 * * ? 2030\"", "CW0427|\"0 2 * * ?\"" },
	{ "workflow", "schedule = \"0 2 * *\"", "CW0427|here are 4" },
	{ "workflow", "schedule = \"\"", "CW0427|here are 0" },
	{ "workflow", "schedule = \"CRON_TZ=UTC 0 2 * * *\"", "CW0427|timezone" },
	{ "workflow", "schedule = \"0 2 * * MON-FRI\"", "CW0427|write 1 for MON" },
	{ "workflow", "schedule = \"0 2 * jan *\"", "CW0427|write 1 for jan" },
	{ "workflow", "schedule = \"0 2 * * 7\"", "CW0427|Sunday is 0" },
	{ "workflow", "schedule = \"60 2 * * *\"", "CW0427|minute is 0 to 59" },
	{ "workflow", "schedule = \"0 24 * * *\"", "CW0427|hour is 0 to 23" },
	{ "workflow", "schedule = \"0 0 0 * *\"", "CW0427|day of the month is 1 to 31" },
	{ "workflow", "schedule = \"0 22-4 * * *\"", "CW0427|22-23,0-4" },
	{ "workflow", "schedule = \"5/15 * * * *\"", "CW0427|5-59/15" },
	{ "workflow", "schedule = \"*/0 * * * *\"", "CW0427" },
	{ "workflow", "schedule = \"1,,2 * * * *\"", "CW0427|missing" },
	{ "workflow", "schedule = \"*5 * * * *\"", "CW0427|'*5'" },
	{ "workflow", "schedule = \"0 0 L * *\"", "CW0427|'L'" },
	{ "workflow", "schedule = \"0 0 ? * *\"", "CW0427|write *" },
	{ "workflow", "schedule = \"0 0 31 2 *\"", "CW0427|never" },
	{ "workflow", "schedule = \"0 0 31 4,6 *\"", "CW0427|never" },
	{ "workflow", "schedule = \"99999999999999999999 * * * *\"", "CW0427" },
	{ "workflow", "schedule { cron = \"0 2 * * *\"; timezone = \"Berlin\" }", "CW0428|Europe/Berlin" },
	{ "workflow", "schedule { cron = \"0 2 * * *\"; timezone = \"PST\" }", "CW0428|America/Los_Angeles" },
	{ "workflow", "schedule { cron = \"0 2 * * *\"; timezone = \"Europe/Berlim\" }", "CW0428|Europe/Berlin" },
	{ "workflow", "schedule { cron = \"0 2 * * *\"; timezone = \"../../etc/passwd\" }", "CW0428" },
	{ "workflow", "schedule { cron = \"0 2 * * *\"; overlap = Forbid }", "CW0416|forbid" },
	{ "workflow", "schedule { cron = \"0 2 * * *\"; concurrencyPolicy = \"Forbid\" }", "CW0413|overlap" },
};

START_TEST(entry)
{
	gives_entry(&entries[_i]);
}
END_TEST

/* ---- wrong spellings: each row is reached ---- */

START_TEST(aliases)
{
	static const struct { unsigned owners; const char *word; } keys[] = {
#define KEY(owners, word, message, mend) { owners, word },
#include "front/alias_table.h"
#undef KEY
	};
	static const char *const functions[] = {
#define FUNCTION(word, message, mend) word,
#include "front/alias_table.h"
#undef FUNCTION
	};
	struct arena *a = arena_new();
	struct strtab *t = strtab_new(a);
	struct diag *d = diag_new(a);

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		unsigned owner = keys[i].owners ? keys[i].owners : OWN_STEP;

		ck_assert_msg(alias_report(d, str_internz(t, keys[i].word), (struct span){ 0 }, (enum attr_owner)owner), "%s", keys[i].word);
		for (uint32_t k = 0; k < ATTR_COUNT; k++)
			ck_assert_msg(strcmp(attr_rows[k].key, keys[i].word) || !keys[i].owners || !(attr_rows[k].owners & owner) || attr_rows[k].group != GROUP_TOP,
				"'%s' is an attribute of the same owner", keys[i].word);
		for (size_t k = 0; k < i; k++)
			ck_assert_msg(strcmp(keys[k].word, keys[i].word) || keys[k].owners != keys[i].owners, "'%s' is never reached", keys[i].word);
	}
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
		ck_assert(alias_function(d, str_internz(t, functions[i]), (struct span){ 0 }));
		for (size_t k = 0; k < FN_COUNT; k++)
			ck_assert_msg(strcmp(functions[i], expr_fns[k].name), "'%s' is a function", functions[i]);
	}
	ck_assert(!alias_report(d, str_internz(t, "nothing"), (struct span){ 0 }, OWN_STEP));
	arena_free(a);
}
END_TEST

START_TEST(members)
{
	gives("workflow w { step e { out raw: file; run = \"\"\": > \"$raw\" \"\"\" }\nstep f { in x = e.outputs.raw; run = \"\"\"true\"\"\" } }", "CW0413|write e.raw");
	gives("workflow w { step e { out raw: file; run = \"\"\": > \"$raw\" \"\"\" }\nstep f { in x = e.result; run = \"\"\"true\"\"\" } }", "CW0413|stdout");
	gives("task t { in lr: float; out auc: float; run = \"\"\"echo 1 > \"$auc\" \"\"\" }\nworkflow w { sweep s = t(lr = choice(0.1, 0.2)) { search = grid(); maximize = auc }\n"
		"step f { in x = s.best.params.lr; run = \"\"\"true\"\"\" } }", "CW0413|write s.best.lr");
	gives("workflow w { param r: string = \"x\"; step f { in x = workflow.parameters.r; run = \"\"\"true\"\"\" } }", "region, not workflow.parameters.region");
	gives("workflow w { step f { in x = length([1]); run = \"\"\"true\"\"\" } }", "CW0413|len");
	gives("workflow w { step f { in x = secret(\"a\", \"b\"); run = \"\"\"true\"\"\" } }", "CW0207|env { NAME");
}
END_TEST

/* ---- merging ---- */

static const struct node *node_named(const struct ir *m, const char *name)
{
	const struct graph *g = m->entry->body;

	for (uint32_t i = 0; i < g->nodes.n; i++)
		if (str_eq(g->nodes.v[i]->name, name))
			return g->nodes.v[i];
	ck_abort_msg("no node %s", name);
	return NULL;
}

static const char *env_of(const struct attrs *a, char out[256])
{
	out[0] = '\0';
	for (uint32_t i = 0; i < a->env.n; i++)
		snprintf(out + strlen(out), 256 - strlen(out), "%s%s=%s", i ? " " : "", a->env.v[i].name->s, a->env.v[i].value->u.lit->u.s->s);
	return out;
}

START_TEST(merging)
{
	struct built b = build(
		"task t { retry = 1; env { A = \"task\"; B = \"task\" }; run = \"\"\"true\"\"\" }\n"
		"workflow w {\n  defaults { image = \"a:1\"; retry { backoff = 10s; limit = 9 }; env { A = \"d\"; C = \"d\"; D = \"d\" }; labels { x = \"1\"; y = \"1\" }; resources { cpu = 1; memory = 1Gi } }\n"
		"  step p { run = \"\"\"true\"\"\" }\n  step q { run = \"\"\"false\"\"\" }\n  step r = t()\n  step s = t()\n"
		"  step u = t() { retry = 4; env { B = \"call\"; D = \"call\" } }\n"
		"  step v { labels { y = \"2\" }; resources { cpu = 2 }; cache { ttl = 1d }; retry { on = [3, 4] }; run = \"\"\"true\"\"\" }\n"
		"  step z { cache = off; run = \"\"\"true\"\"\" }\n}\n", false);
	const struct attrs *p, *q, *r, *s, *u, *v, *z;
	char env[256];

	ck_assert_msg(b.m && !b.d->errors, "%s", b.text);
	p = node_named(b.m, "p")->attrs;
	q = node_named(b.m, "q")->attrs;
	r = node_named(b.m, "r")->attrs;
	s = node_named(b.m, "s")->attrs;
	u = node_named(b.m, "u")->attrs;
	v = node_named(b.m, "v")->attrs;
	z = node_named(b.m, "z")->attrs;
	ck_assert_ptr_eq(p, q);
	ck_assert_ptr_eq(r, s);
	ck_assert_ptr_ne(p, r);
	ck_assert_str_eq(p->image->u.lit->u.s->s, "a:1");
	ck_assert_int_eq(p->retry.limit->u.lit->u.i, 9);
	ck_assert_int_eq(r->retry.limit->u.lit->u.i, 1);
	ck_assert(r->retry.backoff->u.lit->u.d == 10);
	ck_assert_int_eq(u->retry.limit->u.lit->u.i, 4);
	ck_assert_str_eq(env_of(p, env), "A=d C=d D=d");
	ck_assert_str_eq(env_of(r, env), "A=task C=d D=d B=task");
	ck_assert_str_eq(env_of(u, env), "A=task C=d D=call B=call");
	ck_assert_uint_eq(v->labels.n, 2);
	ck_assert_str_eq(v->labels.v[0].value->u.lit->u.s->s, "1");
	ck_assert_str_eq(v->labels.v[1].value->u.lit->u.s->s, "2");
	ck_assert(v->cpu->u.lit->u.d == 2);
	ck_assert_int_eq(v->memory->u.lit->u.i, 1 << 30);
	ck_assert_int_eq(v->cache.mode, CACHE_ON);
	ck_assert(v->cache.ttl == 86400 && v->cache.given);
	ck_assert_int_eq(v->retry.on, RETRY_CODES);
	ck_assert_uint_eq(v->retry.codes.n, 2);
	ck_assert_int_eq(v->retry.limit->u.lit->u.i, 9);
	ck_assert_int_eq(z->cache.mode, CACHE_OFF);
	ck_assert(!p->cache.given && p->cache.mode == CACHE_AUTO && p->cache.ttl < 0);
	arena_free(b.a);
}
END_TEST

START_TEST(nearest_wins)
{
	struct built b = build(
		"workflow callee { defaults { image = \"inner:1\"; retry = 1 }\n  step x { run = \"\"\"true\"\"\" } }\n"
		"workflow w {\n  param go: bool = true\n  defaults { image = \"outer:1\"; timeout = 1h; cache = off }\n"
		"  if go { defaults { image = \"branch:1\" }\n    step p { cache { mode = on; version = \"2\" }; run = \"\"\"true\"\"\" } }\n"
		"  step c = callee() { retry = 7 }\n  step d = callee()\n}\n", false);
	const struct node *iff, *c, *d;
	const struct attrs *p;

	ck_assert_msg(b.m && !b.d->errors, "%s", b.text);
	iff = b.m->entry->body->nodes.v[0];
	p = iff->u.if_.v[0].body->nodes.v[0]->attrs;
	ck_assert_str_eq(p->image->u.lit->u.s->s, "branch:1");
	ck_assert(p->timeout->u.lit->u.d == 3600);
	ck_assert_int_eq(p->cache.mode, CACHE_ON);
	ck_assert_str_eq(p->cache.version->s, "2");
	c = node_named(b.m, "c");
	d = node_named(b.m, "d");
	ck_assert_int_eq(c->u.callee->body->nodes.v[0]->attrs->retry.limit->u.lit->u.i, 7);
	ck_assert_int_eq(d->u.callee->body->nodes.v[0]->attrs->retry.limit->u.lit->u.i, 1);
	ck_assert_str_eq(c->u.callee->body->nodes.v[0]->attrs->image->u.lit->u.s->s, "inner:1");
	arena_free(b.a);
}
END_TEST

START_TEST(warnings)
{
	gives("workflow w { defaults { cache = off }\nstep a { cache { ttl = 1d }; run = \"\"\"true\"\"\" } }", "warning[CW0429]|mode = on");
	gives("workflow w { defaults { retry { backoff = 5s } }\nstep a { run = \"\"\"true\"\"\" }\nstep b { retry = 2; run = \"\"\"true\"\"\" } }", "");
	gives("workflow w { defaults { retry = 2 }\nstep a { retry { backoff = 5s }; run = \"\"\"true\"\"\" } }", "");
	/* a mistake in what many steps share is said once */
	gives("task t { timeout = 1; run = \"\"\"true\"\"\" }\nworkflow w { step a = t()\nstep b = t()\nstep c = t() { retry = 1 } }", "CW0414|1s");
	gives("workflow w { defaults { timeout = 1 }\nstep a { run = \"\"\"true\"\"\" }\nstep b { retry = 1; run = \"\"\"true\"\"\" } }", "CW0414|1s");
}
END_TEST

/* ---- scripts ---- */

#define W(rest) "workflow w {\n  param region: string = \"eu\"\n  let bucket = \"s3://x\"\n  step extract { out raw: file; out rows: int; run = \"\"\": > \"$raw\"; echo 1 > \"$rows\" \"\"\" }\n" rest "}\n"

static const struct { const char *text, *want; } scripts[] = {
	{ W("  step a { run = \"\"\"echo \"$region\" \"\"\" }\n"), "error[CW0440]|main.cw:5:27|in region" },
	{ W("  step a {\n    run = \"\"\"\n      echo ok\n      if true; then\n        echo \"${bucket}/x\"\n      fi\n    \"\"\" }\n"), "main.cw:9:15|in bucket" },
	{ W("  step a { run = '''\n  cat \"$extract\"\n''' }\n"), "main.cw:6:8|in raw = extract.raw" },
	{ W("  step a { run = \"\"\"echo ${extract.rows}\"\"\" }\n"), "CW0440|not interpolated|in rows = extract.rows" },
	{ W("  step a { in region; run = \"\"\"echo \"$region\" \"\"\" }\n"), "" },
	{ W("  step a { env { region = \"x\" }; run = \"\"\"echo \"$region\" \"\"\" }\n"), "" },
	{ W("  step a { env_from = [secret(\"x\")]; run = \"\"\"echo \"$region\" \"\"\" }\n"), "" },
	{ W("  step a { run = \"\"\"region=x; echo \"$region\" \"\"\" }\n"), "" },
	{ W("  step a { run = \"\"\"echo '$region' \\$region\"\"\" }\n"), "" },
	{ W("  step a { run = \"\"\"for region in a b; do echo $region; done\"\"\" }\n"), "" },
	{ W("  step a { run = \"\"\"echo ${region:-none}\"\"\" }\n"), "warning[CW0442]|in region" },
	{ W("  step a { run = \"\"\". ./env; echo $region\"\"\" }\n"), "warning[CW0442]|in region" },
	{ W("  step a { shell = python3; run = \"\"\"print('$region')\"\"\" }\n"), "" },
	{ W("  step a { shell = \"/bin/bash\"; run = \"\"\"echo $region\"\"\" }\n"), "CW0440" },
	{ W("  step a { run = \"\"\"echo 'unclosed $region\"\"\" }\n"), "" },
	{ W("  step a { run = \"\"\"echo $HOME $PATH $USER $UNKNOWN $unknown\"\"\" }\n"), "" },
	{ W("  for shard in [\"a\"] { step a { run = \"\"\"echo $shard\"\"\" } }\n"), "CW0440|in shard" },
	{ W("  for i, shard in [\"a\"] { step a { in shard; run = \"\"\"echo $((i + 1)) $shard\"\"\" } }\n"), "CW0440|in i" },
	{ W("  loop l { max = 2; state n: int = 0\n    step a { out v: int = stdout; run = \"\"\"echo $n\"\"\" }\n    next { n = a.v } }\n"), "CW0440|in n" },
	{ W("  step a { in table = extract.raw; run = \"\"\"wc -l \"$tabel\" \"\"\" }\n"), "warning[CW0442]|did you mean '$table'" },
	{ W("  step a { out auc: float; run = \"\"\"auc=0.9\"\"\" }\n"), "warning[CW0441]|echo 0.9 > \"$auc\"" },
	{ W("  step a { out auc: float = stdout; run = \"\"\"auc=0.9; echo $auc\"\"\" }\n"), "" },
	{ W("  step a { out n: int = stdout; run = \"\"\"echo 1 > \"$n\" \"\"\" }\n"), "CW0443|standard output" },
	{ W("  wait s { run = \"\"\"test -e \"$bucket\" \"\"\" }\n"), "CW0440|in bucket" },
	{ W("  on exit { step a { run = \"\"\"echo $region\"\"\" } }\n"), "CW0440|in region" },
	{ "task t { run = \"\"\"echo $region\"\"\" }\n" W("  step a = t()\n"), "" },
};

START_TEST(script)
{
	gives(scripts[_i].text, scripts[_i].want);
}
END_TEST

/* ---- files ---- */

static const struct { const char *body, *want; } files[] = {
	{ "run = \"\"\"python3 fit.py\"\"\"", "CW0612|'fit.py'|code = [\"fit.py\"]" },
	{ "run = \"\"\"python3 ./lib/util.py\"\"\"", "CW0612|'lib/util.py'" },
	{ "run = \"\"\"\n  echo\n  ./go.sh x\n\"\"\"", "CW0612|main.cw:3:|'go.sh'" },
	{ "command = [\"python3\", \"fit.py\"]", "CW0612|'fit.py'" },
	{ "command = [\"./go.sh\"]", "CW0612|'go.sh'" },
	{ "command = [\"go.sh\"]", "" },
	{ "code = [\"fit.py\"]; run = \"\"\"python3 fit.py\"\"\"", "" },
	{ "code = [\"lib/\"]; run = \"\"\"python3 lib/util.py\"\"\"", "" },
	{ "code = [\"./lib//util.py\"]; run = \"\"\"python3 lib/util.py\"\"\"", "" },
	{ "code = [\"lib\"]; run = \"\"\"python3 fit.py\"\"\"", "CW0612|add \"fit.py\" to `code`" },
	{ "code = [\"fit.py\"]; command = [\"python3\", \"./fit.py\"]", "" },
	{ "run = \"\"\"cd /srv && python3 fit.py\"\"\"", "" },
	{ "run = \"\"\"echo x > fit.py; cat fit.py\"\"\"", "" },
	{ "run = \"\"\"python3 lib\"\"\"", "" },
	{ "run = \"\"\"echo fit.pyc notfit.py\"\"\"", "" },
	{ "shell = python3; run = \"\"\"open('fit.py')\"\"\"", "" },
	{ "code = [\"ftt.py\"]; run = \"\"\"true\"\"\"", "CW0610|did you mean 'fit.py'" },
	{ "code = [\"lib/utl.py\"]; run = \"\"\"true\"\"\"", "CW0610|did you mean 'lib/util.py'" },
	{ "code = [\"*.py\"]; run = \"\"\"true\"\"\"", "CW0610|name the folder" },
	{ "code = [\"../x.py\"]; run = \"\"\"true\"\"\"", "CW0611|import" },
	{ "code = [\"/etc/passwd\"]; run = \"\"\"true\"\"\"", "CW0611|relative" },
	{ "code = [\"s3://x\"]; run = \"\"\"true\"\"\"", "CW0611|input" },
	{ "code = [\"\"]; run = \"\"\"true\"\"\"", "CW0611|empty" },
	{ "code = [\"empty\"]; run = \"\"\"true\"\"\"", "CW0610|no file" },
	{ "code = [\"out\"]; run = \"\"\"true\"\"\"", "CW0603|symbolic link" },
	{ "code = [\"pipe\"]; run = \"\"\"true\"\"\"", "CW0611|neither" },
	{ "code = [\"ring\"]; run = \"\"\"true\"\"\"", "CW0611|symbolic link to a folder that it is in" },
	{ "code = [\"dangling\"]; run = \"\"\"true\"\"\"", "CW0610" },
	{ "code = [\"inner\"]; run = \"\"\"true\"\"\"", "" },
};

START_TEST(code_files)
{
	struct strbuf b = { 0 };

	put("fit.py", "print(1)\n");
	put("lib/util.py", "x = 1\n");
	put("lib/__pycache__/util.pyc", "x");
	put("go.sh", "true\n");
	ck_assert_int_eq(mkdir("empty", 0755), 0);
	ck_assert_int_eq(mkdir("ring", 0755), 0);
	ck_assert_int_eq(symlink("..", "ring/up"), 0);
	ck_assert_int_eq(symlink("/etc/passwd", "out"), 0);
	ck_assert_int_eq(symlink("nowhere", "dangling"), 0);
	ck_assert_int_eq(symlink("lib/util.py", "inner"), 0);
	ck_assert_int_eq(mkfifo("pipe", 0600), 0);
	if (!strcmp(files[_i].want, "CW0611|symbolic link to a folder that it is in"))
		put("ring/x", "");
	sb_f(&b, "workflow w { step a { %s } }", files[_i].body);
	if (strstr(files[_i].body, "ring")) {
		ck_assert_int_eq(unlink("pipe"), 0);
		ck_assert_int_eq(unlink("out"), 0);
		ck_assert_int_eq(unlink("dangling"), 0);
	}
	gives(sb_cstr(&b), files[_i].want);
	sb_free(&b);
}
END_TEST

/* A task without `code` may name what its calls bring. */
START_TEST(code_of_calls)
{
#define T "task t { run = \"\"\"python3 fit.py\"\"\" }\n"
	put("fit.py", "1\n");
	put("other.py", "1\n");
	gives(T "workflow w { defaults { code = [\"fit.py\"] }\nstep a = t()\nstep b { run = \"\"\"python3 fit.py\"\"\" } }", "");
	gives(T "workflow w { step a = t() { code = [\"fit.py\"] }\nstep b = t() { code = [\"fit.py\", \"other.py\"] } }", "");
	gives(T "workflow w { step a = t() }", "CW0612|'fit.py'");
	gives(T "workflow w { step a = t() { code = [\"fit.py\"] }\nstep b = t()\nstep c = t() }", "CW0612|main.cw:1:");
	gives(T "workflow w { step a = t() { code = [\"other.py\"] } }", "CW0612|add \"fit.py\"");
	gives(T "workflow w { step a { run = \"\"\"true\"\"\" } }", "CW0612|'fit.py'");
	gives("task t { command = [\"python3\", \"fit.py\"] }\nworkflow w { step a = t() { code = [\"fit.py\"] } }", "");
	gives("task t { code = [\"other.py\"]; run = \"\"\"python3 fit.py\"\"\" }\nworkflow w { step a = t() }", "CW0612");
#undef T
}
END_TEST

START_TEST(code_content)
{
	static char big[IR_CODE_INLINE + 10];
	struct built b;
	const struct ir_task *t;
	const char *want[] = { "a-b.txt", "a.txt", "a/b.txt", "bad.bin", "big.txt", "edge.txt", "nul.bin" };

	memset(big, 'x', sizeof big);
	put("code/a.txt", "abc");
	put("code/a/b.txt", "");
	put("code/a-b.txt", "b\xc3\xa4" "c");
	put_bytes("code/nul.bin", "a\0b", 3);
	put("code/bad.bin", "\xff");
	put_bytes("code/big.txt", big, sizeof big);
	/* a character across the end of the reader's block */
	memcpy(big + 65535, "\xf0\x9f\x98\x80", 4);
	put_bytes("code/edge.txt", big, 70000);
	put("code/.git/config", "x");
	ck_assert_int_eq(chmod("code/a.txt", 0755), 0);
	b = build("workflow w { step a { code = [\"code/\", \"code/a.txt\"]; run = \"\"\"true\"\"\" } }", false);
	ck_assert_msg(b.m && !b.d->errors, "%s", b.text);
	t = node_named(b.m, "a")->u.task;
	ck_assert_uint_eq(t->ncode, sizeof want / sizeof *want);
	for (uint32_t i = 0; i < t->ncode; i++) {
		ck_assert_str_eq(t->code[i].path->s + 5, want[i]);
		ck_assert_ptr_eq(t->code[i].source, t->code[i].path);
	}
	ck_assert(t->code[1].exec && !t->code[0].exec);
	ck_assert(t->code[0].text && t->code[1].text && t->code[2].text && t->code[4].text && t->code[5].text);
	ck_assert(!t->code[3].text && !t->code[6].text);
	ck_assert_str_eq(t->code[1].data, "abc");
	ck_assert_str_eq(t->code[1].sha256->s, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	ck_assert_str_eq(t->code[2].sha256->s, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	ck_assert_str_eq(t->code[2].data, "");
	ck_assert_ptr_null(t->code[4].data);
	ck_assert_ptr_null(t->code[3].data);
	ck_assert_uint_eq(t->code[4].len, sizeof big);
	ck_assert_uint_eq(t->code[5].len, 70000);
	ck_assert(!memcmp(t->code[5].data, big, 70000));
	arena_free(b.a);
}
END_TEST

/* ---- imports ---- */

START_TEST(imports)
{
	put("lib/a.cw", "import \"b.cw\" as b\ntask t { run = \"\"\"true\"\"\" }\n");
	put("lib/b.cw", "task u { code = [\"u.py\"]; run = \"\"\"python3 u.py\"\"\" }\n");
	put("lib/u.py", "1\n");
	put("lib/loop1.cw", "import \"loop2.cw\" as x\n");
	put("lib/loop2.cw", "import \"loop1.cw\" as x\n");
	put("lib/bad.cw", "task {\n");
	put("folder.cw/x", "");
	put("bin.cw", "task\xff\xfe");
	ck_assert_int_eq(symlink("/etc/passwd", "out.cw"), 0);
	ck_assert_int_eq(symlink("lib/b.cw", "in.cw"), 0);
#define IMPORT(path) "import \"" path "\" as x\nworkflow w { step a { run = \"\"\"true\"\"\" } }\n"
	gives(IMPORT("lib/a.cw"), "");
	gives(IMPORT("in.cw"), "");
	gives("import \"lib/a.cw\" as a\nimport \"./lib/../lib/b.cw\" as b\nworkflow w { step s = a.t()\nstep u = b.u() }", "");
	gives(IMPORT("lib/none.cw"), "CW0602|lib/none.cw");
	gives(IMPORT("lib/aa.cw"), "CW0602|did you mean 'lib/");
	gives(IMPORT("lib/a"), "CW0602|did you mean 'lib/a.cw'");
	gives(IMPORT("folder.cw"), "CW0602|directory");
	gives(IMPORT("bin.cw"), "CW0002|bin.cw:");
	gives(IMPORT("lib/bad.cw"), "lib/bad.cw:1");
	gives(IMPORT("out.cw"), "CW0603|symbolic link");
	gives(IMPORT("../x.cw"), "CW0603|outside");
	gives(IMPORT("lib/../../x.cw"), "CW0603|outside");
	gives(IMPORT("/etc/x.cw"), "CW0601|relative");
	gives(IMPORT("https://x/y.cw"), "CW0601|file of the project");
	gives(IMPORT("train.py"), "CW0601|code = [\"train.py\"]");
	gives(IMPORT(""), "CW0601|names a file");
	gives(IMPORT("main.cw"), "CW0604|imports itself");
	gives(IMPORT("lib/loop1.cw"), "CW0604|lib/loop1.cw -> lib/loop2.cw -> lib/loop1.cw");
	gives("import \"lib/a.cw\" as x\nimport \"lib/b.cw\" as x\nworkflow w { step s = x.t() }", "CW0605|'x' is imported already");
	gives("import \"lib/none.cw\" as x\nworkflow w { step s = x.t() }", "CW0602");
	gives("task t { run = \"\"\"true\"\"\" }\nworkflow t { step a { run = \"\"\"true\"\"\" } }", "CW0606|'t' is defined twice");
}
END_TEST

START_TEST(import_chain)
{
	char path[32], text[96];

	for (int i = 0; i < 250; i++) {
		snprintf(path, sizeof path, "f%d.cw", i);
		snprintf(text, sizeof text, "import \"f%d.cw\" as x\n", i + 1);
		put(path, i == 249 ? "" : text);
	}
	gives("import \"f0.cw\" as x\nworkflow w { step a { run = \"\"\"true\"\"\" } }", "CW0601|200 files deep");
	gives("import \"f60.cw\" as x\nworkflow w { step a { run = \"\"\"true\"\"\" } }", "");
}
END_TEST

START_TEST(root)
{
	struct arena *a = arena_new();
	char sub[96];

	put("p/couler.yaml", "");
	put("p/q/r/x.cw", "import \"../../up.cw\" as u\n");
	put("p/up.cw", "");
	put("s/x.cw", "");
	snprintf(sub, sizeof sub, "%s/p", dir);
	ck_assert_str_eq(project_root(a, "p/q/r/x.cw"), sub);
	ck_assert_str_eq(project_root(a, "p/x.cw"), sub);
	snprintf(sub, sizeof sub, "%s/s", dir);
	ck_assert_str_eq(project_root(a, "s/x.cw"), sub);
	ck_assert_str_eq(project_root(a, "-"), dir);
	arena_free(a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("attrs");
	TCase *t = tcase_create("attrs");
	SRunner *r;
	int bad;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, entry, 0, sizeof entries / sizeof *entries);
	tcase_add_test(t, aliases);
	tcase_add_test(t, members);
	tcase_add_test(t, merging);
	tcase_add_test(t, nearest_wins);
	tcase_add_test(t, warnings);
	tcase_add_loop_test(t, script, 0, sizeof scripts / sizeof *scripts);
	tcase_add_loop_test(t, code_files, 0, sizeof files / sizeof *files);
	tcase_add_test(t, code_of_calls);
	tcase_add_test(t, code_content);
	tcase_add_test(t, imports);
	tcase_add_test(t, import_chain);
	tcase_add_test(t, root);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad != 0;
}
