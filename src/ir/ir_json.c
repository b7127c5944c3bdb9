/* The writer of the JSON form. Equal modules give equal bytes. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir_desc.h"

struct writer {
	struct strbuf *b;
	const struct node *node;          /* whose members are written: a port's values depend on its kind */
	struct { const struct attrs *a; uint32_t i; } *slot;                /* attributes of the workflow to their indices, by address */
	const struct attrs **attrs;       /* in the order of their first node */
	uint32_t nattrs, cap;
	unsigned indent;
};

static void write_struct(struct writer *w, const struct jdesc *d, const void *p);
static void write_graph(struct writer *w, const struct graph *g);

static void line(struct writer *w)
{
	sb_ch(w->b, '\n');
	sb_fill(w->b, ' ', w->indent);
}

/* ---- attributes by index ---- */

static uint32_t attrs_slot(const struct writer *w, const struct attrs *a)
{
	uint32_t h = (uint32_t)(((uintptr_t)a >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (w->cap - 1);

	while (w->slot[h].a && w->slot[h].a != a)
		h = (h + 1) & (w->cap - 1);
	return h;
}

static void attrs_add(struct writer *w, const struct attrs *a)
{
	uint32_t h;

	if (2 * w->nattrs >= w->cap) {
		uint32_t cap = w->cap ? 2 * w->cap : 64;

		w->slot = (free(w->slot), xcalloc(cap, sizeof *w->slot));
		w->attrs = xrealloc(w->attrs, cap * sizeof *w->attrs);
		w->cap = cap;
		for (uint32_t i = 0; i < w->nattrs; i++) {
			h = attrs_slot(w, w->attrs[i]);
			w->slot[h].a = w->attrs[i];
			w->slot[h].i = i;
		}
	}
	h = attrs_slot(w, a);
	if (w->slot[h].a)
		return;
	w->slot[h].a = a;
	w->slot[h].i = w->nattrs;
	w->attrs[w->nattrs++] = a;
}

static void attrs_of_node(struct node *n, void *data)
{
	if (n->attrs)
		attrs_add(data, n->attrs);
}

/* ---- expressions ---- */

static void write_type(struct strbuf *b, struct type t)
{
	sb_ch(b, '"');
	type_str(b, t);
	sb_ch(b, '"');
}

static void write_span(struct strbuf *b, struct span s)
{
	sb_f(b, "[%u,%u,%u]", s.file, s.off, s.len);
}

static void write_exprs(struct strbuf *b, struct expr *const *v, uint32_t n);

static void write_ref(struct strbuf *b, const struct expr *e)
{
	sb_f(b, ",\"ref\":\"%s\"", words_ref_kind[e->fn]);
	if (e->u.node)
		sb_f(b, ",\"node\":%u", e->u.node->id);
	if (e->fn == REF_FIELD)
		sb_f(b, ",\"field\":\"%s\"", words_field[e->n]);
	else if (e->n)
		sb_f(b, ",\"port\":%u", e->n);
}

static void write_expr(struct strbuf *b, const struct expr *e)
{
	sb_z(b, "{\"op\":\"");
	for (const char *s = expr_ops[e->op].name; *s; s++)
		sb_ch(b, (char)tolower((unsigned char)*s));
	sb_ch(b, '"');
	if (e->op != EX_LIT || !type_eq(e->type, e->u.lit->type)) {
		sb_z(b, ",\"type\":");
		write_type(b, e->type);
	}
	switch ((enum expr_op)e->op) {
	case EX_LIT:
		sb_z(b, ",\"value\":");
		value_to_ir_json(b, e->u.lit);
		break;
	case EX_REF:
		write_ref(b, e);
		break;
	case EX_MEMBER:
		sb_z(b, ",\"key\":");
		sb_json(b, e->u.member.key->s, e->u.member.key->len);
		sb_z(b, ",\"args\":");
		write_exprs(b, &e->u.member.arg, 1);
		break;
	default:
		if (e->op == EX_CALL)
			sb_f(b, ",\"fn\":\"%s\"", expr_fns[e->fn].name);
		sb_z(b, ",\"args\":");
		write_exprs(b, e->u.args, expr_arity(e));
	}
	if (e->span.file) {
		sb_z(b, ",\"span\":");
		write_span(b, e->span);
	}
	sb_ch(b, '}');
}

static void write_exprs(struct strbuf *b, struct expr *const *v, uint32_t n)
{
	sb_ch(b, '[');
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			sb_ch(b, ',');
		if (v[i])
			write_expr(b, v[i]);
		else
			sb_z(b, "null");
	}
	sb_ch(b, ']');
}

/* ---- members ---- */

#define GET(type, off) (*(type const *)(const void *)((const char *)p + (off)))

static double number(const struct jfield *f, const void *p)
{
	switch (f->kind) {
	case JF_INT64:
		return (double)GET(int64_t, f->off);
	case JF_UINT32:
		return GET(uint32_t, f->off);
	case JF_UINT64:
		return (double)GET(uint64_t, f->off);
	default:
		return GET(double, f->off);
	}
}

/* Length of the list in a member. */
static uint32_t length(const struct writer *w, const struct jfield *f, const void *p)
{
	return f->kind == JF_PORT_VALUES ? node_nchildren(w->node) : GET(uint32_t, f->count);
}

static bool is_default(const struct writer *w, const struct jfield *f, const void *p)
{
	switch ((enum jf_kind)f->kind) {
	case JF_BOOL:
		return !GET(bool, f->off);
	case JF_INT64: case JF_UINT32: case JF_UINT64: case JF_DOUBLE: {
		double d = number(f, p);

		return d >= f->dflt && d <= f->dflt;
	}
	case JF_WORD:
		return !GET(unsigned, f->off);
	case JF_WORD8:
		return !GET(uint8_t, f->off);
	case JF_TYPE:
		return GET(struct type, f->off).kind == T_NONE;
	case JF_SPAN:
		return !GET(struct span, f->off).file;
	case JF_EXPRS: case JF_STRS: case JF_INTS: case JF_FROM: case JF_VALUES: case JF_LIST: case JF_VEC:
		return !GET(uint32_t, f->count);
	case JF_SUB:
		for (const struct jfield *in = f->of.desc->fields; in->key; in++)
			if (!is_default(w, in, (const char *)p + f->off))
				return false;
		return true;
	case JF_ATTRS_LIST:
		return !w->nattrs;
	default:
		return !GET(const void *, f->off);
	}
}

static void write_number(struct strbuf *b, const struct jfield *f, const void *p)
{
	double d = number(f, p);

	if (f->kind == JF_UINT64)
		sb_f(b, "%llu", (unsigned long long)GET(uint64_t, f->off));
	else if (f->kind != JF_DOUBLE)
		sb_f(b, "%lld", (long long)(f->kind == JF_INT64 ? GET(int64_t, f->off) : (int64_t)GET(uint32_t, f->off)));
	else if (isfinite(d))
		sb_double(b, d);
	else
		sb_z(b, isnan(d) ? "\"nan\"" : d > 0 ? "\"inf\"" : "\"-inf\"");
}

static void write_structs(struct writer *w, const struct jfield *f, const void *p)
{
	const char *v = GET(const char *, f->off);
	uint32_t n = GET(uint32_t, f->count);

	sb_ch(w->b, '[');
	w->indent++;
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			sb_ch(w->b, ',');
		line(w);
		write_struct(w, f->of.desc, v + i * f->of.desc->size);
	}
	w->indent--;
	line(w);
	sb_ch(w->b, ']');
}

static void write_ints(struct strbuf *b, const struct jfield *f, const void *p)
{
	uint32_t n = GET(uint32_t, f->count);

	sb_ch(b, '[');
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			sb_ch(b, ',');
		if (f->kind == JF_INTS)
			sb_f(b, "%d", GET(const int *, f->off)[i]);
		else if (f->kind == JF_BOOLS_OF)
			sb_z(b, GET(const bool *, f->off)[i] ? "true" : "false");
		else if (GET(const uint32_t *, f->off)[i] == UINT32_MAX)
			sb_z(b, "-1");
		else
			sb_f(b, "%u", GET(const uint32_t *, f->off)[i]);
	}
	sb_ch(b, ']');
}

static void write_strs(struct strbuf *b, const struct str *const *v, uint32_t n)
{
	sb_ch(b, '[');
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			sb_ch(b, ',');
		sb_json(b, v[i]->s, v[i]->len);
	}
	sb_ch(b, ']');
}

static void write_values(struct strbuf *b, const struct value *v, uint32_t n)
{
	sb_ch(b, '[');
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			sb_ch(b, ',');
		value_to_ir_json(b, &v[i]);
	}
	sb_ch(b, ']');
}

static void write_table(struct writer *w, const struct sweep *s)
{
	sb_ch(w->b, '[');
	w->indent++;
	for (uint32_t i = 0; i < s->ntable; i++) {
		if (i)
			sb_ch(w->b, ',');
		line(w);
		write_values(w->b, s->table + (size_t)i * s->nspace, s->nspace);
	}
	w->indent--;
	sb_ch(w->b, ']');
}

static void write_attrs(struct writer *w)
{
	sb_ch(w->b, '[');
	w->indent++;
	for (uint32_t i = 0; i < w->nattrs; i++) {
		if (i)
			sb_ch(w->b, ',');
		line(w);
		write_struct(w, &desc_attrs, w->attrs[i]);
	}
	w->indent--;
	line(w);
	sb_ch(w->b, ']');
}

static void write_member(struct writer *w, const struct jfield *f, const void *p)
{
	struct strbuf *b = w->b;

	switch ((enum jf_kind)f->kind) {
	case JF_STR:
		sb_json(b, GET(const struct str *, f->off)->s, GET(const struct str *, f->off)->len);
		break;
	case JF_BOOL:
		sb_z(b, GET(bool, f->off) ? "true" : "false");
		break;
	case JF_INT64: case JF_UINT32: case JF_UINT64: case JF_DOUBLE:
		write_number(b, f, p);
		break;
	case JF_WORD:
		sb_f(b, "\"%s\"", f->of.words[GET(unsigned, f->off)]);
		break;
	case JF_WORD8:
		sb_f(b, "\"%s\"", f->of.words[GET(uint8_t, f->off)]);
		break;
	case JF_TYPE:
		write_type(b, GET(struct type, f->off));
		break;
	case JF_SPAN:
		write_span(b, GET(struct span, f->off));
		break;
	case JF_EXPR:
		write_expr(b, GET(const struct expr *, f->off));
		break;
	case JF_EXPRS: case JF_EXPRS_OF: case JF_PORT_VALUES:
		write_exprs(b, GET(struct expr *const *, f->off), length(w, f, p));
		break;
	case JF_STRS:
		write_strs(b, GET(const struct str *const *, f->off), GET(uint32_t, f->count));
		break;
	case JF_INTS: case JF_FROM: case JF_BOOLS_OF:
		write_ints(b, f, p);
		break;
	case JF_VALUES:
		write_values(b, GET(const struct value *, f->off), GET(uint32_t, f->count));
		break;
	case JF_TABLE:
		write_table(w, (const struct sweep *)p);
		break;
	case JF_LIST: case JF_VEC:
		write_structs(w, f, p);
		break;
	case JF_SUB:
		write_struct(w, f->of.desc, (const char *)p + f->off);
		break;
	case JF_PTR:
		write_struct(w, f->of.desc, GET(const void *, f->off));
		break;
	case JF_TASK:
		sb_f(b, "%u", GET(const struct ir_task *, f->off)->id);
		break;
	case JF_CALLEE:
		sb_json(b, GET(const struct ir_workflow *, f->off)->name->s, GET(const struct ir_workflow *, f->off)->name->len);
		break;
	case JF_NODE:
		sb_f(b, "%u", GET(const struct node *, f->off)->id);
		break;
	case JF_ATTRS:
		sb_f(b, "%u", w->slot[attrs_slot(w, GET(const struct attrs *, f->off))].i);
		break;
	case JF_ATTRS_LIST:
		write_attrs(w);
		break;
	case JF_GRAPH:
		write_graph(w, GET(const struct graph *, f->off));
		break;
	case JF_DATA:
		sb_json(b, GET(const char *, f->off), GET(size_t, f->count));
		break;
	}
}

static bool write_members(struct writer *w, const struct jdesc *d, const void *p, bool any)
{
	for (const struct jfield *f = d->fields; f->key; f++) {
		if (!(f->flags & JF_NEEDED) && is_default(w, f, p))
			continue;
		if (any)
			sb_ch(w->b, ',');
		if (d->lines)
			line(w);
		any = true;
		sb_f(w->b, "\"%s\":", f->key);
		write_member(w, f, p);
	}
	return any;
}

static void write_struct(struct writer *w, const struct jdesc *d, const void *p)
{
	sb_ch(w->b, '{');
	w->indent++;
	write_members(w, d, p, false);
	w->indent--;
	sb_ch(w->b, '}');
}

static void write_node(struct writer *w, const struct node *n)
{
	const struct node *outer = w->node;

	w->node = n;
	sb_ch(w->b, '{');
	w->indent++;
	write_members(w, &desc_node, n, false);
	write_members(w, desc_node_kinds[n->kind], n, true);
	w->indent--;
	sb_ch(w->b, '}');
	w->node = outer;
}

static void write_graph(struct writer *w, const struct graph *g)
{
	sb_ch(w->b, '[');
	w->indent++;
	for (uint32_t i = 0; i < g->nodes.n; i++) {
		if (i)
			sb_ch(w->b, ',');
		line(w);
		write_node(w, g->nodes.v[i]);
	}
	w->indent--;
	line(w);
	sb_ch(w->b, ']');
}

/* ---- modules ---- */

static void write_workflow(struct writer *w, struct ir_workflow *wf)
{
	w->nattrs = 0;
	if (w->cap)
		memset(w->slot, 0, w->cap * sizeof *w->slot);
	workflow_nodes(wf, attrs_of_node, w);
	write_struct(w, &desc_workflow, wf);
}

static void write_sources(struct writer *w, const struct diag *d)
{
	sb_z(w->b, ",\n \"sources\":[");
	for (uint32_t i = 1; d && i < d->nsources; i++) {
		const struct source *s = d->sources[i];

		sb_z(w->b, i > 1 ? ",\n  {\"path\":" : "\n  {\"path\":");
		sb_json(w->b, s->path, strlen(s->path));
		if (s->text && utf8_valid(s->text, s->len) == s->len && !memchr(s->text, 0, s->len)) {
			sb_z(w->b, ",\"text\":");
			sb_json(w->b, s->text, s->len);
		}
		sb_ch(w->b, '}');
	}
	sb_ch(w->b, ']');
}

static void write_props(struct writer *w, unsigned props)
{
	const char *comma = "";

	sb_z(w->b, ",\n \"props\":[");
	for (unsigned i = 0; words_prop[i]; i++)
		if (props >> i & 1) {
			sb_f(w->b, "%s\"%s\"", comma, words_prop[i]);
			comma = ",";
		}
	sb_ch(w->b, ']');
}

static void write_str(struct writer *w, const char *key, const struct str *s)
{
	if (!s)
		return;
	sb_f(w->b, ",\n \"%s\":", key);
	sb_json(w->b, s->s, s->len);
}

/* The elements of a list of the module, each on lines of its own. */
static void element(struct writer *w, uint32_t i)
{
	w->indent = 2;
	if (i)
		sb_ch(w->b, ',');
	line(w);
}

void ir_write_json(const struct ir *m, struct strbuf *b)
{
	struct writer w = { .b = b };

	sb_f(b, "{\"couler_ir\":%d", IR_VERSION);
	write_str(&w, "file", m->file);
	write_str(&w, "dir", m->dir);
	write_props(&w, m->props);
	write_sources(&w, m->diag);
	sb_z(b, ",\n \"stores\":[");
	for (uint32_t i = 0; i < m->stores.n; i++) {
		element(&w, i);
		write_struct(&w, &desc_store, &m->stores.v[i]);
	}
	sb_z(b, "],\n \"tasks\":[");
	for (uint32_t i = 0; i < m->tasks.n; i++) {
		element(&w, i);
		write_struct(&w, &desc_task, m->tasks.v[i]);
	}
	sb_z(b, "],\n \"workflows\":[");
	for (uint32_t i = 0; i < m->workflows.n; i++) {
		element(&w, i);
		write_workflow(&w, m->workflows.v[i]);
	}
	sb_ch(b, ']');
	write_str(&w, "entry", m->entry ? m->entry->name : NULL);
	sb_z(b, "}\n");
	free(w.slot);
	free(w.attrs);
}
