/* Intent assertions: each key with one that holds, one that does not, and what is no assertion. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "couler/nl.h"

static const char program[] =
	"# Every 15 seconds is not possible, hourly is the closest.\n"
	"task fit { in lr: float; in rows: file; out model: file; out auc: float; image = \"acme/fit:1\"; run = '''./fit''' }\n"
	"workflow w {\n"
	"  schedule { cron = \"30 18 * * 1-5\"; timezone = \"America/Sao_Paulo\"; overlap = forbid }\n"
	"  param region: string = \"eu\" in [\"eu\", \"us\"]\n  param floor: float = 0.9\n  max_parallel = 6; timeout = 2h; lock = \"rollout\"\n"
	"  volume scratch { size = 100Gi; mode = rwx }\n"
	"  defaults { image = \"python:3.12\" }\n"
	"  step load { in region; out rows: file; out names: list<string>; retry { limit = 3; backoff = 20s }; timeout = 30m; resources { cpu = 4; memory = 8Gi }; env { PW = secret(\"db\", \"password\") }; mounts { \"/data\" = scratch }; run = '''./load s3://acme/rows.csv''' }\n"
	"  step look { in rows = load.rows; allow_failure = true; run = '''./look''' }\n"
	"  for n in load.names { max_parallel = 8; step score { in n; in rows = load.rows; lock = pool(\"gpu\", 4); run = '''./score''' } }\n"
	"  for k in [1, 2, 3] { step call_variants { in k; run = '''./call''' } }\n"
	"  sweep tune = fit(rows = load.rows, lr = log_uniform(1e-3, 3e-1)) { search = random(trials = 20, seed = 7); maximize = auc; max_parallel = 4; resources { gpu = 1 } }\n"
	"  approve gate { message = \"ship?\"; timeout = 4h; after = [tune] }\n"
	"  wait settle { for = 20s; after = [gate] }\n"
	"  if tune.best.auc >= floor { step deploy { in model = tune.best.model; after = [settle]; cache = off; run = '''./deploy''' } } else { fail \"too weak: ${tune.best.auc}\" }\n"
	"  loop refine { max = 5; state v: float = 0.0; while v < 0.87; step again { in v; out next_v: float; run = '''./again''' }; next { v = again.next_v } }\n"
	"  service db { image = \"qdrant:1.9\"; port = 6333 }\n"
	"  step ask_db { in address = db.address; run = '''./ask''' }\n"
	"  step tensor { job pytorch { workers = 2; run = '''./train''' }; mounts { \"/v\" = scratch }; resources { gpu = 4 } }\n"
	"  on failure { step page { run = '''./page''' } }\n"
	"  out model = tune.best.model\n"
	"}\n";

static const struct { const char *holds, *not; } pairs[] = {
	{ "{\"has_step\": \"score\"}", "{\"has_step\": {\"name_like\": \"score\", \"min\": 2}}" },
	{ "{\"count_steps\": {\"min\": 9, \"max\": 12}}", "{\"count_steps\": {\"max\": 3}}" },
	{ "{\"edge\": [\"@load\", \"score\"]}", "{\"edge\": [\"score\", \"^load$\"]}" },
	{ "{\"edge\": {\"from\": \"look\", \"to\": \"look\", \"merge_ok\": true}}", "{\"edge\": {\"from\": \"look\", \"to\": \"look\"}}" },
	{ "{\"edge\": [\"^load$\", {\"kind\": \"step\", \"name_like\": \"deploy\"}]}", "{\"edge\": [\"deploy\", \"look\"]}" },
	{ "{\"parallel\": [\"look\", \"^score\"]}", "{\"parallel\": [\"^load\", \"^score\"]}" },
	{ "{\"inside\": {\"step_like\": \"score\", \"region\": \"for\"}}", "{\"inside\": {\"step_like\": \"look\", \"region\": [\"for\", \"if\"]}}" },
	{ "{\"outside\": {\"step_like\": \"look\", \"region\": \"for\"}}", "{\"outside\": {\"step_like\": \"score\", \"region\": \"for\"}}" },
	{ "{\"schedule\": \"30 18 * * mon-fri\", \"timezone\": [\"Brazil/East\", \"America/Sao_Paulo\"]}", "{\"schedule\": \"30 18 * * *\"}" },
	{ "{\"schedule\": {\"hour_in\": [18], \"overlap\": \"forbid\"}}", "{\"schedule\": {\"period\": \"daily\"}}" },
	{ "{\"schedule\": [\"30 18 * * 1\", \"30 18 * * 2-5\"]}", "{\"schedule\": null}" },
	{ "{\"param\": {\"name_like\": \"region\", \"default\": \"eu\", \"choices\": [\"us\", \"eu\"], \"reaches\": \"load\"}}", "{\"param\": {\"name_like\": \"region\", \"required\": true}}" },
	{ "{\"param\": {\"name_like\": \"floor\", \"type\": \"float\", \"default\": \"0.90\"}}", "{\"param\": {\"name_like\": \"floor\", \"reaches\": \"look\"}}" },
	{ "{\"attr\": {\"step_like\": \"^load\", \"path\": \"resources.memory\", \"eq\": \"8GB\"}}", "{\"attr\": {\"step_like\": \"^load\", \"path\": \"resources.memory\", \"eq\": \"16Gi\"}}" },
	{ "{\"attr\": {\"step_like\": \"look\", \"path\": \"resources.gpu\", \"eq\": 0}}", "{\"attr\": {\"step_like\": \"tensor\", \"path\": \"resources.gpu\", \"lt\": 4}}" },
	{ "{\"attr\": {\"path\": \"image\", \"like\": \"python\", \"quantifier\": \"any\"}}", "{\"attr\": {\"path\": \"image\", \"like\": \"python\", \"quantifier\": \"all\"}}" },
	{ "{\"retry\": {\"step_like\": \"^load\", \"limit\": 3, \"backoff\": \"20s\", \"factor\": 2, \"on\": \"any\"}}", "{\"retry\": {\"step_like\": \"look\", \"limit\": 3}}" },
	{ "{\"timeout\": {\"step_like\": \"^load\", \"eq\": \"30m\"}}", "{\"timeout\": {\"step_like\": \"^load\", \"le\": \"10m\"}}" },
	{ "{\"timeout\": {\"workflow\": true, \"eq\": \"2h\"}}", "{\"timeout\": {\"workflow\": true, \"ge\": \"3h\"}}" },
	{ "{\"image\": \"acme/fit:1\"}", "{\"image\": {\"like\": \"python\", \"quantifier\": \"all\"}}" },
	{ "{\"sweep\": {\"search\": \"random\", \"trials\": 20, \"seed\": 7, \"objective\": \"maximize\", \"metric_like\": \"auc\", \"max_parallel\": 4, \"space\": {\"lr\": {\"lo\": 0.001, \"hi\": 0.3, \"log\": true}}}}", "{\"sweep\": {\"trials\": 21}}" },
	{ "{\"sweep\": {\"of\": \"fit\", \"params\": [\"lr\"]}}", "{\"sweep\": {\"space\": {\"lr\": {\"values\": [1, 2]}}}}" },
	{ "{\"fanout\": {\"of\": \"variant\", \"count\": 3}}", "{\"fanout\": {\"of\": \"variant\", \"count\": 22}}" },
	{ "{\"foreach\": {\"runtime\": true, \"contains\": \"score\", \"max_parallel\": 8}}", "{\"foreach\": {\"runtime\": true, \"contains\": \"variant\"}}" },
	{ "{\"limit_parallel\": {\"of\": \"score\", \"eq\": 4}}", "{\"limit_parallel\": {\"of\": \"score\", \"eq\": 3}}" },
	{ "{\"loop\": {\"max\": [4, 5], \"number\": 0.87, \"when\": \"<\", \"contains\": \"again\"}}", "{\"loop\": {\"number\": 0.87, \"when\": \">\"}}" },
	{ "{\"if\": {\"reads\": \"tune\", \"number\": 0.9, \"when\": \">\", \"contains\": \"deploy\", \"fail_otherwise\": true}}", "{\"if\": {\"number\": 0.9, \"when\": \"<\", \"contains\": \"deploy\"}}" },
	{ "{\"if\": {\"contains\": {\"kind\": \"fail\"}, \"when\": \"<\"}}", "{\"if\": {\"contains\": \"look\"}}" },
	{ "{\"on\": {\"event\": \"failure\", \"contains\": \"@notify\"}}", "{\"on\": \"exit\"}" },
	{ "{\"fail\": {\"like\": \"weak\", \"conditional\": true}}", "{\"fail\": {\"like\": \"strong\"}}" },
	{ "{\"allow_failure\": {\"step_like\": \"look\"}}", "{\"allow_failure\": {\"step_like\": \"^load\"}}" },
	{ "{\"secret\": {\"name\": \"db\", \"key\": \"password\", \"as\": \"env\"}}", "{\"secret\": \"d\"}" },
	{ "{\"approve\": {\"timeout\": \"4h\", \"after\": \"tune\", \"before\": \"deploy\"}}", "{\"approve\": {\"before\": \"look\"}}" },
	{ "{\"wait\": {\"for\": \"20s\"}}", "{\"wait\": {\"every\": \"20s\"}}" },
	{ "{\"service\": {\"image_like\": \"qdrant\", \"port\": 6333, \"before\": \"ask\"}}", "{\"service\": {\"port\": 1}}" },
	{ "{\"job\": {\"kind\": \"pytorch\", \"workers\": 2, \"step_like\": \"tensor\"}}", "{\"job\": {\"kind\": \"mpi\"}}" },
	{ "{\"not\": {\"dataflow\": true}}", "{\"dataflow\": true}" },
	{ "{\"cache\": {\"step_like\": \"deploy\", \"mode\": \"off\", \"fresh\": true}}", "{\"cache\": {\"step_like\": \"deploy\", \"reusable\": true}}" },
	{ "{\"lock\": {\"like\": \"rollout\"}}", "{\"lock\": {\"like\": \"gpu\", \"pool\": 3}}" },
	{ "{\"volume\": {\"size\": \"100GB\", \"mode\": \"rwx\", \"mounted_at\": \"/data\"}}", "{\"volume\": {\"size\": \"10Gi\"}}" },
	{ "{\"workflow\": {\"path\": \"max_parallel\", \"eq\": 6}}", "{\"workflow\": {\"path\": \"keep\", \"exists\": true}}" },
	{ "{\"output\": {\"name_like\": \"model\"}}", "{\"output\": {\"name_like\": \"auc\"}}" },
	{ "{\"task_reused\": {\"task_like\": \"fit\", \"min\": 20}}", "{\"task_reused\": {\"task_like\": \"fit\", \"min\": 21}}" },
	{ "{\"mentions\": \"acme/rows\\\\.csv\"}", "{\"mentions\": \"15 seconds\"}" },
	{ "{\"number\": [0.87, 5]}", "{\"number\": 0.123}" },
	{ "{\"honest\": {\"topic\": \"15 seconds\"}}", "{\"honest\": {\"topic\": \"minutes\"}}" },
	{ "{\"any_of\": [{\"fail\": {\"like\": \"x\"}}, {\"has_step\": \"look\"}]}", "{\"any_of\": [{\"fail\": {\"like\": \"x\"}}]}" },
	{ "{\"all_of\": [{\"fail\": true}, {\"has_step\": \"look\"}], \"why\": \"both\"}", "{\"all_of\": [{\"fail\": true}, {\"has_step\": \"nothing\"}]}" },
};

static int intent(const char *one, struct nl_intent *x, const char **why)
{
	struct strbuf b = { 0 };
	int rc;

	sb_f(&b, "[%s]", one);
	rc = nl_intent(program, sizeof program - 1, b.s, b.n, x, why);
	sb_free(&b);
	return rc;
}

START_TEST(holds_or_not)
{
	struct nl_intent x;
	const char *why;

	ck_assert_msg(!intent(pairs[_i].holds, &x, &why), "%s: %s", pairs[_i].holds, why);
	ck_assert_msg(x.held == 1 && x.of == 1 && !x.failed.n, "%s: %s", pairs[_i].holds, sb_cstr(&x.failed));
	sb_free(&x.failed);
	ck_assert_msg(!intent(pairs[_i].not, &x, &why), "%s: %s", pairs[_i].not, why);
	ck_assert_msg(!x.held && x.of == 1 && strstr(sb_cstr(&x.failed), ": "), "%s holds", pairs[_i].not);
	sb_free(&x.failed);
}
END_TEST

static const char *const malformed[] = {
	"1", "{}", "{\"nothing\": 1}", "{\"has_step\": \"(\"}", "{\"has_step\": \"@nothing\"}", "{\"edge\": []}", "{\"edge\": {\"from\": \"a\", \"too\": \"b\"}}", "{\"has_step\": \"a\", \"edge\": [\"a\", \"b\"]}",
	"{\"retry\": {\"limits\": 3}}", "{\"schedule\": \"every day\"}", "{\"attr\": 3}", "{\"mentions\": 3}", "{\"not\": {\"x\": 1}}",
};

START_TEST(no_assertion)
{
	struct nl_intent x;
	const char *why = NULL;

	ck_assert_msg(intent(malformed[_i], &x, &why) == -1, "%s is taken", malformed[_i]);
	ck_assert_ptr_nonnull(why);
	sb_free(&x.failed);
}
END_TEST

START_TEST(no_list)
{
	struct nl_intent x;
	const char *why = NULL;

	ck_assert_int_eq(nl_intent(program, sizeof program - 1, "{", 1, &x, &why), -1);
	ck_assert_int_eq(nl_intent("workflow w {", 12, "[{\"fail\": true}]", 16, &x, &why), 0);
	ck_assert(!x.held && x.of == 1);
	sb_free(&x.failed);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("nl_intent");
	TCase *t = tcase_create("nl_intent");
	SRunner *r;
	int bad;

	tcase_add_loop_test(t, holds_or_not, 0, (int)(sizeof pairs / sizeof *pairs));
	tcase_add_loop_test(t, no_assertion, 0, (int)(sizeof malformed / sizeof *malformed));
	tcase_add_test(t, no_list);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad != 0;
}
