/* The folder of a failed step is kept as the step left it, with a script that runs the same command again by hand. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rt.h"

static void quote(struct strbuf *b, const char *s, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (s[k] == '\'')
			sb_z(b, "'\\''");
		else
			sb_ch(b, s[k]);
}

/* s in single quotes, with the folder's old name replaced by its new one. */
static void quoted(struct strbuf *b, const char *s, const char *old, const char *now)
{
	size_t n = strlen(old);

	sb_ch(b, '\'');
	for (const char *p; (p = strstr(s, old)); s = p + n) {
		quote(b, s, (size_t)(p - s));
		quote(b, now, strlen(now));
	}
	quote(b, s, strlen(s));
	sb_ch(b, '\'');
}

/* A secret stands there by its place, never by its value. */
static bool secret(struct strbuf *b, const struct step *s, const char *env)
{
	const struct attrs *a = s->attrs;
	size_t n = strcspn(env, "=");

	for (uint32_t k = 0; k < a->env.n; k++) {
		const struct ir_env *v = &a->env.v[k];

		if (v->kind == ENV_EXPR || v->name->len != n || memcmp(v->name->s, env, n))
			continue;
		sb_f(b, "%s=\"$(cat \"$CW_SECRETS\"/'", v->name->s);
		quote(b, v->ref->s, v->ref->len);
		sb_z(b, "'/'");
		quote(b, v->key->s, v->key->len);
		sb_z(b, "')\"");
		return true;
	}
	return false;
}

static void script(struct rt *rt, const struct step *s, const char *now, struct strbuf *b)
{
	const char *old = s->slot->dir;
	struct strbuf name = { 0 };

	inst_name(s->inst, &name);
	sb_f(b, "#!/bin/sh\n# step %s of run %s, as attempt %u ran it\nd=", sb_cstr(&name), rt->run_id, s->inst->attempts);
	quoted(b, old, old, now);
	sb_z(b, "\nrm -rf \"$d/t\" \"$d/o\" && mkdir \"$d/t\" \"$d/o\" || exit\n");
	for (uint32_t k = 0; k < s->task->nouts; k++)
		if (s->task->outs[k].named && !s->task->outs[k].type.list)
			sb_z(b, "mkdir \"$d/o/"), step_entry(s->task->outs[k].name, k, b), sb_z(b, "\" || exit\n");
	sb_f(b, "cd \"$d/%s\" || exit\nexec env -i", s->task->ncode ? "c" : "t");
	for (char **e = s->env; *e; e++) {
		if (rt->makeflags && !strncmp(*e, "MAKEFLAGS=", 10) && !strcmp(*e + 10, rt->makeflags))
			continue;                                           /* its descriptors are this run's */
		sb_z(b, " \\\n\t");
		if (!secret(b, s, *e))
			quoted(b, *e, old, now);
	}
	sb_z(b, " \\\n\t");
	for (char **v = s->argv; *v; v++) {
		if (v != s->argv)
			sb_ch(b, ' ');
		quoted(b, *v, old, now);
	}
	sb_ch(b, '\n');
	sb_free(&name);
}

/* Every key of env_from would stand in the clear, and a job has many processes: then there is no script. */
void keep_failed(struct rt *rt, struct step *s)
{
	struct strbuf dir = { 0 }, b = { 0 }, path = { 0 };

	if (s->done || !s->slot || !s->env || !s->argv || s->attrs->env_from.n || s->ranks || rt->stopping)
		return;
	sb_f(&dir, "%s/failed", rt->dir);
	mkdir(sb_cstr(&dir), 0777);
	sb_ch(&dir, '/');
	log_name(s->inst, 0, &dir);
	script(rt, s, sb_cstr(&dir), &b);
	if (!rename(s->slot->dir, sb_cstr(&dir))) {
		sb_f(&path, "%s/again.sh", dir.s);
		if (!write_file(sb_cstr(&path), &b))
			s->inst->again = arena_dup(rt->arena, path.s, path.n);
		close(s->slot->tmp);
		free(s->slot->dir);
		free(s->slot);
		s->slot = NULL;
	}
	sb_free(&dir);
	sb_free(&b);
	sb_free(&path);
}
