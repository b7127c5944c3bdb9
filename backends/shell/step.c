/* Nodes that run something: steps, waits, fails, approvals. */
#include <string.h>

#include "shell.h"

const char *sh_function(struct plan *p, const struct node *n, const char *kind)
{
	struct strbuf b = { 0 };
	const struct str *s;
	const char *name;

	if (p->w != p->m->entry) {
		sh_workflow(&b, p->w);
		sb_z(&b, "__");
	}
	sb_f(&b, "%s_", kind);
	name = strchr(n->name->s, '@') ? strchr(n->name->s, '@') + 1 : n->name->s;
	for (; *name; name++)
		sb_ch(&b, strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", *name) ? *name : '_');
	s = str_internz(p->m->strs, sb_cstr(&b));
	for (unsigned k = 2; strmap_get(&p->names, s); k++)
		s = str_internf(p->m->strs, "%s_%u", sb_cstr(&b), k);
	strmap_put(p->arena, &p->names, s, (void *)n);
	sb_free(&b);
	return s->s;
}

/* A word that no line of s is equal to. */
static void delimiter(struct strbuf *b, const char *s, size_t n)
{
	for (unsigned k = 0;; k++) {
		bool found = false;

		b->n = 0;
		sb_z(b, "END");
		if (k)
			sb_f(b, "_%u", k);
		for (const char *p = s, *end = s + n; p < end && !found;) {
			const char *nl = memchr(p, '\n', (size_t)(end - p));
			size_t len = nl ? (size_t)(nl - p) : (size_t)(end - p);

			found = len == b->n && !memcmp(p, b->s, len);
			p += len + 1;
		}
		if (!found)
			return;
	}
}

void sh_heredoc(struct plan *p, const char *command, const char *s, size_t n)
{
	bool whole = !n || s[n - 1] == '\n';
	struct strbuf end = { 0 };

	delimiter(&end, s, n);
	sb_f(p->out, "\t%s <<'%s'\n", command, sb_cstr(&end));
	sb_add(p->out, s, n);
	if (!whole)
		sb_ch(p->out, '\n');
	sb_f(p->out, "%s\n", sb_cstr(&end));
	sb_free(&end);
}

static void where(struct plan *p, const struct node *n)
{
	struct place at = diag_place(p->diag, n->span);

	if (at.path)
		sb_f(p->out, "# %s:%u\n", strrchr(at.path, '/') ? strrchr(at.path, '/') + 1 : at.path, at.line);
	if (n->doc) {
		sb_z(p->out, "# ");
		for (uint32_t i = 0; i < n->doc->len; i++)
			sb_ch(p->out, n->doc->s[i] == '\n' || n->doc->s[i] == '\r' ? ' ' : n->doc->s[i]);
		sb_ch(p->out, '\n');
	}
}

static void give(struct plan *p, const char *word, const char *name, const struct expr *e, const struct str *named)
{
	sb_f(p->out, "%s(\"%s\", ", word, name);
	sh_expr(p, p->out, e);
	if (named) {
		sb_z(p->out, ", \"");
		sh_awk_string(p->out, named->s, named->len);
		sb_ch(p->out, '"');
	}
	sb_z(p->out, ")\n");
}

static bool has_env(const struct attrs *a)
{
	for (uint32_t i = 0; a && i < a->env.n; i++)
		if (a->env.v[i].kind == ENV_EXPR)
			return true;
	return false;
}

/* Argument i of a command that is no plain chain of literals and names: a variable of its own. */
static bool plain_word(const struct expr *e)
{
	if (e->op == EX_CONCAT) {
		for (uint32_t i = 0; i < e->n; i++)
			if (!plain_word(e->u.args[i]))
				return false;
		return true;
	}
	return e->op == EX_LIT || (e->op == EX_REF && (e->fn == REF_INPUT || e->fn == REF_OUTPATH || e->fn == REF_ENV));
}

static void take(struct plan *p, const struct node *n, const struct ir_task *t)
{
	bool any = false;

	for (uint32_t i = 0; i < t->nins; i++)
		any |= n->ins[i] != NULL;
	for (uint32_t i = 0; i < t->nargv; i++)
		any |= !plain_word(t->argv[i]);
	if (!any && !has_env(n->attrs))
		return;
	sb_z(p->out, "\tinputs <<'END'\n");
	for (uint32_t i = 0; i < t->nins; i++)
		if (n->ins[i])
			give(p, "give", t->ins[i].name->s, n->ins[i], t->ins[i].named);
	for (uint32_t i = 0; n->attrs && i < n->attrs->env.n; i++)
		if (n->attrs->env.v[i].kind == ENV_EXPR)
			give(p, "variable", n->attrs->env.v[i].name->s, n->attrs->env.v[i].value, NULL);
	for (uint32_t i = 0; i < t->nargv; i++) {
		char name[32];

		if (plain_word(t->argv[i]))
			continue;
		snprintf(name, sizeof name, "CW_ARG%u", i);
		give(p, "variable", name, t->argv[i], NULL);
	}
	sb_z(p->out, "END\n");
}

static double seconds(const struct expr *e, double otherwise)
{
	return e && e->op == EX_LIT ? (e->u.lit->type.kind == T_INT ? (double)e->u.lit->u.i : e->u.lit->u.d) : otherwise;
}

/* NAME=value: a number that is known, or one that the plan computes. */
static void setting(struct plan *p, const char *name, const struct expr *e)
{
	struct strbuf t = { 0 };

	if (!e)
		return;
	if (e->op == EX_LIT) {
		value_text(&t, e->u.lit);
		sb_f(p->out, "\t%s=%s\n", name, sb_cstr(&t));
	} else {
		sh_expr(p, &t, e);
		sb_f(p->out, "\t%s=$(calc ", name);
		sh_quoted(p->out, t.s, t.n);
		sb_z(p->out, ")\n");
	}
	sb_free(&t);
}

static void attributes(struct plan *p, const struct node *n)
{
	const struct attrs *a = n->attrs;

	if (n->allow_failure)
		sb_z(p->out, "\tallowed=1\n");
	if (!a)
		return;
	setting(p, "limit", a->timeout);
	if (a->retry.limit && seconds(a->retry.limit, 1) != 0) {
		static const char *const kinds[] = { "any", "error", "failure", "codes", "codes" };

		setting(p, "retries", a->retry.limit);
		setting(p, "backoff", a->retry.backoff);
		setting(p, "factor", a->retry.factor);
		setting(p, "most", a->retry.max_backoff);
		setting(p, "within", a->retry.within);
		if (a->retry.on != RETRY_ANY)
			sb_f(p->out, "\tkinds=%s\n", kinds[a->retry.on]);
		if (a->retry.on == RETRY_CODES) {
			sb_z(p->out, "\tcodes='");
			for (uint32_t i = 0; i < a->retry.codes.n; i++)
				sb_f(p->out, "%s%d", i ? " " : "", a->retry.codes.v[i]);
			sb_z(p->out, "'\n");
		} else if (a->retry.on == RETRY_TRANSIENT) {
			sb_z(p->out, "\tcodes='75 143 255'\n");
		}
	}
	for (uint32_t i = 0; i < a->env.n; i++)
		if (a->env.v[i].kind != ENV_EXPR)
			sb_f(p->out, "\tsecret %s %s %s\n", a->env.v[i].name->s, a->env.v[i].ref->s, a->env.v[i].key->s);
	for (uint32_t i = 0; i < a->env_from.n; i++)
		sb_f(p->out, "\tsecrets_of %s\n", a->env_from.v[i].ref->s);
	for (uint32_t i = 0; i < a->locks.n; i++) {
		struct strbuf t = { 0 };

		sh_expr(p, &t, a->locks.v[i].name);
		sb_z(p->out, "\tlock ");
		sh_quoted(p->out, t.s, t.n);
		sb_f(p->out, " %lld\n", (long long)a->locks.v[i].size);
		sb_free(&t);
	}
}

static void outputs(struct plan *p, const struct node *n, const struct ir_task *t)
{
	for (uint32_t i = 0; i < t->nouts; i++) {
		sb_f(p->out, "\toutput %s %s", t->outs[i].name->s, t->outs[i].type.kind == T_DIR && !t->outs[i].type.list ? "dir" : sh_tag(t->outs[i].type));
		if (t->outs[i].named) {
			sb_ch(p->out, ' ');
			sh_quoted(p->out, t->outs[i].named->s, t->outs[i].named->len);
		}
		sb_ch(p->out, '\n');
		if (t->outs[i].from_stdout)
			sb_f(p->out, "\tstdout=%s\n", t->outs[i].name->s);
		if (n->to && n->to[i]) {
			struct strbuf e = { 0 };

			sh_expr(p, &e, n->to[i]);
			sb_f(p->out, "\tpublish %s ", t->outs[i].name->s);
			sh_quoted(p->out, e.s, e.n);
			sb_ch(p->out, '\n');
			sb_free(&e);
		}
	}
}

static void code(struct plan *p, const struct ir_task *t)
{
	for (uint32_t i = 0; i < t->ncode; i++) {
		const struct ir_code *c = &t->code[i];
		struct strbuf line = { 0 };

		sb_f(&line, "%s ", !c->len || c->data[c->len - 1] == '\n' ? "code" : "code_exactly");
		sh_quoted(&line, c->path->s, c->path->len);
		if (c->exec)
			sb_z(&line, " x");
		sh_heredoc(p, sb_cstr(&line), c->data, c->len);
		sb_free(&line);
	}
}

static void word(struct plan *p, const struct node *n, const struct ir_task *t, const struct expr *e, struct strbuf *b)
{
	switch (e->op) {
	case EX_LIT: {
		struct strbuf v = { 0 };

		value_text(&v, e->u.lit);
		sh_quoted(b, v.s ? v.s : "", v.n);
		sb_free(&v);
		break;
	}
	case EX_CONCAT:
		for (uint32_t i = 0; i < e->n; i++)
			word(p, n, t, e->u.args[i], b);
		break;
	default:
		sb_f(b, "\"$%s\"", e->fn == REF_INPUT ? t->ins[e->n].name->s : e->fn == REF_OUTPATH ? t->outs[e->n].name->s : n->attrs->env.v[e->n].name->s);
	}
}

static void body(struct plan *p, const struct node *n, const struct ir_task *t)
{
	const char *shell = t->shell ? t->shell->s : "sh";
	struct strbuf b = { 0 };

	if (t->body == BODY_COMMAND) {
		sb_z(p->out, "\tinterpreter='sh -u'\n");
		sb_z(&b, "exec");
		for (uint32_t i = 0; i < t->nargv; i++) {
			sb_ch(&b, ' ');
			if (plain_word(t->argv[i]))
				word(p, n, t, t->argv[i], &b);
			else
				sb_f(&b, "\"$CW_ARG%u\"", i);
		}
		sb_ch(&b, '\n');
		sh_heredoc(p, "script", b.s, b.n);
		sb_free(&b);
		return;
	}
	if (!strcmp(shell, "sh"))
		sb_z(&b, "sh -eu");
	else if (!strcmp(shell, "bash"))
		sb_z(&b, "bash -euo pipefail");
	else
		sh_quoted(&b, shell, strlen(shell));
	sb_z(p->out, "\tinterpreter=");
	sh_quoted(p->out, b.s, b.n);
	sb_ch(p->out, '\n');
	sb_free(&b);
	sh_heredoc(p, !t->script->len || t->script->s[t->script->len - 1] == '\n' || str_eq(t->shell, "sh") || str_eq(t->shell, "bash") ? "script" : "script_exactly", t->script->s, t->script->len);
}

static void step(struct plan *p, const struct node *n, const struct ir_task *t)
{
	sb_z(p->out, "\tbegin ");
	sh_key(p->out, n);
	sb_ch(p->out, '\n');
	sh_needs(p, n);
	p->step = n;
	take(p, n, t);
	outputs(p, n, t);
	attributes(p, n);
	if (n->kind == N_WAIT) {
		sb_f(p->out, "\tpoll=%g\n", n->u.wait.every);
	}
	code(p, t);
	body(p, n, t);
	p->step = NULL;
}

static void approve(struct plan *p, const struct node *n)
{
	struct strbuf e = { 0 };

	sb_f(p->out, "\tregion %s\n", n->name->s);
	sh_needs(p, n);
	if (n->allow_failure)
		sb_z(p->out, "\tallowed=1\n");
	sh_expr(p, &e, n->u.approve.message);
	sb_f(p->out, "\tgate %s ", n->name->s);
	sh_quoted(p->out, e.s, e.n);
	for (uint32_t i = 0; i < n->u.approve.n; i++) {
		const struct approve_ask *a = &n->u.approve.v[i];

		sb_f(p->out, " \\\n\t\t%s %s ", a->name->s, sh_tag(a->type));
		e.n = 0;
		if (a->dflt)
			sh_expr(p, &e, a->dflt);
		else
			sb_z(&e, "\"n\"");
		sh_quoted(p->out, e.s, e.n);
		sb_ch(p->out, ' ');
		e.n = 0;
		if (a->in)
			sh_expr(p, &e, a->in);
		sh_quoted(p->out, e.s ? e.s : "", e.n);
	}
	sb_ch(p->out, '\n');
	sb_free(&e);
}

void sh_node(struct plan *p, const struct node *n, const char *function)
{
	struct strbuf e = { 0 };

	sb_ch(p->out, '\n');
	where(p, n);
	sb_f(p->out, "%s() {\n", function);
	switch ((enum node_kind)n->kind) {
	case N_STEP:
		step(p, n, n->u.task);
		break;
	case N_WAIT:
		if (n->u.wait.poll) {
			step(p, n, n->u.wait.poll);
			break;
		}
		sb_f(p->out, "\tregion %s\n", n->name->s);
		sh_needs(p, n);
		sb_f(p->out, "\tpause %s %g\n", n->name->s, n->u.wait.seconds);
		break;
	case N_FAIL:
		sb_f(p->out, "\tregion %s\n", n->name->s);
		sh_needs(p, n);
		sh_expr(p, &e, n->u.fail.message);
		sb_f(p->out, "\tfail_ %s ", n->name->s);
		sh_quoted(p->out, e.s, e.n);
		sb_ch(p->out, '\n');
		sb_free(&e);
		break;
	case N_APPROVE:
		approve(p, n);
		break;
	default:
		break;
	}
	sb_z(p->out, "}\n");
}
