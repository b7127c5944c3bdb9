/*
 * Identity of a step: a list of lines `component value` and its SHA-256. Long values stand there as their own digest.
 * What is in it: docs/running.md, "When a step is the same".
 */
#include <string.h>

#include "rt.h"

#define LONG_VALUE 200
#define FORMAT "couler 1\n"               /* changes when the meaning of a line does */

struct lines { struct rt *rt; struct strbuf b; };

static void value(struct lines *l, const char *s, size_t n)
{
	struct sha sha;
	char hex[65];

	if (n <= LONG_VALUE && utf8_valid(s, n) == n) {
		sb_json(&l->b, s, n);
		return;
	}
	hasher_reset(l->rt->hasher);
	hasher_add(l->rt->hasher, s, n);
	hasher_end(l->rt->hasher, &sha);
	sha_hex(&sha, hex);
	sb_f(&l->b, "sha256:%s (%zu bytes)", hex, n);
}

static void line(struct lines *l, const char *what, const char *s, size_t n)
{
	sb_z(&l->b, what);
	sb_ch(&l->b, ' ');
	value(l, s, n);
	sb_ch(&l->b, '\n');
}

static void decl(struct lines *l, const struct ir_decl *d)
{
	type_str(&l->b, d->type);
	if (d->named) {
		sb_z(&l->b, " named ");
		sb_json(&l->b, d->named->s, d->named->len);
	}
	if (d->from_stdout)
		sb_z(&l->b, " stdout");
}

/* What operators do and whose records they read; where they run and on how many workers changes nothing. */
static void operators(struct lines *l, const struct ir_dataflow *f)
{
	sb_f(&l->b, "framing %s\n", f->framing->s);
	for (uint32_t i = 0; i < f->nops; i++) {
		const struct ir_operator *o = &f->ops[i];

		sb_f(&l->b, "operator %s from", o->name->s);
		for (uint32_t k = 0; k < o->nfrom; k++)
			sb_f(&l->b, " %s", o->from[k] == UINT32_MAX ? f->source->s : f->ops[o->from[k]].name->s);
		sb_f(&l->b, "%s%s%s\n", o->uses_model ? " uses_model" : "", o->ordered ? " ordered" : "", o->singleton ? " singleton" : "");
		if (o->run)
			line(l, "script", o->run->s, o->run->len);
	}
}

/* What all steps of a task share. */
static void body(struct rt *rt, const struct ir_task *t, struct taskinfo *info)
{
	struct lines l = { rt, { 0 } };
	struct strbuf name = { 0 };

	sb_z(&l.b, FORMAT);
	if (t->body == BODY_RUN || t->body == BODY_ARGO) {
		line(&l, "shell", t->shell ? t->shell->s : "", t->shell ? t->shell->len : 0);
		line(&l, "script", t->script->s, t->script->len);
	}
	if (t->job)
		line(&l, "job", t->job->kind->s, t->job->kind->len);
	if (t->job && t->job->run)
		line(&l, "script", t->job->run->s, t->job->run->len);
	if (t->dataflow)
		operators(&l, t->dataflow);
	if (t->dataflow && rt->o->profile)
		sb_f(&l.b, "profile %lld\n", (long long)rt->o->profile);
	for (uint32_t k = 0; k < t->ncode; k++) {
		name.n = 0;
		sb_f(&name, "code %s%s", t->code[k].path->s, t->code[k].exec ? " x" : "");
		line(&l, sb_cstr(&name), t->code[k].sha256->s, t->code[k].sha256->len);
	}
	for (uint32_t k = 0; k < t->nouts; k++) {
		sb_f(&l.b, "out %s ", t->outs[k].name->s);
		decl(&l, &t->outs[k]);
		sb_ch(&l.b, '\n');
	}
	info->body = arena_dup(rt->arena, l.b.s, l.b.n);
	info->body_len = l.b.n;
	sb_free(&l.b);
	sb_free(&name);
}

static void artifact(struct lines *l, const struct value *v)
{
	if (v->type.kind == T_NULL)
		sb_z(&l->b, "absent");
	else
		sb_z(&l->b, v->sha256 ? v->sha256->s : v->u.s->s);
}

static void input(struct lines *l, const struct step *s, uint32_t k)
{
	const struct ir_decl *d = &s->task->ins[k];
	const struct value *v = &s->ins[k];
	struct strbuf t = { 0 };

	sb_z(&l->b, "in ");
	sb_str(&l->b, d->name);
	sb_ch(&l->b, ' ');
	decl(l, d);
	sb_ch(&l->b, ' ');
	if (type_is_path(d->type) && v->type.list)
		for (uint32_t e = 0; e < v->n; e++) {
			if (e)
				sb_ch(&l->b, ',');
			artifact(l, &v->u.list[e]);
		}
	else if (type_is_path(d->type))
		artifact(l, v);
	else if (v->type.kind == T_NULL && !v->type.list)
		sb_z(&l->b, "absent");
	else {
		if (v->type.list || v->type.kind == T_JSON)
			value_json(&t, v);
		else
			value_text(&t, v);
		value(l, t.s ? t.s : "", t.n);
	}
	sb_ch(&l->b, '\n');
	sb_free(&t);
}

#define ALONE (-1)                        /* there is one of it */

/* The k-th of what stands there several times. */
static int nth(struct lines *l, struct step *s, const char *what, int64_t k, const struct expr *e, struct evalerr *err)
{
	struct strbuf t = { 0 };
	struct value v;

	if (!e)
		return 0;
	if (step_eval_in(l->rt, s, e, true, &v, err))
		return -1;
	sb_z(&l->b, what);
	if (k != ALONE) {
		sb_ch(&l->b, ' ');
		sb_int(&l->b, k);
	}
	sb_ch(&l->b, ' ');
	if (v.type.list || v.type.kind == T_JSON)
		value_json(&t, &v);
	else if (v.type.kind != T_NULL)
		value_text(&t, &v);
	value(l, t.s ? t.s : "", t.n);
	sb_ch(&l->b, '\n');
	sb_free(&t);
	return 0;
}

static int expression(struct lines *l, struct step *s, const char *what, const struct expr *e, struct evalerr *err)
{
	return nth(l, s, what, ALONE, e, err);
}

static int env(struct lines *l, struct step *s, struct evalerr *err)
{
	const struct attrs *a = s->attrs;
	struct strbuf name = { 0 };
	int rc = 0;

	for (uint32_t k = 0; k < a->env.n && !rc; k++) {
		const struct ir_env *v = &a->env.v[k];

		name.n = 0;
		sb_f(&name, "env %s", v->name->s);
		if (v->kind == ENV_EXPR)
			rc = expression(l, s, sb_cstr(&name), v->value, err);
		else
			sb_f(&l->b, "env %s %s %s/%s\n", v->name->s, v->kind == ENV_SECRET ? "secret" : "config", v->ref->s, v->key->s);
	}
	for (uint32_t k = 0; k < a->env_from.n; k++)
		sb_f(&l->b, "env_from %s %s\n", a->env_from.v[k].kind == ENV_CONFIG ? "config" : "secret", a->env_from.v[k].ref->s);
	sb_free(&name);
	return rc;
}

static int lines_of(struct lines *l, struct step *s, struct evalerr *err)
{
	const struct attrs *a = s->attrs;
	const struct ir_task *t = s->task;
	struct taskinfo *info = &l->rt->tasks[t->id];
	const char *word = t->body == BODY_ARGS ? "args" : "command";
	int rc = 0;

	if (!info->body)
		body(l->rt, t, info);
	sb_add(&l->b, info->body, info->body_len);
	for (uint32_t k = 0; k < t->nins; k++)
		input(l, s, k);
	for (uint32_t k = 0; k < t->nargv && !rc; k++) {
		rc = nth(l, s, word, k, t->argv[k], err);
	}
	if (t->job)
		rc = rc || expression(l, s, "workers", t->job->workers, err) || expression(l, s, "ps", t->job->ps, err) || expression(l, s, "slots", t->job->slots, err);
	rc = rc || env(l, s, err) || expression(l, s, "image", a->image, err);
	if (in_container(l->rt, s))
		sb_z(&l->b, "contained\n");                                /* the same image, but this machine's programs: another result */
	if (a->cache.version)
		line(l, "version", a->cache.version->s, a->cache.version->len);
	for (uint32_t k = 0; k < a->cache.nkey && !rc; k++) {
		rc = nth(l, s, "key", k, a->cache.key[k], err);
	}
	return rc ? -1 : 0;
}

int step_key(struct rt *rt, struct step *s, struct evalerr *err)
{
	struct lines l = { rt, rt->key_buf };
	int rc;

	l.b.n = 0;
	rc = lines_of(&l, s, err);
	if (!rc) {
		hasher_reset(rt->hasher);
		hasher_add(rt->hasher, l.b.s, l.b.n);
		hasher_end(rt->hasher, &s->key);
		s->has_key = true;
		s->key_text = arena_dup(s->arena, l.b.s, l.b.n);
		s->key_len = l.b.n;
	}
	rt->key_buf = l.b;
	return rc;
}
