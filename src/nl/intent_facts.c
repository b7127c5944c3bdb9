/* The JSON form of a module as the facts that intent assertions are about. */
#include "intent.h"

#include <stdlib.h>
#include <string.h>

struct facts {
	json_t *ir, *entry, *nodes, *edges, *literals;
	const char *text;
	size_t n;
};

#define GET json_object_get
#define IS(o, key, word) (!strcmp(it_str_at(o, key), word))

static void put(json_t *o, const char *key, json_t *v)
{
	json_object_set_new(o, key, v ? v : json_null());
}

static void copy(json_t *to, const char *key, json_t *from, const char *as)
{
	if (GET(from, as))
		json_object_set(to, key, GET(from, as));
}

static json_t *node_id(json_int_t id)
{
	return json_sprintf("n%d", (int)id);
}

/* ---- expressions ---- */

/* What an expression is with the defaults of the parameters, a new reference; NULL where only a run can tell. */
static json_t *value(struct facts *f, json_t *e)
{
	json_t *v, *list, *x;
	size_t i;

	if (!json_is_object(e))
		return e ? json_incref(e) : NULL;
	if (IS(e, "op", "lit")) {
		v = GET(GET(e, "value"), "v");
		if (!json_is_array(v))
			return v ? json_incref(v) : NULL;
		list = json_array();
		json_array_foreach(v, i, x) {
			json_array_append(list, json_is_object(x) ? (GET(x, "v") ? GET(x, "v") : json_null()) : x);
		}
		return list;
	}
	if (IS(e, "op", "ref") && IS(e, "ref", "param")) {
		x = json_array_get(GET(f->entry, "params"), (size_t)json_integer_value(GET(e, "port")));
		return value(f, GET(x, "default"));
	}
	if (!IS(e, "op", "list"))
		return NULL;
	list = json_array();
	json_array_foreach(GET(e, "args"), i, x) {
		v = value(f, x);
		json_array_append_new(list, v ? v : json_null());
	}
	return list;
}

/* Calls visit for each reference in e, wherever it stands. */
static void each_ref(json_t *e, void (*visit)(struct facts *f, json_t *ref, json_t *into), struct facts *f, json_t *into)
{
	const char *key;
	json_t *v;
	size_t i;

	if (json_is_object(e)) {
		if (IS(e, "op", "ref"))
			visit(f, e, into);
		json_object_foreach(e, key, v) {
			each_ref(v, visit, f, into);
		}
	}
	json_array_foreach(e, i, v) {
		each_ref(v, visit, f, into);
	}
}

static void visit_node(struct facts *f, json_t *ref, json_t *into)
{
	(void)f;
	if (it_word_in("output status exit_code best state", it_str_at(ref, "ref")))
		json_array_append_new(into, node_id(json_integer_value(GET(ref, "node"))));
}

static void visit_param(struct facts *f, json_t *ref, json_t *into)
{
	json_t *q;

	if (!IS(ref, "ref", "param"))
		return;
	q = json_array_get(GET(f->entry, "params"), (size_t)json_integer_value(GET(ref, "port")));
	json_array_append(into, GET(q, "name") ? GET(q, "name") : json_null());
}

static json_t *refs(struct facts *f, json_t *e)
{
	json_t *list = json_array();

	each_ref(e, visit_node, f, list);
	return list;
}

static void edges_from(struct facts *f, json_t *e, json_t *node)
{
	json_t *list = refs(f, e), *v;
	size_t i;

	json_array_foreach(list, i, v) {
		if (strcmp(json_string_value(v), it_str_at(node, "id")) != 0)
			json_array_append_new(f->edges, json_pack("[O, O]", v, GET(node, "id")));
	}
	json_decref(list);
}

static json_t *slice(struct facts *f, json_t *span)
{
	json_int_t at = json_integer_value(json_array_get(span, 1)), len = json_integer_value(json_array_get(span, 2));
	json_t *s = NULL;

	if (json_integer_value(json_array_get(span, 0)) == 1 && at >= 0 && len >= 0 && (size_t)(at + len) <= f->n)
		s = json_stringn(f->text + at, (size_t)len);
	return s ? s : json_string("");
}

static const char *const comparisons[][4] = { { "lt", "<", ">", ">=" }, { "le", "<=", ">=", ">" }, { "gt", ">", "<", "<=" }, { "ge", ">=", "<=", "<" }, { "eq", "==", "==", "!=" }, { "ne", "!=", "!=", "==" } };

static const char *negated(const char *op)
{
	for (size_t i = 0; i < 6; i++)
		if (!strcmp(comparisons[i][1], op))
			return comparisons[i][3];
	return op;
}

/* Comparisons as if the constant stood on the right, and turned around under a "!". */
static void walk_cond(struct facts *f, json_t *e, bool neg, json_t *cmps, json_t *numbers)
{
	json_t *v, *args = GET(e, "args");
	size_t i;

	if (!json_is_object(e))
		return;
	for (i = 0; i < 6; i++)
		if (IS(e, "op", comparisons[i][0])) {
			json_t *a = value(f, json_array_get(args, 0)), *b = value(f, json_array_get(args, 1));
			bool turned = json_is_number(a) && !b;
			const char *op = comparisons[i][turned ? 2 : 1];
			json_t *n = turned ? a : b;

			json_array_append_new(cmps, json_pack("{s:s, s:O}", "op", neg ? negated(op) : op, "number", json_is_number(n) ? n : json_null()));
			json_decref(a);
			json_decref(b);
		}
	v = value(f, e);
	if (json_is_number(v))
		json_array_append(numbers, v);
	json_decref(v);
	json_array_foreach(args, i, v) {
		walk_cond(f, v, neg != IS(e, "op", "not"), cmps, numbers);
	}
}

static json_t *cond(struct facts *f, json_t *e)
{
	json_t *cmps = json_array(), *numbers = json_array();

	if (!e) {
		json_decref(cmps);
		json_decref(numbers);
		return NULL;
	}
	walk_cond(f, e, false, cmps, numbers);
	return json_pack("{s:o, s:o, s:o, s:o}", "text", slice(f, GET(e, "span")), "refs", refs(f, e), "numbers", numbers, "cmps", cmps);
}

/* ---- attributes ---- */

static void pairs_of(struct facts *f, json_t *list, json_t *to)
{
	json_t *v;
	size_t i;

	json_array_foreach(list, i, v) {
		put(to, it_str_at(v, "key"), value(f, GET(v, "value")));
	}
}

static json_t *secrets(json_t *a)
{
	static const char *const places[] = { "env", "env_from" };
	json_t *list = json_array(), *v;
	size_t i;

	for (int k = 0; k < 2; k++)
		json_array_foreach(GET(a, places[k]), i, v) {
			if (IS(v, "kind", "secret"))
				json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "name", it_str_at(v, "ref"), "key", it_str_at(v, "key"), "as", "env"));
		}
	json_array_foreach(GET(a, "mounts"), i, v) {
		if (IS(v, "kind", "secret"))
			json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "name", it_str_at(v, "name"), "key", "", "as", "file"));
	}
	return list;
}

static json_t *retry(struct facts *f, json_t *r)
{
	static const char *const keys[] = { "limit", "backoff", "factor", "max_backoff", "within" };
	json_t *o = json_object();

	for (int i = 0; i < 5; i++)
		if (GET(r, keys[i]))
			put(o, keys[i], value(f, GET(r, keys[i])));
	json_object_set(o, "on", GET(r, "codes") ? GET(r, "codes") : GET(r, "on"));
	if (!GET(o, "on"))
		put(o, "on", json_string("any"));
	if (GET(o, "backoff") && !json_is_null(GET(o, "backoff")) && !GET(o, "factor"))
		put(o, "factor", json_integer(2));
	return o;
}

static void attributes(struct facts *f, json_t *a, json_t *node)
{
	static const char *const sizes[] = { "cpu", "memory", "gpu", "gpu_type", "disk", "limit_cpu", "limit_memory" }, *const plains[] = { "image", "timeout", "service_account", "priority" };
	json_t *o = json_object(), *v;
	size_t i;

	for (int k = 0; k < 7; k++)
		if (GET(a, sizes[k]))
			put(o, sizes[k], value(f, GET(a, sizes[k])));
	put(node, "resources", o);
	for (int k = 0; k < 4; k++)
		put(node, plains[k], value(f, GET(a, plains[k])));
	if (GET(a, "retry"))
		put(node, "retry", retry(f, GET(a, "retry")));
	if (GET(a, "cache")) {
		v = json_copy(GET(a, "cache"));
		if (!GET(v, "mode"))
			put(v, "mode", json_string("auto"));
		put(node, "cache", v);
	}
	put(node, "locks", o = json_array());
	json_array_foreach(GET(a, "locks"), i, v) {
		json_t *name = value(f, GET(v, "name"));

		json_array_append_new(o, json_pack("{s:o, s:O?}", "name", name ? name : json_null(), "size", GET(v, "size")));
	}
	put(node, "secrets", secrets(a));
	put(node, "mounts", o = json_object());
	json_array_foreach(GET(a, "mounts"), i, v) {
		put(o, it_str_at(v, "path"), json_string(it_str_at(v, "name")));
	}
	put(node, "labels", o = json_object());
	pairs_of(f, GET(a, "labels"), o);
	put(node, "selector", o = json_object());
	pairs_of(f, GET(a, "selector"), o);
	copy(node, "tolerate", a, "tolerate");
}

/* ---- tasks ---- */

static json_t *dataflow(struct facts *f, json_t *d)
{
	json_t *ops = json_array(), *o, *w = GET(d, "workers"), *k, *out;
	size_t i, j, n = json_array_size(GET(d, "ops"));
	bool *stateful = xcalloc(n + 1, 1);

	json_array_foreach(GET(d, "ops"), i, o) {
		stateful[i] = json_is_true(GET(o, "uses_model")) || i + 1 == n;
		json_array_foreach(GET(o, "from"), j, k) {
			stateful[i] = stateful[i] || (json_integer_value(k) >= 0 && (size_t)json_integer_value(k) < n && stateful[json_integer_value(k)]);
		}
		json_array_append_new(ops, json_pack("{s:s, s:b, s:s}", "name", it_str_at(o, "name"), "stateful", (int)stateful[i], "text", it_str_at(o, "run")));
	}
	free(stateful);
	out = json_pack("{s:o, s:{s:O?, s:O?}}", "ops", ops, "workers", "min", GET(d, "workers_min"), "max", GET(d, "workers_max"));
	put(GET(out, "workers"), "image", value(f, GET(w, "image")));
	put(GET(out, "workers"), "cpu", value(f, GET(w, "cpu")));
	return out;
}

static void task(struct facts *f, json_t *t, json_t *node, json_t *ins)
{
	json_t *inputs = json_object(), *outputs = json_object(), *d, *job = GET(t, "job"), *o;
	struct strbuf text = { 0 };
	const char *key;
	size_t i;

	json_array_foreach(GET(t, "ins"), i, d) {
		json_t *e = json_array_get(ins, i), *v = value(f, e);

		json_object_set_new(inputs, it_str_at(d, "name"), json_pack("{s:s, s:o, s:o, s:o}", "type", it_str_at(d, "type"), "value", v ? v : json_null(), "refs", refs(f, e), "text", slice(f, GET(e, "span"))));
	}
	json_array_foreach(GET(t, "outs"), i, d) {
		put(outputs, it_str_at(d, "name"), json_string(it_str_at(d, "type")));
	}
	put(node, "inputs", inputs);
	put(node, "outputs", outputs);
	sb_z(&text, it_str_at(t, "script"));
	if (job) {
		put(node, "job", o = json_object());
		json_object_foreach(job, key, d) {
			put(o, key, value(f, d));
		}
		sb_f(&text, "\n%s%s", it_str_at(job, "run"), it_str_at(job, "script"));
	}
	if (GET(t, "dataflow"))
		put(node, "dataflow", dataflow(f, GET(t, "dataflow")));
	put(node, "text", json_stringn(text.s ? text.s : "", text.n));
	sb_free(&text);
	if (!json_is_true(GET(t, "inline")))
		copy(node, "calls", t, "name");
	if (!*it_str_at(node, "doc"))
		copy(node, "doc", t, "doc");
}

static json_t *task_of(struct facts *f, json_t *n, const char *key)
{
	return GET(n, key) ? json_array_get(GET(f->ir, "tasks"), (size_t)json_integer_value(GET(n, key))) : NULL;
}

/* ---- nodes ---- */

static void walk(struct facts *f, json_t *nodes, json_t *parent, int branch);

static void if_node(struct facts *f, json_t *n, json_t *node)
{
	json_t *list = json_array(), *b, *c;
	size_t i;

	json_array_foreach(GET(n, "branches"), i, b) {
		c = cond(f, GET(b, "cond"));
		json_array_append_new(list, json_pack("{s:o}", "cond", c ? c : json_null()));
		edges_from(f, GET(b, "cond"), node);
	}
	put(node, "branches", list);
	json_array_foreach(GET(n, "branches"), i, b) {
		walk(f, GET(b, "body"), GET(node, "id"), (int)i);
	}
}

static void for_node(struct facts *f, json_t *n, json_t *node)
{
	json_t *list = GET(n, "list"), *v = value(f, list), *r = refs(f, list), *q = json_array();

	each_ref(list, visit_param, f, q);
	put(node, "over", json_pack("{s:s, s:o, s:o, s:o}", "kind", json_array_size(r) ? "runtime" : json_array_size(q) ? "param" : "static", "text", slice(f, GET(list, "span")),
		"count", json_is_array(v) ? json_integer((json_int_t)json_array_size(v)) : json_null(), "refs", r));
	put(node, "max_parallel", value(f, GET(n, "max_parallel")));
	json_decref(v);
	json_decref(q);
	walk(f, GET(n, "body"), GET(node, "id"), -1);
}

static void sweep_node(struct facts *f, json_t *n, json_t *node)
{
	static const char *const keys[] = { "search", "trials", "seed", "max_failed", "goal", "factor", "min", "max" };
	json_t *s = GET(n, "sweep"), *b = json_array_get(GET(s, "body"), 0), *t = task_of(f, b, "task"), *space = json_object(), *d, *x, *vals;
	size_t i, k;

	if (t)
		task(f, t, node, GET(b, "ins"));
	edges_from(f, GET(b, "ins"), node);
	each_ref(GET(b, "ins"), visit_param, f, GET(node, "params"));
	json_array_foreach(GET(s, "space"), i, d) {
		json_t *o = json_pack("{s:s}", "dist", it_str_at(d, "kind"));

		if (GET(d, "choice")) {
			put(o, "values", vals = json_array());
			json_array_foreach(GET(d, "choice"), k, x) {
				json_array_append(vals, GET(x, "v") ? GET(x, "v") : json_null());
			}
		} else {
			put(o, "lo", GET(d, "lo") ? json_incref(GET(d, "lo")) : json_integer(0));
			put(o, "hi", GET(d, "hi") ? json_incref(GET(d, "hi")) : json_integer(0));
			copy(o, "by", d, "by");
		}
		put(space, it_str_at(d, "name"), o);
	}
	put(node, "space", space);
	for (i = 0; i < sizeof keys / sizeof *keys; i++)
		copy(node, keys[i], s, keys[i]);
	if (!GET(node, "seed"))
		put(node, "seed", json_integer(0));
	if (IS(s, "search", "grid") && GET(s, "table"))
		put(node, "trials", json_integer((json_int_t)json_array_size(GET(s, "table"))));
	else if (IS(s, "search", "grid"))
		put(node, "trials", json_real(it_grid_size(node)));
	put(node, "objective", json_string(json_is_true(GET(s, "minimize")) ? "minimize" : "maximize"));
	put(node, "metric", json_string(it_str_at(json_array_get(GET(t, "outs"), (size_t)json_integer_value(GET(s, "objective"))), "name")));
	put(node, "max_parallel", value(f, GET(s, "max_parallel")));
}

static void kind_node(struct facts *f, json_t *n, json_t *node)
{
	const char *kind = it_str_at(n, "kind");
	char *s;

	if (!strcmp(kind, "if")) {
		if_node(f, n, node);
	} else if (!strcmp(kind, "for")) {
		for_node(f, n, node);
	} else if (!strcmp(kind, "loop")) {
		copy(node, "max", n, "max");
		put(node, "cond", cond(f, GET(n, "while")));
		walk(f, GET(n, "body"), GET(node, "id"), -1);
	} else if (!strcmp(kind, "sweep")) {
		sweep_node(f, n, node);
	} else if (!strcmp(kind, "wait")) {
		copy(node, "for", n, "seconds");
		copy(node, "every", n, "every");
		if (GET(n, "poll"))
			task(f, task_of(f, n, "poll"), node, GET(n, "ins"));
	} else if (!strcmp(kind, "service")) {
		copy(node, "port", n, "port");
	} else if (!strcmp(kind, "approve")) {
		put(node, "text", slice(f, GET(GET(n, "message"), "span")));
	} else if (!strcmp(kind, "fail")) {
		s = json_dumps(GET(n, "message") ? GET(n, "message") : json_null(), JSON_COMPACT | JSON_ENCODE_ANY);
		put(node, "text", json_string(s ? s : ""));
		free(s);
	} else if (!strcmp(kind, "call") || !strcmp(kind, "group")) {
		walk(f, GET(n, "body"), GET(node, "id"), -1);
	}
}

static void walk(struct facts *f, json_t *nodes, json_t *parent, int branch)
{
	static const char *const parts[] = { "ins", "list", "while", "message", "branches", "to" };
	json_t *n, *x;
	size_t i, k;

	json_array_foreach(nodes, i, n) {
		json_t *node = json_pack("{s:o, s:s, s:O?, s:O?, s:O?, s:[]}", "id", node_id(json_integer_value(GET(n, "id"))), "kind", IS(n, "kind", "call") ? "group" : it_str_at(n, "kind"), "name", GET(n, "name"), "parent", parent, "doc", GET(n, "doc"), "params");
		json_t *a = GET(n, "attrs") ? json_array_get(GET(f->entry, "attrs"), (size_t)json_integer_value(GET(n, "attrs"))) : NULL, *flat = json_copy(n);

		if (branch >= 0)
			put(node, "branch", json_integer(branch));
		json_array_append_new(f->nodes, node);
		attributes(f, a, node);
		if (task_of(f, n, "task"))
			task(f, task_of(f, n, "task"), node, GET(n, "ins"));
		for (k = 0; k < sizeof parts / sizeof *parts; k++)
			each_ref(GET(n, parts[k]), visit_param, f, GET(node, "params"));
		each_ref(a, visit_param, f, GET(node, "params"));
		copy(node, "allow_failure", n, "allow_failure");
		json_object_del(flat, "body");
		json_object_del(flat, "branches");
		json_object_del(flat, "ports");
		edges_from(f, flat, node);
		json_decref(flat);
		json_array_foreach(GET(n, "after"), k, x) {
			json_array_append_new(f->edges, json_pack("[o, O]", node_id(json_integer_value(GET(x, "node"))), GET(node, "id")));
		}
		kind_node(f, n, node);
	}
}

/* ---- the whole ---- */

static void literals(json_t *x, json_t *to)
{
	const char *key;
	json_t *v;
	size_t i;

	if (json_is_object(x)) {
		if (IS(x, "type", "string") && json_is_string(GET(x, "v")))
			json_array_append(to, GET(x, "v"));
		json_object_foreach(x, key, v) {
			literals(v, to);
		}
	}
	json_array_foreach(x, i, v) {
		literals(v, to);
	}
}

/* Lines of comments apart: together a note each time, and the program without them. */
static void comments(struct facts *f, json_t *out)
{
	struct strbuf note = { 0 }, code = { 0 };
	json_t *notes = json_array();

	for (const char *s = f->text, *end = s + f->n, *e; s < end; s = e + 1) {
		const char *c = s;

		e = memchr(s, '\n', (size_t)(end - s));
		e = e ? e : end;
		while (c < e && (*c == ' ' || *c == '\t'))
			c++;
		if (c < e && *c == '#') {
			while (c < e && (*c == '#' || *c == ' '))
				c++;
			sb_f(&note, "%s%.*s", note.n ? " " : "", (int)(e - c), c);
			continue;
		}
		if (note.n)
			json_array_append_new(notes, json_stringn(note.s, note.n));
		note.n = 0;
		sb_add(&code, s, (size_t)(e - s));
		sb_ch(&code, '\n');
	}
	if (note.n)
		json_array_append_new(notes, json_stringn(note.s, note.n));
	put(out, "notes", notes);
	put(out, "source", json_stringn(code.s ? code.s : "", code.n));
	sb_free(&note);
	sb_free(&code);
}

static json_t *settings(struct facts *f)
{
	static const char *const keys[] = { "max_parallel", "timeout", "fail_fast", "keep", "artifacts" };
	json_t *o = json_object(), *labels = json_object();

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		put(o, keys[i], value(f, GET(f->entry, keys[i])));
	if (json_array_size(GET(f->entry, "locks")))
		put(o, "lock", value(f, GET(json_array_get(GET(f->entry, "locks"), 0), "name")));
	pairs_of(f, GET(f->entry, "labels"), labels);
	put(o, "labels", labels);
	return o;
}

static json_t *params(struct facts *f)
{
	json_t *list = json_array(), *q;
	size_t i;

	json_array_foreach(GET(f->entry, "params"), i, q) {
		json_t *v = value(f, GET(q, "default")), *in = value(f, GET(q, "in"));

		json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:b, s:o}", "name", it_str_at(q, "name"), "type", it_str_at(q, "type"), "default", v ? v : json_null(), "required", !GET(q, "default"), "choices", in ? in : json_null()));
	}
	return list;
}

json_t *intent_facts(const struct ir *m, const char *text, size_t n)
{
	static const char *const events[] = { "success", "failure", "exit" };
	struct facts f = { .text = text, .n = n, .nodes = json_array(), .edges = json_array(), .literals = json_array() };
	struct strbuf b = { 0 };
	json_t *out, *w, *o;
	size_t i;

	ir_write_json(m, &b);
	f.ir = json_loadb(b.s, b.n, JSON_ALLOW_NUL, NULL);
	sb_free(&b);
	json_array_foreach(GET(f.ir, "workflows"), i, w) {
		if (!strcmp(it_str_at(w, "name"), it_str_at(f.ir, "entry")))
			f.entry = w;
	}
	walk(&f, GET(f.entry, "body"), NULL, -1);
	for (i = 0; i < 3; i++) {
		char key[16];

		snprintf(key, sizeof key, "on_%s", events[i]);
		if (!json_array_size(GET(f.entry, key)))
			continue;
		o = json_pack("{s:s, s:s, s:s, s:s}", "id", key, "kind", "on", "event", events[i], "name", events[i]);
		json_array_append_new(f.nodes, o);
		walk(&f, GET(f.entry, key), GET(o, "id"), -1);
	}
	literals(GET(f.ir, "workflows"), f.literals);
	out = json_pack("{s:o, s:o, s:o, s:o, s:o}", "nodes", f.nodes, "edges", f.edges, "literals", f.literals, "params", params(&f), "settings", settings(&f));
	comments(&f, out);
	copy(out, "doc", f.entry, "doc");
	copy(out, "schedule", f.entry, "schedule");
	copy(out, "volumes", f.entry, "volumes");
	put(out, "outputs", o = json_array());
	json_array_foreach(GET(f.entry, "outs"), i, w) {
		json_array_append_new(o, json_string(it_str_at(w, "name")));
	}
	json_decref(f.ir);
	return out;
}
