/*
 * Raw YAML of `argo = '''...'''` merged into what the backend wrote: mappings key by key, lists of named things by
 * name, anything else takes the place of what was there. Comments before a template stay, those inside of it go.
 */
#include "merge.h"

#include <string.h>
#include <yaml.h>

#define NESTED_MAX 64

static struct tree *tree_of(struct argo *g, yaml_document_t *doc, int id, int depth)
{
	yaml_node_t *n = yaml_document_get_node(doc, id);
	struct tree *t = arena_new_of(g->a, struct tree);

	if (!n || depth > NESTED_MAX)
		return NULL;
	if (n->type == YAML_SCALAR_NODE) {
		t->kind = SCALAR;
		t->plain = n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
		t->s = arena_dup(g->a, (const char *)n->data.scalar.value, n->data.scalar.length);
		t->n = n->data.scalar.length;
		return t;
	}
	t->kind = n->type == YAML_MAPPING_NODE ? MAPPING : SEQUENCE;
	if (t->kind == SEQUENCE) {
		for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++) {
			struct tree *c = tree_of(g, doc, *i, depth + 1);

			if (!c)
				return NULL;
			vec_push(g->a, &t->v, ((struct entry){ NULL, c }));
		}
		return t;
	}
	for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++) {
		struct tree *k = tree_of(g, doc, p->key, depth + 1), *c = tree_of(g, doc, p->value, depth + 1);

		if (!k || !c || k->kind != SCALAR)
			return NULL;
		vec_push(g->a, &t->v, ((struct entry){ k->s, c }));
	}
	return t;
}

struct tree *tree_parse(struct argo *g, const char *s, size_t n)
{
	struct tree *t = NULL;
	yaml_parser_t p;
	yaml_document_t doc;

	if (!yaml_parser_initialize(&p))
		return NULL;
	yaml_parser_set_input_string(&p, (const unsigned char *)s, n);
	if (yaml_parser_load(&p, &doc)) {
		t = yaml_document_get_root_node(&doc) ? tree_of(g, &doc, 1, 0) : NULL;
		yaml_document_delete(&doc);
	}
	yaml_parser_delete(&p);
	return t;
}

struct entry *tree_find(struct tree *t, const char *key)
{
	for (uint32_t i = 0; i < t->v.n; i++)
		if (t->v.v[i].key && !strcmp(t->v.v[i].key, key))
			return &t->v.v[i];
	return NULL;
}

static const char *name_of(struct tree *t)
{
	struct entry *e = t->kind == MAPPING ? tree_find(t, "name") : NULL;

	return e && e->v->kind == SCALAR ? e->v->s : NULL;
}

static bool all_named(struct tree *t)
{
	for (uint32_t i = 0; i < t->v.n; i++)
		if (!name_of(t->v.v[i].v))
			return false;
	return true;
}

static struct tree *merged(struct argo *g, struct tree *a, struct tree *b)
{
	if (a->kind == SCALAR && b->kind == SCALAR && a->n == b->n && !memcmp(a->s, b->s, a->n))
		return a;                                                       /* quoted where it has to be */
	if (a->kind != b->kind || a->kind == SCALAR || (a->kind == SEQUENCE && !(all_named(a) && all_named(b))))
		return b;
	for (uint32_t i = 0; i < b->v.n; i++) {
		struct entry *old = NULL, *e = &b->v.v[i];

		for (uint32_t k = 0; k < a->v.n && !old; k++)
			if (!strcmp(a->kind == MAPPING ? a->v.v[k].key : name_of(a->v.v[k].v), a->kind == MAPPING ? e->key : name_of(e->v)))
				old = &a->v.v[k];
		if (old)
			old->v = merged(g, old->v, e->v);
		else
			vec_push(g->a, &a->v, *e);
	}
	return a;
}

static void items(struct yaml *y, const struct tree *t)
{
	for (uint32_t i = 0; i < t->v.n; i++) {
		const struct tree *c = t->v.v[i].v;

		if (c->kind == SCALAR && c->plain) {
			y_item(y);
			y->dash = false;
			sb_add(y->b, c->s, c->n);
			sb_ch(y->b, '\n');
		} else if (c->kind == SCALAR) {
			y_item_str(y, c->s, c->n);
		} else if (c->kind == MAPPING) {
			y_item(y);
			for (uint32_t k = 0; k < c->v.n; k++)
				tree_write(y, c->v.v[k].key, c->v.v[k].v);
			y_item_end(y);
		} else {
			y_item(y);
			y->depth++;
			items(y, c);
			y->depth--;
		}
	}
}

void tree_write(struct yaml *y, const char *key, const struct tree *t)
{
	if (t->kind == SCALAR && t->plain) {
		y_plain(y, key, "%s", t->s);
	} else if (t->kind == SCALAR) {
		y_str(y, key, t->s, t->n);
	} else if (!t->v.n) {
		y_plain(y, key, "%s", t->kind == MAPPING ? "{}" : "[]");
	} else {
		y_open(y, key);
		if (t->kind == SEQUENCE)
			items(y, t);
		else
			for (uint32_t i = 0; i < t->v.n; i++)
				tree_write(y, t->v.v[i].key, t->v.v[i].v);
		y_end(y);
	}
}

/* Comments that stand before the first entry. */
static size_t head_of(const struct strbuf *b)
{
	size_t i = 0;

	while (i < b->n) {
		size_t k = i;

		while (k < b->n && b->s[k] == ' ')
			k++;
		if (k >= b->n || b->s[k] != '#')
			break;
		while (k < b->n && b->s[k] != '\n')
			k++;
		i = k + 1;
	}
	return i < b->n ? i : b->n;
}

void merge_raw(struct argo *g, struct strbuf *text, int depth, const struct str *raw, struct span sp)
{
	size_t head = head_of(text);
	struct tree *a = tree_parse(g, text->s + head, text->n - head), *b = tree_parse(g, raw->s, raw->len);
	struct strbuf out = { 0 };
	struct yaml y = yaml_at(&out, depth);
	struct tree *in = a && a->kind == SEQUENCE && a->v.n == 1 ? a->v.v[0].v : a;

	if (!in || !b || in->kind != MAPPING || b->kind != MAPPING) {
		diag_mend(g->d, diag_at(g->d, CW0801, sp, "argo cannot carry this block: it is nested deeper than %d, or its keys are no names", NESTED_MAX), "write it in the manifest's own form");
		g->err = -1;
		return;
	}
	in = merged(g, in, b);
	sb_add(&out, text->s, head);
	if (a->kind == SEQUENCE)
		y_item(&y);
	for (uint32_t i = 0; i < in->v.n; i++)
		tree_write(&y, in->v.v[i].key, in->v.v[i].v);
	sb_free(text);
	*text = out;
}
