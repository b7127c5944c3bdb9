/* Expressions of the IR as calls of values.awk. */
#include <string.h>

#include "shell.h"

void sh_quoted(struct strbuf *b, const char *s, size_t n)
{
	sb_ch(b, '\'');
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\'')
			sb_z(b, "'\\''");
		else
			sb_ch(b, s[i]);
	}
	sb_ch(b, '\'');
}

void sh_awk_string(struct strbuf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		switch (s[i]) {
		case '\\': sb_z(b, "\\\\"); break;
		case '"': sb_z(b, "\\\""); break;
		case '\n': sb_z(b, "\\n"); break;
		case '\t': sb_z(b, "\\t"); break;
		case '\r': sb_z(b, "\\r"); break;
		case '\'': sb_z(b, "\\047"); break;
		default: sb_ch(b, s[i]);
		}
	}
}

static char tag_of(unsigned kind)
{
	switch (kind) {
	case T_INT: return 'i';
	case T_FLOAT: return 'f';
	case T_BOOL: return 'b';
	case T_JSON: return 'j';
	case T_TIME: return 't';
	case T_DURATION: return 'd';
	case T_SIZE: return 'z';
	case T_FILE: case T_DIR: return 'p';
	case T_STRING: return 's';
	default: return 'j';
	}
}

const char *sh_tag(struct type t)
{
	static const char *const lists[] = { "Li", "Lf", "Lb", "Lj", "Lt", "Ld", "Lz", "Lp", "Ls" };
	static const char *const scalars[] = { "i", "f", "b", "j", "t", "d", "z", "p", "s" };
	const char *all = "ifbjtdzps", *at = strchr(all, tag_of(t.kind));

	return t.list ? lists[at - all] : scalars[at - all];
}

unsigned sh_depth(const struct node *n)
{
	unsigned d = 0;

	for (const struct node *o = n->graph->owner; o; o = o->graph->owner)
		d += o->kind == N_FOR || o->kind == N_LOOP || o->kind == N_SWEEP;
	return d;
}

void sh_key(struct strbuf *b, const struct node *n)
{
	const struct node *o = n->graph->owner;

	sb_str(b, o && o->kind == N_SWEEP ? o->name : n->name);
}

/* "tag" S1 ".v": the file of an output of n, or of the instance inside it */
static void place(struct strbuf *b, const struct node *n, unsigned depth, const char *rest)
{
	sb_ch(b, '"');
	sh_key(b, n);
	if (depth) {
		sb_f(b, "\" S%u", depth);
		if (*rest)
			sb_f(b, " \"%s\"", rest);
	} else {
		sb_f(b, "%s\"", rest);
	}
}

static bool is_pinned(const struct value *v)
{
	bool any = v->type.kind != T_NULL && !v->type.list && v->sha256;

	for (uint32_t i = 0; v->type.list && i < v->n; i++)
		any |= is_pinned(&v->u.list[i]);
	return any;
}

/* pinned("DIGEST...", value): a digest a path, "-" where none was asked for */
static void pins(struct strbuf *b, const struct value *v)
{
	sb_z(b, "pinned(\"");
	for (uint32_t i = 0; i < (v->type.list ? v->n : 1); i++) {
		const struct value *one = v->type.list ? &v->u.list[i] : v;

		sb_f(b, "%s%s", i ? " " : "", is_pinned(one) ? one->sha256->s : "-");
	}
	sb_z(b, "\", ");
}

static void literal(struct strbuf *b, const struct value *v)
{
	struct strbuf t = { 0 };
	bool pinned = is_pinned(v);

	if (v->type.kind == T_NULL) {
		sb_z(b, "\"n\"");
		return;
	}
	if (v->type.list)
		value_json(&t, v);
	else
		value_text(&t, v);
	if (pinned)
		pins(b, v);
	sb_f(b, "\"%s", sh_tag(v->type));
	sh_awk_string(b, t.s ? t.s : "", t.n);
	sb_z(b, pinned ? "\")" : "\"");
	sb_free(&t);
}

/* A port of an `if`: the value of the branch that ran. */
static void merged(struct plan *p, struct strbuf *b, const struct node *n, const struct port *port)
{
	uint32_t open = 0;

	for (uint32_t i = 0; i < n->u.if_.n; i++) {
		if (!port->value[i])
			continue;
		sb_f(b, "(absent(X%u = ", ++p->temps);
		sh_expr(p, b, port->value[i]);
		sb_f(b, ") ? ");
		open++;
	}
	sb_z(b, "\"n\"");
	for (uint32_t i = 0; i < open; i++)
		sb_f(b, " : X%u)", p->temps - i);
}

/*
 * A merged status: the branch that was taken has one that says more than "skipped". The steps of all branches
 * share one file where they share a name, so the first that ran answers.
 */
static bool is_state(const struct port *port)
{
	for (uint32_t i = 0; port->value && port->value[i]; i++)
		return port->value[i]->op == EX_REF && (port->value[i]->fn == REF_STATUS || port->value[i]->fn == REF_EXIT_CODE);
	return false;
}

/* A port of a `for`: a function of awk that walks the instances. */
static void gathered(struct plan *p, struct strbuf *b, const struct node *n, const struct port *port)
{
	struct strbuf f = { 0 }, body = { 0 };
	unsigned d = sh_depth(n);
	struct type elem = port->value[0]->type;

	elem.opt = false;
	sh_expr(p, &body, port->value[0]);
	sb_f(&f, "%s_%s", p->w->name->s, n->name->s);
	sb_f(&f, "_%s", port->name->s);
	for (size_t i = 0; i < f.n; i++)
		if (!((f.s[i] >= 'a' && f.s[i] <= 'z') || (f.s[i] >= 'A' && f.s[i] <= 'Z') || (f.s[i] >= '0' && f.s[i] <= '9')))
			f.s[i] = '_';
	sb_f(b, "list_%s()", sb_cstr(&f));
	sb_f(&f, "%s", "");
	{
		struct strbuf head = { 0 };

		sb_f(&head, "function list_%s(  ", sb_cstr(&f));
		if (!p->lists.n || !strstr(sb_cstr(&p->lists), sb_cstr(&head))) {
			sb_add(&p->lists, head.s, head.n);
			sb_f(&p->lists, " i, n, list, was) {\n\tn = count(");
			place(&p->lists, n, d, "");
			sb_f(&p->lists, "); if (n < 0) return \"n\"\n\tlist = \"L%s[]\"; was = S%u\n", sh_tag(elem), d + 1);
			sb_f(&p->lists, "\tfor (i = 0; i < n; i++) { S%u = ", d + 1);
			if (d)
				sb_f(&p->lists, "S%u ", d);
			sb_f(&p->lists, "\":\" i; list = push(list, ");
			sb_add(&p->lists, body.s, body.n);
			sb_f(&p->lists, ") }\n\tS%u = was\n\treturn list\n}\n", d + 1);
		}
		sb_free(&head);
	}
	sb_free(&f);
	sb_free(&body);
}

static void output(struct plan *p, struct strbuf *b, const struct expr *e)
{
	const struct node *n = e->u.node;
	const struct port *port = &n->ports[e->n];
	struct strbuf rest = { 0 };

	if (n->kind == N_IF && is_state(port)) {
		for (uint32_t i = 0; i < n->u.if_.n; i++)
			if (port->value[i]) {
				sh_expr(p, b, port->value[i]);
				break;
			}
	} else if (n->kind == N_IF) {
		merged(p, b, n, port);
	} else if (n->kind == N_FOR) {
		gathered(p, b, n, port);
	} else if (n->kind == N_GROUP) {
		sh_expr(p, b, port->value[0]);
	} else {
		sb_f(&rest, ".%s", port->name->s);
		sb_f(b, "val(\"%s\", ", sh_tag(port->type));
		place(b, n, sh_depth(n), sb_cstr(&rest));
		sb_ch(b, ')');
	}
	sb_free(&rest);
}

static void member_file(struct strbuf *b, const struct node *n, struct type t, const char *name)
{
	struct strbuf rest = { 0 };

	sb_f(&rest, ".@%s", name);
	sb_f(b, "val(\"%s\", ", sh_tag(t));
	sb_ch(b, '"');
	sb_str(b, n->name);
	sb_f(b, "\" S%u \"%s\")", sh_depth(n) + 1, sb_cstr(&rest));
	sb_free(&rest);
}

static void input(struct plan *p, struct strbuf *b, const struct expr *e)
{
	const struct ir_task *t = p->step->kind == N_STEP ? p->step->u.task : p->step->kind == N_WAIT ? p->step->u.wait.poll : p->step->u.service.task;
	const struct ir_decl *d = &t->ins[e->n];

	if (!type_is_path(d->type))
		sb_f(b, "arg(\"%s\", \"%s\")", sh_tag(d->type), d->name->s);
	else if (d->named && !d->type.list)
		sb_f(b, "(\"p\" T \"/in/%s/%s\")", d->name->s, d->named->s);
	else
		sb_f(b, "(\"p\" T \"/in/%s\")", d->name->s);
}

static void field(struct plan *p, struct strbuf *b, uint32_t f)
{
	switch ((enum workflow_field)f) {
	case WF_name:
		sb_f(b, "\"s%s\"", p->w->name->s);
		break;
	case WF_scheduled_time: case WF_url: case WF_COUNT:
		sb_z(b, "\"n\"");
		break;
	case WF_run_id: case WF_start_time:
		sb_f(b, "read_value(\"%s\", W \"%s\")", sh_tag(workflow_fields[f].type), workflow_fields[f].name);
		break;
	case WF_status: case WF_failed_steps:
		sb_f(b, "val(\"%s\", \"@%s\")", sh_tag(workflow_fields[f].type), workflow_fields[f].name);
		break;
	}
}

static void reference(struct plan *p, struct strbuf *b, const struct expr *e)
{
	const struct node *n = e->u.node;

	switch ((enum ref_kind)e->fn) {
	case REF_PARAM:
		sb_f(b, "val(\"%s\", \"@%s\")", sh_tag(e->type), p->w->params[e->n].name->s);
		break;
	case REF_OUTPUT: output(p, b, e); break;
	case REF_STATUS: case REF_EXIT_CODE:
		sb_z(b, e->fn == REF_STATUS ? "status(" : "code(");
		place(b, n, sh_depth(n), "");
		sb_ch(b, ')');
		break;
	case REF_INPUT: input(p, b, e); break;
	case REF_ITEM: member_file(b, n, n->u.for_.item_type, "item"); break;
	case REF_INDEX: member_file(b, n, type_of(T_INT), "index"); break;
	case REF_STATE: member_file(b, n, n->u.loop.v[e->n].type, n->u.loop.v[e->n].name->s); break;
	case REF_ARG:
		if (e->n == n->u.sweep->nspace)
			member_file(b, n, n->u.sweep->budget_type, n->u.sweep->budget->s);
		else
			member_file(b, n, n->u.sweep->space[e->n].type, n->u.sweep->space[e->n].name->s);
		break;
	case REF_FIELD: field(p, b, e->n); break;
	case REF_OUTPATH: case REF_ENV: case REF_COUNT: break;   /* in `command` alone: step.c writes them as variables */
	}
}

static void call(struct plan *p, struct strbuf *b, const char *f, struct expr **args, uint32_t n)
{
	sb_f(b, "%s(", f);
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			sb_z(b, ", ");
		sh_expr(p, b, args[i]);
	}
	sb_ch(b, ')');
}

static void list(struct plan *p, struct strbuf *b, const struct expr *e)
{
	struct type elem = { e->type.kind, false, false };

	for (uint32_t i = 0; i < e->n; i++)
		sb_z(b, "push(");
	sb_f(b, "\"L%s[]\"", sh_tag(elem));
	for (uint32_t i = 0; i < e->n; i++) {
		sb_z(b, ", ");
		sh_expr(p, b, e->u.args[i]);
		sb_ch(b, ')');
	}
}

static void map(struct plan *p, struct strbuf *b, const struct expr *e)
{
	sb_z(b, "(\"j\" canon(\"{\"");
	for (uint32_t i = 0; i + 1 < e->n; i += 2) {
		sb_z(b, i ? " \",\" tojson(" : " tojson(");
		sh_expr(p, b, e->u.args[i]);
		sb_z(b, ") \":\" tojson(");
		sh_expr(p, b, e->u.args[i + 1]);
		sb_ch(b, ')');
	}
	sb_z(b, " \"}\"))");
}

/* min, max: of a list or of several numbers */
static void extreme(struct plan *p, struct strbuf *b, const struct expr *e, const char *sign, bool index)
{
	struct expr whole = *e;

	sb_f(b, "%s(best_of(", index ? "best_index" : "");
	if (e->n == 1) {
		sh_expr(p, b, e->u.args[0]);
	} else {
		whole.type.list = true;
		list(p, b, &whole);
	}
	sb_f(b, ", %s, \"%s\"))", sign, expr_fns[e->fn].name);
}

static void function(struct plan *p, struct strbuf *b, const struct expr *e)
{
	struct expr **a = e->u.args;

	switch ((enum expr_fn)e->fn) {
	case FN_min: extreme(p, b, e, "-1", false); break;
	case FN_max: extreme(p, b, e, "1", false); break;
	case FN_argmin: extreme(p, b, e, "-1", true); break;
	case FN_argmax: extreme(p, b, e, "1", true); break;
	case FN_present: sb_z(b, "bool(!absent("); sh_expr(p, b, a[0]); sb_z(b, "))"); break;
	case FN_str: sb_z(b, "(\"s\" plain("); sh_expr(p, b, a[0]); sb_z(b, "))"); break;
	case FN_json: call(p, b, "f_json", a, 1); break;
	case FN_lower: case FN_upper:
		sb_f(b, "(\"s\" to%s(ascii(", e->fn == FN_lower ? "lower" : "upper");
		sh_expr(p, b, a[0]);
		sb_z(b, ")))");
		break;
	case FN_file:
		if (e->n > 1) {
			sb_z(b, "pinned(txt(");
			sh_expr(p, b, a[1]);
			sb_z(b, "), ");
		}
		sb_z(b, "(\"p\" txt(");
		sh_expr(p, b, a[0]);
		sb_z(b, e->n > 1 ? ")))" : "))");
		break;
	case FN_format_time: call(p, b, "f_format_time", a, 2); break;
	case FN_range:
		sb_z(b, "f_range(");
		if (e->n == 1)
			sb_z(b, "\"i0\", ");
		sh_expr(p, b, a[0]);
		if (e->n > 1) {
			sb_z(b, ", ");
			sh_expr(p, b, a[1]);
		}
		sb_ch(b, ')');
		break;
	case FN_pad:
		sb_z(b, "f_pad(");
		for (uint32_t i = 0; i < e->n; i++) {
			sh_expr(p, b, a[i]);
			sb_z(b, i + 1 < e->n ? ", " : "");
		}
		sb_z(b, e->n < 3 ? ", \"s \")" : ")");
		break;
	default: {
		struct strbuf name = { 0 };

		sb_f(&name, "f_%s", expr_fns[e->fn].name);
		call(p, b, sb_cstr(&name), a, e->n);
		sb_free(&name);
	}
	}
}

static void operation(struct plan *p, struct strbuf *b, const struct expr *e)
{
	static const struct { const char *before, *after; bool swap; } ops[EX_COUNT] = {
		[EX_EQ] = { "bool(equal(", "))", false }, [EX_NE] = { "bool(!equal(", "))", false }, [EX_LT] = { "bool(less(", "))", false }, [EX_GT] = { "bool(less(", "))", true },
		[EX_LE] = { "bool(!less(", "))", true }, [EX_GE] = { "bool(!less(", "))", false }, [EX_IN] = { "bool(is_in(", "))", false },
		[EX_ADD] = { "add(", ")", false }, [EX_SUB] = { "subtract(", ")", false }, [EX_MUL] = { "multiply(", ")", false }, [EX_DIV] = { "divide(", ")", false },
		[EX_MOD] = { "modulo(", ")", false }, [EX_INDEX] = { "index_at(", ")", false },
	};

	sb_z(b, ops[e->op].before);
	sh_expr(p, b, e->u.args[ops[e->op].swap ? 1 : 0]);
	sb_z(b, ", ");
	sh_expr(p, b, e->u.args[ops[e->op].swap ? 0 : 1]);
	sb_z(b, ops[e->op].after);
}

static void logic(struct plan *p, struct strbuf *b, const struct expr *e)
{
	sb_z(b, "bool(truth(");
	sh_expr(p, b, e->u.args[0]);
	sb_z(b, e->op == EX_AND ? ") && truth(" : ") || truth(");
	sh_expr(p, b, e->u.args[1]);
	sb_z(b, "))");
}

void sh_expr(struct plan *p, struct strbuf *b, const struct expr *e)
{
	struct expr **a = e->u.args;

	switch ((enum expr_op)e->op) {
	case EX_LIT: literal(b, e->u.lit); break;
	case EX_REF: reference(p, b, e); break;
	case EX_LIST: list(p, b, e); break;
	case EX_MAP: map(p, b, e); break;
	case EX_CONCAT:
		sb_z(b, "(\"s\"");
		for (uint32_t i = 0; i < e->n; i++) {
			sb_z(b, " plain(");
			sh_expr(p, b, a[i]);
			sb_ch(b, ')');
		}
		sb_ch(b, ')');
		break;
	case EX_COND:
		sb_z(b, "(truth(");
		sh_expr(p, b, a[0]);
		sb_z(b, ") ? ");
		sh_expr(p, b, a[1]);
		sb_z(b, " : ");
		sh_expr(p, b, a[2]);
		sb_ch(b, ')');
		break;
	case EX_COALESCE: {
		uint32_t x = ++p->temps;

		sb_f(b, "(absent(X%u = ", x);
		sh_expr(p, b, a[0]);
		sb_z(b, ") ? ");
		sh_expr(p, b, a[1]);
		sb_f(b, " : X%u)", x);
		break;
	}
	case EX_OR: case EX_AND: logic(p, b, e); break;
	case EX_NEG: call(p, b, "negate", a, 1); break;
	case EX_NOT:
		sb_z(b, "bool(!truth(");
		sh_expr(p, b, a[0]);
		sb_z(b, "))");
		break;
	case EX_MEMBER:
		sb_z(b, "member(");
		sh_expr(p, b, e->u.member.arg);
		sb_z(b, ", \"");
		sh_awk_string(b, e->u.member.key->s, e->u.member.key->len);
		sb_z(b, "\")");
		break;
	case EX_CALL: function(p, b, e); break;
	case EX_CONV:
		sb_z(b, "convert(");
		sh_expr(p, b, a[0]);
		sb_f(b, ", \"%s\")", sh_tag(e->type));
		break;
	default: operation(p, b, e);
	}
}
