/*
 * Sweeps. The search space is a table of the compiler's, each trial a row of it; a trial never fails the run. An
 * expression picks the best: NaN and failed trials never win, a tie goes to the lowest number.
 */
#include "dag.h"

#include <string.h>

static const struct node *body_of(const struct node *n)
{
	return n->u.sweep->body->nodes.v[0];
}

static const char *pick_name(struct dag *d, uint32_t rung)
{
	const struct sweep *s = d->c->owner->u.sweep;

	return s->nrungs > 1 ? a_f(d->g, "pick-%u", rung) : "pick";
}

static const char *trial_name(struct dag *d, uint32_t rung)
{
	const struct sweep *s = d->c->owner->u.sweep;

	return s->nrungs > 1 ? a_f(d->g, "trial-%u", rung) : "trial";
}

static const struct value *cell(const struct sweep *s, uint32_t row, uint32_t col)
{
	return &s->table[(size_t)row * s->nspace + col];
}

static const char *cell_text(struct argo *g, const struct value *v)
{
	struct strbuf t = { 0 }, b = { 0 };

	value_text(&t, v);
	if (v->type.kind == T_STRING || v->type.kind == T_JSON)
		text_encode(&b, t.s ? t.s : "", t.n);
	else
		sb_add(&b, t.s ? t.s : "", t.n);
	sb_free(&t);
	return a_buf(g, &b);
}

static const char *arg_name(struct argo *g, const struct sweep *s, uint32_t i)
{
	return dashed(g, i < s->nspace ? s->space[i].name : s->budget);
}

/* The rows of the table, a trial each. */
static void items(struct dag *d)
{
	const struct sweep *s = d->c->owner->u.sweep;
	struct yaml *y = &d->tasks;

	y_open(y, "withItems");
	for (uint32_t r = 0; r < s->ntable; r++) {
		y_item(y);
		y_z(y, "trial", a_f(d->g, "%06u", r));
		for (uint32_t c = 0; c < s->nspace; c++) {
			const char *t = cell_text(d->g, cell(s, r, c));

			y_z(y, arg_name(d->g, s, c), t);
		}
		y_item_end(y);
	}
	y_end(y);
}

/* ---- picking ---- */

static const char *better(const struct sweep *s)
{
	return s->minimize ? "<" : ">";
}

static const char *number_text(struct argo *g, double d)
{
	struct strbuf b = { 0 };

	sb_double(&b, d);
	return a_buf(g, &b);
}

/*
 * Numbers of the trials that count, best first where kept: s status, v objective, o those that ended well with a
 * number; after the first that reaches the goal the others are as if they had not been.
 */
static const char *considered(struct argo *g, const struct node *n)
{
	const struct sweep *s = n->u.sweep;
	const char *cut = "len(s) - 1";

	if (s->has_goal)
		cut = a_f(g, "(findIndex(0..len(s) - 1, o[#] && float(v[#]) %s= %s) ?? len(s) - 1)", better(s), number_text(g, s->goal));
	return a_f(g, "let s = fromJSON(inputs.parameters.status); let v = fromJSON(inputs.parameters.objective); "
		"let o = map(0..len(s) - 1, s[#] == 'succeeded' && v[#] != 'nan'); let c = %s; let w = filter(0..c, o[#]); let f = c + 1 - len(w) + int(inputs.parameters.failed); ", cut);
}

static const char *guarded(struct argo *g, const struct node *n, const char *result)
{
	const struct sweep *s = n->u.sweep;
	struct site x = { .g = g };
	const char *none = xl_fail(&x, CW0707, n->span, "no trial of the sweep ended with a result");

	if (s->max_failed > 0)
		return a_f(g, "f >= %lld ? %s : len(w) == 0 ? %s : %s", (long long)s->max_failed, xl_fail(&x, CW0707, n->span, "too many trials of the sweep failed"), none, result);
	return a_f(g, "len(w) == 0 ? %s : %s", none, result);
}

static void pick_output(struct yaml *y, const char *name, const char *expression)
{
	y_item(y);
	y_z(y, "name", name);
	y_open(y, "valueFrom");
	y_z(y, "expression", expression);
	y_end(y);
	y_item_end(y);
}

/* A template: which trial is best, or which go on to the next rung. keep 0: the best one. */
static void pick_template(struct dag *d, const char *name, uint32_t keep)
{
	static const char *const in[] = { "trials", "status", "objective", "failed" };
	const struct node *n = d->c->owner;
	const struct sweep *s = n->u.sweep;
	struct yaml y = template_yaml(d->g, template_slot(d->g, name)), c = yaml_at(y.b, y.depth - 1);
	const char *head = considered(d->g, n), *order;

	if (keep)
		y_comment(&c, "%s: the %u best trials of a rung of sweep %s go on.", place_comment(d->g, n->span), keep, n->name->s);
	else
		y_comment(&c, "%s: picks the trial of sweep %s with the %s %s.", place_comment(d->g, n->span), n->name->s, s->minimize ? "least" : "greatest",
			body_of(n)->ports[s->objective].name->s);
	pure_begin(&y, name);
	y_open(&y, "inputs");
	y_open(&y, "parameters");
	for (int i = 0; i < 4; i++) {
		y_item(&y);
		y_z(&y, "name", in[i]);
		y_item_end(&y);
	}
	y_end(&y);
	y_end(&y);
	pure_steps(d->g, &y);
	y_open(&y, "outputs");
	y_open(&y, "parameters");
	if (keep) {
		/* sorted by objective, then by number: sortBy keeps the order of equals */
		order = a_f(d->g, "let t = fromJSON(inputs.parameters.trials); toJson(map(take(sortBy(w, %sfloat(v[#])), min(len(w), %u)), t[#]))", s->minimize ? "" : "-", keep);
		pick_output(&y, "keep", a_f(d->g, "%s%s", head, guarded(d->g, n, a_f(d->g, "(%s)", order))));
		pick_output(&y, "failed", a_f(d->g, "%stoJson(f)", head));
	} else {
		pick_output(&y, "best", a_f(d->g, "%s%s", head, guarded(d->g, n,
			a_f(d->g, "(let t = fromJSON(inputs.parameters.trials); let n = toJson(t[reduce(w, float(v[#]) %s float(v[#acc]) ? # : #acc)]); repeat('0', 6 - len(n)) + n)", better(s)))));
	}
	y_end(&y);
	y_end(&y);
}

static void pick_task(struct dag *d, uint32_t rung, const char *trials, const char *failed)
{
	const struct node *n = d->c->owner;
	const struct sweep *s = n->u.sweep;
	const struct node *b = body_of(n);
	uint32_t keep = rung + 1 < s->nrungs ? s->rungs[rung + 1].n : 0;
	const char *template = name_template(d->g, a_f(d->g, "%s-%s", n->name->s, pick_name(d, rung)), n->name->len + 1 + strlen(pick_name(d, rung)));
	const char *task = xl_member(d->g, "tasks", trial_name(d, rung)), *objective = xl_member(d->g, "outputs.parameters", dashed(d->g, b->ports[s->objective].name)),
		*maybe = xl_member(d->g, "", dashed(d->g, b->ports[s->objective].name));
	struct deps v = { .g = d->g, .c = d->c };
	struct yaml *y = &d->tasks;

	deps_add(&v, trial_name(d, rung), false);
	task_begin(d, pick_name(d, rung), template);
	deps_write(d, &v);
	y_open(y, "arguments");
	y_open(y, "parameters");
	argument_value(y, "trials", trials);
	if (!rung) {
		argument_value(y, "status", a_f(d->g, "{{=%s.outputs.parameters.status}}", task));
		argument_value(y, "objective", a_f(d->g, "{{=%s.%s}}", task, objective));
	} else {
		argument_value(y, "status", a_f(d->g, "{{=%s.outputs?.parameters?.status ?? '[]'}}", task));
		argument_value(y, "objective", a_f(d->g, "{{=%s.outputs?.parameters?%s%s ?? '[]'}}", task, maybe[0] == '[' ? "." : "", maybe));
	}
	argument_value(y, "failed", failed);
	y_end(y);
	y_end(y);
	task_end(d);
	pick_template(d, template, keep);
}

/* ---- trials ---- */

static const char *all_numbers(struct argo *g, uint32_t n)
{
	struct strbuf b = { 0 };

	/* 0, 1, 2, ...: each trial's own number */
	sb_f(&b, "{{=toJson(0..%u)}}", n - 1);
	return a_buf(g, &b);
}

/* Rungs after the first take the trials that the one before kept. */
static void trial_task(struct dag *d, uint32_t rung)
{
	const struct node *n = d->c->owner, *b = body_of(n);
	struct site x = { .g = d->g, .c = d->c };
	struct deps v = { .g = d->g, .c = d->c };
	struct yaml *y = &d->tasks;

	d->rung = rung;
	x.rung = rung;
	if (rung)
		deps_add(&v, pick_name(d, rung - 1), false);
	task_begin(d, trial_name(d, rung), template_of(d->g, b));
	deps_write(d, &v);
	node_arguments(d, &x, b, true);
	if (!rung) {
		items(d);
	} else {
		y_open(y, "withSequence");
		y_f(y, "count", "{{=len(fromJSON(%s.outputs.parameters.keep))}}", xl_member(d->g, "tasks", pick_name(d, rung - 1)));
		y_end(y);
	}
	task_end(d);
}

/* The number of the trial that a task of rung r runs, as an expression. */
const char *trial_number(struct site *x, const struct node *n)
{
	(void)n;
	if (!x->rung)
		return "int(item.trial)";
	return a_f(x->g, "int(fromJSON(%s.outputs.parameters.keep)[int(item)])", xl_member(x->g, "tasks", a_f(x->g, "pick-%u", x->rung - 1)));
}

/* An argument of a trial. */
struct ex sweep_argument(struct site *x, const struct expr *ref)
{
	const struct node *n = ref->u.node;
	const struct sweep *s = n->u.sweep;
	struct strbuf b = { 0 };
	struct ex r;

	if (ref->n >= s->nspace) {
		/* the budget of the rung */
		struct value v = { .type = s->budget_type };

		if (s->budget_type.kind == T_INT || s->budget_type.kind == T_SIZE)
			v.u.i = (int64_t)s->rungs[x->rung].budget;
		else
			v.u.d = s->rungs[x->rung].budget;
		return xl_lit_text(x, &v, FORM_SAFE);
	}
	if (!x->rung) {
		r = (struct ex){ .s = xl_member(x->g, "item", arg_name(x->g, s, ref->n)), .prec = P_ATOM, .tag = true };
	} else {
		sb_ch(&b, '[');
		for (uint32_t i = 0; i < s->ntable; i++) {
			const char *t = cell_text(x->g, cell(s, i, ref->n));

			sb_z(&b, i ? ", " : "");
			xl_string(&b, t, strlen(t));
		}
		r = ex_f(x, P_ATOM, "%s][%s]", sb_cstr(&b), trial_number(x, n));
		sb_free(&b);
	}
	r.form = (uint8_t)ref_form(x->g, x->c, ref);
	return r;
}

const char *trial_at(struct dag *d, const struct node *body)
{
	const struct node *n = d->c->owner;
	struct site x = { .g = d->g, .c = d->c, .rung = d->rung };
	const char *at = at_of(d->g, d->c);

	(void)body;
	if (!d->rung)
		return a_f(d->g, n->u.sweep->nrungs > 1 ? "%s/0/{{item.trial}}" : "%s/{{item.trial}}", at);
	return a_f(d->g, "%s/%u/{{=%s}}", at, d->rung, xl_unlet(d->g, a_f(d->g, "let n = toJson(%s); repeat('0', 6 - len(n)) + n", trial_number(&x, n))));
}

/* ---- results ---- */

static bool file_port(struct argo *g, const struct node *n, uint32_t i)
{
	return type_is_path(n->ports[i].type) && (used_port(info(g, n), i, false) || used_port(info(g, n), i, true));
}

/* A file of the best trial lies under its number: a task that runs no pod hands it on. */
static void best_files(struct dag *d)
{
	const struct node *n = d->c->owner, *b = body_of(n);
	const struct sweep *s = n->u.sweep;
	uint32_t last = s->nrungs > 1 ? s->nrungs - 1 : 0;
	struct yaml *y = &d->tasks;

	for (uint32_t i = 0; i < n->nports; i++) {
		struct expr out = { .op = EX_REF, .fn = REF_OUTPUT, .type = n->ports[i].type, .u.node = (struct node *)b };
		struct deps v = { .g = d->g, .c = d->c };
		const char *at = at_of(d->g, d->c);

		if (!file_port(d->g, n, i))
			continue;
		for (; out.n < b->nports && !str_eq(b->ports[out.n].name, n->ports[i].name->s + 5); out.n++)
			;
		if (s->nrungs > 1)
			at = a_f(d->g, "%s/%u", at, last);
		d->g->uses_hand = true;
		deps_add(&v, pick_name(d, last), false);
		task_begin(d, name_task(d->g, &d->c->names, n->ports[i].name->s, n->ports[i].name->len), d->g->hand_name);
		deps_write(d, &v);
		y_open(y, "arguments");
		y_open(y, "artifacts");
		y_item(y);
		y_z(y, "name", "value");
		key_write(d->g, y, gather_prefix(d->g, &out, a_f(d->g, "%s/{{tasks.%s.outputs.parameters.best}}", at, pick_name(d, last))));
		if (type_is_path(n->ports[i].type)) {
			y_open(y, "archive");
			y_empty(y, "none");
			y_end(y);
		}
		y_item_end(y);
		y_end(y);
		y_end(y);
		task_end(d);
	}
}

static const char *last_pick(struct dag *d)
{
	const struct sweep *s = d->c->owner->u.sweep;

	return xl_member(d->g, "tasks", pick_name(d, s->nrungs > 1 ? s->nrungs - 1 : 0));
}

/* Where the best trial's results stand among those of the last rung. */
static const char *best_place(struct dag *d)
{
	const struct sweep *s = d->c->owner->u.sweep;
	const char *best = a_f(d->g, "int(%s.outputs.parameters.best)", last_pick(d));

	if (s->nrungs <= 1)
		return best;
	return a_f(d->g, "(findIndex(fromJSON(%s.outputs.parameters.keep), # == %s) ?? 0)", xl_member(d->g, "tasks", pick_name(d, s->nrungs - 2)), best);
}

static const struct dist *arg_called(const struct sweep *s, const char *name, uint32_t *i)
{
	for (*i = 0; *i < s->nspace; ++*i)
		if (str_eq(s->space[*i].name, name))
			return &s->space[*i];
	return NULL;
}

static const char *column(struct argo *g, const struct sweep *s, uint32_t col)
{
	struct strbuf b = { 0 };

	sb_ch(&b, '[');
	for (uint32_t i = 0; i < s->ntable; i++) {
		const char *t = cell_text(g, cell(s, i, col));

		sb_z(&b, i ? ", " : "");
		xl_string(&b, t, strlen(t));
	}
	sb_ch(&b, ']');
	return a_buf(g, &b);
}

static const char *native_column(struct argo *g, const struct sweep *s, uint32_t col)
{
	struct site x = { .g = g };
	struct strbuf b = { 0 };

	sb_ch(&b, '[');
	for (uint32_t i = 0; i < s->ntable; i++) {
		const struct value *v = cell(s, i, col);

		sb_f(&b, "%s%s", i ? ", " : "", v->type.kind == T_TIME ? xl_lit_text(&x, v, FORM_SAFE).s : xl_lit(&x, v).s);
	}
	sb_ch(&b, ']');
	return a_buf(g, &b);
}

static const char *last_trial(struct dag *d)
{
	const struct sweep *s = d->c->owner->u.sweep;

	return xl_member(d->g, "tasks", trial_name(d, s->nrungs > 1 ? s->nrungs - 1 : 0));
}

static void best_output(struct dag *d, struct yaml *y, const char *port, const char *name)
{
	const struct node *n = d->c->owner;
	const struct sweep *s = n->u.sweep;
	uint32_t i;

	if (arg_called(s, port, &i)) {
		pick_output(y, name, a_f(d->g, "%s[int(%s.outputs.parameters.best)]", column(d->g, s, i), last_pick(d)));
		return;
	}
	if (s->budget && str_eq(s->budget, port)) {
		pick_output(y, name, a_f(d->g, "'%s'", number_text(d->g, s->max)));
		return;
	}
	pick_output(y, name, a_f(d->g, "fromJSON(%s)[%s]", xl_member(d->g, a_f(d->g, "%s.outputs.parameters", last_trial(d)), dashed(d->g, str_internz(d->g->strs, port))), best_place(d)));
}

/* json: a list of {trial, status, args, outputs} */
static const char *trials_json(struct dag *d)
{
	const struct node *n = d->c->owner, *b = body_of(n);
	const struct sweep *s = n->u.sweep;
	struct site x = { .g = d->g, .c = d->c, .outputs = true };
	struct strbuf r = { 0 }, outs = { 0 };
	const char *task = last_trial(d), *number = s->nrungs > 1 ? a_f(d->g, "int(fromJSON(%s.outputs.parameters.keep)[#])", xl_member(d->g, "tasks", pick_name(d, s->nrungs - 2))) : "#";
	const char *objective = xl_member(d->g, a_f(d->g, "%s.outputs.parameters", task), dashed(d->g, b->ports[s->objective].name));
	struct ex e;

	for (uint32_t i = 0; i < b->nports; i++) {
		struct ex el = { .prec = P_ATOM, .form = b->ports[i].type.kind == T_STRING || b->ports[i].type.kind == T_JSON ? (b->ports[i].type.list ? FORM_AGG : FORM_T) : FORM_SAFE };

		if (type_is_path(b->ports[i].type))
			continue;
		el.s = a_f(d->g, "fromJSON(%s)[#]", xl_member(d->g, a_f(d->g, "%s.outputs.parameters", task), dashed(d->g, b->ports[i].name)));
		sb_f(&outs, "%s\"%s\": %s", outs.n ? ", " : "", b->ports[i].name->s, b->ports[i].type.kind == T_TIME ? el.s : ex_in(&x, xl_of_text(&x, b->ports[i].type, el), P_OR));
	}
	sb_f(&r, "let s = fromJSON(%s.outputs.parameters.status); let v = fromJSON(%s); toJson(map(0..len(s) - 1, s[#] == 'succeeded' && v[#] != 'nan' ? ({\"trial\": %s, \"status\": 'succeeded', \"args\": ({",
		task, objective, number);
	for (int k = 0; k < 2; k++) {
		for (uint32_t i = 0; i < s->nspace; i++)
			sb_f(&r, "%s\"%s\": %s[%s]", i ? ", " : "", s->space[i].name->s, native_column(d->g, s, i), number);
		if (k == 0)
			sb_f(&r, " }), \"outputs\": ({%s }) }) : ({\"trial\": %s, \"status\": 'failed', \"args\": ({", outs.n ? sb_cstr(&outs) : "", number);
	}
	sb_z(&r, " }), \"outputs\": ({ }) })))");
	sb_free(&outs);
	e = (struct ex){ .s = a_buf(d->g, &r), .prec = P_OPEN };
	/* let stands first in an expression: the encoding goes around the last part */
	return xl_encode(&x, (struct ex){ .s = a_f(d->g, "(%s)", e.s), .prec = P_ATOM }).s;
}

void sweep_outputs(struct dag *d, struct yaml *y)
{
	const struct node *n = d->c->owner;
	size_t before = y->b->n, after;

	y_open(y, "parameters");
	after = y->b->n;
	for (uint32_t i = 0; i < n->nports; i++) {
		const char *name = n->ports[i].name->s;

		if (type_is_path(n->ports[i].type) || (!used_port(info(d->g, n), i, false) && !used_port(info(d->g, n), i, true)))
			continue;
		if (!strncmp(name, "best.", 5))
			best_output(d, y, name + 5, dashed(d->g, n->ports[i].name));
		else
			pick_output(y, dashed(d->g, n->ports[i].name), trials_json(d));
	}
	y_end(y);
	if (y->b->n == after)
		y->b->n = before;
	before = y->b->n;
	y_open(y, "artifacts");
	after = y->b->n;
	for (uint32_t i = 0; i < n->nports; i++) {
		if (!file_port(d->g, n, i))
			continue;
		y_item(y);
		y_z(y, "name", dashed(d->g, n->ports[i].name));
		y_f(y, "from", "{{tasks.%s.outputs.artifacts.value}}", dashed(d->g, n->ports[i].name));
		y_item_end(y);
	}
	y_end(y);
	if (y->b->n == after)
		y->b->n = before;
}

void sweep_tasks(struct dag *d)
{
	const struct node *n = d->c->owner;
	const struct sweep *s = n->u.sweep;
	uint32_t rungs = s->nrungs ? s->nrungs : 1;

	if (info(d->g, body_of(n))->inner)
		ctx_write(d->g, info(d->g, body_of(n))->inner);
	for (uint32_t r = 0; r < rungs; r++) {
		const char *before = r ? xl_member(d->g, "tasks", pick_name(d, r - 1)) : NULL;

		trial_task(d, r);
		pick_task(d, r, r ? a_f(d->g, "{{=%s.outputs.parameters.keep}}", before) : all_numbers(d->g, s->ntable), r ? a_f(d->g, "{{=%s.outputs.parameters.failed}}", before) : "0");
	}
	best_files(d);
}
