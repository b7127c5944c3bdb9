/* couler.yaml: defaults for options, read with libyaml. */
#include "couler/project.h"

#include <errno.h>
#include <string.h>
#include <yaml.h>

#include "couler/front.h"
#include "attr.h"

struct reader {
	struct arena *a;
	struct diag *d;
	struct project *p;
	uint32_t file;
	const char *text;
	size_t n;
	yaml_document_t doc;
	bool bad;
};

static struct span place(const struct reader *r, const yaml_mark_t *from, const yaml_mark_t *to)
{
	size_t a = utf8_offset(r->text, r->n, from->index), b = to ? utf8_offset(r->text, r->n, to->index) : a + 1;

	return (struct span){ r->file, (uint32_t)a, (uint32_t)(b > a ? b - a : 1) };
}

static struct span node_place(const struct reader *r, const yaml_node_t *n)
{
	return place(r, &n->start_mark, &n->end_mark);
}

static struct diag_item *wrong(struct reader *r, const yaml_node_t *n, const char *fmt, const char *what)
{
	r->bad = true;
	return diag_at(r->d, CW0620, node_place(r, n), fmt, what);
}

/* A scalar's text; NULL after a diagnostic. *plain: it was written without quotes. */
static const char *text_of(struct reader *r, const yaml_node_t *n, const char *what, bool *plain)
{
	const char *s;

	if (n->type != YAML_SCALAR_NODE) {
		diag_mend(r->d, wrong(r, n, "%s is a text, a number, true, false, a list or a map of these", what), "write it on one line, for example color: never");
		return NULL;
	}
	s = (const char *)n->data.scalar.value;
	*plain = n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	if (strlen(s) != n->data.scalar.length) {
		wrong(r, n, "%s holds a NUL byte", what);
		return NULL;
	}
	if (*plain && (!*s || !strcmp(s, "~") || !strcmp(s, "null"))) {
		diag_mend(r->d, wrong(r, n, "%s has no value", what), "give it one, or take the line out");
		return NULL;
	}
	return arena_dup(r->a, s, n->data.scalar.length);
}

static const char *quoted(struct reader *r, const char *name)
{
	struct strbuf b = { 0 };
	const char *s;

	sb_f(&b, "'%s'", name);
	s = arena_dup(r->a, b.s, b.n);
	sb_free(&b);
	return s;
}

static void add(struct reader *r, const char *option, struct span option_span, const yaml_node_t *n, const char *value)
{
	vec_push(r->a, &r->p->values, ((struct project_value){ option, value, node_place(r, n), option_span }));
}

/* One value of an option: a scalar of its own, or of a list. */
static void one(struct reader *r, const char *option, struct span sp, const yaml_node_t *n)
{
	bool plain;
	const char *s = text_of(r, n, quoted(r, option), &plain);

	if (!s || (plain && !strcmp(s, "false")))
		return;
	add(r, option, sp, n, plain && !strcmp(s, "true") ? NULL : s);
}

static void map(struct reader *r, const char *option, struct span sp, const yaml_node_t *n)
{
	for (const yaml_node_pair_t *it = n->data.mapping.pairs.start; it < n->data.mapping.pairs.top; it++) {
		yaml_node_t *k = yaml_document_get_node(&r->doc, it->key), *v = yaml_document_get_node(&r->doc, it->value);
		struct strbuf b = { 0 };
		const char *name, *value;
		bool plain;

		name = text_of(r, k, "a name", &plain);
		value = name ? text_of(r, v, quoted(r, name), &plain) : NULL;
		if (!value)
			continue;
		sb_f(&b, "%s=%s", name, value);
		add(r, option, sp, v, arena_dup(r->a, b.s, b.n));
		sb_free(&b);
	}
}

static void option(struct reader *r, const yaml_node_t *k, const yaml_node_t *v)
{
	struct span sp = node_place(r, k);
	const char *name;
	bool plain;

	name = text_of(r, k, "an option", &plain);
	if (!name)
		return;
	if (!strncmp(name, "--", 2)) {
		diag_mend(r->d, wrong(r, k, "'%s' is written without dashes here", name), "write %s", name + 2);
		return;
	}
	for (uint32_t i = 0; i < r->p->values.n; i++)
		if (!strcmp(r->p->values.v[i].option, name)) {
			struct diag_item *it = wrong(r, k, "'%s' is given twice", name);

			diag_note(r->d, it, r->p->values.v[i].option_span, "it is given here already");
			return;
		}
	if (v->type == YAML_MAPPING_NODE)
		map(r, name, sp, v);
	else if (v->type == YAML_SEQUENCE_NODE)
		for (yaml_node_item_t *it = v->data.sequence.items.start; it < v->data.sequence.items.top; it++)
			one(r, name, sp, yaml_document_get_node(&r->doc, *it));
	else
		one(r, name, sp, v);
}

static void unreadable(struct reader *r, const yaml_parser_t *y)
{
	const char *why = y->problem ? y->problem : "it cannot be read";
	struct span sp = y->problem_mark.index ? place(r, &y->problem_mark, NULL) : (struct span){ r->file, (uint32_t)(y->problem_offset < r->n ? y->problem_offset : 0), 1 };

	r->bad = true;
	diag_mend(r->d, diag_at(r->d, CW0620, sp, "couler.yaml is no YAML: %s", why), "the file holds lines OPTION: VALUE, with the long names of options");
}

static void document(struct reader *r)
{
	yaml_node_t *root = yaml_document_get_root_node(&r->doc);

	if (!root || (root->type == YAML_SCALAR_NODE && !root->data.scalar.length))
		return;
	if (root->type != YAML_MAPPING_NODE) {
		diag_mend(r->d, wrong(r, root, "%s holds lines OPTION: VALUE", "couler.yaml"), "for example color: never");
		return;
	}
	for (const yaml_node_pair_t *it = root->data.mapping.pairs.start; it < root->data.mapping.pairs.top; it++)
		option(r, yaml_document_get_node(&r->doc, it->key), yaml_document_get_node(&r->doc, it->value));
}

int project_read(struct arena *a, struct diag *d, const char *root, struct project *p)
{
	struct reader r = { .a = a, .d = d, .p = p };
	struct strbuf b = { 0 };
	yaml_parser_t y;

	*p = (struct project){ 0 };
	sb_f(&b, "%s%scouler.yaml", strcmp(root, ".") ? root : "", strcmp(root, ".") ? "/" : "");
	p->path = arena_dup(a, b.s, b.n);
	sb_free(&b);
	r.text = read_file(a, p->path, &r.n);
	if (!r.text && (errno == ENOENT || errno == ENOTDIR)) {
		p->path = NULL;
		return 0;
	}
	if (!r.text) {
		diag_at(d, CW0602, (struct span){ 0 }, "cannot read '%s': %s", p->path, strerror(errno));
		return -1;
	}
	r.file = diag_source(d, p->path, r.text, r.n);
	if (!yaml_parser_initialize(&y)) {
		diag_at(d, CW0620, (struct span){ 0 }, "cannot read '%s': out of memory", p->path);
		return -1;
	}
	yaml_parser_set_input_string(&y, (const unsigned char *)r.text, r.n);
	if (yaml_parser_load(&y, &r.doc)) {
		document(&r);
		yaml_document_delete(&r.doc);
	} else {
		unreadable(&r, &y);
	}
	yaml_parser_delete(&y);
	return r.bad ? -1 : 0;
}

int project_check(const struct project *p, struct diag *d, const char *const *names, size_t n)
{
	int rc = 0;

	for (uint32_t i = 0; i < p->values.n; i++) {
		const struct project_value *v = &p->values.v[i];
		struct diag_item *it;
		const char *near;
		size_t k = 0;

		while (k < n && strcmp(names[k], v->option))
			k++;
		if (k < n || (i && p->values.v[i - 1].option == v->option))
			continue;
		rc = -1;
		it = diag_at(d, CW0621, v->option_span, "no command has an option '%s'", v->option);
		near = nearest(v->option, strlen(v->option), names, n);
		if (near)
			diag_label(d, it, "did you mean '%s'?", near);
		else
			diag_mend(d, it, "`couler COMMAND --help` lists the options; their long names stand here without dashes");
	}
	return rc;
}
