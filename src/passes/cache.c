/*
 * cache: under a budget (--set cache.budget=20GB) the steps whose results are not worth their room are not kept: their
 * `cache` becomes off, so that Argo does not memoize them and the Airflow loader does not store them. Times and sizes come
 * from a profile, the lines of `couler cache ls --json`; a step that is not in it is left as it is.
 *
 * needs nothing; gives nothing; keeps everything.
 */
#include "passes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "couler/cachepolicy.h"

static const struct optdesc opts[] = {
	{ "budget", OPT_SIZE, NULL, NULL, "bytes that results may take; without it everything cacheable is kept" },
	{ "policy", OPT_ENUM, "couler+", "none|all|fifo|lru|lfu|lrc|gdsf|helix|hyppo|couler|couler+", "which results stay (docs/optimizer.md)" },
	{ "profile", OPT_STRING, NULL, NULL, "file with the lines of `couler cache ls --json`: times and sizes of earlier runs" },
	{ NULL, OPT_BOOL, NULL, NULL, NULL },
};

struct cacher { struct ir *m; struct diag *d; struct keep_ir *k; struct ptrmap off; uint32_t kept, left, unknown; };

/* ---- the profile ---- */

static int bad_profile(struct cacher *p, const char *path, uint32_t line, const char *why)
{
	struct diag_item *it = line ? diag_at(p->d, CW1221, (struct span){ 0 }, "%s:%u: %s", path, line, why) : diag_at(p->d, CW1221, (struct span){ 0 }, "%s: %s", path, why);

	diag_mend(p->d, it, "make it with `couler cache ls --json > %s` after a run", path);
	return -1;
}

static const struct json *member(struct cacher *p, const struct json *o, const char *key, enum json_kind kind)
{
	const struct json *v = o->kind == J_OBJ ? json_get(o, str_internz(p->m->strs, key)) : NULL;

	return v && v->kind == kind ? v : NULL;
}

static int read_line(struct cacher *p, const char *path, uint32_t line, const char *s, size_t n)
{
	struct valctx c = { p->m->arena, p->m->strs };
	const char *err = "is not JSON";
	size_t at;
	const struct json *o = json_parse(&c, s, n, &err, &at), *step, *seconds, *bytes, *time;

	if (!o)
		return bad_profile(p, path, line, err);
	step = member(p, o, "step", J_STR);
	seconds = member(p, o, "seconds", J_NUM);
	bytes = member(p, o, "bytes", J_NUM);
	time = member(p, o, "time", J_NUM);
	if (!step || !seconds || !bytes || seconds->u.d < 0 || bytes->u.d < 0)
		return bad_profile(p, path, line, "no \"step\", \"seconds\" and \"bytes\" of a result");
	keep_ir_add(p->k, step->u.s->s, step->u.s->len, seconds->u.d, bytes->u.d, time ? time->u.d : line);
	return 0;
}

static int read_profile(struct cacher *p, const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	uint32_t at = 0;
	int rc = 0;

	if (!f)
		return bad_profile(p, path, 0, strerror(errno));
	while (!rc && (n = getline(&line, &cap, f)) >= 0) {
		at++;
		while (n && (line[n - 1] == '\n' || line[n - 1] == ' '))
			n--;
		rc = n ? read_line(p, path, at, line, (size_t)n) : 0;
	}
	if (!rc && ferror(f))
		rc = bad_profile(p, path, 0, "it could not be read to its end");
	free(line);
	fclose(f);
	return rc;
}

/* ---- the decision ---- */

static bool has_artifact(const struct ir_task *t)
{
	for (uint32_t i = 0; i < t->nins; i++)
		if (type_is_path(t->ins[i].type))
			return true;
	return false;
}

static bool is_kept_now(const struct node *n)
{
	const struct ir_cache *c = &n->attrs->cache;

	return c->mode == CACHE_ON || (c->mode == CACHE_AUTO && has_artifact(n->u.task) && n->u.task->nouts);
}

static void figures(struct strbuf *b, const struct cacher *p, const struct str *name)
{
	sb_ch(b, ' ');
	size_write(b, (int64_t)keep_ir_bytes(p->k, name->s, name->len));
	sb_z(b, ", made in ");
	sb_f(b, "%.3g s", keep_ir_seconds(p->k, name->s, name->len));
}

static void decide(struct node *n, void *data)
{
	struct cacher *p = data;
	struct attrs *off;
	struct strbuf b = { 0 };
	enum keep_fate fate;

	if (n->kind != N_STEP || !is_kept_now(n))
		return;
	fate = keep_ir_fate(p->k, n->name->s, n->name->len);
	p->kept += fate == KEEP_YES;
	p->unknown += fate == KEEP_UNKNOWN || fate == KEEP_FOREIGN;
	if (fate == KEEP_UNKNOWN || fate == KEEP_FOREIGN)
		return;
	figures(&b, p, n->name);
	diag_remark(p->d, n->span, "cache: '%s' is %skept:%s", n->name->s, fate == KEEP_YES ? "" : "not ", sb_cstr(&b));
	sb_free(&b);
	if (fate == KEEP_YES)
		return;
	p->left++;
	off = ptrmap_get(&p->off, n->attrs);
	if (!off) {
		off = arena_new_of(p->m->arena, struct attrs);
		*off = *n->attrs;
		off->cache.mode = CACHE_OFF;
		off->cache.given = true;
		ptrmap_put(&p->off, n->attrs, off);
	}
	n->attrs = off;
}

static int run(struct ir *m, const struct target *t, const struct optset *o, struct diag *d)
{
	const char *budget = opt_string(o, "cache", opts, "budget"), *profile = opt_string(o, "cache", opts, "profile");
	struct cacher p = { .m = m, .d = d };
	struct arena *scratch;
	int rc = 0;

	(void)t;
	if (!budget)
		return 0;
	if (opt_int(o, "cache", opts, "budget") < 0) {
		diag_mend(d, diag_at(d, CW1204, (struct span){ 0 }, "--set cache.budget=%s is below zero", budget), "give a size such as 20GB");
		return -1;
	}
	scratch = arena_new();
	p.k = keep_ir_new(scratch, m);
	if (profile)
		rc = read_profile(&p, profile);
	if (!rc && !keep_ir_decide(p.k, keep_policy_find(opt_string(o, "cache", opts, "policy")), (double)opt_int(o, "cache", opts, "budget"))) {
		workflow_nodes(m->entry, decide, &p);
		diag_remark(d, m->entry->span, "cache: %u step%s kept within %s, %u not; of %u nothing is known, so %s stay%s as %s", p.kept, p.kept == 1 ? "" : "s", budget, p.left, p.unknown,
			p.unknown == 1 ? "it" : "they", p.unknown == 1 ? "s" : "", p.unknown == 1 ? "it is" : "they are");
	}
	ptrmap_free(&p.off);
	arena_free(scratch);
	return rc;
}

const struct pass pass_cache = {
	.name = "cache", .help = "under --set cache.budget=SIZE, results that are not worth their room are not kept", .opts = opts, .run = run,
};
