/* Identity of steps at compile time: written as bytes, compared as bytes; a hash of them finds candidates. */
#include "identity.h"

#include <string.h>

struct identities {
	struct arena *arena;
	struct ir *m;
	struct node *const *rep;
	uint64_t *task;                   /* by task id: hash, 0: not known yet */
	uint32_t ntasks;
	VEC(const struct expr *) stack;
};

struct identities *identities_new(struct arena *scratch, struct ir *m, struct node *const *rep)
{
	struct identities *t = arena_new_of(scratch, struct identities);

	t->arena = scratch;
	t->m = m;
	t->rep = rep;
	t->ntasks = m->tasks.n;
	t->task = arena_array(scratch, uint64_t, m->tasks.n + 1);
	return t;
}

/* ---- writing ---- */

static void word(struct strbuf *b, uint64_t x)
{
	sb_add(b, (const char *)&x, sizeof x);
}

static void text(struct strbuf *b, const struct str *s)
{
	word(b, s ? s->len : UINT64_MAX);
	if (s)
		sb_str(b, s);
}

static void type(struct strbuf *b, struct type t)
{
	word(b, (uint64_t)t.kind | (uint64_t)t.list << 8 | (uint64_t)t.opt << 16);
}

static void literal(struct strbuf *b, const struct value *v)
{
	uint64_t len;
	size_t at;

	type(b, v->type);
	text(b, v->text);
	text(b, v->sha256);
	word(b, 0);
	at = b->n;
	value_json(b, v);
	len = b->n - at;
	memcpy(b->s + at - sizeof len, &len, sizeof len);
	for (uint32_t i = 0; v->type.list && i < v->n; i++) {
		text(b, v->u.list[i].text);
		text(b, v->u.list[i].sha256);
	}
}

static const struct node *rep_of(const struct identities *t, const struct node *n)
{
	while (n && t->rep[n->id])
		n = t->rep[n->id];
	return n;
}

static void reference(const struct identities *t, struct strbuf *b, const struct expr *e)
{
	bool own = e->fn == REF_INPUT || e->fn == REF_OUTPATH || e->fn == REF_ENV || e->fn == REF_PARAM || e->fn == REF_FIELD;
	bool ported = e->fn != REF_STATUS && e->fn != REF_EXIT_CODE && e->fn != REF_ITEM && e->fn != REF_INDEX;

	word(b, own || !e->u.node ? UINT64_MAX : rep_of(t, e->u.node)->id);
	word(b, ported ? e->n : 0);
}

/* In preorder, each with its number of operands. */
static void expression(struct identities *t, struct strbuf *b, const struct expr *e)
{
	t->stack.n = 0;
	if (!e)
		word(b, UINT64_MAX);
	else
		vec_push(t->arena, &t->stack, e);
	while (t->stack.n) {
		const struct expr *x = t->stack.v[--t->stack.n];
		struct expr **args = x->op == EX_LIT || x->op == EX_REF ? NULL : expr_args((struct expr *)(uintptr_t)x);

		word(b, (uint64_t)x->op | (uint64_t)x->fn << 8 | (uint64_t)x->n << 16);
		type(b, x->type);
		if (x->op == EX_LIT)
			literal(b, x->u.lit);
		else if (x->op == EX_REF)
			reference(t, b, x);
		else if (x->op == EX_MEMBER)
			text(b, x->u.member.key);
		for (uint32_t i = args ? expr_arity(x) : 0; i-- > 0; )
			vec_push(t->arena, &t->stack, args[i]);
	}
}

static void decls(struct strbuf *b, const struct ir_decl *d, uint32_t n)
{
	word(b, n);
	for (uint32_t i = 0; i < n; i++) {
		text(b, d[i].name);
		type(b, d[i].type);
		text(b, d[i].named);
		text(b, d[i].at);
		word(b, d[i].from_stdout);
	}
}

/* Tasks of the kinds that hold more than this are equal only to themselves. */
static void task(struct identities *t, struct strbuf *b, const struct ir_task *k)
{
	word(b, k->body);
	decls(b, k->ins, k->nins);
	decls(b, k->outs, k->nouts);
	text(b, k->shell);
	text(b, k->script);
	word(b, k->nargv);
	for (uint32_t i = 0; i < k->nargv; i++)
		expression(t, b, k->argv[i]);
	word(b, k->ncode);
	for (uint32_t i = 0; i < k->ncode; i++) {
		text(b, k->code[i].path);
		text(b, k->code[i].sha256);
		word(b, k->code[i].exec);
	}
	if (k->body != BODY_RUN && k->body != BODY_COMMAND && k->body != BODY_ARGS)
		word(b, k->id);
}

/* What differs from call to call: inputs, and what `cache` adds. */
static void inputs(struct identities *t, struct strbuf *b, const struct node *n)
{
	const struct ir_cache *c = &n->attrs->cache;

	for (uint32_t i = 0; i < n->nins; i++)
		expression(t, b, n->ins[i]);
	text(b, c->version);
	word(b, c->nkey);
	for (uint32_t i = 0; i < c->nkey; i++)
		expression(t, b, c->key[i]);
}

static void pairs(struct identities *t, struct strbuf *b, const struct ir_pair *v, uint32_t n)
{
	word(b, n);
	for (uint32_t i = 0; i < n; i++) {
		text(b, v[i].key);
		expression(t, b, v[i].value);
	}
}

static void environment(struct identities *t, struct strbuf *b, const struct ir_env *v, uint32_t n)
{
	word(b, n);
	for (uint32_t i = 0; i < n; i++) {
		text(b, v[i].name);
		word(b, v[i].kind);
		text(b, v[i].ref);
		text(b, v[i].key);
		expression(t, b, v[i].value);
	}
}

static void real(struct strbuf *b, double d)
{
	uint64_t x;

	memcpy(&x, &d, sizeof x);
	word(b, x);
}

static void placement(struct identities *t, struct strbuf *b, const struct attrs *a)
{
	word(b, a->locks.n);
	for (uint32_t i = 0; i < a->locks.n; i++) {
		expression(t, b, a->locks.v[i].name);
		word(b, (uint64_t)a->locks.v[i].size);
		word(b, a->locks.v[i].pool);
	}
	word(b, a->tolerate.n);
	for (uint32_t i = 0; i < a->tolerate.n; i++) {
		text(b, a->tolerate.v[i].key);
		text(b, a->tolerate.v[i].value);
		text(b, a->tolerate.v[i].effect);
	}
	word(b, a->mounts.n);
	for (uint32_t i = 0; i < a->mounts.n; i++) {
		text(b, a->mounts.v[i].path);
		text(b, a->mounts.v[i].name);
		word(b, (uint64_t)a->mounts.v[i].kind << 32 | a->mounts.v[i].volume);
	}
	pairs(t, b, a->selector.v, a->selector.n);
	text(b, a->argo);
	text(b, a->airflow);
}

static void attributes(struct identities *t, struct strbuf *b, const struct attrs *a)
{
	const struct expr *const one[] = { a->image, a->cpu, a->memory, a->gpu, a->gpu_type, a->disk, a->limit_cpu, a->limit_memory, a->retry.limit, a->retry.backoff,
		a->retry.factor, a->retry.max_backoff, a->retry.within, a->timeout, a->service_account, a->priority };

	for (size_t i = 0; i < sizeof one / sizeof *one; i++)
		expression(t, b, one[i]);
	environment(t, b, a->env.v, a->env.n);
	environment(t, b, a->env_from.v, a->env_from.n);
	word(b, a->retry.on);
	word(b, a->retry.codes.n);
	for (uint32_t i = 0; i < a->retry.codes.n; i++)
		word(b, (uint64_t)(int64_t)a->retry.codes.v[i]);
	word(b, (uint64_t)a->cache.mode << 1 | a->cache.given);
	real(b, a->cache.ttl);
	text(b, a->cache.version);
	word(b, a->cache.nkey);
	for (uint32_t i = 0; i < a->cache.nkey; i++)
		expression(t, b, a->cache.key[i]);
	placement(t, b, a);
}

/* ---- hashing and comparing ---- */

/* FNV-1a, 64 bits, a word at a time at the front. */
static uint64_t hash_of(const struct strbuf *b, uint64_t h)
{
	size_t i = 0;

	for (; i + 8 <= b->n; i += 8) {
		uint64_t x;

		memcpy(&x, b->s + i, sizeof x);
		h = (h ^ x) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	for (; i < b->n; i++)
		h = (h ^ (unsigned char)b->s[i]) * UINT64_C(0x100000001b3);
	return h ? h : 1;
}

uint64_t identities_hash(struct identities *t, const struct node *n)
{
	uint64_t *known = &t->task[n->u.task->id], h;
	struct strbuf b = { 0 };

	if (!*known) {
		task(t, &b, n->u.task);
		*known = hash_of(&b, UINT64_C(0xcbf29ce484222325));
		b.n = 0;
	}
	inputs(t, &b, n);
	h = hash_of(&b, *known);
	sb_free(&b);
	return h ^ h >> 32;
}

uint64_t identities_attrs_hash(struct identities *t, const struct node *n)
{
	struct strbuf b = { 0 };
	uint64_t h;

	attributes(t, &b, n->attrs);
	h = hash_of(&b, UINT64_C(0xcbf29ce484222325));
	sb_free(&b);
	return h ^ h >> 32;
}

static bool same_bytes(struct strbuf *x, struct strbuf *y)
{
	bool same = x->n == y->n && (!x->n || !memcmp(x->s, y->s, x->n));

	sb_free(x);
	sb_free(y);
	return same;
}

bool identities_equal(struct identities *t, const struct node *a, const struct node *b)
{
	struct strbuf x = { 0 }, y = { 0 };

	if (a->u.task != b->u.task) {
		task(t, &x, a->u.task);
		task(t, &y, b->u.task);
	}
	inputs(t, &x, a);
	inputs(t, &y, b);
	return same_bytes(&x, &y);
}

bool identities_same_attrs(struct identities *t, const struct node *a, const struct node *b)
{
	struct strbuf x = { 0 }, y = { 0 };

	if (a->attrs == b->attrs)
		return true;
	attributes(t, &x, a->attrs);
	attributes(t, &y, b->attrs);
	return same_bytes(&x, &y);
}
