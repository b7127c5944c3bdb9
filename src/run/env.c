/* The environment of a step: what is declared and a short list of what everything needs (docs/running.md, "What a step sees"). */
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rt.h"

#define LONGEST 131071                    /* bytes of NAME=VALUE that the kernel takes */
#define ALL_VALUES (512 * 1024)

/* The text of a value that is no path. */
static void text_of(struct strbuf *b, const struct value *v)
{
	if (v->type.kind != T_NULL || v->type.list)                           /* absent: empty */
		value_text(b, v);
}

int step_size(struct step *s, uint32_t in, size_t *total)
{
	const struct ir_decl *d = &s->task->ins[in];
	struct strbuf b = { 0 };
	size_t n;

	text_of(&b, &s->ins[in]);
	n = b.n;
	sb_free(&b);
	*total += n;
	if (n + d->name->len + 1 > LONGEST) {
		step_why(s, "input '%s' is too large: %zu bytes, at most %zu; pass it as a file", d->name->s, n, (size_t)LONGEST - d->name->len - 1);
		return -1;
	}
	if (*total > ALL_VALUES) {
		step_why(s, "its input values are too large: more than %d bytes in all; pass them as files", ALL_VALUES);
		return -1;
	}
	return 0;
}

/* ---- references of a step to itself ---- */

int step_ref(struct evalscope *e, const struct expr *ref, struct value *out, struct evalerr *err)
{
	struct step *s = e->step;
	struct strbuf b = { 0 };

	(void)err;
	if (!s)
		return 1;
	*out = (struct value){ .type = type_of(T_STRING) };
	if (ref->fn == REF_INPUT && !type_is_path(s->task->ins[ref->n].type)) {
		*out = s->ins[ref->n];
		return 0;
	}
	if (ref->fn == REF_ENV)
		sb_z(&b, s->env_text && s->env_text[ref->n] ? s->env_text[ref->n] : "");
	else if (e->identity || ref->fn == REF_INPUT)
		sb_f(&b, "%s", ref->fn == REF_OUTPATH ? s->task->outs[ref->n].name->s : !e->identity && s->in_text ? s->in_text[ref->n] : s->task->ins[ref->n].name->s);
	else
		sb_z(&b, step_out_path(e->rt, s, ref->n));
	out->u.s = str_intern(e->x.c.strs, b.s ? b.s : "", b.n);
	if (ref->fn == REF_INPUT) {
		out->type = s->task->ins[ref->n].type;
		out->type.opt = false;
		if (out->type.list)
			out->type = type_of(T_DIR);
	}
	sb_free(&b);
	return 0;
}

int step_eval_in(struct rt *rt, struct step *s, const struct expr *e, bool identity, struct value *out, struct evalerr *err)
{
	struct evalscope x;

	evalscope_init(&x, rt, s->inst->scope);
	x.x.c.arena = s->arena;
	x.step = s;
	x.identity = identity;
	return eval(&x.x, e, out, err) ? -1 : 0;
}

/* ---- secrets and configs ---- */

/* $CW_SECRETS/name/key without one trailing newline; malloc. NULL after s->what, which never holds a value. */
static char *secret(struct step *s, const char *kind, const char *name, const char *key)
{
	const char *dir = getenv("CW_SECRETS");
	struct strbuf b = { 0 };
	char *text = NULL;
	ssize_t n;
	int fd;

	if (!dir || !*dir) {
		step_why(s, "%s \"%s\" is needed; set CW_SECRETS to a folder that holds it as the file %s/%s", kind, name, name, key);
		return NULL;
	}
	sb_f(&b, "%s/%s/%s", dir, name, key);
	fd = open(sb_cstr(&b), O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		step_why(s, "%s \"%s\", key \"%s\": %s: %s", kind, name, key, sb_cstr(&b), strerror(errno));
		sb_free(&b);
		return NULL;
	}
	text = xmalloc(LONGEST + 1);
	n = read(fd, text, LONGEST + 1);
	close(fd);
	if (n < 0 || n > LONGEST || memchr(text, '\0', (size_t)n)) {
		step_why(s, "%s: %s", sb_cstr(&b), n < 0 ? strerror(errno) : n > LONGEST ? "is too large for a variable" : "holds a NUL byte");
		free(text);
		text = NULL;
	} else
		text[n > 0 && text[n - 1] == '\n' ? n - 1 : n] = '\0';
	sb_free(&b);
	return text;
}

/* ---- building ---- */

struct env { struct step *s; char **v; uint32_t n, cap; };

static void add(struct env *e, const char *name, const char *value)
{
	size_t a = strlen(name), b = strlen(value);
	char *z = arena_alloc(e->s->arena, a + b + 2);

	memcpy(z, name, a);
	z[a] = '=';
	memcpy(z + a + 1, value, b);
	for (uint32_t i = 0; i < e->n; i++)
		if (!strncmp(e->v[i], z, a + 1)) {
			e->v[i] = z;
			return;
		}
	if (e->n + 1 == e->cap) {
		e->v = arena_grow(e->s->arena, e->v, e->cap * sizeof *e->v, 2 * e->cap * sizeof *e->v);
		e->cap *= 2;
	}
	e->v[e->n++] = z;
	e->v[e->n] = NULL;
}

/* Every key of a secret or config. */
static int add_from(struct env *e, const struct ir_env *from)
{
	const char *dir = getenv("CW_SECRETS"), *kind = from->kind == ENV_CONFIG ? "config" : "secret";
	struct strbuf b = { 0 };
	struct dirent *de;
	DIR *d;

	sb_f(&b, "%s/%s", dir && *dir ? dir : "", from->ref->s);
	d = dir && *dir ? opendir(sb_cstr(&b)) : NULL;
	if (!d)
		step_why(e->s, "%s \"%s\" is needed; %s", kind, from->ref->s, dir && *dir ? "its folder is not in $CW_SECRETS" : "set CW_SECRETS to a folder that holds it");
	sb_free(&b);
	while (d && (de = readdir(d))) {
		char *text;

		if (de->d_name[0] == '.')                                   /* "..data" of mounted secrets, too */
			continue;
		text = secret(e->s, kind, from->ref->s, de->d_name);
		if (!text) {
			closedir(d);
			return -1;
		}
		add(e, de->d_name, text);
		free(text);
	}
	if (d)
		closedir(d);
	return d ? 0 : -1;
}

static int declared(struct rt *rt, struct env *e)
{
	struct step *s = e->s;
	const struct attrs *at = s->attrs;

	for (uint32_t k = 0; k < at->env_from.n; k++)
		if (add_from(e, &at->env_from.v[k]))
			return -1;
	s->env_text = arena_array(s->arena, const char *, at->env.n ? at->env.n : 1);
	for (uint32_t k = 0; k < at->env.n; k++) {
		const struct ir_env *v = &at->env.v[k];
		struct strbuf b = { 0 };
		struct evalerr err = { 0 };
		struct value val;
		char *text;

		if (v->kind != ENV_EXPR) {
			text = secret(s, v->kind == ENV_SECRET ? "secret" : "config", v->ref->s, v->key->s);
			if (!text)
				return -1;
			sb_z(&b, text);
			free(text);
		} else if (step_eval_in(rt, s, v->value, false, &val, &err)) {
			step_why(s, "env '%s' could not be evaluated: %s", v->name->s, rt_evalerr(rt, &err));
			return -1;
		} else
			text_of(&b, &val);
		s->env_text[k] = arena_dup(s->arena, b.s ? b.s : "", b.n);
		sb_free(&b);
		add(e, v->name->s, s->env_text[k]);
	}
	return 0;
}

char **step_env(struct rt *rt, struct step *s, char *const *more, uint32_t nmore)
{
	struct env e = { s, arena_array(s->arena, char *, 32), 0, 32 };
	const struct ir_task *t = s->task;
	struct strbuf b = { 0 };
	char num[16];

	s->fault = FAULT_VALUE;
	for (char **z = rt->base_env; *z; z++) {
		char *eq = strchr(*z, '=');

		add(&e, arena_dup(s->arena, *z, (size_t)(eq - *z)), eq + 1);
	}
	sb_f(&b, "%s/t", s->slot->dir);
	add(&e, "TMPDIR", sb_cstr(&b));
	add(&e, "CW_TMP", sb_cstr(&b));
	if (t->ncode) {
		b.n = 0;
		sb_f(&b, "%s/c", s->slot->dir);
		add(&e, "CW_CODE", sb_cstr(&b));
	}
	if (gpus_of(rt, s))
		add(&e, "CUDA_VISIBLE_DEVICES", gpus_of(rt, s));
	if (rt->makeflags)
		add(&e, "MAKEFLAGS", rt->makeflags);
	snprintf(num, sizeof num, "%d", s->inst->attempts ? s->inst->attempts : 1);
	add(&e, "COULER_ATTEMPT", num);
	for (uint32_t k = 0; k < t->nins; k++) {
		b.n = 0;
		if (type_is_path(t->ins[k].type))
			sb_z(&b, s->in_text[k]);
		else
			text_of(&b, &s->ins[k]);
		add(&e, t->ins[k].name->s, sb_cstr(&b));
	}
	for (uint32_t k = 0; k < t->nouts; k++)
		if (!t->outs[k].from_stdout)
			add(&e, t->outs[k].name->s, step_out_path(rt, s, k));
	sb_free(&b);
	if (declared(rt, &e))
		return NULL;
	for (uint32_t k = 0; k < nmore; k++) {
		char *eq = strchr(more[k], '=');

		add(&e, arena_dup(s->arena, more[k], (size_t)(eq - more[k])), eq + 1);
	}
	s->env = e.v;
	return e.v;
}
