/* couler sim elastic: what sharing data workers brings to a cluster. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "couler/elastic.h"
#include "sim.h"

struct elastic_cmd { struct elastic_sim s; const char *format, *out; int seeds; bool extra_given, queue_given; };

struct row { const char *policy; int extra; bool backfill; struct elastic_result r; };

static const char *const policy_names[] = {
#define X(p, words) #p,
	ELASTIC_POLICIES(X)
#undef X
};

static int preset(struct elastic_cmd *c, const char *name)
{
	struct elastic_sim *s = &c->s;

	if (!strcmp(name, "paper64")) {
		s->nodes = 8;
		s->heavy = true;
		s->trace = false;
		s->jobs = 160;
	} else if (!strcmp(name, "mixed")) {
		s->nodes = 8;
		s->heavy = s->trace = false;
		s->jobs = 160;
	} else if (!strcmp(name, "trace")) {
		s->nodes = 8;
		s->trace = true;
		s->heavy = false;
		s->jobs = 300;
	} else {
		return cli_usage(&sim_elastic, "--preset takes paper64, mixed or trace, not '%s'", name);
	}
	return 0;
}

static int number(const char *name, const char *value, double least, double most, double *out)
{
	char *end;

	*out = strtod(value, &end);
	if (*value && !*end && *out >= least && *out <= most)
		return 0;
	return cli_usage(&sim_elastic, "--%s takes a number from %g to %g, not '%s'", name, least, most, value);
}

static int set(const char *name, const char *value, void *data)
{
	struct elastic_cmd *c = data;
	struct elastic_sim *s = &c->s;
	double x = 0;
	int rc = 0;

	if (!strcmp(name, "preset"))
		return preset(c, value);
	if (!strcmp(name, "format")) {
		c->format = value;
		return strcmp(value, "text") && strcmp(value, "json") && strcmp(value, "svg") ? cli_usage(&sim_elastic, "-f takes text, json or svg, not '%s'", value) : 0;
	}
	if (!strcmp(name, "output")) {
		c->out = value;
		return 0;
	}
	if (!strcmp(name, "queue")) {
		c->queue_given = true;
		s->backfill = !strcmp(value, "backfill");
		return s->backfill || !strcmp(value, "fifo") ? 0 : cli_usage(&sim_elastic, "--queue takes fifo or backfill, not '%s'", value);
	}
	if (!strcmp(name, "nodes") && !(rc = number(name, value, 1, 1000, &x)))
		s->nodes = (int)x;
	else if (!strcmp(name, "jobs") && !(rc = number(name, value, 1, 5000, &x)))
		s->jobs = (int)x;
	else if (!strcmp(name, "cpus") && !(rc = number(name, value, 8, 1024, &x)))
		s->cpus = (int)x;
	else if (!strcmp(name, "extra") && !(rc = number(name, value, 0, 1e6, &x))) {
		s->extra = (int)x;
		c->extra_given = true;
	} else if (!strcmp(name, "load"))
		rc = number(name, value, 0.05, 10, &s->load);
	else if (!strcmp(name, "delay"))
		rc = number(name, value, 0, 3600, &s->delay);
	else if (!strcmp(name, "network"))
		rc = number(name, value, 0, 1e6, &s->network);
	else if (!strcmp(name, "buffer"))
		rc = number(name, value, 0, 3600, &s->buffer);
	else if (!strcmp(name, "seed") && !(rc = number(name, value, 0, 9e15, &x)))
		s->seed = (uint64_t)x;
	else if (!strcmp(name, "seeds") && !(rc = number(name, value, 1, 1000, &x)))
		c->seeds = (int)x;
	return rc;
}

static struct row one_row(const struct elastic_cmd *c, enum elastic_policy p, int extra, bool backfill)
{
	struct row row = { .policy = policy_names[p], .extra = extra, .backfill = backfill };

	for (int i = 0; i < c->seeds; i++) {
		struct elastic_sim s = c->s;
		struct elastic_result r;

		s.extra = extra;
		s.backfill = backfill;
		s.network *= 1e9 / 8;
		s.seed += (uint64_t)i;
		elastic_simulate(&s, p, &r);
		row.r.mean += r.mean / c->seeds;
		row.r.p95 += r.p95 / c->seeds;
		row.r.use += r.use / c->seeds;
		row.r.makespan += r.makespan / c->seeds;
	}
	return row;
}

/* Against what the same queue gives with the CPUs that owners asked for. */
static const struct row *base_of(const struct row *v, const struct row *r)
{
	while (v->backfill != r->backfill || strcmp(v->policy, policy_names[EP_user]) != 0)
		v++;
	return v;
}

static void as_text(struct strbuf *b, const struct elastic_cmd *c, const struct row *v, size_t n)
{
	sb_f(b, "%d nodes of %d GPUs and %d CPUs, %d jobs%s, load %g, seeds %llu to %llu\n\n", c->s.nodes, c->s.gpus, c->s.cpus, c->s.jobs,
		c->s.trace ? " of the trace" : c->s.heavy ? " that need more than 3 CPUs a GPU" : "", c->s.load, (unsigned long long)c->s.seed, (unsigned long long)c->s.seed + (unsigned)c->seeds - 1);
	sb_f(b, "%-12s %6s %-9s %10s %10s %8s %10s %9s %9s\n", "policy", "extra", "queue", "mean JCT", "p95 JCT", "GPU use", "makespan", "x JCT", "x use");
	for (size_t i = 0; i < n; i++) {
		const struct row *u = base_of(v, &v[i]);

		sb_f(b, "%-12s %6d %-9s %8.0f s %8.0f s %6.1f %% %8.0f s %9.2f %9.2f\n", v[i].policy, v[i].extra, v[i].backfill ? "backfill" : "fifo", v[i].r.mean, v[i].r.p95,
			100 * v[i].r.use, v[i].r.makespan, u->r.mean / v[i].r.mean, v[i].r.use / u->r.use);
	}
}

static void as_json(struct strbuf *b, const struct elastic_cmd *c, const struct row *v, size_t n)
{
	sb_f(b, "{\"nodes\":%d,\"gpus\":%d,\"cpus\":%d,\"jobs\":%d,\"load\":%g,\"seed\":%llu,\"seeds\":%d,\"rows\":[", c->s.nodes, c->s.gpus, c->s.cpus, c->s.jobs, c->s.load,
		(unsigned long long)c->s.seed, c->seeds);
	for (size_t i = 0; i < n; i++) {
		const struct row *u = base_of(v, &v[i]);

		sb_f(b, "%s\n{\"policy\":\"%s\",\"extra\":%d,\"queue\":\"%s\",\"mean_jct\":%.3f,\"p95_jct\":%.3f,\"gpu_use\":%.5f,\"makespan\":%.3f,\"jct_gain\":%.4f,\"use_gain\":%.4f}", i ? "," : "",
			v[i].policy, v[i].extra, v[i].backfill ? "backfill" : "fifo", v[i].r.mean, v[i].r.p95, v[i].r.use, v[i].r.makespan, u->r.mean / v[i].r.mean, v[i].r.use / u->r.use);
	}
	sb_z(b, "\n]}\n");
}

static void as_svg(struct strbuf *b, const struct row *v, size_t n)
{
	double most = 0;

	for (size_t i = 0; i < n; i++)
		most = v[i].r.mean > most ? v[i].r.mean : most;
	sb_f(b, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"720\" height=\"%zu\" font-family=\"sans-serif\" font-size=\"13\">\n", 40 + 24 * n);
	sb_z(b, "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text x=\"10\" y=\"20\" font-weight=\"bold\">Mean job completion time, s</text>\n");
	for (size_t i = 0; i < n; i++) {
		double w = most > 0 ? 380 * v[i].r.mean / most : 0;
		size_t y = 32 + 24 * i;

		sb_f(b, "<text x=\"10\" y=\"%zu\">%s, %s, +%d CPUs</text>", y + 14, v[i].policy, v[i].backfill ? "backfill" : "fifo", v[i].extra);
		sb_f(b, "<rect x=\"230\" y=\"%zu\" width=\"%.1f\" height=\"18\" fill=\"%s\"/>", y, w, strcmp(v[i].policy, "work") ? "#9bb7d4" : "#2f6db0");
		sb_f(b, "<text x=\"%.1f\" y=\"%zu\">%.0f</text>\n", 238 + w, y + 14, v[i].r.mean);
	}
	sb_z(b, "</svg>\n");
}

static int elastic(int argc, char **argv)
{
	struct elastic_cmd c = { .s = { .nodes = 8, .gpus = 8, .cpus = 64, .jobs = 160, .load = 0.9, .delay = 10, .network = 25, .buffer = 2, .heavy = true, .seed = 1 },
		.format = "text", .seeds = 5 };
	struct row v[4 * EP_COUNT];
	struct strbuf b = { 0 };
	size_t at = 0;
	int n, rc = cli_parse(&sim_elastic, argc, argv, &n, set, &c);

	if (rc)
		return rc;
	if (n)
		return cli_usage(&sim_elastic, "it takes no operand");
	for (int q = 0; q < 2; q++)
		for (int e = 0; e < 2; e++)
			for (int p = 0; p < EP_COUNT; p++) {
				bool backfill = c.queue_given ? c.s.backfill : q;
				int extra = c.extra_given ? c.s.extra : e ? 512 : 0;

				if ((c.queue_given && q) || (c.extra_given && e) || (e && p <= EP_synergy))
					continue;                           /* CPUs elsewhere are of no use to who stays on its node */
				v[at++] = one_row(&c, (enum elastic_policy)p, p <= EP_synergy ? 0 : extra, backfill);
			}
	if (!strcmp(c.format, "json"))
		as_json(&b, &c, v, at);
	else if (!strcmp(c.format, "svg"))
		as_svg(&b, v, at);
	else
		as_text(&b, &c, v, at);
	rc = cli_write(c.out, b.s, b.n);
	sb_free(&b);
	return rc;
}

static const struct cli_opt opts[] = {
	{ 0, "preset", "NAME", "paper64 (default): 64 GPUs and models that need much CPU; mixed: all models; trace: jobs of a public trace", "paper64|mixed|trace" },
	{ 0, "nodes", "N", "nodes of 8 GPUs (default 8)", NULL },
	{ 0, "cpus", "N", "CPUs of a node (default 64)", NULL },
	{ 0, "extra", "N", "CPUs beyond the GPU nodes (default: both 0 and 512)", NULL },
	{ 0, "jobs", "N", "jobs (default 160; trace: 300)", NULL },
	{ 0, "load", "X", "GPU time that arrives, of what there is (default 0.9)", NULL },
	{ 0, "queue", "HOW", "fifo or backfill (default: both)", "fifo|backfill" },
	{ 0, "delay", "S", "seconds until a new worker works (default 10)", NULL },
	{ 0, "buffer", "S", "seconds that a job's queue of records lasts (default 2)", NULL },
	{ 0, "network", "GBIT", "into a node, gigabits a second; 0: no limit (default 25)", NULL },
	{ 0, "seed", "N", "first seed (default 1)", NULL },
	{ 0, "seeds", "N", "runs that are averaged (default 5)", NULL },
	{ 'f', "format", "FORMAT", "text (default), json or svg", "text|json|svg" },
	{ 'o', "output", "FILE", "where to write (default: standard output)", "file" },
	{ 0, NULL, NULL, NULL, NULL }
};

const struct command sim_elastic = {
	.name = "sim elastic", .args = "", .help = "what sharing data workers brings to a cluster", .opts = opts, .run = elastic,
	.text = "Runs training jobs that wait for pre-processing on a simulated cluster under these policies for CPUs:\n\n"
#define X(p, words) "  " #p "\n      " words "\n"
		ELASTIC_POLICIES(X)
#undef X
		"\nJCT is the time from arrival to end; GPU use is GPU time spent training of all there was.\n",
	.examples = "couler sim elastic                            # 64 GPUs\ncouler sim elastic --preset trace --queue backfill -f svg -o jct.svg\n",
};
