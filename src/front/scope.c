/* Scopes and symbols: definition, lookup, and what is said about names. */
#include "scope.h"

#include <stdlib.h>
#include <string.h>

void words_init(struct elab *e)
{
	e->words = arena_new_of(e->arena, struct words);
#define X(w) e->words->w = str_internz(e->strs, #w);
	WORDS(X)
#undef X
}

struct scope *scope_new(struct elab *e, enum scope_kind k, struct scope *parent)
{
	struct scope *s = arena_new_of(e->arena, struct scope);

	s->kind = k;
	s->parent = parent;
	if (parent) {
		s->module = parent->module;
		s->flow = parent->flow;
		s->graph = parent->graph;
	}
	return s;
}

struct module *scope_module(struct scope *s)
{
	return s->module;
}

struct sym *sym_new(struct elab *e, enum sym_kind k, const struct str *name, struct span sp, struct scope *s, const struct ast_stmt *ast)
{
	struct sym *y = arena_new_of(e->arena, struct sym);

	y->kind = k;
	y->name = name;
	y->span = sp;
	y->scope = s;
	y->ast = ast;
	return y;
}

const char *sym_words(const struct sym *s)
{
	static const char *const words[] = {
		[SYM_PARAM] = "param", [SYM_LET] = "let", [SYM_NODE] = "step", [SYM_INPUT] = "input", [SYM_OUTPUT] = "output",
		[SYM_ENV] = "env", [SYM_ITEM] = "element", [SYM_INDEX] = "index", [SYM_STATE] = "state", [SYM_VOLUME] = "volume"
	};

	if (s->kind != SYM_NODE || !s->ast)
		return words[s->kind];
	switch (s->ast->kind) {
	case AS_SWEEP: return "sweep";
	case AS_LOOP: return "loop";
	case AS_WAIT: return "wait";
	case AS_APPROVE: return "approve";
	case AS_SERVICE: return "service";
	default: return "step";
	}
}

/* An entry for a name of a body below; u.inner is the first symbol that has it, owner->region the region (on block: no owner). */
static struct sym *below_new(struct elab *e, struct sym *inner, struct scope *at, struct sym *region)
{
	struct sym *y = sym_new(e, inner->kind, inner->name, inner->span, at, NULL);

	y->u.inner = inner;
	y->node = region ? region->node : NULL;
	return y;
}

static bool is_below(const struct sym *y)
{
	return !y->ast && (y->kind == SYM_NODE || y->kind == SYM_LET);
}

/* Two branches of one `if` may define the same step, and lets of one name, which nobody else sees. */
static bool branches_share(const struct sym *old, const struct sym *sym, const struct scope *from)
{
	return is_below(old) && from->kind == SC_BRANCH && old->node && old->node == from->owner->node && old->kind == sym->kind;
}

static void report_twice(struct elab *e, const struct sym *sym, const struct sym *old)
{
	const struct sym *first = is_below(old) ? old->u.inner : old;
	struct diag_item *it = diag_at(e->diag, CW0204, sym->span, "'%s' is already defined in this workflow", sym->name->s);

	diag_mend(e->diag, it, "give one of them another name: a workflow has one namespace");
	diag_note(e->diag, it, first->span, "the first is the %s '%s' here", sym_words(first), first->name->s);
}

bool scope_define(struct elab *e, struct sym *sym)
{
	struct scope *s = sym->scope, *from;
	struct sym *old = strmap_get(&s->names, sym->name);

	if (sym->name == e->words->workflow) {
		struct diag_item *it = diag_at(e->diag, CW0206, sym->span, "'workflow' cannot be the name of a %s", sym_words(sym));

		diag_mend(e->diag, it, "choose another name: workflow.name, workflow.run_id and so on need this one");
		return false;
	}
	if (old) {
		report_twice(e, sym, old);
		return false;
	}
	strmap_put(e->arena, &s->names, sym->name, sym);
	if (sym->kind != SYM_NODE && sym->kind != SYM_LET)
		return true;
	for (; s->kind == SC_BRANCH || s->kind == SC_FOR || s->kind == SC_ON; s = from->parent) {
		from = s;
		old = strmap_get(&from->parent->names, sym->name);
		if (!old)
			strmap_put(e->arena, &from->parent->names, sym->name, below_new(e, sym, from->parent, from->owner));
		else if (branches_share(old, sym, from))
			return true;
		else {
			report_twice(e, sym, old);
			return false;
		}
	}
	return true;
}

/* Inputs and outputs of a step, the env of a command: made when asked for. */
static struct sym *step_lookup(struct elab *e, struct scope *s, const struct str *name)
{
	const struct ir_task *t = s->task;

	for (uint32_t i = 0; i < t->nins + t->nouts; i++) {
		bool in = i < t->nins;
		const struct ir_decl *d = in ? &t->ins[i] : &t->outs[i - t->nins];

		if (d->name == name) {
			struct sym *y = sym_new(e, in ? SYM_INPUT : SYM_OUTPUT, name, d->span, s, NULL);

			y->port = in ? i : i - t->nins;
			y->type = d->type;
			y->state = SYM_DONE;
			return y;
		}
	}
	for (uint32_t i = 0; s->command && s->attrs && i < s->attrs->env.n; i++) {
		if (s->attrs->env.v[i].name == name) {
			struct sym *y = sym_new(e, SYM_ENV, name, (struct span){ 0 }, s, NULL);

			y->port = i;
			y->type = type_of(T_STRING);
			y->state = SYM_DONE;
			return y;
		}
	}
	return NULL;
}

bool scope_lookup(struct elab *e, struct scope *s, const struct str *name, struct found *f)
{
	*f = (struct found){ 0 };
	for (; s; s = s->parent) {
		struct sym *y;

		if (s->kind == SC_STEP && (y = step_lookup(e, s, name))) {
			f->sym = y;
			return true;
		}
		if (s->kind == SC_STEP && s->command)
			return false;
		y = strmap_get(&s->names, name);
		if (!y)
			continue;
		f->sym = is_below(y) ? y->u.inner : y;
		if (is_below(y)) {
			/* The scope just below, on the way to where it is defined, knows the region. */
			struct scope *b = f->sym->scope;

			while (b->parent != s)
				b = b->parent;
			f->region = b->owner;
			f->closed = y->kind == SYM_LET || b->kind == SC_ON;
		}
		return true;
	}
	return false;
}

struct sym *scope_find(struct scope *s, const struct str *name)
{
	bool copy = false;

	for (; s; s = s->parent) {
		struct sym *y = strmap_get(&s->names, name);

		/* Volumes are those of the workflow that mounts them: a caller's mean nothing in a copy. */
		copy |= s->kind == SC_COPY;
		if (y && copy && y->kind == SYM_VOLUME)
			return NULL;
		if (y && is_below(y))
			return y->kind == SYM_LET ? NULL : y->u.inner;
		if (y)
			return y;
	}
	return NULL;
}

bool scope_in_on(const struct scope *s)
{
	for (; s; s = s->parent)
		if (s->kind == SC_ON)
			return true;
	return false;
}

void scope_check_hiding(struct elab *e, struct flow *f)
{
	for (uint32_t i = 0; i < f->inner.n; i++) {
		const struct sym *y = f->inner.v[i];
		struct scope *around = y->scope;
		struct found out;

		while (around->kind == SC_BRANCH || (around->kind == SC_FOR && y->kind != SYM_ITEM && y->kind != SYM_INDEX))
			around = around->parent;
		if (!scope_lookup(e, around->parent, y->name, &out) || out.closed)
			continue;
		struct diag_item *it = diag_at(e->diag, CW0205, y->span, "the %s '%s' hides the %s of that name around it", sym_words(y), y->name->s, sym_words(out.sym));

		diag_mend(e->diag, it, "give one of them another name");
		diag_note(e->diag, it, out.sym->span, "'%s' is defined here", y->name->s);
	}
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **scope_names(struct elab *e, struct scope *s, uint32_t *n)
{
	VEC(const char *) v = { 0 };

	*n = 0;
	if (e->diag->errors >= e->diag->max_errors + 1)
		return NULL;
	for (; s; s = s->parent) {
		for (uint32_t i = 0; s->kind == SC_STEP && i < s->task->nins; i++)
			vec_push(e->arena, &v, s->task->ins[i].name->s);
		for (uint32_t i = 0; s->kind == SC_STEP && s->command && i < s->task->nouts; i++)
			vec_push(e->arena, &v, s->task->outs[i].name->s);
		if (s->kind == SC_STEP && s->command)
			break;
		for (uint32_t i = 0; i < s->names.cap; i++)
			if (s->names.slot[i].key && !(is_below(s->names.slot[i].val) && ((struct sym *)s->names.slot[i].val)->kind == SYM_LET))
				vec_push(e->arena, &v, s->names.slot[i].key->s);
	}
	if (v.n)
		qsort(v.v, v.n, sizeof *v.v, by_bytes);
	*n = v.n;
	return v.v;
}

void did_you_mean(struct elab *e, struct diag_item *it, const struct str *name, const char *const *cand, uint32_t n)
{
	const char *near;

	if (!it->msg || !n)
		return;
	near = nearest(name->s, name->len, cand, n);
	if (near)
		diag_label(e->diag, it, "did you mean '%s'?", near);
}

/* A step of a loop's body, from outside of it. */
static bool report_in_loop(struct elab *e, struct scope *s, const struct str *name, struct span sp)
{
	struct sym *y = s->flow ? strmap_get(&s->flow->in_loops, name) : NULL;
	struct diag_item *it;
	const struct scope *l;

	if (!y)
		return false;
	for (l = y->scope; l->kind != SC_LOOP; l = l->parent)
		;
	it = diag_at(e->diag, CW0210, sp, "'%s' is private to the loop '%s'", name->s, l->owner->name->s);
	diag_mend(e->diag, it, "carry what you need of it out in a state of the loop, and read %s.STATE", l->owner->name->s);
	diag_note(e->diag, it, y->span, "'%s' is defined here", name->s);
	return true;
}

/* In the words of a command: a name of the workflow around, which the step has to take as an input. */
static bool report_not_input(struct elab *e, struct scope *s, const struct str *name, struct span sp)
{
	struct found f;
	struct diag_item *it;

	if (s->kind != SC_STEP || !s->command || !s->parent || !scope_lookup(e, s->parent, name, &f) || f.closed)
		return false;
	it = diag_at(e->diag, CW0521, sp, "a word of a command cannot read '%s', which is not an input of this step", name->s);
	if (f.sym->kind == SYM_NODE)
		diag_mend(e->diag, it, "add an input: in NAME = %s.OUTPUT", name->s);
	else
		diag_mend(e->diag, it, "add the line: in %s", name->s);
	diag_note(e->diag, it, f.sym->span, "'%s' is defined here", name->s);
	return true;
}

/* How a constant of another language is written; NULL if name is none. */
static const char *constant_word(const struct str *name)
{
	static const struct { const char *word, *mend; } words[] = {
		{ "True", "true" }, { "TRUE", "true" }, { "yes", "true" }, { "Yes", "true" }, { "False", "false" }, { "FALSE", "false" },
		{ "no", "false" }, { "No", "false" }, { "None", "null" }, { "nil", "null" }, { "NULL", "null" }, { "Null", "null" }, { "undefined", "null" },
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcmp(name->s, words[i].word))
			return words[i].mend;
	return NULL;
}

void scope_unknown(struct elab *e, struct scope *s, const struct str *name, struct span sp)
{
	struct diag_item *it;
	const char **names;
	uint32_t n;

	if (!s->module->ok || report_in_loop(e, s, name, sp) || report_not_input(e, s, name, sp))
		return;
	it = diag_at(e->diag, CW0201, sp, "'%s' is not defined", name->s);
	if (strmap_get(&s->module->tasks, name) || strmap_get(&s->module->workflows, name))
		diag_mend(e->diag, it, "'%s' is a %s: call it by a step and read the step's outputs", name->s,
			strmap_get(&s->module->tasks, name) ? "task" : "workflow");
	else if (strmap_get(&s->module->imports, name))
		diag_mend(e->diag, it, "'%s' is an import: call what it holds by a step, step x = %s.NAME(...)", name->s, name->s);
	else if (constant_word(name))
		diag_mend(e->diag, it, "write %s; text takes quotes: \"%s\"", constant_word(name), name->s);
	else if ((names = scope_names(e, s, &n)))
		did_you_mean(e, it, name, names, n);
	if (it->msg && !it->label && !it->mend)
		diag_mend(e->diag, it, "a value is a param, a let, an input or STEP.OUTPUT; text is written in quotes: \"%s\"", name->s);
}

void scope_closed(struct elab *e, const struct found *f, const struct str *name, struct span sp)
{
	const struct scope *s = f->sym->scope;
	struct diag_item *it;

	if (f->sym->kind == SYM_LET) {
		it = diag_at(e->diag, CW0210, sp, "the let '%s' can be read only in the body that defines it", name->s);
		diag_mend(e->diag, it, "define it outside of the `%s`", s->kind == SC_FOR ? "for" : s->kind == SC_ON ? "on" : "if");
	} else {
		it = diag_at(e->diag, CW0210, sp, "'%s' runs in an `on` block, after everything outside of it", name->s);
		diag_mend(e->diag, it, "read it in that block only");
	}
	diag_note(e->diag, it, f->sym->span, "'%s' is defined here", name->s);
}

const char *source_text(struct elab *e, struct span sp)
{
	const struct source *src;
	struct strbuf b = { 0 };
	const char *t;
	uint32_t n = sp.len;

	if (!sp.file || sp.file >= e->diag->nsources)
		return "this";
	src = e->diag->sources[sp.file];
	if (sp.off > src->len)
		return "this";
	if (n > src->len - sp.off)
		n = (uint32_t)(src->len - sp.off);
	for (uint32_t i = 0; i < n; i++)
		if (src->text[sp.off + i] == '\n')
			n = i;
	if (n > 60) {
		n = 57;
		while (n && ((unsigned char)src->text[sp.off + n] & 0xC0) == 0x80)
			n--;
		sb_add(&b, src->text + sp.off, n);
		sb_z(&b, "...");
	} else {
		sb_add(&b, src->text + sp.off, n);
	}
	t = arena_dup(e->arena, b.s ? b.s : "", b.n);
	sb_free(&b);
	return t;
}
