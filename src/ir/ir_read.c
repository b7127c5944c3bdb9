/* The reader of the JSON form: jansson's tree to the graph, by the tables of ir_desc.c. */
#include <stdlib.h>
#include <string.h>

#include "ir_read.h"

static bool read_struct(struct jreader *r, const json_t *j, const struct jdesc *d, const struct jdesc *more, void *p);

/* ---- nodes by id ---- */

/* The slot of an id, made where it is new. */
static struct node_slot *node_slot(struct jreader *r, uint32_t id)
{
	uint32_t h;

	if (2 * r->nslots >= r->cap) {
		uint32_t cap = r->cap ? 2 * r->cap : 256;
		struct node_slot *slot = xcalloc(cap, sizeof *slot);

		for (uint32_t i = 0; i < r->cap; i++) {
			if (!r->slot[i].node)
				continue;
			for (h = r->slot[i].node->id & (cap - 1); slot[h].node; h = (h + 1) & (cap - 1))
				;
			slot[h] = r->slot[i];
		}
		free(r->slot);
		r->slot = slot;
		r->cap = cap;
	}
	for (h = id & (r->cap - 1); r->slot[h].node; h = (h + 1) & (r->cap - 1))
		if (r->slot[h].node->id == id)
			return &r->slot[h];
	r->slot[h].node = arena_new_of(r->a, struct node);
	r->slot[h].node->id = id;
	r->nslots++;
	return &r->slot[h];
}

bool read_node_id(struct jreader *r, const json_t *j, struct node **out)
{
	int64_t id;

	if (!r->w)
		return read_fail(r, "a task reads no nodes");
	if (!read_int(r, j, 0, UINT32_MAX - 1, &id))
		return false;
	*out = node_slot(r, (uint32_t)id)->node;
	return true;
}

/* Every node that something refers to is there. */
static bool all_defined(struct jreader *r)
{
	uint32_t lacks = UINT32_MAX;

	for (uint32_t i = 0; i < r->cap; i++)
		if (r->slot[i].node && !r->slot[i].defined && r->slot[i].node->id < lacks)
			lacks = r->slot[i].node->id;
	return lacks == UINT32_MAX || read_fail(r, "there is no node with the id %u, which something refers to", lacks);
}

/* ---- graphs ---- */

/* Length of the values of a node's ports, from its JSON. */
static uint32_t port_values(const json_t *j, enum node_kind k)
{
	return k == N_FOR || k == N_GROUP ? 1 : k == N_IF ? (uint32_t)json_array_size(json_object_get(j, "branches")) : 0;
}

static bool read_node(struct jreader *r, const json_t *j, struct graph *g, struct node **out)
{
	struct node *owner = r->owner, *n;
	uint32_t values = r->port_values;
	struct node_slot *slot;
	unsigned kind;
	size_t at;
	bool ok;

	if (!json_is_object(j))
		return read_fail(r, "expected a node, found %s", json_words(j));
	at = path_key(r, "id");
	if (!read_node_id(r, json_object_get(j, "id"), &n))
		return false;
	slot = node_slot(r, n->id);
	if (slot->defined)
		return read_fail(r, "a second node with the id %u", n->id);
	slot->defined = true;
	r->path.n = at;
	at = path_key(r, "kind");
	if (!read_word(r, json_object_get(j, "kind"), words_node_kind, &kind))
		return false;
	r->path.n = at;
	n->graph = g;
	r->owner = n;
	r->port_values = port_values(j, (enum node_kind)kind);
	ok = read_struct(r, j, &desc_node, desc_node_kinds[kind], n);
	r->owner = owner;
	r->port_values = values;
	*out = n;
	return ok;
}

static bool read_graph(struct jreader *r, const json_t *j, struct graph **out)
{
	struct graph *g = arena_new_of(r->a, struct graph);
	uint32_t n;

	if (!read_array(r, j, &n))
		return false;
	if (!r->w)
		return read_fail(r, "a task holds no nodes");
	g->workflow = r->w;
	g->owner = r->owner;
	g->nodes.v = arena_array(r->a, struct node *, n);
	g->nodes.n = g->nodes.cap = n;
	for (uint32_t i = 0; i < n; i++) {
		size_t at = path_index(r, i);

		if (!read_node(r, json_array_get(j, i), g, &g->nodes.v[i]))
			return false;
		r->path.n = at;
	}
	*out = g;
	return true;
}

/* ---- members ---- */

#define SET(type, off) (*(type *)(void *)((char *)p + (off)))

static bool read_number(struct jreader *r, const json_t *j, const struct jfield *f, void *p)
{
	int64_t i;

	if (f->kind == JF_DOUBLE)
		return read_double(r, j, &SET(double, f->off));
	if (!read_int(r, j, f->kind == JF_INT64 ? -(double)INT_LIMIT : 0, f->kind == JF_UINT32 ? UINT32_MAX - 1.0 : (double)INT_LIMIT, &i))
		return false;
	if (f->kind == JF_INT64)
		SET(int64_t, f->off) = i;
	else if (f->kind == JF_UINT32)
		SET(uint32_t, f->off) = (uint32_t)i;
	else
		SET(uint64_t, f->off) = (uint64_t)i;
	return true;
}

static bool read_structs(struct jreader *r, const json_t *j, const struct jfield *f, void *p)
{
	const struct jdesc *d = f->of.desc;
	uint32_t n;
	char *v;

	if (!read_array(r, j, &n))
		return false;
	v = n ? arena_alloc(r->a, n * d->size) : NULL;
	SET(void *, f->off) = v;
	SET(uint32_t, f->count) = n;
	if (f->kind == JF_VEC)
		SET(uint32_t, f->count + sizeof(uint32_t)) = n;
	for (uint32_t i = 0; i < n; i++) {
		size_t at = path_index(r, i);

		if (!read_struct(r, json_array_get(j, i), d, NULL, v + i * d->size))
			return false;
		r->path.n = at;
	}
	return true;
}
_Static_assert(offsetof(struct graph, nodes.cap) - offsetof(struct graph, nodes.n) == sizeof(uint32_t), "cap stands after n in a VEC");

static bool read_ints(struct jreader *r, const json_t *j, const struct jfield *f, void *p)
{
	uint32_t n, *from;
	int64_t i64;
	int *ints;

	if (!read_array(r, j, &n))
		return false;
	from = arena_array(r->a, uint32_t, n);
	ints = arena_array(r->a, int, n);
	for (uint32_t i = 0; i < n; i++) {
		size_t at = path_index(r, i);

		if (!read_int(r, json_array_get(j, i), -1, f->kind == JF_INTS ? 255 : UINT32_MAX - 1.0, &i64))
			return false;
		r->path.n = at;
		from[i] = i64 < 0 ? UINT32_MAX : (uint32_t)i64;
		ints[i] = (int)i64;
	}
	SET(uint32_t, f->count) = n;
	if (f->kind == JF_FROM) {
		SET(uint32_t *, f->off) = from;
		return true;
	}
	SET(int *, f->off) = ints;
	SET(uint32_t, f->count + sizeof(uint32_t)) = n;
	return true;
}

static bool read_bools(struct jreader *r, const json_t *j, const struct jfield *f, void *p)
{
	uint32_t n;
	bool *v;

	if (!read_array(r, j, &n))
		return false;
	if (n != SET(uint32_t, f->count))
		return read_fail(r, "expected %u values, found %u", SET(uint32_t, f->count), n);
	v = arena_array(r->a, bool, n);
	for (uint32_t i = 0; i < n; i++) {
		v[i] = json_is_true(json_array_get(j, i));
		if (!json_is_boolean(json_array_get(j, i)))
			return read_fail(r, "expected true or false, found %s", json_words(json_array_get(j, i)));
	}
	SET(bool *, f->off) = v;
	return true;
}

static bool read_strs(struct jreader *r, const json_t *j, const struct jfield *f, void *p)
{
	const struct str **v;
	uint32_t n;

	if (!read_array(r, j, &n))
		return false;
	v = arena_array(r->a, const struct str *, n);
	for (uint32_t i = 0; i < n; i++)
		if (!read_str(r, json_array_get(j, i), &v[i]))
			return false;
	SET(const struct str **, f->off) = v;
	SET(uint32_t, f->count) = n;
	return true;
}

static bool read_values(struct jreader *r, const json_t *j, struct value *v, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		size_t at = path_index(r, i);

		if (!read_value(r, json_array_get(j, i), &v[i]))
			return false;
		r->path.n = at;
	}
	return true;
}

static bool read_value_list(struct jreader *r, const json_t *j, const struct jfield *f, void *p)
{
	uint32_t n;

	if (!read_array(r, j, &n))
		return false;
	SET(struct value *, f->off) = arena_array(r->a, struct value, n);
	SET(uint32_t, f->count) = n;
	return read_values(r, j, SET(struct value *, f->off), n);
}

static bool read_table(struct jreader *r, const json_t *j, struct sweep *s)
{
	if (!read_array(r, j, &s->ntable))
		return false;
	s->table = arena_array(r->a, struct value, (size_t)s->ntable * s->nspace);
	for (uint32_t i = 0; i < s->ntable; i++) {
		const json_t *row = json_array_get(j, i);
		size_t at = path_index(r, i);

		if (json_array_size(row) != s->nspace)
			return read_fail(r, "expected a row of %u values, found %s", s->nspace, json_words(row));
		if (!read_values(r, row, s->table + (size_t)i * s->nspace, s->nspace))
			return false;
		r->path.n = at;
	}
	return true;
}

/* A list whose length another one gives. */
static bool read_exprs_of(struct jreader *r, const json_t *j, const struct jfield *f, void *p)
{
	uint32_t n, want = f->kind == JF_PORT_VALUES ? r->port_values : SET(uint32_t, f->count);

	if (!read_exprs(r, j, &SET(struct expr **, f->off), &n))
		return false;
	return n == want || read_fail(r, "expected %u expressions, found %u", want, n);
}

static bool read_attrs_list(struct jreader *r, const json_t *j, const struct jfield *f)
{
	if (!read_array(r, j, &r->nattrs))
		return false;
	r->attrs = arena_array(r->a, struct attrs *, r->nattrs);
	for (uint32_t i = 0; i < r->nattrs; i++) {
		size_t at = path_index(r, i);

		r->attrs[i] = arena_new_of(r->a, struct attrs);
		if (!read_struct(r, json_array_get(j, i), f->of.desc, NULL, r->attrs[i]))
			return false;
		r->path.n = at;
	}
	return true;
}

static bool read_callee(struct jreader *r, const json_t *j, struct ir_workflow **out)
{
	const struct str *name;

	if (!read_str(r, j, &name))
		return false;
	for (uint32_t i = 0; i < r->m->workflows.n; i++)
		if (r->m->workflows.v[i]->name == name) {
			*out = r->m->workflows.v[i];
			return true;
		}
	return read_fail(r, "there is no workflow '%s'; one that is called stands before its callers", name->s);
}

static bool read_index(struct jreader *r, const json_t *j, const char *what, uint32_t n, uint32_t *out)
{
	int64_t i;

	if (!read_int(r, j, 0, UINT32_MAX - 1.0, &i))
		return false;
	*out = (uint32_t)i;
	return i < n || read_fail(r, "there are only %u %s", n, what);
}

static bool read_data(struct jreader *r, const json_t *j, const struct jfield *f, void *p)
{
	if (!json_is_string(j))
		return read_fail(r, "expected a string, found %s", json_words(j));
	SET(char *, f->off) = arena_dup(r->a, json_string_value(j), json_string_length(j));
	SET(size_t, f->count) = json_string_length(j);
	return true;
}

static bool read_reference(struct jreader *r, const json_t *j, const struct jfield *f, void *p)
{
	uint32_t i;

	switch ((enum jf_kind)f->kind) {
	case JF_TASK:
		if (!read_index(r, j, "tasks", r->m->tasks.n, &i))
			return false;
		SET(struct ir_task *, f->off) = r->m->tasks.v[i];
		return true;
	case JF_ATTRS:
		if (!read_index(r, j, "attributes", r->nattrs, &i))
			return false;
		SET(struct attrs *, f->off) = r->attrs[i];
		return true;
	case JF_CALLEE:
		return read_callee(r, j, &SET(struct ir_workflow *, f->off));
	default:
		return read_node_id(r, j, &SET(struct node *, f->off));
	}
}

static bool read_word_member(struct jreader *r, const json_t *j, const struct jfield *f, void *p)
{
	unsigned word;

	if (!read_word(r, j, f->of.words, &word))
		return false;
	if (f->kind == JF_WORD8)
		SET(uint8_t, f->off) = (uint8_t)word;
	else
		SET(unsigned, f->off) = word;
	return true;
}

static bool read_member(struct jreader *r, const json_t *j, const struct jfield *f, void *p)
{
	switch ((enum jf_kind)f->kind) {
	case JF_STR:
		return read_str(r, j, &SET(const struct str *, f->off));
	case JF_BOOL:
		SET(bool, f->off) = json_is_true(j);
		return json_is_boolean(j) || read_fail(r, "expected true or false, found %s", json_words(j));
	case JF_INT64: case JF_UINT32: case JF_UINT64: case JF_DOUBLE:
		return read_number(r, j, f, p);
	case JF_WORD: case JF_WORD8:
		return read_word_member(r, j, f, p);
	case JF_TYPE:
		return read_type(r, j, &SET(struct type, f->off));
	case JF_SPAN:
		return read_span(r, j, &SET(struct span, f->off));
	case JF_EXPR:
		return read_expr(r, j, &SET(struct expr *, f->off));
	case JF_EXPRS:
		return read_exprs(r, j, &SET(struct expr **, f->off), &SET(uint32_t, f->count));
	case JF_EXPRS_OF: case JF_PORT_VALUES:
		return read_exprs_of(r, j, f, p);
	case JF_STRS:
		return read_strs(r, j, f, p);
	case JF_INTS: case JF_FROM:
		return read_ints(r, j, f, p);
	case JF_BOOLS_OF:
		return read_bools(r, j, f, p);
	case JF_VALUES:
		return read_value_list(r, j, f, p);
	case JF_TABLE:
		return read_table(r, j, p);
	case JF_LIST: case JF_VEC:
		return read_structs(r, j, f, p);
	case JF_SUB:
		return read_struct(r, j, f->of.desc, NULL, (char *)p + f->off);
	case JF_PTR:
		SET(void *, f->off) = arena_alloc(r->a, f->of.desc->size);
		return read_struct(r, j, f->of.desc, NULL, SET(void *, f->off));
	case JF_TASK: case JF_CALLEE: case JF_NODE: case JF_ATTRS:
		return read_reference(r, j, f, p);
	case JF_ATTRS_LIST:
		return read_attrs_list(r, j, f);
	case JF_GRAPH:
		return read_graph(r, j, &SET(struct graph *, f->off));
	case JF_DATA:
		return read_data(r, j, f, p);
	}
	return false;
}

/* What a member is where it is left out and that is not all zeros. */
static void set_default(const struct jfield *f, void *p)
{
	switch ((enum jf_kind)f->kind) {
	case JF_INT64:
		SET(int64_t, f->off) = (int64_t)f->dflt;
		break;
	case JF_DOUBLE:
		SET(double, f->off) = f->dflt;
		break;
	case JF_SUB:
		for (const struct jfield *in = f->of.desc->fields; in->key; in++)
			set_default(in, (char *)p + f->off);
		break;
	default:
		break;
	}
}

/* The members of one table; adds how many of them the object has to *n. */
static bool read_table_of(struct jreader *r, const json_t *j, const struct jdesc *d, void *p, size_t *n)
{
	for (const struct jfield *f = d->fields; f->key; f++) {
		const json_t *v = json_object_get(j, f->key);
		size_t at;

		if (!v && f->flags & JF_NEEDED)
			return read_fail(r, "%s lacks its member '%s'", d->what, f->key);
		if (!v) {
			set_default(f, p);
			continue;
		}
		at = path_key(r, f->key);
		if (!read_member(r, v, f, p))
			return false;
		r->path.n = at;
		++*n;
	}
	return true;
}

/* The object by table d and, where there is one, by more; no other members. */
static bool read_struct(struct jreader *r, const json_t *j, const struct jdesc *d, const struct jdesc *more, void *p)
{
	const char *keys[64];
	unsigned nkeys = 0;
	size_t n = 0;

	if (!json_is_object(j))
		return read_fail(r, "expected %s, found %s", d->what, json_words(j));
	if (!read_table_of(r, j, d, p, &n) || (more && !read_table_of(r, j, more, p, &n)))
		return false;
	if (n == json_object_size(j))
		return true;
	for (const struct jfield *f = d->fields; f->key; f++)
		keys[nkeys++] = f->key;
	for (const struct jfield *f = more ? more->fields : NULL; f && f->key; f++)
		keys[nkeys++] = f->key;
	keys[nkeys] = NULL;
	return read_keys(r, j, keys);
}

/* ---- modules ---- */

static bool read_sources(struct jreader *r, const json_t *j)
{
	uint32_t n = 0;

	if (j && !read_array(r, j, &n))
		return false;
	r->first_source = r->d->nsources;
	r->nsources = n;
	for (uint32_t i = 0; i < n; i++) {
		static const char *const keys[] = { "path", "text", NULL };
		const json_t *s = json_array_get(j, i), *text = json_object_get(s, "text");
		const struct str *path, *body = NULL;
		size_t at = path_index(r, i);

		if (!json_is_object(s))
			return read_fail(r, "expected a source, found %s", json_words(s));
		if (!read_str(r, json_object_get(s, "path"), &path) || (text && !read_str(r, text, &body)) || !read_keys(r, s, keys))
			return false;
		diag_source(r->d, path->s, body ? body->s : "", body ? body->len : 0);
		r->path.n = at;
	}
	return true;
}

static bool read_props(struct jreader *r, const json_t *j)
{
	uint32_t n = 0;
	unsigned bit;

	if (j && !read_array(r, j, &n))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		size_t at = path_index(r, i);

		if (!read_word(r, json_array_get(j, i), words_prop, &bit))
			return false;
		r->m->props |= 1u << bit;
		r->path.n = at;
	}
	return true;
}

static bool read_stores(struct jreader *r, const json_t *j)
{
	uint32_t n = 0;

	if (j && !read_array(r, j, &n))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		size_t at = path_index(r, i);
		struct ir_store s = { 0 };

		if (!read_struct(r, json_array_get(j, i), &desc_store, NULL, &s))
			return false;
		vec_push(r->a, &r->m->stores, s);
		r->path.n = at;
	}
	return true;
}

static bool read_tasks(struct jreader *r, const json_t *j)
{
	uint32_t n = 0;

	if (j && !read_array(r, j, &n))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct ir_task *t = arena_new_of(r->a, struct ir_task);
		size_t at = path_index(r, i);

		t->id = i;
		if (!read_struct(r, json_array_get(j, i), &desc_task, NULL, t))
			return false;
		vec_push(r->a, &r->m->tasks, t);
		r->path.n = at;
	}
	return true;
}

static bool read_workflows(struct jreader *r, const json_t *j)
{
	uint32_t n = 0;

	if (j && !read_array(r, j, &n))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct ir_workflow *w = arena_new_of(r->a, struct ir_workflow);
		size_t at = path_index(r, i);

		w->id = i;
		r->w = w;
		r->nslots = r->nattrs = 0;
		if (r->cap)
			memset(r->slot, 0, r->cap * sizeof *r->slot);
		if (!read_struct(r, json_array_get(j, i), &desc_workflow, NULL, w) || !all_defined(r))
			return false;
		r->w = NULL;
		vec_push(r->a, &r->m->workflows, w);
		r->path.n = at;
	}
	return true;
}

static bool read_entry(struct jreader *r, const json_t *j)
{
	return !j || read_callee(r, j, &r->m->entry);
}

static bool read_version(struct jreader *r, const json_t *j)
{
	int64_t v;

	if (!j)
		return read_fail(r, "the member that says the version lacks: this is no IR of couler");
	if (!read_int(r, j, 0, INT32_MAX, &v))
		return false;
	return v == IR_VERSION || read_fail(r, "the IR is of version %lld, this couler reads version %d", (long long)v, IR_VERSION);
}

static bool read_file_name(struct jreader *r, const json_t *j)
{
	return !j || read_str(r, j, &r->m->file);
}

static bool read_dir(struct jreader *r, const json_t *j)
{
	return !j || read_str(r, j, &r->m->dir);
}

static bool read_module(struct jreader *r, const json_t *root)
{
	/* in the order in which one needs the other */
	static const struct { const char *key; bool (*read)(struct jreader *r, const json_t *j); } parts[] = {
		{ "couler_ir", read_version }, { "file", read_file_name }, { "dir", read_dir }, { "props", read_props }, { "sources", read_sources },
		{ "stores", read_stores }, { "tasks", read_tasks }, { "workflows", read_workflows }, { "entry", read_entry }
	};
	const char *keys[sizeof parts / sizeof *parts + 1] = { NULL };

	if (!json_is_object(root))
		return read_fail(r, "expected an object, found %s", json_words(root));
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		size_t at = path_key(r, parts[i].key);

		if (!parts[i].read(r, json_object_get(root, parts[i].key)))
			return false;
		r->path.n = at;
		keys[i] = parts[i].key;
	}
	return read_keys(r, root, keys);
}

struct ir *ir_read_json(struct arena *a, struct strtab *strs, const char *path, const char *text, size_t n, struct diag *d)
{
	struct jreader r = { .a = a, .strs = strs, .d = d, .file = path, .m = ir_new(a, strs, d) };
	json_error_t err;
	json_t *root = json_loadb(text, n, JSON_DECODE_INT_AS_REAL | JSON_REJECT_DUPLICATES, &err);
	uint32_t off;
	bool ok = false;

	if (root) {
		ok = read_module(&r, root) && !ir_verify(r.m, d);
	} else {
		off = err.position > 0 && (size_t)err.position <= n ? (uint32_t)err.position : 0;
		diag_at(d, CW1102, (struct span){ diag_source(d, path, text, n), off ? off - 1 : 0, 1 }, "this is no JSON: %s", err.text);
	}
	json_decref(root);
	free(r.slot);
	free(r.path.v);
	return ok ? r.m : NULL;
}
