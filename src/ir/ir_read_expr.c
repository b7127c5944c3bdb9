/* Expressions of the JSON form. jansson bounds the depth of the whole at 2048, and so the recursion here. */
#include <ctype.h>
#include <string.h>

#include "ir_read.h"

static bool read_op(struct jreader *r, const json_t *j, uint8_t *op)
{
	const char *s = json_string_value(j);

	if (!s)
		return read_fail(r, "expected the name of an operation, found %s", json_words(j));
	for (unsigned i = 0; i < EX_COUNT; i++) {
		const char *name = expr_ops[i].name;
		size_t n = 0;

		while (name[n] && s[n] == tolower((unsigned char)name[n]))
			n++;
		if (!name[n] && !s[n]) {
			*op = (uint8_t)i;
			return true;
		}
	}
	return read_fail(r, "there is no operation '%.40s'", s);
}

static bool read_fn(struct jreader *r, const json_t *j, uint8_t *fn)
{
	const char *names[FN_COUNT + 1] = { NULL };
	unsigned k;

	for (unsigned i = 0; i < FN_COUNT; i++)
		names[i] = expr_fns[i].name;
	if (!read_word(r, j, names, &k))
		return false;
	*fn = (uint8_t)k;
	return true;
}

static bool needs_node(enum ref_kind k)
{
	return k == REF_OUTPUT || k == REF_STATUS || k == REF_EXIT_CODE || k == REF_ITEM || k == REF_INDEX || k == REF_STATE || k == REF_ARG;
}

static bool read_ref(struct jreader *r, const json_t *j, struct expr *e)
{
	const json_t *node = json_object_get(j, "node"), *port = json_object_get(j, "port");
	unsigned kind, field;
	int64_t n = 0;
	size_t at = path_key(r, "ref");

	if (!read_word(r, json_object_get(j, "ref"), words_ref_kind, &kind))
		return false;
	r->path.n = at;
	e->fn = (uint8_t)kind;
	e->u.node = NULL;
	if (kind == REF_FIELD) {
		at = path_key(r, "field");
		if (!read_word(r, json_object_get(j, "field"), words_field, &field))
			return false;
		n = field;
	} else if (port) {
		at = path_key(r, "port");
		if (!read_int(r, port, 0, UINT32_MAX - 1, &n))
			return false;
	}
	r->path.n = at;
	e->n = (uint32_t)n;
	if (!node && !needs_node((enum ref_kind)kind))
		return true;
	at = path_key(r, "node");
	if (!needs_node((enum ref_kind)kind))
		return read_fail(r, "a reference to a %s names no node", words_ref_kind[kind]);
	if (!read_node_id(r, node, &e->u.node))
		return false;
	r->path.n = at;
	return true;
}

static bool read_args(struct jreader *r, const json_t *j, struct expr *e)
{
	int arity = expr_ops[e->op].n;
	size_t at = path_key(r, "args");
	struct expr **v;

	if (!read_exprs(r, json_object_get(j, "args"), &v, &e->n))
		return false;
	if (arity >= 0 && e->n != (uint32_t)arity)
		return read_fail(r, "expected %d operands, found %u", arity, e->n);
	for (uint32_t i = 0; i < e->n; i++)
		if (!v[i])
			return read_fail(r, "an operand is null");
	r->path.n = at;
	if (e->op != EX_MEMBER) {
		e->u.args = v;
		return true;
	}
	e->u.member.arg = v[0];
	at = path_key(r, "key");
	if (!read_str(r, json_object_get(j, "key"), &e->u.member.key))
		return false;
	r->path.n = at;
	return true;
}

static bool read_lit(struct jreader *r, const json_t *j, struct expr *e)
{
	struct value *v = arena_new_of(r->a, struct value);
	size_t at = path_key(r, "value");

	if (!read_value(r, json_object_get(j, "value"), v))
		return false;
	r->path.n = at;
	e->u.lit = v;
	if (!json_object_get(j, "type"))
		e->type = v->type;
	return true;
}

bool read_expr(struct jreader *r, const json_t *j, struct expr **out)
{
	static const char *const lit[] = { "op", "type", "value", "span", NULL }, *const ref[] = { "op", "type", "ref", "node", "port", "field", "span", NULL };
	static const char *const other[] = { "op", "type", "args", "fn", "key", "span", NULL };
	struct expr *e = arena_new_of(r->a, struct expr);
	const json_t *type = json_object_get(j, "type"), *span = json_object_get(j, "span");
	size_t at;

	if (!json_is_object(j))
		return read_fail(r, "expected an expression {\"op\": ...}, found %s", json_words(j));
	at = path_key(r, "op");
	if (!read_op(r, json_object_get(j, "op"), &e->op))
		return false;
	r->path.n = at;
	at = path_key(r, "type");
	if ((type || e->op != EX_LIT) && !read_type(r, type, &e->type))
		return false;
	r->path.n = at;
	at = path_key(r, "fn");
	if (e->op == EX_CALL && !read_fn(r, json_object_get(j, "fn"), &e->fn))
		return false;
	r->path.n = at;
	at = path_key(r, "span");
	if (span && !read_span(r, span, &e->span))
		return false;
	r->path.n = at;
	*out = e;
	if (!read_keys(r, j, e->op == EX_LIT ? lit : e->op == EX_REF ? ref : other))
		return false;
	return e->op == EX_LIT ? read_lit(r, j, e) : e->op == EX_REF ? read_ref(r, j, e) : read_args(r, j, e);
}

bool read_exprs(struct jreader *r, const json_t *j, struct expr ***v, uint32_t *n)
{
	if (!read_array(r, j, n))
		return false;
	*v = arena_array(r->a, struct expr *, *n);
	for (uint32_t i = 0; i < *n; i++) {
		size_t at = path_index(r, i);

		if (!json_is_null(json_array_get(j, i)) && !read_expr(r, json_array_get(j, i), &(*v)[i]))
			return false;
		r->path.n = at;
	}
	return true;
}
