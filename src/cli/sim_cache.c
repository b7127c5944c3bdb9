/* couler sim cache: which results to keep, by every policy, on workflow traces. */
#include <stdlib.h>
#include <string.h>

#include "couler/cachesim.h"
#include "couler/value.h"
#include "sim.h"

struct cmd { struct arena *arena; struct sim_opts o; const char *format, *out, *budgets, *policies; };

static int number(const char *name, const char *value, double lo, double hi, double *out)
{
	if (double_parse(value, strlen(value), out) || !(*out >= lo) || !(*out <= hi))
		return cli_usage(&sim_cache, "--%s takes a number from %g to %g, not '%s'", name, lo, hi, value);
	return 0;
}

static int count(const char *name, const char *value, double lo, double hi, uint32_t *out)
{
	double x;
	int rc = number(name, value, lo, hi, &x);

	*out = rc ? 0 : (uint32_t)x;
	return rc;
}

static int set(const char *name, const char *value, void *data)
{
	struct cmd *c = data;
	double x;
	uint32_t n;

	if (!strcmp(name, "seeds"))
		return count(name, value, 1, 10000, &c->o.seeds);
	if (!strcmp(name, "rounds"))
		return count(name, value, 1, 10000, &c->o.rounds);
	if (!strcmp(name, "seed")) {
		int rc = count(name, value, 0, 4e9, &n);

		c->o.first = n;
		return rc;
	}
	if (!strcmp(name, "latency"))
		return number(name, value, 0, 1e6, &c->o.latency);
	if (!strcmp(name, "alpha"))
		return number(name, value, 0, 1e6, &c->o.alpha);
	if (!strcmp(name, "beta"))
		return number(name, value, 0, 1e6, &c->o.beta);
	if (!strcmp(name, "bandwidth")) {
		if (size_parse(value, strlen(value), &x) || x <= 0)
			return cli_usage(&sim_cache, "--bandwidth takes a size above zero, of a second, such as 200MB; not '%s'", value);
		c->o.rate = x;
	} else if (!strcmp(name, "edits")) {
		c->o.edits = 0;
		for (int e = 0; e < EDITS_COUNT; e++)
			if (!strcmp(value, sim_edit_names[e]) || !strcmp(value, "both"))
				c->o.edits |= 1u << e;
		if (!c->o.edits)
			return cli_usage(&sim_cache, "--edits takes uniform, late or both, not '%s'", value);
	} else if (!strcmp(name, "budget"))
		c->budgets = value;
	else if (!strcmp(name, "policy"))
		c->policies = value;
	else if (!strcmp(name, "no-bound"))
		c->o.bound = false;
	else if (!strcmp(name, "format"))
		c->format = value;
	else if (!strcmp(name, "output"))
		c->out = value;
	return 0;
}

static int add_budget(struct cmd *c, const char *word, size_t n)
{
	struct sim_budget b = { arena_dup(c->arena, word, n), 0, n && word[n - 1] == '%' };
	int bad = b.share ? double_parse(word, n - 1, &b.value) : n == 1 && *word == '0' ? 0 : size_parse(word, n, &b.value);

	b.value /= b.share ? 100 : 1;
	if (bad || !(b.value >= 0) || (b.share && b.value > 1))
		return cli_usage(&sim_cache, "--budget takes sizes and shares, such as 10GB,5%%; not '%s'", b.label);
	vec_push(c->arena, &c->o.budgets, b);
	return 0;
}

static int add_policy(struct cmd *c, const char *word, size_t n)
{
	const char *name = arena_dup(c->arena, word, n), *names[64], *near;
	const struct keep_policy *p = keep_policy_find(name);
	size_t k = 0;

	if (p) {
		vec_push(c->arena, &c->o.policies, p);
		return 0;
	}
	for (p = keep_policies; p->name; p++)
		names[k++] = p->name;
	near = nearest(name, n, names, k);
	if (near)
		return cli_usage(&sim_cache, "no policy '%s'; did you mean '%s'?", name, near);
	return cli_usage(&sim_cache, "no policy '%s'", name);
}

static int each(struct cmd *c, const char *list, int (*f)(struct cmd *c, const char *word, size_t n))
{
	int rc = 0;

	while (*list && !rc) {
		size_t n = strcspn(list, ",");

		if (n)
			rc = f(c, list, n);
		list += n + (list[n] == ',');
	}
	return rc;
}

static int load(struct cmd *c, const char *word, const struct sim_workload **w, struct diag *d)
{
	size_t n = strlen(word), k = 0;
	const char *near;

	*w = sim_scenario(c->arena, word);
	if (*w)
		return 0;
	if (n < 5 || strcmp(word + n - 5, ".json") != 0) {
		while (sim_scenarios[k])
			k++;
		near = nearest(word, n, sim_scenarios, k);
		if (near)
			return cli_usage(&sim_cache, "no scenario '%s'; did you mean '%s'?", word, near);
		return cli_usage(&sim_cache, "no scenario '%s'; it is one of multimodal, segmentation, language, or a .json trace", word);
	}
	*w = sim_trace(c->arena, word, d);
	return *w ? 0 : 3;
}

/* A trace whose edges go round has no order in which to run. */
static int check(struct cmd *c, const struct sim_workload *w)
{
	if (keep_graph_new(c->arena, w->n, w->edge, w->nedges, w->seconds, w->bytes, 0, 1))
		return 0;
	return cli_fail(3, "%s: its tasks wait for each other in a circle", w->name);
}

static int simulate(struct cmd *c, char **words, int n)
{
	const struct sim_workload **w = arena_array(c->arena, const struct sim_workload *, n + 3);
	struct diag *d = diag_new(c->arena);
	struct sim_result r;
	struct strbuf b = { 0 };
	int rc = 0, count_of = n;

	for (int i = 0; i < n && !rc; i++) {
		rc = load(c, words[i], &w[i], d);
		rc = rc ? rc : check(c, w[i]);
	}
	for (int i = 0; !n && sim_scenarios[i]; i++)
		w[count_of++] = sim_scenario(c->arena, sim_scenarios[i]);
	cli_diag(d, DIAG_TEXT, -1);
	if (rc)
		return rc;
	sim_cache_run(c->arena, w, (uint32_t)count_of, &c->o, &r, NULL, NULL);
	if (!strcmp(c->format, "json"))
		sim_cache_json(&r, &b);
	else if (!strcmp(c->format, "svg"))
		sim_cache_svg(&r, &b);
	else
		sim_cache_text(&r, &b);
	rc = cli_write(c->out, b.s, b.n);
	sb_free(&b);
	return rc;
}

static int run(int argc, char **argv)
{
	struct cmd c = { arena_new(), { .seeds = 30, .rounds = 20, .first = 1, .latency = 0.2, .rate = 200e6, .alpha = 1.5, .beta = 1, .edits = 3, .bound = true }, "text", NULL,
		"10GB,20GB,30GB,1%,2%,5%,10%,20%,50%,100%", NULL };
	int n, rc = cli_parse(&sim_cache, argc, argv, &n, set, &c);

	if (!rc && strcmp(c.format, "text") != 0 && strcmp(c.format, "json") != 0 && strcmp(c.format, "svg") != 0)
		rc = cli_usage(&sim_cache, "-f takes text, json or svg, not '%s'", c.format);
	rc = rc ? rc : each(&c, c.budgets, add_budget);
	for (const struct keep_policy *p = keep_policies; p->name && !rc && !c.policies; p++)
		vec_push(c.arena, &c.o.policies, p);
	if (!rc && c.policies)
		rc = each(&c, c.policies, add_policy);
	if (!rc && (!c.o.budgets.n || !c.o.policies.n))
		rc = cli_usage(&sim_cache, "give a budget and a policy");
	rc = rc ? rc : simulate(&c, argv, n);
	arena_free(c.arena);
	return rc;
}

static const struct cli_opt opts[] = {
	{ 0, "budget", "LIST", "sizes, and shares of all bytes (default: 10GB,20GB,30GB,1%,2%,5%,10%,20%,50%,100%)", NULL },
	{ 0, "policy", "LIST", "policies to play (default: all)", NULL },
	{ 0, "edits", "uniform|late|both", "which steps are edited: all alike, later ones more often (default: both)", "uniform|late|both" },
	{ 0, "rounds", "N", "edits, each with its rerun (default: 20)", NULL },
	{ 0, "seeds", "N", "how often all is repeated, with other edits (default: 30)", NULL },
	{ 0, "seed", "N", "the first seed (default: 1)", NULL },
	{ 0, "latency", "SECONDS", "of loading a result (default: 0.2)", NULL },
	{ 0, "bandwidth", "SIZE", "loaded in a second (default: 200MB)", NULL },
	{ 0, "alpha", "N", "weight of the reconstruction cost in policy couler (default: 1.5)", NULL },
	{ 0, "beta", "N", "weight of the reuse value in policy couler (default: 1)", NULL },
	{ 0, "no-bound", NULL, "do not compute what no policy can beat", NULL },
	{ 'f', "format", "FORMAT", "text (default), json or svg", "text|json|svg" },
	{ 'o', "output", "FILE", "where to write (default: standard output)", "file" },
	{ 0, NULL, NULL, NULL, NULL }
};

const struct command sim_cache = {
	.name = "sim cache", .args = "[SCENARIO|TRACE.json...]", .help = "which results to keep under a storage budget", .opts = opts, .run = run,
	.text = "A workflow runs once; then, round after round, one step is edited and the workflow runs again by\nthe cheapest plan with what was kept. Every policy sees the same edits and the same planner.\n\n"
		"Scenarios: multimodal (37 steps, 19 models), segmentation (15, 8), language (21, 11): generated,\nafter the Couler paper; the default is all three. A TRACE is a WfCommons instance (WfFormat 1.5).\n\n"
		"Policies: none all fifo lru lfu lrc gdsf helix hyppo couler couler+ (docs/optimizer.md). A star\nmarks the least time that keeps the budget; bound is what no policy can beat, optimum (up to 12\nsteps) the best set for the next edit.\n",
	.examples = "couler sim cache segmentation --budget 10GB,20% --seeds 5\ncouler sim cache trace.json -f svg -o cache.svg\n",
};
