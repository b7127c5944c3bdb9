/* The entries of one block as values: what attributes mean before layers are merged. */
#include "attr.h"

#include <math.h>
#include <string.h>

#define REFS_FIXED (1u << REF_PARAM | 1u << REF_ITEM | 1u << REF_INDEX | 1u << REF_STATE | 1u << REF_ARG | 1u << REF_INPUT | 1u << REF_FIELD)

struct refs { struct layer_ctx *c; const struct attr_row *row; bool bad; };

static void ref_check(struct expr *ref, void *data)
{
	struct refs *r = data;
	struct diag *d = r->c->e->diag;
	struct diag_item *it;
	uint32_t n;
	const char *text;

	if (ref->fn == REF_INPUT)
		r->c->l->reads_input = true;
	if (r->bad || REFS_FIXED >> ref->fn & 1)
		return;
	r->bad = true;
	text = span_text(d, ref->span, &n);
	it = diag_at(d, CW0425, ref->span, "%s reads what a step produces", r->row->what);
	if (r->c->owner & (OWN_STEP | OWN_SERVICE | OWN_WAIT))
		diag_mend(d, it, "take it as an input, `in value = %.*s`, and write `value` here", (int)n, text);
	else
		diag_mend(d, it, "attributes are expressions over params, loop variables and inputs of the step: pass it as an argument");
}

struct expr *attr_expr(struct layer_ctx *c, const struct ast_expr *x, const struct attr_row *row, struct type want)
{
	struct refs r = { c, row, false };
	struct expr *v;

	if (x->kind == AX_ERROR || slip_report(c->e, x, row, (enum type_kind)want.kind))
		return NULL;
	v = quoted_unit(c->e, x, (enum type_kind)want.kind);
	if (v)
		return v;
	v = elab_expr(c->e, c->s, x, want, row->what);
	if (!v)
		return NULL;
	if (!row->expr && !expr_is_const(v)) {
		struct diag_item *it = diag_at(c->e->diag, CW0414, x->span, "%s takes a value that is known when the file is read", row->what);

		diag_mend(c->e->diag, it, "write the value itself, or a let of it");
		return NULL;
	}
	expr_refs(v, ref_check, &r);
	return r.bad ? NULL : v;
}

/* ---- numbers with limits ---- */

static bool number(const struct expr *x, double *v)
{
	if (!expr_is_const(x))
		return false;
	*v = x->u.lit->type.kind == T_FLOAT || x->u.lit->type.kind == T_DURATION ? x->u.lit->u.d : (double)x->u.lit->u.i;
	return true;
}

/* x where it is known to be at least lo (more than lo, where open); NULL after a diagnostic. */
static struct expr *at_least(struct layer_ctx *c, struct expr *x, const struct attr_row *row, double lo, bool open, const char *mend)
{
	struct diag_item *it;
	double v;

	if (!x || !number(x, &v) || (open ? v > lo : v >= lo))
		return x;
	it = diag_at(c->e->diag, CW0415, x->span, open ? "%s must be more than %g" : "%s must be at least %g", row->what, lo);
	diag_mend(c->e->diag, it, "%s", mend);
	return NULL;
}

static struct expr *seconds(struct layer_ctx *c, const struct ast_expr *ax, const struct attr_row *row)
{
	struct expr *x = attr_expr(c, ax, row, type_of(T_DURATION));
	struct diag_item *it;
	double v;

	x = at_least(c, x, row, 0, true, "leave it out for no limit");
	if (x && number(x, &v) && v != floor(v)) {
		it = diag_at(c->e->diag, CW0415, x->span, "%s is in whole seconds", row->what);
		diag_mend(c->e->diag, it, "write %.0fs", ceil(v));
		return NULL;
	}
	return x;
}

static void image_check(struct layer_ctx *c, const struct expr *x)
{
	struct diag *d = c->e->diag;
	const struct str *s;
	struct diag_item *it;
	const char *scheme;

	if (!x || !expr_is_const(x) || x->u.lit->type.kind != T_STRING)
		return;
	s = x->u.lit->u.s;
	scheme = strstr(s->s, "://");
	if (!s->len) {
		it = diag_at(d, CW0426, x->span, "'image' is empty");
		diag_mend(d, it, "image = \"python:3.12-slim\"; leave it out to take the one of `defaults`");
	} else if (scheme) {
		it = diag_at(d, CW0426, x->span, "an image is named without '%.*s'", (int)(scheme + 3 - s->s), s->s);
		diag_mend(d, it, "image = \"%s\"", scheme + 3);
	} else {
		for (uint32_t i = 0; i < s->len; i++)
			if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/:@+", s->s[i])) {
				it = diag_at(d, CW0426, x->span, "an image name cannot hold '%.*s'", (s->s[i] & 0x80) ? 0 : 1, s->s + i);
				diag_mend(d, it, "images are named HOST/PATH:TAG or HOST/PATH@sha256:DIGEST, for example \"ghcr.io/acme/train:1.4\"");
				return;
			}
	}
}

/* ---- resources ---- */

static void resources_read(struct layer_ctx *c, const struct ast_block *b)
{
	struct attrs *a = &c->l->a;
	static const char *const more = "leave it out to take what the engine gives";

	for (uint32_t i = 0; i < b->n; i++) {
		const struct ast_stmt *s = b->v[i];
		const struct attr_row *r = s->kind == AS_ENTRY ? attr_find(c->e, GROUP_RESOURCES, s->name, c->owner) : NULL;

		if (!r || !s->value)
			continue;
		switch ((enum attr_id)(r - attr_rows)) {
		case ATTR_cpu: a->cpu = at_least(c, attr_expr(c, s->value, r, type_of(T_FLOAT)), r, 0, true, more); break;
		case ATTR_memory: a->memory = at_least(c, attr_expr(c, s->value, r, type_of(T_SIZE)), r, 0, true, more); break;
		case ATTR_gpu: a->gpu = at_least(c, attr_expr(c, s->value, r, type_of(T_INT)), r, 0, false, more); break;
		case ATTR_gpu_type: a->gpu_type = attr_expr(c, s->value, r, type_of(T_STRING)); break;
		case ATTR_disk: a->disk = at_least(c, attr_expr(c, s->value, r, type_of(T_SIZE)), r, 0, true, more); break;
		case ATTR_limit_cpu: a->limit_cpu = at_least(c, attr_expr(c, s->value, r, type_of(T_FLOAT)), r, 0, true, more); break;
		case ATTR_limit_memory: a->limit_memory = at_least(c, attr_expr(c, s->value, r, type_of(T_SIZE)), r, 0, true, more); break;
		default: break;
		}
	}
}

/* ---- retry ---- */

static const char codes_mend[] = "on = any, on = error (the infrastructure's), on = failure (the step's own), or exit codes: on = [75, 137]";

static void retry_codes(struct layer_ctx *c, const struct ast_expr *list)
{
	struct ir_retry *r = &c->l->a.retry;
	struct diag_item *it;

	if (!list->n) {
		it = diag_at(c->e->diag, CW0414, list->span, "'on' names no exit code, so nothing would be tried again");
		diag_mend(c->e->diag, it, "%s", codes_mend);
	}
	for (uint32_t i = 0; i < list->n; i++) {
		const struct value *v = elab_const(c->e, c->s, list->args[i], type_of(T_INT), "an exit code");

		if (!v)
			continue;
		if (v->u.i < 1 || v->u.i > 255) {
			it = diag_at(c->e->diag, CW0415, list->args[i]->span, "an exit code that is tried again is 1 to 255");
			diag_mend(c->e->diag, it, v->u.i == 0 ? "0 is success" : "128 + n stands for signal n, so 137 is SIGKILL");
			continue;
		}
		vec_push(c->e->arena, &r->codes, (int)v->u.i);
	}
	r->on = RETRY_CODES;
}

static void retry_on(struct layer_ctx *c, const struct ast_stmt *s)
{
	static const char *const words[] = { "any", "error", "failure", "transient" };
	uint32_t k;

	if (!s->value)
		return;
	if (s->value->kind == AX_INT) {
		struct diag_item *it = diag_at(c->e->diag, CW0414, s->value->span, "'on' takes a list of exit codes");

		diag_mend(c->e->diag, it, "write on = [%lld]", (long long)s->value->u.i);
	} else if (s->value->kind == AX_LIST) {
		retry_codes(c, s->value);
	} else if (!entry_word(c->e, c->s, s, words, 4, &k)) {
		c->l->a.retry.on = k == 0 ? RETRY_ANY : k == 1 ? RETRY_ERROR : k == 2 ? RETRY_FAILURE : RETRY_TRANSIENT;
	} else {
		return;
	}
	c->l->retry_on = true;
}

static struct expr *retry_limit(struct layer_ctx *c, const struct ast_expr *x, const struct attr_row *row)
{
	return at_least(c, attr_expr(c, x, row, type_of(T_INT)), row, 0, false, "retry = 0 means one attempt, retry = 3 up to four");
}

static void retry_read(struct layer_ctx *c, const struct ast_stmt *entry, const struct attr_row *row)
{
	const struct ast_block *b = entry_block(entry);
	struct ir_retry *a = &c->l->a.retry;

	if (!b) {
		a->limit = retry_limit(c, entry->value, row);
		return;
	}
	if (!(c->owner & (OWN_DEFAULTS | OWN_DEFAULTS_OF_CALL)) && b->n)
		c->l->retry = entry->name_span;
	for (uint32_t i = 0; i < b->n; i++) {
		const struct ast_stmt *s = b->v[i];
		const struct attr_row *r = s->kind == AS_ENTRY ? attr_find(c->e, GROUP_RETRY, s->name, c->owner) : NULL;

		if (!r)
			c->l->retry.file = 0;
		if (!r || !s->value)
			continue;
		switch ((enum attr_id)(r - attr_rows)) {
		case ATTR_retry_limit:
			a->limit = retry_limit(c, s->value, r);
			if (!a->limit)
				c->l->retry.file = 0;
			break;
		case ATTR_retry_backoff: a->backoff = at_least(c, attr_expr(c, s->value, r, type_of(T_DURATION)), r, 0, false, "backoff = 10s"); break;
		case ATTR_retry_factor: a->factor = at_least(c, attr_expr(c, s->value, r, type_of(T_FLOAT)), r, 1, false, "1 keeps the delay, 2 doubles it each time"); break;
		case ATTR_retry_max_backoff: a->max_backoff = at_least(c, attr_expr(c, s->value, r, type_of(T_DURATION)), r, 0, true, "max_backoff = 10m"); break;
		case ATTR_retry_within: a->within = at_least(c, attr_expr(c, s->value, r, type_of(T_DURATION)), r, 0, true, "within = 2h"); break;
		case ATTR_retry_on: retry_on(c, s); break;
		default: break;
		}
	}
}

/* ---- cache ---- */

static void cache_mode(struct layer_ctx *c, const struct ast_stmt *s)
{
	static const char *const words[] = { "auto", "on", "off" };
	uint32_t k;

	if (s->value && s->value->kind == AX_BOOL) {
		struct diag_item *it = diag_at(c->e->diag, CW0416, s->value->span, "'%s' is auto, on or off", s->name->s);

		diag_mend(c->e->diag, it, "write %s = %s", s->name->s, s->value->u.b ? "on" : "off");
		return;
	}
	if (!s->value || entry_word(c->e, c->s, s, words, 3, &k))
		return;
	c->l->a.cache.mode = k == 0 ? CACHE_AUTO : k == 1 ? CACHE_ON : CACHE_OFF;
	c->l->cache_mode = true;
}

static void cache_keys(struct layer_ctx *c, const struct ast_expr *x, const struct attr_row *row)
{
	struct ir_cache *a = &c->l->a.cache;
	VEC(struct expr *) keys = { 0 };

	if (x->kind != AX_LIST) {
		struct diag_item *it = diag_at(c->e->diag, CW0414, x->span, "'key' takes a list");
		uint32_t n;
		const char *text = span_text(c->e->diag, x->span, &n);

		diag_mend(c->e->diag, it, "write key = [%.*s]", (int)n, text);
		return;
	}
	for (uint32_t i = 0; i < x->n; i++) {
		struct expr *v = attr_expr(c, x->args[i], row, type_of(T_NONE));

		if (v)
			vec_push(c->e->arena, &keys, v);
	}
	a->key = keys.v;
	a->nkey = keys.n;
}

static void cache_read(struct layer_ctx *c, const struct ast_stmt *entry)
{
	const struct ast_block *b = entry_block(entry);
	struct ir_cache *a = &c->l->a.cache;
	double ttl;

	a->given = true;
	if (!b) {
		cache_mode(c, entry);
		return;
	}
	if (!(c->owner & (OWN_DEFAULTS | OWN_DEFAULTS_OF_CALL)))
		c->l->cache = entry->name_span;
	for (uint32_t i = 0; i < b->n; i++) {
		const struct ast_stmt *s = b->v[i];
		const struct attr_row *r = s->kind == AS_ENTRY ? attr_find(c->e, GROUP_CACHE, s->name, c->owner) : NULL;

		if (!r || !s->value)
			continue;
		if (r == &attr_rows[ATTR_cache_mode])
			cache_mode(c, s);
		else if (r == &attr_rows[ATTR_cache_ttl] && !entry_duration(c->e, c->s, s, &ttl))
			a->ttl = ttl;
		else if (r == &attr_rows[ATTR_cache_version])
			(void)entry_string(c->e, c->s, s, &a->version);
		else if (r == &attr_rows[ATTR_cache_key])
			cache_keys(c, s->value, r);
	}
}

/* ---- the rest ---- */

static void nodes_read(struct layer_ctx *c, const struct ast_block *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		const struct ast_stmt *s = b->v[i];
		const struct attr_row *r = s->kind == AS_ENTRY ? attr_find(c->e, GROUP_NODES, s->name, c->owner) : NULL;

		if (!r || !s->value)
			continue;
		if (r == &attr_rows[ATTR_selector]) {
			pairs_read(c, s->value, r, true, &c->l->a.selector.v, &c->l->a.selector.n);
			c->l->a.selector.cap = c->l->a.selector.n;
		} else {
			tolerate_read(c, s);
		}
	}
}

static void priority_read(struct layer_ctx *c, const struct ast_expr *x, const struct attr_row *row)
{
	struct expr *v = attr_expr(c, x, row, type_of(T_NONE));
	struct diag_item *it;

	if (v && !type_is(v->type, T_INT) && !type_is(v->type, T_STRING)) {
		it = diag_at(c->e->diag, CW0414, x->span, "'priority' is the name of a priority class, or an int");
		diag_mend(c->e->diag, it, "priority = \"high\" for a class of the cluster, priority = 10 for a weight");
		return;
	}
	c->l->a.priority = v;
}

static void account_read(struct layer_ctx *c, const struct ast_expr *x, const struct attr_row *row)
{
	struct expr *v = attr_expr(c, x, row, type_of(T_STRING));

	if (v && expr_is_const(v) && !is_dns_subdomain(v->u.lit->u.s->s, v->u.lit->u.s->len)) {
		struct diag_item *it = diag_at(c->e->diag, CW0414, x->span, "'%s' is no name of a service account", v->u.lit->u.s->s);

		diag_mend(c->e->diag, it, "such names are made of a-z, 0-9, '-' and '.': service_account = \"trainer\"");
		return;
	}
	c->l->a.service_account = v;
}

static void raw_read(const struct ast_expr *x, const struct str **text, struct span *sp)
{
	if (x->kind != AX_STRING)
		return;
	*text = x->u.str;
	*sp = x->span;
}

/* Whether the node has no other body, so that `argo` is the template itself. */
static bool argo_is_body(const struct ast_block *b)
{
	static const char *const bodies[] = { "run", "command", "args", "dataflow" };

	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
		if (block_entry(b, bodies[i]))
			return false;
	for (uint32_t i = 0; i < b->n; i++)
		if (b->v[i]->kind == AS_JOB)
			return false;
	return true;
}

static void read_entry(struct layer_ctx *c, const struct ast_block *b, const struct ast_stmt *s, const struct attr_row *r)
{
	struct attrs *a = &c->l->a;
	const struct ast_block *inner = entry_block(s);

	switch ((enum attr_id)(r - attr_rows)) {
	case ATTR_image:
		a->image = attr_expr(c, s->value, r, type_of(T_STRING));
		image_check(c, a->image);
		break;
	case ATTR_env: env_read(c, s); break;
	case ATTR_env_from: env_from_read(c, s); break;
	case ATTR_resources: if (inner) resources_read(c, inner); break;
	case ATTR_retry: retry_read(c, s, r); break;
	case ATTR_timeout: a->timeout = seconds(c, s->value, r); break;
	case ATTR_cache: cache_read(c, s); break;
	case ATTR_lock:
		(void)attr_locks(c->e, c->s, s->value, &a->locks.v, &a->locks.n);
		a->locks.cap = a->locks.n;
		break;
	case ATTR_labels:
		pairs_read(c, s->value, r, true, &a->labels.v, &a->labels.n);
		a->labels.cap = a->labels.n;
		break;
	case ATTR_annotations:
		pairs_read(c, s->value, r, false, &a->annotations.v, &a->annotations.n);
		a->annotations.cap = a->annotations.n;
		break;
	case ATTR_nodes: if (inner) nodes_read(c, inner); break;
	case ATTR_service_account: account_read(c, s->value, r); break;
	case ATTR_priority: priority_read(c, s->value, r); break;
	case ATTR_mounts: mounts_read(c, s); break;
	case ATTR_argo:
		if (!(c->owner & (OWN_STEP | OWN_TASK)) || !argo_is_body(b))
			raw_read(s->value, &a->argo, &a->argo_span);
		break;
	case ATTR_airflow: raw_read(s->value, &a->airflow, &a->airflow_span); break;
	default: break;
	}
}

void layer_read(struct elab *e, struct scope *s, const struct ast_block *b, unsigned owner, struct layer *l)
{
	struct layer_ctx c = { e, s, owner, l };

	for (uint32_t i = 0; i < b->n; i++) {
		const struct ast_stmt *st = b->v[i];
		const struct attr_row *r = st->kind == AS_ENTRY && st->value && st->value->kind != AX_ERROR ? attr_find(e, GROUP_TOP, st->name, owner) : NULL;

		if (r && (i == 0 || block_entry(b, st->name->s) == st))
			read_entry(&c, b, st, r);
	}
}
