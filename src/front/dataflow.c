/* Bodies `dataflow { ... }`: an input pipeline of operators that ends in a trainer. */
#include "scope.h"
#include "attr.h"

#include <string.h>

struct flow_body {
	struct elab *e;
	struct scope *s;
	const struct ast_block *b;
	struct ir_task *t;
	struct ir_dataflow *d;
	const struct ast_stmt **ast;      /* by operator */
	const struct ast_stmt *source;
	bool ok;
};

static void df_mistake(struct flow_body *f, struct span sp, const char *msg, const char *mend)
{
	diag_mend(f->e->diag, diag_at(f->e->diag, CW0524, sp, "%s", msg), "%s", mend);
	f->ok = false;
}

/* source NAME = split(INPUT) */
static void df_source(struct flow_body *f, const struct ast_stmt *st)
{
	const struct ast_expr *x = st->value, *in;
	struct elab *e = f->e;
	uint32_t i = 0;

	if (f->source) {
		df_mistake(f, st->head, "a dataflow has one source", "make the inputs one list<file>, or one folder");
		return;
	}
	f->source = st;
	f->d->source = st->name;
	if (x->kind == AX_ERROR) {
		f->ok = false;
		return;
	}
	if (x->kind != AX_CALL || x->args[0]->kind != AX_NAME || !str_eq(x->args[0]->name, "split") || x->u.call.n != 1 || x->u.call.v[0].name ||
			x->u.call.v[0].value->kind != AX_NAME) {
		df_mistake(f, x->span, "a source is the split of an input", "write source records = split(INPUT)");
		return;
	}
	in = x->u.call.v[0].value;
	while (i < f->t->nins && f->t->ins[i].name != in->name)
		i++;
	if (i == f->t->nins) {
		const char **names = arena_array(e->arena, const char *, f->t->nins + 1);
		struct diag_item *it = diag_at(e->diag, CW0524, in->span, "'%s' is no input of this step", in->name->s);

		for (uint32_t k = 0; k < f->t->nins; k++)
			names[k] = f->t->ins[k].name->s;
		did_you_mean(e, it, in->name, names, f->t->nins);
		f->ok = false;
	} else if (!type_is_path(f->t->ins[i].type) || (f->t->ins[i].type.kind == T_FILE && !f->t->ins[i].type.list)) {
		if (f->t->ins[i].type.kind != T_NONE)
			df_mistake(f, in->span, "a source splits a folder or a list of files, one split a file", "declare the input as dir or list<file>");
		f->ok = false;
	}
	f->d->split = i;
}

static void df_text(struct flow_body *f, const struct ast_stmt *st, const struct str **run)
{
	const struct ast_stmt *r = block_entry(st->body, "run");

	if (r && r->value && r->value->kind == AX_STRING)
		*run = r->value->u.str;
	else if (r)
		f->ok = false;            /* reported with the form of the key */
}

static void df_flag(struct flow_body *f, const struct ast_stmt *st, const char *key, bool *to)
{
	const struct ast_stmt *x = block_entry(st->body, key);

	if (x && entry_bool(f->e, f->s, x, to) < 0)
		f->ok = false;
}

static void df_op(struct flow_body *f, const struct ast_stmt *st, struct ir_operator *o)
{
	const struct ast_stmt *cpu = block_entry(st->body, "cpu"), *bytes = block_entry(st->body, "bytes");

	o->name = st->kind == AS_TRAINER ? str_internz(f->e->strs, "trainer") : st->name;
	o->span = st->head;
	o->cpu = o->bytes = -1;
	attrs_check_keys(f->e, st->body, st->kind == AS_TRAINER ? OWN_TRAINER : OWN_OP);
	df_text(f, st, &o->run);
	if (st->kind == AS_TRAINER) {
		if (!o->run && f->ok)
			df_mistake(f, st->head, "the trainer has no script", "add run = \"\"\"...\"\"\": it reads records on standard input");
		return;
	}
	df_flag(f, st, "uses_model", &o->uses_model);
	df_flag(f, st, "ordered", &o->ordered);
	df_flag(f, st, "singleton", &o->singleton);
	if (cpu)
		entry_duration(f->e, f->s, cpu, &o->cpu);
	if (bytes)
		entry_size(f->e, f->s, bytes, &o->bytes);
}

static uint32_t df_find(struct flow_body *f, const struct ast_expr *x)
{
	struct ir_dataflow *d = f->d;
	const char **names;
	struct diag_item *it;

	if (x->kind == AX_ERROR) {
		f->ok = false;
		return 0;
	}
	if (x->kind != AX_NAME) {
		df_mistake(f, x->span, "'from' names the source or operators", "write from = parse, or from = [a, b]");
		return 0;
	}
	if (d->source == x->name)
		return UINT32_MAX;
	for (uint32_t i = 0; i + 1 < d->nops; i++)
		if (d->ops[i].name == x->name)
			return i;
	names = arena_array(f->e->arena, const char *, d->nops + 1);
	for (uint32_t i = 0; i + 1 < d->nops; i++)
		names[i] = d->ops[i].name->s;
	it = diag_at(f->e->diag, CW0524, x->span, "there is no operator '%s'", x->name->s);
	if (d->nops)
		names[d->nops - 1] = d->source ? d->source->s : "";
	did_you_mean(f->e, it, x->name, names, d->nops);
	f->ok = false;
	return 0;
}

static void df_from(struct flow_body *f, uint32_t i)
{
	const struct ast_stmt *st = block_entry(f->ast[i]->body, "from");
	struct ir_operator *o = &f->d->ops[i];
	bool list = st && st->value && st->value->kind == AX_LIST;

	if (!st) {
		df_mistake(f, f->ast[i]->head, str_internf(f->e->strs, "'%s' does not say whose records it reads", o->name->s)->s, "add from = NAME: the source or an operator");
		return;
	}
	if (!st->value)
		return;
	o->nfrom = list ? st->value->n : 1;
	o->from = arena_array(f->e->arena, uint32_t, o->nfrom + 1);
	for (uint32_t k = 0; k < o->nfrom; k++) {
		o->from[k] = df_find(f, list ? st->value->args[k] : st->value);
		for (uint32_t j = 0; f->ok && j < k; j++)
			if (o->from[j] == o->from[k])
				df_mistake(f, st->value->args[k]->span, "this is named twice", "name it once");
	}
	if (list && !o->nfrom)
		df_mistake(f, st->value->span, "'from' names at least one", "write from = NAME");
}

/* Operators in topological order into order; fewer than all of them if there is a cycle. */
static uint32_t df_order(struct flow_body *f, uint32_t *order)
{
	const struct ir_dataflow *d = f->d;
	bool *done = arena_array(f->e->arena, bool, d->nops + 1);
	uint32_t n = 0;

	for (bool more = true; more;) {
		more = false;
		for (uint32_t i = 0; i < d->nops; i++) {
			bool ready = !done[i];

			for (uint32_t k = 0; ready && k < d->ops[i].nfrom; k++)
				ready = d->ops[i].from[k] == UINT32_MAX || done[d->ops[i].from[k]];
			if (!ready)
				continue;
			done[i] = more = true;
			order[n++] = i;
		}
	}
	for (uint32_t i = 0; n < d->nops && i < d->nops; i++) {
		if (done[i])
			continue;
		df_mistake(f, d->ops[i].span, str_internf(f->e->strs, "'%s' reads, directly or not, its own records: a cycle", d->ops[i].name->s)->s,
			"records flow from the source to the trainer");
		break;
	}
	return n;
}

/* What has no script happens inside the trainer, so it depends on the model; each operator is read by somebody. */
static void df_roles(struct flow_body *f)
{
	const struct ir_dataflow *d = f->d;
	uint32_t *order = arena_array(f->e->arena, uint32_t, d->nops + 1), n = df_order(f, order);
	bool *stateful = arena_array(f->e->arena, bool, d->nops + 1), *read = arena_array(f->e->arena, bool, d->nops + 1);

	for (uint32_t j = 0; f->ok && j < n; j++) {
		const struct ir_operator *o = &d->ops[order[j]];

		stateful[order[j]] = o->uses_model;
		for (uint32_t k = 0; k < o->nfrom; k++) {
			if (o->from[k] == UINT32_MAX)
				continue;
			stateful[order[j]] |= stateful[o->from[k]];
			read[o->from[k]] = true;
			if (o->run && !d->ops[o->from[k]].run && order[j] + 1 < d->nops)
				df_mistake(f, o->span, str_internf(f->e->strs, "'%s' has a script, but reads '%s', which happens inside the trainer", o->name->s, d->ops[o->from[k]].name->s)->s,
					"give both a script, or let both happen inside the trainer");
		}
		if (!o->run && !stateful[order[j]])
			df_mistake(f, o->span, str_internf(f->e->strs, "the operator '%s' has no script", o->name->s)->s,
				"add run = \"\"\"...\"\"\"; only an operator that uses the model, or comes after one, may happen inside the trainer");
	}
	for (uint32_t i = 0; f->ok && i + 1 < d->nops; i++)
		if (!read[i])
			df_mistake(f, d->ops[i].span, str_internf(f->e->strs, "nothing reads the records of '%s'", d->ops[i].name->s)->s, "let the trainer or an operator read it: from = NAME");
}

static void df_workers(struct flow_body *f)
{
	const struct ast_stmt *st = block_entry(f->b, "workers"), *x;
	const struct ast_block *w = st ? entry_block(st) : NULL;
	struct ir_dataflow *d = f->d;
	struct layers l = { 0 };

	d->workers_min = d->workers_max = 1;
	if (w) {
		attrs_check_keys(f->e, w, OWN_WORKERS);
		if ((x = block_entry(w, "min")))
			entry_int(f->e, f->s, x, 0, INT_LIMIT, &d->workers_min);
		d->workers_max = d->workers_min > 1 ? d->workers_min : 1;
		if ((x = block_entry(w, "max")))
			entry_int(f->e, f->s, x, 1, INT_LIMIT, &d->workers_max);
		if (d->workers_min > d->workers_max)
			df_mistake(f, st->head, "min is above max", "write the smaller number as min");
		layers_add(&l, w, f->s, OWN_WORKERS);
	}
	d->workers = layers_attrs(f->e, &l);
	layers_free(&l);
}

static const struct str *df_word(struct flow_body *f, const char *key, const char *const *words, uint32_t n, const char *dflt)
{
	const struct ast_stmt *st = block_entry(f->b, key);
	uint32_t w;

	if (st && entry_word(f->e, f->s, st, words, n, &w) == 0)
		return str_internz(f->e->strs, words[w]);
	return dflt ? str_internz(f->e->strs, dflt) : NULL;
}

/* Operators in source order, the trainer behind them. */
static void df_ops(struct flow_body *f)
{
	const struct ast_stmt *trainer = NULL;
	struct ir_dataflow *d = f->d;

	d->ops = arena_array(f->e->arena, struct ir_operator, f->b->n + 1);
	f->ast = arena_array(f->e->arena, const struct ast_stmt *, f->b->n + 1);
	for (uint32_t i = 0; i < f->b->n; i++) {
		const struct ast_stmt *st = f->b->v[i];

		if (st->kind == AS_SOURCE)
			df_source(f, st);
		f->ok &= st->kind != AS_ERROR;
		if (st->kind == AS_TRAINER && trainer)
			df_mistake(f, st->head, "a dataflow has one trainer", "keep one of them");
		if (st->kind == AS_TRAINER)
			trainer = st;
		if (st->kind != AS_OP)
			continue;
		for (uint32_t k = 0; k < d->nops; k++)
			if (f->ast[k]->name == st->name)
				df_mistake(f, st->name_span, str_internf(f->e->strs, "the operator '%s' is already defined", st->name->s)->s, "give it another name");
		if (str_eq(st->name, "trainer") || st->name == d->source)
			df_mistake(f, st->name_span, str_internf(f->e->strs, "an operator cannot be called '%s' here", st->name->s)->s, "give it another name");
		f->ast[d->nops] = st;
		df_op(f, st, &d->ops[d->nops++]);
	}
	if (trainer) {
		f->ast[d->nops] = trainer;
		df_op(f, trainer, &d->ops[d->nops++]);
	}
	if (!f->source && f->ok)
		df_mistake(f, f->b->span, "the dataflow has no source", "add source records = split(INPUT)");
	if (!trainer && f->ok)
		df_mistake(f, f->b->span, "the dataflow has no trainer", "add trainer { from = NAME; run = \"\"\"...\"\"\" }");
}

struct ir_dataflow *dataflow_elab(struct elab *e, struct scope *inner, const struct ast_stmt *entry, struct ir_task *t)
{
	static const char *const framings[] = { "lines", "length_prefixed", "tar" }, *const runtimes[] = { "tfdata", "ray" };
	struct flow_body f = { .e = e, .s = inner, .b = entry_block(entry), .t = t, .ok = true };

	if (!f.b)
		return NULL;              /* reported with the form of the key */
	f.d = arena_new_of(e->arena, struct ir_dataflow);
	f.d->source_bytes = -1;
	attrs_check_keys(e, f.b, OWN_DATAFLOW);
	df_ops(&f);
	for (uint32_t i = 0; f.ok && i < f.d->nops; i++)
		df_from(&f, i);
	if (f.ok)
		df_roles(&f);
	df_workers(&f);
	f.d->framing = df_word(&f, "framing", framings, 3, "lines");
	f.d->runtime = df_word(&f, "runtime", runtimes, 2, NULL);
	return f.ok ? f.d : NULL;
}
