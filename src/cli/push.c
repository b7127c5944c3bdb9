/* couler push: local files of a workflow into its artifacts store. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "couler/objects.h"
#include "pushed.h"

struct push {
	struct job *job;
	const char *target;
	bool dry, quiet;
	FILE *out;                        /* what was done */
	struct objects *to;
	uint32_t i, n, sent, there;       /* i: of the file under way, from 1 */
	uint64_t sent_bytes;
	const struct ir_staged *now;
	bool line;                        /* a progress line stands on the terminal */
	struct timespec shown;
};

static int set(const char *name, const char *value, void *data)
{
	struct push *p = data;

	if (!strcmp(name, "target"))
		p->target = value;
	else if (!strcmp(name, "dry-run"))
		p->dry = true;
	else if (!strcmp(name, "quiet"))
		p->quiet = true;
	else
		return job_set(p->job, name, value);
	return 0;
}

static void erase(struct push *p)
{
	if (p->line)
		fputs("\r\033[K", stderr);
	p->line = false;
}

/* On a terminal: which file, how far. Five times a second at most. */
static int progress(uint64_t done, void *ctx)
{
	struct push *p = ctx;
	struct timespec t;
	char a[32], b[32];

	clock_gettime(CLOCK_MONOTONIC, &t);
	if (p->quiet || !isatty(STDERR_FILENO) || (double)(t.tv_sec - p->shown.tv_sec) + (double)(t.tv_nsec - p->shown.tv_nsec) / 1e9 < 0.2)
		return 0;
	p->shown = t;
	fprintf(stderr, "\r\033[K[%u/%u] %s of %s  %s", p->i, p->n, size_words((double)done, a), size_words((double)p->now->size, b), p->now->path->s);
	p->line = true;
	return 0;
}

static int fault(struct push *p, enum objects_rc rc, char *err)
{
	int code = rc == OBJECTS_BAD ? 3 : 5;

	erase(p);
	cli_fail(code, "%s", err ? err : "the store has no such place");
	if (p->sent)
		cli_fail(code, "%u file%s there now; run the same command again to go on", p->sent + p->there, p->sent + p->there == 1 ? " is" : "s are");
	free(err);
	return code;
}

static int push_one(struct push *p, const struct ir_staged *f)
{
	struct object_body b = { .fd = -1, .size = f->size, .sha256 = f->sha256->s };
	enum objects_rc rc;
	uint64_t size = 0;
	char *err = NULL, words[32];

	p->now = f;
	rc = objects_head(p->to, f->key->s, &size, &err);
	if (!rc && size == f->size) {
		p->there++;
		return 0;
	}
	if (rc && rc != OBJECTS_ABSENT && rc != OBJECTS_REFUSED)         /* who may not list is refused what is not there */
		return fault(p, rc, err);
	free(err);
	err = NULL;
	p->sent++;
	p->sent_bytes += f->size;
	if (!p->dry) {
		b.fd = open(f->path->s, O_RDONLY | O_CLOEXEC);
		if (b.fd < 0)
			return cli_fail(3, "%s: %s", f->path->s, strerror(errno));
		rc = objects_put(p->to, f->key->s, &b, &err);
		close(b.fd);
		if (rc) {
			p->sent--;
			return fault(p, rc, err);
		}
	}
	erase(p);
	if (!p->quiet)
		fprintf(p->out, "%s %s (%s) to %s\n", p->dry ? "would push" : "pushed", f->path->s, size_words((double)f->size, words), f->uri->s);
	return 0;
}

static int push_all(struct push *p, const struct ir *m)
{
	const struct ir_store *s = NULL;
	const char *uri = m->staged.v[0].uri->s;
	struct objects_at at = { 0 };
	char *err = NULL, words[32];
	int rc = 0;

	for (uint32_t i = 0; i < m->stores.n; i++)
		if (m->stores.v[i].name == m->entry->artifacts)
			s = &m->stores.v[i];
	at.uri = arena_dup(p->job->arena, uri, strlen(uri) - m->staged.v[0].key->len - 1);
	at.endpoint = s && s->endpoint ? s->endpoint->s : NULL;
	at.region = s && s->region ? s->region->s : NULL;
	p->to = objects_open(&at, &err);
	if (!p->to)
		return fault(p, OBJECTS_BAD, err);
	objects_tick(p->to, progress, p);
	p->n = m->staged.n;
	for (p->i = 1; p->i <= p->n && !rc; p->i++)
		rc = push_one(p, &m->staged.v[p->i - 1]);
	objects_close(p->to);
	erase(p);
	if (rc)
		return rc;
	if (!p->dry)
		pushed_note(p->job, m);
	fprintf(p->out, "%u file%s %s, %s; %u %s there already\n", p->sent, p->sent == 1 ? "" : "s", p->dry ? "to push" : "pushed", size_words((double)p->sent_bytes, words),
		p->there, p->there == 1 ? "was" : "were");
	return 0;
}

int push_files(struct job *j, const struct ir *m, bool dry, bool quiet)
{
	struct push p = { .job = j, .dry = dry, .quiet = quiet, .out = stderr };

	return push_all(&p, m);
}

static int push(int argc, char **argv)
{
	struct push p = { .job = job_new(), .target = "argo", .out = stdout };
	const struct backend *b;
	struct ir *m;
	int rc = job_args(p.job, "push", argc, argv, set, &p);

	b = rc ? NULL : job_target(p.job, p.target, &rc);
	if (!b)
		return job_end(p.job, rc);
	if (!b->staged)
		return job_end(p.job, cli_fail(2, "-t %s: this engine reads local files where they are; nothing is to be pushed for it", b->name));
	m = job_module(p.job, b, &rc);
	if (m && !m->staged.n && backend_check(b, m, p.job->opts, p.job->diag))
		rc = 4;                   /* says that a store is missing */
	else if (m && !m->staged.n)
		printf("nothing to push: no local files, and code travels inside\n");
	else if (m)
		rc = push_all(&p, m);
	return job_end(p.job, rc);
}

static const struct cli_opt opts[] = {
	{ 't', "target", "ENGINE", "the engine that will read them (default argo)", "argo|airflow" },
	{ 'n', "dry-run", NULL, "send nothing; say what would be sent", NULL },
	{ 'q', "quiet", NULL, "one line at the end", NULL },
	JOB_OPTS,
	JOB_FORMAT,
	{ 0, NULL, NULL, NULL, NULL }
};

extern const struct command command_push;
const struct command command_push = {
	.name = "push", .args = "FILE", .help = "bring local files of a workflow into its artifacts store", .opts = opts, .run = push,
	.text = "An engine on other machines does not see files beside the .cw file. Where the workflow names a store\n(artifacts = NAME), `couler compile` writes places in it that follow from the files' content, and this\ncommand brings the files there: inputs given as relative paths, folders file by file, and code that is\n"
		"too much to travel inside what is emitted. What is there already is not sent again, and a large upload\nthat was interrupted goes on where it stopped.\n\nStores are s3://BUCKET/PREFIX, gs://BUCKET/PREFIX and folders. Credentials come from AWS_ACCESS_KEY_ID,\nAWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or from the profile AWS_PROFILE of ~/.aws; for Google\nStorage they are an HMAC key.\n\n"
		"exit codes: 0 done, 1 errors in the source, 2 wrong usage, 3 file trouble, 4 no store, 5 the store\ncannot be reached or refuses.\n",
	.examples = "couler push churn.cw && couler compile churn.cw | kubectl create -f -\n"
		    "couler push churn.cw --dry-run               # what would be sent?\n",
};
