/* `airflow = '''...'''`: YAML or JSON, checked by the front end, as JSON. */
#include "airflow.h"

#include <string.h>
#include <yaml.h>

#define DEPTH_MAX 64

/* A plain scalar of YAML 1.2's core schema that is no string. */
static bool plain_word(struct strbuf *b, const char *s, size_t n)
{
	static const struct { const char *word, *json; } words[] = {
		{ "null", "null" }, { "Null", "null" }, { "NULL", "null" }, { "~", "null" }, { "", "null" },
		{ "true", "true" }, { "True", "true" }, { "TRUE", "true" }, { "false", "false" }, { "False", "false" }, { "FALSE", "false" },
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strlen(words[i].word) == n && !memcmp(words[i].word, s, n)) {
			sb_z(b, words[i].json);
			return true;
		}
	return false;
}

static bool plain_number(struct af *af, struct strbuf *b, const char *s, size_t n)
{
	struct valctx c = { af->a, af->strs };
	struct value v;
	const char *err;

	if (n && s[0] == '+')
		s++, n--;
	if (value_parse(&c, type_of(T_INT), s, n, true, &v, &err) && (value_parse(&c, type_of(T_FLOAT), s, n, true, &v, &err) || *s == 'n' || *s == 'i' || s[n - 1] == 'f'))
		return false;
	value_canon(b, &v);
	return true;
}

static void scalar(struct af *af, struct strbuf *b, const yaml_node_t *n)
{
	const char *s = (const char *)n->data.scalar.value;
	size_t len = n->data.scalar.length;

	if (n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && (plain_word(b, s, len) || plain_number(af, b, s, len)))
		return;
	sb_json(b, s, len);
}

static void node(struct af *af, struct strbuf *b, yaml_document_t *doc, int index, unsigned depth)
{
	const yaml_node_t *n = yaml_document_get_node(doc, index);
	const char *sep = "";

	if (!n || depth > DEPTH_MAX) {
		sb_z(b, "null");
		return;
	}
	switch (n->type) {
	case YAML_SEQUENCE_NODE:
		sb_ch(b, '[');
		for (const yaml_node_item_t *it = n->data.sequence.items.start; it < n->data.sequence.items.top; it++, sep = ", ") {
			sb_z(b, sep);
			node(af, b, doc, *it, depth + 1);
		}
		sb_ch(b, ']');
		break;
	case YAML_MAPPING_NODE:
		sb_ch(b, '{');
		for (const yaml_node_pair_t *it = n->data.mapping.pairs.start; it < n->data.mapping.pairs.top; it++, sep = ", ") {
			const yaml_node_t *k = yaml_document_get_node(doc, it->key);

			if (!k || k->type != YAML_SCALAR_NODE)
				continue;
			sb_z(b, sep);
			sb_json(b, (const char *)k->data.scalar.value, k->data.scalar.length);
			sb_z(b, ": ");
			node(af, b, doc, it->value, depth + 1);
		}
		sb_ch(b, '}');
		break;
	case YAML_SCALAR_NODE: scalar(af, b, n); break;
	default: sb_z(b, "null");
	}
}

void af_raw(struct af *af, struct strbuf *b, const struct str *yaml)
{
	yaml_parser_t p;
	yaml_document_t doc;

	if (!yaml_parser_initialize(&p)) {
		sb_z(b, "{}");
		return;
	}
	yaml_parser_set_input_string(&p, (const unsigned char *)yaml->s, yaml->len);
	if (yaml_parser_load(&p, &doc)) {
		node(af, b, &doc, 1, 0);
		yaml_document_delete(&doc);
	} else {
		sb_z(b, "{}");
	}
	yaml_parser_delete(&p);
}
