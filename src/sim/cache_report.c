/* What the cache simulator found: as text and as JSON. */
#include <string.h>

#include "couler/cachesim.h"

static void gb(struct strbuf *b, double bytes)
{
	sb_f(b, bytes >= 1e9 ? "%.3g GB" : "%.3g MB", bytes >= 1e9 ? bytes / 1e9 : bytes / 1e6);
}

static void time_of(struct strbuf *b, double s)
{
	if (s >= 7200)
		sb_f(b, "%.1f h", s / 3600);
	else
		sb_f(b, s >= 120 ? "%.1f min" : "%.1f s", s >= 120 ? s / 60 : s);
}

/* ---- text ---- */

static void head(struct strbuf *b, const struct sim_cell *c, uint32_t n)
{
	sb_f(b, "  %-12s", "");
	for (uint32_t i = 0; i < n; i++)
		sb_f(b, "%8s", c[i].budget->label);
	sb_ch(b, '\n');
}

static bool is_first(const struct sim_result *r, const struct sim_cell *c, uint32_t me)
{
	for (uint32_t k = 0; k < r->o->policies.n; k++)
		if (!r->o->policies.v[k]->unlimited && c->score[k].seconds < c->score[me].seconds * (1 - 1e-9))
			return false;
	return !r->o->policies.v[me]->unlimited;
}

/* Rows of policies, columns of budgets; the least time that keeps the budget is starred. */
static void block(const struct sim_result *r, const struct sim_cell *c, uint32_t n, struct strbuf *b)
{
	const struct sim_opts *o = r->o;

	sb_f(b, "%s, %s edits: %u steps, first run ", c->w->name, sim_edit_names[c->edits], c->w->n);
	time_of(b, c->cold);
	sb_f(b, ", reruns with nothing kept ");
	time_of(b, c->none);
	sb_z(b, "\n  time of the reruns, % of keeping nothing\n");
	head(b, c, n);
	for (uint32_t k = 0; k < o->policies.n; k++) {
		sb_f(b, "  %-12s", o->policies.v[k]->name);
		for (uint32_t i = 0; i < n; i++)
			sb_f(b, "%7.1f%c", c[i].none > 0 ? 100 * c[i].score[k].seconds / c[i].none : 100, is_first(r, &c[i], k) ? '*' : ' ');
		sb_ch(b, '\n');
	}
	if (c->bound > 0) {
		sb_f(b, "  %-12s", "bound");
		for (uint32_t i = 0; i < n; i++)
			sb_f(b, "%7.1f ", 100 * c[i].bound / c[i].none);
		sb_ch(b, '\n');
	}
	if (c->optimum > 0) {
		sb_f(b, "  %-12s", "optimum");
		for (uint32_t i = 0; i < n; i++)
			sb_f(b, "%7.1f ", 100 * c[i].optimum / c[i].none);
		sb_ch(b, '\n');
	}
	sb_z(b, "  hits, % of what could have been loaded\n");
	for (uint32_t k = 0; k < o->policies.n; k++) {
		sb_f(b, "  %-12s", o->policies.v[k]->name);
		for (uint32_t i = 0; i < n; i++)
			sb_f(b, "%7.1f ", 100 * c[i].score[k].hits);
		sb_ch(b, '\n');
	}
	sb_ch(b, '\n');
}

void sim_cache_text(const struct sim_result *r, struct strbuf *b)
{
	const struct sim_opts *o = r->o;

	sb_f(b, "%u seeds from %llu, %u rounds; loading takes %g s and ", o->seeds, (unsigned long long)o->first, o->rounds, o->latency);
	gb(b, o->rate);
	sb_z(b, "/s\n\n");
	for (uint32_t i = 0; i < r->cells.n; i += o->budgets.n)
		block(r, &r->cells.v[i], o->budgets.n, b);
	for (uint32_t k = 0; k < o->policies.n; k++) {
		struct sim_standing s = sim_standing(r, o->policies.v[k]->name);

		if (!o->policies.v[k]->unlimited)
			sb_f(b, "%-12s first on %3u of %u cells (%.0f %%)\n", o->policies.v[k]->name, s.first, s.cells, 100.0 * s.first / s.cells);
	}
}

/* ---- JSON ---- */

static void num(struct strbuf *b, const char *key, double v)
{
	sb_f(b, "\"%s\":%.6g", key, v);
}

void sim_cache_json(const struct sim_result *r, struct strbuf *b)
{
	const struct sim_opts *o = r->o;

	sb_f(b, "{\"seeds\":%u,\"first_seed\":%llu,\"rounds\":%u,", o->seeds, (unsigned long long)o->first, o->rounds);
	num(b, "latency", o->latency);
	sb_ch(b, ',');
	num(b, "bandwidth", o->rate);
	sb_z(b, ",\"cells\":[");
	for (uint32_t i = 0; i < r->cells.n; i++) {
		const struct sim_cell *c = &r->cells.v[i];

		sb_z(b, i ? ",\n {\"workload\":" : "\n {\"workload\":");
		sb_json(b, c->w->name, strlen(c->w->name));
		sb_f(b, ",\"steps\":%u,\"edits\":\"%s\",\"budget\":\"%s\",", c->w->n, sim_edit_names[c->edits], c->budget->label);
		num(b, "budget_bytes", c->bytes);
		sb_ch(b, ',');
		num(b, "first_run", c->cold);
		sb_ch(b, ',');
		num(b, "nothing_kept", c->none);
		sb_ch(b, ',');
		num(b, "everything_kept", c->all);
		if (c->bound > 0) {
			sb_ch(b, ',');
			num(b, "bound", c->bound);
		}
		if (c->optimum > 0) {
			sb_ch(b, ',');
			num(b, "optimum", c->optimum);
		}
		sb_z(b, ",\"policies\":{");
		for (uint32_t k = 0; k < o->policies.n; k++) {
			const struct sim_score *s = &c->score[k];

			sb_f(b, "%s\n  \"%s\":{\"seconds\":%.6g,\"sd\":%.4g,\"hit_ratio\":%.4f,\"saved\":%.4f,\"evictions\":%u", k ? "," : "", o->policies.v[k]->name, s->seconds, s->sd,
				s->hits, s->saved, s->evictions);
			if (s->worst > 0)
				sb_f(b, ",\"worst_over_lru\":%.4f", s->worst);
			if (c->bound > 0)
				sb_f(b, ",\"regret\":%.4f", s->seconds / c->bound - 1);
			sb_ch(b, '}');
		}
		sb_z(b, "}}");
	}
	sb_z(b, "\n],\"first\":{");
	for (uint32_t k = 0, any = 0; k < o->policies.n; k++) {
		struct sim_standing s = sim_standing(r, o->policies.v[k]->name);

		if (!o->policies.v[k]->unlimited)
			sb_f(b, "%s\"%s\":{\"first\":%u,\"cells\":%u,\"not_behind_lru\":%u,\"not_behind_couler\":%u}", any++ ? "," : "", o->policies.v[k]->name, s.first, s.cells, s.beats_lru,
				s.beats_couler);
	}
	sb_z(b, "}}\n");
}
