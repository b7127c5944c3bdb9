/* Bodies `job KIND { ... }`: distributed training, Kubernetes objects. */
#include "scope.h"
#include "attr.h"

static bool job_mistake(struct elab *e, struct span sp, const char *msg, const char *mend)
{
	diag_mend(e->diag, diag_at(e->diag, CW0523, sp, "%s", msg), "%s", mend);
	return false;
}

static struct expr *job_count(struct elab *e, struct scope *s, const struct ast_block *b, const char *key)
{
	const struct ast_stmt *st = block_entry(b, key);
	const char *what = str_internf(e->strs, "'%s'", key)->s;
	struct expr *v;

	if (!st || !st->value || st->value->kind == AX_ERROR)
		return NULL;
	v = elab_value(e, s, st->value, type_of(T_INT), CO_JSON, what, NULL);
	if (!v || !refs_allowed(e, v, REFS_PLAIN, CW0523, what, "make it an input of the step: a job reads inputs, params and loop variables"))
		return NULL;
	if (expr_is_const(v) && v->u.lit->u.i < (key[0] == 'p' ? 0 : 1))
		job_mistake(e, v->span, str_internf(e->strs, "%s is at least %d", what, key[0] == 'p' ? 0 : 1)->s, "write such a number");
	return v;
}

static const struct str *job_text(struct elab *e, struct scope *s, const struct ast_block *b, const char *key)
{
	const struct ast_stmt *st = block_entry(b, key);
	const struct str *out = NULL;

	if (!st || !st->value || st->value->kind == AX_ERROR)
		return NULL;
	if (st->value->kind == AX_STRING && st->value->verbatim)
		return st->value->u.str;
	return entry_string(e, s, st, &out) < 0 ? NULL : out;
}

static void job_set(struct elab *e, struct scope *s, const struct ast_block *b, struct ir_job *j)
{
	const struct ast_stmt *st = block_entry(b, "set");
	const struct ast_block *set = st ? entry_block(st) : NULL;

	for (uint32_t i = 0; set && i < set->n; i++) {
		const struct ast_stmt *x = set->v[i];
		struct expr *v;

		if (x->kind != AS_ENTRY || !x->value || x->value->kind == AX_ERROR)
			continue;
		v = elab_value(e, s, x->value, type_of(T_NONE), 0, "a value of `set`", NULL);
		if (v && v->type.opt) {
			report_optional(e, v, "a value of `set`");
			continue;
		}
		if (v && type_is_path(v->type)) {
			job_mistake(e, v->span, "a file cannot stand in a manifest", "set values: text, numbers, bools, json");
			continue;
		}
		if (!v || !refs_allowed(e, v, REFS_PLAIN, CW0523, "`set`", "make it an input of the step"))
			continue;
		vec_add(e->arena, &j->set);
		j->set.v[j->set.n - 1].path = x->name;
		j->set.v[j->set.n - 1].value = v;
	}
}

static bool kubernetes(struct elab *e, struct scope *s, const struct ast_stmt *st, struct ir_job *j, const struct ir_task *t)
{
	static const char *const actions[] = { "create", "apply", "replace", "patch", "get", "delete" };
	const struct ast_stmt *action = block_entry(st->body, "action"), *m = block_entry(st->body, "manifest");
	uint32_t a = 0;

	if (action && entry_word(e, s, action, actions, 6, &a) < 0)
		return false;
	j->action = str_internz(e->strs, actions[a]);
	j->manifest = job_text(e, s, st->body, "manifest");
	j->success = job_text(e, s, st->body, "success");
	j->failure = job_text(e, s, st->body, "failure");
	job_set(e, s, st->body, j);
	if (!m)
		return job_mistake(e, st->head, "a Kubernetes job needs the object that it manages", "add manifest = '''...'''");
	for (uint32_t i = 0; i < t->nouts; i++) {
		if (type_is_path(t->outs[i].type))
			return job_mistake(e, t->outs[i].span, "a Kubernetes object puts out values of its fields, not files", "let a step behind it fetch the file");
		if (!t->outs[i].at)
			return job_mistake(e, t->outs[i].span, "an output of a Kubernetes job says which field of the object it is",
				"add at: out uid: string at \"{.metadata.uid}\"");
	}
	return j->manifest != NULL;
}

struct ir_job *job_elab(struct elab *e, struct scope *inner, const struct ast_stmt *st, struct ir_task *t)
{
	static const char *const kinds[] = { "pytorch", "tensorflow", "mpi", "ray", "kubernetes" };
	struct ir_job *j = arena_new_of(e->arena, struct ir_job);
	enum attr_owner owner = job_owner(st->name);
	const struct ast_stmt *run;
	struct diag_item *it;

	if (!owner) {
		it = diag_at(e->diag, CW0523, st->name_span, "there is no job '%s'", st->name->s);
		did_you_mean(e, it, st->name, kinds, 5);
		diag_mend(e->diag, it, "jobs are pytorch, tensorflow, mpi, ray and kubernetes");
		return NULL;
	}
	attrs_check_keys(e, st->body, owner);
	j->kind = st->name;
	if (owner == OWN_JOB_KUBERNETES)
		return kubernetes(e, inner, st, j, t) ? j : NULL;
	j->workers = job_count(e, inner, st->body, "workers");
	if (owner == OWN_JOB_TENSORFLOW)
		j->ps = job_count(e, inner, st->body, "ps");
	if (owner == OWN_JOB_MPI)
		j->slots = job_count(e, inner, st->body, "slots");
	run = block_entry(st->body, "run");
	j->run = run && run->value && run->value->kind == AX_STRING ? run->value->u.str : NULL;
	if (!run && inner->module->ok) {
		job_mistake(e, st->head, "the job has no script", "add run = \"\"\"...\"\"\": each worker runs it");
		return NULL;
	}
	return j->run ? j : NULL;
}
