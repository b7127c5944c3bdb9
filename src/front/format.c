/* The formatter: canonical text of a syntax tree. */
#include "format.h"

#include <string.h>

/* ---- lines and comments ---- */

void format_newline(struct fmt *f)
{
	sb_ch(f->out, '\n');
	f->line++;
	f->line_at = f->out->n;
	sb_fill(f->out, ' ', f->indent);
}

unsigned format_column(const struct fmt *f)
{
	return (unsigned)utf8_count(f->out->s + f->line_at, f->out->n - f->line_at);
}

bool format_source_breaks(const struct fmt *f, uint32_t from, uint32_t to)
{
	return to > from && memchr(f->s + from, '\n', to - from);
}

/* The first comment at or after a place. */
static uint32_t comment_from(const struct fmt *f, uint32_t off)
{
	uint32_t lo = 0, hi = f->nc;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (f->c[mid].off < off)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool format_has_comment(const struct fmt *f, struct span sp)
{
	uint32_t i = comment_from(f, sp.off);

	return i < f->nc && f->c[i].off < sp.off + sp.len;
}

/* A blank line stands before this place in the source. */
static bool blank_before(const struct fmt *f, uint32_t off)
{
	unsigned lines = 0;

	while (off && strchr(" \t\r\n", f->s[off - 1]))
		lines += f->s[--off] == '\n';
	return lines > 1;
}

static void blank_line(struct fmt *f)
{
	sb_ch(f->out, '\n');
	f->line++;
}

static void comment(struct fmt *f, const struct comment *c)
{
	uint32_t n = c->len;

	while (n && strchr(" \t\r", f->s[c->off + n - 1]))
		n--;
	sb_add(f->out, f->s + c->off, n);
}

/* fresh: nothing stands before them in their block, so no blank line does either. */
void format_comments(struct fmt *f, uint32_t upto, bool fresh)
{
	for (; f->next < f->nc && f->c[f->next].off < upto; f->next++) {
		if (!fresh && blank_before(f, f->c[f->next].off))
			blank_line(f);
		if (f->out->n)
			format_newline(f);
		comment(f, &f->c[f->next]);
		fresh = false;
	}
}

void format_tail(struct fmt *f, uint32_t from, uint32_t upto)
{
	const struct comment *c = f->next < f->nc ? &f->c[f->next] : NULL;

	if (!c || c->own_line || c->off >= upto || c->off < from || format_source_breaks(f, from, c->off))
		return;
	vec_push(f->a, &f->tails, ((struct tail){ f->out->n, f->line, format_column(f) }));
	comment(f, c);
	f->next++;
}

/* ---- flat ---- */

static void fill(struct strbuf *b, size_t from, unsigned width)
{
	size_t n = b->n - from;

	if (n < width)
		sb_fill(b, ' ', width - n);
}

bool flat_block(const struct fmt *f, struct strbuf *b, const struct ast_block *block, bool map, size_t stop)
{
	if (!block->n)
		return sb_z(b, "{}"), b->n <= stop;
	if (!block->one_line)
		return false;
	sb_z(b, "{ ");
	for (uint32_t i = 0; i < block->n; i++) {
		if (i)
			sb_z(b, map ? ", " : "; ");
		if (!flat_stmt(f, b, block->v[i], map, (struct align){ 0 }, stop))
			return false;
	}
	sb_z(b, " }");
	return b->n <= stop;
}

static void type(struct strbuf *b, struct type t)
{
	sb_f(b, "%s%s%s%s", t.list ? "list<" : "", type_name((enum type_kind)t.kind), t.list ? ">" : "", t.opt ? "?" : "");
}

bool flat_decl(const struct fmt *f, struct strbuf *b, const struct ast_stmt *st, struct align al, size_t stop)
{
	const struct ast_decl *d = st->decl;
	const struct { const char *word; const struct ast_expr *e; } parts[] = {
		{ " named ", d->named }, { " to ", d->to }, { " at ", d->at }, { " = ", d->value }, { " in ", d->in }
	};
	size_t from = b->n;

	sb_str(b, st->name);
	if (d->type.kind != T_NONE) {
		sb_ch(b, ':');
		fill(b, from, al.name);
		sb_ch(b, ' ');
		from = b->n;
		type(b, d->type);
		fill(b, from, al.type);
	} else {
		fill(b, from, al.name);
	}
	for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (i == 3 && d->is_stdout)
			sb_z(b, " = stdout");
		if (!parts[i].e)
			continue;
		sb_z(b, parts[i].word);
		if (!flat_expr(f, b, parts[i].e, stop))
			return false;
	}
	return b->n <= stop;
}

static const char *const words[AS_COUNT] = {
#define X(kind, word) [AS_##kind] = word,
	AST_STMTS(X)
#undef X
};

static bool is_word(const struct str *s)
{
	if (!s->len || (s->s[0] >= '0' && s->s[0] <= '9'))
		return false;
	for (uint32_t i = 0; i < s->len; i++)
		if (!((s->s[i] >= 'a' && s->s[i] <= 'z') || (s->s[i] >= 'A' && s->s[i] <= 'Z') || (s->s[i] >= '0' && s->s[i] <= '9') || s->s[i] == '_'))
			return false;
	for (unsigned k = 0; k < AS_COUNT; k++)
		if (words[k] && str_eq(s, words[k]))
			return false;
	return true;
}

/* A key: in quotes only where it is no name. */
static void key(const struct fmt *f, struct strbuf *b, const struct ast_stmt *st)
{
	if (st->quoted && !is_word(st->name))
		sb_add(b, f->s + st->name_span.off, st->name_span.len);
	else
		sb_str(b, st->name);
}

/* key { }, key = { } */
static bool is_block(const struct ast_stmt *st)
{
	return st->kind == AS_ENTRY && st->value->kind == AX_MAP && !st->value->paren;
}

/* Everything before the value or the block. */
static void head(const struct fmt *f, struct strbuf *b, const struct ast_stmt *st, bool map, struct align al)
{
	size_t from = b->n;

	if (st->kind == AS_ENTRY) {
		key(f, b, st);
		if (!is_block(st) || map) {
			fill(b, from, al.name);
			sb_z(b, " =");
		}
		return;
	}
	sb_z(b, words[st->kind]);
	fill(b, from, al.keyword);
	if (st->kind == AS_IMPORT || st->decl)
		return;
	if (st->name) {
		sb_ch(b, ' ');
		from = b->n;
		sb_str(b, st->name);
		fill(b, from, al.name);
	}
	if (st->kind == AS_FOR) {
		if (st->name2)
			sb_f(b, ", %s", st->name2->s);
		sb_z(b, " in");
	} else if (st->value && (st->kind == AS_LET || st->kind == AS_STEP || st->kind == AS_SWEEP || st->kind == AS_SOURCE)) {
		sb_z(b, " =");
	}
}

/* `if` with its branches, all of them on one line. */
static bool flat_if(const struct fmt *f, struct strbuf *b, const struct ast_stmt *st, size_t stop)
{
	for (; st; st = st->else_) {
		if (st->value) {
			sb_z(b, "if ");
			if (!flat_expr(f, b, st->value, stop))
				return false;
			sb_ch(b, ' ');
		}
		if (!flat_block(f, b, st->body, false, stop))
			return false;
		if (st->else_)
			sb_z(b, " else ");
	}
	return true;
}

bool flat_stmt(const struct fmt *f, struct strbuf *b, const struct ast_stmt *st, bool map, struct align al, size_t stop)
{
	if (st->kind == AS_IF)
		return flat_if(f, b, st, stop);
	head(f, b, st, map, al);
	if (st->decl)
		return sb_ch(b, ' '), flat_decl(f, b, st, al, stop);
	if (is_block(st))
		return sb_ch(b, ' '), flat_block(f, b, st->value->u.block, map, stop);
	if (st->value && (sb_ch(b, ' '), !flat_expr(f, b, st->value, stop)))
		return false;
	if (st->kind == AS_IMPORT)
		sb_f(b, " as %s", st->name->s);
	if (st->body && (sb_ch(b, ' '), !flat_block(f, b, st->body, false, stop)))
		return false;
	return b->n <= stop;
}

/* ---- alignment ---- */

/* Statements of one shape on lines below each other are aligned: 0 is no shape. */
static unsigned shape(const struct ast_stmt *st)
{
	const struct ast_decl *d = st->decl;

	if (st->kind == AS_ENTRY || st->kind == AS_LET)
		return st->kind;
	if (st->kind == AS_STEP && st->value && !st->body)
		return AS_STEP;
	if (!d || d->named || d->to || d->at || !(d->value || d->is_stdout))
		return 0;
	return AS_COUNT + 2u * (st->kind == AS_IN || st->kind == AS_OUT ? AS_IN : st->kind) + (d->type.kind != T_NONE);
}

static unsigned name_width(const struct fmt *f, struct strbuf *b, const struct ast_stmt *st)
{
	b->n = 0;
	if (st->kind == AS_ENTRY)
		key(f, b, st);
	else
		sb_str(b, st->name);
	return (unsigned)b->n + (st->decl && st->decl->type.kind != T_NONE);
}

/* On one line: it fits, without alignment, and holds no comment. */
static bool is_single(const struct fmt *f, struct strbuf *b, const struct ast_stmt *st, bool map)
{
	b->n = 0;
	return !format_has_comment(f, st->span) && flat_stmt(f, b, st, map, (struct align){ 0 }, FORMAT_WIDTH - f->indent);
}

/* Alignment of the statements i.. that belong together; their number in *n. */
static struct align run(const struct fmt *f, const struct ast_block *block, uint32_t i, bool map, uint32_t *n)
{
	unsigned kind = shape(block->v[i]), least = UINT32_MAX;
	struct align al = { 0 };
	struct strbuf b = { 0 };
	uint32_t k = i;

	*n = 1;
	if (!kind)
		return al;
	for (; k < block->n && shape(block->v[k]) == kind && is_single(f, &b, block->v[k], map); k++) {
		const struct ast_stmt *st = block->v[k];
		unsigned width = name_width(f, &b, st);
		uint32_t c = k > i ? comment_from(f, block->v[k - 1]->span.off) : 0;

		if (k > i && (blank_before(f, st->span.off) || (c < f->nc && f->c[c].off < st->span.off && f->c[c].own_line)))
			break;
		if (is_block(st) && !map)
			continue;         /* neither aligned nor in the way of those around it */
		al.name = width > al.name ? width : al.name;
		least = width < least ? width : least;
		if (!st->decl || st->decl->type.kind == T_NONE)
			continue;
		b.n = 0;
		type(&b, st->decl->type);
		al.type = b.n > al.type ? (unsigned)b.n : al.type;
	}
	if (k < i + 2 || al.name - least > 16)
		al = (struct align){ 0 };
	*n = k > i ? k - i : 1;
	sb_free(&b);
	return al;
}

/* `in ` where `out` stands in the same block. */
static unsigned keyword_width(const struct ast_block *block)
{
	bool in = false, out = false;

	for (uint32_t i = 0; i < block->n; i++) {
		in |= block->v[i]->kind == AS_IN;
		out |= block->v[i]->kind == AS_OUT;
	}
	return in && out ? 3 : 0;
}

/* ---- over lines ---- */

static void stmt(struct fmt *f, const struct ast_stmt *st, bool map, struct align al);

/* A definition of its own paragraph: at the top of a file a blank line stands around it. */
static bool is_paragraph(const struct fmt *f, const struct ast_stmt *st)
{
	return st->body && (!st->body->one_line || format_source_breaks(f, st->span.off, st->span.off + st->span.len));
}

static void separate(struct fmt *f, const struct ast_block *b, uint32_t i, bool top)
{
	uint32_t off = b->v[i]->span.off;
	bool blank, apart = top && i && (is_paragraph(f, b->v[i]) || is_paragraph(f, b->v[i - 1]) || b->v[i]->kind != b->v[i - 1]->kind);

	if (f->next < f->nc && f->c[f->next].off < off) {
		if (apart && !blank_before(f, f->c[f->next].off))
			blank_line(f);
		format_comments(f, off, !i);
		apart = false;
		blank = blank_before(f, off);
	} else {
		blank = i && blank_before(f, off);
	}
	if (apart || blank)
		blank_line(f);
	if (f->out->n)
		format_newline(f);
}

/* The statements of a block, each on its line. */
static void statements(struct fmt *f, const struct ast_block *b, bool map, bool top, uint32_t end)
{
	unsigned keyword = keyword_width(b);
	struct align al = { 0 };
	uint32_t left = 0;

	for (uint32_t i = 0; i < b->n; i++, left--) {
		const struct ast_stmt *st = b->v[i];
		uint32_t upto = i + 1 < b->n ? b->v[i + 1]->span.off : end;

		if (!left)
			al = run(f, b, i, map, &left);
		separate(f, b, i, top);
		al.keyword = keyword;
		stmt(f, st, map, al);
		if (map && i + 1 < b->n)
			sb_ch(f->out, ',');
		format_tail(f, st->span.off + st->span.len, upto);
	}
	format_comments(f, end, !b->n);
}

void format_block(struct fmt *f, const struct ast_block *b, bool map)
{
	uint32_t first = b->n ? b->v[0]->span.off : b->span.off + b->span.len;

	sb_ch(f->out, '{');
	format_tail(f, b->span.off, first);
	f->indent += FORMAT_INDENT;
	statements(f, b, map, false, b->span.off + b->span.len);
	f->indent -= FORMAT_INDENT;
	format_newline(f);
	sb_ch(f->out, '}');
}

static void body(struct fmt *f, const struct ast_block *b)
{
	size_t mark = f->out->n, col = format_column(f);

	if (!format_has_comment(f, b->span) && col < FORMAT_WIDTH && flat_block(f, f->out, b, false, mark + FORMAT_WIDTH - col))
		return;
	f->out->n = mark;
	format_block(f, b, false);
}

/* The branches of an `if`, each over lines. */
static void branches(struct fmt *f, const struct ast_stmt *st)
{
	for (; st; st = st->else_) {
		if (st->value) {
			sb_z(f->out, "if ");
			format_expr(f, st->value, 2);
			sb_ch(f->out, ' ');
		}
		format_block(f, st->body, false);
		if (st->else_)
			sb_z(f->out, " else ");
	}
}

void format_decl(struct fmt *f, const struct ast_stmt *st, struct align al)
{
	const struct ast_decl *d = st->decl;
	const struct { const char *word; const struct ast_expr *e; } parts[] = {
		{ " named ", d->named }, { " to ", d->to }, { " at ", d->at }, { " = ", d->value }, { " in ", d->in }
	};

	(void)al;
	sb_str(f->out, st->name);
	if (d->type.kind != T_NONE) {
		sb_z(f->out, ": ");
		type(f->out, d->type);
	}
	for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (i == 3 && d->is_stdout)
			sb_z(f->out, " = stdout");
		if (!parts[i].e)
			continue;
		sb_z(f->out, parts[i].word);
		format_expr(f, parts[i].e, 0);
	}
}

static void stmt(struct fmt *f, const struct ast_stmt *st, bool map, struct align al)
{
	size_t mark = f->out->n;

	if (!format_has_comment(f, st->span) && f->indent < FORMAT_WIDTH && flat_stmt(f, f->out, st, map, (struct align){ 0 }, mark + FORMAT_WIDTH - f->indent)) {
		f->out->n = mark;
		flat_stmt(f, f->out, st, map, al, SIZE_MAX);
		return;
	}
	f->out->n = mark;
	if (st->kind == AS_IF) {
		branches(f, st);
		return;
	}
	head(f, f->out, st, map, (struct align){ .keyword = al.keyword });
	if (st->decl) {
		sb_ch(f->out, ' ');
		format_decl(f, st, al);
		return;
	}
	if (is_block(st)) {
		sb_ch(f->out, ' ');
		format_block(f, st->value->u.block, map);
		return;
	}
	if (st->value) {
		sb_ch(f->out, ' ');
		format_expr(f, st->value, st->body ? 2 : map);
	}
	if (st->kind == AS_IMPORT)
		sb_f(f->out, " as %s", st->name->s);
	if (st->body) {
		sb_ch(f->out, ' ');
		body(f, st->body);
	}
}

/* ---- files ---- */

/* Comments behind code on lines below each other start in one column, two blanks after the longest line. */
static void align_tails(const struct fmt *f, struct strbuf *out)
{
	size_t from = 0;

	for (uint32_t i = 0, k; i < f->tails.n; i = k) {
		const struct tail *t = f->tails.v;
		unsigned width = 0;

		for (k = i; k < f->tails.n && t[k].line == t[i].line + (k - i); k++)
			width = t[k].width > width ? t[k].width : width;
		for (uint32_t j = i; j < k; j++) {
			sb_add(out, f->out->s + from, t[j].at - from);
			sb_fill(out, ' ', (width > FORMAT_WIDTH ? 0 : width - t[j].width) + 2);
			from = t[j].at;
		}
	}
	if (f->out->n > from)
		sb_add(out, f->out->s + from, f->out->n - from);
}

void format_ast(const struct ast_file *file, const struct diag *d, struct strbuf *out)
{
	struct strbuf b = { 0 };
	struct fmt f = { .a = d->arena, .s = d->sources[file->source]->text, .c = file->comments, .nc = file->ncomments, .out = &b };

	format_bare(file->top);
	statements(&f, file->top, false, true, UINT32_MAX);
	if (b.n)
		sb_ch(&b, '\n');
	align_tails(&f, out);
	sb_free(&b);
}
