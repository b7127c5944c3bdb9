/* wait, approve, service, fail. */
#include "scope.h"

static void gate_mistake(struct elab *e, struct span sp, const char *msg, const char *mend)
{
	diag_mend(e->diag, diag_at(e->diag, CW0522, sp, "%s", msg), "%s", mend);
}

/* ---- shapes ---- */

static bool ask_shape(struct elab *e, struct sym *sym, const struct ast_stmt *st, struct approve_ask *ask)
{
	const char *what = str_internf(e->strs, "question '%s'", st->name->s)->s;
	struct scope *s = sym->scope;
	const struct ast_decl *d = st->decl;
	struct type lt;
	struct diag_item *it;

	ask->name = st->name;
	ask->type = d->type;
	if (d->named || d->to || d->at || d->is_stdout)
		diag_at(e->diag, CW0323, st->name_span, "a question takes a type, a default and allowed values, nothing else");
	if (d->type.opt) {
		it = diag_at(e->diag, CW0315, d->type_span, "an answer cannot be optional");
		diag_mend(e->diag, it, "leave the ? out");
		return false;
	}
	if (d->value && !(ask->dflt = elab_value(e, s, d->value, d->type, 0, what, NULL)))
		return false;
	if (ask->type.kind == T_NONE && ask->dflt)
		ask->type = ask->dflt->type;
	if (ask->type.kind == T_NONE && !s->module->ok)
		return false;
	if (!type_is_scalar(ask->type)) {
		it = diag_at(e->diag, ask->type.kind == T_NONE ? CW0308 : CW0301, st->name_span, ask->type.kind == T_NONE ? "the question '%s' has no type" :
			"the answer to '%s' is a scalar", st->name->s);
		diag_mend(e->diag, it, "write it: ask %s: string, or int, float, bool, time", st->name->s);
		return false;
	}
	lt = ask->type;
	lt.list = true;
	if (d->in && !(ask->in = elab_value(e, s, d->in, lt, 0, "the list of allowed answers", NULL)))
		return false;
	if (!ask->dflt || !ask->in || !expr_is_const(ask->dflt) || !expr_is_const(ask->in))
		return true;
	for (uint32_t i = 0; i < ask->in->u.lit->n; i++)
		if (value_eq(&ask->in->u.lit->u.list[i], ask->dflt->u.lit))
			return true;
	it = diag_at(e->diag, CW0317, ask->dflt->span, "the default of '%s' is not one of the allowed answers", st->name->s);
	diag_mend(e->diag, it, "use one of %s", source_text(e, d->in->span));
	return true;
}

static bool approve_shape(struct elab *e, struct sym *sym)
{
	const struct ast_block *b = sym->ast->body;
	struct node *n = sym->node;
	bool ok = true;

	for (uint32_t i = 0; i < b->n; i++)
		n->u.approve.n += b->v[i]->kind == AS_ASK;
	n->u.approve.v = arena_array(e->arena, struct approve_ask, n->u.approve.n + 1);
	n->u.approve.n = 0;
	for (uint32_t i = 0; i < b->n; i++) {
		const struct ast_stmt *st = b->v[i];
		struct approve_ask *ask;
		bool twice = false;

		if (st->kind != AS_ASK)
			continue;
		for (uint32_t k = 0; k < n->u.approve.n; k++)
			twice |= n->u.approve.v[k].name == st->name;
		if (twice || st->name == e->words->status || st->name == e->words->exit_code) {
			struct diag_item *it = diag_at(e->diag, twice ? CW0204 : CW0206, st->name_span, twice ? "'%s' is asked twice" : "an answer cannot be called '%s'", st->name->s);

			diag_mend(e->diag, it, "give it another name");
			continue;
		}
		ask = &n->u.approve.v[n->u.approve.n++];
		ok &= ask_shape(e, sym, st, ask);
		port_add(e, n, ask->name, ask->type, st->name_span);
	}
	return ok;
}

static struct ir_task *gate_task(struct elab *e, struct sym *sym)
{
	const struct ast_stmt *st = sym->ast;
	struct ir_task *t = arena_new_of(e->arena, struct ir_task);

	t->name = st->name;
	t->inline_ = true;
	t->span = st->head;
	t->body_span = st->span;
	task_decls(e, sym->scope->module, st->body, t, sym_words(sym));
	return t;
}

bool gate_shape(struct elab *e, struct sym *sym)
{
	struct node *n = sym->node;
	struct layers l = { 0 };

	if (sym->ast->kind == AS_APPROVE)
		return approve_shape(e, sym);
	layers_add(&l, sym->ast->body, sym->scope, sym->ast->kind == AS_WAIT ? OWN_WAIT : OWN_SERVICE);
	layers_around(&l, sym->scope);
	n->allow_failure = layers_allow_failure(e, &l);
	layers_free(&l);
	if (sym->ast->kind == AS_WAIT) {
		n->u.wait.poll = block_entry(sym->ast->body, "for") ? NULL : gate_task(e, sym);
		return true;
	}
	n->u.service.task = gate_task(e, sym);
	port_add(e, n, e->words->address, type_of(T_STRING), n->span)->type.opt = n->allow_failure;
	return true;
}

/* ---- the rest ---- */

/* Attributes, inputs and body of a wait that polls or a service. */
static bool gate_body(struct elab *e, struct sym *sym, struct ir_task *t, enum attr_owner owner, const char *none)
{
	const struct ast_block *b = sym->ast->body;
	struct scope *s = sym->scope, *inner = step_scope(e, s, t);
	struct node *n = sym->node;
	struct layers l = { 0 };
	unsigned before = e->diag->errors;
	bool body;

	inputs_elab(e, s, b, t, n);
	layers_add(&l, b, inner, owner);
	layers_around(&l, s);
	n->attrs = layers_attrs(e, &l);
	task_code(e, &l, t);
	layers_free(&l);
	env_clash(e, t, n->attrs, sym->ast->head);
	body = task_body(e, inner, b, t, n->attrs, none);
	for (uint32_t i = 0; body && e->diag->errors == before && i < b->n; i++)
		if (b->v[i]->kind == AS_ENTRY && b->v[i]->value && (b->v[i]->name == e->words->run || b->v[i]->name == e->words->command))
			script_check(e, s, t, b->v[i]->value, n->attrs);
	return body;
}

static void plain_attrs(struct elab *e, struct sym *sym, enum attr_owner owner)
{
	struct layers l = { 0 };

	if (sym->ast->body)
		layers_add(&l, sym->ast->body, sym->scope, owner);
	sym->node->attrs = layers_attrs(e, &l);
	layers_free(&l);
}

static void wait_elab(struct elab *e, struct sym *sym)
{
	const struct ast_block *b = sym->ast->body;
	const struct ast_stmt *delay = block_entry(b, "for"), *every = block_entry(b, "every"), *in = NULL, *run;
	struct node *n = sym->node;

	attrs_check_keys(e, b, OWN_WAIT);
	n->u.wait.every = 30;
	if (every)
		entry_duration(e, sym->scope, every, &n->u.wait.every);
	if (every && n->u.wait.every <= 0 && every->value)
		gate_mistake(e, every->value->span, "the time between two polls is above zero", "write every = 30s");
	if (!delay) {
		unsigned before = e->diag->errors;

		if (!gate_body(e, sym, n->u.wait.poll, OWN_WAIT, NULL) && e->diag->errors == before && sym->scope->module->ok)
			gate_mistake(e, sym->span, "a wait needs to know what it waits for", "wait NAME { for = 20s }, or wait NAME { run = \"\"\"test -e ...\"\"\"; every = 30s }");
		return;
	}
	entry_duration(e, sym->scope, delay, &n->u.wait.seconds);
	plain_attrs(e, sym, OWN_WAIT);
	run = block_entry(b, "run");
	if (!run)
		run = block_entry(b, "command");
	for (uint32_t i = 0; i < b->n && !in; i++)
		if (b->v[i]->kind == AS_IN)
			in = b->v[i];
	if (run)
		gate_mistake(e, run->head, "a wait either waits a time or polls", "leave `for` out to poll, or the script to wait");
	else if (every)
		gate_mistake(e, every->head, "`every` is for a wait that polls", "leave it out: `for` is the whole time");
	else if (in)
		gate_mistake(e, in->head, "a wait for a time has no inputs", "leave them out; after = [...] says when it starts");
}

static void approve_elab(struct elab *e, struct sym *sym)
{
	const struct ast_stmt *m = block_entry(sym->ast->body, "message");
	struct node *n = sym->node;

	attrs_check_keys(e, sym->ast->body, OWN_APPROVE);
	plain_attrs(e, sym, OWN_APPROVE);
	if (m && m->value)
		n->u.approve.message = elab_value(e, sym->scope, m->value, type_of(T_STRING), 0, "the message", NULL);
	else if (!m && sym->scope->module->ok)
		gate_mistake(e, sym->span, "an approve asks something, and this one has no message", "add message = \"ship it?\"");
}

static void service_elab(struct elab *e, struct sym *sym)
{
	const struct ast_block *b = sym->ast->body;
	const struct ast_stmt *port = block_entry(b, "port"), *ready = block_entry(b, "ready");
	struct node *n = sym->node;
	unsigned before = e->diag->errors;

	attrs_check_keys(e, b, OWN_SERVICE);
	if (port)
		entry_int(e, sym->scope, port, 1, 65535, &n->u.service.port);
	else if (sym->scope->module->ok)
		gate_mistake(e, sym->span, "a service needs the port that it listens on", "add port = 8080");
	if (ready)
		entry_string(e, sym->scope, ready, &n->u.service.ready);
	if (gate_body(e, sym, n->u.service.task, OWN_SERVICE, NULL))
		return;
	/* The image starts itself; its inputs are its variables. */
	n->u.service.task->body = BODY_ARGS;
	if (!n->u.service.task->nins)
		n->u.service.task = NULL;
	if (!n->attrs->image && e->diag->errors == before && sym->scope->module->ok)
		gate_mistake(e, sym->span, "a service needs an image, or a run or command that starts it", "add image = \"qdrant/qdrant:v1.9.0\"");
}

static void fail_elab(struct elab *e, struct sym *sym)
{
	if (sym->ast->body)
		attrs_check_keys(e, sym->ast->body, OWN_FAIL);
	plain_attrs(e, sym, OWN_FAIL);
	sym->node->u.fail.message = elab_value(e, sym->scope, sym->ast->value, type_of(T_STRING), 0, "the message", NULL);
}

void gate_elab(struct elab *e, struct sym *sym)
{
	switch (sym->ast->kind) {
	case AS_WAIT: wait_elab(e, sym); break;
	case AS_APPROVE: approve_elab(e, sym); break;
	case AS_SERVICE: service_elab(e, sym); break;
	default: fail_elab(e, sym);
	}
	if (sym->ast->body) {
		sym->node->doc = block_doc(e, sym->scope, sym->ast->body);
		after_elab(e, sym->scope, sym->node, sym->ast->body);
	}
}
