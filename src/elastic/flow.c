/* What a dataflow is at run time, to and from JSON. */
#include "flow.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing ---- */

/* Producers of an operator's records outside the trainer: what happens inside it is looked through. */
static void producers(const struct ir_dataflow *f, uint32_t i, uint32_t *out, uint32_t *n, bool *seen)
{
	uint32_t *stack = xmalloc((f->nops + 1) * sizeof *stack), top = 0;

	memset(seen, 0, f->nops + 1);
	*n = 0;
	for (uint32_t at = i;; at = stack[--top]) {
		for (uint32_t k = 0; k < f->ops[at].nfrom; k++) {
			uint32_t p = f->ops[at].from[k], slot = p == UINT32_MAX ? f->nops : p;

			if (seen[slot])
				continue;
			seen[slot] = true;
			if (p == UINT32_MAX || f->ops[p].run)
				out[(*n)++] = p;
			else
				stack[top++] = p;
		}
		if (!top)
			break;
	}
	free(stack);
}

/* ,"key":["a","b"] with the inputs that are paths, or those that are not; the split is left out. */
static void names(const struct ir_task *t, const char *key, bool paths, struct strbuf *b)
{
	bool any = false;

	for (uint32_t i = 0; i < t->nins; i++) {
		if (type_is_path(t->ins[i].type) != paths || i == t->dataflow->split)
			continue;
		if (any)
			sb_ch(b, ',');
		else
			sb_f(b, ",\"%s\":[", key);
		any = true;
		sb_json(b, t->ins[i].name->s, t->ins[i].name->len);
	}
	if (any)
		sb_ch(b, ']');
}

void flow_write(const struct ir_task *t, bool measure, struct strbuf *b)
{
	const struct ir_dataflow *f = t->dataflow;
	uint32_t *from = xmalloc((f->nops + 1) * sizeof *from), n, *index = xmalloc((f->nops + 1) * sizeof *index), at = 0;
	bool *seen = xmalloc((f->nops + 1) * sizeof *seen);

	for (uint32_t i = 0; i < f->nops; i++)
		index[i] = f->ops[i].run ? at++ : UINT32_MAX;
	sb_z(b, "{\"dataflow\":1,\"task\":");
	sb_json(b, t->name->s, t->name->len);
	sb_z(b, ",\"split\":");
	sb_json(b, t->ins[f->split].name->s, t->ins[f->split].name->len);
	if (measure)
		sb_z(b, ",\"measure\":true");
	names(t, "values", false, b);
	names(t, "files", true, b);
	sb_f(b, ",\"framing\":\"%s\",\"shell\":\"%s\",\"min\":%lld,\"max\":%lld,\"ops\":[", f->framing->s, t->shell && str_eq(t->shell, "bash") ? "bash" : "sh",
		(long long)f->workers_min, (long long)f->workers_max);
	for (uint32_t i = 0; i < f->nops; i++) {
		const struct ir_operator *o = &f->ops[i];

		if (!o->run)
			continue;
		sb_f(b, "%s\n{\"name\":", index[i] ? "," : "");
		sb_json(b, o->name->s, o->name->len);
		producers(f, i, from, &n, seen);
		sb_z(b, ",\"from\":[");
		for (uint32_t k = 0; k < n; k++) {
			if (k)
				sb_ch(b, ',');
			if (from[k] == UINT32_MAX)
				sb_z(b, "-1");
			else
				sb_f(b, "%u", index[from[k]]);
		}
		sb_f(b, "],\"on_worker\":%s,\"ordered\":%s,\"run\":", f->on_worker && f->on_worker[i] ? "true" : "false", o->ordered ? "true" : "false");
		sb_json(b, o->run->s, o->run->len);
		sb_ch(b, '}');
	}
	sb_z(b, "]}\n");
	free(from);
	free(index);
	free(seen);
}

/* ---- reading ---- */

static double number(json_t *root, const char *key, double dflt)
{
	json_t *v = json_object_get(root, key);

	return json_is_number(v) ? json_number_value(v) : dflt;
}

static const char *text(struct arena *a, json_t *v)
{
	return json_is_string(v) ? arena_dup(a, json_string_value(v), json_string_length(v)) : NULL;
}

static const char *read_op(struct flow *f, json_t *v, struct flow_op *o, size_t nops)
{
	json_t *from = json_object_get(v, "from"), *x;
	size_t k;

	o->name = text(f->arena, json_object_get(v, "name"));
	o->run = text(f->arena, json_object_get(v, "run"));
	o->on_worker = json_is_true(json_object_get(v, "on_worker"));
	o->ordered = json_is_true(json_object_get(v, "ordered"));
	if (!o->name || !o->run || !json_is_array(from) || !json_array_size(from))
		return "an operator needs name, run and from";
	o->from = arena_array(f->arena, uint32_t, json_array_size(from));
	json_array_foreach(from, k, x) {
		json_int_t i = json_integer_value(x);

		if (!json_is_integer(x) || i < -1 || i >= (json_int_t)nops)
			return "from names operators by their number, the source is -1";
		o->from[o->nfrom++] = i < 0 ? SOURCE : (uint32_t)i;
	}
	return NULL;
}

static const char **read_names(struct arena *a, json_t *v, uint32_t *n)
{
	const char **out = arena_array(a, const char *, json_array_size(v) + 1);
	size_t k;
	json_t *x;

	*n = 0;
	json_array_foreach(v, k, x)
		if (json_is_string(x))
			out[(*n)++] = text(a, x);
	return out;
}

static const char *read_all(struct flow *f, json_t *root)
{
	json_t *ops = json_object_get(root, "ops"), *v;
	const char *framing = text(f->arena, json_object_get(root, "framing")), *err = NULL;
	size_t k;

	f->task = text(f->arena, json_object_get(root, "task"));
	f->split = text(f->arena, json_object_get(root, "split"));
	f->shell = text(f->arena, json_object_get(root, "shell"));
	if (!f->task || !f->split || !framing || !json_is_array(ops) || !json_array_size(ops))
		return "a dataflow needs task, split, framing and ops";
	f->shell = f->shell ? f->shell : "sh";
	f->framing = !strcmp(framing, "tar") ? FR_TAR : !strcmp(framing, "length_prefixed") ? FR_LENGTH : FR_LINES;
	f->n = (uint32_t)json_array_size(ops);
	f->op = arena_array(f->arena, struct flow_op, f->n);
	json_array_foreach(ops, k, v)
		if ((err = read_op(f, v, &f->op[k], f->n)))
			return err;
	for (uint32_t i = 0; i < f->n; i++)
		f->ordered |= f->op[i].ordered;
	f->op[f->n - 1].on_worker = false;
	f->min = (int)number(root, "min", 1);
	f->max = (int)number(root, "max", 1);
	f->max = f->max < 1 ? 1 : f->max;
	f->epochs = (uint32_t)number(root, "epochs", 1);
	f->limit = (uint64_t)number(root, "limit", 64 << 20);
	f->window = (uint64_t)number(root, "window", 1 << 20);
	f->stall = number(root, "stall", 600);
	f->beat = number(root, "beat", 15);
	f->tick = number(root, "tick", 1);
	f->measure = json_is_true(json_object_get(root, "measure"));
	f->values = read_names(f->arena, json_object_get(root, "values"), &f->nvalues);
	f->files = read_names(f->arena, json_object_get(root, "files"), &f->nfiles);
	return NULL;
}

struct flow *flow_read(struct arena *a, const char *s, size_t n, const char **err)
{
	struct flow *f = arena_new_of(a, struct flow);
	json_error_t where;
	json_t *root = json_loadb(s, n, 0, &where);

	f->arena = a;
	*err = root ? read_all(f, root) : arena_dup(a, where.text, strlen(where.text));
	json_decref(root);
	return *err ? NULL : f;
}

bool flow_crosses(const struct flow *f, uint32_t producer)
{
	if (producer != SOURCE && !f->op[producer].on_worker)
		return false;
	for (uint32_t i = 0; i < f->n; i++)
		for (uint32_t k = 0; !f->op[i].on_worker && k < f->op[i].nfrom; k++)
			if (f->op[i].from[k] == producer)
				return true;
	return false;
}
