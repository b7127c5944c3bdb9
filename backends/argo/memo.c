/*
 * memoize: on a cluster a step of cache = on is not run again where its identity is the same (docs/engines.md, "Argo",
 * --set argo.memoize). The key is the SHA-256 of what the template says and of every value that goes into it. Steps whose
 * identity the engine cannot know, and those that it could not keep, run every time; a remark says why.
 *
 * Entries lie in ConfigMaps of at most 1 MiB, and one that is full fails the step that would add to it: so a step has a
 * ConfigMap of its own, and what fills one quickly is not kept.
 */
#include "shape.h"
#include "yaml.h"

#include <math.h>
#include <openssl/evp.h>
#include <string.h>

bool graph_repeated(const struct graph *gr)
{
	for (; gr->owner; gr = gr->owner->graph)
		if (gr->owner->kind == N_FOR || gr->owner->kind == N_LOOP || gr->owner->kind == N_SWEEP)
			return true;
	return false;
}

/* Why the step of n is not kept; NULL: it is. */
static const char *why_not(struct argo *g, const struct shape *s, const struct node *n)
{
	const struct ir_task *t = s->task;

	for (uint32_t i = 0; i < t->nins; i++)
		if (type_is_path(t->ins[i].type) && !pinned(n->ins[i]))
			return a_f(g, "the engine does not know what is in its file '%s'", t->ins[i].name->s);
	for (uint32_t i = 0; i < t->nouts; i++) {
		if (n->to && n->to[i])
			return a_f(g, "it publishes '%s', and a result that is kept publishes nothing", t->outs[i].name->s);
		if (!type_is_path(t->outs[i].type) && (t->outs[i].type.list || t->outs[i].type.kind == T_JSON))
			return a_f(g, "'%s' may be larger than the engine can keep", t->outs[i].name->s);
	}
	if (s->many)
		return "it runs many times in one run, more often than the engine can keep";
	if (s->keyed)
		return "its files are gathered from this run's folder";
	if (info(g, n)->ctx->kind == CTX_ON)
		return "it stands in an `on` block";
	if (info(g, n)->on_used)
		return "an `on` block reads it, and the engine hands on no result that was kept";
	return NULL;
}

static void digest(const void *p, size_t n, char hex[65])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (!EVP_Digest(p, n, md, &len, EVP_sha256(), NULL))
		len = 0;
	for (unsigned i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", i < len ? md[i] : 0);
}

/* One more value, as its text. */
static void part(struct site *x, struct strbuf *b, const struct expr *e)
{
	struct ex t;

	if (e->op == EX_LIT)                                                   /* stands in the template */
		return;
	t = xl_text(x, e, FORM_ANY);
	if (may_fail(t.s))
		t = hoisted(x, e, false);
	sb_f(b, ", %s", ex_in(x, xl_sealed(x, t), P_OPEN));
}

/* [digest, value...] as an expression over the inputs of the template. */
static const char *values(struct argo *g, const struct shape *s, struct site *x, const char *hex)
{
	const struct attrs *a = s->attrs;
	struct strbuf b = { 0 };

	x->lets = 0;
	sb_f(&b, "['%s'", hex);
	for (uint32_t i = 0; i < s->task->nins; i++)
		if (!type_is_path(s->task->ins[i].type))
			part(x, &b, expr_ref(g->a, REF_INPUT, NULL, i, s->task->ins[i].type, s->task->ins[i].span));
	for (uint32_t i = 0; i < a->env.n; i++)
		if (a->env.v[i].kind == ENV_EXPR)
			part(x, &b, a->env.v[i].value);
	if (a->image)
		part(x, &b, a->image);
	for (uint32_t i = 0; i < a->cache.nkey; i++)
		part(x, &b, a->cache.key[i]);
	sb_ch(&b, ']');
	return a_buf(g, &b);
}

void memo_write(struct argo *g, struct yaml *y, struct shape *s, struct site *x)
{
	const struct attrs *a = s->attrs;
	const char *why;
	struct strbuf text = { 0 };
	char hex[65];

	if (!g->memoize || s->first->kind != N_STEP || !s->task || s->task->body == BODY_ARGO || !a || a->argo || a->cache.mode != CACHE_ON)
		return;
	why = why_not(g, s, s->first);
	if (why) {
		if (!g->measured)
			diag_remark(g->d, s->first->span, "argo: '%s' runs every time: %s", s->first->name->s, why);
		return;
	}
	sb_z(&text, "couler memoize 1\n");
	if (a->cache.version)
		sb_f(&text, "%s\n", a->cache.version->s);
	for (uint32_t i = 0; i < a->cache.nkey; i++) {
		struct strbuf key = { 0 };

		if (a->cache.key[i]->op == EX_LIT)
			value_json(&key, a->cache.key[i]->u.lit);
		sb_f(&text, "%s\n", sb_cstr(&key));
		sb_free(&key);
	}
	sb_add(&text, y->b->s ? y->b->s : "", y->b->n);                        /* the template so far: outputs, body, attributes */
	digest(text.s, text.n, hex);
	sb_free(&text);
	y_open(y, "memoize");
	y_z(y, "key", value_tag(x, ex_f(x, P_ATOM, "sprig.sha256sum(toJson(%s))", values(g, s, x, hex))));
	if (a->cache.ttl > 0)
		y_f(y, "maxAge", "%.0fs", ceil(a->cache.ttl));
	else
		y_plain(y, "maxAge", "\"\"");                               /* its CRD wants one */
	y_open(y, "cache");
	y_open(y, "configMap");
	y_f(y, "name", "couler-cache-%.16s", hex);
	y_end(y);
	y_end(y);
	y_end(y);
}
