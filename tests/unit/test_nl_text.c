/* The draft in a reply, schedules in the languages that the rules claim, what the lake finds. */
#include <check.h>
#include <string.h>

#include "couler/nl.h"
#include "nl/lake.h"
#include "nl/plan.h"

static const struct { const char *reply, *draft; } replies[] = {
	{ "```cw\na\n```", "a\n" }, { "text\n```\na\n```\n", "a\n" }, { "```cw\r\na\r\n```", "a\n" }, { "<think>```cw\nb\n```</think>```cw\na\n```", "a\n" },
	{ "\xef\xbb\xbf```cw\na\n```", "a\n" }, { "````cw\n```\n````", "```\n" }, { "```sh\nls\n```\n```cw\na\n```", "a\n" }, { "workflow w { }", "workflow w { }" },
	{ "", NULL }, { "no", NULL }, { "```cw\na", NULL }, { "```cw\na\n```\n```cw\nb\n```", NULL }, { "<think>x", NULL }, { "\xff", NULL }, { "```\na\n```\n```\nb\n```", NULL },
};

START_TEST(extracts)
{
	struct strbuf b = { 0 };
	const char *why = NULL;
	int rc = nl_extract(replies[_i].reply, strlen(replies[_i].reply), &b, &why);

	ck_assert_int_eq(rc, replies[_i].draft ? 0 : -1);
	if (replies[_i].draft)
		ck_assert_str_eq(sb_cstr(&b), replies[_i].draft);
	else
		ck_assert_ptr_nonnull(why);
	sb_free(&b);
}
END_TEST

static const struct { const char *text, *cron; } schedules[] = {
	{ "every night at 2: load data", "0 2 * * *" }, { "load data hourly at :10", "10 * * * *" }, { "every Friday 15:00 load data", "0 15 * * 5" },
	{ "jeden Montag um 6 Uhr die Daten laden", "0 6 * * 1" }, { "tous les jours a 18h30 charger les donnees", "30 18 * * *" }, { "todos los lunes a las 8:15 cargar los datos", "15 8 * * 1" },
	{ "todo dia util as 18h30 baixar os dados", "30 18 * * 1-5" },
};

START_TEST(schedules_are_read)
{
	struct arena *a = arena_new();
	struct plan *p = plan_make(a, schedules[_i].text, strlen(schedules[_i].text));

	ck_assert_msg(p->facts.schedule.n == 1 && !strcmp(p->facts.schedule.cron[0], schedules[_i].cron), "%s: %s", schedules[_i].text, p->facts.schedule.n ? p->facts.schedule.cron[0] : "none");
	plan_free(p);
	arena_free(a);
}
END_TEST

START_TEST(lake_finds)
{
	static const struct { const char *text, *name; } rows[] = { { "train xgboost", "train_xgboost" }, { "sftp", "load_sftp" }, { "notify slack", "notify_slack" } };
	struct arena *a = arena_new();
	struct lake *l = lake_new(a, strtab_new(a));
	struct lake_hit hits[8];

	for (size_t i = 0; i < 3; i++) {
		uint32_t n = lake_search(l, rows[i].text, strlen(rows[i].text), NULL, hits, 8);

		ck_assert_uint_ge(n, 1);
		ck_assert_str_eq(hits[0].s->name, rows[i].name);
		for (uint32_t k = 1; k < n; k++)
			ck_assert(hits[k - 1].score >= hits[k].score && hits[k].score > 0);
	}
	ck_assert_uint_eq(lake_search(l, "zzzz qqqq", 9, NULL, hits, 8), 0);
	arena_free(a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("nl_text");
	TCase *t = tcase_create("nl_text");
	SRunner *r;
	int bad;

	tcase_add_loop_test(t, extracts, 0, (int)(sizeof replies / sizeof *replies));
	tcase_add_loop_test(t, schedules_are_read, 0, (int)(sizeof schedules / sizeof *schedules));
	tcase_add_test(t, lake_finds);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad != 0;
}
