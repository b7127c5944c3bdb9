/* Tokens and syntax trees as indented text, for --dump and for tests: what was understood, not how it was written. */
#include <string.h>

#include "parse.h"

static const char *const token_names[TOK_COUNT] = {
#define X(k, s) [TOK_##k] = #k,
	TOKENS(X)
#undef X
};

static void dump_token(const struct diag *d, uint32_t source, const struct token *t, const char *kind, struct strbuf *out)
{
	struct place at = diag_place(d, (struct span){ source, t->off, t->len });

	sb_f(out, "%u:%u\t%s", at.line, at.col, kind);
	if (t->len) {
		sb_ch(out, '\t');
		sb_json(out, d->sources[source]->text + t->off, t->len);
	}
	sb_ch(out, '\n');
}

void dump_tokens(const struct diag *d, uint32_t source, struct strbuf *out)
{
	const struct source *src = d->sources[source];
	struct lexer l = { .s = src->text, .end = (uint32_t)src->len, .a = d->arena };
	struct token t;

	if (src->len >= UINT32_MAX - 8 || memchr(src->text, 0, src->len) || utf8_valid(src->text, src->len) != src->len)
		return;                   /* parse() has said why */
	if (src->len >= 3 && !memcmp(src->text, "\xef\xbb\xbf", 3))
		l.pos = 3;
	do {
		lex(&l, &t);
		if (t.nl_before)
			dump_token(d, source, &(struct token){ .off = t.off }, token_names[TOK_NEWLINE], out);
		dump_token(d, source, &t, token_names[t.kind], out);
	} while (t.kind != TOK_EOF);
}

/* ---- syntax tree ---- */

static void dump_block(struct strbuf *out, const struct ast_block *b, unsigned indent);
static void dump_expr(struct strbuf *out, const struct ast_expr *e, unsigned indent);

static void line(struct strbuf *out, unsigned indent)
{
	sb_ch(out, '\n');
	sb_fill(out, ' ', 2 * (size_t)indent);
}

static void dump_call(struct strbuf *out, const struct ast_expr *e, unsigned indent)
{
	sb_z(out, "(call ");
	dump_expr(out, e->args[0], indent);
	for (uint32_t i = 0; i < e->u.call.n; i++) {
		sb_ch(out, ' ');
		if (e->u.call.v[i].name) {
			sb_str(out, e->u.call.v[i].name);
			sb_ch(out, '=');
		}
		dump_expr(out, e->u.call.v[i].value, indent);
	}
	sb_ch(out, ')');
}

static void dump_args(struct strbuf *out, const char *head, const struct ast_expr *e, unsigned indent)
{
	sb_ch(out, '(');
	sb_z(out, head);
	for (uint32_t i = 0; i < e->n; i++) {
		sb_ch(out, ' ');
		dump_expr(out, e->args[i], indent);
	}
	sb_ch(out, ')');
}

static void dump_expr(struct strbuf *out, const struct ast_expr *e, unsigned indent)
{
	switch ((enum ast_expr_kind)e->kind) {
	case AX_INT:
		sb_f(out, "%lld", (long long)e->u.i);
		break;
	case AX_FLOAT:
		sb_f(out, "%.17g", e->u.d);
		break;
	case AX_DURATION:
		sb_f(out, "%.17gs", e->u.d);
		break;
	case AX_SIZE:
		sb_f(out, "%.17gB", e->u.d);
		break;
	case AX_BOOL:
		sb_z(out, e->u.b ? "true" : "false");
		break;
	case AX_NULL:
		sb_z(out, "null");
		break;
	case AX_STRING:
		if (e->verbatim)
			sb_z(out, "verbatim");
		sb_json(out, e->u.str->s, e->u.str->len);
		break;
	case AX_NAME:
		sb_str(out, e->name);
		break;
	case AX_INTERP:
		dump_args(out, "text", e, indent);
		break;
	case AX_LIST:
		dump_args(out, "list", e, indent);
		break;
	case AX_MAP:
		sb_z(out, "(map");
		dump_block(out, e->u.block, indent + 1);
		sb_ch(out, ')');
		break;
	case AX_MEMBER:
		dump_args(out, ".", e, indent);
		out->n--;
		sb_f(out, " %s)", e->name->s);
		break;
	case AX_INDEX:
		dump_args(out, "[]", e, indent);
		break;
	case AX_CALL:
		dump_call(out, e, indent);
		break;
	case AX_OP:
		dump_args(out, expr_ops[e->op].spelling, e, indent);
		break;
	case AX_SOFT:
		dump_args(out, "soft", e, indent);
		break;
	case AX_ERROR:
		sb_z(out, "error");
		break;
	}
}

static void dump_part(struct strbuf *out, const char *name, const struct ast_expr *e, unsigned indent)
{
	if (!e)
		return;
	line(out, indent);
	sb_f(out, "%s ", name);
	dump_expr(out, e, indent);
}

static void dump_decl(struct strbuf *out, const struct ast_decl *d, unsigned indent)
{
	if (d->type.kind != T_NONE) {
		sb_f(out, ": %s%s%s%s", d->type.list ? "list<" : "", type_name((enum type_kind)d->type.kind), d->type.list ? ">" : "", d->type.opt ? "?" : "");
	}
	dump_part(out, "named", d->named, indent);
	dump_part(out, "to", d->to, indent);
	dump_part(out, "at", d->at, indent);
	dump_part(out, "=", d->value, indent);
	dump_part(out, "in", d->in, indent);
	if (d->is_stdout) {
		line(out, indent);
		sb_z(out, "= stdout");
	}
}

static void dump_stmt(struct strbuf *out, const struct ast_stmt *st, unsigned indent)
{
	static const char *const words[AS_COUNT] = {
#define X(kind, word) [AS_##kind] = word,
		AST_STMTS(X)
#undef X
	};

	line(out, indent);
	if (st->kind == AS_ENTRY)
		sb_json(out, st->name->s, st->name->len);
	else
		sb_f(out, "%s%s%s", words[st->kind] ? words[st->kind] : "error", st->name ? " " : "", st->name ? st->name->s : "");
	if (st->name2)
		sb_f(out, ", %s", st->name2->s);
	if (st->decl)
		dump_decl(out, st->decl, indent + 1);
	dump_part(out, "=", st->value, indent + 1);
	if (st->body)
		dump_block(out, st->body, indent + 1);
	for (const struct ast_stmt *e = st->else_; e; e = e->else_) {
		line(out, indent);
		sb_z(out, "else");
		dump_part(out, "if", e->value, indent + 1);
		dump_block(out, e->body, indent + 1);
	}
}

static void dump_block(struct strbuf *out, const struct ast_block *b, unsigned indent)
{
	for (uint32_t i = 0; i < b->n; i++)
		dump_stmt(out, b->v[i], indent);
}

void dump_ast(const struct ast_file *f, struct strbuf *out)
{
	size_t from = out->n;

	dump_block(out, f->top, 0);
	if (out->n > from)                /* the first line needs no new line before it */
		memmove(out->s + from, out->s + from + 1, --out->n - from);
	sb_ch(out, '\n');
}
