/* Expressions and values as .cw source. Iterative over expressions; json is bounded by JSON_DEPTH. */
#include "couler/ir.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PREC_ATOM 10
#define PREC_UNARY 8

/* ---- values ---- */

static void write_string(struct strbuf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '"' || c == '\\')
			sb_f(b, "\\%c", c);
		else if (c == '$' && i + 1 < n && s[i + 1] == '{')
			sb_z(b, "\\$");
		else if (c == '\n' || c == '\t' || c == '\r')
			sb_f(b, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
		else if (c < 0x20 || c == 0x7f)
			sb_f(b, "\\u{%x}", c);
		else
			sb_ch(b, (char)c);
	}
}

static void write_quoted(struct strbuf *b, const struct str *s)
{
	sb_ch(b, '"');
	write_string(b, s->s, s->len);
	sb_ch(b, '"');
}

/* A float never reads as an int. */
static void write_float(struct strbuf *b, double d)
{
	size_t from = b->n;
	bool whole = true;

	sb_double(b, d);
	for (size_t i = from; i < b->n; i++) {
		if (b->s[i] == '+') {
			memmove(b->s + i, b->s + i + 1, b->n - i - 1);
			b->n--;
		}
		whole = whole && ((b->s[i] >= '0' && b->s[i] <= '9') || b->s[i] == '-');
	}
	if (whole)
		sb_z(b, ".0");
}

static bool is_name(const struct str *s)
{
	for (uint32_t i = 0; i < s->len; i++)
		if (!((s->s[i] | 32) >= 'a' && (s->s[i] | 32) <= 'z') && s->s[i] != '_' && !(i && s->s[i] >= '0' && s->s[i] <= '9'))
			return false;
	return s->len > 0;
}

static void write_key(struct strbuf *b, const struct str *key)
{
	if (is_name(key))
		sb_str(b, key);
	else
		write_quoted(b, key);
}

static void write_json(struct strbuf *b, const struct json *j)
{
	switch (j->kind) {
	case J_STR:
		write_quoted(b, j->u.s);
		break;
	case J_LIST:
		sb_ch(b, '[');
		for (uint32_t i = 0; i < j->n; i++) {
			sb_z(b, i ? ", " : "");
			write_json(b, &j->u.list[i]);
		}
		sb_ch(b, ']');
		break;
	case J_OBJ:
		sb_z(b, j->n ? "{ " : "{");
		for (uint32_t i = 0; i < j->n; i++) {
			sb_z(b, i ? ", " : "");
			write_key(b, j->u.obj[i].key);
			sb_z(b, " = ");
			write_json(b, j->u.obj[i].val);
		}
		sb_z(b, j->n ? " }" : "}");
		break;
	default:
		json_write(b, j);
	}
}

static void write_scalar(struct strbuf *b, const struct value *v)
{
	switch (v->type.kind) {
	case T_FLOAT:
		write_float(b, v->u.d);
		break;
	case T_DURATION:
		duration_write(b, v->u.d);
		break;
	case T_SIZE:
		size_write(b, v->u.i);
		break;
	case T_STRING:
		write_quoted(b, v->u.s);
		break;
	case T_FILE:
	case T_DIR:
		if (v->sha256) {
			sb_z(b, "file(");
			write_quoted(b, v->u.s);
			sb_f(b, ", sha256 = \"%s\")", v->sha256->s);
		} else {
			write_quoted(b, v->u.s);
		}
		break;
	case T_TIME:
		sb_ch(b, '"');
		value_canon(b, v);
		sb_ch(b, '"');
		break;
	case T_JSON:
		write_json(b, v->u.j);
		break;
	default:
		value_canon(b, v);
	}
}

void value_write(struct strbuf *b, const struct value *v)
{
	if (!v->type.list) {
		write_scalar(b, v);
		return;
	}
	sb_ch(b, '[');
	for (uint32_t i = 0; i < v->n; i++) {
		sb_z(b, i ? ", " : "");
		write_scalar(b, &v->u.list[i]);
	}
	sb_ch(b, ']');
}

/* ---- references ---- */

static const struct ir_task *task_of(const struct node *n)
{
	if (!n)
		return NULL;
	return n->kind == N_STEP ? n->u.task : n->kind == N_WAIT ? n->u.wait.poll : n->kind == N_SERVICE ? n->u.service.task : NULL;
}

static void write_name(struct strbuf *b, const struct str *name, const char *kind, uint32_t i)
{
	if (name)
		sb_str(b, name);
	else
		sb_f(b, "%s%u", kind, i);
}

static void write_output(struct strbuf *b, const struct node *n, uint32_t port)
{
	const struct str *name = port < n->nports ? n->ports[port].name : NULL;

	/* ports of if and for are named STEP.OUT themselves */
	if (n->kind != N_IF && n->kind != N_FOR) {
		sb_str(b, n->name);
		sb_ch(b, '.');
	}
	write_name(b, name, "out", port);
}

static void write_ref(struct strbuf *b, const struct expr *e, const struct ir_workflow *w, const struct node *at)
{
	const struct ir_task *task = task_of(at);
	const struct node *n = e->u.node;
	uint32_t i = e->n;

	switch ((enum ref_kind)e->fn) {
	case REF_PARAM:
		write_name(b, w && i < w->nparams ? w->params[i].name : NULL, "param", i);
		break;
	case REF_OUTPUT:
		write_output(b, n, i);
		break;
	case REF_STATUS:
	case REF_EXIT_CODE:
		sb_f(b, "%s.%s", n->name->s, e->fn == REF_STATUS ? "status" : "exit_code");
		break;
	case REF_INPUT:
		write_name(b, task && i < task->nins ? task->ins[i].name : NULL, "input", i);
		break;
	case REF_OUTPATH:
		write_name(b, task && i < task->nouts ? task->outs[i].name : NULL, "output", i);
		break;
	case REF_ENV:
		write_name(b, at && at->attrs && i < at->attrs->env.n ? at->attrs->env.v[i].name : NULL, "env", i);
		break;
	case REF_ITEM:
		write_name(b, n->u.for_.item, "item", i);
		break;
	case REF_INDEX:
		write_name(b, n->u.for_.index, "index", i);
		break;
	case REF_STATE:
		write_name(b, i < n->u.loop.n ? n->u.loop.v[i].name : NULL, "state", i);
		break;
	case REF_ARG:
		write_name(b, i < n->u.sweep->nspace ? n->u.sweep->space[i].name : n->u.sweep->budget, "arg", i);
		break;
	case REF_FIELD:
		sb_f(b, "workflow.%s", i < WF_COUNT ? workflow_fields[i].name : "?");
		break;
	case REF_COUNT:
		break;
	}
}

/* ---- expressions ---- */

/* What is still to be written: text, or an expression in parentheses where its precedence is below least. */
struct piece { const char *text; const struct str *str; const struct expr *e; int least; bool key, chars; };

struct writer {
	struct strbuf *b;
	const struct ir_workflow *w;
	const struct node *n;
	struct piece *stack;
	size_t len, cap;
};

static void push(struct writer *w, struct piece p)
{
	if (w->len == w->cap) {
		w->cap = w->cap ? 2 * w->cap : 32;
		w->stack = xrealloc(w->stack, w->cap * sizeof *w->stack);
	}
	w->stack[w->len++] = p;
}

static void push_text(struct writer *w, const char *text)
{
	push(w, (struct piece){ .text = text });
}

static void push_expr(struct writer *w, const struct expr *e, int least)
{
	push(w, (struct piece){ .e = e, .least = least });
}

static const struct expr *bare(const struct expr *e)
{
	while (e->op == EX_CONV)
		e = e->u.args[0];
	return e;
}

static bool negative(const struct expr *e)
{
	if (e->op != EX_LIT || e->u.lit->type.list)
		return false;
	switch (e->u.lit->type.kind) {
	case T_INT:
		return e->u.lit->u.i < 0;
	case T_FLOAT:
	case T_DURATION:
		return e->u.lit->u.d < 0;
	default:
		return false;
	}
}

static int prec_of(const struct expr *e)
{
	if (negative(e))
		return PREC_UNARY;
	return e->op == EX_CALL || !expr_ops[e->op].prec ? PREC_ATOM : expr_ops[e->op].prec;
}

static void push_args(struct writer *w, const struct expr *e)
{
	for (uint32_t i = e->n; i-- > 0; ) {
		push_expr(w, e->u.args[i], 0);
		if (e->op == EX_CALL && e->fn == FN_file && i == 1)
			push_text(w, "sha256 = ");
		if (i)
			push_text(w, ", ");
	}
}

static void push_map(struct writer *w, const struct expr *e)
{
	push_text(w, e->n ? " }" : "}");
	for (uint32_t i = e->n / 2; i-- > 0; ) {
		const struct expr *key = e->u.args[2 * i];

		push_expr(w, e->u.args[2 * i + 1], 0);
		push_text(w, " = ");
		if (key->op == EX_LIT && type_is(key->u.lit->type, T_STRING))
			push(w, (struct piece){ .str = key->u.lit->u.s, .key = true });
		else
			push_expr(w, key, 0);
		if (i)
			push_text(w, ", ");
	}
	push_text(w, e->n ? "{ " : "{");
}

static void push_concat(struct writer *w, const struct expr *e)
{
	push_text(w, "\"");
	for (uint32_t i = e->n; i-- > 0; ) {
		const struct expr *x = e->u.args[i];

		if (x->op == EX_LIT && type_is(x->u.lit->type, T_STRING)) {
			push(w, (struct piece){ .str = x->u.lit->u.s, .chars = true });
		} else {
			push_text(w, "}");
			push_expr(w, x, 0);
			push_text(w, "${");
		}
	}
	push_text(w, "\"");
}

static void push_infix(struct writer *w, const struct expr *e, int prec)
{
	push_expr(w, e->u.args[1], prec + 1);
	push_text(w, " ");
	push_text(w, expr_ops[e->op].spelling);
	push_text(w, " ");
	push_expr(w, e->u.args[0], prec == expr_ops[EX_EQ].prec ? prec + 1 : prec);
}

static void write_expr(struct writer *w, const struct expr *e)
{
	int prec = prec_of(e);
	const struct expr *arg;

	switch ((enum expr_op)e->op) {
	case EX_LIT:
		value_write(w->b, e->u.lit);
		break;
	case EX_REF:
		write_ref(w->b, e, w->w, w->n);
		break;
	case EX_LIST:
		push_text(w, "]");
		push_args(w, e);
		push_text(w, "[");
		break;
	case EX_MAP:
		push_map(w, e);
		break;
	case EX_CONCAT:
		push_concat(w, e);
		break;
	case EX_COND:
		push_expr(w, e->u.args[2], prec);
		push_text(w, " : ");
		push_expr(w, e->u.args[1], prec + 1);
		push_text(w, " ? ");
		push_expr(w, e->u.args[0], prec + 1);
		break;
	case EX_NEG:
	case EX_NOT:
		arg = bare(e->u.args[0]);
		push_expr(w, arg, e->op == EX_NEG && (arg->op == EX_NEG || negative(arg)) ? PREC_ATOM : prec);
		push_text(w, e->op == EX_NEG ? "-" : "!");
		break;
	case EX_MEMBER:
		push(w, (struct piece){ .str = e->u.member.key, .key = is_name(e->u.member.key) });
		push_text(w, is_name(e->u.member.key) ? "." : NULL);
		push_expr(w, e->u.member.arg, prec);
		break;
	case EX_INDEX:
		push_text(w, "]");
		push_expr(w, e->u.args[1], 0);
		push_text(w, "[");
		push_expr(w, e->u.args[0], prec);
		break;
	case EX_CALL:
		push_text(w, ")");
		push_args(w, e);
		push_text(w, "(");
		push_text(w, expr_fns[e->fn].name);
		break;
	default:
		push_infix(w, e, prec);
	}
}

static void write_piece(struct writer *w, struct piece p)
{
	if (p.text) {
		sb_z(w->b, p.text);
	} else if (p.str && p.chars) {
		write_string(w->b, p.str->s, p.str->len);
	} else if (p.str && p.key) {
		write_key(w->b, p.str);
	} else if (p.str) {
		sb_ch(w->b, '[');
		write_quoted(w->b, p.str);
		sb_ch(w->b, ']');
	} else if (p.e) {
		const struct expr *e = bare(p.e);

		if (prec_of(e) < p.least) {
			push_text(w, ")");
			push_expr(w, e, 0);
			push_text(w, "(");
		} else {
			write_expr(w, e);
		}
	}
}

void expr_write_in(struct strbuf *b, const struct expr *e, const struct ir_workflow *wf, const struct node *n)
{
	struct writer w = { .b = b, .w = wf, .n = n };

	push_expr(&w, e, 0);
	while (w.len)
		write_piece(&w, w.stack[--w.len]);
	free(w.stack);
}

void expr_write(struct strbuf *b, const struct expr *e)
{
	expr_write_in(b, e, NULL, NULL);
}
