/* Logs: a running step appends to its folder's log; what is not empty is kept under the name of the step. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rt.h"

/* Name of a file for a step: its own where a file name may hold it. */
void log_name_of(const char *name, size_t n, int attempt, struct strbuf *b)
{
	if (n > 200) {
		uint64_t h = 0xcbf29ce484222325u;

		for (size_t k = 0; k < n; k++)
			h = (h ^ (unsigned char)name[k]) * 0x100000001b3u;
		sb_add(b, name, 160);
		sb_f(b, "-%016llx", (unsigned long long)h);
	} else
		sb_add(b, name, n);
	if (attempt > 1)
		sb_f(b, ".%d", attempt);
}

void log_name(const struct inst *i, int attempt, struct strbuf *b)
{
	struct strbuf name = { 0 };

	inst_name(i, &name);
	log_name_of(name.s, name.n, attempt, b);
	sb_free(&name);
}

char *log_path(struct rt *rt, const struct inst *i, int attempt)
{
	struct strbuf b = { 0 };
	char *p;

	sb_f(&b, "%s/log/", rt->dir);
	log_name(i, attempt, &b);
	p = xstrdup(sb_cstr(&b));
	sb_free(&b);
	return p;
}

void step_keep_log(struct rt *rt, struct step *s)
{
	struct strbuf b = { 0 };
	struct stat st;
	char *to;

	if (!s->slot)
		return;
	sb_f(&b, "%s/log", s->slot->dir);
	if (!stat(sb_cstr(&b), &st) && st.st_size) {
		to = log_path(rt, s->inst, s->inst->attempts);
		if (rename(b.s, to)) {
			char *slash = strrchr(to, '/');

			*slash = '\0';
			mkdir(to, 0777);
			*slash = '/';
			if (rename(b.s, to))
				view_note(rt, "%s: %s", to, strerror(errno));
		}
		free(to);
	}
	sb_free(&b);
}

void attempt_log(struct rt *rt, struct step *s, bool ok)
{
	(void)ok;
	if (!s->done)
		step_keep_log(rt, s);
}
