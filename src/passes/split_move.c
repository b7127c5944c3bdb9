/*
 * Moves the nodes of each part into a workflow of its own and leaves a call. What a part reads from outside becomes a
 * parameter, what others read of it an output. Nodes are moved, not copied: references within a part stay as they are.
 */
#include "split_move.h"

#include <stdlib.h>
#include <string.h>

/*
 * One value of a node that someone outside of its part reads. What may be absent passes as two: whether it is there, and
 * itself with a default, for no workflow takes or gives what may be absent.
 */
enum aspect { ASPECT_VALUE, ASPECT_PRESENT, ASPECT_OR_ZERO };
struct value_of { enum ref_kind kind; enum aspect aspect; uint32_t port, out; uint32_t reader, param; struct value_of *next; };

struct part {
	struct ir_workflow *w;
	struct node *call;
	VEC(struct ir_param) params;
	VEC(struct expr *) ins;
	VEC(struct ir_out) outs;
	VEC(struct port) ports;
	VEC(struct order) after;
	struct strmap names_in, names_out;
};

struct mover {
	struct ir *m;
	struct ir_workflow *w;
	enum link link;
	uint32_t nids;                    /* of w before parts were made */
	uint32_t *part_of;                /* by node id: of the node at the top that holds it */
	struct value_of **values;         /* by node id */
	uint32_t *param_reader, *param_at;                              /* by parameter of w: the part that took it last, as which of its own */
	uint32_t field_reader[WF_COUNT], field_at[WF_COUNT];            /* the same by field of the workflow, where parts are runs of their own */
	uint32_t *after_seen, *after_at;  /* by node id and part: who asked last, where the edge stands */
	struct part *parts;
	uint32_t nparts, reader;          /* the part whose nodes are rewritten; STAYS: the workflow itself */
	const struct node *at;            /* node that is rewritten, for spans */
};

/* ---- names ---- */

static const struct str *unique(struct mover *p, struct strmap *taken, const char *s, size_t n)
{
	struct strbuf b = { 0 };
	const struct str *name;
	size_t len;

	for (size_t i = 0; i < n; i++)
		sb_ch(&b, (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= '0' && s[i] <= '9') ? s[i] : '_');
	len = b.n;
	for (uint32_t k = 2; ; k++) {
		name = str_intern(p->m->strs, b.s, b.n);
		if (!strmap_get(taken, name))
			break;
		b.n = len;
		sb_f(&b, "_%u", k);
	}
	strmap_put(p->m->arena, taken, name, p);
	sb_free(&b);
	return name;
}

static const struct str *name_of(struct mover *p, struct strmap *taken, const struct expr *e, enum aspect as)
{
	const struct node *n = e->u.node;
	struct strbuf b = { 0 };
	const struct str *name;

	sb_str(&b, n->name);
	sb_ch(&b, '_');
	if (e->fn == REF_OUTPUT)
		sb_str(&b, n->ports[e->n].name);
	else
		sb_z(&b, e->fn == REF_STATUS ? "status" : "exit_code");
	if (as == ASPECT_PRESENT)
		sb_z(&b, "_present");
	name = unique(p, taken, b.s, b.n);
	sb_free(&b);
	return name;
}

/* ---- values that pass a border ---- */

static bool may_be_absent(const struct expr *e)
{
	return e->type.opt || (e->fn == REF_OUTPUT && (e->u.node->ports[e->n].type.opt || e->u.node->allow_failure));
}

static struct type type_of_ref(const struct expr *e, enum aspect as)
{
	struct type t = e->fn == REF_OUTPUT ? e->u.node->ports[e->n].type : e->type;

	t.opt = false;
	return as == ASPECT_PRESENT ? type_of(T_BOOL) : t;
}

bool split_has_zero(struct type t)
{
	return !type_is_path(t) && (t.list || t.kind == T_INT || t.kind == T_FLOAT || t.kind == T_STRING || t.kind == T_BOOL);
}

static struct expr *zero(struct mover *p, struct type t, struct span sp)
{
	struct value v = { .type = t };

	if (!t.list && t.kind == T_STRING)
		v.u.s = str_intern(p->m->strs, "", 0);
	return expr_lit(p->m->arena, &v, sp);
}

/* What the output of the part is computed from. */
static struct expr *exported(struct mover *p, struct expr *e, enum aspect as)
{
	struct expr *opt, *x;

	if (as == ASPECT_VALUE)
		return e;
	opt = expr_ref(p->m->arena, (enum ref_kind)e->fn, e->u.node, e->n, e->type, e->span);
	opt->type.opt = true;
	x = expr_new(p->m->arena, as == ASPECT_PRESENT ? EX_CALL : EX_COALESCE, type_of_ref(e, as), e->span, as == ASPECT_PRESENT ? 1 : 2);
	x->u.args[0] = opt;
	if (as == ASPECT_PRESENT)
		x->fn = FN_present;
	else
		x->u.args[1] = zero(p, type_of_ref(e, as), e->span);
	return x;
}

static uint32_t add_out(struct mover *p, struct part *q, const struct str *name, struct type t, struct expr *value, struct span sp)
{
	vec_push(p->m->arena, &q->outs, ((struct ir_out){ name, t, value, NULL, sp }));
	vec_push(p->m->arena, &q->ports, ((struct port){ name, t, NULL, sp }));
	return q->outs.n - 1;
}

static struct value_of *value_of_ref(struct mover *p, const struct expr *e, enum aspect as)
{
	uint32_t port = e->fn == REF_OUTPUT ? e->n : 0;
	struct value_of *v = p->values[e->u.node->id];

	for (; v; v = v->next)
		if (v->kind == (enum ref_kind)e->fn && v->port == port && v->aspect == as)
			return v;
	v = arena_new_of(p->m->arena, struct value_of);
	*v = (struct value_of){ (enum ref_kind)e->fn, as, port, STAYS, STAYS, 0, p->values[e->u.node->id] };
	p->values[e->u.node->id] = v;
	return v;
}

/* How the workflow itself reads what e reads, which a part may hold. */
static struct expr *from_outside(struct mover *p, struct expr *e, enum aspect as)
{
	uint32_t from = p->part_of[e->u.node->id];
	struct value_of *v;
	struct part *q;

	if (from == STAYS)
		return exported(p, e, as);
	q = &p->parts[from];
	v = value_of_ref(p, e, as);
	if (v->out == STAYS)
		v->out = add_out(p, q, name_of(p, &q->names_out, e, as), type_of_ref(e, as), exported(p, e, as), e->span);
	return expr_ref(p->m->arena, REF_OUTPUT, q->call, v->out, type_of_ref(e, as), e->span);
}

static uint32_t add_param(struct mover *p, const struct str *name, struct type t, struct expr *in, struct span sp)
{
	struct part *r = &p->parts[p->reader];

	vec_push(p->m->arena, &r->params, ((struct ir_param){ .name = name, .type = t, .span = sp }));
	vec_push(p->m->arena, &r->ins, in);
	return r->params.n - 1;
}

static struct expr *take_param(struct mover *p, struct expr *e)
{
	const struct ir_param *from = &p->w->params[e->n];
	struct part *r = &p->parts[p->reader];

	if (p->param_reader[e->n] != p->reader) {
		p->param_reader[e->n] = p->reader;
		p->param_at[e->n] = add_param(p, unique(p, &r->names_in, from->name->s, from->name->len), from->type,
			expr_ref(p->m->arena, REF_PARAM, NULL, e->n, from->type, r->call->span), from->span);
	}
	return expr_ref(p->m->arena, REF_PARAM, NULL, p->param_at[e->n], e->type, e->span);
}

/* A field of the run that was started: that of the part's own run is another one. */
static struct expr *take_field(struct mover *p, struct expr *e)
{
	struct part *r = &p->parts[p->reader];
	const char *name = workflow_fields[e->n].name;

	if (p->field_reader[e->n] != p->reader) {
		p->field_reader[e->n] = p->reader;
		p->field_at[e->n] = add_param(p, unique(p, &r->names_in, name, strlen(name)), e->type, expr_ref(p->m->arena, REF_FIELD, NULL, e->n, e->type, r->call->span), e->span);
	}
	return expr_ref(p->m->arena, REF_PARAM, NULL, p->field_at[e->n], e->type, e->span);
}

/* How the part that is rewritten, or the workflow itself, reads it. */
static struct expr *read_aspect(struct mover *p, struct expr *e, enum aspect as)
{
	struct value_of *v;

	if (p->reader == STAYS)
		return from_outside(p, e, as);
	v = value_of_ref(p, e, as);
	if (v->reader != p->reader) {
		v->reader = p->reader;
		v->param = add_param(p, name_of(p, &p->parts[p->reader].names_in, e, as), type_of_ref(e, as), from_outside(p, e, as), e->span);
	}
	return expr_ref(p->m->arena, REF_PARAM, NULL, v->param, type_of_ref(e, as), e->span);
}

static struct expr *read_value(struct mover *p, struct expr *e)
{
	struct value null = { .type = type_of(T_NULL) };
	struct expr *x;

	if (!may_be_absent(e))
		return read_aspect(p, e, ASPECT_VALUE);
	x = expr_new(p->m->arena, EX_COND, e->type, e->span, 3);
	x->type.opt = true;
	x->u.args[0] = read_aspect(p, e, ASPECT_PRESENT);
	x->u.args[1] = read_aspect(p, e, ASPECT_OR_ZERO);
	x->u.args[2] = expr_lit(p->m->arena, &null, e->span);
	return x;
}

static bool is_null(const struct expr *e)
{
	return e->op == EX_LIT && e->u.lit->type.kind == T_NULL;
}

/* (there ? v : null) ?? w is  there ? v : w,  and present() of it is  there:  engines need no absent value then. */
static void mend(struct expr *e)
{
	struct expr **args = expr_args(e);

	for (uint32_t i = 0, n = expr_arity(e); i < n; i++)
		mend(args[i]);
	if (e->op == EX_COALESCE && args[0]->op == EX_COND && is_null(args[0]->u.args[2])) {
		struct expr *cond = args[0], *other = args[1];

		args = cond->u.args;
		e->op = EX_COND;
		e->n = 3;
		e->u.args = args;
		e->u.args[2] = other;
	} else if (e->op == EX_CALL && e->fn == FN_present && args[0]->op == EX_COND && is_null(args[0]->u.args[2])) {
		*e = *args[0]->u.args[0];
	}
}

static struct expr *own_name(struct mover *p, struct expr *e)
{
	struct value v = { .type = type_of(T_STRING), .u.s = p->w->name };

	return expr_lit(p->m->arena, &v, e->span);
}

/* What stands for a reference in the part that is rewritten, or in the workflow itself. */
static struct expr *rewrite_ref(struct copier *c, struct expr *e)
{
	struct mover *p = c->data;

	switch ((enum ref_kind)e->fn) {
	case REF_PARAM:
		return p->reader == STAYS ? e : take_param(p, e);
	case REF_FIELD:
		if (p->reader != STAYS && e->n == WF_name)
			return own_name(p, e);
		return p->reader != STAYS && p->link == LINK_RUN ? take_field(p, e) : e;
	case REF_OUTPUT:
	case REF_STATUS:
	case REF_EXIT_CODE:
		if (e->u.node->id >= p->nids || p->part_of[e->u.node->id] == p->reader)
			return e;
		return read_value(p, e);
	default:
		return e;
	}
}

/* ---- order ---- */

/* The edges of one node or call, each once; one that is hard anywhere is hard. asker: a number that no other one asks with. */
struct asking { struct order *v; uint32_t n, asker; };

static void ask(struct mover *p, struct asking *a, struct order o)
{
	uint32_t from = p->part_of[o.node->id], key = from == STAYS ? o.node->id : p->nids + from;

	if (from != STAYS)
		o.node = p->parts[from].call;
	if (p->after_seen[key] == a->asker) {
		a->v[p->after_at[key]].soft &= o.soft;
		return;
	}
	p->after_seen[key] = a->asker;
	p->after_at[key] = a->n;
	a->v[a->n++] = o;
}

/* Order edges of a node of a part: those within stay, the others are the call's. */
static void order_in_part(struct mover *p, struct node *n, uint32_t part)
{
	struct part *q = &p->parts[part];
	struct asking a = { q->after.v, q->after.n, p->nids + part + 1 };
	uint32_t kept = 0;

	for (uint32_t i = 0; i < n->nafter; i++) {
		if (p->part_of[n->after[i].node->id] == part) {
			n->after[kept++] = n->after[i];
			continue;
		}
		if (a.n == q->after.cap) {
			q->after.n = a.n;
			vec_push(p->m->arena, &q->after, n->after[i]);
			a.v = q->after.v;
		}
		ask(p, &a, n->after[i]);
	}
	q->after.n = a.n;
	n->nafter = kept;
}

static void order_outside(struct mover *p, struct node *n)
{
	struct asking a = { n->after, 0, n->id + 1 };

	for (uint32_t i = 0, all = n->nafter; i < all; i++)
		ask(p, &a, n->after[i]);
	n->nafter = a.n;
}

/* ---- rewriting ---- */

static void mend_slot(struct expr **e, struct node *n, void *data)
{
	(void)n;
	(void)data;
	mend(*e);
}

static void rewrite_moved(struct node *n, void *data)
{
	struct copier *c = data;
	struct mover *p = c->data;

	copy_node_exprs(c, n);
	node_exprs(p->m, n, mend_slot, NULL);
	order_in_part(p, n, p->reader);
	for (uint32_t i = 0; i < node_nchildren(n); i++)
		node_child(n, i)->workflow = p->parts[p->reader].w;
}

static void rewrite_part(struct mover *p, uint32_t k)
{
	struct copier c = { .m = p->m, .from = p->w, .to = p->parts[k].w, .ref = rewrite_ref, .data = p };
	struct graph *g = p->parts[k].w->body;

	p->reader = k;
	for (uint32_t i = 0; i < g->nodes.n; i++) {
		rewrite_moved(g->nodes.v[i], &c);
		node_within(g->nodes.v[i], rewrite_moved, &c);
	}
	copier_free(&c);
}

static void rewrite_slot(struct expr **e, struct node *n, void *data)
{
	(void)n;
	*e = copy_expr(data, *e);
	mend(*e);
}

static void rewrite_left(struct node *n, void *data)
{
	struct copier *c = data;

	if (n->id >= ((struct mover *)c->data)->nids)
		return;
	node_exprs(((struct mover *)c->data)->m, n, rewrite_slot, c);
	order_outside(c->data, n);
}

static void rewrite_workflow(struct mover *p)
{
	struct copier c = { .m = p->m, .from = p->w, .to = p->w, .ref = rewrite_ref, .data = p };

	p->reader = STAYS;
	workflow_nodes(p->w, rewrite_left, &c);
	workflow_exprs(p->w, rewrite_slot, &c);
	copier_free(&c);
}

/* ---- the workflows ---- */

static void open_part(struct mover *p, uint32_t k, const struct node *first, struct strmap *names)
{
	struct part *q = &p->parts[k];
	struct strbuf b = { 0 };

	q->w = arena_new_of(p->m->arena, struct ir_workflow);
	q->call = arena_new_of(p->m->arena, struct node);
	sb_f(&b, "%s_part_%u", p->w->name->s, k + 1);
	q->w->name = unique(p, names, b.s, b.n);
	q->w->span = first->span;
	q->w->artifacts = p->w->artifacts;
	q->w->fail_fast = p->w->fail_fast;
	q->w->keep = -1;
	q->w->link = p->link;
	q->w->body = arena_new_of(p->m->arena, struct graph);
	q->w->body->workflow = q->w;
	q->call->kind = N_CALL;
	q->call->hidden = true;
	q->call->name = q->w->name;
	q->call->graph = p->w->body;
	q->call->span = first->span;
	q->call->id = p->nids + k;
	q->call->u.callee = q->w;
	sb_free(&b);
}

static void close_part(struct part *q)
{
	q->w->params = q->params.v;
	q->w->nparams = q->params.n;
	q->w->outs = q->outs.v;
	q->w->nouts = q->outs.n;
	q->call->ins = q->ins.v;
	q->call->nins = q->ins.n;
	q->call->ports = q->ports.v;
	q->call->nports = q->ports.n;
	q->call->after = q->after.v;
	q->call->nafter = q->after.n;
}

struct marking { struct mover *p; uint32_t part; };

static void mark(struct node *n, void *data)
{
	struct marking *k = data;

	k->p->part_of[n->id] = k->part;
}

/* Steps that pass cse took out go where the one is that does their work. */
static void place_merged(struct mover *p)
{
	struct graph *g = p->w->body;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < g->merged.n; i++) {
		struct same_step m = g->merged.v[i];
		uint32_t to = p->part_of[m.into->id];

		if (to == STAYS) {
			g->merged.v[kept++] = m;
			continue;
		}
		m.node->graph = p->parts[to].w->body;
		vec_push(p->m->arena, &p->parts[to].w->body->merged, m);
	}
	g->merged.n = kept;
}

/* Nodes to their parts, a call in the place of the first of each. */
static void place(struct mover *p, const uint32_t *part, struct strmap *names)
{
	struct graph *g = p->w->body;
	uint32_t n = g->nodes.n, kept = 0;
	struct node **old = xmalloc((n ? n : 1) * sizeof *old);

	memcpy(old, g->nodes.v, n * sizeof *old);
	for (uint32_t i = 0; i < n; i++) {
		struct marking k = { p, part[i] };
		struct part *q;

		mark(old[i], &k);
		if (node_nchildren(old[i]))
			node_within(old[i], mark, &k);
		if (part[i] == STAYS) {
			g->nodes.v[kept++] = old[i];
			continue;
		}
		q = &p->parts[part[i]];
		if (!q->w) {
			open_part(p, part[i], old[i], names);
			g->nodes.v[kept++] = q->call;
		}
		vec_push(p->m->arena, &q->w->body->nodes, old[i]);
		old[i]->graph = q->w->body;
	}
	g->nodes.n = kept;
	place_merged(p);
	free(old);
}

void split_move(struct ir *m, struct ir_workflow *w, const uint32_t *part, uint32_t nparts, enum link link, struct ir_workflow **out)
{
	struct mover p = { .m = m, .w = w, .link = link, .nids = w->nnodes, .nparts = nparts };
	struct strmap names = { 0 };
	size_t ids = (size_t)w->nnodes + nparts + 1;

	p.part_of = xmalloc(ids * sizeof *p.part_of);
	memset(p.part_of, 0xff, ids * sizeof *p.part_of);
	p.values = xcalloc(ids, sizeof(struct value_of *));
	p.after_seen = xcalloc(ids, sizeof *p.after_seen);
	p.after_at = xcalloc(ids, sizeof *p.after_at);
	p.param_reader = xmalloc(((size_t)w->nparams + 1) * sizeof *p.param_reader);
	memset(p.param_reader, 0xff, ((size_t)w->nparams + 1) * sizeof *p.param_reader);
	memset(p.field_reader, 0xff, sizeof p.field_reader);
	p.param_at = xcalloc((size_t)w->nparams + 1, sizeof *p.param_at);
	p.parts = xcalloc((size_t)nparts + 1, sizeof *p.parts);
	for (uint32_t i = 0; i < m->workflows.n; i++)
		strmap_put(m->arena, &names, m->workflows.v[i]->name, m);
	place(&p, part, &names);
	for (uint32_t k = 0; k < nparts; k++)
		rewrite_part(&p, k);
	rewrite_workflow(&p);
	for (uint32_t k = 0; k < nparts; k++) {
		close_part(&p.parts[k]);
		out[k] = p.parts[k].w;
		renumber(p.parts[k].w);
	}
	renumber(w);
	free(p.part_of);
	free(p.values);
	free(p.after_seen);
	free(p.after_at);
	free(p.param_reader);
	free(p.param_at);
	free(p.parts);
}
