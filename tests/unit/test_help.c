/* Help: every statement, attribute, function and type has a text and an example, and every example is a program. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "couler/ast.h"
#include "couler/expr.h"
#include "couler/front.h"
#include "couler/help.h"

static char dir[64];

static void put(const char *path, const char *s)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(s, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void setup(void)
{
	strcpy(dir, "/tmp/couler-help-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	ck_assert_int_eq(mkdir("lib", 0755), 0);
	put("lib/etl.cw", "task load { run = \"\"\"true\"\"\" }\n");
	put("lib/util.py", "");
	put("train.py", "");
}

static void teardown(void)
{
	char cmd[96];

	ck_assert_int_eq(chdir("/"), 0);
	snprintf(cmd, sizeof cmd, "rm -rf '%s'", dir);
	ck_assert_int_eq(system(cmd), 0);
}

#define HEAD "store models { uri = \"s3://acme\" }\n" \
	"task train { in table: file; in lr: float; in depth: int = 6; out model: file; out auc: float; out loss: float\n" \
	"  run = \"\"\"echo \"$table $lr $depth\" > \"$model\"; echo 1 > \"$auc\"; echo 1 > \"$loss\" \"\"\" }\n" \
	"workflow main {\n  param region: string = \"eu\"\n  volume scratch { size = 1Gi }\n" \
	"  step extract { out raw: file; out rows: int; out tag: string; run = \"\"\": > \"$raw\"; echo 1 > \"$rows\"; echo x > \"$tag\" \"\"\" }\n" \
	"  step canary { run = \"\"\"true\"\"\" }\n  step maybe { allow_failure = true; out v: int = stdout; run = \"\"\"echo 1\"\"\" }\n"
#define FLOW "in shards: dir = \"s3://acme/shards\"; out model: file\n dataflow { source records = split(shards); "
#define TRAIN "; trainer { from = records; run = \"\"\"cat > \"$model\" \"\"\" } }"

static const struct { enum example_place place; const char *before, *after; } frames[] = {
	{ EX_FILE, "", "\n" },
	{ EX_WORKFLOW, HEAD, "\n}\n" },
	{ EX_STEP, HEAD "  step s { ", "\n run = \"\"\"true\"\"\" }\n}\n" },
	{ EX_BODY, HEAD "  step s { in shards: dir = \"s3://acme/shards\"; out model: file\n", " }\n}\n" },
	{ EX_VALUE, HEAD "  step s { in x = ", "\n run = \"\"\"true\"\"\" }\n}\n" },
	{ EX_IN_SWEEP, HEAD "  sweep t = train(table = extract.raw, lr = choice(0.1, 0.2)) { ", " }\n}\n" },
	{ EX_IN_FOR, HEAD "  for x in [1, 2] { ", "\n step s { in x; run = \"\"\"true\"\"\" } }\n}\n" },
	{ EX_IN_LOOP, HEAD "  loop l { ", "\n state i: int = 0; step s { in i; out v: int = stdout; run = \"\"\"echo 1\"\"\" }; next { i = s.v } }\n}\n" },
	{ EX_IN_WAIT, HEAD "  wait w { ", " }\n}\n" },
	{ EX_IN_APPROVE, HEAD "  approve g { ", " }\n}\n" },
	{ EX_IN_SERVICE, HEAD "  service db { image = \"redis:7\"; ", " }\n step s { in u = db.address; run = \"\"\"true\"\"\" }\n}\n" },
	{ EX_IN_VOLUME, HEAD "  volume v { ", " }\n}\n" },
	{ EX_IN_STORE, "store s { ", " }\nworkflow w { artifacts = s; step a { run = \"\"\"true\"\"\" } }\n" },
	{ EX_IN_JOB, HEAD "  step s { job pytorch { ", "\n run = \"\"\"true\"\"\" } }\n}\n" },
	{ EX_IN_TENSORFLOW, HEAD "  step s { job tensorflow { workers = 2; ", "\n run = \"\"\"true\"\"\" } }\n}\n" },
	{ EX_IN_MPI, HEAD "  step s { job mpi { workers = 2; ", "\n run = \"\"\"true\"\"\" } }\n}\n" },
	{ EX_IN_KUBERNETES, HEAD "  step s { in name: string = \"x\"; job kubernetes { ", "\n } }\n}\n" },
	{ EX_IN_DATAFLOW, HEAD "  step s { " FLOW, TRAIN " }\n}\n" },
	{ EX_IN_WORKERS, HEAD "  step s { " FLOW "workers { ", " }" TRAIN " }\n}\n" },
	{ EX_IN_OP, HEAD "  step s { " FLOW "op parse { ", " }\n trainer { from = parse; run = \"\"\"cat > \"$model\" \"\"\" } } }\n}\n" },
};

static bool has(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *p = text; (p = strstr(p, key)); p += n)
		if ((p == text || p[-1] == ' ' || p[-1] == ';' || p[-1] == '\n') && (p[n] == ' ' || p[n] == '='))
			return true;
	return false;
}

/* What the frame lacks for some examples: the rest of a statement that must have it. */
static void rest(struct strbuf *b, const struct help_item *h)
{
	switch (h->place) {
	case EX_STEP:
		if (has(h->example, "run") || has(h->example, "dataflow"))
			sb_z(b, " }\n}\n");
		else
			sb_z(b, "\n run = \"\"\"true\"\"\" }\n}\n");
		return;
	case EX_IN_SWEEP:
		sb_z(b, has(h->example, "search") ? "" : "; search = random(trials = 4)");
		sb_z(b, has(h->example, "maximize") || has(h->example, "minimize") ? "" : "; maximize = auc");
		break;
	case EX_IN_WAIT:
		sb_z(b, has(h->example, "for") || has(h->example, "run") ? "" : "; run = \"\"\"true\"\"\"");
		break;
	case EX_IN_APPROVE:
		sb_z(b, has(h->example, "message") ? "" : "; message = \"go?\"");
		break;
	case EX_IN_SERVICE:
		sb_z(b, has(h->example, "port") ? "" : "; port = 6379");
		break;
	case EX_IN_STORE:
		sb_z(b, has(h->example, "uri") ? "" : "; uri = \"s3://a\"");
		break;
	case EX_IN_JOB:
		sb_z(b, has(h->example, "workers") ? "" : "; workers = 2");
		break;
	case EX_IN_KUBERNETES:
		sb_z(b, has(h->example, "manifest") ? "" : "; manifest = '''{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}'''");
		break;
	case EX_IN_DATAFLOW:
		sb_z(b, has(h->example, "workers") ? "" : "; workers { min = 1; max = 2; image = \"a:1\" }");
		break;
	case EX_IN_WORKERS:
		sb_z(b, has(h->example, "max") ? "" : "; max = 4");
		sb_z(b, has(h->example, "image") ? "" : "; image = \"a:1\"");
		break;
	case EX_IN_OP:
		sb_z(b, has(h->example, "from") ? "" : "; from = records");
		sb_z(b, "; run = \"\"\"cat\"\"\"");
		break;
	default:
		break;
	}
	for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
		if (frames[i].place == h->place)
			sb_z(b, frames[i].after);
}

static void check_example(const struct help_item *h)
{
	struct arena *a = arena_new();
	struct diag *d = diag_new(a);
	struct front_opts o = { .entry_optional = true };
	struct strbuf b = { 0 }, out = { 0 };
	int status;

	for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
		if (frames[i].place == h->place)
			sb_z(&b, frames[i].before);
	sb_z(&b, h->example);
	rest(&b, h);
	put("main.cw", sb_cstr(&b));
	(void)front(a, strtab_new(a), d, "main.cw", &o, &status);
	diag_write(d, DIAG_TEXT, false, &out);
	ck_assert_msg(!out.n, "example of '%s':\n%s\n%s", h->word, sb_cstr(&b), sb_cstr(&out));
	sb_free(&b);
	sb_free(&out);
	arena_free(a);
}

START_TEST(examples)
{
	struct help_item h;
	uint32_t i = 0, n = 0;

	while (help_next(&i, &h)) {
		ck_assert_msg(h.text && *h.text, "'%s' has no text", h.word);
		ck_assert_msg(h.example, "'%s' has no example", h.word);
		check_example(&h);
		n++;
	}
	ck_assert_uint_gt(n, 150);
}
END_TEST

/* Nothing that the tables have is without help. */
START_TEST(complete)
{
	static const char *const words[] = {
#define X(kind, word) word,
		AST_STMTS(X)
#undef X
	};
	struct strbuf b = { 0 };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		b.n = 0;
		ck_assert_msg(!words[i] || construct_help(words[i], &b), "no help for the statement '%s'", words[i]);
	}
	for (size_t i = 0; i < FN_COUNT; i++) {
		b.n = 0;
		ck_assert_msg(construct_help(expr_fns[i].name, &b), "no help for the function '%s'", expr_fns[i].name);
		ck_assert_ptr_nonnull(strstr(sb_cstr(&b), expr_fns[i].sig));
	}
	for (int k = T_NONE + 1; k < T_NULL; k++) {
		b.n = 0;
		ck_assert_msg(construct_help(type_name((enum type_kind)k), &b), "no help for the type '%s'", type_name((enum type_kind)k));
	}
	sb_free(&b);
}
END_TEST

START_TEST(words)
{
	struct strbuf b = { 0 };

	ck_assert(construct_help("retry", &b));
	ck_assert_ptr_nonnull(strstr(sb_cstr(&b), "max_backoff"));
	ck_assert_ptr_nonnull(strstr(sb_cstr(&b), "attribute of task, step"));
	b.n = 0;
	ck_assert(construct_help("retry.limit", &b));
	ck_assert_ptr_nonnull(strstr(sb_cstr(&b), "Further attempts."));
	b.n = 0;
	ck_assert(construct_help("timeout", &b));
	ck_assert_ptr_nonnull(strstr(sb_cstr(&b), "attribute of workflow"));
	b.n = 0;
	ck_assert(construct_help("step", &b));
	ck_assert_ptr_nonnull(strstr(sb_cstr(&b), "allow_failure"));
	b.n = 0;
	ck_assert(construct_help("for", &b));
	ck_assert_ptr_nonnull(strstr(sb_cstr(&b), "statement"));
	ck_assert_ptr_nonnull(strstr(sb_cstr(&b), "attribute of wait"));
	b.n = 0;
	ck_assert(!construct_help("nosuch", &b));
	ck_assert(!construct_help("retry.nosuch", &b));
	ck_assert(!construct_help("nosuch.limit", &b));
	ck_assert_uint_eq(b.n, 0);
	ck_assert_str_eq(construct_near("timeuot"), "timeout");
	ck_assert_ptr_null(construct_near("zzzzzzzzzz"));
	construct_list(CONSTRUCT_STATEMENT, &b);
	ck_assert_ptr_nonnull(strstr(sb_cstr(&b), "sweep\t"));
	b.n = 0;
	construct_man(&b);
	ck_assert_ptr_nonnull(strstr(sb_cstr(&b), ".B retry.limit\n"));
	/* widths: a terminal of 80 columns shows help without wrapping, examples aside */
	sb_free(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("help");
	TCase *t = tcase_create("help");
	SRunner *r;
	int bad;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, examples);
	tcase_add_test(t, complete);
	tcase_add_test(t, words);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad != 0;
}
