/* One page about a run that needs nothing else: the template with the run's data in it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "runlog.h"

extern const unsigned char embed_src_run_report_html[];
extern const size_t embed_src_run_report_html_len;

#define LOG_LONGEST 20000                 /* bytes of a log that are in the page: its end */
#define LOGS_ALL (8u << 20)
#define MARK "/*DATA*/"

/* JSON that may stand in a script element. */
static void safe_json(struct strbuf *b, const char *s, size_t n)
{
	struct strbuf t = { 0 };

	if (utf8_valid(s, n) == n)
		sb_json(&t, s, n);
	else {
		struct strbuf u = { 0 };

		sb_safe(&u, s, n);
		sb_json(&t, u.s ? u.s : "", u.n);
		sb_free(&u);
	}
	for (size_t k = 0; k < t.n; k++)
		if (t.s[k] == '<')
			sb_z(b, "\\u003c");
		else
			sb_ch(b, t.s[k]);
	sb_free(&t);
}

static void log_of(const char *store, const char *id, const struct entry_ended *e, struct strbuf *b, size_t *total)
{
	struct strbuf path = { 0 };
	char *buf = NULL;
	struct stat st;
	ssize_t n = 0;
	int fd;

	sb_f(&path, "%s/runs/%s/log/", store, id);
	log_name_of(e->name, e->name_len, (int)e->attempts, &path);
	fd = open(sb_cstr(&path), O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && !fstat(fd, &st) && *total < LOGS_ALL) {
		off_t from = st.st_size > LOG_LONGEST ? st.st_size - LOG_LONGEST : 0;

		buf = xmalloc(LOG_LONGEST);
		n = pread(fd, buf, LOG_LONGEST, from);
		if (n > 0) {
			sb_z(b, ",\"log\":");
			safe_json(b, buf, (size_t)n);
			*total += (size_t)n;
			if (from)
				sb_f(b, ",\"cut\":%lld", (long long)from);
		}
	}
	if (fd >= 0)
		close(fd);
	free(buf);
	sb_free(&path);
}

static void deps_of(const struct entry_ended *e, struct strbuf *b)
{
	bool first = true;

	sb_z(b, ",\"deps\":[");
	for (size_t at = 0; at < e->deps_len; ) {
		const char *end = memchr(e->deps + at, '\n', e->deps_len - at);
		size_t n = end ? (size_t)(end - e->deps) - at : e->deps_len - at;

		if (!first)
			sb_ch(b, ',');
		first = false;
		safe_json(b, e->deps + at, n);
		at += n + 1;
	}
	sb_ch(b, ']');
}

static void step_json(const struct runlog *l, uint32_t k, const char *store, const char *id, struct strbuf *b, size_t *total)
{
	const struct entry_ended *e = &l->v[k];

	sb_z(b, k ? ",\n{\"name\":" : "\n{\"name\":");
	safe_json(b, e->name, e->name_len);
	sb_f(b, ",\"kind\":\"%s\",\"status\":\"%s\",\"line\":%u,\"attempts\":%u,\"cached\":%s,\"start\":%.4f,\"end\":%.4f,\"cpu\":%.3f,\"rss\":%llu,\"lane\":%d",
		e->kind < N_COUNT ? node_kind_name(e->kind) : "", status_name(e->status), e->line, e->attempts, e->cached ? "true" : "false", e->t_start, e->t_end, e->cpu,
		(unsigned long long)e->rss, l->lane[k] == UINT32_MAX ? -1 : (int)l->lane[k]);
	if (e->exit_code != UINT32_MAX)
		sb_f(b, ",\"exit\":%u", e->exit_code);
	if (e->err_len) {
		sb_z(b, ",\"err\":");
		safe_json(b, e->err, e->err_len);
	}
	deps_of(e, b);
	log_of(store, id, e, b, total);
	sb_ch(b, '}');
}

static void data(const struct runlog *l, const char *store, const char *id, struct strbuf *b)
{
	struct strbuf args = { 0 };
	size_t total = 0;

	sb_z(&args, "couler run");
	for (size_t at = l->run.args_len ? strlen(l->run.args) + 1 : 0; at < l->run.args_len; at += strlen(l->run.args + at) + 1)
		sb_f(&args, " %s", l->run.args + at);                         /* the first is the program's own */
	sb_z(b, "{\"id\":");
	safe_json(b, id, strlen(id));
	sb_z(b, ",\"workflow\":");
	safe_json(b, l->run.workflow, l->run.workflow_len);
	sb_z(b, ",\"file\":");
	safe_json(b, l->run.file, l->run.file_len);
	sb_z(b, ",\"command\":");
	safe_json(b, args.s ? args.s : "", args.n);
	sb_f(b, ",\"started\":%.3f,\"seconds\":%.3f,\"lanes\":%u,\"status\":\"%s\",\"steps\":[", l->run.started, l->ended ? l->end.ended - l->run.started : l->last, l->nlanes,
		!l->ended ? "not ended" : l->end.code == 0 ? "succeeded" : l->end.code < 0 ? "interrupted" : "failed");
	for (uint32_t k = 0; k < l->n; k++)
		step_json(l, k, store, id, b, &total);
	sb_z(b, "\n]}");
	sb_free(&args);
}

int run_report(const char *store, const char *id, struct strbuf *html, char **err)
{
	const char *page = (const char *)embed_src_run_report_html, *mark;
	struct runlog l;

	*err = NULL;
	if (runlog_read(&l, store, id, err))
		return -1;
	mark = memmem(page, embed_src_run_report_html_len, MARK, strlen(MARK));
	sb_add(html, page, (size_t)(mark - page));
	data(&l, store, id, html);
	mark += strlen(MARK);
	sb_add(html, mark, embed_src_run_report_html_len - (size_t)(mark - page));
	runlog_free(&l);
	return 0;
}
