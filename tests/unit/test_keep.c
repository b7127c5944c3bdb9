/* Pass cache: under a budget, by a profile, the results that are not worth their room are not kept. */
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

static const char *file_of(const char *text, const char *suffix)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, "/tmp/couler-test-XXXXXX%s", suffix);
	fd = mkstemps(path, (int)strlen(suffix));
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return arena_dup(arena, path, strlen(path));
}

#define COPY " out o: file; run = \"\"\"cp \"$i\" \"$o\" \"\"\" "
static const char program[] = "workflow w {\n  step src { out o: file; run = \"\"\"date > \"$o\" \"\"\" }\n"
	"  step big { in i = src.o;" COPY "}\n  step small { in i = big.o;" COPY "}\n  step part { in i = src.o;" COPY "}\n"
	"  for k in [1, 2] { step each { in k; in i = small.o;" COPY "} }\n  step off { cache = off; in i = part.o;" COPY "}\n  step new { in i = part.o;" COPY "}\n}\n";
static const char profile[] = "{\"step\":\"big\",\"seconds\":60,\"bytes\":9000000000,\"time\":1}\n{\"step\":\"small\",\"seconds\":600,\"bytes\":1000000,\"time\":1}\n"
	"{\"step\":\"part\",\"seconds\":1,\"bytes\":1000,\"time\":1}\n{\"step\":\"part\",\"seconds\":30,\"bytes\":2000,\"time\":2}\n{\"step\":\"each[0]\",\"seconds\":5,\"bytes\":100,\"time\":1}\n"
	"{\"step\":\"each[1]\",\"seconds\":5,\"bytes\":100,\"time\":1}\n{\"step\":\"gone\",\"seconds\":5,\"bytes\":100,\"time\":1}\n";

/* 0, or -1; *m: the module. */
static int with(const char *budget, const char *lines, struct ir **m)
{
	const char *path = file_of(program, ".cw"), *prof = lines ? file_of(lines, ".json") : "/nonexistent/profile";
	const struct pass *p = pass_find("cache");
	struct optset *o = optset_new(arena);
	struct front_opts fo = { 0 };
	struct target t = { NULL, o };
	struct pass_run how = { .list = "cache", .level = 1, .verify = true };
	int status = 0, rc;

	diag = diag_new(arena);
	*m = front(arena, strs, diag, path, &fo, &status);
	ck_assert_ptr_nonnull(*m);
	ck_assert(!budget || !optset_set(o, "cache", p->opts, "budget", budget, diag));
	ck_assert_int_eq(optset_set(o, "cache", p->opts, "profile", prof, diag), 0);
	rc = passes_run(*m, &t, o, &how, diag);
	unlink(path);
	if (lines)
		unlink(prof);
	return rc;
}

static void note(struct node *n, void *data)
{
	if (n->kind != N_STEP || n->attrs->cache.mode == CACHE_OFF)
		return;
	strcat(data, n->name->s);
	strcat(data, " ");
}

static const char *kept(struct ir *m)
{
	static char out[256];

	out[0] = '\0';
	workflow_nodes(m->entry, note, out);
	return out;
}

START_TEST(by_budget)
{
	struct ir *m;

	ck_assert_int_eq(with("1GB", profile, &m), 0);
	ck_assert_str_eq(kept(m), "src small part each new ");               /* of new nothing is known: it stays */
	ck_assert_int_eq(with("20GB", profile, &m), 0);
	ck_assert_str_eq(kept(m), "src big small part each new ");
	ck_assert_int_eq(with("0", profile, &m), 0);
	ck_assert_str_eq(kept(m), "src new ");
	ck_assert_int_eq(with(NULL, profile, &m), 0);
	ck_assert_str_eq(kept(m), "src big small part each new ");
}
END_TEST

START_TEST(bad_input)
{
	struct ir *m;
	static const char *const bad[] = { "{\n", "[]\n", "{\"step\":\"a\"}\n", "{\"step\":\"a\",\"seconds\":-1,\"bytes\":2}\n", "{\"step\":\"a\",\"seconds\":\"1\",\"bytes\":2}\n" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ck_assert_int_eq(with("1GB", bad[i], &m), -1);
		ck_assert_int_eq(diag->last->code, CW1221);
	}
	ck_assert_int_eq(with("1GB", NULL, &m), -1);
	ck_assert_int_eq(diag->last->code, CW1221);
	ck_assert_int_eq(with("-5", profile, &m), -1);
	ck_assert_int_eq(diag->last->code, CW1204);
	ck_assert_int_eq(with("1GB", "", &m), 0);
	ck_assert_str_eq(kept(m), "src big small part each new ");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("keep");
	TCase *tc = tcase_create("keep");
	SRunner *r;
	int bad;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, by_budget);
	tcase_add_test(tc, bad_input);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad != 0;
}
