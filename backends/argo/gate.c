/*
 * Templates without a pod: an expression is evaluated where a DAG or steps template ends. They judge, wait, ask, and
 * keep a failure from stopping what does not need it.
 */
#include "dag.h"

#include <string.h>

void pure_begin(struct yaml *y, const char *name)
{
	y_item(y);
	y_z(y, "name", name);
}

/* steps: one that ends at once */
void pure_steps(struct argo *g, struct yaml *y)
{
	g->uses_none = true;
	y_open(y, "steps");
	y_item(y);
	y->depth++;
	y_item(y);
	y_z(y, "name", "none");
	y_z(y, "template", g->none_name);
	y_item_end(y);
	y->depth--;
	y_end(y);
}

static void value_from(struct yaml *y, const char *name, const char *expression)
{
	y_item(y);
	y_z(y, "name", name);
	y_open(y, "valueFrom");
	y_z(y, "expression", expression);
	y_end(y);
	y_item_end(y);
}

static void names(struct yaml *y, const char *const *v, size_t n)
{
	y_open(y, "inputs");
	y_open(y, "parameters");
	for (size_t i = 0; i < n; i++) {
		y_item(y);
		y_z(y, "name", v[i]);
		y_item_end(y);
	}
	y_end(y);
	y_end(y);
}

static struct yaml comment_level(const struct yaml *y)
{
	return yaml_at(y->b, y->depth - 1);
}

/* ---- what several documents share ---- */

static void none_template_write(struct argo *g)
{
	struct yaml y = template_yaml(g, template_slot(g, g->none_name)), c = comment_level(&y);

	y_comment(&c, "Ends at once and runs no pod: what is wanted of it is the order, or the outputs around it.");
	pure_begin(&y, g->none_name);
	y_open(&y, "suspend");
	y_str(&y, "duration", "0", 1);
	y_end(&y);
}

static void gate_write(struct argo *g)
{
	static const char *const in[] = { "step", "status" };
	struct yaml y = template_yaml(g, template_slot(g, g->gate_name)), c = comment_level(&y);

	y_comment(&c, "Fails where one of a step's instances failed, so that only what needs all of them stops.");
	pure_begin(&y, g->gate_name);
	names(&y, in, 2);
	pure_steps(g, &y);
	y_open(&y, "outputs");
	y_open(&y, "parameters");
	value_from(&y, "ok",
		"let s = fromJSON(inputs.parameters.status); 'failed' in s ? "
		"sprig.fail(inputs.parameters.step + ' failed in ' + string(count(s, # == 'failed')) + ' of ' + string(len(s))) : 'omitted' in s ? "
		"sprig.fail(inputs.parameters.step + ' did not run in ' + string(count(s, # == 'omitted')) + ' of ' + string(len(s)) + ': what it needs failed') : 'true'");
	y_end(&y);
	y_end(&y);
}

static void fail_write(struct argo *g)
{
	static const char *const in[] = { "message" };
	struct yaml y = template_yaml(g, template_slot(g, g->fail_name)), c = comment_level(&y);
	struct site x = { .g = g };
	struct ex m = { .s = "inputs.parameters.message", .prec = P_ATOM, .form = FORM_T };

	y_comment(&c, "Fails with a message.");
	pure_begin(&y, g->fail_name);
	names(&y, in, 1);
	pure_steps(g, &y);
	y_open(&y, "outputs");
	y_open(&y, "parameters");
	value_from(&y, "never", a_f(g, "sprig.fail(%s)", xl_decode(&x, m).s));
	y_end(&y);
	y_end(&y);
}

static void hand_write(struct argo *g)
{
	struct yaml y = template_yaml(g, template_slot(g, g->hand_name)), c = comment_level(&y);

	y_comment(&c, "Hands a file on whose place is known only now.");
	pure_begin(&y, g->hand_name);
	for (int k = 0; k < 2; k++) {
		if (k)
			pure_steps(g, &y);
		y_open(&y, k ? "outputs" : "inputs");
		y_open(&y, "artifacts");
		y_item(&y);
		y_z(&y, "name", "value");
		if (k)
			y_z(&y, "from", "{{inputs.artifacts.value}}");
		y_item_end(&y);
		y_end(&y);
		y_end(&y);
	}
}

void gate_templates(struct argo *g)
{
	if (g->uses_hand)
		hand_write(g);
	if (g->uses_gate)
		gate_write(g);
	if (g->uses_fail)
		fail_write(g);
	if (g->uses_none)
		none_template_write(g);
}

/* ---- types of texts that come from outside ---- */

/* A condition: the text of expression v is of type t. */
const char *type_check(struct argo *g, struct type t, const char *v)
{
	static const char num[] = "-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?";

	if (t.list) {
		const char *el;

		switch (t.kind) {
		case T_INT:
		case T_SIZE:
			el = "type(#) in ['int', 'float'] && floor(#) == #";
			break;
		case T_FLOAT:
		case T_DURATION:
			el = "type(#) in ['int', 'float'] || # in ['nan', 'inf', '-inf']";
			break;
		case T_BOOL:
			el = "type(#) == 'bool'";
			break;
		case T_JSON:
			el = "true";
			break;
		default:
			el = "type(#) == 'string'";
		}
		return a_f(g, "type(fromJSON(%s)) == 'array' && all(fromJSON(%s), %s)", v, v, el);
	}
	switch (t.kind) {
	case T_INT:
		return a_f(g, "%s matches '^-?(0|[1-9][0-9]*)$' && abs(float(%s)) < 9007199254740992", v, v);
	case T_SIZE:
		return a_f(g, "%s matches '^(0|[1-9][0-9]*)$'", v);
	case T_FLOAT:
		return a_f(g, "%s matches '^(%s|nan|inf|-inf)$'", v, num);
	case T_DURATION:
		return a_f(g, "%s matches '^%s$'", v, num);
	case T_BOOL:
		return a_f(g, "%s in ['true', 'false']", v);
	case T_TIME:
		return a_f(g, "%s matches '^[0-9-]{10}[Tt ][0-9:]{8}([.][0-9]+)?([Zz]|[-+][0-9]{2}:[0-9]{2})$'", v);
	case T_JSON:
		return a_f(g, "type(fromJSON(%s)) != ''", v);
	default:
		return NULL;
	}
}

/* ---- wait for a time ---- */

const char *wait_template(struct argo *g, const struct node *n)
{
	struct ninfo *ni = info(g, n);
	struct strbuf b = { 0 };
	struct yaml y;

	if (ni->template_)
		return ni->template_;
	ni->template_ = name_template(g, n->name->s, n->name->len);
	sb_double(&b, n->u.wait.seconds);
	sb_ch(&b, 's');
	y = template_yaml(g, template_slot(g, ni->template_));
	template_head(g, &y, ni->template_, n->span, a_f(g, "wait %s", n->name->s), n->doc);
	y_open(&y, "suspend");
	y_str(&y, "duration", b.s, b.n);
	y_end(&y);
	sb_free(&b);
	return ni->template_;
}

/* ---- approve ---- */

static const char *const_text(struct argo *g, const struct expr *e)
{
	struct strbuf b = { 0 };

	if (!e || e->op != EX_LIT || e->u.lit->type.list)
		return NULL;
	value_text(&b, e->u.lit);
	return a_buf(g, &b);
}

/* The question: suspended until somebody resumes it. */
static void ask_template(struct argo *g, const struct node *n, const char *name)
{
	struct yaml y = template_yaml(g, template_slot(g, name));

	template_head(g, &y, name, n->span, a_f(g, "the question of approve %s: resume it to approve, fail it to reject", n->name->s), NULL);
	y_open(&y, "inputs");
	y_open(&y, "parameters");
	if (n->u.approve.message) {
		y_item(&y);
		y_z(&y, "name", "message");
		y_item_end(&y);
	}
	for (uint32_t i = 0; i < n->u.approve.n; i++) {
		const struct approve_ask *a = &n->u.approve.v[i];
		const char *d = const_text(g, a->dflt);

		y_item(&y);
		y_z(&y, "name", dashed(g, a->name));
		y_z(&y, "default", d ? d : "");
		if (a->in && a->in->op == EX_LIT) {
			y_open(&y, "enum");
			for (uint32_t k = 0; k < a->in->u.lit->n; k++) {
				struct strbuf b = { 0 };

				value_text(&b, &a->in->u.lit->u.list[k]);
				y_item_str(&y, b.s ? b.s : "", b.n);
				sb_free(&b);
			}
			y_end(&y);
		}
		y_item_end(&y);
	}
	y_end(&y);
	y_end(&y);
	y_open(&y, "suspend");
	if (n->attrs && n->attrs->timeout && n->attrs->timeout->op == EX_LIT)
		y_f(&y, "duration", "%.0fs", n->attrs->timeout->u.lit->u.d);
	else
		y.b->n--, sb_z(y.b, " {}\n");
	y_end(&y);
	if (!n->u.approve.n)
		return;
	y_open(&y, "outputs");
	y_open(&y, "parameters");
	for (uint32_t i = 0; i < n->u.approve.n; i++) {
		y_item(&y);
		y_z(&y, "name", dashed(g, n->u.approve.v[i].name));
		y_open(&y, "valueFrom");
		y_empty(&y, "supplied");
		y_end(&y);
		y_item_end(&y);
	}
	y_end(&y);
	y_end(&y);
}

/* An answer in time, of its type, and one of those allowed. */
static const char *answer(struct argo *g, const struct node *n, const struct approve_ask *a, struct site *x)
{
	const char *v = xl_member(g, "steps.ask.outputs.parameters", dashed(g, a->name)), *ok, *name = a->name->s;
	const struct expr *t = n->attrs ? n->attrs->timeout : NULL;
	struct ex text = { .s = v, .prec = P_ATOM, .form = FORM_RAW };
	const char *s = a->type.kind == T_STRING || a->type.kind == T_JSON ? xl_encode(x, text).s : v;

	if (a->in && a->in->op == EX_LIT) {
		struct strbuf b = { 0 };

		for (uint32_t k = 0; k < a->in->u.lit->n; k++) {
			struct strbuf el = { 0 };

			value_text(&el, &a->in->u.lit->u.list[k]);
			sb_z(&b, k ? ", " : "");
			xl_string(&b, el.s ? el.s : "", el.n);
			sb_free(&el);
		}
		s = a_f(g, "%s in [%s] ? %s : %s", v, sb_cstr(&b), s, xl_fail(x, CW0706, a->in->span, a_f(g, "the answer '%s' is not one of those allowed", name)));
		sb_free(&b);
	}
	ok = type_check(g, a->type, v);
	if (ok)
		s = a_f(g, "%s ? %s : %s", ok, s, xl_fail(x, CW0706, n->span, a_f(g, "the answer '%s' is not of its type", name)));
	if (t && t->op == EX_LIT)
		s = a_f(g, "(date(steps.ask.finishedAt) - date(steps.ask.startedAt)).Seconds() >= %.0f ? %s : %s", t->u.lit->u.d,
			xl_fail(x, CW0706, n->span, "nobody approved in time"), s);
	return s;
}

const char *approve_template(struct argo *g, const struct node *n, struct site *unused)
{
	struct ninfo *ni = info(g, n);
	struct site x = { .g = g };
	const char *ask;
	struct yaml y;

	(void)unused;
	if (ni->template_)
		return ni->template_;
	ni->template_ = name_template(g, n->name->s, n->name->len);
	y = template_yaml(g, template_slot(g, ni->template_));
	ask = name_template(g, a_f(g, "%s-ask", n->name->s), n->name->len + 4);
	template_head(g, &y, ni->template_, n->span, a_f(g, "approve %s", n->name->s), n->doc);
	if (n->u.approve.message) {
		static const char *const in[] = { "message" };

		names(&y, in, 1);
	}
	y_open(&y, "steps");
	y_item(&y);
	y.depth++;
	y_item(&y);
	y_z(&y, "name", "ask");
	y_z(&y, "template", ask);
	if (n->u.approve.message) {
		y_open(&y, "arguments");
		y_open(&y, "parameters");
		argument_value(&y, "message", "{{=inputs.parameters.message}}");
		y_end(&y);
		y_end(&y);
	}
	y_item_end(&y);
	y.depth--;
	y_end(&y);
	y_open(&y, "outputs");
	y_open(&y, "parameters");
	for (uint32_t i = 0; i < n->u.approve.n; i++)
		value_from(&y, dashed(g, n->u.approve.v[i].name), answer(g, n, &n->u.approve.v[i], &x));
	if (!n->u.approve.n) {
		const struct expr *t = n->attrs ? n->attrs->timeout : NULL;

		value_from(&y, "approved", t && t->op == EX_LIT ? a_f(g, "(date(steps.ask.finishedAt) - date(steps.ask.startedAt)).Seconds() >= %.0f ? %s : 'true'", t->u.lit->u.d,
			xl_fail(&x, CW0706, n->span, "nobody approved in time")) : "'true'");
	}
	y_end(&y);
	y_end(&y);
	ask_template(g, n, ask);
	return ni->template_;
}

/* ---- what may fail ---- */

struct passed { const char *name; enum form form; bool artifact, optional; };
struct inner {
	VEC(struct passed) in;
	const char *template;
	double timeout;
	const struct shape *checked;      /* a command: its outputs are looked at here; NULL */
	bool decode;                      /* an engine's own template: it gets values as they are */
};

static void pass(struct argo *g, struct inner *t, const char *name, enum form f, bool artifact, bool optional)
{
	vec_push(g->a, &t->in, ((struct passed){ name, f, artifact, optional }));
}

static void pass_shape(struct argo *g, struct inner *t, struct shape *s)
{
	for (uint32_t i = 0; s->task && i < s->task->nins; i++) {
		if (s->ins[i].how == IN_PARAM)
			pass(g, t, s->ins[i].name, s->ins[i].form, false, false);
		else if (s->ins[i].how == IN_FILE)
			pass(g, t, s->ins[i].name, FORM_SAFE, true, s->task->ins[i].type.list || s->task->ins[i].type.opt);
		for (uint32_t k = 0; s->ins[i].how == IN_FILES && k < s->ins[i].n; k++)
			pass(g, t, a_f(g, "%s-%06u", s->ins[i].name, k), FORM_SAFE, true, false);
	}
	for (uint32_t i = 0; i < s->extra.n; i++)
		pass(g, t, s->extra.v[i].name, FORM_T, false, false);
	if (s->at)
		pass(g, t, "at", FORM_SAFE, false, false);
	t->template = s->inner ? s->inner : s->name;
	t->checked = s->inner ? s : NULL;
	t->decode = s->task && s->task->body == BODY_ARGO;
}

static void pass_ctx(struct argo *g, struct inner *t, struct ctx *c, const struct node *n)
{
	ctx_write(g, c);
	if (n->kind == N_CALL) {
		const struct ir_workflow *w = n->u.callee;

		for (uint32_t i = 0; i < w->nparams; i++)
			if (n->ins[i])
				pass(g, t, g->w[w->id].param_name[i], FORM_T, type_is_path(w->params[i].type), w->params[i].type.opt);
	}
	for (uint32_t i = 0; n->kind == N_LOOP && i < n->u.loop.n; i++)
		pass(g, t, dashed(g, n->u.loop.v[i].name), FORM_T, type_is_path(n->u.loop.v[i].type), n->u.loop.v[i].type.opt);
	if (n->kind == N_LOOP)
		pass(g, t, "round", FORM_SAFE, false, false);
	for (uint32_t i = 0; i < c->ins.n; i++)
		if (!c->ins.v[i].fixed)
			pass(g, t, c->ins.v[i].name, FORM_T, c->ins.v[i].artifact, c->ins.v[i].nullable);
	t->template = c->name;
}

/* A value as it is, for a template that nobody decodes in; one that the engine would rewrite is an error. */
static const char *decoded_argument(struct argo *g, const struct passed *p)
{
	struct site x = { .g = g };
	struct ex e = { .s = xl_member(g, "inputs.parameters", p->name), .prec = P_ATOM, .form = FORM_T };

	if (p->form == FORM_AGG)
		return a_f(g, "{{=%s}}", xl_to_text(&x, (struct type){ .kind = T_STRING, .list = true }, xl_of_text(&x, (struct type){ .kind = T_STRING, .list = true },
			(struct ex){ .s = e.s, .prec = P_ATOM, .form = FORM_AGG }), FORM_RAW).s);
	return a_f(g, "{{=%s contains '\\\\0173\\\\0173' ? sprig.fail('CW0706 a value that holds two opening braces cannot be passed to a template') : %s}}", e.s, xl_decode(&x, e).s);
}

static void try_inputs(struct yaml *y, const struct inner *t, bool arguments, struct argo *g)
{
	size_t start = y->b->n, open;

	y_open(y, arguments ? "arguments" : "inputs");
	open = y->b->n;
	for (int artifacts = 0; artifacts < 2; artifacts++) {
		size_t before = y->b->n, after;

		y_open(y, artifacts ? "artifacts" : "parameters");
		after = y->b->n;
		for (uint32_t i = 0; i < t->in.n; i++) {
			const struct passed *p = &t->in.v[i];

			if (p->artifact != (bool)artifacts)
				continue;
			if (arguments && !artifacts) {
				const char *tag = t->decode && p->form != FORM_SAFE && p->form != FORM_RAW ? decoded_argument(g, p)
					: p->form == FORM_SAFE || p->form == FORM_RAW ? a_f(g, "{{inputs.parameters.%s}}", p->name) : a_f(g, "{{=%s}}", xl_member(g, "inputs.parameters", p->name));

				argument_value(y, p->name, tag);
				continue;
			}
			y_item(y);
			y_z(y, "name", p->name);
			if (arguments)
				y_f(y, "from", "{{inputs.artifacts.%s}}", p->name);
			if (p->optional)
				y_plain(y, "optional", "true");
			y_item_end(y);
		}
		y_end(y);
		if (y->b->n == after)
			y->b->n = before;
	}
	y_end(y);
	if (y->b->n == open)
		y->b->n = start;
}

/* Where output i of a command is, before it is looked at. */
static const char *raw_output(struct argo *g, const struct shape *s, const char *step, uint32_t i)
{
	const struct ir_decl *d = &s->task->outs[i];

	return d->from_stdout ? a_f(g, "steps.%s.outputs.result", step) : xl_member(g, a_f(g, "steps.%s.outputs.parameters", step), dashed(g, d->name));
}

static const char *output_check(struct argo *g, struct type t, const char *v)
{
	const char *ok = type_check(g, t, v);

	if (!t.list && t.kind != T_STRING && t.kind != T_JSON)
		return ok;
	return a_f(g, "%s matches '^[^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f]*$' && len(%s) <= 120000%s%s", v, v, ok ? " && " : "", ok ? ok : "");
}

/* As values leave a step: text that Argo would rewrite is encoded. */
static const char *output_text(struct argo *g, struct type t, const char *v)
{
	struct site x = { .g = g };
	struct ex raw = { .s = v, .prec = P_ATOM, .form = FORM_RAW };

	if (t.list)
		return xl_to_text(&x, t, ex_f(&x, P_ATOM, "fromJSON(%s)", v), leaving(t)).s;
	return leaving(t) == FORM_T ? xl_encode(&x, raw).s : v;
}

void checked_template(struct argo *g, struct yaml *y, struct shape *s)
{
	struct inner t = { .template = NULL };
	struct site x = { .g = g };
	const struct ir_task *k = s->task;
	bool files = false;

	pass_shape(g, &t, s);
	try_inputs(y, &t, false, g);
	y_open(y, "steps");
	y_item(y);
	y->depth++;
	y_item(y);
	y_z(y, "name", "run");
	y_z(y, "template", s->inner);
	try_inputs(y, &t, true, g);
	y_item_end(y);
	y->depth--;
	y_end(y);
	y_open(y, "outputs");
	y_open(y, "parameters");
	for (uint32_t i = 0; i < k->nouts; i++) {
		const struct ir_decl *d = &k->outs[i];
		const char *v = raw_output(g, s, "run", i), *ok = output_check(g, d->type, v), *text = output_text(g, d->type, v);
		struct strbuf type = { 0 };

		files |= type_is_path(d->type);
		if (type_is_path(d->type))
			continue;
		type_str(&type, d->type);
		if (ok)
			text = a_f(g, "%s ? %s : %s", ok, text, xl_fail(&x, CW0706, d->span, a_f(g, "output '%s' is not of type %s", d->name->s, sb_cstr(&type))));
		sb_free(&type);
		y_item(y);
		y_z(y, "name", dashed(g, d->name));
		if (s->on && s->on[i])
			y_f(y, "globalName", "%s-%s", dashed(g, s->first->name), dashed(g, d->name));
		y_open(y, "valueFrom");
		y_z(y, "expression", text);
		y_end(y);
		y_item_end(y);
	}
	y_end(y);
	if (files)
		y_open(y, "artifacts");
	for (uint32_t i = 0; i < k->nouts; i++) {
		if (!type_is_path(k->outs[i].type))
			continue;
		y_item(y);
		y_z(y, "name", dashed(g, k->outs[i].name));
		if (s->on && s->on[i])
			y_f(y, "globalName", "%s-%s", dashed(g, s->first->name), dashed(g, k->outs[i].name));
		y_f(y, "from", "{{steps.run.outputs.artifacts.%s}}", dashed(g, k->outs[i].name));
		y_item_end(y);
	}
	if (files)
		y_end(y);
	y_end(y);
}

/* The attempt did what it should: of a command its outputs are looked at, too. */
static const char *attempt_ok(struct argo *g, const struct inner *t)
{
	const char *ok = "steps.attempt.status == 'Succeeded'";

	for (uint32_t i = 0; t->checked && i < t->checked->task->nouts; i++) {
		const struct ir_decl *d = &t->checked->task->outs[i];
		const char *c = type_is_path(d->type) ? NULL : output_check(g, d->type, raw_output(g, t->checked, "attempt", i));

		if (c)
			ok = a_f(g, "%s && %s", ok, c);
	}
	return ok;
}

static void try_outputs(struct argo *g, struct yaml *y, const struct node *n, const struct inner *t)
{
	double timeout = t->timeout;
	const char *ok = attempt_ok(g, t), *code = "steps.attempt?.exitCode ?? '121'";
	bool files = false;

	if (t->checked)
		code = a_f(g, "steps.attempt.status == 'Succeeded' ? '121' : (%s)", code);
	if (!has_pod(n) || is_job(task_of(n)))
		code = "'1'";
	else if (timeout > 0)
		code = a_f(g, "(date(steps.attempt.finishedAt) - date(steps.attempt.startedAt)).Seconds() >= %.0f && (%s) in ['137', '143'] ? '124' : %s", timeout, code, code);
	y_open(y, "outputs");
	y_open(y, "parameters");
	value_from(y, "status", a_f(g, "%s ? 'succeeded' : 'failed'", ok));
	value_from(y, "exit-code", a_f(g, "%s ? '0' : (%s)", ok, code));
	for (uint32_t i = 0; i < n->nports; i++) {
		const char *name = dashed(g, n->ports[i].name);

		files |= type_is_path(n->ports[i].type);
		if (!type_is_path(n->ports[i].type))
			value_from(y, name, a_f(g, "%s ? %s : '" ABSENT "'", ok, t->checked ? output_text(g, n->ports[i].type, raw_output(g, t->checked, "attempt", i))
				: xl_member(g, "steps.attempt.outputs.parameters", name)));
	}
	y_end(y);
	if (files) {
		y_open(y, "artifacts");
		for (uint32_t i = 0; i < n->nports; i++) {
			const char *name = dashed(g, n->ports[i].name);

			if (!type_is_path(n->ports[i].type))
				continue;
			y_item(y);
			y_z(y, "name", name);
			y_f(y, "from", "{{steps.attempt.outputs.artifacts.%s}}", name);
			y_plain(y, "optional", "true");
			y_item_end(y);
		}
		y_end(y);
	}
	y_end(y);
}

/* The template itself, without what keeps its failure from counting. */
static void inner_of(struct argo *g, const struct node *n, struct inner *t)
{
	struct ninfo *ni = info(g, n);

	if (ni->shape) {
		pass_shape(g, t, ni->shape);
	} else if (n->kind == N_CALL) {
		pass_ctx(g, t, g->w[n->u.callee->id].root, n);
	} else if (ni->inner) {
		pass_ctx(g, t, ni->inner, n);
	} else {
		ni->wrapped = false;
		t->template = template_of(g, n);
		ni->wrapped = true;
		if (n->kind == N_APPROVE && n->u.approve.message)
			pass(g, t, "message", FORM_T, false, false);
		if (n->kind == N_FAIL)
			pass(g, t, "message", FORM_T, false, false);
	}
}

const char *try_template(struct argo *g, const struct node *n)
{
	struct ninfo *ni = info(g, n);
	struct inner t = { .template = NULL };
	const char **slot = ni->shape ? &ni->shape->try_ : &ni->template_try;
	struct yaml y, c;

	if (*slot)
		return *slot;
	inner_of(g, n, &t);
	*slot = name_template(g, a_f(g, "try-%s", t.template), strlen(t.template) + 4);
	if (n->attrs && n->attrs->timeout && n->attrs->timeout->op == EX_LIT)
		t.timeout = n->attrs->timeout->u.lit->u.d;
	y = template_yaml(g, template_slot(g, *slot));
	c = comment_level(&y);
	y_comment(&c, "Runs %s and succeeds whatever becomes of it: its outputs say how it ended.", t.template);
	pure_begin(&y, *slot);
	try_inputs(&y, &t, false, g);
	y_open(&y, "steps");
	y_item(&y);
	y.depth++;
	y_item(&y);
	y_z(&y, "name", "attempt");
	template_ref(g, &y, t.template);
	y_open(&y, "continueOn");
	y_plain(&y, "failed", "true");
	y_plain(&y, "error", "true");
	y_end(&y);
	try_inputs(&y, &t, true, g);
	y_item_end(&y);
	y.depth--;
	/* the engine takes the result of what ran last for that of a task behind it which is skipped */
	g->uses_none = true;
	y_item(&y);
	y.depth++;
	y_item(&y);
	y_z(&y, "name", "over");
	y_z(&y, "template", g->none_name);
	y_item_end(&y);
	y.depth--;
	y_end(&y);
	try_outputs(g, &y, n, &t);
	return *slot;
}
