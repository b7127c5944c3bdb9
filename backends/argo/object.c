/*
 * job kubernetes: an object of the user's. Values enter the manifest at their paths, each as a scalar or as JSON. What
 * the manifest says stays as it is: braces and dollars that Argo or Kubernetes would rewrite are written as escapes.
 * The engine's own setOwnerReference would undo these (manifest.c), so the reference to the run is part of the manifest.
 */
#include "merge.h"
#include "shape.h"

#include <stdlib.h>
#include <string.h>

#define LIST_MOST 1000

static int refuse(struct argo *g, struct span sp, const char *what, const char *mend)
{
	diag_mend(g->d, diag_at(g->d, CW0801, sp, "argo cannot carry this object: %s", what), "%s", mend);
	g->err = -1;
	return -1;
}

static struct tree *scalar_node(struct argo *g, const char *s, bool plain)
{
	struct tree *t = arena_new_of(g->a, struct tree);

	t->kind = SCALAR;
	t->plain = plain;
	t->s = s;
	t->n = strlen(s);
	return t;
}

static struct tree *node_of(struct argo *g, enum tree_kind kind)
{
	struct tree *t = arena_new_of(g->a, struct tree);

	t->kind = kind;
	return t;
}

static void put(struct argo *g, struct tree *t, const char *key, struct tree *v)
{
	struct entry *e = tree_find(t, key);

	if (e)
		e->v = v;
	else
		vec_push(g->a, &t->v, ((struct entry){ key, v }));
}

/* ---- paths: metadata.name, spec.parts[0].size, metadata.labels["a.b/c"] ---- */

struct word { const char *key; long index; };                           /* key NULL: an index */

static bool next_word(struct argo *g, const char **p, struct word *w)
{
	const char *s = *p, *end;
	char *after;

	if (*s == '[' && (s[1] == '"' || s[1] == '\'')) {
		end = strchr(s + 2, s[1]);
		if (!end || end[1] != ']' || end == s + 2)
			return false;
		*w = (struct word){ a_f(g, "%.*s", (int)(end - s - 2), s + 2), 0 };
		*p = end + 2;
	} else if (*s == '[') {
		*w = (struct word){ NULL, strtol(s + 1, &after, 10) };
		if (after == s + 1 || *after != ']' || w->index < 0 || w->index > LIST_MOST)
			return false;
		*p = after + 1;
	} else {
		size_t n = strcspn(s, ".[");

		if (!n)
			return false;
		*w = (struct word){ a_f(g, "%.*s", (int)n, s), 0 };
		*p = s + n;
	}
	if (**p == '.')
		(*p)++;
	else if (**p && **p != '[')
		return false;
	return true;
}

/* Where the path leads, made if need be; NULL: it does not fit what is there. */
static struct tree **place(struct argo *g, struct tree **at, const char *path)
{
	struct word w;

	while (*path) {
		if (!next_word(g, &path, &w))
			return NULL;
		if (!*at || ((*at)->kind == SCALAR && (*at)->plain && (!(*at)->n || !strcmp((*at)->s, "null"))))
			*at = node_of(g, w.key ? MAPPING : SEQUENCE);
		if ((*at)->kind != (w.key ? MAPPING : SEQUENCE))
			return NULL;
		if (w.key) {
			if (!tree_find(*at, w.key))
				vec_push(g->a, &(*at)->v, ((struct entry){ w.key, NULL }));
			at = &tree_find(*at, w.key)->v;
		} else {
			if ((uint32_t)w.index > (*at)->v.n)
				return NULL;
			if ((uint32_t)w.index == (*at)->v.n)
				vec_push(g->a, &(*at)->v, ((struct entry){ NULL, NULL }));
			at = &(*at)->v.v[w.index].v;
		}
	}
	return at;
}

/* ---- values ---- */

static const char *escaped(struct argo *g, const char *s)
{
	struct strbuf b = { 0 };

	for (; *s; s++) {
		if (*s == '$')
			sb_z(&b, "\\u0024");
		else if (*s == '{' && s[1] == '{')
			sb_z(&b, "\\u007b");
		else
			sb_ch(&b, *s);
	}
	return a_buf(g, &b);
}

static struct tree *constant(struct argo *g, const struct value *v)
{
	struct strbuf b = { 0 };
	struct tree *t;

	value_text(&b, v);
	if (v->type.list || v->type.kind == T_JSON) {
		t = scalar_node(g, escaped(g, a_buf(g, &b)), true);
		t->written = true;
		return t;
	}
	return scalar_node(g, a_buf(g, &b), v->type.kind != T_STRING && v->type.kind != T_TIME);
}

/* A value known at run time, as YAML in which nothing is rewritten. */
static struct tree *computed(struct site *x, const struct expr *e)
{
	struct type t = e->type;
	struct tree *n;
	struct ex v;

	x->lets = 0;
	v = t.kind == T_TIME && !t.list ? xl_text(x, e, FORM_SAFE) : xl_native(x, e);
	if (may_fail(v.s)) {
		v = hoisted(x, e, false);
		if (t.kind != T_TIME || t.list)
			v = xl_of_text(x, t, v);
	}
	if (t.list || t.kind == T_JSON)
		v = ex_f(x, P_ATOM, "replace(replace(toJson(%s), '{{', '{\\\\u007b'), '$', '\\\\u0024')", xl_bare(x, v.s));
	else if (t.kind == T_STRING || t.kind == T_TIME)
		v = ex_f(x, P_ATOM, "replace(replace(sprig.quote(%s), '$', '\\\\u0024'), '{', '\\\\u007b')", xl_bare(x, v.s));
	n = scalar_node(x->g, a_f(x->g, "{{=%s}}", xl_unlet(x->g, xl_bare(x, v.s))), true);
	n->written = true;
	return n;
}

static int set_values(struct argo *g, struct site *x, const struct ir_job *j, struct tree **root)
{
	for (uint32_t i = 0; i < j->set.n; i++) {
		const struct expr *e = j->set.v[i].value;
		struct tree **at = place(g, root, j->set.v[i].path->s);

		if (!at)
			return refuse(g, e->span, a_f(g, "`set` does not find \"%s\" in the manifest", j->set.v[i].path->s),
				"write keys with dots, places of lists in brackets from 0 up to the list's length, other keys quoted: spec.parts[0].size, metadata.labels[\"a.b/c\"]");
		*at = e->op == EX_LIT ? constant(g, e->u.lit) : computed(x, e);
	}
	return 0;
}

/* What is created goes with the run, unless it lies elsewhere or the manifest says whose it is. */
static void owned(struct argo *g, struct tree **root)
{
	struct entry *m = tree_find(*root, "metadata");
	struct tree **at, *ref;

	if (m && m->v && m->v->kind == MAPPING && (tree_find(m->v, "namespace") || tree_find(m->v, "ownerReferences")))
		return;
	at = place(g, root, "metadata.ownerReferences[0]");
	if (!at)
		return;
	ref = node_of(g, MAPPING);
	for (const struct owner_entry *o = owner_entries; o->key; o++) {
		struct tree *v = scalar_node(g, o->value, o->plain);

		v->written = true;
		put(g, ref, o->key, v);
	}
	*at = ref;
}

/* Scalars and keys of the manifest's own that would be rewritten. 0 or -1. */
static int exact(struct argo *g, struct tree *t, struct span sp, int depth)
{
	struct strbuf b = { 0 };

	for (uint32_t i = 0; i < t->v.n; i++) {
		if (t->v.v[i].key && !text_untouched(t->v.v[i].key, strlen(t->v.v[i].key)))
			return refuse(g, sp, a_f(g, "the engine rewrites its key \"%s\"", t->v.v[i].key), "call it otherwise");
		if (t->v.v[i].v && exact(g, t->v.v[i].v, sp, depth + 1))
			return -1;
	}
	if (t->kind != SCALAR || t->written || text_untouched(t->s, t->n))
		return 0;
	yaml_double_quoted(&b, t->s, t->n);
	t->s = escaped(g, a_buf(g, &b));
	t->n = strlen(t->s);
	t->plain = t->written = true;
	return 0;
}

void object_write(struct argo *g, struct yaml *y, struct shape *s, struct site *x)
{
	const struct ir_job *j = s->task->job;
	struct tree *root = tree_parse(g, j->manifest->s, j->manifest->len);
	struct span sp = s->task->body_span.file ? s->task->body_span : s->first->span;
	struct strbuf text = { 0 };
	struct yaml m = yaml_at(&text, 0);

	if (!root || root->kind != MAPPING || !tree_find(root, "kind") || !tree_find(root, "apiVersion")) {
		refuse(g, sp, "its manifest is no YAML mapping with apiVersion and kind", "write one object, such as  apiVersion: v1,  kind: ConfigMap,  metadata: { name: x }");
		return;
	}
	if (set_values(g, x, j, &root))
		return;
	if (str_eq(j->action, "create"))
		owned(g, &root);
	if (exact(g, root, sp, 0))
		return;
	for (uint32_t i = 0; i < root->v.n; i++)
		tree_write(&m, root->v.v[i].key, root->v.v[i].v);
	y_open(y, "resource");
	y_str(y, "action", j->action->s, j->action->len);
	if (str_eq(j->action, "patch"))
		y_z(y, "mergeStrategy", "merge");
	if (j->success)
		y_str(y, "successCondition", j->success->s, j->success->len);
	if (j->failure)
		y_str(y, "failureCondition", j->failure->s, j->failure->len);
	y_text(y, "manifest", text.s, text.n);
	y_end(y);
	sb_free(&text);
	attr_retry(g, y, x, s->attrs);
	attr_deadline(y, x, s->attrs);
	attr_synchronization(g, y, x, s->attrs->locks.v, s->attrs->locks.n);
	if (s->attrs->service_account)
		y_z(y, "serviceAccountName", plain_of(x, s->attrs->service_account));
}
