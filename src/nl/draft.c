/* The plan as a workflow: regions, order, and what the user should know beside it. */
#include "draft.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void art_add(struct draft *d, enum role role, const char *ref, int module, bool list)
{
	vec_push(d->arena, &d->arts, ((struct artifact){ role, ref, module, list }));
}

const struct artifact *art_find(const struct draft *d, enum role role)
{
	for (uint32_t i = d->arts.n; i-- > 0;)
		if (d->arts.v[i].role == role)
			return &d->arts.v[i];
	return NULL;
}

enum region { REGION_LOOP, REGION_FAN, REGION_COND, REGION_NONE };

static int region_id(const struct module *m, enum region r)
{
	return r == REGION_LOOP ? m->loop : r == REGION_FAN ? m->fan : r == REGION_COND ? m->cond : -1;
}

static uint32_t run_length(const struct draft *d, uint32_t i, uint32_t end, enum region r)
{
	const struct module *v = d->p->modules.v;
	int id = region_id(&v[i], r);
	uint32_t j = i;

	while (j < end && region_id(&v[j], r) == id)
		j++;
	return id < 0 ? 0 : j - i;
}

static void emit(struct draft *d, uint32_t i, uint32_t end, unsigned open);

/* Names of the steps in [i, end) that may be waited for from outside. */
static void set_last(struct draft *d, uint32_t i, uint32_t end)
{
	d->last.n = 0;
	for (; i < end; i++)
		vec_push(d->arena, &d->last, d->p->modules.v[i].name);
	if (d->last.n > 4) {                  /* the last ones wait for those before */
		d->last.v[0] = d->last.v[d->last.n - 1];
		d->last.n = 1;
	}
}

static void emit_cond(struct draft *d, uint32_t i, uint32_t end, unsigned open)
{
	const struct cond *c = &d->p->conds.v[d->p->modules.v[i].cond];
	const char *ref = metric_ref(d, c->metric, i), *keep = d->last.n ? d->last.v[0] : NULL;
	uint32_t mid = i, arts = d->arts.n;
	bool first_branch = d->p->modules.v[i].branch == 0;
	VEC(const char *) names = { 0 };

	if (!ref) {
		emit(d, i, end, open | 1U << REGION_COND);
		return;
	}
	while (mid < end && d->p->modules.v[mid].branch == d->p->modules.v[i].branch)
		mid++;
	if (c->flag)
		sb_f(&d->out, "if %s%s {\n", (!strcmp(c->op, "!=")) == first_branch ? "!" : "", ref);
	else if (c->below)
		sb_f(&d->out, "if %s%s %s %s && %s < %s%s {\n", first_branch ? "" : "!(", ref, c->op, c->number, ref, c->below, first_branch ? "" : ")");
	else
		sb_f(&d->out, "if %s%s %s %s%s {\n", first_branch ? "" : "!(", ref, c->op, c->number, first_branch ? "" : ")");
	d->last.n = 0;
	(void)keep;
	emit(d, i, mid, open | 1U << REGION_COND);
	for (uint32_t k = i; k < mid; k++)
		if (d->p->modules.v[k].kind != K_FAIL)
			vec_push(d->arena, &names, d->p->modules.v[k].name);
	if (mid < end) {
		d->arts.n = arts;
		d->last.n = 0;
		sb_z(&d->out, "} else {\n");
		emit(d, mid, end, open | 1U << REGION_COND);
		for (uint32_t k = mid; k < end; k++)
			if (d->p->modules.v[k].kind != K_FAIL)
				vec_push(d->arena, &names, d->p->modules.v[k].name);
	}
	sb_z(&d->out, "}\n");
	d->arts.n = arts;                     /* what may be absent is not used outside */
	d->last.n = 0;
	for (uint32_t k = 0; k < names.n; k++)
		vec_push(d->arena, &d->last, names.v[k]);
}

static bool source_of(struct draft *d, uint32_t i, const struct fan *f, const char **list)
{
	struct module *m = &d->p->modules.v[i];

	for (uint32_t k = 0; k < m->facts.n; k++) {
		struct fact *x = &d->p->facts.v.v[m->facts.v[k]];

		/* "the list of portfolios comes from s3://..." */
		if ((x->type == F_URI || x->type == F_FILE) && x->off > f->off && rx_has(d->p->text, "\\b(?:list|lista|liste|listado|elenco|names|ids|namen)\\b", m->doc)) {
			*list = x->str;
			x->used = true;
			return true;
		}
	}
	return false;
}

static void list_step(struct draft *d, const char *name, const char *source, const char *what)
{
	struct strbuf *b = &d->out;

	sb_f(b, "step %s {\n doc = %s\n", name, nl_quote(d->arena, nl_fmt(d->arena, "What to do it for: one %s a line.", what)));
	if (source)
		sb_f(b, "in source = %s\n", nl_quote(d->arena, source));
	sb_f(b, "out items: list<string>\nrun = \"\"\"\npython %s.py%s --items-out \"$items\"\n\"\"\"\n", name, source ? " --source \"$source\"" : "");
	if (d->last.n) {
		sb_z(b, "after = [");
		for (uint32_t k = 0; k < d->last.n; k++)
			sb_f(b, "%s%s", k ? ", " : "", d->last.v[k]);
		sb_z(b, "]\n");
	}
	sb_z(b, "}\n");
	vec_push(d->arena, &d->programs, nl_fmt(d->arena, "%s.py", name));
	d->last.n = 0;
	vec_push(d->arena, &d->last, name);
}

static void emit_fan(struct draft *d, uint32_t i, uint32_t end, unsigned open)
{
	struct module *m = &d->p->modules.v[i];
	struct fan *f = &d->p->fans.v[m->fan];
	const char *list = f->literal ? f->list : NULL, *source = NULL, *item = f->item;
	uint32_t arts, before;
	int outer = d->in_fan;
	double limit = f->max_parallel;

	if (!list && !source_of(d, i, f, &source)) {
		const struct artifact *a = art_find(d, R_ITEMS);

		if (a)
			list = a->ref;
	}
	for (uint32_t k = 0; k < d->p->modules.n; k++)
		if (!strcmp(d->p->modules.v[k].name, item))
			item = nl_fmt(d->arena, "one_%s", f->item);
	for (uint32_t k = 0; k < d->p->facts.params.n; k++)
		if (!strcmp(d->p->facts.params.v[k].name, item))
			item = nl_fmt(d->arena, "one_%s", f->item);
	if (!list) {
		const char *name = nl_fmt(d->arena, "list_%ss", f->item);

		for (uint32_t k = 0; k < d->p->modules.n; k++)
			if (!strcmp(d->p->modules.v[k].name, name))
				name = nl_fmt(d->arena, "find_%ss", f->item);
		list_step(d, name, source, f->item);
		list = nl_fmt(d->arena, "%s.items", name);
	}
	f->item = item;
	before = d->arts.n;
	for (uint32_t k = i; k < end; k++)
		for (uint32_t q = 0; q < d->p->modules.v[k].facts.n; q++) {
			struct fact *x = &d->p->facts.v.v[d->p->modules.v[k].facts.v[q]];

			if (x->type == F_PARALLEL)
				limit = x->num;
		}
	if (!(limit > 0) && d->p->fans.n == 1)
		for (uint32_t k = 0; k < d->p->facts.v.n; k++)
			if (d->p->facts.v.v[k].type == F_PARALLEL && !d->p->facts.v.v[k].whole)
				limit = d->p->facts.v.v[k].num;
	sb_f(&d->out, "for %s in %s {\n", item, list);
	if (limit > 0)
		sb_f(&d->out, "max_parallel = %.0f\n", limit);
	d->in_fan = m->fan;
	if (!f->literal)
		d->last.n = 0;
	emit(d, i, end, open | 1U << REGION_FAN);
	sb_z(&d->out, "}\n");
	d->in_fan = outer;
	arts = d->arts.n;
	for (uint32_t k = before; k < arts; k++)
		d->arts.v[k].list = true;
	set_last(d, i, end);
}

static const struct module *metric_owner(const struct draft *d, uint32_t i, uint32_t end, const char *metric)
{
	for (uint32_t k = end; k-- > i;)
		for (uint32_t q = 0; q < d->p->modules.v[k].metrics.n; q++)
			if (!strcmp(d->p->modules.v[k].metrics.v[q], metric))
				return &d->p->modules.v[k];
	return NULL;
}

static void emit_loop(struct draft *d, uint32_t i, uint32_t end, unsigned open)
{
	const struct loop_plan *l = &d->p->loops.v[0];
	const struct module *owner = l->metric ? metric_owner(d, i, end, l->metric) : NULL, *trainer = NULL;
	const struct artifact *model = art_find(d, R_MODEL), *data = art_find(d, R_DATA);
	const char *name = "rounds", *first = model ? model->ref : NULL, *grown = NULL;
	uint32_t arts = d->arts.n;

	for (uint32_t k = 0; k < d->p->modules.n; k++)
		if (!strcmp(d->p->modules.v[k].name, name))
			name = "refine";
	for (uint32_t k = i; k < end; k++)
		if (d->p->modules.v[k].kind == K_TRAIN)
			trainer = &d->p->modules.v[k];
	sb_f(&d->out, "loop %s {\nmax = %d\n", name, l->max);
	if (first && trainer && !model->list)
		sb_f(&d->out, "state model: file = %s\n", first);
	if (owner)
		sb_f(&d->out, "state %s: float = %s\nwhile %s %s %s\n", l->metric, l->op[0] == '<' ? "0.0" : "1000000.0", l->metric, l->op, l->number);
	if (first && trainer)
		art_add(d, R_MODEL, "model", -1, false);
	d->in_loop++;
	d->last.n = 0;
	emit(d, i, end, open | 1U << REGION_LOOP);
	d->in_loop--;
	if (owner || (first && trainer)) {
		sb_z(&d->out, "next { ");
		if (first && trainer)
			sb_f(&d->out, "model = %s.model; ", trainer->name);
		if (owner)
			sb_f(&d->out, "%s = %s.%s", l->metric, owner->name, l->metric);
		sb_z(&d->out, " }\n");
	}
	sb_z(&d->out, "}\n");
	d->arts.n = arts;
	d->last.n = 0;
	if (first && trainer)
		art_add(d, R_MODEL, nl_fmt(d->arena, "%s.model", name), -1, false);
	else
		vec_push(d->arena, &d->last, name);
	(void)data;
	(void)grown;
}

/* Modules that run beside each other: each after what came before all of them. */
static uint32_t emit_parallel(struct draft *d, uint32_t i, uint32_t end)
{
	int par = d->p->modules.v[i].par;
	VEC(const char *) before = { 0 }, names = { 0 };
	uint32_t j = i, arts = d->arts.n, made;
	struct artifact *kept;

	for (uint32_t k = 0; k < d->last.n; k++)
		vec_push(d->arena, &before, d->last.v[k]);
	made = 0;
	kept = arena_array(d->arena, struct artifact, 64);
	for (; j < end && d->p->modules.v[j].par == par; j++) {
		d->last.n = 0;
		for (uint32_t k = 0; k < before.n; k++)
			vec_push(d->arena, &d->last, before.v[k]);
		draft_step(d, j);
		vec_push(d->arena, &names, d->p->modules.v[j].name);
		while (d->arts.n > arts && made < 64)
			kept[made++] = d->arts.v[--d->arts.n];
		d->arts.n = arts;
	}
	while (made)
		vec_push(d->arena, &d->arts, kept[--made]);
	d->last.n = 0;
	for (uint32_t k = 0; k < names.n; k++)
		vec_push(d->arena, &d->last, names.v[k]);
	return j;
}

static void emit(struct draft *d, uint32_t i, uint32_t end, unsigned open)
{
	while (i < end) {
		const struct module *m = &d->p->modules.v[i];
		enum region best = REGION_NONE;
		uint32_t n = 0, k;

		if (d->degrade < DEGRADE_REGIONS)
			for (int r = 0; r < REGION_NONE; r++) {
				if (open & 1U << r)
					continue;
				k = run_length(d, i, end, (enum region)r);
				if (k > n) {
					n = k;
					best = (enum region)r;
				}
			}
		if (best == REGION_LOOP)
			emit_loop(d, i, i + n, open);
		else if (best == REGION_FAN)
			emit_fan(d, i, i + n, open);
		else if (best == REGION_COND)
			emit_cond(d, i, i + n, open);
		else if (m->par >= 0 && !m->sweep) {
			i = emit_parallel(d, i, end);
			continue;
		} else {
			draft_step(d, i);
			n = 1;
		}
		i += n;
	}
}

static void emit_on(struct draft *d, enum on_kind on, const char *word)
{
	bool any = false;

	for (uint32_t i = 0; i < d->p->modules.n; i++) {
		struct module *m = &d->p->modules.v[i];

		if (m->on != on)
			continue;
		if (!any) {
			sb_f(&d->out, "on %s {\n", word);
			d->last.n = 0;
		}
		any = d->in_on = true;
		d->arts.n = 0;
		draft_step(d, i);
	}
	d->in_on = false;
	if (any)
		sb_z(&d->out, "}\n");
}

static void head(struct draft *d)
{
	struct facts *f = &d->p->facts;
	struct strbuf *b = &d->out;
	const struct nl_schedule *s = &f->schedule;

	if (s->given && s->n) {
		if (s->n == 1 && !s->timezone && !s->overlap && !s->catchup && !(s->keep_runs > 0)) {
			sb_f(b, "schedule = %s\n", nl_quote(d->arena, s->cron[0]));
		} else {
			sb_z(b, "schedule = { cron = ");
			if (s->n > 1)
				sb_ch(b, '[');
			for (uint32_t i = 0; i < s->n; i++)
				sb_f(b, "%s%s", i ? ", " : "", nl_quote(d->arena, s->cron[i]));
			if (s->n > 1)
				sb_ch(b, ']');
			if (s->timezone)
				sb_f(b, "; timezone = %s", nl_quote(d->arena, s->timezone));
			if (s->overlap)
				sb_f(b, "; overlap = %s", s->overlap);
			if (s->catchup)
				sb_z(b, "; catchup = true");
			if (s->keep_runs > 0)
				sb_f(b, "; keep_runs = %.0f", s->keep_runs);
			sb_z(b, " }\n");
		}
	}
	if (f->run_timeout > 0)
		sb_f(b, "timeout = %s\n", nl_duration(d->arena, f->run_timeout));
	if (f->max_parallel > 0)
		sb_f(b, "max_parallel = %.0f\n", f->max_parallel);
	if (f->fail_fast)
		sb_z(b, "fail_fast = true\n");
	if (f->keep > 0)
		sb_f(b, "keep = %s\n", nl_duration(d->arena, f->keep));
	if (f->run_lock)
		sb_f(b, "lock = %s\n", nl_quote(d->arena, d->p->name));
	for (uint32_t i = 0, k = 0; i < f->v.n; i++)
		if (f->v.v[i].type == F_LABEL) {
			sb_f(b, "%s%s = %s", k++ ? "; " : "labels { ", f->v.v[i].str, nl_quote(d->arena, f->v.v[i].str2));
			if (i + 1 == f->v.n || f->v.v[i + 1].type != F_LABEL) {
				sb_z(b, " }\n");
				k = 0;
			}
		}
	for (uint32_t i = 0; i < f->params.n; i++) {
		const struct nl_param *q = &f->params.v[i];

		sb_f(b, "param %s: %s", q->name, q->type);
		if (q->dflt)
			sb_f(b, " = %s", q->dflt);
		if (q->choices)
			sb_f(b, " in %s", q->choices);
		sb_ch(b, '\n');
	}
	for (uint32_t i = 0; i < f->volumes.n; i++) {
		const struct nl_volume *v = &f->volumes.v[i];

		if (v->claim)
			sb_f(b, "volume %s { claim = %s }\n", v->name, nl_quote(d->arena, v->claim));
		else
			sb_f(b, "volume %s { size = %s%s%s%s%s }\n", v->name, v->size, v->mode ? "; mode = " : "", v->mode ? v->mode : "", v->class_ ? "; class = " : "", v->class_ ? nl_quote(d->arena, v->class_) : "");
	}
	draft_defaults(d, b);
	for (uint32_t i = 0; i < d->p->services.n; i++)
		sb_f(b, "service %s { image = %s; port = %d }\n", d->p->services.v[i].name, nl_quote(d->arena, d->p->services.v[i].image), d->p->services.v[i].port);
}

static void comment(struct strbuf *out, const char *s)
{
	sb_z(out, "# ");
	for (size_t col = 0; *s; s++) {
		if (col > 100 && *s == ' ') {
			sb_z(out, "\n#   ");
			col = 0;
			continue;
		}
		if ((unsigned char)*s >= ' ' && *s != 127)
			sb_ch(out, *s);
		col++;
	}
	sb_ch(out, '\n');
}

static bool unique_program(const struct draft *d, uint32_t i)
{
	for (uint32_t k = 0; k < i; k++)
		if (!strcmp(d->programs.v[k], d->programs.v[i]))
			return false;
	return true;
}

static void preface(struct draft *d, struct strbuf *out)
{
	struct strbuf b = { 0 };
	struct facts *f = &d->p->facts;
	uint32_t n = 0;

	sb_z(out, "# Drafted by rules from the words of a description, without a language model: read it before you trust it.\n");
	for (uint32_t i = 0; i < f->notes.n; i++)
		comment(out, f->notes.v[i]);
	for (uint32_t i = 0; i < d->programs.n && n < 12; i++)
		if (unique_program(d, i)) {
			sb_f(&b, "%s%s", n ? ", " : "", d->programs.v[i]);
			n++;
		}
	if (n)
		comment(out, nl_fmt(d->arena, "Programs to bring along, in the image or as code = [...] beside this file: %s.", sb_cstr(&b)));
	sb_free(&b);
}

void draft_make(struct plan *p, const struct lake *lake, int degrade, struct strbuf *out, struct strbuf *explain)
{
	struct draft d = { .p = p, .arena = p->text->arena, .lake = lake, .degrade = degrade, .in_fan = -1 };
	struct strbuf body;
	uint32_t n = 0;

	/* modules of on blocks come last */
	for (uint32_t i = 0; i < p->modules.n; i++)
		if (!p->modules.v[i].on) {
			struct module m = p->modules.v[i];

			memmove(&p->modules.v[n + 1], &p->modules.v[n], sizeof m * (i - n));
			p->modules.v[n++] = m;
		}
	emit(&d, 0, n, 0);
	emit_on(&d, ON_GOOD, "success");
	emit_on(&d, ON_BAD, "failure");
	emit_on(&d, ON_ALWAYS, "exit");
	body = d.out;
	d.out = (struct strbuf){ 0 };
	head(&d);                             /* after the steps: they may have asked for parameters */
	preface(&d, out);
	sb_add(out, d.tasks.s ? d.tasks.s : "", d.tasks.n);
	sb_f(out, "\nworkflow %s {\ndoc = %s\n", p->name, nl_quote(d.arena, ntext_orig(p->text, 0, (uint32_t)(p->text->n > 400 ? 400 : p->text->n))));
	sb_add(out, d.out.s ? d.out.s : "", d.out.n);
	sb_add(out, body.s ? body.s : "", body.n);
	sb_z(out, "}\n");
	for (uint32_t i = 0; explain && i < d.used.n; i++)
		sb_f(explain, "%s\n", d.used.v[i]);
	sb_free(&body);
	sb_free(&d.out);
	sb_free(&d.tasks);
}
