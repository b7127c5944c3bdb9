/*
 * Expressions over a step's inputs that may end in an error. In a template that runs a pod the engine passes such an
 * expression on as text, so whoever calls the template computes it, where an error is one, and passes the value in.
 */
#include "shape.h"

#include <string.h>

bool may_fail(const char *s)
{
	return strstr(s, "sprig.fail(") != NULL;
}

static struct ex passed(struct site *x, const char *name, const struct expr *e, bool word)
{
	bool text = e->type.kind == T_STRING || e->type.kind == T_JSON;

	return (struct ex){ .s = xl_member(x->g, "inputs.parameters", name), .prec = P_ATOM, .tag = true,
		.form = text ? e->type.list && !word ? FORM_AGG : FORM_T : FORM_SAFE };
}

struct ex hoisted(struct site *x, const struct expr *e, bool word)
{
	struct shape *s = (struct shape *)x->shape;
	struct shape_extra *v;
	const char *name;

	for (uint32_t i = 0; i < s->extra.n; i++)
		if (s->extra.v[i].whole && s->extra.v[i].word == word && expr_same(s->extra.v[i].ref, e))
			return passed(x, s->extra.v[i].name, e, word);
	name = word ? "argument" : "computed";
	name = name_param(x->g, &s->names, name, strlen(name));
	v = vec_add(x->g->a, &s->extra);
	*v = (struct shape_extra){ .ref = e, .name = name, .whole = true, .word = word };
	return passed(x, name, e, word);
}

static struct expr *text_literal(struct argo *g, const struct expr *e, const char *s)
{
	struct expr *c = arena_new_of(g->a, struct expr);
	struct value *v = arena_new_of(g->a, struct value);

	*v = (struct value){ .type = type_of(T_STRING), .u.s = str_intern(g->strs, s, strlen(s)) };
	*c = (struct expr){ .op = EX_LIT, .type = v->type, .u.lit = v, .span = e->span };
	return c;
}

/* e with what node n passes for the inputs, and the paths that files have in the container. */
static struct expr *with_inputs(struct argo *g, const struct node *n, const struct expr *e)
{
	const struct ir_task *t = task_of(n);
	struct expr *c, **args;
	uint32_t k = expr_arity(e);

	if (e->op == EX_REF && e->fn == REF_INPUT) {
		const struct ir_decl *d = &t->ins[e->n];

		if (!type_is_path(d->type))
			return n->ins[e->n];
		if (is_job(t)) {
			diag_mend(g->d, diag_at(g->d, CW0801, e->span, "argo cannot carry a computed value that holds the path of '%s': it lies on the workers' volume", d->name->s),
				"compute it in the script, where $%s is the path", d->name->s);
			g->err = -1;
		}
		return text_literal(g, e, d->named ? a_f(g, "/cw/n/%s/%s", d->name->s, d->named->s) : a_f(g, "/cw/in-%s", d->name->s));
	}
	if (e->op == EX_REF && e->fn == REF_OUTPATH) {
		const struct ir_decl *d = &t->outs[e->n];

		return text_literal(g, e, d->named && !d->type.list ? a_f(g, "/cw/n/%s/%s", d->name->s, d->named->s) : a_f(g, "/cw/out-%s", d->name->s));
	}
	if (e->op == EX_REF && e->fn == REF_ENV)
		return with_inputs(g, n, n->attrs->env.v[e->n].value);
	c = arena_new_of(g->a, struct expr);
	*c = *e;
	if (!k)
		return c;
	if (e->op == EX_MEMBER) {
		c->u.member.arg = with_inputs(g, n, e->u.member.arg);
		return c;
	}
	args = arena_array(g->a, struct expr *, k);
	for (uint32_t i = 0; i < k; i++)
		args[i] = with_inputs(g, n, e->u.args[i]);
	c->u.args = args;
	return c;
}

const char *hoisted_value(struct site *x, const struct node *n, const struct shape_extra *v)
{
	const struct expr *e = with_inputs(x->g, n, v->ref);
	enum form form = (enum form)passed(x, v->name, e, v->word).form;
	const char *w;
	struct ex t;

	if (!v->word)
		return value_of(x, e, form);
	x->lets = 0;
	t = xl_text(x, e, form);
	w = xl_let(x);
	t = ex_let(x, "let %s = %s; %s contains '\\\\0173\\\\0173' ? %s : %s", w, t.s, w,
		xl_fail(x, CW0706, v->ref->span, "a value that holds two opening braces cannot be passed to a command"), w);
	return value_tag(x, t);
}
