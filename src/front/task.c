/* Tasks, named and inline: declarations, bodies, defaults. */
#include "scope.h"
#include "attr.h"

#include <string.h>

struct scope *step_scope(struct elab *e, struct scope *parent, const struct ir_task *t)
{
	struct scope *s = scope_new(e, SC_STEP, parent);

	s->task = t;
	return s;
}

bool block_has_attrs(struct elab *e, const struct ast_block *b)
{
	const struct words *w = e->words;

	for (uint32_t i = 0; b && i < b->n; i++) {
		const struct str *k = b->v[i]->name;

		if (b->v[i]->kind == AS_ENTRY && k != w->run && k != w->doc && k != w->shell && k != w->command && k != w->args && k != w->after &&
				k != w->allow_failure && k != w->code && k != w->dataflow)
			return true;
	}
	return false;
}

/* ---- declarations ---- */

static void decl_mistake(struct elab *e, struct span sp, const char *msg, const char *mend)
{
	diag_mend(e->diag, diag_at(e->diag, CW0323, sp, "%s", msg), "%s", mend);
}

static bool decl_name(struct elab *e, const struct ast_stmt *st, const struct ir_task *t, uint32_t nins, uint32_t nouts)
{
	const char *kind = st->kind == AS_IN ? "input" : "output";
	const struct ir_decl *first = NULL;
	struct diag_item *it;
	bool is_input;
	const char *other, *why = strmap_get(&e->plain_names, st->name) ? NULL : reserved_name(st->name->s, st->name->len, false);

	if (!why)
		strmap_put(e->arena, &e->plain_names, st->name, e);
	if (why) {
		it = diag_at(e->diag, CW0206, st->name_span, "'%s' is a reserved name: %s", st->name->s, why);
		other = reserved_name(str_internf(e->strs, "%s_", st->name->s)->s, st->name->len + 1, false) ? "my_" : "";
		diag_mend(e->diag, it, "give the %s another name, '%s%s%s' for instance", kind, other, st->name->s, *other ? "" : "_");
		return false;
	}
	if (st->kind == AS_OUT && (st->name == e->words->status || st->name == e->words->exit_code)) {
		it = diag_at(e->diag, CW0206, st->name_span, "an output cannot be called '%s': STEP.%s is how the step ended", st->name->s, st->name->s);
		diag_mend(e->diag, it, "give it another name, 'result_%s' for instance", st->name->s);
		return false;
	}
	for (uint32_t i = 0; i < nins && !first; i++)
		if (t->ins[i].name == st->name)
			first = &t->ins[i];
	is_input = first != NULL;
	for (uint32_t i = 0; i < nouts && !first; i++)
		if (t->outs[i].name == st->name)
			first = &t->outs[i];
	if (!first)
		return true;
	if (st->kind == AS_OUT && is_input) {
		it = diag_at(e->diag, CW0211, st->name_span, "'%s' is an input of this step already", st->name->s);
		diag_mend(e->diag, it, "name the output differently: both are variables of the step's environment");
	} else {
		it = diag_at(e->diag, CW0204, st->name_span, "the %s '%s' is already declared", kind, st->name->s);
		diag_mend(e->diag, it, "remove one of them");
	}
	diag_note(e->diag, it, first->span, "the first is here");
	return false;
}

static const struct str *decl_named(struct elab *e, struct scope *file, const struct ast_stmt *st, struct type t)
{
	const struct ast_expr *x = st->decl->named;
	const struct value *v;
	const struct str *s;
	struct diag_item *it;
	const char *star;

	if (t.kind != T_NONE && !type_is_path(t)) {
		it = diag_at(e->diag, CW0322, x->span, "`named` is for files and folders, and '%s' is %s", st->name->s, type_words(e, t));
		diag_mend(e->diag, it, "leave it out");
		return NULL;
	}
	v = elab_const(e, file, x, type_of(T_STRING), "`named`");
	if (!v)
		return NULL;
	s = v->u.s;
	star = memchr(s->s, '*', s->len);
	if (!s->len || memchr(s->s, '/', s->len) || str_eq(s, ".") || str_eq(s, "..") || s->len > 200) {
		it = diag_at(e->diag, CW0322, x->span, "`named` is the last component of a path, so it has no '/'");
		diag_mend(e->diag, it, "write named \"reads.bam\"");
	} else if (t.list && (!star || memchr(star + 1, '*', (size_t)(s->s + s->len - star - 1)))) {
		it = diag_at(e->diag, CW0322, x->span, "for a list, one * in `named` stands for the number of the element");
		diag_mend(e->diag, it, "write named \"*.csv\"");
	} else if (!t.list && star && t.kind != T_NONE) {
		it = diag_at(e->diag, CW0322, x->span, "a * in `named` is for lists, and '%s' is one %s", st->name->s, type_words(e, t));
		diag_mend(e->diag, it, "write the whole name");
	} else {
		return s;
	}
	return NULL;
}

static void decl_out(struct elab *e, struct scope *file, const struct ast_stmt *st, struct ir_decl *d, bool *has_stdout)
{
	const struct ast_decl *a = st->decl;
	const struct value *v;
	struct diag_item *it;

	if (d->type.kind == T_NONE && file->module->ok) {
		it = diag_at(e->diag, CW0308, st->name_span, "the output '%s' has no type", st->name->s);
		diag_mend(e->diag, it, "write it: out %s: file%s", st->name->s, a->is_stdout ? " ... or string, int, json = stdout" : ", or int, float, string, json, dir, list<file> ...");
	}
	if (a->value)
		decl_mistake(e, a->value->span, "an output of a step has no value here: its value is what the step writes", "let the script write it to the path in its variable, or declare it = stdout");
	if (a->in)
		decl_mistake(e, a->in->span, "`in [...]` lists what an input or a param may be, not what an output is", "leave it out");
	if (a->to && d->type.kind != T_NONE && !type_is_path(d->type))
		decl_mistake(e, a->to->span, "`to` publishes files and folders", "write the value to an output of type file, and publish that");
	if (a->is_stdout && type_is_path(d->type))
		decl_mistake(e, st->name_span, "standard output is a value, not a file", "leave `= stdout` out and let the script redirect: ... > \"$name\"");
	if (a->is_stdout && *has_stdout)
		decl_mistake(e, st->name_span, "two outputs cannot both be standard output", "let the script write one of them to the path in its variable");
	*has_stdout |= a->is_stdout;
	d->from_stdout = a->is_stdout;
	if (a->at && (v = elab_const(e, file, a->at, type_of(T_STRING), "`at`")))
		d->at = v->u.s;
}

void task_decls(struct elab *e, struct module *m, const struct ast_block *b, struct ir_task *t, const char *of)
{
	struct scope file = { .kind = SC_FILE, .module = m };
	uint32_t nins = 0, nouts = 0;
	bool has_stdout = false;

	for (uint32_t i = 0; i < b->n; i++) {
		nins += b->v[i]->kind == AS_IN;
		nouts += b->v[i]->kind == AS_OUT;
	}
	t->ins = nins ? arena_array(e->arena, struct ir_decl, nins) : NULL;
	t->outs = nouts ? arena_array(e->arena, struct ir_decl, nouts) : NULL;
	for (uint32_t i = 0; i < b->n; i++) {
		const struct ast_stmt *st = b->v[i];
		struct ir_decl *d;

		if ((st->kind != AS_IN && st->kind != AS_OUT) || !decl_name(e, st, t, t->nins, t->nouts))
			continue;
		d = st->kind == AS_IN ? &t->ins[t->nins++] : &t->outs[t->nouts++];
		d->name = st->name;
		d->span = st->name_span;
		d->type = st->decl->type;
		if (d->type.opt) {
			struct diag_item *it = diag_at(e->diag, CW0315, st->decl->type_span, "an %s of %s cannot be optional", st->kind == AS_IN ? "input" : "output", of);

			diag_mend(e->diag, it, st->kind == AS_IN ? "leave the ? out, and give a fallback where the value comes from: in %s = x ?? VALUE" :
				"leave the ? out: a step that ends well has written '%s'", st->name->s);
			d->type.opt = false;
		}
		if (st->decl->named)
			d->named = decl_named(e, &file, st, d->type);
		if (st->kind == AS_OUT) {
			decl_out(e, &file, st, d, &has_stdout);
			continue;
		}
		if (st->decl->to)
			decl_mistake(e, st->decl->to->span, "`to` publishes an output, and this is an input", "leave it out");
		if (st->decl->at)
			decl_mistake(e, st->decl->at->span, "`at` belongs to outputs of `job kubernetes`", "leave it out");
		if (st->decl->is_stdout)
			decl_mistake(e, st->name_span, "an input cannot be standard output", "declare it as an output: out NAME: string = stdout");
	}
}

/* ---- inputs of a step ---- */

struct expr *allowed_value(struct elab *e, struct scope *s, struct expr *v, const struct ast_decl *decl, struct type t, const char *what)
{
	struct type lt = { t.kind, true, false };
	struct expr *list, *at, *x;
	struct diag_item *it;

	if (!v || !decl->in)
		return v;
	if (t.list || !type_is_scalar(type_of((enum type_kind)t.kind))) {
		it = diag_at(e->diag, CW0317, decl->in->span, "`in [...]` lists allowed scalars, and %s is %s", what_text(e, what), type_words(e, t));
		diag_mend(e->diag, it, "leave it out");
		return NULL;
	}
	list = elab_value(e, s, decl->in, lt, 0, "the list of allowed values", NULL);
	if (!list || !refs_allowed(e, list, 0, CW0310, "the list of allowed values", "write constants"))
		return NULL;
	if (expr_is_const(v) && expr_is_const(list)) {
		for (uint32_t i = 0; i < list->u.lit->n; i++)
			if (value_eq(v->u.lit, &list->u.lit->u.list[i]))
				return v;
		it = diag_at(e->diag, CW0317, v->span, "%s is not one of the allowed values", what_text(e, what));
		diag_mend(e->diag, it, "use one of %s, or add it to them", source_text(e, decl->in->span));
		diag_note(e->diag, it, decl->in->span, "the allowed values");
		return NULL;
	}
	/* list[index_of(list, v)]: the value, or an error when it is evaluated. */
	at = expr_new(e->arena, EX_CALL, type_of(T_INT), v->span, 2);
	at->fn = FN_index_of;
	at->u.args[0] = list;
	at->u.args[1] = v;
	x = expr_new(e->arena, EX_INDEX, t, v->span, 2);
	x->u.args[0] = list;
	x->u.args[1] = at;
	return x;
}

static bool no_value(struct elab *e, struct scope *s, const struct ast_stmt *st, const struct str *of)
{
	struct diag_item *it;
	const char **names;
	uint32_t n;

	if (!s->module->ok)
		return false;
	it = diag_at(e->diag, CW0201, st->name_span, "the input '%s' of '%s' has no value: nothing around the step is called '%s'", st->name->s, of->s, st->name->s);
	names = scope_names(e, s, &n);
	did_you_mean(e, it, st->name, names, n);
	diag_mend(e->diag, it, "say where it comes from: in %s = STEP.OUTPUT, or a value", st->name->s);
	return false;
}

static struct expr *typed_input(struct elab *e, struct scope *s, const struct ast_stmt *st, struct ir_decl *in, const struct str *of)
{
	const char *what = of_subject;
	const struct ast_expr *x = st->decl->value;
	struct ast_expr same = { .kind = AX_NAME, .span = st->name_span, .name = st->name };
	struct found f;
	struct expr *v;

	if (!x) {
		if (!scope_lookup(e, s, st->name, &f) && !no_value(e, s, st, of))
			return NULL;
		x = &same;
	}
	v = elab_value(e, s, x, in->type, CO_JSON, what, NULL);
	if (!v)
		return NULL;
	if (v->type.opt || v->type.kind == T_NULL) {
		report_optional(e, v, what);
		return NULL;
	}
	if (v->type.kind == T_ANY) {
		struct diag_item *it = diag_at(e->diag, CW0308, st->name_span, "nothing tells the type of the elements of '%s'", st->name->s);

		diag_mend(e->diag, it, "write it: in %s: list<string> = []", st->name->s);
		return NULL;
	}
	in->type = v->type;
	return allowed_value(e, s, v, st->decl, in->type, what);
}

struct expr *input_value(struct elab *e, struct scope *s, const struct ast_stmt *st, struct ir_decl *in, const struct str *of)
{
	struct subject old = e->subject;
	struct expr *v;

	e->subject = (struct subject){ "input", st->name, of };
	v = typed_input(e, s, st, in, of);
	e->subject = old;
	return v;
}

void inputs_elab(struct elab *e, struct scope *s, const struct ast_block *b, struct ir_task *t, struct node *n)
{
	uint32_t k = 0;

	n->nins = t->nins;
	n->ins = t->nins ? arena_array(e->arena, struct expr *, t->nins) : NULL;
	for (uint32_t i = 0; i < b->n && k < t->nins; i++) {
		const struct ast_stmt *st = b->v[i];

		if (st->kind != AS_IN || t->ins[k].span.off != st->name_span.off)
			continue;
		n->ins[k] = input_value(e, s, st, &t->ins[k], n->name);
		k++;
	}
}

/* ---- definitions ---- */

static bool has_type(struct elab *e, const struct ast_stmt *st, const struct ir_decl *d)
{
	struct diag_item *it;

	if (d->type.kind != T_NONE && d->type.kind != T_NULL && d->type.kind != T_ANY)
		return true;
	if (st->decl->type_span.len || (st->decl->value && d->type.kind == T_NONE))
		return false;                                  /* reported */
	it = diag_at(e->diag, CW0308, st->name_span, "the input '%s' has no type", st->name->s);
	diag_mend(e->diag, it, "write it: in %s: file, or string, int, float, bool, json, list<file> ...", st->name->s);
	return false;
}

bool task_shape(struct elab *e, struct def *d)
{
	const struct ast_block *b = d->ast->body;
	struct task_def *p;
	struct ir_task *t;
	uint32_t k = 0;

	if (d->parts)
		return d->state != DEF_BAD;
	d->parts = p = arena_new_of(e->arena, struct task_def);
	d->task = t = arena_new_of(e->arena, struct ir_task);
	t->name = d->ast->name;
	t->span = d->ast->head;
	t->body_span = d->ast->span;
	p->file = scope_new(e, SC_FILE, NULL);
	p->file->module = d->module;
	task_decls(e, d->module, b, t, str_internf(e->strs, "'%s'", t->name->s)->s);
	p->scope = step_scope(e, p->file, t);
	p->in = arena_array(e->arena, const struct ast_stmt *, t->nins + 1);
	p->dflt = arena_array(e->arena, struct expr *, t->nins + 1);
	d->state = DEF_DONE;
	for (uint32_t i = 0; i < b->n && k < t->nins; i++) {
		const struct ast_stmt *st = b->v[i];
		const char *what = of_subject;
		struct subject old = e->subject;
		struct expr *v = NULL;

		if (st->kind != AS_IN || t->ins[k].span.off != st->name_span.off)
			continue;
		p->in[k] = st;
		e->subject = (struct subject){ "input", st->name, t->name };
		if (st->decl->value)
			v = elab_value(e, p->file, st->decl->value, t->ins[k].type, 0, what, NULL);
		if (v && t->ins[k].type.kind == T_NONE)
			t->ins[k].type = v->type;
		if (has_type(e, st, &t->ins[k]))
			v = allowed_value(e, p->file, v, st->decl, t->ins[k].type, what);
		e->subject = old;
		if (v && expr_is_const(v))
			p->dflt[k] = v;
		k++;
	}
	return true;
}

/* What `run` or `command` of a block holds; NULL without one. */
static const struct ast_expr *script_of(struct elab *e, const struct ast_block *b)
{
	for (uint32_t i = 0; i < b->n; i++)
		if (b->v[i]->kind == AS_ENTRY && b->v[i]->value && (b->v[i]->name == e->words->run || b->v[i]->name == e->words->command))
			return b->v[i]->value;
	return NULL;
}

void task_check(struct elab *e, struct def *d)
{
	const struct ast_block *b = d->ast->body;
	struct layers l = { 0 };
	struct attrs *attrs;
	const struct ast_stmt *cmd;

	if (!task_shape(e, d) || d->parts->checked)
		return;
	d->parts->checked = true;
	attrs_check_keys(e, b, OWN_TASK);
	layers_add(&l, b, d->parts->scope, OWN_TASK);
	attrs = layers_attrs(e, &l);
	d->task->doc = block_doc(e, d->parts->file, b);
	cmd = block_entry(b, "command");
	if (!cmd)
		cmd = block_entry(b, "args");
	d->parts->env_words = cmd && cmd->value && words_name_env(d->task, cmd->value);
	task_code(e, &l, d->task);
	d->parts->to = task_to(e, d->parts->scope, b, d->task);
	d->parts->any_code = !block_entry(b, "code");
	if (task_body(e, d->parts->scope, b, d->task, d->parts->env_words ? NULL : attrs, "the task does nothing")) {
		script_check_names(e, d->parts->file, d->task, script_of(e, b), attrs);
		if (!d->parts->any_code)
			script_check_files(e, d->module, d->task, script_of(e, b));
	}
	layers_free(&l);
}

void task_check_uncalled(struct elab *e, struct def *d)
{
	struct layers l = { 0 };

	if (!d->parts || d->parts->called)
		return;
	if (d->parts->any_code)
		script_check_files(e, d->module, d->task, script_of(e, d->ast->body));
	if (!d->parts->env_words)
		return;
	layers_add(&l, d->ast->body, d->parts->scope, OWN_TASK);
	task_for_call(e, d, &l, layers_attrs(e, &l));
	layers_free(&l);
}

/* ---- a task as a call sees it ---- */

void task_code(struct elab *e, const struct layers *l, struct ir_task *t)
{
	uint32_t which = 0;
	const struct ast_stmt *code = layers_entry(l->v, l->n, "code", &which);
	struct scope *s;

	if (!code || !code->value)
		return;
	s = l->v[which].scope;
	if (l->v[which].owner != OWN_DEFAULTS) {
		code_collect(e, s->module, code->value, &t->code, &t->ncode);
		return;
	}
	if (!s->code_read)
		code_collect(e, s->module, code->value, &s->code, &s->ncode);
	s->code_read = true;
	t->code = s->code;
	t->ncode = s->ncode;
}

struct ir_task *task_for_call(struct elab *e, struct def *d, const struct layers *l, struct attrs *attrs)
{
	const struct ast_stmt *own = block_entry(d->ast->body, "code"), *code, *cmd;
	uint32_t which = 0;
	struct task_copy *c;

	code = layers_entry(l->v, l->n, "code", &which);
	if (d->parts->any_code && !code && !d->parts->files_checked) {
		script_check_files(e, d->module, d->task, script_of(e, d->ast->body));
		d->parts->files_checked = true;
	}
	d->parts->called = true;
	if (code == own && !d->parts->env_words)
		return d->task;
	if (!d->parts->env_words)
		attrs = NULL;
	for (c = d->parts->copies; c; c = c->next)
		if (c->code == code && c->attrs == attrs)
			return c->task;
	c = arena_new_of(e->arena, struct task_copy);
	c->code = code;
	c->attrs = attrs;
	c->task = arena_new_of(e->arena, struct ir_task);
	*c->task = *d->task;
	c->next = d->parts->copies;
	d->parts->copies = c;
	if (code != own) {
		task_code(e, l, c->task);
		if (d->parts->any_code)
			script_check_files(e, d->module, c->task, script_of(e, d->ast->body));
	}
	if (d->parts->env_words && (cmd = block_entry(d->ast->body, d->task->body == BODY_ARGS ? "args" : "command")) && cmd->value)
		task_argv(e, d->parts->scope, cmd->value, attrs, &c->task->argv, &c->task->nargv);
	return c->task;
}
