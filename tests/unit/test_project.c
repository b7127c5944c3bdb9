/* couler.yaml: values in their order, and errors at their place. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "couler/project.h"

static const char *const names[] = { "color", "jobs", "set", "param", "remarks" };

/* text -> "option=value option ..." or, after '!', what the diagnostics must hold */
static const struct { const char *text, *want; } cases[] = {
	{ "", "" },
	{ "# nothing\n", "" },
	{ "---\n", "" },
	{ "color: never\njobs: 4\n", "color=never jobs=4" },
	{ "{color: never, jobs: 4}", "color=never jobs=4" },
	{ "remarks: true\n", "remarks" },
	{ "remarks: false\ncolor: auto\n", "color=auto" },
	{ "color: \"true\"\n", "color=true" },
	{ "set: [argo.limits=off, a.b=c]\n", "set=argo.limits=off set=a.b=c" },
	{ "set:\n  - x\n", "set=x" },
	{ "param: { region: eu, n: 3 }\n", "param=region=eu param=n=3" },
	{ "param: { s: \"a b\" }\njobs: &n 4\ncolor: *n\n", "param=s=a b jobs=4 color=4" },
	{ "\xef\xbb\xbf" "color: never\n", "color=never" },
	{ "color = never\n", "!CW0620|OPTION: VALUE|couler.yaml:1:1" },
	{ "- a\n", "!CW0620" },
	{ "color: never\ncolor: auto\n", "!given twice|couler.yaml:2:1|given here already" },
	{ "color:\n", "!'color' has no value" },
	{ "color: ~\n", "!has no value" },
	{ "color: [[a]]\n", "!CW0620|couler.yaml:1:9" },
	{ "param: { a: { b: c } }\n", "!CW0620" },
	{ "\xc3\xa4: x\n\tcolor: [a\n", "!CW0620" },
	{ "color: [a\njobs: 4\n", "!CW0620|couler.yaml:2:" },
	{ "--jobs: 4\n", "!without dashes|write jobs" },
	{ "colour: never\n", "!CW0621|did you mean 'color'|couler.yaml:1:1" },
	{ "\xc3\xa4\xc3\xb6: 1\nzzz: [1, 2]\n", "!CW0621|couler.yaml:2:1" },
	{ "a: \"\\0\"\n", "!NUL" },
};

static char dir[64];

static void setup(void)
{
	strcpy(dir, "/tmp/couler-project-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
}

static void teardown(void)
{
	(void)unlink("couler.yaml");
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rmdir(dir), 0);
}

static void holds_all(const char *text, const char *want, const char *got)
{
	while (*want) {
		char part[100];
		size_t n = strcspn(want, "|");

		snprintf(part, sizeof part, "%.*s", (int)n, want);
		ck_assert_msg(strstr(got, part), "%s\nshould say '%s', but:\n%s", text, part, got);
		want += n + (want[n] == '|');
	}
}

START_TEST(reading)
{
	struct arena *a = arena_new();
	struct diag *d = diag_new(a);
	struct project p;
	struct strbuf b = { 0 };
	FILE *f = fopen("couler.yaml", "w");
	int rc;

	ck_assert(f && fputs(cases[_i].text, f) >= 0 && !fclose(f));
	rc = project_read(a, d, ".", &p);
	if (!rc)
		rc = project_check(&p, d, names, sizeof names / sizeof *names);
	if (cases[_i].want[0] == '!') {
		ck_assert_msg(rc == -1 && d->errors, "%s", cases[_i].text);
		diag_write(d, DIAG_TEXT, false, &b);
		holds_all(cases[_i].text, cases[_i].want + 1, sb_cstr(&b));
	} else {
		diag_write(d, DIAG_TEXT, false, &b);
		ck_assert_msg(rc == 0 && !b.n, "%s\n%s", cases[_i].text, sb_cstr(&b));
		for (uint32_t i = 0; i < p.values.n; i++)
			sb_f(&b, "%s%s%s%s", i ? " " : "", p.values.v[i].option, p.values.v[i].value ? "=" : "", p.values.v[i].value ? p.values.v[i].value : "");
		ck_assert_str_eq(sb_cstr(&b), cases[_i].want);
	}
	sb_free(&b);
	arena_free(a);
}
END_TEST

START_TEST(none)
{
	struct arena *a = arena_new();
	struct diag *d = diag_new(a);
	struct project p;

	ck_assert_int_eq(project_read(a, d, dir, &p), 0);
	ck_assert(!p.path && !p.values.n && !d->errors);
	arena_free(a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("project");
	TCase *t = tcase_create("project");
	SRunner *r;
	int bad;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, reading, 0, sizeof cases / sizeof *cases);
	tcase_add_test(t, none);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad != 0;
}
