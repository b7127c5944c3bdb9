/* Expressions as canonical text. */
#include <string.h>

#include "format.h"

/* Text of a literal is taken as it was written: its spelling is the author's. */
static void literal(const struct fmt *f, struct strbuf *b, const struct ast_expr *e)
{
	sb_add(b, f->s + e->span.off, e->span.len);
}

/* ---- verbatim blocks ---- */

static bool one_line(const struct ast_expr *e)
{
	return !memchr(e->u.str->s, '\n', e->u.str->len);
}

/* Quotes around text of one line; a blank parts text that ends with the quote from them. */
static void quoted(const struct fmt *f, struct strbuf *b, const struct ast_expr *e)
{
	char q = f->s[e->span.off];
	const struct str *s = e->u.str;

	sb_fill(b, q, 3);
	sb_str(b, s);
	if (s->len && s->s[s->len - 1] == q)
		sb_ch(b, ' ');
	sb_fill(b, q, 3);
}

/* The first line is indented, and it is the only one with text: only text right after the quotes can be so. */
static bool hangs(const struct str *s)
{
	const char *nl = memchr(s->s, '\n', s->len);

	if (!s->len || (s->s[0] != ' ' && s->s[0] != '\t') || strspn(s->s, " \t") == (size_t)(nl - s->s))
		return false;
	for (const char *p = nl; p < s->s + s->len; p++)
		if (*p != ' ' && *p != '\t' && *p != '\n')
			return false;
	return true;
}

/* A line of text; a CR at its end is doubled, since the line end takes one. */
static void text_line(struct fmt *f, const char *s, size_t n, bool indented)
{
	if (n && indented)
		sb_fill(f->out, ' ', f->indent + FORMAT_INDENT);
	sb_add(f->out, s, n);
	if (n && s[n - 1] == '\r')
		sb_ch(f->out, '\r');
}

static void verbatim(struct fmt *f, const struct ast_expr *e)
{
	const struct str *s = e->u.str;
	const char *p = s->s, *end = p + s->len, *nl;
	char q = f->s[e->span.off];
	bool indented = strspn(p, " \t\n") < s->len, hang = hangs(s);

	sb_fill(f->out, q, 3);
	while (p < end) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (!hang || p > s->s) {
			sb_ch(f->out, '\n');
			f->line++;
		}
		text_line(f, p, (size_t)((nl ? nl : end) - p), indented && !hang);
		p = nl ? nl + 1 : end;
		if (nl && p == end) {
			sb_ch(f->out, '\n');
			f->line++;
			if (!hang)
				sb_fill(f->out, ' ', f->indent);
		}
	}
	if (s->s[s->len - 1] == q)
		sb_ch(f->out, ' ');
	sb_fill(f->out, q, 3);
	for (f->line_at = f->out->n; f->line_at && f->out->s[f->line_at - 1] != '\n'; f->line_at--)
		;
}

/* ---- flat ---- */

static bool flat_args(const struct fmt *f, struct strbuf *b, const struct ast_expr *e, size_t stop)
{
	for (uint32_t i = 0; i < e->n; i++) {
		if (i)
			sb_z(b, ", ");
		if (!flat_expr(f, b, e->args[i], stop))
			return false;
	}
	return true;
}

static bool flat_call(const struct fmt *f, struct strbuf *b, const struct ast_expr *e, size_t stop)
{
	uint32_t n = e->u.call.n;

	if (!flat_expr(f, b, e->args[0], stop))
		return false;
	sb_ch(b, '(');
	for (uint32_t i = 0; i < n; i++) {
		const struct ast_arg *arg = &e->u.call.v[i];

		if (!i && format_source_breaks(f, e->args[0]->span.off + e->args[0]->span.len, arg->name ? arg->name_span.off : arg->value->span.off))
			return false;
		if (i)
			sb_z(b, ", ");
		if (arg->name) {
			sb_str(b, arg->name);
			sb_z(b, " = ");
		}
		if (!flat_expr(f, b, arg->value, stop))
			return false;
	}
	sb_ch(b, ')');
	return b->n <= stop;
}

static bool flat_op(const struct fmt *f, struct strbuf *b, const struct ast_expr *e, size_t stop)
{
	if (e->n == 1)
		return sb_z(b, expr_ops[e->op].spelling), flat_expr(f, b, e->args[0], stop);
	if (!flat_expr(f, b, e->args[0], stop))
		return false;
	sb_f(b, " %s ", e->op == EX_COND ? "?" : expr_ops[e->op].spelling);
	if (!flat_expr(f, b, e->args[1], stop))
		return false;
	if (e->op != EX_COND)
		return true;
	sb_z(b, " : ");
	return flat_expr(f, b, e->args[2], stop);
}

static bool flat_bare(const struct fmt *f, struct strbuf *b, const struct ast_expr *e, size_t stop)
{
	bool ok = true;

	switch ((enum ast_expr_kind)e->kind) {
	case AX_STRING:
		if (!e->verbatim)
			literal(f, b, e);
		else if ((ok = one_line(e)))
			quoted(f, b, e);
		break;
	case AX_LIST:
		sb_ch(b, '[');
		ok = !(e->n && format_source_breaks(f, e->span.off, e->args[0]->span.off)) && flat_args(f, b, e, stop);
		sb_ch(b, ']');
		break;
	case AX_MAP:
		return flat_block(f, b, e->u.block, true, stop);
	case AX_MEMBER:
		ok = flat_expr(f, b, e->args[0], stop);
		sb_ch(b, '.');
		sb_str(b, e->name);
		break;
	case AX_INDEX:
		ok = flat_expr(f, b, e->args[0], stop);
		sb_ch(b, '[');
		ok = ok && flat_expr(f, b, e->args[1], stop);
		sb_ch(b, ']');
		break;
	case AX_CALL:
		return flat_call(f, b, e, stop);
	case AX_OP:
		return flat_op(f, b, e, stop);
	case AX_SOFT:
		ok = flat_expr(f, b, e->args[0], stop);
		sb_ch(b, '?');
		break;
	case AX_NAME:
		sb_str(b, e->name);
		break;
	default:
		literal(f, b, e);
	}
	return ok && b->n <= stop;
}

bool flat_expr(const struct fmt *f, struct strbuf *b, const struct ast_expr *e, size_t stop)
{
	bool ok;

	if (b->n > stop)
		return false;
	if (!e->paren)
		return flat_bare(f, b, e, stop);
	sb_ch(b, '(');
	ok = flat_bare(f, b, e, stop);
	sb_ch(b, ')');
	return ok && b->n <= stop;
}

/* ---- over lines ---- */

static void expr_bare(struct fmt *f, const struct ast_expr *e, unsigned tail);

static bool try_flat(struct fmt *f, const struct ast_expr *e, unsigned tail)
{
	size_t mark = f->out->n, col = format_column(f);

	if (!format_has_comment(f, e->span) && col + tail < FORMAT_WIDTH && flat_expr(f, f->out, e, mark + FORMAT_WIDTH - col - tail))
		return true;
	f->out->n = mark;
	return false;
}

/* Never over lines by itself: a name, a number, a string. */
static bool is_atom(const struct ast_expr *e)
{
	return !e->paren && (e->kind <= AX_NULL || e->kind == AX_SIZE || e->kind == AX_NAME || (e->kind == AX_STRING && !e->verbatim));
}

static bool is_bracketed(const struct ast_expr *e)
{
	return !e->paren && (e->kind == AX_LIST || e->kind == AX_MAP || (e->kind == AX_STRING && e->verbatim));
}

/* Many short elements fill lines; others have a line each. */
static bool fills(const struct fmt *f, const struct ast_expr *e)
{
	for (uint32_t i = 0; i < e->n; i++)
		if (!is_atom(e->args[i]) || e->args[i]->span.len > 16)
			return false;
	return e->n > 8 && !format_has_comment(f, e->span);
}

static void list(struct fmt *f, const struct ast_expr *e)
{
	bool fill = fills(f, e);

	sb_ch(f->out, '[');
	if (e->n == 1 && is_bracketed(e->args[0]) && !format_source_breaks(f, e->span.off, e->args[0]->span.off)) {
		format_expr(f, e->args[0], 1);
		sb_ch(f->out, ']');
		return;
	}
	f->indent += FORMAT_INDENT;
	for (uint32_t i = 0; i < e->n; i++) {
		uint32_t at = e->args[i]->span.off;

		if (!fill || !i || format_column(f) + e->args[i]->span.len + 2 > FORMAT_WIDTH) {
			format_comments(f, at, !i);
			format_newline(f);
		} else {
			sb_ch(f->out, ' ');
		}
		format_expr(f, e->args[i], 1);
		if (i + 1 < e->n)
			sb_ch(f->out, ',');
		format_tail(f, at + e->args[i]->span.len, i + 1 < e->n ? e->args[i + 1]->span.off : e->span.off + e->span.len);
	}
	format_comments(f, e->span.off + e->span.len, !e->n);
	f->indent -= FORMAT_INDENT;
	format_newline(f);
	sb_ch(f->out, ']');
}

static uint32_t arg_at(const struct ast_arg *a)
{
	return a->name ? a->name_span.off : a->value->span.off;
}

/* Width of the longest name where each argument has one and stands on one line; 0 otherwise. */
static unsigned arg_width(const struct fmt *f, const struct ast_expr *e)
{
	struct strbuf b = { 0 };
	unsigned widest = 0;

	for (uint32_t i = 0; i < e->u.call.n; i++) {
		const struct ast_arg *a = &e->u.call.v[i];

		b.n = 0;
		if (!a->name || !flat_expr(f, &b, a->value, FORMAT_WIDTH)) {
			widest = 0;
			break;
		}
		if (a->name->len > widest)
			widest = a->name->len;
	}
	sb_free(&b);
	return widest > 24 ? 0 : widest;
}

static void call(struct fmt *f, const struct ast_expr *e)
{
	uint32_t n = e->u.call.n, end = e->span.off + e->span.len;
	const struct ast_arg *v = e->u.call.v;
	unsigned width = arg_width(f, e);

	format_expr(f, e->args[0], 1);
	sb_ch(f->out, '(');
	if (n == 1 && !v[0].name && is_bracketed(v[0].value) && !format_source_breaks(f, e->args[0]->span.off + e->args[0]->span.len, v[0].value->span.off)) {
		format_expr(f, v[0].value, 1);
		sb_ch(f->out, ')');
		return;
	}
	f->indent += FORMAT_INDENT;
	for (uint32_t i = 0; i < n; i++) {
		format_comments(f, arg_at(&v[i]), !i);
		format_newline(f);
		if (v[i].name) {
			sb_str(f->out, v[i].name);
			if (width > v[i].name->len)
				sb_fill(f->out, ' ', width - v[i].name->len);
			sb_z(f->out, " = ");
		}
		format_expr(f, v[i].value, 1);
		if (i + 1 < n)
			sb_ch(f->out, ',');
		format_tail(f, v[i].value->span.off + v[i].value->span.len, i + 1 < n ? arg_at(&v[i + 1]) : end);
	}
	format_comments(f, end, !n);
	f->indent -= FORMAT_INDENT;
	format_newline(f);
	sb_ch(f->out, ')');
}

/* Each operand would be flat on a line of its own. */
static bool operands_flat(const struct fmt *f, const struct ast_expr *e)
{
	struct strbuf b = { 0 };
	bool ok = true;

	for (uint32_t i = 0; ok && i < e->n; i++) {
		const struct ast_expr *x = e->args[i];

		b.n = 0;
		ok = (x->kind == AX_OP && x->n > 1) || flat_expr(f, &b, x, FORMAT_WIDTH);
	}
	sb_free(&b);
	return ok;
}

/* After an operator: the next operand, on a line of its own where the operation is broken. */
static void operand(struct fmt *f, const char *op, const struct ast_expr *left, const struct ast_expr *right, bool broken, unsigned tail)
{
	sb_f(f->out, " %s", op);
	if (broken) {
		format_tail(f, left->span.off + left->span.len, right->span.off);
		f->indent += 2 * FORMAT_INDENT;
		format_comments(f, right->span.off, false);
		format_newline(f);
		f->indent -= 2 * FORMAT_INDENT;
	} else {
		sb_ch(f->out, ' ');
	}
	f->indent += broken ? 2 * FORMAT_INDENT : 0;
	format_expr(f, right, tail);
	f->indent -= broken ? 2 * FORMAT_INDENT : 0;
}

/* A chain of operators of one level breaks after each of them, so its left side does when the whole does. */
static void operation(struct fmt *f, const struct ast_expr *e, bool broken, unsigned tail)
{
	const struct ast_expr *left = e->args[0];

	if (e->n == 1) {
		sb_z(f->out, expr_ops[e->op].spelling);
		format_expr(f, left, tail);
		return;
	}
	if (broken && left->kind == AX_OP && left->n == 2 && e->n == 2 && !left->paren && expr_ops[left->op].prec == expr_ops[e->op].prec && operands_flat(f, left))
		operation(f, left, true, 3);
	else
		format_expr(f, left, 3);
	operand(f, e->op == EX_COND ? "?" : expr_ops[e->op].spelling, left, e->args[1], broken, tail);
	if (e->op == EX_COND)
		operand(f, ":", e->args[1], e->args[2], broken, tail);
}

static void expr_bare(struct fmt *f, const struct ast_expr *e, unsigned tail)
{
	switch ((enum ast_expr_kind)e->kind) {
	case AX_STRING:
		if (e->verbatim && !one_line(e))
			verbatim(f, e);
		else
			flat_bare(f, f->out, e, SIZE_MAX);
		break;
	case AX_LIST:
		list(f, e);
		break;
	case AX_MAP:
		format_block(f, e->u.block, true);
		break;
	case AX_CALL:
		call(f, e);
		break;
	case AX_OP:
		operation(f, e, operands_flat(f, e), tail);
		break;
	case AX_MEMBER:
		format_expr(f, e->args[0], tail);
		sb_ch(f->out, '.');
		sb_str(f->out, e->name);
		break;
	case AX_INDEX:
		format_expr(f, e->args[0], tail + 2);
		sb_ch(f->out, '[');
		format_expr(f, e->args[1], tail + 1);
		sb_ch(f->out, ']');
		break;
	case AX_SOFT:
		format_expr(f, e->args[0], tail + 1);
		sb_ch(f->out, '?');
		break;
	default:
		flat_bare(f, f->out, e, SIZE_MAX);
	}
}

void format_expr(struct fmt *f, const struct ast_expr *e, unsigned tail)
{
	if (try_flat(f, e, tail))
		return;
	if (e->paren)
		sb_ch(f->out, '(');
	expr_bare(f, e, tail + e->paren);
	if (e->paren)
		sb_ch(f->out, ')');
}
