/* Attributes: the rows of attr_table.h, the keys of a block, and layers merged into what holds for a node. */
#include "attr.h"

#include <stdlib.h>
#include <string.h>

const struct attr_row attr_rows[ATTR_COUNT] = {
#define ATTR(id, group, key, form, expr, words, owners, dflt, doc, example) \
	{ key, "'" key "'", GROUP_##group, FORM_##form, expr, words, owners, dflt, doc, example },
#include "attr_table.h"
#undef ATTR
};

const char *const attr_form_words[FORM_COUNT] = {
#define X(f, s) s,
	ATTR_FORMS(X)
#undef X
};

const char *const attr_group_words[GROUP_COUNT] = {
#define X(g, s) s,
	ATTR_GROUPS(X)
#undef X
};

/* Merged results by the layers they were made of. */
struct merged { const struct layer **layers; uint32_t n; struct attrs *a; };

struct attr_state {
	struct strmap rows[GROUP_COUNT];  /* key -> its first row */
	uint8_t next[ATTR_COUNT];         /* the next row with the same key and group, 0: none (row 0 is nobody's next) */
	struct layer **layers;            /* open addressing by block and scope */
	uint32_t nlayers, layers_cap;
	struct merged *merged;            /* open addressing by layers */
	uint32_t nmerged, merged_cap;
	struct attrs *none;               /* nothing said */
};

static struct attr_state *state(struct elab *e)
{
	struct attr_state *st = e->attrs;

	if (st)
		return st;
	st = e->attrs = arena_new_of(e->arena, struct attr_state);
	for (uint32_t i = 0; i < ATTR_COUNT; i++) {
		const struct str *key = str_internz(e->strs, attr_rows[i].key);
		struct strmap *m = &st->rows[attr_rows[i].group];
		const struct attr_row *first = strmap_get(m, key);

		if (first) {
			uint32_t at = (uint32_t)(first - attr_rows);

			while (st->next[at])
				at = st->next[at];
			st->next[at] = (uint8_t)i;
		} else {
			strmap_put(e->arena, m, key, (void *)(uintptr_t)&attr_rows[i]);
		}
	}
	return st;
}

static const struct attr_row *first_row(struct elab *e, enum attr_group g, const struct str *key)
{
	return strmap_get(&state(e)->rows[g], key);
}

const struct attr_row *attr_find(struct elab *e, enum attr_group g, const struct str *key, unsigned owner)
{
	const struct attr_row *r = first_row(e, g, key);
	struct attr_state *st = e->attrs;

	while (r && !(r->owners & owner)) {
		uint8_t i = st->next[r - attr_rows];

		r = i ? &attr_rows[i] : NULL;
	}
	return r;
}

/* ---- owners in words ---- */

static const struct { unsigned owner; const char *words; } owner_names[] = {
	{ OWN_TASK, "a task" }, { OWN_STEP, "a step" }, { OWN_CALL, "a call" }, { OWN_WFCALL, "the call of a workflow" }, { OWN_DEFAULTS, "`defaults`" },
	{ OWN_SWEEP, "a sweep" }, { OWN_WAIT, "a wait" }, { OWN_APPROVE, "an approve" }, { OWN_SERVICE, "a service" }, { OWN_FAIL, "a fail" },
	{ OWN_WORKFLOW, "a workflow" }, { OWN_WORKERS, "the `workers` of a dataflow" }, { OWN_FOR, "a for" }, { OWN_LOOP, "a loop" },
	{ OWN_IF, "an if" }, { OWN_ON, "an `on` block" }, { OWN_FILE, "the top of a file" }, { OWN_STORE, "a store" }, { OWN_VOLUME, "a volume" },
	{ OWN_JOB_PYTORCH, "a job pytorch" }, { OWN_JOB_TENSORFLOW, "a job tensorflow" }, { OWN_JOB_MPI, "a job mpi" }, { OWN_JOB_RAY, "a job ray" },
	{ OWN_JOB_KUBERNETES, "a job kubernetes" }, { OWN_DATAFLOW, "a dataflow" }, { OWN_OP, "an op" }, { OWN_TRAINER, "a trainer" },
	{ OWN_DEFAULTS_OF_CALL, "the call of a workflow" },
};
enum { NOWNERS = sizeof owner_names / sizeof *owner_names };

const char *attr_owner_words(unsigned owner)
{
	for (size_t i = 0; i < NOWNERS; i++)
		if (owner_names[i].owner & owner)
			return owner_names[i].words;
	return "this block";
}

const char *attr_owners_list(struct elab *e, unsigned owners)
{
	struct strbuf b = { 0 };
	const char *s;
	uint32_t n = 0, left = 0;

	owners &= ~(unsigned)(OWN_DEFAULTS_OF_CALL | OWN_WFCALL);
	for (size_t i = 0; i < NOWNERS; i++)
		left += !!(owner_names[i].owner & owners);
	for (size_t i = 0; i < NOWNERS; i++)
		if (owner_names[i].owner & owners) {
			left--;
			if (n++)
				sb_z(&b, left ? ", " : " or ");
			sb_z(&b, owner_names[i].words);
		}
	s = arena_dup(e->arena, b.s ? b.s : "", b.n);
	sb_free(&b);
	return s;
}

enum attr_owner job_owner(const struct str *kind)
{
	static const struct { const char *kind; enum attr_owner owner; } jobs[] = {
		{ "pytorch", OWN_JOB_PYTORCH }, { "tensorflow", OWN_JOB_TENSORFLOW }, { "mpi", OWN_JOB_MPI }, { "ray", OWN_JOB_RAY }, { "kubernetes", OWN_JOB_KUBERNETES },
	};

	for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++)
		if (str_eq(kind, jobs[i].kind))
			return jobs[i].owner;
	return (enum attr_owner)0;
}

/* ---- entries of blocks ---- */

const struct ast_stmt *block_entry(const struct ast_block *b, const char *key)
{
	for (uint32_t i = 0; b && i < b->n; i++)
		if (b->v[i]->kind == AS_ENTRY && str_eq(b->v[i]->name, key))
			return b->v[i];
	return NULL;
}

const struct ast_stmt *layers_entry(const struct attr_layer *layers, uint32_t n, const char *key, uint32_t *which)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct ast_stmt *entry = block_entry(layers[i].block, key);

		if (entry) {
			*which = i;
			return entry;
		}
	}
	return NULL;
}

const struct ast_block *entry_block(const struct ast_stmt *entry)
{
	return entry && entry->value && entry->value->kind == AX_MAP ? entry->value->u.block : NULL;
}

/* ---- keys ---- */

/* Letters and digits alone, small: maxParallel, max-parallel and MAX_PARALLEL are one. */
static size_t plain(char *out, size_t cap, const char *s, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n && k < cap; i++)
		if (s[i] != '_' && s[i] != '-')
			out[k++] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] | 32 : s[i]);
	return k;
}

static const char *near_key(enum attr_group g, unsigned owner, const struct str *key)
{
	const char *cand[ATTR_COUNT];
	char a[64], b[64];
	size_t n = 0, len = plain(a, sizeof a, key->s, key->len);

	for (uint32_t i = 0; i < ATTR_COUNT; i++) {
		const struct attr_row *r = &attr_rows[i];

		if (r->group != g || !(r->owners & owner))
			continue;
		if (len < sizeof a && plain(b, sizeof b, r->key, strlen(r->key)) == len && !memcmp(a, b, len))
			return r->key;
		cand[n++] = r->key;
	}
	return key->len > 64 ? NULL : nearest(key->s, key->len, cand, n);
}

/* A key of one group's block that stands in another: `cpu` outside of resources, `limit` outside of retry. */
static const struct attr_row *in_other_group(struct elab *e, enum attr_group g, const struct str *key, unsigned owner)
{
	for (uint32_t k = GROUP_TOP; k < GROUP_COUNT; k++) {
		const struct attr_row *r = k == (uint32_t)g ? NULL : attr_find(e, (enum attr_group)k, key, owner);

		if (r)
			return r;
	}
	return NULL;
}

static void misplaced(struct elab *e, const struct ast_stmt *s, const struct attr_row *r, unsigned owner)
{
	struct diag_item *it;

	if ((owner & (OWN_DEFAULTS | OWN_DEFAULTS_OF_CALL | OWN_WFCALL)) && !strcmp(r->key, "lock")) {
		it = diag_at(e->diag, CW0411, s->name_span, "'lock' does not stand in %s: every step would wait for every other", attr_owner_words(owner));
		diag_mend(e->diag, it, "write it in the steps that share something, or in the workflow to lock the whole run");
	} else if (owner & OWN_TASK && !strcmp(r->key, "after")) {
		it = diag_at(e->diag, CW0411, s->name_span, "'after' does not stand in a task, which knows no steps");
		diag_mend(e->diag, it, "write it in the block of the call: step b = %s { after = [a] }", "t(...)");
	} else if (owner & (OWN_DEFAULTS | OWN_TASK) && r->owners & (OWN_STEP | OWN_TASK)) {
		it = diag_at(e->diag, CW0411, s->name_span, "'%s' does not stand in %s", r->key, attr_owner_words(owner));
		diag_mend(e->diag, it, "write it in %s", attr_owners_list(e, r->owners));
	} else {
		it = diag_at(e->diag, CW0411, s->name_span, "%s takes no '%s'", attr_owner_words(owner), r->key);
		if ((owner & (OWN_IF | OWN_FOR | OWN_LOOP | OWN_ON | OWN_WORKFLOW)) && r->owners & OWN_DEFAULTS)
			diag_mend(e->diag, it, "write it in a step, or for all steps below in `defaults { %s = ... }`", r->key);
		else
			diag_mend(e->diag, it, "it belongs into %s", attr_owners_list(e, r->owners));
	}
}

static void unknown_key(struct elab *e, const struct ast_stmt *s, enum attr_group g, unsigned owner)
{
	const struct attr_row *r = first_row(e, g, s->name);
	struct diag_item *it;
	const struct attr_row *there = in_other_group(e, g, s->name, owner);
	struct strbuf b = { 0 };
	const char *near;

	if (there) {
		r = there;
		it = diag_at(e->diag, CW0411, s->name_span, r->group == GROUP_TOP ? "'%s' does not stand in '%s'" : "'%s' stands in '%s'", r->key,
			r->group == GROUP_TOP ? attr_group_words[g] : attr_group_words[r->group]);
		if (r->group == GROUP_TOP)
			diag_mend(e->diag, it, "write it beside '%s', not inside", attr_group_words[g]);
		else
			diag_mend(e->diag, it, "write %s { %s = ... }", attr_group_words[r->group], r->key);
		return;
	}
	if (alias_report(e->diag, s->name, s->name_span, (enum attr_owner)owner))
		return;
	if (g == GROUP_TOP && r) {
		misplaced(e, s, r, owner);
		return;
	}
	sb_safe(&b, s->name->s, s->name->len > 60 ? utf8_valid(s->name->s, 60) : s->name->len);
	if (s->name->len > 60)
		sb_z(&b, "...");
	near = near_key(g, owner, s->name);
	it = diag_at(e->diag, CW0410, s->name_span, "%s%s%s has no attribute '%s'", g == GROUP_TOP ? "" : "'", g == GROUP_TOP ? attr_owner_words(owner) : attr_group_words[g],
		g == GROUP_TOP ? "" : "'", sb_cstr(&b));
	sb_free(&b);
	if (near) {
		diag_label(e->diag, it, "did you mean '%s'?", near);
		return;
	}
	for (uint32_t i = 0, n = 0; i < ATTR_COUNT; i++)
		if (attr_rows[i].group == g && attr_rows[i].owners & owner)
			sb_f(&b, "%s%s", n++ ? ", " : "", attr_rows[i].key);
	if (b.n)
		diag_mend(e->diag, it, "it takes %s", sb_cstr(&b));
	sb_free(&b);
}

static void check_group(struct elab *e, const struct ast_block *b, enum attr_group g, unsigned owner)
{
	const struct ast_stmt *seen[ATTR_COUNT] = { 0 };

	for (uint32_t i = 0; i < b->n; i++) {
		const struct ast_stmt *s = b->v[i];
		const struct attr_row *r;
		struct diag_item *it;

		if (s->kind != AS_ENTRY)
			continue;
		r = attr_find(e, g, s->name, owner);
		if (!r) {
			unknown_key(e, s, g, owner);
			continue;
		}
		if (seen[r - attr_rows]) {
			it = diag_at(e->diag, CW0412, s->name_span, "'%s' is given twice", r->key);
			diag_note(e->diag, it, seen[r - attr_rows]->name_span, "it is set here already");
			diag_mend(e->diag, it, "leave one of them");
			continue;
		}
		seen[r - attr_rows] = s;
		if (!s->value || s->value->kind == AX_ERROR || !form_check(e, s, r))
			continue;
		if (g == GROUP_TOP && entry_block(s)) {
			if (r->form == FORM_BLOCK && r != &attr_rows[ATTR_dataflow] && r != &attr_rows[ATTR_workers])
				check_group(e, entry_block(s), r == &attr_rows[ATTR_nodes] ? GROUP_NODES : GROUP_RESOURCES, owner);
			else if (r->form == FORM_RETRY || r->form == FORM_CACHE || r->form == FORM_SCHEDULE)
				check_group(e, entry_block(s), r->form == FORM_RETRY ? GROUP_RETRY : r->form == FORM_CACHE ? GROUP_CACHE : GROUP_SCHEDULE, owner);
		}
	}
}

void attrs_check_keys(struct elab *e, const struct ast_block *b, enum attr_owner owner)
{
	if (b)
		check_group(e, b, GROUP_TOP, (unsigned)owner);
}

/* ---- layers ---- */

static uint32_t mix(uint64_t h)
{
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdULL;
	return (uint32_t)(h ^ h >> 29);
}

static bool has_attrs(struct elab *e, const struct ast_block *b, unsigned owner)
{
	for (uint32_t i = 0; b && i < b->n; i++) {
		const struct attr_row *r = b->v[i]->kind == AS_ENTRY ? attr_find(e, GROUP_TOP, b->v[i]->name, owner) : NULL;

		/* rows up to `airflow` are those that struct attrs holds */
		if (r && r <= &attr_rows[ATTR_airflow] && r != &attr_rows[ATTR_code] && r != &attr_rows[ATTR_allow_failure])
			return true;
	}
	return false;
}

static struct layer **layer_slot(struct attr_state *st, const struct ast_block *b, const struct scope *s)
{
	uint32_t i = mix((uintptr_t)b * 31 + (uintptr_t)s) & (st->layers_cap - 1);

	while (st->layers[i] && (st->layers[i]->block != b || st->layers[i]->scope != s))
		i = (i + 1) & (st->layers_cap - 1);
	return &st->layers[i];
}

static void layers_grow(struct elab *e, struct attr_state *st)
{
	struct layer **old = st->layers;
	uint32_t cap = st->layers_cap;

	st->layers_cap = cap ? 2 * cap : 64;
	st->layers = arena_array(e->arena, struct layer *, st->layers_cap);
	for (uint32_t i = 0; i < cap; i++)
		if (old[i])
			*layer_slot(st, old[i]->block, old[i]->scope) = old[i];
}

static void layer_init(struct layer *l, const struct attr_layer *al)
{
	memset(l, 0, sizeof *l);
	l->a.cache.ttl = -1;
	l->block = al->block;
	l->scope = al->scope;
}

/* The layer of a block that several nodes share. */
static const struct layer *shared_layer(struct elab *e, const struct attr_layer *al)
{
	struct attr_state *st = state(e);
	struct layer **at, *l;

	if (4 * (st->nlayers + 1) > 3 * st->layers_cap)
		layers_grow(e, st);
	at = layer_slot(st, al->block, al->scope);
	if (*at)
		return *at;
	l = arena_new_of(e->arena, struct layer);
	layer_init(l, al);
	*at = l;
	st->nlayers++;
	if (has_attrs(e, al->block, (unsigned)al->owner)) {
		l->any = true;
		layer_read(e, al->scope, al->block, (unsigned)al->owner, l);
	}
	return l;
}

static uint32_t merged_slot(const struct attr_state *st, const struct layer *const *v, uint32_t n)
{
	uint64_t h = n;
	uint32_t i;

	for (i = 0; i < n; i++)
		h = h * 0x9e3779b97f4a7c15ULL + (uintptr_t)v[i];
	for (i = mix(h) & (st->merged_cap - 1); st->merged[i].a; i = (i + 1) & (st->merged_cap - 1))
		if (st->merged[i].n == n && !memcmp(st->merged[i].layers, v, n * sizeof *v))
			break;
	return i;
}

static void merged_put(struct elab *e, struct attr_state *st, const struct layer *const *v, uint32_t n, struct attrs *a)
{
	struct merged *old = st->merged;
	uint32_t cap = st->merged_cap, i;

	if (4 * (st->nmerged + 1) > 3 * cap) {
		st->merged_cap = cap ? 2 * cap : 64;
		st->merged = arena_array(e->arena, struct merged, st->merged_cap);
		for (i = 0; i < cap; i++)
			if (old[i].a)
				st->merged[merged_slot(st, old[i].layers, old[i].n)] = old[i];
	}
	i = merged_slot(st, v, n);
	st->merged[i].layers = arena_array(e->arena, const struct layer *, n + 1);
	memcpy(st->merged[i].layers, v, n * sizeof *v);
	st->merged[i].n = n;
	st->merged[i].a = a;
	st->nmerged++;
}

/* ---- merging ---- */

/*
 * Elements of s over those of d, by the key (an interned string) at offset key: d keeps its order, what is new follows.
 * Vectors of layers are shared, so a changed one is a copy.
 */
static void merge_vec(struct arena *a, void *dv, uint32_t *dn, const void *sv, uint32_t sn, size_t size, size_t key)
{
	char *old, *v;
	uint32_t n = *dn;

	memcpy(&old, dv, sizeof old);
	if (!sn)
		return;
	v = arena_alloc(a, size * ((size_t)n + sn));
	if (n)
		memcpy(v, old, n * size);
	for (uint32_t j = 0; j < sn; j++) {
		const char *from = (const char *)sv + j * size;
		uint32_t i = 0;

		while (i < *dn && memcmp(v + i * size + key, from + key, sizeof(void *)))
			i++;
		memcpy(v + (i < *dn ? i : n++) * size, from, size);
	}
	memcpy(dv, &v, sizeof v);
	*dn = n;
}

#define MERGE(a, dst, src, f, key) \
	((dst)->f.n || !(src)->f.n ? merge_vec((a), &(dst)->f.v, &(dst)->f.n, (src)->f.v, (src)->f.n, sizeof *(dst)->f.v, offsetof(__typeof__(*(dst)->f.v), key)) \
		: (void)((dst)->f.v = (src)->f.v, (dst)->f.n = (src)->f.n), \
	 (void)((dst)->f.cap = (dst)->f.n))
#define NEAREST(dst, src, f) ((src)->f ? (void)((dst)->f = (src)->f) : (void)0)
#define NEAREST_VEC(dst, src, f) \
	((src)->f.n ? (void)((dst)->f.v = (src)->f.v, (dst)->f.n = (dst)->f.cap = (src)->f.n) : (void)0)

static void merge_cache(struct layer *into, const struct layer *l)
{
	const struct ir_cache *c = &l->a.cache;

	if (!c->given)
		return;
	into->a.cache.given = true;
	if (l->cache_mode) {
		into->cache_mode = true;
		into->a.cache.mode = c->mode;
	}
	if (c->ttl >= 0)
		into->a.cache.ttl = c->ttl;
	if (c->nkey) {
		into->a.cache.key = c->key;
		into->a.cache.nkey = c->nkey;
	}
	NEAREST(&into->a.cache, c, version);
	into->cache = l->cache_mode ? (struct span){ 0 } : l->cache;
}

static void merge(struct elab *e, struct layer *into, const struct layer *l)
{
	struct attrs *d = &into->a;
	const struct attrs *s = &l->a;

	NEAREST(d, s, image);
	MERGE(e->arena, d, s, env, name);
	NEAREST_VEC(d, s, env_from);
	NEAREST(d, s, cpu);
	NEAREST(d, s, memory);
	NEAREST(d, s, gpu);
	NEAREST(d, s, gpu_type);
	NEAREST(d, s, disk);
	NEAREST(d, s, limit_cpu);
	NEAREST(d, s, limit_memory);
	NEAREST(d, s, retry.limit);
	NEAREST(d, s, retry.backoff);
	NEAREST(d, s, retry.factor);
	NEAREST(d, s, retry.max_backoff);
	NEAREST(d, s, retry.within);
	if (l->retry_on) {
		d->retry.on = s->retry.on;
		d->retry.codes.v = s->retry.codes.v;
		d->retry.codes.n = d->retry.codes.cap = s->retry.codes.n;
	}
	if (l->retry.file)
		into->retry = l->retry;
	NEAREST(d, s, timeout);
	merge_cache(into, l);
	NEAREST_VEC(d, s, locks);
	MERGE(e->arena, d, s, labels, key);
	MERGE(e->arena, d, s, annotations, key);
	MERGE(e->arena, d, s, selector, key);
	NEAREST_VEC(d, s, tolerate);
	NEAREST(d, s, service_account);
	NEAREST(d, s, priority);
	MERGE(e->arena, d, s, mounts, path);
	if (s->argo) {
		d->argo = s->argo;
		d->argo_span = s->argo_span;
	}
	if (s->airflow) {
		d->airflow = s->airflow;
		d->airflow_span = s->airflow_span;
	}
	into->reads_input |= l->reads_input;
}

static bool lit_num(const struct expr *x, double *v)
{
	if (!x || !expr_is_const(x))
		return false;
	if (x->u.lit->type.kind == T_FLOAT || x->u.lit->type.kind == T_DURATION)
		*v = x->u.lit->u.d;
	else
		*v = (double)x->u.lit->u.i;
	return true;
}

static void limit_check(struct elab *e, const struct expr *limit, const struct expr *request, const char *lname, const char *rname)
{
	double l, r;
	struct diag_item *it;

	if (!lit_num(limit, &l) || !lit_num(request, &r) || l >= r)
		return;
	it = diag_at(e->diag, CW0415, limit->span, "'%s' is less than '%s', so no machine can run the step", lname, rname);
	diag_note(e->diag, it, request->span, "'%s' is asked for here", rname);
	diag_mend(e->diag, it, "a limit is at least what is asked for");
}

/* What shows only once all layers are together. */
static void merged_check(struct elab *e, struct layer *l)
{
	struct attrs *a = &l->a;
	struct diag_item *it;

	if (a->cache.given && !l->cache_mode)
		a->cache.mode = CACHE_ON;
	if (l->cache.file && a->cache.mode == CACHE_OFF) {
		it = diag_at(e->diag, CW0429, l->cache, "this cache block has no effect: a block around says off");
		diag_mend(e->diag, it, "add `mode = on` here");
	}
	if (l->retry.file && !a->retry.limit) {
		it = diag_at(e->diag, CW0430, l->retry, "without a limit this step is not tried again");
		diag_mend(e->diag, it, "add `limit = 3`: the number of further attempts");
	}
	limit_check(e, a->limit_cpu, a->cpu, "limit_cpu", "cpu");
	limit_check(e, a->limit_memory, a->memory, "limit_memory", "memory");
}

static bool is_shared(enum attr_owner owner)
{
	return owner & (OWN_TASK | OWN_DEFAULTS | OWN_DEFAULTS_OF_CALL);
}

/* Layers in v, nearest first, as one. */
static struct attrs *merge_all(struct elab *e, const struct layer *const *v, uint32_t n)
{
	struct layer *l = xcalloc(1, sizeof *l);
	struct attrs *a = arena_new_of(e->arena, struct attrs);

	l->a.cache.ttl = -1;
	for (uint32_t i = n; i-- > 0;)
		merge(e, l, v[i]);
	merged_check(e, l);
	*a = l->a;
	free(l);
	return a;
}

struct attrs *attrs_resolve(struct elab *e, const struct attr_layer *layers, uint32_t n)
{
	struct attr_state *st = state(e);
	const struct layer *few[16], **v = n <= 16 ? few : xmalloc(n * sizeof *v);
	struct layer *own = NULL;
	struct attrs *a = NULL;
	uint32_t k = 0;
	bool share = true;

	for (uint32_t i = 0; i < n; i++) {
		const struct layer *l;

		if (!layers[i].block || !layers[i].block->n)
			continue;
		if (is_shared(layers[i].owner)) {
			l = shared_layer(e, &layers[i]);
		} else if (has_attrs(e, layers[i].block, (unsigned)layers[i].owner)) {
			struct layer *one = xmalloc(sizeof *one);

			layer_init(one, &layers[i]);
			one->any = true;
			one->next = own;
			layer_read(e, layers[i].scope, layers[i].block, (unsigned)layers[i].owner, one);
			own = one;
			l = one;
			share = false;
		} else {
			continue;
		}
		if (!l->any)
			continue;
		share &= !l->reads_input;
		v[k++] = l;
	}
	if (!k) {
		if (!st->none) {
			st->none = arena_new_of(e->arena, struct attrs);
			st->none->cache.ttl = -1;
		}
		a = st->none;
	} else if (share && st->nmerged) {
		a = st->merged[merged_slot(st, v, k)].a;
	}
	if (!a) {
		a = merge_all(e, v, k);
		if (share)
			merged_put(e, st, v, k, a);
	}
	while (own) {
		struct layer *next = own->next;

		free(own);
		own = next;
	}
	if (v != few)
		free(v);
	return a;
}
