/* Regions (if, for, loop, sweep, called workflows) and the waves of a graph. */
#include <string.h>

#include "shell.h"

/* ---- waves ---- */

static const char *kind_word(const struct node *n)
{
	switch ((enum node_kind)n->kind) {
	case N_IF: return "if";
	case N_FOR: return "for";
	case N_LOOP: return "loop";
	case N_SWEEP: return "sweep";
	case N_CALL: return "call";
	case N_GROUP: return "group";
	case N_FAIL: return "fail";
	case N_WAIT: return "wait";
	case N_APPROVE: return "approve";
	default: return "step";
	}
}

void sh_graph(struct plan *p, struct graph *g, struct strbuf *order)
{
	struct edges *e = graph_edges(p->arena, g);
	uint32_t *topo = graph_topo(p->arena, e), *level = arena_array(p->arena, uint32_t, g->nodes.n + 1), deepest = 0;
	const char **names = arena_array(p->arena, const char *, g->nodes.n + 1);

	for (uint32_t k = 0; k < e->n; k++) {
		uint32_t i = topo ? topo[k] : k;

		for (uint32_t j = e->start[i]; j < e->start[i + 1]; j++)
			if (level[e->pred[j]] + 1 > level[i])
				level[i] = level[e->pred[j]] + 1;
		deepest = level[i] > deepest ? level[i] : deepest;
	}
	for (uint32_t i = 0; i < g->nodes.n; i++) {
		struct node *n = g->nodes.v[i];

		names[i] = sh_function(p, n, kind_word(n));
		if (node_nchildren(n) || n->kind == N_CALL)
			sh_region(p, n, names[i]);
		else
			sh_node(p, n, names[i]);
	}
	for (uint32_t l = 0; g->nodes.n && l <= deepest; l++) {
		size_t col = 8;

		sb_z(order, "\trun_all");
		for (uint32_t i = 0; i < g->nodes.n; i++) {
			if (level[i] != l)
				continue;
			if (col > 110) {
				sb_z(order, " \\\n\t\t");
				col = 16;
			}
			sb_f(order, " %s", names[i]);
			col += strlen(names[i]) + 1;
		}
		sb_ch(order, '\n');
	}
}

/* ---- steps of a region that does not run ---- */

struct skipped { struct strbuf *b; unsigned depth; };

static void skip_word(struct node *n, struct skipped *s)
{
	sb_ch(s->b, ' ');
	sh_key(s->b, n);
	if (n->kind == N_FOR || n->kind == N_LOOP || n->kind == N_SWEEP)
		return;                   /* no instances */
	for (uint32_t i = 0; i < node_nchildren(n); i++)
		for (uint32_t k = 0; k < node_child(n, i)->nodes.n; k++)
			skip_word(node_child(n, i)->nodes.v[k], s);
}

static void skip_line(struct plan *p, const char *indent, const char *why, struct graph *g)
{
	struct strbuf b = { 0 };
	struct skipped s = { &b, 0 };

	for (uint32_t i = 0; i < g->nodes.n; i++)
		skip_word(g->nodes.v[i], &s);
	if (b.n)
		sb_f(p->out, "%sskip %s%s\n", indent, why, sb_cstr(&b));
	sb_free(&b);
}

static void quoted_expr(struct plan *p, const struct expr *e)
{
	struct strbuf b = { 0 };

	sh_expr(p, &b, e);
	sh_quoted(p->out, b.s, b.n);
	sb_free(&b);
}

static void head(struct plan *p, const struct node *n, const char *function)
{
	struct place at = diag_place(p->diag, n->span);

	sb_ch(p->out, '\n');
	if (at.path)
		sb_f(p->out, "# %s:%u\n", strrchr(at.path, '/') ? strrchr(at.path, '/') + 1 : at.path, at.line);
	sb_f(p->out, "%s() {\n\tregion %s\n", function, n->name->s);
	sh_needs(p, n);
	if (n->allow_failure)
		sb_z(p->out, "\tallowed=1\n");
}

/* ---- if ---- */

static void if_region(struct plan *p, const struct node *n, const char *function)
{
	struct strbuf *waves = arena_array(p->arena, struct strbuf, n->u.if_.n);
	struct strbuf conds = { 0 };

	for (uint32_t i = 0; i < n->u.if_.n; i++)
		sh_graph(p, n->u.if_.v[i].body, &waves[i]);
	head(p, n, function);
	for (uint32_t i = 0; i < n->u.if_.n; i++)
		if (n->u.if_.v[i].cond) {
			struct strbuf b = { 0 };

			sh_expr(p, &b, n->u.if_.v[i].cond);
			sb_z(&conds, " \\\n\t\t");
			sh_quoted(&conds, b.s, b.n);
			sb_free(&b);
		}
	sb_f(p->out, "\tchoose %s%s\n\tcase $branch in\n", n->name->s, sb_cstr(&conds));
	for (uint32_t i = 0; i < n->u.if_.n; i++) {
		if (n->u.if_.v[i].cond)
			sb_f(p->out, "\t%u)\n", i + 1);
		else
			sb_z(p->out, "\telse)\n");
		for (uint32_t k = 0; k < n->u.if_.n; k++)
			if (k != i)
				skip_line(p, "\t\t", "condition", n->u.if_.v[k].body);
		for (const char *s = sb_cstr(&waves[i]); *s;) {
			size_t len = strcspn(s, "\n");

			sb_f(p->out, "\t%.*s\n", (int)len, s);
			s += len + (s[len] == '\n');
		}
		sb_z(p->out, "\t\t;;\n");
		sb_free(&waves[i]);
	}
	sb_z(p->out, "\t*)\n");
	for (uint32_t k = 0; k < n->u.if_.n; k++)
		skip_line(p, "\t\t", "\"$why\"", n->u.if_.v[k].body);
	sb_z(p->out, "\t\t;;\n\tesac\n}\n");
	sb_free(&conds);
}

/* ---- for ---- */

static void at_once(struct plan *p, const struct expr *max_parallel)
{
	struct strbuf b = { 0 };

	if (!max_parallel) {
		sb_z(p->out, "\"$jobs\"");
	} else if (max_parallel->op == EX_LIT) {
		value_text(&b, max_parallel->u.lit);
		sb_add(p->out, b.s, b.n);
	} else {
		sh_expr(p, &b, max_parallel);
		sb_z(p->out, "\"$(calc ");
		sh_quoted(p->out, b.s, b.n);
		sb_z(p->out, ")\"");
	}
	sb_free(&b);
}

static void instance_head(struct plan *p, const struct node *n, const char *function)
{
	unsigned d = sh_depth(n);

	sb_f(p->out, "\n%s_body() {\n\tS%u=$S%u:$1\n\tS=$S%u\n", function, d + 1, d, d + 1);
}

static void for_region(struct plan *p, const struct node *n, const char *function)
{
	struct strbuf waves = { 0 };

	sh_graph(p, n->u.for_.body, &waves);
	instance_head(p, n, function);
	sb_f(p->out, "%s}\n", sb_cstr(&waves));
	head(p, n, function);
	sb_f(p->out, "\tspread %s ", n->name->s);
	quoted_expr(p, n->u.for_.list);
	sb_z(p->out, " || return 0\n\teach \"$n\" ");
	at_once(p, n->u.for_.max_parallel);
	sb_f(p->out, " %s_body\n\tmark %s\"$S\" 'succeeded 0'\n}\n", function, n->name->s);
	sb_free(&waves);
}

/* ---- loop ---- */

static void state_lines(struct plan *p, const struct node *n, bool next)
{
	for (uint32_t i = 0; i < n->u.loop.n; i++) {
		const struct state *s = &n->u.loop.v[i];
		struct strbuf e = { 0 };

		if (next && !s->next)
			sb_f(&e, "val(\"%s\", \"%s\" S%u \".@%s\")", sh_tag(s->type), n->name->s, sh_depth(n) + 1, s->name->s);
		else
			sh_expr(p, &e, next ? s->next : s->init);
		sb_f(p->out, "%sstate %s ", next ? "\t\t" : "\t", s->name->s);
		sh_quoted(p->out, e.s, e.n);
		sb_z(p->out, next ? " || break\n" : " || return 0\n");
		sb_free(&e);
	}
}

static void body_key(struct node *n, void *data)
{
	if (n->graph->owner && n->graph->owner->kind == N_SWEEP)
		return;                                                /* a trial is no step */
	sb_ch(data, ' ');
	sh_key(data, n);
}

static void loop_region(struct plan *p, const struct node *n, const char *function)
{
	struct strbuf waves = { 0 };
	unsigned d = sh_depth(n);

	sh_graph(p, n->u.loop.body, &waves);
	head(p, n, function);
	sb_f(p->out, "\topen_loop %s || return 0\n", n->name->s);
	state_lines(p, n, false);
	sb_f(p->out, "\twhile [ \"$round\" -lt %lld ]; do\n\t\tS%u=$S%u:$round S=$S%u:$round\n", (long long)n->u.loop.max, d + 1, d, d);
	if (n->u.loop.cond) {
		sb_z(p->out, "\t\tgoes_on ");
		quoted_expr(p, n->u.loop.cond);
		sb_z(p->out, " || break\n");
	}
	for (const char *s = sb_cstr(&waves); *s;) {
		size_t len = strcspn(s, "\n");

		sb_f(p->out, "\t%.*s\n", (int)len, s);
		s += len + (s[len] == '\n');
	}
	sb_z(p->out, "\t\tround_ok");
	node_within((struct node *)n, body_key, p->out);
	sb_z(p->out, " || break\n");
	state_lines(p, n, true);
	sb_f(p->out, "\t\tround=$((round + 1))\n\tdone\n\tS=$S%u\n\tclose_loop %s", d, n->name->s);
	for (uint32_t i = 0; i < n->u.loop.n; i++)
		sb_f(p->out, " %s", n->u.loop.v[i].name->s);
	sb_z(p->out, "\n}\n");
	sb_free(&waves);
}

/* ---- sweep ---- */

static void trial(struct plan *p, const struct sweep *s, uint32_t t)
{
	for (uint32_t a = 0; a < s->nspace; a++) {
		struct expr lit = { .op = EX_LIT, .type = s->space[a].type, .u.lit = &s->table[t * s->nspace + a] };

		sb_f(p->out, "arg_of(%u, \"%s\", ", t, s->space[a].name->s);
		sh_expr(p, p->out, &lit);
		sb_z(p->out, ")\n");
	}
}

static void best_lines(struct plan *p, const struct node *n, const struct node *body)
{
	const struct sweep *s = n->u.sweep;
	const struct port *o = &body->ports[s->objective];

	sb_f(p->out, "\tpick %s %s %s %s ", n->name->s, o->name->s, sh_tag(o->type), s->minimize ? "minimize" : "maximize");
	sb_f(p->out, "%lld ", (long long)s->max_failed);
	if (s->has_goal)
		sb_double(p->out, s->goal);
	else
		sb_ch(p->out, '-');
	sb_z(p->out, " '");
	for (uint32_t i = 0; i < body->nports; i++)
		sb_f(p->out, "%s%s:%s", i ? " " : "", body->ports[i].name->s, sh_tag(body->ports[i].type));
	sb_z(p->out, "' '");
	for (uint32_t i = 0; i < s->nspace; i++)
		sb_f(p->out, "%s%s:%s", i ? " " : "", s->space[i].name->s, sh_tag(s->space[i].type));
	if (s->budget)
		sb_f(p->out, " %s:%s", s->budget->s, sh_tag(s->budget_type));
	sb_z(p->out, "'\n");
}

static void sweep_region(struct plan *p, const struct node *n, const char *function)
{
	const struct sweep *s = n->u.sweep;
	struct node *body = s->body->nodes.v[0];
	struct strbuf waves = { 0 };

	sh_graph(p, s->body, &waves);
	instance_head(p, n, function);
	sb_f(p->out, "\tforgiven=1\n%s}\n", sb_cstr(&waves));
	head(p, n, function);
	sb_f(p->out, "\topen_sweep %s <<'END' || return 0\n", n->name->s);
	for (uint32_t t = 0; t < s->ntable; t++)
		trial(p, s, t);
	sb_z(p->out, "END\n");
	if (s->search == SEARCH_HALVING) {
		sb_f(p->out, "\trung_of %s ", function);
		at_once(p, s->max_parallel);
		sb_f(p->out, " %s %s '%s:%s' %s %s", n->name->s, body->ports[s->objective].name->s, s->budget->s, sh_tag(s->budget_type), sh_tag(body->ports[s->objective].type), s->minimize ? "minimize" : "maximize");
		for (uint32_t r = 0; r < s->nrungs; r++) {
			sb_f(p->out, " %u:", s->rungs[r].n);
			sb_double(p->out, s->rungs[r].budget);
		}
		sb_z(p->out, "\n");
	} else {
		sb_f(p->out, "\teach %u ", s->ntable);
		at_once(p, s->max_parallel);
		sb_f(p->out, " %s_body\n", function);
	}
	best_lines(p, n, body);
	sb_z(p->out, "}\n");
	sb_free(&waves);
}

/* ---- calls ---- */

static void call_region(struct plan *p, const struct node *n, const char *function)
{
	const struct ir_workflow *w = n->u.callee;

	head(p, n, function);
	sb_f(p->out, "\topen_call ");
	sh_key(p->out, n);
	sb_z(p->out, " <<'END' || return 0\n");
	for (uint32_t i = 0; i < w->nparams; i++)
		if (n->ins[i]) {
			sb_f(p->out, "pass(\"%s\", ", w->params[i].name->s);
			sh_expr(p, p->out, n->ins[i]);
			sb_z(p->out, ")\n");
		}
	sb_z(p->out, "END\n\tcall_of ");
	sh_workflow(p->out, w);
	sb_ch(p->out, ' ');
	sh_key(p->out, n);
	sb_z(p->out, "\n}\n");
}

void sh_region(struct plan *p, const struct node *n, const char *function)
{
	struct strbuf waves = { 0 };

	switch ((enum node_kind)n->kind) {
	case N_IF: if_region(p, n, function); break;
	case N_FOR: for_region(p, n, function); break;
	case N_LOOP: loop_region(p, n, function); break;
	case N_SWEEP: sweep_region(p, n, function); break;
	case N_CALL: call_region(p, n, function); break;
	case N_GROUP:
		sh_graph(p, n->u.group, &waves);
		head(p, n, function);
		sb_f(p->out, "%s\tmark %s\"$S\" 'succeeded 0'\n}\n", sb_cstr(&waves), n->name->s);
		sb_free(&waves);
		break;
	default: break;
	}
}
