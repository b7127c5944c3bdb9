/* When and where a workflow lives: schedules, volumes, stores. */
#include "scope.h"
#include "attr.h"

#include <string.h>

static void place_mistake(struct elab *e, struct span sp, const char *msg, const char *mend)
{
	diag_mend(e->diag, diag_at(e->diag, CW0525, sp, "%s", msg), "%s", mend);
}

/* ---- schedule ---- */

static bool add_cron(struct elab *e, struct scope *s, struct ir_schedule *c, const struct ast_expr *x)
{
	const struct value *v = elab_const(e, s, x, type_of(T_STRING), "a cron expression");

	if (!v || check_cron(e, v->u.s, x->span) < 0)
		return false;
	c->cron[c->ncron++] = v->u.s;
	return true;
}

static bool crons(struct elab *e, struct scope *s, struct ir_schedule *c, const struct ast_expr *x)
{
	bool ok = true;

	if (x->kind == AX_ERROR)
		return false;
	if (x->kind != AX_LIST) {
		c->cron = arena_array(e->arena, const struct str *, 1);
		return add_cron(e, s, c, x);
	}
	c->cron = arena_array(e->arena, const struct str *, x->n + 1);
	for (uint32_t i = 0; i < x->n; i++)
		ok &= add_cron(e, s, c, x->args[i]);
	if (!x->n)
		place_mistake(e, x->span, "a schedule has at least one time", "write cron = \"0 2 * * *\"");
	return ok && x->n;
}

static void only_if(struct elab *e, struct scope *s, struct ir_schedule *c, const struct ast_expr *x)
{
	c->only_if = elab_cond(e, s, x, "'only_if'");
	if (c->only_if)
		refs_allowed(e, c->only_if, 1u << REF_PARAM | 1u << REF_FIELD, CW0519, "'only_if'",
			"it is tested before the run starts: it reads params, workflow.scheduled_time and the like");
}

static void schedule_block(struct elab *e, struct scope *s, struct ir_schedule *c, const struct ast_block *b, struct span head)
{
	static const char *const overlaps[] = { "forbid", "allow", "replace" };
	const struct ast_stmt *x;
	uint32_t o;

	if ((x = block_entry(b, "cron")) && x->value)
		crons(e, s, c, x->value);
	else if (!x && s->module->ok)
		place_mistake(e, head, "a schedule says when", "add cron = \"0 2 * * *\"");
	if ((x = block_entry(b, "timezone")) && entry_string(e, s, x, &c->timezone) == 0)
		check_timezone(e, c->timezone, x->value->span);
	if ((x = block_entry(b, "overlap")) && entry_word(e, s, x, overlaps, 3, &o) == 0)
		c->overlap = (enum overlap)o;
	if ((x = block_entry(b, "catchup")))
		entry_bool(e, s, x, &c->catchup);
	if ((x = block_entry(b, "deadline")))
		entry_duration(e, s, x, &c->deadline);
	if ((x = block_entry(b, "keep_runs")))
		entry_int(e, s, x, 0, INT_LIMIT, &c->keep_runs);
	if ((x = block_entry(b, "only_if")) && x->value && x->value->kind != AX_ERROR)
		only_if(e, s, c, x->value);
}

void schedule_elab(struct elab *e, struct scope *s, struct ir_workflow *w, const struct ast_stmt *entry)
{
	const struct ast_block *b = entry_block(entry);
	struct ir_schedule *c = arena_new_of(e->arena, struct ir_schedule);

	c->deadline = -1;
	c->keep_runs = -1;
	c->span = entry->head;
	if (b)
		schedule_block(e, s, c, b, entry->head);
	else if (entry->value)
		crons(e, s, c, entry->value);
	w->schedule = c;
}

/* ---- volumes ---- */

static void volume(struct elab *e, struct scope *s, struct ir_volume *v, const struct ast_stmt *st)
{
	static const char *const modes[] = { "rwo", "rwx", "rox" };
	const struct ast_block *b = st->body;
	const struct ast_stmt *size = block_entry(b, "size"), *claim = block_entry(b, "claim"), *x;
	uint32_t m = 0;

	attrs_check_keys(e, b, OWN_VOLUME);
	v->name = st->name;
	v->span = st->name_span;
	v->size = -1;
	if (claim)
		entry_string(e, s, claim, &v->claim);
	if (size)
		entry_size(e, s, size, &v->size);
	if ((x = block_entry(b, "class")))
		entry_string(e, s, x, &v->class_);
	if ((x = block_entry(b, "mode")))
		entry_word(e, s, x, modes, 3, &m);
	v->mode = str_internz(e->strs, modes[m]);
	if (claim && size)
		place_mistake(e, size->head, "a claim that is there already has its size", "leave size out, or claim");
	else if (!claim && !size && s->module->ok)
		place_mistake(e, st->name_span, str_internf(e->strs, "the volume '%s' has no size", st->name->s)->s, "add size = 100Gi, or claim = \"NAME\" of one that is there");
}

void volumes_elab(struct elab *e, struct flow *f, const struct ast_block *b)
{
	struct ir_workflow *w = f->w;
	uint32_t n = 0;

	for (uint32_t i = 0; i < b->n; i++)
		n += b->v[i]->kind == AS_VOLUME;
	w->volumes = n ? arena_array(e->arena, struct ir_volume, n) : NULL;
	for (uint32_t i = 0; i < b->n; i++)
		if (b->v[i]->kind == AS_VOLUME)
			volume(e, f->scope, &w->volumes[w->nvolumes++], b->v[i]);
}

/* ---- stores ---- */

static void store(struct elab *e, struct module *m, const struct ast_stmt *st)
{
	struct scope file = { .kind = SC_FILE, .module = m };
	struct ir_store *s;
	const struct ast_stmt *x;

	for (uint32_t i = 0; i < e->stores.n; i++) {
		if (e->stores.v[i].module != m || e->stores.v[i].ast->name != st->name)
			continue;
		struct diag_item *it = diag_at(e->diag, CW0204, st->name_span, "the store '%s' is already defined", st->name->s);

		diag_note(e->diag, it, e->stores.v[i].ast->name_span, "the first is here");
		return;
	}
	vec_add(e->arena, &e->stores);
	e->stores.v[e->stores.n - 1].module = m;
	e->stores.v[e->stores.n - 1].ast = st;
	e->stores.v[e->stores.n - 1].store = e->ir->stores.n;
	s = vec_add(e->arena, &e->ir->stores);
	attrs_check_keys(e, st->body, OWN_STORE);
	s->name = st->name;
	for (uint32_t i = 0, k = 2; i + 1 < e->ir->stores.n; i++)
		if (e->ir->stores.v[i].name == s->name) {
			s->name = str_internf(e->strs, "%s-%u", st->name->s, k++);
			i = UINT32_MAX;
		}
	s->span = st->name_span;
	if ((x = block_entry(st->body, "uri")))
		entry_string(e, &file, x, &s->uri);
	else if (m->ok)
		place_mistake(e, st->name_span, str_internf(e->strs, "the store '%s' has no uri", st->name->s)->s, "add uri = \"s3://BUCKET/PREFIX\"");
	if ((x = block_entry(st->body, "endpoint")))
		entry_string(e, &file, x, &s->endpoint);
	if ((x = block_entry(st->body, "region")))
		entry_string(e, &file, x, &s->region);
	if ((x = block_entry(st->body, "secret")))
		entry_string(e, &file, x, &s->secret);
}

void stores_elab(struct elab *e)
{
	for (uint32_t k = 0; k < e->nmodules; k++)
		for (uint32_t i = 0; i < e->modules[k]->ast->top->n; i++)
			if (e->modules[k]->ast->top->v[i]->kind == AS_STORE)
				store(e, e->modules[k], e->modules[k]->ast->top->v[i]);
}

const struct str *store_find(struct elab *e, struct module *m, const struct ast_expr *x)
{
	const char **names = arena_array(e->arena, const char *, e->stores.n + 1);
	const struct str *name = word_of(x);
	struct diag_item *it;
	uint32_t n = 0;

	if (!name)
		return NULL;              /* another form is reported with the key */
	for (uint32_t i = 0; i < e->stores.n; i++) {
		if (e->stores.v[i].module != m)
			continue;
		if (e->stores.v[i].ast->name == name)
			return e->ir->stores.v[e->stores.v[i].store].name;
		names[n++] = e->stores.v[i].ast->name->s;
	}
	if (!m->ok)
		return NULL;
	it = diag_at(e->diag, CW0214, x->span, "there is no store '%s'", name->s);
	did_you_mean(e, it, name, names, n);
	if (it->msg && !it->label)
		diag_mend(e->diag, it, "define it outside of the workflow: store %s { uri = \"s3://BUCKET/PREFIX\" }", name->s);
	return NULL;
}
