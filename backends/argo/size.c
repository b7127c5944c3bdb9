/* Bytes that a node takes in the document, for the pass that splits large ones: an estimate from what is written for it. */
#include "dag.h"

#include <string.h>

#define TASK_BYTES 110                    /* name, template, depends, comment of a task */
#define ARGUMENT_BYTES 70
#define TEMPLATE_BYTES 260
#define INPUT_BYTES 90

static size_t expr_bytes(const struct expr *e)
{
	struct strbuf b = { 0 };
	size_t n;

	if (!e || e->op == EX_REF)
		return 0;
	expr_write(&b, e);
	n = b.n;
	sb_free(&b);
	return n + 40;
}

static size_t task_bytes(const struct ir_task *t)
{
	size_t n = TEMPLATE_BYTES;

	if (!t)
		return n;
	n += t->script ? t->script->len + t->script->len / 16 : 0;
	n += (size_t)(t->nins + t->nouts) * INPUT_BYTES;
	for (uint32_t i = 0; i < t->ncode; i++)
		n += t->code[i].len + INPUT_BYTES;
	for (uint32_t i = 0; i < t->nargv; i++)
		n += 12 + expr_bytes(t->argv[i]);
	return n;
}

size_t argo_size(const struct ir *m, const struct node *n, const struct optset *o)
{
	size_t k = TASK_BYTES + 2 * (size_t)n->name->len;

	for (uint32_t i = 0; i < n->nins; i++)
		k += ARGUMENT_BYTES + expr_bytes(n->ins[i]);
	for (uint32_t i = 0; i < n->nafter; i++)
		k += n->after[i].node->name->len + (n->after[i].soft ? 90 : 4);
	if (has_pod(n)) {
		const struct ir_task *t = task_of(n);

		/* a template that several steps share counts once, with the step of its name */
		if (!t || t->inline_)
			k += task_bytes(t);
	}
	if (n->kind == N_SWEEP)
		k += (size_t)n->u.sweep->ntable * (30 + (size_t)n->u.sweep->nspace * 30) + 1500;
	for (uint32_t i = 0; i < node_nchildren(n); i++) {
		const struct graph *g = node_child(n, i);

		k += TEMPLATE_BYTES;
		for (uint32_t j = 0; j < g->nodes.n; j++)
			k += argo_size(m, g->nodes.v[j], o);
	}
	return k;
}
