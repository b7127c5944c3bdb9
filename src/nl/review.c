/* Before trust: what a draft reaches, and what of the description it lacks. */
#include <ctype.h>
#include <string.h>

#include "couler/nl.h"
#include "plan.h"

static const struct { const char *pattern, *what; int group; } rows[] = {
	{ "image\\s*=\\s*\"([^\":@]+|[^\"]*:latest|[^\"]*/[^\":@]+)\"", "image without a fixed version", 1 },
	{ "image\\s*=\\s*\"((?!(?:[a-z0-9._-]+(?::[^/\"]*)?\"|(?:docker\\.io|ghcr\\.io|quay\\.io|gcr\\.io|nvcr\\.io|registry\\.k8s\\.io|mcr\\.microsoft\\.com|public\\.ecr\\.aws)/))[a-z0-9-]+\\.[a-z0-9.:-]+/[^\"]+)\"", "image of a registry that is not one of the well-known", 1 },
	{ "\\b(?:https?|s3|gs|ftp|sftp|git\\+https)://([^\\s\"'/${}]+)", "place it reaches", 0 },
	{ "secret\\(\"([^\"]+)\"", "secret it reads", 1 },
	{ "(?m)^\\s*schedule\\b[^\\n]*", "schedule", 0 },
	{ "\\b(?:privileged\\s*[:=]\\s*true|hostPath|hostNetwork|runAsUser\\s*[:=]\\s*0|hostPID)\\b", "privilege on the machine", 0 },
	{ "service_account\\s*=\\s*\"[^\"]+\"", "account with rights of its own", 0 },
	{ "\\b(?:curl|wget)\\b[^\\n|]*\\|\\s*(?:sudo\\s+)?(?:ba|z|da)?sh\\b", "runs what it downloads", 0 },
	{ "\\brm\\s+-[a-z]*(?:rf|fr)[a-z]*\\b[^\\n]*", "deletes folders", 0 },
	{ "\\b(?:sk-[A-Za-z0-9_-]{16,}|AKIA[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{20,}|xox[abp]-[A-Za-z0-9-]{10,}|AIza[A-Za-z0-9_-]{30,})", "key in the text: put it into a secret", 0 },
};

void nl_review(const char *text, size_t n, struct strbuf *out)
{
	struct arena *a = arena_new();
	struct ntext *t = ntext_new(a, "", 0);

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct strbuf seen = { 0 };
		struct rx_match m;

		for (size_t at = 0; rx_find(t, rows[i].pattern, text, n, at, &m); at = m.g[0].off + (m.g[0].len ? m.g[0].len : 1)) {
			const struct rx_group *g = &m.g[rows[i].group];
			struct strbuf one = { 0 };
			uint32_t len = g->len > 100 ? 100 : g->len;
			const char *s = text + g->off;

			while (len && isspace((unsigned char)*s)) {
				s++;
				len--;
			}
			sb_z(&one, rows[i].what);
			sb_z(&one, ": ");
			if (rows[i].what[0] == 'k')
				sb_f(&one, "%.4s...", s);
			else
				sb_safe(&one, s, len);
			sb_ch(&one, '\n');
			if (!seen.n || !memmem(seen.s, seen.n, one.s, one.n)) {
				sb_add(&seen, one.s, one.n);
				sb_add(out, one.s, one.n);
			}
			sb_free(&one);
		}
		sb_free(&seen);
	}
	ntext_free(t);
	arena_free(a);
}

static bool holds(const char *draft, size_t len, const char *s)
{
	return memmem(draft, len, s, strlen(s)) != NULL;
}

static bool holds_number(struct ntext *t, const char *draft, size_t len, double v)
{
	struct rx_match m;

	for (size_t at = 0; rx_find(t, "\\d+(?:\\.\\d+)?(?:e-?\\d+)?", draft, len, at, &m); at = m.g[0].off + m.g[0].len)
		if (nl_number(draft + m.g[0].off, m.g[0].len) == v)
			return true;
	return false;
}

unsigned nl_missing(const char *description, size_t n, const char *draft, size_t len, struct strbuf *out)
{
	struct arena *a = arena_new();
	struct plan *p = plan_make(a, description, n);
	unsigned missing = 0;

	for (uint32_t i = 0; i < p->facts.schedule.n; i++)
		if (!holds(draft, len, p->facts.schedule.cron[i])) {
			sb_f(out, "schedule: cron \"%s\"\n", p->facts.schedule.cron[i]);
			missing++;
		}
	if (p->facts.schedule.timezone && strcmp(p->facts.schedule.timezone, "UTC") != 0 && !holds(draft, len, p->facts.schedule.timezone)) {
		sb_f(out, "timezone: %s\n", p->facts.schedule.timezone);
		missing++;
	}
	for (uint32_t i = 0; i < p->facts.v.n; i++) {
		const struct fact *f = &p->facts.v.v[i];
		static const char *const words[] = {
#define X(k, w) w,
			FACTS(X)
#undef X
		};
		bool text = f->type == F_URI || f->type == F_FILE || f->type == F_IMAGE || f->type == F_EMAIL || f->type == F_SECRET || f->type == F_ACCOUNT || f->type == F_CODE;
		bool number = f->type == F_RETRY || f->type == F_GPU || f->type == F_CPU || f->type == F_PARALLEL;

		if (text && f->str && !holds(draft, len, f->str)) {
			sb_f(out, "%s: %s\n", words[f->type], f->str);
			missing++;
		} else if (number && !holds_number(p->text, draft, len, f->num)) {
			sb_f(out, "%s: %s\n", words[f->type], nl_num_text(a, f->num));
			missing++;
		}
	}
	for (uint32_t i = 0; i < p->conds.n; i++)
		if (p->conds.v[i].number && !holds_number(p->text, draft, len, nl_number(p->conds.v[i].number, strlen(p->conds.v[i].number)))) {
			sb_f(out, "threshold: %s\n", p->conds.v[i].text);
			missing++;
		}
	for (uint32_t i = 0; i < p->facts.params.n; i++)
		if (!holds(draft, len, p->facts.params.v[i].name)) {
			sb_f(out, "param: %s\n", p->facts.params.v[i].name);
			missing++;
		}
	plan_free(p);
	arena_free(a);
	return missing;
}
