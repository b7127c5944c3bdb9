/* Sweeps, elastic pipelines, metrics for conditions, and what the rules saw twice. */
#include "draft.h"

#include <stdlib.h>
#include <string.h>

static int metric_rank(enum kind k)
{
	switch (k) {
	case K_EVALUATE: return 6;
	case K_COMPARE: return 5;
	case K_VALIDATE: return 4;
	case K_TRAIN: case K_TUNE: return 3;
	case K_PREDICT: case K_REPORT: case K_RUN: case K_TRANSFORM: case K_MERGE: case K_FEATURES: return 2;
	case K_LOAD: case K_CLEAN: case K_SPLIT: case K_LIST: case K_EXPORT: return 1;
	default: return 0;
	}
}

static bool has_metric(const struct module *m, const char *name)
{
	for (uint32_t i = 0; i < m->metrics.n; i++)
		if (!strcmp(m->metrics.v[i], name))
			return true;
	return false;
}

/* Who puts out a metric that is read at module `before`, within [first, before). */
static int owner_of(const struct plan *p, uint32_t first, uint32_t before, const char *metric, int fan, bool flag)
{
	int best = -1, rank = 0;

	for (uint32_t i = first; i < before; i++) {
		const struct module *m = &p->modules.v[i];
		int r = metric_rank(m->kind);

		if (m->on || !r || m->cond >= 0 || (m->fan >= 0 && m->fan != fan) || m->dataflow || m->job)
			continue;
		if (flag && (m->kind == K_VALIDATE || m->kind == K_COMPARE))
			r += 4;
		if (strstr(m->name, metric))
			r += 8;
		if (r >= rank) {
			rank = r;
			best = (int)i;
		}
	}
	return best;
}

static uint32_t insert(struct plan *p, uint32_t at, enum kind kind, const char *verb, const char *name, const char *doc)
{
	struct module *m;

	vec_add(p->text->arena, &p->modules);
	memmove(&p->modules.v[at + 1], &p->modules.v[at], sizeof *m * (p->modules.n - 1 - at));
	m = &p->modules.v[at];
	memset(m, 0, sizeof *m);
	m->kind = kind;
	m->verb = verb;
	m->name = name;
	m->doc = doc;
	m->cond = m->fan = m->loop = m->par = -1;
	m->off = m->len = 0;
	return at;
}

static const char *free_name(const struct plan *p, const char *base)
{
	const char *r = base;

	for (int k = 2;; k++) {
		bool taken = false;

		for (uint32_t i = 0; i < p->modules.n; i++)
			taken = taken || !strcmp(p->modules.v[i].name, r);
		for (uint32_t i = 0; i < p->facts.params.n; i++)
			taken = taken || !strcmp(p->facts.params.v[i].name, r);
		if (!taken)
			return r;
		r = nl_fmt(p->text->arena, "%s_%d", base, k);
	}
}

void draft_metrics(struct plan *p)
{
	struct arena *a = p->text->arena;

	for (uint32_t c = 0; c < p->conds.n; c++) {
		const struct cond *q = &p->conds.v[c];
		uint32_t first = 0;
		int own;

		while (first < p->modules.n && (p->modules.v[first].cond != (int)c || p->modules.v[first].on))
			first++;
		if (first == p->modules.n)
			continue;
		own = owner_of(p, 0, first, q->metric, p->modules.v[first].fan, q->flag);
		if (own < 0) {
			own = (int)insert(p, first, q->flag ? K_VALIDATE : K_EVALUATE, "check", free_name(p, nl_fmt(a, "check_%s", q->metric)), nl_fmt(a, "Whether %s", q->text));
			p->modules.v[own].fan = p->modules.v[own + 1].fan;
			p->modules.v[own].sentence = p->modules.v[own + 1].sentence;
		}
		if (!has_metric(&p->modules.v[own], q->metric))
			vec_push(a, &p->modules.v[own].metrics, q->metric);
	}
	for (uint32_t l = 0; l < p->loops.n && p->loops.v[l].metric; l++) {
		uint32_t first = 0, end;
		int best = -1, rank = 0;

		while (first < p->modules.n && p->modules.v[first].loop != (int)l)
			first++;
		for (end = first; end < p->modules.n && p->modules.v[end].loop == (int)l; end++)
			if (metric_rank(p->modules.v[end].kind) >= rank && metric_rank(p->modules.v[end].kind)) {
				rank = metric_rank(p->modules.v[end].kind);
				best = (int)end;
			}
		if (best >= 0 && !has_metric(&p->modules.v[best], p->loops.v[l].metric))
			vec_push(a, &p->modules.v[best].metrics, p->loops.v[l].metric);
	}
}

static void drop(struct plan *p, uint32_t i)
{
	for (uint32_t k = 0; i && k < p->modules.v[i].facts.n; k++)
		vec_push(p->text->arena, &p->modules.v[i - 1].facts, p->modules.v[i].facts.v[k]);
	memmove(&p->modules.v[i], &p->modules.v[i + 1], sizeof p->modules.v[i] * (p->modules.n - i - 1));
	p->modules.n--;
}

/* "one gpu per trial" is of the search, wherever it stands. */
static void give_trials(struct plan *p, uint32_t at)
{
	for (uint32_t i = 0; i < p->facts.v.n; i++) {
		struct fact *f = &p->facts.v.v[i];
		struct rx_match m;
		uint32_t end = f->off + f->len;

		if ((f->type != F_GPU && f->type != F_CPU && f->type != F_MEMORY && f->type != F_TIMEOUT && f->type != F_RETRY) || !rx_find(p->text, "^[ ,]*(?:per|a|each|for each|for every|every) (?:trial|run|configuration|config|combination)\\b", p->text->s + end, p->text->n - end, 0, &m))
			continue;
		for (uint32_t k = 0; k < p->modules.n; k++)
			for (uint32_t q = 0; q < p->modules.v[k].facts.n; q++)
				if (p->modules.v[k].facts.v[q] == i) {
					p->modules.v[k].facts.v[q] = p->modules.v[k].facts.v[--p->modules.v[k].facts.n];
					q--;
				}
		vec_push(p->text->arena, &p->modules.v[at].facts, i);
		f->used = true;
	}
}

static void tidy_sweep(struct plan *p)
{
	struct arena *a = p->text->arena;
	uint32_t at = p->modules.n;

	for (uint32_t i = 0; i < p->modules.n; i++)
		if (p->modules.v[i].kind == K_TUNE && !p->modules.v[i].on && at == p->modules.n)
			at = i;
	if (at == p->modules.n)
		for (uint32_t i = 0; i < p->modules.n; i++)
			if (p->modules.v[i].kind == K_TRAIN && at == p->modules.n)
				at = i;
	if (at == p->modules.n) {
		for (at = 0; at < p->modules.n && p->modules.v[at].off < p->sweep.off; at++)
			;
		insert(p, at, K_TUNE, "tune", free_name(p, "tune"), ntext_orig(p->text, p->sweep.off, (uint32_t)strcspn(p->text->s + p->sweep.off, ".\n")));
	}
	for (uint32_t i = p->modules.n; i-- > at + 1;)
		if (p->modules.v[i].kind == K_TUNE)
			drop(p, i);
	/* "train an xgboost model with random search": the search is the training */
	if (at && p->modules.v[at].kind == K_TUNE && p->modules.v[at - 1].kind == K_TRAIN && p->modules.v[at - 1].sentence == p->modules.v[at].sentence) {
		struct module *t = &p->modules.v[at - 1];

		for (uint32_t k = 0; k < p->modules.v[at].facts.n; k++)
			vec_push(a, &t->facts, p->modules.v[at].facts.v[k]);
		for (uint32_t k = 0; k < p->modules.v[at].metrics.n; k++)
			vec_push(a, &t->metrics, p->modules.v[at].metrics.v[k]);
		t->doc = nl_fmt(a, "%s: %s", t->doc, p->modules.v[at].doc);
		memmove(&p->modules.v[at], &p->modules.v[at + 1], sizeof *t * (p->modules.n - at - 1));
		p->modules.n--;
		at--;
	}
	/* "and keep the best": the search does */
	while (at + 1 < p->modules.n && p->modules.v[at + 1].kind == K_COMPARE && !p->modules.v[at + 1].on && p->modules.v[at + 1].cond < 0 && rx_has(p->text, "(?i)^\\W*(?:and |then )*(?:keep|take|pick|choose|select|use|return|report)\\w* (?:only )?(?:the )?(?:\\w+ )?(?:best|better|winner|winning)\\b(?: \\w+){0,4}\\W*$", p->modules.v[at + 1].doc))
		drop(p, at + 1);
	p->modules.v[at].sweep = true;
	give_trials(p, at);
	p->modules.v[at].par = -1;
	for (uint32_t k = 0; k < p->modules.v[at].facts.n; k++)
		if (p->facts.v.v[p->modules.v[at].facts.v[k]].type == F_PARALLEL)
			p->sweep.parallel = (int)p->facts.v.v[p->modules.v[at].facts.v[k]].num;
	for (uint32_t k = 0; k < p->facts.v.n && !p->sweep.parallel; k++)
		if (p->facts.v.v[k].type == F_PARALLEL && !p->fans.n && !p->facts.v.v[k].whole)
			p->sweep.parallel = (int)p->facts.v.v[k].num;
}

static int train_module(struct plan *p)
{
	for (uint32_t i = 0; i < p->modules.n; i++)
		if ((p->modules.v[i].kind == K_TRAIN || p->modules.v[i].kind == K_TUNE) && !p->modules.v[i].on)
			return (int)i;
	return -1;
}

void draft_tidy(struct plan *p)
{
	struct arena *a = p->text->arena;
	int t;

	if (p->sweep.on)
		tidy_sweep(p);
	/* a service ends by itself */
	for (uint32_t i = p->modules.n; p->services.n && i-- > 0;)
		if (p->modules.v[i].kind == K_CLEANUP && rx_has(p->text, "(?i)\\b(?:shut|tear|bring|take)s? (?:it |them |the \\w+ )?down\\b|\\bstop (?:it|the service)", p->modules.v[i].doc))
			drop(p, i);
	if (p->job.kind) {
		t = train_module(p);
		if (t < 0)
			t = (int)insert(p, 0, K_TRAIN, "train", free_name(p, "train"), ntext_orig(p->text, 0, (uint32_t)strcspn(p->text->s, ".\n")));
		if (!p->modules.v[t].sweep) {
			p->modules.v[t].job = true;
			if (!p->facts.volumes.n) {
				struct nl_volume *v = vec_add(a, &p->facts.volumes);

				*v = (struct nl_volume){ "shared", "100Gi", "rwx", NULL, NULL, "/shared" };
				facts_note(p->text, &p->facts, "Workers of a job hand on files through a shared volume: one of 100Gi is assumed.");
			}
		}
	}
	if (p->dataflow.on) {
		t = train_module(p);
		if (t < 0) {
			t = (int)p->modules.n;
			insert(p, (uint32_t)t, K_TRAIN, "train", free_name(p, "train"), ntext_orig(p->text, 0, (uint32_t)strcspn(p->text->s, "\n")));
		}
		/* operators are not steps */
		for (uint32_t i = p->modules.n; i-- > 0;)
			if ((int)i != t && (p->modules.v[i].kind == K_TRANSFORM || p->modules.v[i].kind == K_CLEAN || p->modules.v[i].kind == K_FEATURES || p->modules.v[i].kind == K_TRAIN || (p->modules.v[i].kind == K_LOAD && p->modules.n < 3))) {
				for (uint32_t k = 0; k < p->modules.v[i].facts.n; k++)
					vec_push(a, &p->modules.v[t].facts, p->modules.v[i].facts.v[k]);
				memmove(&p->modules.v[i], &p->modules.v[i + 1], sizeof p->modules.v[i] * (p->modules.n - i - 1));
				p->modules.n--;
				if ((int)i < t)
					t--;
			}
		p->modules.v[t].dataflow = true;
		p->modules.v[t].fan = p->modules.v[t].par = -1;
	}
}

const char *metric_ref(struct draft *d, const char *metric, uint32_t before)
{
	for (uint32_t i = before; i-- > 0;) {
		const struct module *m = &d->p->modules.v[i];

		if (!has_metric(m, metric))
			continue;
		if (m->loop >= 0 && d->p->loops.v[0].metric && !strcmp(d->p->loops.v[0].metric, metric) && d->p->modules.v[before].loop < 0) {
			for (uint32_t k = 0; k < d->arts.n; k++)
				if (!strncmp(d->arts.v[k].ref, "rounds.", 7))
					return nl_fmt(d->arena, "rounds.%s", metric);
			return nl_fmt(d->arena, "rounds.%s", metric);
		}
		return m->sweep ? nl_fmt(d->arena, "%s.best.%s", m->name, metric) : nl_fmt(d->arena, "%s.%s", m->name, metric);
	}
	return NULL;
}

void draft_sweep(struct draft *d, uint32_t i)
{
	struct module *m = &d->p->modules.v[i];
	const struct sweep_plan *s = &d->p->sweep;
	const struct artifact *data = art_find(d, R_TRAIN);
	const char *task = free_name(d->p, "train_one"), *source = NULL;
	struct strbuf *t = &d->tasks, *b = &d->out;
	bool waits = false;

	if (!data)
		data = art_find(d, R_DATA);
	if (data && data->list)
		data = NULL;
	sb_f(t, "task %s {\ndoc = %s\n", task, nl_quote(d->arena, m->doc));
	for (uint32_t k = 0; k < m->facts.n && !source; k++) {
		const struct fact *f = &d->p->facts.v.v[m->facts.v[k]];

		if (!data && (f->type == F_FILE || f->type == F_URI))
			source = f->str;
	}
	if (data)
		sb_z(t, "in data: file\n");
	if (source)
		sb_z(t, "in source: string\n");
	for (uint32_t k = 0; k < m->params.n; k++)
		for (uint32_t q = 0; q < d->p->facts.params.n; q++)
			if (!strcmp(d->p->facts.params.v[q].name, m->params.v[k]))
				sb_f(t, "in %s: %s\n", m->params.v[k], d->p->facts.params.v[q].type);
	for (uint32_t k = 0; k < s->dims.n; k++)
		sb_f(t, "in %s: %s\n", s->dims.v[k].name, s->dims.v[k].type);
	if (s->budget)
		sb_f(t, "in %s: int\n", s->budget);
	sb_f(t, "out model: file\nout %s: float\n", s->metric);
	for (uint32_t k = 0; k < m->metrics.n; k++)
		if (strcmp(m->metrics.v[k], s->metric) != 0)
			sb_f(t, "out %s: float\n", m->metrics.v[k]);
	sb_z(t, "run = \"\"\"\npython train.py");
	if (data)
		sb_z(t, " --data \"$data\"");
	if (source)
		sb_z(t, " --source \"$source\"");
	for (uint32_t k = 0; k < m->params.n; k++)
		sb_f(t, " --%s \"$%s\"", m->params.v[k], m->params.v[k]);
	for (uint32_t k = 0; k < s->dims.n; k++)
		sb_f(t, " --%s \"$%s\"", s->dims.v[k].name, s->dims.v[k].name);
	if (s->budget)
		sb_f(t, " --%s \"$%s\"", s->budget, s->budget);
	sb_f(t, " \\\n  --model-out \"$model\" --%s-out \"$%s\"", s->metric, s->metric);
	for (uint32_t k = 0; k < m->metrics.n; k++)
		if (strcmp(m->metrics.v[k], s->metric) != 0)
			sb_f(t, " --%s-out \"$%s\"", m->metrics.v[k], m->metrics.v[k]);
	sb_z(t, "\n\"\"\"\n}\n");
	vec_push(d->arena, &d->programs, "train.py");

	sb_f(b, "sweep %s = %s(", m->name, task);
	if (data)
		sb_f(b, "data = %s, ", data->ref);
	if (source)
		sb_f(b, "source = %s, ", nl_quote(d->arena, source));
	for (uint32_t k = 0; k < m->params.n; k++)
		sb_f(b, "%s = %s, ", m->params.v[k], m->params.v[k]);
	for (uint32_t k = 0; k < s->dims.n; k++)
		sb_f(b, "%s%s = %s", k ? ", " : "", s->dims.v[k].name, s->dims.v[k].expr);
	sb_z(b, ") {\n");
	if (!strcmp(s->search, "grid"))
		sb_z(b, "search = grid()\n");
	else if (!strcmp(s->search, "halving"))
		sb_f(b, "search = halving(trials = %d, seed = %d, factor = %d, budget = %s, min = %s, max = %s)\n", s->trials, s->has_seed ? s->seed : 0, s->factor, s->budget, s->lo, s->hi);
	else
		sb_f(b, "search = %s(trials = %d, seed = %d)\n", s->search, s->trials, s->has_seed ? s->seed : 0);
	sb_f(b, "%s = %s\n", s->minimize ? "minimize" : "maximize", s->metric);
	if (s->parallel > 0)
		sb_f(b, "max_parallel = %d\n", s->parallel);
	if (s->max_failed > 0)
		sb_f(b, "max_failed = %d\n", s->max_failed);
	if (s->has_goal)
		sb_f(b, "goal = %s\n", nl_num_text(d->arena, s->goal));
	draft_attrs(d, m, b);
	for (uint32_t k = 0; data && k < d->last.n; k++)
		waits = waits || (d->last.n == 1 && !strncmp(data->ref, d->last.v[k], strcspn(data->ref, ".")) && strlen(d->last.v[k]) == strcspn(data->ref, "."));
	if (!waits && d->last.n) {
		sb_z(b, "after = [");
		for (uint32_t k = 0; k < d->last.n; k++)
			sb_f(b, "%s%s", k ? ", " : "", d->last.v[k]);
		sb_z(b, "]\n");
	}
	sb_z(b, "}\n");
	art_add(d, R_MODEL, nl_fmt(d->arena, "%s.best.model", m->name), (int)i, false);
	d->last.n = 0;
	vec_push(d->arena, &d->last, m->name);
}

static const char *fact_of(struct draft *d, const struct module *m, enum fact_type type, bool skip_worker_image)
{
	for (uint32_t i = 0; i < d->p->facts.v.n; i++) {
		const struct fact *f = &d->p->facts.v.v[i];
		struct rx_match k;
		uint32_t a = f->off > 60 ? f->off - 60 : 0;
		bool worker = rx_find(d->p->text, "worker[^;.\\n]*$", d->p->text->s + a, f->off - a, 0, &k);

		if (f->type == type && worker != skip_worker_image)
			return f->str ? f->str : nl_num_text(d->arena, f->num);
	}
	(void)m;
	return NULL;
}

void draft_dataflow(struct draft *d, uint32_t i)
{
	struct module *m = &d->p->modules.v[i];
	const struct dataflow_plan *f = &d->p->dataflow;
	const char *uri = NULL, *prev = "records", *image = fact_of(d, m, F_IMAGE, true), *wimage = fact_of(d, m, F_IMAGE, false), *wcpu = fact_of(d, m, F_CPU, false);
	const char *gpu = fact_of(d, m, F_GPU, true), *cpu = fact_of(d, m, F_CPU, true), *mem = fact_of(d, m, F_MEMORY, true);
	struct strbuf *b = &d->out;

	for (uint32_t k = 0; k < d->p->facts.v.n && !uri; k++)
		if (d->p->facts.v.v[k].type == F_URI)
			uri = d->p->facts.v.v[k].str;
	if (!uri)
		uri = "s3://bucket/shards/";
	sb_f(b, "step %s {\ndoc = %s\nin shards: dir = %s\nout model: file\n", m->name, nl_quote(d->arena, m->doc), nl_quote(d->arena, uri));
	for (uint32_t k = 0; k < m->metrics.n; k++)
		sb_f(b, "out %s: float\n", m->metrics.v[k]);
	if (image)
		sb_f(b, "image = %s\n", nl_quote(d->arena, image));
	if (gpu || cpu || mem)
		sb_f(b, "resources { %s%s%s%s%s%s%s%s }\n", gpu ? "gpu = " : "", gpu ? gpu : "", gpu && (cpu || mem) ? "; " : "", cpu ? "cpu = " : "", cpu ? cpu : "", cpu && mem ? "; " : "", mem ? "memory = " : "", mem ? mem : "");
	sb_z(b, "dataflow {\nsource records = split(shards)\n");
	for (uint32_t k = 0; k < f->ops.n; k++) {
		const struct op_plan *o = &f->ops.v[k];

		sb_f(b, "op %s { from = %s; ", o->name, prev);
		if (o->stateful)
			sb_z(b, "uses_model = true");
		else
			sb_f(b, "run = \"\"\"python %s.py\"\"\"", o->name);
		if (o->cpu && !o->stateful)
			sb_f(b, "; cpu = %s", o->cpu);
		sb_z(b, " }\n");
		if (!o->stateful)
			vec_push(d->arena, &d->programs, nl_fmt(d->arena, "%s.py", o->name));
		prev = o->name;
	}
	if (!f->ops.n) {
		sb_z(b, "op prepare { from = records; run = \"\"\"python prepare.py\"\"\" }\n");
		vec_push(d->arena, &d->programs, "prepare.py");
		prev = "prepare";
	}
	sb_f(b, "trainer { from = %s; run = \"\"\"python train.py --model-out \"$model\"", prev);
	for (uint32_t k = 0; k < m->metrics.n; k++)
		sb_f(b, " --%s-out \"$%s\"", m->metrics.v[k], m->metrics.v[k]);
	sb_f(b, " \"\"\" }\nworkers { min = %d; max = %d", f->min, f->max);
	vec_push(d->arena, &d->programs, "train.py");
	if (wimage)
		sb_f(b, "; image = %s", nl_quote(d->arena, wimage));
	if (wcpu)
		sb_f(b, "; resources { cpu = %s }", wcpu);
	sb_z(b, " }\nframing = length_prefixed\n}\n}\n");
	art_add(d, R_MODEL, nl_fmt(d->arena, "%s.model", m->name), (int)i, false);
	d->last.n = 0;
	vec_push(d->arena, &d->last, m->name);
}
