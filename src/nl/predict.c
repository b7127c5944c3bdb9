/*
 * Predicted trials: Couler (ICDE 2024), algorithm 4. A data card and a model card go in with configurations, the training
 * logs that a language model expects of them come out. Nothing of that is a result: it ranks what is then really run.
 */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "couler/ir.h"
#include "couler/nl.h"

#define LOG_MOST 1000                     /* entries of one log */
#define SAME 0.01                         /* relative: models write fewer digits than they are given */

static const char system_text[] =
	"You predict training logs. You are given a data card, a model card, an objective and configurations of hyperparameters. "
	"For each configuration, predict the log of a training run with it: 1 to 5 entries, epochs rising, metric being the "
	"objective's value. Configurations must be told apart where you expect a difference.\n"
	"Answer with one JSON object and nothing else:\n"
	"{\"trials\":[{\"id\":0,\"params\":{},\"log\":[{\"epoch\":1,\"loss\":0.9,\"metric\":0.5}]}]}\n"
	"id and params are those of the configuration; every id that is given occurs once; all numbers are finite.";

/* ---- the request ---- */

static void json_text(struct strbuf *b, struct valctx *c, const char *key, const struct str *s)
{
	sb_f(b, "\"%s\":", key);
	if (s)
		json_write(b, jv_str(c, s));
	else
		sb_z(b, "null");
}

static void space_json(struct strbuf *b, struct valctx *c, const struct dist *d)
{
	static const char *const kinds[] = { "choice", "steps", "uniform", "log_uniform", "int_uniform" };

	sb_ch(b, '{');
	json_text(b, c, "name", d->name);
	sb_f(b, ",\"kind\":\"%s\"", kinds[d->kind]);
	if (d->kind == DIST_CHOICE) {
		sb_z(b, ",\"values\":[");
		for (uint32_t k = 0; k < d->nchoice; k++) {
			if (k)
				sb_ch(b, ',');
			value_json(b, &d->choice[k]);
		}
		sb_ch(b, ']');
	} else {
		sb_z(b, ",\"low\":");
		sb_double(b, d->lo);
		sb_z(b, ",\"high\":");
		sb_double(b, d->hi);
	}
	sb_ch(b, '}');
}

void nl_predict_prompt(struct arena *a, struct strtab *strs, const struct sweep *w, const uint32_t *row, uint32_t n, struct nl_message m[2])
{
	struct valctx c = { a, strs };
	struct strbuf b = { 0 };

	sb_ch(&b, '{');
	json_text(&b, &c, "data_card", w->data_card);
	sb_ch(&b, ',');
	json_text(&b, &c, "model_card", w->model_card);
	sb_z(&b, ",\"objective\":{");
	json_text(&b, &c, "name", w->body->nodes.v[0]->ports[w->objective].name);
	sb_f(&b, ",\"better\":\"%s\"},\"space\":[", w->minimize ? "lower" : "higher");
	for (uint32_t k = 0; k < w->nspace; k++) {
		if (k)
			sb_ch(&b, ',');
		space_json(&b, &c, &w->space[k]);
	}
	sb_z(&b, "],\"configurations\":[");
	for (uint32_t k = 0; k < n; k++) {
		sb_f(&b, "%s\n{\"id\":%u,\"params\":{", k ? "," : "", row[k]);
		for (uint32_t p = 0; p < w->nspace; p++) {
			if (p)
				sb_ch(&b, ',');
			json_write(&b, jv_str(&c, w->space[p].name));
			sb_ch(&b, ':');
			value_json(&b, &w->table[(size_t)row[k] * w->nspace + p]);
		}
		sb_z(&b, "}}");
	}
	sb_z(&b, "]}");
	m[0] = (struct nl_message){ "system", system_text };
	m[1] = (struct nl_message){ "user", arena_dup(a, b.s, b.n) };
	sb_free(&b);
}

/* ---- the reply ---- */

/* The object in a reply: behind what was thought aloud, from the first brace to the last. */
static const char *object_in(const char *s, size_t *n)
{
	const char *end = s + *n, *p = memmem(s, *n, "</think>", 8), *q;

	if (p)
		s = p + 8;
	p = memchr(s, '{', (size_t)(end - s));
	q = p ? memrchr(p, '}', (size_t)(end - p)) : NULL;
	*n = q ? (size_t)(q + 1 - p) : 0;
	return q ? p : NULL;
}

struct reading { struct valctx c; const struct sweep *w; const uint32_t *row; uint32_t n; double *best; const char *why; };

static const struct json *get(struct reading *r, const struct json *o, const char *key)
{
	return o->kind == J_OBJ ? json_get(o, str_internz(r->c.strs, key)) : NULL;
}

static bool finite_number(const struct json *j)
{
	return j && j->kind == J_NUM && isfinite(j->u.d);
}

/* Best metric of a log whose epochs rise; NaN with the reason. */
static double best_of_log(struct reading *r, const struct json *log)
{
	double best = NAN, last = -INFINITY;

	if (!log || log->kind != J_LIST || !log->n || log->n > LOG_MOST) {
		r->why = "no log, or one of more than 1,000 entries";
		return NAN;
	}
	for (uint32_t k = 0; k < log->n; k++) {
		const struct json *epoch = get(r, &log->u.list[k], "epoch"), *metric = get(r, &log->u.list[k], "metric"), *loss = get(r, &log->u.list[k], "loss");

		if (!finite_number(metric) || (loss && loss->kind != J_NULL && !finite_number(loss))) {
			r->why = "a metric or a loss that is no finite number";
			return NAN;
		}
		if (!finite_number(epoch) || epoch->u.d < 0 || epoch->u.d <= last) {
			r->why = "epochs that do not rise";
			return NAN;
		}
		last = epoch->u.d;
		if (isnan(best) || (r->w->minimize ? metric->u.d < best : metric->u.d > best))
			best = metric->u.d;
	}
	return best;
}

static bool same_param(struct reading *r, const struct value *v, const struct json *j)
{
	const struct json *mine = value_to_json(&r->c, v);

	if (mine->kind == J_NUM && j->kind == J_NUM)
		return fabs(mine->u.d - j->u.d) <= SAME * fabs(mine->u.d);
	return json_eq(mine, j);
}

/* What it says of itself is the configuration that was asked for. */
static bool same_params(struct reading *r, const struct json *params, uint32_t row)
{
	if (!params || params->kind != J_OBJ) {
		r->why = "a log without its parameters";
		return false;
	}
	for (uint32_t p = 0; p < r->w->nspace; p++) {
		const struct json *j = json_get(params, r->w->space[p].name);

		if (!j || !same_param(r, &r->w->table[(size_t)row * r->w->nspace + p], j)) {
			r->why = "parameters that were not asked for";
			return false;
		}
	}
	return true;
}

static void one_trial(struct reading *r, const struct json *t, bool *seen)
{
	const struct json *id = get(r, t, "id");
	uint32_t k = 0;

	while (id && id->kind == J_NUM && k < r->n && id->u.d != (double)r->row[k])
		k++;
	if (!id || id->kind != J_NUM || k == r->n) {
		r->why = "an id that was not asked for";
		return;
	}
	if (seen[k]) {
		r->why = "an id that is given twice";
		r->best[k] = NAN;
		return;
	}
	seen[k] = true;
	if (same_params(r, get(r, t, "params"), r->row[k]))
		r->best[k] = best_of_log(r, get(r, t, "log"));
}

uint32_t nl_predict_read(struct arena *a, struct strtab *strs, const struct sweep *w, const uint32_t *row, uint32_t n, const char *reply, size_t len, double *best, const char **why)
{
	struct reading r = { { a, strs }, w, row, n, best, NULL };
	const struct json *top, *trials;
	bool *seen = arena_array(a, bool, n + 1);
	const char *text, *err;
	uint32_t good = 0;
	size_t at;

	for (uint32_t k = 0; k < n; k++)
		best[k] = NAN;
	*why = NULL;
	if (utf8_valid(reply, len) < len || !(text = object_in(reply, &len)) || !(top = json_parse(&r.c, text, len, &err, &at))) {
		*why = "no JSON object";
		return 0;
	}
	trials = get(&r, top, "trials");
	if (!trials || trials->kind != J_LIST) {
		*why = "no list of trials";
		return 0;
	}
	for (uint32_t k = 0; k < trials->n; k++)
		one_trial(&r, &trials->u.list[k], seen);
	for (uint32_t k = 0; k < n; k++)
		good += !isnan(best[k]);
	*why = good == n ? NULL : r.why ? r.why : "fewer trials than were asked for";
	return good;
}
