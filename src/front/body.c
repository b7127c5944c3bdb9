/* What a step does: a script, words of a command, a job, a dataflow, an engine's own template. */
#include "scope.h"
#include "attr.h"

#include <string.h>

enum { NBODIES = 6 };

static enum body_kind body_of(struct elab *e, const struct ast_stmt *st)
{
	const struct words *w = e->words;

	if (st->kind == AS_JOB)
		return BODY_JOB;
	if (st->name == w->run)
		return BODY_RUN;
	if (st->name == w->command)
		return BODY_COMMAND;
	if (st->name == w->args)
		return BODY_ARGS;
	return st->name == w->dataflow ? BODY_DATAFLOW : BODY_ARGO;
}

/* The one body of a block; NULL with *ok false after a diagnostic. `argo` is one only where nothing else is. */
static const struct ast_stmt *find_body(struct elab *e, const struct ast_block *b, bool *ok)
{
	const struct ast_stmt *body = NULL, *argo = NULL;
	const struct words *w = e->words;

	*ok = true;
	for (uint32_t i = 0; i < b->n; i++) {
		const struct ast_stmt *st = b->v[i];
		bool is_body = st->kind == AS_JOB || (st->kind == AS_ENTRY && (st->name == w->run || st->name == w->command || st->name == w->args || st->name == w->dataflow));

		if (st->kind == AS_ERROR)
			*ok = false;
		if (st->kind == AS_ENTRY && st->name == w->argo)
			argo = st;
		if (!is_body)
			continue;
		if (body && (body->kind != st->kind || body->name != st->name)) {
			struct diag_item *it = diag_at(e->diag, CW0504, st->head, "a step has one body, and this is a second one");

			diag_mend(e->diag, it, "keep one of them, or make two steps of it");
			diag_note(e->diag, it, body->head, "the first is here");
			*ok = false;
			return NULL;
		}
		body = st;
	}
	return body ? body : argo;
}

/* ---- words of a command ---- */

static bool names_env(const struct ir_task *t, const struct ast_expr *x)
{
	bool env = x->kind == AX_NAME;

	for (uint32_t i = 0; env && i < t->nins; i++)
		env = t->ins[i].name != x->name;
	for (uint32_t i = 0; env && i < t->nouts; i++)
		env = t->outs[i].name != x->name;
	for (uint32_t i = 0; !env && i < x->n; i++)
		env = names_env(t, x->args[i]);
	for (uint32_t i = 0; !env && x->kind == AX_CALL && i < x->u.call.n; i++)
		env = names_env(t, x->u.call.v[i].value);
	return env;
}

bool words_name_env(const struct ir_task *t, const struct ast_expr *list)
{
	for (uint32_t i = 0; list->kind == AX_LIST && i < list->n; i++)
		if (list->args[i]->kind != AX_NAME && names_env(t, list->args[i]))
			return true;
	return false;
}

static bool is_shell_flag(const struct ast_expr *x)
{
	return x->kind == AX_STRING && str_eq(x->u.str, "-c");
}

static struct expr *argv_word(struct elab *e, struct scope *s, const struct ast_expr *x)
{
	struct diag_item *it;

	if (x->kind == AX_STRING || x->kind == AX_INTERP || x->kind == AX_ERROR)
		return elab_value(e, s, x, type_of(T_STRING), 0, "a word of a command", NULL);
	it = diag_at(e->diag, CW0521, x->span, "a word of a command is a string, and '%s' is none", source_text(e, x->span));
	if (x->kind == AX_NAME)
		diag_mend(e->diag, it, "write \"${%s}\"", x->name->s);
	else
		diag_mend(e->diag, it, "put it in quotes: \"%s\"", source_text(e, x->span));
	return NULL;
}

int task_argv(struct elab *e, struct scope *inner, const struct ast_expr *list, const struct attrs *attrs, struct expr ***v, uint32_t *n)
{
	struct scope *s = scope_new(e, SC_STEP, inner->parent);
	struct diag_item *it;
	int rc = 0;

	if (list->kind != AX_LIST)
		return -1;                /* reported with the form of the key */
	s->task = inner->task;
	s->command = true;
	s->attrs = attrs;
	if (!list->n) {
		it = diag_at(e->diag, CW0521, list->span, "the command is empty");
		diag_mend(e->diag, it, "write the program and its arguments: [\"prog\", \"--flag\"]");
		return -1;
	}
	*n = list->n;
	*v = arena_array(e->arena, struct expr *, list->n);
	for (uint32_t i = 0; i < list->n; i++) {
		if (i && is_shell_flag(list->args[i - 1]) && list->args[i]->kind == AX_INTERP) {
			it = diag_at(e->diag, CW0521, list->args[i]->span, "the argument after -c is a program, and a value in it could become code");
			diag_mend(e->diag, it, "use run, whose script reads inputs as \"$name\"; or pass the value as a further argument: \"-c\", \"echo \\$1\", \"x\", \"${value}\"");
			rc = -1;
		} else if (!((*v)[i] = argv_word(e, s, list->args[i]))) {
			rc = -1;
		}
	}
	return rc;
}

/* ---- bodies ---- */

static const struct str *verbatim(struct elab *e, const struct ast_stmt *st)
{
	struct diag_item *it;

	if (st->value && st->value->kind == AX_STRING && st->value->verbatim)
		return st->value->u.str;
	if (!st->value || st->value->kind == AX_ERROR)
		return NULL;
	it = diag_at(e->diag, CW0504, st->value->span, "'%s' takes a verbatim block", st->name->s);
	diag_mend(e->diag, it, "write it between three quotes: %s = \"\"\"...\"\"\"", st->name->s);
	return NULL;
}

static const struct str *shell_of(struct elab *e, const struct ast_block *b)
{
	const struct ast_stmt *st = block_entry(b, "shell");
	const struct str *w = st && st->value ? word_of(st->value) : NULL;

	return w ? w : str_internz(e->strs, "sh");
}

static bool body_job(struct elab *e, struct scope *inner, const struct ast_block *b, const struct ast_stmt *st, struct ir_task *t)
{
	t->job = job_elab(e, inner, st, t);
	if (t->job && t->job->run && block_entry(b, "shell"))
		t->shell = shell_of(e, b);
	return t->job != NULL;
}

static bool body_dataflow(struct elab *e, struct scope *inner, const struct ast_stmt *st, struct ir_task *t)
{
	t->dataflow = dataflow_elab(e, inner, st, t);
	return t->dataflow != NULL;
}

static void at_outside_of_job(struct elab *e, const struct ast_block *b, const struct ir_task *t)
{
	if (t->body == BODY_JOB && str_eq(t->job->kind, "kubernetes"))
		return;
	for (uint32_t i = 0; i < b->n; i++) {
		struct diag_item *it;

		if (b->v[i]->kind != AS_OUT || !b->v[i]->decl->at)
			continue;
		it = diag_at(e->diag, CW0323, b->v[i]->decl->at->span, "`at` belongs to outputs of `job kubernetes`");
		diag_mend(e->diag, it, "leave it out: this step writes its output itself");
	}
}

bool task_body(struct elab *e, struct scope *inner, const struct ast_block *b, struct ir_task *t, const struct attrs *attrs, const char *none)
{
	bool ok;
	const struct ast_stmt *st = find_body(e, b, &ok);
	struct diag_item *it;

	if (!st) {
		if (ok && none && inner->module->ok) {
			it = diag_at(e->diag, CW0504, t->span, "'%s' has no body: %s", t->name->s, none);
			diag_mend(e->diag, it, "say what it does: run = \"\"\"...\"\"\", or command = [...]");
		}
		return false;
	}
	t->body = body_of(e, st);
	switch (t->body) {
	case BODY_RUN:
		t->shell = shell_of(e, b);
		ok = (t->script = verbatim(e, st)) != NULL;
		break;
	case BODY_ARGO:
		ok = (t->script = verbatim(e, st)) != NULL;
		break;
	case BODY_COMMAND: case BODY_ARGS:
		ok = st->value && st->value->kind != AX_ERROR;
		if (ok && !(inner->parent->kind == SC_FILE && words_name_env(t, st->value)))
			ok = task_argv(e, inner, st->value, attrs, &t->argv, &t->nargv) == 0;
		break;
	case BODY_JOB:
		ok = body_job(e, inner, b, st, t);
		break;
	default:
		ok = body_dataflow(e, inner, st, t);
	}
	if (ok)
		at_outside_of_job(e, b, t);
	return ok;
}

struct expr **task_to(struct elab *e, struct scope *inner, const struct ast_block *b, const struct ir_task *t)
{
	struct expr **to = NULL;
	uint32_t k = 0;

	for (uint32_t i = 0; i < b->n && k < t->nouts; i++) {
		const struct ast_stmt *st = b->v[i];
		struct expr *x;

		if (st->kind != AS_OUT || t->outs[k].span.off != st->name_span.off)
			continue;
		if (st->decl->to && (x = publish_to(e, inner, st->decl->to))) {
			if (!to)
				to = arena_array(e->arena, struct expr *, t->nouts);
			to[k] = x;
		}
		k++;
	}
	return to;
}

struct expr *publish_to(struct elab *e, struct scope *s, const struct ast_expr *x)
{
	struct expr *v = elab_value(e, s, x, type_of(T_STRING), 0, "`to`", NULL);
	const struct str *l;

	if (!v || !refs_allowed(e, v, REFS_PLAIN, CW0323, "`to`", "pass it as an input of the step: `to` reads inputs, params and loop variables"))
		return NULL;
	if (!expr_is_const(v))
		return v;
	l = location(e, s, v->u.lit->u.s, v->span);
	return l ? literal_str(e, l, v->span) : NULL;
}
