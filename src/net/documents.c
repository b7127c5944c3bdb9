/* A YAML stream as JSON: mappings, sequences and scalars of YAML 1.2's core schema. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "couler/cluster.h"

#define DEPTH 100

static json_t *plain(const char *s)
{
	char *end;
	long long i;
	double d;

	if (!*s || !strcmp(s, "~") || !strcmp(s, "null"))
		return json_null();
	if (!strcmp(s, "true") || !strcmp(s, "false"))
		return json_boolean(*s == 't');
	if (strspn(s, "+-.0123456789eE") != strlen(s))
		return json_string(s);
	errno = 0;
	i = strtoll(s, &end, 10);
	if (!*end && !errno)
		return json_integer(i);
	d = strtod(s, &end);
	return *end || !isfinite(d) ? json_string(s) : json_real(d);
}

static json_t *value(yaml_document_t *doc, const yaml_node_t *n, int depth)
{
	json_t *j, *v;

	if (!n || depth > DEPTH)
		return NULL;
	switch (n->type) {
	case YAML_SCALAR_NODE:
		if (n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
			return plain((const char *)n->data.scalar.value);
		return json_stringn((const char *)n->data.scalar.value, n->data.scalar.length);
	case YAML_SEQUENCE_NODE:
		j = json_array();
		for (yaml_node_item_t *i = n->data.sequence.items.start; j && i < n->data.sequence.items.top; i++)
			if (json_array_append_new(j, value(doc, yaml_document_get_node(doc, *i), depth + 1))) {
				json_decref(j);
				return NULL;
			}
		return j;
	case YAML_MAPPING_NODE:
		j = json_object();
		for (yaml_node_pair_t *i = n->data.mapping.pairs.start; j && i < n->data.mapping.pairs.top; i++) {
			const yaml_node_t *k = yaml_document_get_node(doc, i->key);

			v = value(doc, yaml_document_get_node(doc, i->value), depth + 1);
			if (!k || k->type != YAML_SCALAR_NODE || json_object_set_new(j, (const char *)k->data.scalar.value, v)) {
				json_decref(j);
				return NULL;
			}
		}
		return j;
	case YAML_NO_NODE:
		break;
	}
	return NULL;
}

static char *fault(const yaml_parser_t *p)
{
	struct strbuf b = { 0 };
	char *s;

	sb_f(&b, "line %zu: %s", p->problem_mark.line + 1, p->problem ? p->problem : "a mapping's key or the depth is none that JSON has");
	s = xstrdup(sb_cstr(&b));
	sb_free(&b);
	return s;
}

json_t *yaml_documents(const char *s, size_t n, char **why)
{
	json_t *all = json_array(), *one;
	yaml_document_t doc;
	yaml_parser_t p;

	*why = NULL;
	if (!all || !yaml_parser_initialize(&p))
		abort();                  /* memory */
	yaml_parser_set_input_string(&p, (const unsigned char *)s, n);
	while (!*why) {
		const yaml_node_t *root;

		if (!yaml_parser_load(&p, &doc)) {
			*why = fault(&p);
			break;
		}
		root = yaml_document_get_root_node(&doc);
		one = root ? value(&doc, root, 0) : NULL;
		if (root && (!one || json_array_append_new(all, one)))
			*why = fault(&p);
		yaml_document_delete(&doc);
		if (!root)
			break;
	}
	yaml_parser_delete(&p);
	if (*why) {
		json_decref(all);
		all = NULL;
	}
	return all;
}
