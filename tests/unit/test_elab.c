/*
 * Names, types and lowering, by programs: tests/unit/elab/NAME.txt holds cases
 *
 *	=== what it shows
 *	-- CW0203:3 word | some words      a diagnostic at line 3 whose text holds these, or
 *	-- ok                              none at all, and then any of
 *	-- in STEP.NAME TYPE EXPR          an input as the IR has it
 *	-- port NODE.NAME TYPE             a port (of the node's own name: "if@3.s.v")
 *	-- out NAME TYPE EXPR              an output of the entry
 *	-- param NAME TYPE EXPR            a param of the entry and its default
 *	-- workflows a b c                 those of the module, in order
 *	the program, up to the next ===
 *
 * All diagnostics are listed, in the order of their places: none more, none less.
 */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "couler/front.h"

struct run {
	const char *title;                /* of the case, with its file */
	char dir[64];
	struct arena *a;
	struct diag *d;
	struct ir *m;
	struct strbuf bad;                /* what did not hold */
};

static void complain(struct run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void complain(struct run *r, const char *fmt, ...)
{
	va_list ap;

	sb_f(&r->bad, "%s: ", r->title);
	va_start(ap, fmt);
	sb_vf(&r->bad, fmt, ap);
	va_end(ap);
	sb_ch(&r->bad, '\n');
}

static void whole_text(const struct diag_item *it, struct strbuf *b)
{
	sb_f(b, "%s | %s | %s", it->msg ? it->msg : "", it->label ? it->label : "", it->mend ? it->mend : "");
	for (const struct diag_item *n = it->notes; n; n = n->next)
		sb_f(b, " | %s", n->msg);
}

/* "CW0203:3 word | words": the diagnostic it. */
static void check_diag(struct run *r, const char *want, const struct diag_item *it)
{
	struct strbuf text = { 0 };
	char got[32], word[256];
	const char *p = want + strcspn(want, " ");

	whole_text(it, &text);
	snprintf(got, sizeof got, "CW%04d:%u", it->code, it->span.file ? diag_place(r->d, it->span).line : 0);
	if (strncmp(got, want, (size_t)(p - want)) || strlen(got) != (size_t)(p - want))
		complain(r, "wanted %s, got %s %s", want, got, sb_cstr(&text));
	while (*p) {
		size_t n;

		p += strspn(p, " |");
		n = strcspn(p, "|");
		while (n && p[n - 1] == ' ')
			n--;
		snprintf(word, sizeof word, "%.*s", (int)n, p);
		if (!strstr(sb_cstr(&text), word))
			complain(r, "'%s' is not in: %s", word, sb_cstr(&text));
		p += n;
		p += strspn(p, " ");
	}
	sb_free(&text);
}

struct find { const char *name; struct node *node; };

static void find_node(struct node *n, void *data)
{
	struct find *f = data;

	if (str_eq(n->name, f->name) && (!f->node || n->kind != N_STEP || f->node->kind != N_SWEEP))
		f->node = f->node ? f->node : n;
}

static struct node *node_named(struct run *r, const char *name)
{
	struct find f = { name, NULL };

	for (uint32_t i = r->m->workflows.n; i-- && !f.node;)
		workflow_nodes(r->m->workflows.v[i], find_node, &f);
	return f.node;
}

static void same(struct run *r, const char *want, struct type t, const struct expr *x)
{
	struct strbuf b = { 0 };

	type_str(&b, t);
	if (x) {
		sb_ch(&b, ' ');
		expr_write(&b, x);
	}
	if (strcmp(sb_cstr(&b), want))
		complain(r, "wanted %s, got %s", want, sb_cstr(&b));
	sb_free(&b);
}

static void check_in(struct run *r, struct node *n, const char *name, const char *want)
{
	uint32_t count = n->kind == N_STEP ? n->u.task->nins : n->kind == N_CALL ? n->u.callee->nparams : 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct str *s = n->kind == N_STEP ? n->u.task->ins[i].name : n->u.callee->params[i].name;

		if (str_eq(s, name)) {
			same(r, want, n->kind == N_STEP ? n->u.task->ins[i].type : n->u.callee->params[i].type, n->ins[i]);
			return;
		}
	}
	complain(r, "no input %s", name);
}

/* "in STEP.NAME TYPE EXPR" and the like. */
static void check_fact(struct run *r, const char *line)
{
	char kind[16], path[128], *dot;
	const char *want;
	struct node *n;
	int used = 0;

	if (sscanf(line, "%15s %127s%n", kind, path, &used) != 2) {
		complain(r, "not understood: %s", line);
		return;
	}
	want = line + used + strspn(line + used, " ");
	if (!strcmp(kind, "workflows")) {
		struct strbuf b = { 0 };

		for (uint32_t i = 0; i < r->m->workflows.n; i++)
			sb_f(&b, "%s%s", i ? " " : "", r->m->workflows.v[i]->name->s);
		if (strcmp(sb_cstr(&b), line + strlen("workflows ")))
			complain(r, "%s, got %s", line, sb_cstr(&b));
		sb_free(&b);
		return;
	}
	if (!strcmp(kind, "out") || !strcmp(kind, "param")) {
		const struct ir_workflow *w = r->m->entry ? r->m->entry : r->m->workflows.v[r->m->workflows.n - 1];

		for (uint32_t i = 0; *kind == 'o' && i < w->nouts; i++)
			if (str_eq(w->outs[i].name, path)) {
				same(r, want, w->outs[i].type, w->outs[i].value);
				return;
			}
		for (uint32_t i = 0; *kind == 'p' && i < w->nparams; i++)
			if (str_eq(w->params[i].name, path)) {
				same(r, want, w->params[i].type, w->params[i].dflt);
				return;
			}
		complain(r, "nothing like that: %s", line);
		return;
	}
	dot = strchr(path, '.');
	*dot = '\0';
	n = node_named(r, path);
	if (!n) {
		complain(r, "no node %s", path);
		return;
	}
	if (!strcmp(kind, "in")) {
		check_in(r, n, dot + 1, want);
		return;
	}
	for (uint32_t i = 0; i < n->nports; i++)
		if (str_eq(n->ports[i].name, dot + 1)) {
			same(r, want, n->ports[i].type, NULL);
			return;
		}
	complain(r, "no port %s of %s", dot + 1, path);
}

/* Files that programs name; each case runs in a folder of its own. */
static void lay_out(struct run *r)
{
	static const char *const files[][2] = {
		{ "train.py", "print(1)\n" }, { "lib.cw", "store far { uri = \"s3://far\" }\ntask noop { run = \"\"\"true\"\"\" }\ntask count { in f: file = \"data/d.txt\"; out n: int; run = \"\"\"wc -l < \"$f\" > \"$n\" \"\"\" }\n"
			"workflow inner { param n: int = 1; step s { in n; out v: int = stdout; run = \"\"\"echo \"$n\" \"\"\" }; out v = s.v }\n" },
		{ "sub/deep.cw", "task t { in f: file = \"x.csv\"; out v: int; run = \"\"\"wc -l < \"$f\" > \"$v\" \"\"\" }\n" }
	};
	char path[128];

	strcpy(r->dir, "/tmp/couler-elab-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(r->dir));
	snprintf(path, sizeof path, "%s/sub", r->dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		FILE *f;

		snprintf(path, sizeof path, "%s/%s", r->dir, files[i][0]);
		f = fopen(path, "w");
		ck_assert_ptr_nonnull(f);
		fputs(files[i][1], f);
		ck_assert_int_eq(fclose(f), 0);
	}
}

static void clear(struct run *r)
{
	static const char *const names[] = { "train.py", "lib.cw", "sub/deep.cw", "t.cw", "sub", "" };
	char path[128];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", r->dir, names[i]);
		if (i < 4)
			ck_assert_int_eq(unlink(path), 0);
		else
			ck_assert_int_eq(rmdir(path), 0);
	}
}

static void elaborate(struct run *r, const char *text, size_t n)
{
	struct front_opts o = { .entry_optional = true };
	char path[128];
	int status;
	FILE *f;

	lay_out(r);
	snprintf(path, sizeof path, "%s/t.cw", r->dir);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text, 1, n, f), n);
	ck_assert_int_eq(fclose(f), 0);
	r->a = arena_new();
	r->d = diag_new(r->a);
	r->m = front(r->a, strtab_new(r->a), r->d, path, &o, &status);
	clear(r);
	if ((r->m == NULL) != (r->d->errors > 0) || (status == 0) != (r->d->errors == 0))
		complain(r, "%u errors, status %d, module %s", r->d->errors, status, r->m ? "made" : "not made");
}

/* One case: its lines with "-- " in front, then the program. */
static void run_case(struct run *r, const char *text, size_t n)
{
	const char *p = text, *end = text + n;
	const struct diag_item *it;
	char line[512];

	while (end - p > 3 && !strncmp(p, "-- ", 3) && (p = memchr(p, '\n', (size_t)(end - p))))
		p++;
	elaborate(r, p, (size_t)(end - p));
	it = r->d->first;
	for (const char *w = text; w < p;) {
		size_t len = strcspn(w, "\n");

		snprintf(line, sizeof line, "%.*s", (int)len - 3, w + 3);
		w += len + 1;
		if (!strncmp(line, "CW", 2)) {
			if (it)
				check_diag(r, line, it);
			else
				complain(r, "wanted %s, got nothing", line);
			it = it ? it->next : NULL;
		} else if (strcmp(line, "ok") && r->m) {
			check_fact(r, line);
		}
	}
	for (; it; it = it->next) {
		struct strbuf b = { 0 };

		whole_text(it, &b);
		complain(r, "not wanted: CW%04d:%u %s", it->code, it->span.file ? diag_place(r->d, it->span).line : 0, sb_cstr(&b));
		sb_free(&b);
	}
	arena_free(r->a);
}

static unsigned run_file(const char *folder, const char *name, struct strbuf *bad)
{
	struct arena *a = arena_new();
	char path[512], title[512];
	const char *text, *p, *next;
	unsigned cases = 0;
	size_t n;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	text = read_file(a, path, &n);
	ck_assert_ptr_nonnull(text);
	for (p = strstr(text, "=== "); p; p = next) {
		struct run r = { .title = title };
		const char *body = strchr(p, '\n') + 1;

		next = strstr(body, "\n=== ");
		snprintf(title, sizeof title, "%.60s: %.*s", name, (int)strcspn(p + 4, "\n"), p + 4);
		run_case(&r, body, next ? (size_t)(next + 1 - body) : strlen(body));
		next = next ? next + 1 : NULL;
		if (r.bad.n)
			sb_add(bad, r.bad.s, r.bad.n);
		sb_free(&r.bad);
		cases++;
	}
	arena_free(a);
	return cases;
}

/* The folder beside this file's source, whatever the working directory. */
static const char *folder(char *buf, size_t n)
{
	const char *slash = strrchr(__FILE__, '/');

	snprintf(buf, n, "%.*s/elab", slash ? (int)(slash - __FILE__) : 1, slash ? __FILE__ : ".");
	return buf;
}

START_TEST(programs)
{
	struct strbuf bad = { 0 };
	char path[256];
	DIR *d = opendir(folder(path, sizeof path));
	unsigned files = 0;

	ck_assert_msg(d != NULL, "no folder %s", path);
	for (struct dirent *e; (e = readdir(d));) {
		if (!strstr(e->d_name, ".txt") || (getenv("CASES") && strcmp(getenv("CASES"), e->d_name)))
			continue;
		ck_assert_uint_gt(run_file(path, e->d_name, &bad), 0);
		files++;
	}
	closedir(d);
	ck_assert_uint_gt(files, 0);
	ck_assert_msg(bad.n == 0, "\n%s", sb_cstr(&bad));
	sb_free(&bad);
}
END_TEST

/* text by the rule of entries: workflow asked for (NULL: none), optional; status, code of the only error (0: none), entry. */
static const struct { const char *text, *workflow; bool optional; int status, code; const char *entry, *words; } entries[] = {
	{ "workflow a { }", NULL, false, 0, 0, "a", NULL },
	{ "workflow a { }\nworkflow b { step s = a() }", NULL, false, 0, 0, "b", NULL },
	{ "workflow a { }\nworkflow b { step s = a() }", "a", false, 0, 0, "a", NULL },
	{ "workflow a { }\nworkflow b { }", "b", false, 0, 0, "b", NULL },
	{ "workflow a { }\nworkflow b { }", NULL, false, 2, 222, NULL, "a, b" },
	{ "workflow a { }\nworkflow b { }", NULL, true, 0, 0, NULL, NULL },
	{ "workflow a { }\nworkflow b { }", "c", false, 2, 221, NULL, "it has: a, b" },
	{ "workflow nightly { }", "nihgtly", true, 2, 221, NULL, "did you mean 'nightly'?" },
	{ "task t { run = \"\"\"true\"\"\" }", NULL, false, 1, 223, NULL, "no workflow to start" },
	{ "task t { run = \"\"\"true\"\"\" }", NULL, true, 0, 0, NULL, NULL },
	{ "", NULL, true, 0, 0, NULL, NULL },
	{ "workflow a { step s { in x = nope; run = \"\"\"true\"\"\" } }", NULL, false, 1, 201, NULL, NULL },
	{ "workflow a { step s { in x = nope; run = \"\"\"true\"\"\" } }\nworkflow b { }", "b", false, 1, 201, NULL, NULL },
	{ "import \"lib.cw\" as lib\nworkflow a { step s = lib.inner() }", NULL, false, 0, 0, "a", NULL },
	{ "import \"lib.cw\" as lib\nworkflow a { step s = lib.inner() }", "inner", false, 2, 221, NULL, NULL },
	{ "import \"lib.cw\" as lib\nworkflow inner { step s = lib.inner() }", NULL, false, 0, 0, "inner", NULL },
};

START_TEST(entry)
{
	struct front_opts o = { .workflow = entries[_i].workflow, .entry_optional = entries[_i].optional };
	const char *text = entries[_i].text, *want = entries[_i].entry;
	struct strbuf words = { 0 };
	struct run r = { 0 };
	char path[128];
	int status;
	FILE *f;

	lay_out(&r);
	snprintf(path, sizeof path, "%s/t.cw", r.dir);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
	r.a = arena_new();
	r.d = diag_new(r.a);
	r.m = front(r.a, strtab_new(r.a), r.d, path, &o, &status);
	clear(&r);
	ck_assert_int_eq(status, entries[_i].status);
	ck_assert_int_eq(r.d->first ? r.d->first->code : 0, entries[_i].code);
	ck_assert_uint_eq(r.d->errors, entries[_i].code != 0);
	if (entries[_i].words) {
		whole_text(r.d->first, &words);
		ck_assert_msg(strstr(sb_cstr(&words), entries[_i].words) != NULL, "%s", sb_cstr(&words));
		sb_free(&words);
	}
	ck_assert_int_eq(r.m == NULL, entries[_i].code != 0);
	if (r.m && want) {
		ck_assert(str_eq(r.m->entry->name, want));
		ck_assert_ptr_eq(r.m->workflows.v[r.m->workflows.n - 1], r.m->entry);
	} else if (r.m) {
		ck_assert_ptr_null(r.m->entry);
	}
	arena_free(r.a);
}
END_TEST

START_TEST(no_file)
{
	struct arena *a = arena_new();
	struct diag *d = diag_new(a);
	struct front_opts o = { 0 };
	int status;

	ck_assert_ptr_null(front(a, strtab_new(a), d, "/nonexistent/x.cw", &o, &status));
	ck_assert_int_eq(status, 3);
	ck_assert_uint_eq(d->errors, 1);
	arena_free(a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("elab");
	TCase *t = tcase_create("programs");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 120);
	tcase_add_test(t, programs);
	tcase_add_loop_test(t, entry, 0, sizeof entries / sizeof *entries);
	tcase_add_test(t, no_file);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
