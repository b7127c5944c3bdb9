/* The template of a step: inputs, outputs, and the parts of the wrapper that it needs. */
#include "dag.h"
#include "merge.h"

#include <string.h>

/* How the wrapper calls a type. */
static const char *type_word(struct argo *g, struct type t)
{
	if (type_is_path(t))
		return t.list ? "files" : t.kind == T_FILE ? "file" : "dir";
	return t.list ? a_f(g, "list-%s", type_name((enum type_kind)t.kind)) : type_name((enum type_kind)t.kind);
}

static void part(struct argo *g, enum wrapper_part p)
{
	g->wrapper |= UINT64_C(1) << p;
}

/* ---- inputs ---- */

void step_values(struct argo *g, struct yaml *y, struct shape *s)
{
	bool any = s->at || s->extra.n;

	for (uint32_t i = 0; s->task && i < s->task->nins; i++)
		any |= s->ins[i].how == IN_PARAM;
	if (!any)
		return;
	y_open(y, "parameters");
	for (uint32_t i = 0; s->task && i < s->task->nins; i++) {
		if (s->ins[i].how != IN_PARAM)
			continue;
		y_item(y);
		y_z(y, "name", s->ins[i].name);
		y_item_end(y);
	}
	for (uint32_t i = 0; i < s->extra.n; i++) {
		y_item(y);
		y_z(y, "name", s->extra.v[i].name);
		y_item_end(y);
	}
	if (s->at) {
		y_item(y);
		y_z(y, "name", "at");
		y_item_end(y);
	}
	y_end(y);
	(void)g;
}

static void file_input(struct yaml *y, const char *name, const char *path, bool optional)
{
	y_item(y);
	y_z(y, "name", name);
	y_z(y, "path", path);
	if (optional)
		y_plain(y, "optional", "true");
	y_item_end(y);
}

/* A file of the task's code that `couler push` put into the store; as it is, even if it is an archive. */
static void code_fetched(struct argo *g, struct yaml *y, const struct ir_code *c)
{
	if (strncmp(c->place->s, "s3://", 5) != 0 && strncmp(c->place->s, "gs://", 5) != 0) {
		diag_mend(g->d, diag_at(g->d, CW0801, g->m->entry->span, "argo cannot fetch code from '%s'", c->place->s), "let artifacts name a store with an s3:// or gs:// uri");
		g->err = -1;
		return;
	}
	y_open(y, "archive");
	y_plain(y, "none", "{}");
	y_end(y);
	place_object(g, y, c->place->s);
}

/* A file of the task's code: its text stands in the manifest. */
static void code_file(struct argo *g, struct yaml *y, const struct ir_code *c, struct strmap *names)
{
	y_item(y);
	y_z(y, "name", name_param(g, names, c->path->s, c->path->len));
	y_f(y, "path", "/cw/code/%s", c->path->s);
	y_plain(y, "mode", c->exec ? "0777" : "0666");
	if (c->place) {
		code_fetched(g, y, c);
		y_item_end(y);
		return;
	}
	y_open(y, "raw");
	if (text_untouched(c->data, c->len)) {
		y_text(y, "data", c->data, c->len);
	} else {
		struct strbuf b = { 0 };

		text_encode_script(&b, c->data, c->len);
		y_text(y, "data", b.s, b.n);
		sb_free(&b);
	}
	y_end(y);
	y_item_end(y);
}

bool is_artifact(const struct shape_in *in)
{
	return in->how == IN_FILE || in->how == IN_FILES;
}

void step_artifacts(struct argo *g, struct yaml *y, struct shape *s, bool code)
{
	const struct ir_task *t = s->task;
	bool any = t && code && (t->ncode || flow_apart(s));

	for (uint32_t i = 0; t && i < t->nins; i++)
		any |= is_artifact(&s->ins[i]);
	if (!any)
		return;
	y_open(y, "artifacts");
	for (uint32_t i = 0; i < t->nins; i++) {
		const char *name = t->ins[i].name->s;

		if (s->ins[i].how == IN_FILE)
			file_input(y, s->ins[i].name, a_f(g, "/cw/in-%s", name), t->ins[i].type.list || t->ins[i].type.opt);
		for (uint32_t k = 0; s->ins[i].how == IN_FILES && k < s->ins[i].n; k++)
			file_input(y, a_f(g, "%s-%06u", s->ins[i].name, k), a_f(g, "/cw/in-%s.%06u", name, k), false);
	}
	for (uint32_t i = 0; code && i < t->ncode; i++)
		code_file(g, y, &t->code[i], &s->names);
	if (code && flow_apart(s))
		flow_artifact(g, y, s);
	y_end(y);
}

static void inputs(struct argo *g, struct yaml *y, struct shape *s)
{
	struct strbuf *b = y->b;
	size_t before = b->n, after;

	y_open(y, "inputs");
	after = b->n;
	step_values(g, y, s);
	step_artifacts(g, y, s, true);
	y_end(y);
	if (b->n == after)
		b->n = before;
}

/* ---- outputs ---- */

static void global_name(struct argo *g, struct yaml *y, const struct shape *s, uint32_t i)
{
	if (s->on && s->on[i] && !s->inner)
		y_f(y, "globalName", "%s-%s", dashed(g, s->first->name), dashed(g, s->task->outs[i].name));
}

static void value_output(struct argo *g, struct yaml *y, const struct shape *s, uint32_t i, const char *path)
{
	y_item(y);
	y_z(y, "name", dashed(g, s->task->outs[i].name));
	global_name(g, y, s, i);
	y_open(y, "valueFrom");
	if (s->task->outs[i].at)
		y_z(y, "jsonPath", s->task->outs[i].at->s);
	else
		y_z(y, "path", path);
	y_end(y);
	y_item_end(y);
}

static void file_output(struct argo *g, struct yaml *y, struct shape *s, uint32_t i, struct site *x)
{
	const struct ir_decl *d = &s->task->outs[i];
	const struct expr *to = s->first->to ? s->first->to[i] : NULL;

	y_item(y);
	y_z(y, "name", dashed(g, d->name));
	if (d->named && !d->type.list)
		y_f(y, "path", "/cw/n/%s/%s", d->name->s, d->named->s);
	else
		y_f(y, "path", "/cw/out-%s", d->name->s);
	global_name(g, y, s, i);
	if (to) {
		place_write(x, y, to, to->span);
	} else if (s->keyed) {
		s->at = true;
		key_write(g, y, a_f(g, "%s/{{inputs.parameters.at}}", dashed(g, d->name)));
	}
	if (d->type.kind == T_FILE || d->type.list || s->keyed) {
		y_open(y, "archive");
		y_empty(y, "none");
		y_end(y);
	}
	y_item_end(y);
}

/* What a command writes to its standard output, which the engine keeps. */
static bool captured(const struct shape *s, uint32_t i)
{
	return s->inner && !is_job(s->task) && s->task->outs[i].from_stdout;
}

void step_outputs(struct argo *g, struct yaml *y, struct shape *s, struct site *x)
{
	const struct ir_task *t = s->task;
	uint32_t values = 0, files = 0;
	bool counts = false;

	for (uint32_t i = 0; t && i < t->nouts; i++) {
		files += type_is_path(t->outs[i].type);
		values += !type_is_path(t->outs[i].type) && !captured(s, i);
		counts |= type_is_path(t->outs[i].type) && t->outs[i].type.list;
	}
	if (!values && !files)
		return;
	y_open(y, "outputs");
	if (values || counts) {
		y_open(y, "parameters");
		for (uint32_t i = 0; i < t->nouts; i++) {
			if (captured(s, i))
				continue;
			if (!type_is_path(t->outs[i].type)) {
				value_output(g, y, s, i, a_f(g, "/cw/out-%s", t->outs[i].name->s));
			} else if (t->outs[i].type.list) {
				y_item(y);
				y_f(y, "name", "%s--count", dashed(g, t->outs[i].name));
				y_open(y, "valueFrom");
				y_f(y, "path", "/cw/out-%s--count", t->outs[i].name->s);
				y_end(y);
				y_item_end(y);
			}
		}
		y_end(y);
	}
	if (files) {
		y_open(y, "artifacts");
		for (uint32_t i = 0; i < t->nouts; i++)
			if (type_is_path(t->outs[i].type))
				file_output(g, y, s, i, x);
		y_end(y);
	}
	y_end(y);
}

/* ---- what the wrapper is told ---- */

struct words { struct strbuf in, out, named, named_out, lists, decode, sha; const char *stdout_; };

static void word(struct strbuf *b, const char *fmt, const char *a, const char *c)
{
	if (b->n)
		sb_ch(b, ' ');
	sb_f(b, "%s", a);
	if (fmt)
		sb_f(b, "%s%s", fmt, c);
}

/* How the variable of a value is decoded. */
static void in_word(struct argo *g, struct words *w, const char *name, struct type t, enum form f)
{
	if (f == FORM_AGG && (t.kind == T_STRING || t.kind == T_JSON)) {
		word(&w->in, ":", name, t.kind == T_JSON ? "j" : "l");
		part(g, WRAP_LISTS_IN);
	} else if (f == FORM_T) {
		word(&w->in, NULL, name, NULL);
	}
	if (w->in.n)
		part(g, WRAP_IN);
}

void env_value(struct yaml *y, const char *name, const char *value)
{
	y_item(y);
	y_z(y, "name", name);
	y_z(y, "value", value);
	y_item_end(y);
}

static void input_env(struct argo *g, struct yaml *y, struct shape *s, struct site *x, struct words *w, bool wrapper)
{
	const struct ir_task *t = s->task;

	for (uint32_t i = 0; t && i < t->nins; i++) {
		const struct ir_decl *d = &t->ins[i];
		struct shape_in *in = &s->ins[i];

		if (!is_artifact(in) && s->part == PART_FILES)
			continue;
		if (is_artifact(in) && s->part == PART_WORKER) {
			env_value(y, d->name->s, job_file(g, s, i));
			continue;
		}
		if (is_artifact(in)) {
			const char *inside = in->how == IN_FILE && s->first->ins[i] ? place_inside(s->first->ins[i]) : NULL;

			if (d->named) {
				if (d->type.list)
					word(&w->named, ":", d->name->s, d->named->s);
				else
					word(&w->named, NULL, d->name->s, NULL);
				part(g, WRAP_NAMED_IN);
				env_value(y, d->name->s, d->type.list ? a_f(g, "/cw/n/%s", d->name->s) : a_f(g, "/cw/n/%s/%s", d->name->s, d->named->s));
			} else if (inside) {
				env_value(y, d->name->s, a_f(g, "/cw/in-%s/%s", d->name->s, inside));
			} else {
				env_value(y, d->name->s, a_f(g, "/cw/in-%s", d->name->s));
			}
			if (d->type.list) {
				word(&w->lists, NULL, d->name->s, NULL);
				part(g, WRAP_LISTS_FILES);
			}
			if (pinned(s->first->ins[i])) {
				word(&w->sha, ":", d->name->s, pinned(s->first->ins[i])->s);
				part(g, WRAP_SHA_IN);
			}
			continue;
		}
		if (in->how == IN_HERE) {
			struct site here = *x;
			enum form f = in->form;
			const char *v;

			here.shape = NULL;
			v = wrapper ? value_of(&here, in->e, f) : command_word(x, in->e);
			env_value(y, d->name->s, v);
			if (wrapper)
				in_word(g, w, d->name->s, d->type, f);
			continue;
		}
		{
			struct ex e = { .s = xl_member(g, "inputs.parameters", in->name), .prec = P_ATOM, .form = (uint8_t)in->form, .tag = true };
			struct expr *ref = arena_new_of(g->a, struct expr);

			*ref = (struct expr){ .op = EX_REF, .fn = REF_INPUT, .type = d->type, .n = i, .span = d->span };
			env_value(y, d->name->s, wrapper ? value_tag(x, e) : command_word(x, ref));
			if (wrapper)
				in_word(g, w, d->name->s, d->type, in->form);
		}
	}
}

static void output_env(struct argo *g, struct yaml *y, const struct shape *s, struct words *w)
{
	const struct ir_task *t = s->task;

	if (t && flow_apart(s))
		part(g, WRAP_APART);
	for (uint32_t i = 0; t && i < t->nouts; i++) {
		const struct ir_decl *d = &t->outs[i];

		word(&w->out, ":", d->name->s, type_word(g, d->type));
		if (!type_is_path(d->type)) {
			part(g, WRAP_OUT);
			if (d->type.kind == T_TIME && !d->type.list)
				part(g, WRAP_TIME);
			if (d->type.list || d->type.kind == T_JSON)
				part(g, WRAP_JSON);
			if (d->type.list && (d->type.kind == T_STRING || d->type.kind == T_JSON))
				part(g, WRAP_LISTS);
		} else if (d->type.list) {
			part(g, WRAP_LISTS_FILES_OUT);
		}
		if (d->from_stdout) {
			w->stdout_ = d->name->s;
			continue;
		}
		if (d->named && !d->type.list) {
			word(&w->named_out, NULL, d->name->s, NULL);
			part(g, WRAP_NAMED_OUT);
			env_value(y, d->name->s, a_f(g, "/cw/n/%s/%s", d->name->s, d->named->s));
		} else {
			env_value(y, d->name->s, a_f(g, "/cw/out-%s", d->name->s));
		}
	}
}

static void attr_env(struct argo *g, struct yaml *y, const struct shape *s, struct site *x, struct words *w, bool wrapper)
{
	const struct attrs *a = s->attrs;

	for (uint32_t i = 0; a && i < a->env.n; i++) {
		const struct ir_env *e = &a->env.v[i];

		if (e->kind == ENV_EXPR) {
			enum form f;

			x->lets = 0;
			f = xl_form(x, e->value);
			env_value(y, e->name->s, wrapper ? value_of(x, e->value, f) : command_word(x, e->value));
			if (wrapper)
				in_word(g, w, e->name->s, e->value->type, f);
			continue;
		}
		y_item(y);
		y_str(y, "name", e->name->s, e->name->len);
		y_open(y, "valueFrom");
		y_open(y, e->kind == ENV_SECRET ? "secretKeyRef" : "configMapKeyRef");
		y_str(y, "name", e->ref->s, e->ref->len);
		y_str(y, "key", e->key->s, e->key->len);
		y_end(y);
		y_end(y);
		y_item_end(y);
	}
}

static void wrapper_env(struct yaml *y, const char *name, struct strbuf *b)
{
	if (b->n)
		env_value(y, name, sb_cstr(b));
	sb_free(b);
}

/* Code whose text Argo or Kubernetes would rewrite. */
static void code_words(struct argo *g, const struct shape *s, struct words *w)
{
	const struct ir_task *t = s->task;

	for (uint32_t i = 0; t && s->part != PART_WORKER && (s->part != PART_FILES || job_code_shared(s)) && i < t->ncode; i++) {
		if (t->code[i].place || text_untouched(t->code[i].data, t->code[i].len))
			continue;
		sb_f(&w->decode, "/cw/code/%s\n", t->code[i].path->s);
		part(g, WRAP_CODE_IN);
	}
}

void step_environment(struct argo *g, struct yaml *y, struct shape *s, struct site *x, bool wrapper, bool encoded)
{
	struct words w = { .stdout_ = NULL };
	struct strbuf *b = y->b;
	size_t before = b->n, after;

	y_open(y, "env");
	after = b->n;
	input_env(g, y, s, x, &w, wrapper);
	if (s->part != PART_FILES) {
		output_env(g, y, s, &w);
		attr_env(g, y, s, x, &w, wrapper);
	}
	if (wrapper) {
		code_words(g, s, &w);
		wrapper_env(y, "CW_IN", &w.in);
		wrapper_env(y, "CW_OUT", &w.out);
		wrapper_env(y, "CW_NAMED", &w.named);
		wrapper_env(y, "CW_NAMED_OUT", &w.named_out);
		wrapper_env(y, "CW_LISTS", &w.lists);
		wrapper_env(y, "CW_SHA256", &w.sha);
		wrapper_env(y, "CW_DECODE", &w.decode);
		if (s->part == PART_FILES)
			env_value(y, "CW_SHARED", s->shared);
		if (flow_apart(s) && s->part == PART_STEP)
			flow_environment(g, y, s);
		if (w.stdout_)
			env_value(y, "CW_STDOUT", w.stdout_);
		if (encoded) {
			env_value(y, "CW_SCRIPT", "encoded");
			part(g, WRAP_SCRIPT_IN);
		}
		if (s->first->kind == N_WAIT) {
			struct strbuf t = { 0 };

			sb_double(&t, s->first->u.wait.every);
			wrapper_env(y, "CW_EVERY", &t);
			part(g, WRAP_POLL);
		}
	} else {
		sb_free(&w.out);
		sb_free(&w.lists);
		sb_free(&w.named);
		sb_free(&w.named_out);
		sb_free(&w.sha);
		env_value(y, "CW_TMP", "/cw/tmp");
		env_value(y, "TMPDIR", "/cw/tmp");
		if (s->task && s->task->ncode)
			env_value(y, "CW_CODE", "/cw/code");
	}
	if (s->part == PART_WORKER)
		job_environment(g, y, s, x);
	if (has_retries(s->attrs) && s->part != PART_FILES)
		env_value(y, "COULER_ATTEMPT", "{{=int(retries) + 1}}");
	else if (!wrapper)
		env_value(y, "COULER_ATTEMPT", "1");
	y_end(y);
	if (b->n == after)
		b->n = before;
}

/* ---- folders of code ---- */

/* Folders below /cw/code get a volume each: the engine would make them for root alone. */
static uint32_t code_dirs(struct argo *g, const struct ir_task *t, const char **out, uint32_t max)
{
	uint32_t n = 0;

	for (uint32_t i = 0; t && i < t->ncode; i++) {
		const char *p = t->code[i].path->s;

		for (const char *s = strchr(p, '/'); s; s = strchr(s + 1, '/')) {
			bool again = false;

			for (uint32_t k = 0; k < n; k++)
				again |= strlen(out[k]) == (size_t)(s - p) && !strncmp(out[k], p, (size_t)(s - p));
			if (!again && n < max)
				out[n++] = a_f(g, "%.*s", (int)(s - p), p);
		}
	}
	return n;
}

#define CODE_DIRS 64

static void empty_volume(struct yaml *y, const char *name)
{
	y_item(y);
	y_z(y, "name", name);
	y_empty(y, "emptyDir");
	y_item_end(y);
}

void step_volumes(struct argo *g, struct yaml *y, struct shape *s, struct site *x)
{
	const char *dirs[CODE_DIRS];
	bool code = s->task && s->task->ncode && s->part != PART_FILES;
	uint32_t n = code ? code_dirs(g, s->task, dirs, CODE_DIRS) : 0;

	if (!code && !(s->attrs && attr_volumes(g, NULL, x, s->attrs)))
		return;
	y_open(y, "volumes");
	if (code)
		empty_volume(y, "code");
	for (uint32_t i = 0; i < n; i++)
		empty_volume(y, a_f(g, "code-%u", i + 1));
	if (s->attrs)
		attr_volumes(g, y, x, s->attrs);
	y_end(y);
}

static void mount(struct yaml *y, const char *name, const char *path)
{
	y_item(y);
	y_z(y, "name", name);
	y_z(y, "mountPath", path);
	y_item_end(y);
}

void step_mounts(struct argo *g, struct yaml *y, struct shape *s, struct site *x)
{
	const char *dirs[CODE_DIRS];
	bool code = s->task && s->task->ncode && s->part != PART_FILES;
	uint32_t n = code ? code_dirs(g, s->task, dirs, CODE_DIRS) : 0;

	if (!code && !(s->attrs && s->attrs->mounts.n))
		return;
	y_open(y, "volumeMounts");
	if (code)
		mount(y, "code", "/cw/code");
	for (uint32_t i = 0; i < n; i++)
		mount(y, a_f(g, "code-%u", i + 1), a_f(g, "/cw/code/%s", dirs[i]));
	if (s->attrs)
		attr_mounts(g, y, x, s->attrs);
	y_end(y);
}

/* ---- the template ---- */

/* Inputs that stand in the template already: hidden ones are known once its text is. */
static void pod_template(struct argo *g, struct yaml *y, struct shape *s)
{
	struct site x = { .g = g, .c = info(g, s->first)->ctx, .self = s->first, .shape = s };
	struct strbuf body = { 0 }, *out = y->b;
	struct yaml in = yaml_at(&body, y->depth);

	if (!s->task || s->task->body != BODY_ARGO)                             /* an engine's own template says what it leaves */
		step_outputs(g, &in, s, &x);
	if (s->attrs)
		attr_metadata(&in, &x, s->attrs);
	if (!is_object(s->task))
		step_volumes(g, &in, s, &x);
	body_write(g, &in, s, &x);
	if (s->attrs && !is_object(s->task))
		attr_template(g, &in, &x, s->attrs);
	if (flow_apart(s))
		flow_containers(g, &in, s);
	memo_write(g, &in, s, &x);
	inputs(g, y, s);
	sb_add(out, body.s ? body.s : "", body.n);
	sb_free(&body);
}

void step_template(struct argo *g, struct yaml *y, struct shape *s, const struct str *doc, const char *what)
{
	struct yaml in;

	const struct str *raw = s->attrs ? s->attrs->argo : NULL;

	if (is_job(s->task)) {
		job_template(g, y, s, doc, what);
		return;
	}
	if (!shape_checked(s)) {
		template_head(g, y, s->name, s->task ? s->task->span : s->first->span, what, doc);
		pod_template(g, y, s);
		if (raw)
			merge_raw(g, y->b, y->depth, raw, s->attrs->argo_span);
		return;
	}
	s->inner = a_f(g, s->task->body == BODY_ARGO ? "%s-template" : is_object(s->task) ? "%s-object" : "%s-command", s->name);
	s->inner = name_template(g, s->inner, strlen(s->inner));
	in = template_yaml(g, template_slot(g, s->inner));
	template_head(g, &in, s->inner, s->task->span, a_f(g, s->task->body == BODY_ARGO ? "the template of %s" : is_object(s->task) ? "the object of %s" : "the command of %s", s->name), NULL);
	pod_template(g, &in, s);
	if (s->task->body == BODY_ARGO)
		merge_raw(g, in.b, in.depth, s->task->script, s->task->body_span);
	if (raw)
		merge_raw(g, in.b, in.depth, raw, s->attrs->argo_span);
	template_head(g, y, s->name, s->task->span, what, doc);
	checked_template(g, y, s);
}

/* ---- references in the template ---- */

/* What attributes and arguments read beside the step's inputs becomes a further input. */
static struct ex extra(struct site *x, const struct expr *e)
{
	struct shape *s = (struct shape *)x->shape;
	struct shape_extra *v;
	const char *name = NULL;

	for (uint32_t i = 0; i < s->extra.n; i++)
		if (!s->extra.v[i].whole && expr_same(s->extra.v[i].ref, e))
			name = s->extra.v[i].name;
	if (!name) {
		name = ref_name(x->g, x->c, e);
		name = name_param(x->g, &s->names, name, strlen(name));
		v = vec_add(x->g->a, &s->extra);
		*v = (struct shape_extra){ .ref = e, .name = name };
	}
	return (struct ex){ .s = xl_member(x->g, "inputs.parameters", name), .prec = P_ATOM, .tag = true,
		.form = (uint8_t)(e->op == EX_REF ? ref_form(x->g, x->c, e) : record_form(x->g, e, record_of(e))) };
}

struct ex shape_input(struct site *x, const struct expr *e)
{
	const struct shape *s = x->shape;
	struct site here = *x;

	if (e->op != EX_REF)
		return extra(x, e);
	if (e->fn == REF_INPUT) {
		const struct shape_in *in = &s->ins[e->n];
		const struct ir_decl *d = &s->task->ins[e->n];

		if (is_artifact(in) && s->part == PART_WORKER)
			return job_path(x, job_file(x->g, s, e->n));
		if (is_artifact(in))
			return (struct ex){ .s = a_f(x->g, d->named ? "'/cw/n/%s/%s'" : "'/cw/in-%s'", d->name->s, d->named ? d->named->s : ""), .prec = P_ATOM };
		if (in->how == IN_PARAM)
			return (struct ex){ .s = xl_member(x->g, "inputs.parameters", in->name), .prec = P_ATOM, .form = (uint8_t)in->form, .tag = true };
		here.shape = NULL;
		return xl_text(&here, in->e, in->form);
	}
	if (e->fn == REF_OUTPATH) {
		const struct ir_decl *d = &s->task->outs[e->n];

		return (struct ex){ .s = a_f(x->g, d->named && !d->type.list ? "'/cw/n/%s/%s'" : "'/cw/out-%s'", d->name->s, d->named && !d->type.list ? d->named->s : ""), .prec = P_ATOM };
	}
	if (e->fn == REF_ENV)
		return xl_text(x, s->attrs->env.v[e->n].value, FORM_ANY);
	if ((e->fn == REF_PARAM && x->c->w == x->g->m->entry && x->c->kind != CTX_ON) || e->fn == REF_FIELD) {
		here.shape = NULL;
		return xl_ref(&here, e);
	}
	return extra(x, e);
}
