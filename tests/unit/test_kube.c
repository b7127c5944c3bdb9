/* The client of the cluster's API, and the Job of the workers, against a server that answers by a script. */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elastic/elsewhere.h"
#include "elastic/kube.h"
#include "server.h"

#define JSON(status, body) "HTTP/1.1 " status "\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" body
#define SAYS(status, message) JSON(status, "{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"" message "\"}")

static char dir[] = "/tmp/couler-kube-XXXXXX";

static void put(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static void setup(void)
{
	memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	put("token", "t0ken\n");
	put("namespace", "ml");
	put("job.json", "{\"apiVersion\":\"batch/v1\",\"kind\":\"Job\",\"metadata\":{},\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"w\",\"image\":\"x\"}]}}}}");
	setenv("COULER_KUBERNETES_ACCOUNT", dir, 1);
	setenv("COULER_POD_NAME", "fit-1", 1);
	setenv("COULER_POD_UID", "u-1", 1);
	unsetenv("COULER_KUBERNETES");
	unsetenv("KUBERNETES_SERVICE_HOST");
	unsetenv("SSL_CERT_FILE");
}

static void teardown(void)
{
	static const char *const files[] = { "token", "namespace", "job.json", "ca.crt" };

	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		unlink(files[i]);
	ck_assert_int_eq(chdir("/"), 0);
	rmdir(dir);
}

static void serve_at(struct server *s, const char *const *replies)
{
	char url[64];

	server_start(s, replies);
	snprintf(url, sizeof url, "http://127.0.0.1:%d/", s->port);
	setenv("COULER_KUBERNETES", url, 1);
}

static struct kube *opened(void)
{
	char *err = NULL;
	struct kube *k = kube_open(&err);

	ck_assert_msg(k != NULL, "%s", err ? err : "");
	return k;
}

static void has(char *err, const char *part)
{
	ck_assert_ptr_nonnull(err);
	ck_assert_msg(strstr(err, part) != NULL, "'%s' is not in: %s", part, err);
}

START_TEST(outside_of_a_pod)
{
	char *err = NULL;

	ck_assert_ptr_null(kube_open(&err));
	has(err, "KUBERNETES_SERVICE_HOST is not set");
	free(err);
	setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1", 1);
	unlink("namespace");
	ck_assert_ptr_null(kube_open(&err));
	has(err, "/namespace: No such file or directory; the pod needs a service account");
	free(err);
}
END_TEST

START_TEST(asks_as_the_api_wants_it)
{
	static const char *const replies[] = { JSON("201 Created", "{\"kind\":\"Job\"}"), JSON("200 OK", "{\"spec\":{\"parallelism\":3}}"), JSON("200 OK", "{}"), NULL };
	struct server s = { 0 };
	json_t *body = json_pack("{s:{s:i}}", "spec", "parallelism", 3), *out;
	struct kube *k;

	serve_at(&s, replies);
	k = opened();
	ck_assert_str_eq(kube_namespace(k), "ml");
	ck_assert_int_eq(kube_jobs(k, "POST", NULL, body, &out, NULL), KUBE_OK);
	json_decref(out);
	put("token", "second");                                             /* renewed: read again */
	ck_assert_int_eq(kube_jobs(k, "PATCH", "a/b", body, &out, NULL), KUBE_OK);
	ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(out, "spec"), "parallelism")), 3);
	json_decref(out);
	ck_assert_int_eq(kube_jobs(k, "DELETE", "w", NULL, NULL, NULL), KUBE_OK);
	kube_close(k);
	json_decref(body);
	ck_assert_ptr_nonnull(strstr(sb_cstr(&s.got[0]), "POST /apis/batch/v1/namespaces/ml/jobs HTTP"));
	ck_assert_ptr_nonnull(strstr(sb_cstr(&s.got[0]), "Authorization: Bearer t0ken\r\n"));
	ck_assert_ptr_nonnull(strstr(sb_cstr(&s.got[0]), "Content-Type: application/json\r\n"));
	ck_assert_ptr_nonnull(strstr(sb_cstr(&s.got[1]), "PATCH /apis/batch/v1/namespaces/ml/jobs/a%2Fb HTTP"));
	ck_assert_ptr_nonnull(strstr(sb_cstr(&s.got[1]), "Content-Type: application/merge-patch+json\r\n"));
	ck_assert_ptr_nonnull(strstr(sb_cstr(&s.got[1]), "Bearer second\r\n"));
	ck_assert_ptr_nonnull(strstr(sb_cstr(&s.got[1]), "{\"spec\":{\"parallelism\":3}}"));
	ck_assert_ptr_nonnull(strstr(sb_cstr(&s.got[2]), "DELETE /apis/batch/v1/namespaces/ml/jobs/w HTTP"));
	server_stop(&s);
}
END_TEST

static const struct { const char *reply; enum kube_rc rc; const char *says, *mends; } refusals[] = {
	{ SAYS("401 Unauthorized", "Unauthorized"), KUBE_REFUSED, "401", "does not take the token" },
	{ SAYS("403 Forbidden", "jobs.batch is forbidden: User x cannot patch"), KUBE_REFUSED, "User x cannot patch", "patch jobs.batch in namespace ml" },
	{ SAYS("404 Not Found", "jobs.batch w not found"), KUBE_GONE, "w not found", "404" },
	{ SAYS("409 Conflict", "the object has been modified"), KUBE_AWAY, "has been modified", "409" },
	{ SAYS("422 Unprocessable Entity", "spec.template: Invalid value"), KUBE_REFUSED, "Invalid value", "`workers`" },
	{ JSON("200 OK", "<html>"), KUBE_AWAY, "is no JSON", "PATCH" },
};

START_TEST(refusals_say_what_mends_them)
{
	const char *replies[] = { refusals[_i].reply, refusals[_i].reply, NULL };
	struct server s = { 0 };
	json_t *body = json_object(), *out;
	char *err;
	struct kube *k;

	serve_at(&s, replies);
	k = opened();
	ck_assert_int_eq(kube_jobs(k, "PATCH", "w", body, &out, &err), refusals[_i].rc);
	ck_assert_ptr_null(out);
	has(err, refusals[_i].says);
	has(err, refusals[_i].mends);
	ck_assert_ptr_null(strstr(err, "t0ken"));
	free(err);
	json_decref(body);
	kube_close(k);
	server_stop(&s);
}
END_TEST

START_TEST(no_answer)
{
	static const char *const replies[] = { JSON("200 OK", "{\"a\":\"slower than anybody waits for\"}"), JSON("200 OK", "{\"a\":\"slower than anybody waits for\"}"), NULL };
	struct server s = { .slow_ms = 100 };
	char *err;
	struct kube *k;

	serve_at(&s, replies);
	k = opened();
	kube_patience(k, 0.4);
	ck_assert_int_eq(kube_jobs(k, "GET", "w", NULL, NULL, &err), KUBE_AWAY);
	has(err, "the cluster's API: ");
	free(err);
	kube_close(k);
	server_stop(&s);
	setenv("COULER_KUBERNETES", "http://127.0.0.1:1", 1);
	k = opened();
	ck_assert_int_eq(kube_jobs(k, "GET", "w", NULL, NULL, &err), KUBE_AWAY);
	has(err, "127.0.0.1:1");
	free(err);
	kube_close(k);
}
END_TEST

/* ---- the Job ---- */

static struct elsewhere_state wait_for(struct elsewhere *e, bool error)
{
	struct elsewhere_state s = { 0 };

	for (int i = 0; i < 3000; i++) {
		s = elsewhere_look(e);
		if (error ? s.error != NULL : s.active > 0)
			break;
		free(s.error);
		free(s.news);
		usleep(10000);
	}
	return s;
}

START_TEST(a_job_is_made_scaled_and_deleted)
{
	static const char *const replies[] = { JSON("201 Created", "{\"status\":{}}"), JSON("200 OK", "{\"status\":{\"active\":2,\"ready\":1,\"failed\":5}}"), JSON("200 OK", "{}"), NULL };
	struct server s = { 0 };
	struct elsewhere *e;
	struct elsewhere_state st;
	char *err;
	const char *made;

	serve_at(&s, replies);
	e = elsewhere_start("job.json", "tcp:10.0.0.7:70", "secret", &err);
	ck_assert_msg(e != NULL, "%s", err ? err : "");
	elsewhere_want(e, 2);
	st = wait_for(e, false);
	ck_assert(st.made && st.active == 2 && st.ready == 1 && st.failed == 5 && !st.error);
	free(st.news);
	elsewhere_end(e, 60, &err);
	ck_assert_ptr_null(err);
	ck_assert_int_eq(s.asked, 3);
	made = sb_cstr(&s.got[0]);
	ck_assert_ptr_nonnull(strstr(made, "\"name\":\"couler-workers-u-1\""));
	ck_assert_ptr_nonnull(strstr(made, "\"parallelism\":0"));
	ck_assert_ptr_nonnull(strstr(made, "\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"name\":\"fit-1\",\"uid\":\"u-1\""));
	ck_assert_ptr_nonnull(strstr(made, "{\"name\":\"COULER_DATAFLOW_ADDRESS\",\"value\":\"tcp:10.0.0.7:70\"}"));
	ck_assert_ptr_nonnull(strstr(made, "{\"name\":\"COULER_DATAFLOW_TOKEN\",\"value\":\"secret\"}"));
	ck_assert_ptr_nonnull(strstr(sb_cstr(&s.got[1]), "PATCH /apis/batch/v1/namespaces/ml/jobs/couler-workers-u-1 "));
	ck_assert_ptr_nonnull(strstr(sb_cstr(&s.got[2]), "\"propagationPolicy\":\"Background\""));
	server_stop(&s);
}
END_TEST

static struct elsewhere *started(struct server *s, const char *const *replies)
{
	struct elsewhere *e;
	char *err;

	serve_at(s, replies);
	e = elsewhere_start("job.json", "tcp:h:1", "x", &err);
	ck_assert_msg(e != NULL, "%s", err ? err : "");
	return e;
}

/* The same, with a worker. */
static struct elsewhere *with_one(struct server *s, const char *const *replies)
{
	struct elsewhere *e = started(s, replies);
	struct elsewhere_state st;

	elsewhere_want(e, 1);
	st = wait_for(e, false);
	free(st.error);
	free(st.news);
	return e;
}

/* The controller changes the Job, too, above all when pods end: a patch that met that is made again. */
START_TEST(a_conflict_is_no_end)
{
	static const char *const replies[] = { JSON("201 Created", "{}"), SAYS("409 Conflict", "modified"), SAYS("409 Conflict", "modified"),
		JSON("200 OK", "{\"status\":{\"active\":2}}"), JSON("200 OK", "{}"), NULL };
	struct server s = { 0 };
	struct elsewhere *e = started(&s, replies);
	struct elsewhere_state st;
	char *err;

	elsewhere_want(e, 2);
	st = wait_for(e, false);
	ck_assert_msg(st.active == 2 && !st.error, "%s", st.error ? st.error : "");
	free(st.news);
	elsewhere_end(e, 60, &err);
	ck_assert_ptr_null(err);
	ck_assert_int_eq(s.asked, 5);
	server_stop(&s);
}
END_TEST

START_TEST(a_deletion_is_tried_again)
{
	static const char *const replies[] = { JSON("201 Created", "{}"), JSON("200 OK", "{\"status\":{\"active\":1}}"), SAYS("503 Service Unavailable", "starting"),
		SAYS("503 Service Unavailable", "starting"), "", SAYS("409 Conflict", "modified"), JSON("200 OK", "{}"), NULL };
	struct server s = { 0 };
	struct elsewhere *e = with_one(&s, replies);
	char *err;

	elsewhere_end(e, 60, &err);
	ck_assert_msg(!err, "%s", err);
	ck_assert_int_eq(s.asked, 7);
	for (int i = 2; i < 7; i++)
		ck_assert_ptr_nonnull(strstr(sb_cstr(&s.got[i]), "DELETE /apis/batch/v1/namespaces/ml/jobs/couler-workers-u-1 "));
	server_stop(&s);
}
END_TEST

/* The request that makes the Job got no answer and is carried out after we looked: the Job goes all the same. */
START_TEST(a_job_that_comes_late_is_deleted)
{
	static const char *const replies[] = { "", SAYS("404 Not Found", "not there"), JSON("200 OK", "{}"), NULL };
	struct server s = { 0 };
	struct elsewhere *e = started(&s, replies);
	struct elsewhere_state st = { 0 };
	char *err;

	for (int i = 0; i < 3000 && !st.news; i++) {
		usleep(10000);
		st = elsewhere_look(e);
		free(st.error);
	}
	has(st.news, "asked again until it answers");
	free(st.news);
	elsewhere_end(e, 60, &err);
	ck_assert_msg(!err, "%s", err);
	ck_assert_int_eq(s.asked, 3);
	server_stop(&s);
}
END_TEST

static const struct { const char *reply, *says; } stays[] = {
	{ SAYS("403 Forbidden", "cannot delete"), "let the step's service account delete jobs.batch" },
	{ NULL, "127.0.0.1" },
};

START_TEST(a_job_that_cannot_be_deleted)
{
	const char *replies[] = { JSON("201 Created", "{}"), JSON("200 OK", "{\"status\":{\"active\":1}}"), stays[_i].reply, NULL };
	struct server s = { 0 };
	struct elsewhere *e = with_one(&s, replies);
	char *err;

	if (!stays[_i].reply)
		server_stop(&s);
	elsewhere_end(e, 3, &err);
	has(err, stays[_i].says);
	free(err);
	if (stays[_i].reply)
		server_stop(&s);
}
END_TEST

/* The answer to the first request was lost, a Job of this name is there: it is ours. Then somebody deletes it. */
START_TEST(a_job_that_is_gone)
{
	static const char *const replies[] = { SAYS("409 Conflict", "exists"), SAYS("404 Not Found", "not there"), SAYS("404 Not Found", "not there"), NULL };
	struct server s = { 0 };
	struct elsewhere *e;
	struct elsewhere_state st;
	char *err;

	serve_at(&s, replies);
	e = elsewhere_start("job.json", "tcp:h:1", "x", &err);
	ck_assert_ptr_nonnull(e);
	elsewhere_want(e, 1);
	st = wait_for(e, true);
	has(st.error, "is gone: something else deleted it");
	free(st.error);
	free(st.news);
	elsewhere_end(e, 60, &err);                                            /* nothing to delete is no failure */
	ck_assert_ptr_null(err);
	server_stop(&s);
}
END_TEST

static const struct { const char *first, *second, *says; } ends[] = {
	{ SAYS("403 Forbidden", "cannot create"), NULL, "create jobs.batch in namespace ml" },
	{ SAYS("404 Not Found", "no such namespace"), NULL, "no such namespace" },
	{ JSON("201 Created", "{}"), JSON("200 OK", "{\"status\":{\"conditions\":[{\"type\":\"Failed\",\"status\":\"True\",\"message\":\"too many\"}]}}"), "failed: too many" },
	{ JSON("201 Created", "{}"), JSON("200 OK", "{\"status\":{\"conditions\":[{\"type\":\"Complete\",\"status\":\"True\"}]}}"), "did not find the broker" },
};

START_TEST(a_job_that_cannot_be)
{
	const char *replies[] = { ends[_i].first, ends[_i].second ? ends[_i].second : JSON("200 OK", "{}"), JSON("200 OK", "{}"), NULL };
	struct server s = { 0 };
	struct elsewhere *e;
	struct elsewhere_state st;
	char *err;

	serve_at(&s, replies);
	e = elsewhere_start("job.json", "tcp:h:1", "x", &err);
	ck_assert_ptr_nonnull(e);
	elsewhere_want(e, 1);
	st = wait_for(e, true);
	has(st.error, ends[_i].says);
	free(st.error);
	free(st.news);
	elsewhere_end(e, 60, &err);
	free(err);
	server_stop(&s);
}
END_TEST

START_TEST(bad_manifests)
{
	char *err = NULL;

	setenv("COULER_KUBERNETES", "http://127.0.0.1:1", 1);
	ck_assert_ptr_null(elsewhere_start("none.json", "a", "b", &err));
	has(err, "none.json");
	free(err);
	put("job.json", "{\"spec\":{}}");
	ck_assert_ptr_null(elsewhere_start("job.json", "a", "b", &err));
	has(err, "no Job with a container");
	free(err);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("kube");
	TCase *t = tcase_create("all");
	SRunner *r;
	int bad;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, outside_of_a_pod);
	tcase_add_test(t, asks_as_the_api_wants_it);
	tcase_add_loop_test(t, refusals_say_what_mends_them, 0, (int)(sizeof refusals / sizeof *refusals));
	tcase_add_test(t, no_answer);
	tcase_add_test(t, a_job_is_made_scaled_and_deleted);
	tcase_add_test(t, a_conflict_is_no_end);
	tcase_add_test(t, a_deletion_is_tried_again);
	tcase_add_test(t, a_job_that_comes_late_is_deleted);
	tcase_add_loop_test(t, a_job_that_cannot_be_deleted, 0, (int)(sizeof stays / sizeof *stays));
	tcase_add_test(t, a_job_that_is_gone);
	tcase_add_loop_test(t, a_job_that_cannot_be, 0, (int)(sizeof ends / sizeof *ends));
	tcase_add_test(t, bad_manifests);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad ? 1 : 0;
}
