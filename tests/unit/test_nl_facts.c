/* What the rules read from a description: numbers with units, thresholds, images, counts, limits, schedules of recurrence. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "couler/nl.h"
#include "nl/plan.h"

static struct plan *plan_of(struct arena *a, const char *text)
{
	return plan_make(a, text, strlen(text));
}

/* type, number; str and str2 where not NULL; the first fact of that type counts */
static const struct { const char *text; enum fact_type type; double num; const char *str, *str2; } facts[] = {
	{ "train the model on 4 gpus", F_GPU, 4, NULL, NULL }, { "train on two A100s", F_GPU, 2, "nvidia-a100", NULL }, { "train it, gpu for training", F_GPU, 1, NULL, NULL },
	{ "entrena con una gpu", F_GPU, 1, NULL, NULL }, { "score it with 8 CPUs", F_CPU, 8, NULL, NULL }, { "filtering needs 16 cores", F_CPU, 16, NULL, NULL }, { "load data, 2.5 cpu", F_CPU, 2.5, NULL, NULL },
	{ "train with 32 GB of memory", F_MEMORY, 0, "32GB", NULL }, { "train with 64Gi memory", F_MEMORY, 0, "64Gi", NULL }, { "sort it with 100GB of local disk", F_DISK, 0, "100GB", NULL },
	{ "load data, retry 3", F_RETRY, 3, NULL, NULL }, { "load data and retry twice", F_RETRY, 2, NULL, NULL }, { "load data, 3 attempts", F_RETRY, 2, NULL, NULL }, { "Daten laden, 4 Wiederholungen", F_RETRY, 4, NULL, NULL },
	{ "load data, timeout 90 minutes", F_TIMEOUT, 5400, NULL, NULL }, { "score it, must not take longer than 2 hours", F_TIMEOUT, 7200, NULL, NULL },
	{ "compute the risk. If computing takes longer than 45 minutes kill it.", F_TIMEOUT, 2700, NULL, NULL },
	{ "score all files, at most 5 in parallel", F_PARALLEL, 5, NULL, NULL }, { "resize them, no more than 4 at a time", F_PARALLEL, 4, NULL, NULL }, { "score them one by one", F_PARALLEL, 1, NULL, NULL },
	{ "run etl in docker image registry.acme.io/etl:3.4 now", F_IMAGE, 0, "registry.acme.io/etl:3.4", NULL }, { "run it, python 3.11", F_IMAGE, 0, "python:3.11-slim", NULL },
	{ "build it (ghcr.io/a/b@sha256:0123456789abcdef)", F_IMAGE, 0, NULL, NULL }, { "train, image acme/vit:2.", F_IMAGE, 0, "acme/vit:2", NULL },
	{ "load it, password in secret db key pw", F_SECRET, 0, "db", "pw" }, { "load it (secret zendesk/token)", F_SECRET, 0, "zendesk", "token" }, { "load it, api key is in secret quotes, key token", F_SECRET, 0, "quotes", "token" },
	{ "copy them, user and password in secret partner keys user, password", F_SECRET, 0, "partner", "user" }, { "decrypt it with secret gpg mounted as a file", F_SECRET, 1, "gpg", NULL },
	{ "read s3://a/b.csv.", F_URI, 0, "s3://a/b.csv", NULL }, { "curl https://x.org/q?a=1, then clean", F_URI, 0, "https://x.org/q?a=1", NULL }, { "load train.csv", F_FILE, 0, "train.csv", NULL },
	{ "rsync /data/in to /srv/backup", F_FILE, 0, "/data/in", NULL }, { "run python etl.py", F_CODE, 0, "etl.py", NULL }, { "mail it to a.b@c.org.", F_EMAIL, 0, "a.b@c.org", NULL },
	{ "train in node pool a100. Then stop.", F_SELECTOR, 0, "pool", "a100" }, { "train, tolerate taint nvidia.com/gpu", F_TOLERATE, 0, "nvidia.com/gpu", NULL }, { "load it and cache it for 7 days", F_CACHE, 604800, "on", NULL },
	{ "two loads run. if one of them fails the rest should go on", F_OPTIONAL, 0, NULL, NULL }, { "load data, priority high", F_PRIORITY, 0, "high", NULL }, { "load data, label team=bi", F_LABEL, 0, "team", "bi" },
};

START_TEST(facts_are_read)
{
	struct arena *a = arena_new();
	struct plan *p = plan_of(a, facts[_i].text);
	const struct fact *f = NULL;

	for (uint32_t i = 0; i < p->facts.v.n && !f; i++)
		if (p->facts.v.v[i].type == facts[_i].type)
			f = &p->facts.v.v[i];
	ck_assert_msg(f != NULL, "%s", facts[_i].text);
	ck_assert_msg(fabs(f->num - facts[_i].num) < 1e-9, "%s: %g", facts[_i].text, f->num);
	ck_assert_msg(!facts[_i].str || (f->str && !strcmp(f->str, facts[_i].str)), "%s: %s", facts[_i].text, f->str ? f->str : "none");
	ck_assert_msg(!facts[_i].str2 || (f->str2 && !strcmp(f->str2, facts[_i].str2)), "%s: %s", facts[_i].text, f->str2 ? f->str2 : "none");
	plan_free(p);
	arena_free(a);
}
END_TEST

/* no fact of that type is there */
static const struct { const char *text; enum fact_type type; } none[] = {
	{ "resize the image to 224 pixels", F_IMAGE }, { "train for 4 days of data", F_TIMEOUT }, { "find the key drivers", F_SECRET }, { "load 5 tables", F_PARALLEL }, { "split 80/20", F_FILE }, { "compute the ratio and/or the mean", F_FILE },
	{ "train on the train set", F_GPU }, { "load data", F_RETRY },
};

START_TEST(nothing_is_made_up)
{
	struct arena *a = arena_new();
	struct plan *p = plan_of(a, none[_i].text);

	for (uint32_t i = 0; i < p->facts.v.n; i++)
		ck_assert_msg(p->facts.v.v[i].type != none[_i].type, "%s", none[_i].text);
	plan_free(p);
	arena_free(a);
}
END_TEST

static const struct { const char *text, *metric, *op, *number, *below; } thresholds[] = {
	{ "train, evaluate, deploy only if auc > 0.8", "auc", ">", "0.8", NULL }, { "evaluate it. If accuracy is at least 95 % deploy it", "accuracy", ">=", "0.95", NULL },
	{ "evaluate; fail if rmse exceeds 4", "rmse", ">", "4.0", NULL }, { "evaluate it, wenn die Genauigkeit unter 0.9 liegt abbrechen", "accuracy", "<", "0.9", NULL },
	{ "evaluate and deploy unless the error rate is above 1%", "error_rate", "<=", "0.01", NULL }, { "evaluate it. f1 >= 0.7: deploy it", "f1", ">=", "0.7", NULL },
};

START_TEST(thresholds_are_read)
{
	struct arena *a = arena_new();
	struct plan *p = plan_of(a, thresholds[_i].text);

	ck_assert_msg(p->conds.n >= 1, "%s", thresholds[_i].text);
	ck_assert_str_eq(p->conds.v[0].metric, thresholds[_i].metric);
	ck_assert_str_eq(p->conds.v[0].op, thresholds[_i].op);
	ck_assert_str_eq(p->conds.v[0].number, thresholds[_i].number);
	plan_free(p);
	arena_free(a);
}
END_TEST

START_TEST(bands_follow_a_threshold)
{
	struct arena *a = arena_new();
	struct plan *p = plan_of(a, "Evaluate it. accuracy >= 0.95: deploy it; between 0.9 and 0.95: ask for approval; below 0.9: open a ticket.");

	ck_assert_uint_eq(p->conds.n, 3);
	ck_assert_str_eq(p->conds.v[1].metric, "accuracy");
	ck_assert_str_eq(p->conds.v[1].number, "0.9");
	ck_assert_str_eq(p->conds.v[1].below, "0.95");
	ck_assert_str_eq(p->conds.v[2].op, "<");
	ck_assert_ptr_null(p->conds.v[2].below);
	plan_free(p);
	arena_free(a);
}
END_TEST

/* list: of the only fan-out */
static const struct { const char *text, *list; } fans[] = {
	{ "for days 1 to 31 run ingest.sh", "range(1, 32)" }, { "Process the 12 monthly files in parallel", "range(1, 13)" }, { "for each country in DE, FR and IT fit a forecast", "[\"DE\", \"FR\", \"IT\"]" },
	{ "two scrapers (hn and reddit) run side by side", "[\"hn\", \"reddit\"]" }, { "vacuum every table in the list orders, customers, invoices", "[\"orders\", \"customers\", \"invoices\"]" },
};

START_TEST(counts_are_read)
{
	struct arena *a = arena_new();
	struct plan *p = plan_of(a, fans[_i].text);

	ck_assert_msg(p->fans.n == 1 && p->fans.v[0].literal, "%s", fans[_i].text);
	ck_assert_str_eq(p->fans.v[0].list, fans[_i].list);
	ck_assert_msg(!p->facts.schedule.given, "%s", fans[_i].text);
	ck_assert_uint_ge(p->modules.n, 1);
	plan_free(p);
	arena_free(a);
}
END_TEST

static const struct { const char *text, *search, *metric; int trials; const char *dim; } searches[] = {
	{ "train a model with 20 random learning rates between 1e-5 and 1e-2 and keep the best", "random", "score", 20, "log_uniform(1e-05, 0.01)" },
	{ "Train a random forest with max depth 3, 5 and 10, and save the model with the best accuracy.", "grid", "accuracy", 0, "choice(3, 5, 10)" },
	{ "sweep: bits 4 or 8, measure perplexity", "grid", "perplexity", 0, "choice(4, 8)" }, { "random search, 25 trials, dropout between 0 and 0.4, maximize macro f1", "random", "macro_f1", 25, "uniform(0.0, 0.4)" },
	{ "tune it by halving: num_leaves from 16 to 256, minimize rmse, 40 trials", "halving", "rmse", 40, "int_uniform(16, 256)" },
};

START_TEST(searches_are_read)
{
	struct arena *a = arena_new();
	struct plan *p = plan_of(a, searches[_i].text);

	ck_assert_msg(p->sweep.on, "%s", searches[_i].text);
	ck_assert_str_eq(p->sweep.search, searches[_i].search);
	ck_assert_str_eq(p->sweep.metric, searches[_i].metric);
	ck_assert_int_eq(p->sweep.trials, searches[_i].trials);
	ck_assert_str_eq(p->sweep.dims.v[0].expr, searches[_i].dim);
	plan_free(p);
	arena_free(a);
}
END_TEST

START_TEST(a_batch_size_is_no_search)
{
	struct arena *a = arena_new();
	struct plan *p = plan_of(a, "train a cnn with batch size 128 and learning rate 0.01, then evaluate it");

	ck_assert(!p->sweep.on);
	plan_free(p);
	arena_free(a);
}
END_TEST

/* Of the modules of a text, which stand in `on failure`. */
static const struct { const char *text; int on; uint32_t n; } handlers[] = {
	{ "pull the orders, clean them, and send a slack message if it fails", 2, 3 }, { "load the data. On failure a Slack message.", 1, 2 }, { "load the data, clean it. If anything fails notify ops", 2, 3 },
	{ "Daten laden. Bei Fehlern eine Slack-Nachricht.", 1, 2 },
};

START_TEST(handlers_hold_only_what_reacts)
{
	struct arena *a = arena_new();
	struct plan *p = plan_of(a, handlers[_i].text);

	ck_assert_msg(p->modules.n == handlers[_i].n, "%s: %u modules", handlers[_i].text, p->modules.n);
	for (uint32_t i = 0; i < p->modules.n; i++)
		ck_assert_msg((p->modules.v[i].on == ON_BAD) == ((int)i == handlers[_i].on), "%s: %s", handlers[_i].text, p->modules.v[i].name);
	plan_free(p);
	arena_free(a);
}
END_TEST

/* What no line of a draft holds is said on top of it; places that nobody named are asked for. */
START_TEST(drafts_are_honest)
{
	static const struct { const char *text, *holds, *lacks; } rows[] = {
		{ "load the data from postgres, clean it", "param load_data_query: string", "select * from" }, { "fetch the tweets, then cluster them", "python fetch_tweets.py", "sftp" },
		{ "download the reviews from hugging face, clean them", "reviews", "imdb" }, { "train a cnn for 10 epochs, then pick the 100 most uncertain", "\"the 100 most\"", "couler-no-such" },
		{ "every day at 7 load the data from postgres", "0 7 * * *", "param " },
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct nl_draft x;
		struct diag *d = diag_new(a);
		struct nl_verdict v;

		ck_assert_int_eq(nl_offline(rows[i].text, strlen(rows[i].text), NULL, &x, d), 0);
		ck_assert_msg(strstr(sb_cstr(&x.text), rows[i].holds) != NULL, "%s lacks %s:\n%s", rows[i].text, rows[i].holds, sb_cstr(&x.text));
		ck_assert_msg(!strstr(sb_cstr(&x.text), rows[i].lacks), "%s holds %s", rows[i].text, rows[i].lacks);
		v = nl_judge(x.text.s, x.text.n, NULL, NULL);
		ck_assert_msg(v.checks && v.compiles, "%s", rows[i].text);
		nl_draft_free(&x);
	}
	arena_free(a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("nl_facts");
	TCase *t = tcase_create("nl_facts");
	SRunner *r;
	int bad;

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, facts_are_read, 0, (int)(sizeof facts / sizeof *facts));
	tcase_add_loop_test(t, nothing_is_made_up, 0, (int)(sizeof none / sizeof *none));
	tcase_add_loop_test(t, thresholds_are_read, 0, (int)(sizeof thresholds / sizeof *thresholds));
	tcase_add_test(t, bands_follow_a_threshold);
	tcase_add_loop_test(t, counts_are_read, 0, (int)(sizeof fans / sizeof *fans));
	tcase_add_loop_test(t, searches_are_read, 0, (int)(sizeof searches / sizeof *searches));
	tcase_add_test(t, a_batch_size_is_no_search);
	tcase_add_loop_test(t, handlers_hold_only_what_reacts, 0, (int)(sizeof handlers / sizeof *handlers));
	tcase_add_test(t, drafts_are_honest);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad != 0;
}
