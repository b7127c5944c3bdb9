/* Pass cse: which steps become one, which do not, and why. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "couler/front.h"
#include "couler/pass.h"

static struct arena *arena;
static struct diag *diag;
static struct strtab *strs;

static void setup(void)
{
	arena = arena_new();
	strs = strtab_new(arena);
	diag = diag_new(arena);
	diag->remarks = true;
}

static void teardown(void)
{
	arena_free(arena);
}

static struct ir *cse(const char *text)
{
	char path[] = "/tmp/couler-test-XXXXXX.cw";
	int fd = mkstemps(path, 3), status = 0;
	struct front_opts o = { 0 };
	struct target t = { NULL, NULL };
	struct pass_run how = { .list = "cse", .level = 1, .verify = true };
	struct ir *m;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	m = front(arena, strs, diag, path, &o, &status);
	unlink(path);
	for (const struct diag_item *i = m ? NULL : diag->first; i; i = i->next)
		fprintf(stderr, "CW%04d %s\n", i->code, i->msg);
	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(passes_run(m, &t, NULL, &how, diag), 0);
	return m;
}

struct names { char out[512]; };

static void add_name(struct node *n, void *data)
{
	struct names *k = data;

	if (n->kind != N_STEP)
		return;
	strcat(k->out, n->name->s);
	strcat(k->out, " ");
}

/* The steps that are left, by name. */
static const char *left(struct ir *m)
{
	static struct names k;

	k.out[0] = '\0';
	workflow_nodes(m->entry, add_name, &k);
	return k.out;
}

static bool said(const char *text)
{
	for (const struct diag_item *i = diag->first; i; i = i->next)
		if (i->sev == SEV_REMARK && strstr(i->msg, text))
			return true;
	return false;
}

#define ONE " out v: int; run = \"\"\"echo 1 > \"$v\" \"\"\" "

START_TEST(chains_and_order)
{
	struct ir *m = cse("workflow w {\n  defaults { cache = on }\n"
		"  step f { in x = d.v;" ONE "}\n  step d { in x = b.v;" ONE "}\n  step b {" ONE "}\n"
		"  step a {" ONE "}\n  step c { in x = a.v;" ONE "}\n  step e { in x = c.v;" ONE "}\n"
		"  step last { in x = e.v; after = [e, f]; cache = off; run = \"\"\"echo $x\"\"\" }\n  out o = c.v\n}\n");
	struct graph *g = m->entry->body;

	ck_assert_str_eq(left(m), "f d b last ");
	ck_assert_uint_eq(g->merged.n, 3);
	for (uint32_t i = 0; i < 3; i++)
		ck_assert_uint_eq(g->merged.v[i].into->name->s[0], (unsigned char)"bdf"[i]);
	ck_assert_ptr_eq(g->nodes.v[3]->ins[0]->u.node, g->nodes.v[0]);
	ck_assert_uint_eq(g->nodes.v[3]->nafter, 1);
	ck_assert_ptr_eq(m->entry->outs[0].value->u.node, g->nodes.v[1]);
	ck_assert(said("'a' does what 'b' does") && said("3 steps fewer"));
}
END_TEST

START_TEST(never_effects_or_sources)
{
	struct ir *m = cse("workflow w {\n"
		"  step s { out f: file; run = \"\"\"date > \"$f\" \"\"\" }\n  step t { out f: file; run = \"\"\"date > \"$f\" \"\"\" }\n"
		"  step n1 { cache = off; in f = s.f;" ONE "}\n  step n2 { cache = off; in f = s.f;" ONE "}\n"
		"  step e1 { in f = s.f; run = \"\"\"mail <\"$f\" \"\"\" }\n  step e2 { in f = s.f; run = \"\"\"mail <\"$f\" \"\"\" }\n"
		"  step p1 { in f = s.f;" ONE "}\n  step p2 { in f = s.f;" ONE "}\n  step p3 { in f = t.f;" ONE "}\n}\n");

	ck_assert_str_eq(left(m), "s t n1 n2 e1 e2 p1 p3 ");
}
END_TEST

START_TEST(what_makes_a_difference)
{
	struct ir *m = cse("workflow w {\n  param q: int = 1\n  defaults { cache = on }\n"
		"  step a { in x = 1;" ONE "}\n  step b { in x = 2;" ONE "}\n  step c { in y = 1;" ONE "}\n"
		"  step d { in x = 1; out v: float; run = \"\"\"echo 1 > \"$v\" \"\"\" }\n  step e { in x = 1; out v: int; run = \"\"\"echo 2 > \"$v\" \"\"\" }\n"
		"  step f { in x = 1; cache { mode = on; version = \"2\" };" ONE "}\n  step g { in x = 1; env { K = \"1\" };" ONE "}\n"
		"  step h { in x = 1; image = \"other\";" ONE "}\n  step i { in x: float = 1;" ONE "}\n  step j { in x = q;" ONE "}\n"
		"  step k { in x = 1; shell = bash;" ONE "}\n  step l { in x = 1; labels { t = \"1\" };" ONE "}\n}\n");

	ck_assert_str_eq(left(m), "a b c d e f g h i j k ");                  /* only l is a again: labels are no part of it */
}
END_TEST

START_TEST(says_why_not)
{
	struct ir *m = cse("workflow w {\n  defaults { cache = on }\n  step z { cache = off;" ONE "}\n"
		"  step a {" ONE "}\n  step r { retry = 3;" ONE "}\n  step o { after = [z];" ONE "}\n  step f { allow_failure = true;" ONE "}\n"
		"  step q { out v: file; run = \"\"\"echo 1 > \"$v\" \"\"\" }\n  step p { out v: file to \"v.txt\"; run = \"\"\"echo 1 > \"$v\" \"\"\" }\n  step p2 { after = [z];" ONE "}\n}\n");

	ck_assert_str_eq(left(m), "z a r o f q p ");
	ck_assert(said("'r' does what 'a' does, but both run: their attributes"));
	ck_assert(said("'o' does what 'a' does, but both run: they do not wait"));
	ck_assert(said("'f' does what 'a' does, but both run: only one of them has allow_failure"));
	ck_assert(said("'p' does what 'q' does, but both run: it publishes an output"));
}
END_TEST

START_TEST(regions)
{
	struct ir *m = cse("workflow w {\n  defaults { cache = on }\n  step a {" ONE "}\n"
		"  if a.v > 0 { step b {" ONE "}; step c { in x = b.v; in k = 1;" ONE "} }\n"
		"  if a.v > 1 { step d {" ONE "}; step e { in k = 2;" ONE "} }\n"
		"  if a.v > 2 { step g {" ONE "}; step h { in x = g.v; in k = 3;" ONE "} }\n"
		"  for i in [1, 2] { step k { in i;" ONE "}; step l { in i;" ONE "}; step m { in x = l.v;" ONE "} }\n"
		"  out o = g.v ?? 0\n  out p = k.v\n}\n");

	ck_assert_str_eq(left(m), "a c d e g h k m ");                        /* d beside e, g is gathered */
	ck_assert_uint_eq(m->entry->body->nodes.v[1]->u.if_.v[0].body->merged.n, 1);
	ck_assert(said("'d' does what 'a' does, but both run: it stands in a region"));
}
END_TEST

START_TEST(names_of_failed_steps)
{
	struct ir *m = cse("workflow w {\n  defaults { cache = on }\n  step a {" ONE "}\n  step b {" ONE "}\n"
		"  on failure { step tell { in names = join(workflow.failed_steps, \",\"); run = \"\"\"echo \"$names\" \"\"\" } }\n}\n");

	ck_assert_str_eq(left(m), "a b tell ");
	ck_assert(said("workflow.failed_steps is read"));
}
END_TEST

START_TEST(many_equal_steps)
{
	struct strbuf b = { 0 };
	struct ir *m;

	sb_z(&b, "workflow w {\n  defaults { cache = on }\n");
	for (int i = 0; i < 20000; i++)
		sb_f(&b, "  step s%d { in x = %d; out v: int; run = \"\"\"echo 1 > \"$v\" \"\"\" }\n", i, i / 2);
	sb_z(&b, "}\n");
	m = cse(sb_cstr(&b));
	sb_free(&b);
	ck_assert_uint_eq(m->entry->body->nodes.n, 10000);
	ck_assert_uint_eq(m->entry->body->merged.n, 10000);
}
END_TEST

/* Steps that do the same, of as many timeouts as there are pairs of them, each pair after another step. */
START_TEST(many_attributes)
{
	struct strbuf b = { 0 };
	struct ir *m;

	sb_z(&b, "workflow w {\n  defaults { cache = on }\n  step p { cache = off; run = \"\"\"true\"\"\" }\n  step q { cache = off; run = \"\"\"true\"\"\" }\n");
	for (int i = 0; i < 8000; i++)
		sb_f(&b, "  step s%d { timeout = %ds; after = [%s]; in x = 1; out v: int; run = \"\"\"echo 1 > \"$v\" \"\"\" }\n", i, i / 4 + 1, i % 4 < 2 ? "p, q" : i % 4 == 2 ? "p" : "q, p");
	sb_z(&b, "}\n");
	m = cse(sb_cstr(&b));
	sb_free(&b);
	ck_assert_uint_eq(m->entry->body->nodes.n, 2 + 4000);
	ck_assert_uint_eq(m->entry->body->merged.n, 4000);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cse");
	TCase *tc = tcase_create("cse");
	SRunner *r;
	int bad;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, chains_and_order);
	tcase_add_test(tc, never_effects_or_sources);
	tcase_add_test(tc, what_makes_a_difference);
	tcase_add_test(tc, says_why_not);
	tcase_add_test(tc, regions);
	tcase_add_test(tc, names_of_failed_steps);
	tcase_add_test(tc, many_equal_steps);
	tcase_add_test(tc, many_attributes);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad != 0;
}
