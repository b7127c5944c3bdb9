/* couler graph: the workflow as a picture. */
#include <string.h>

#include "cli.h"
#include "couler/graph.h"
#include "driver.h"

struct graph_cmd { struct job *job; const char *format, *out, *target; };

static int set(const char *name, const char *value, void *data)
{
	struct graph_cmd *g = data;

	if (!strcmp(name, "format"))
		g->format = value;
	else if (!strcmp(name, "output"))
		g->out = value;
	else
		return job_set(g->job, name, value);
	return 0;
}

static int graph(int argc, char **argv)
{
	struct graph_cmd g = { job_new(), "text", NULL, NULL };
	struct strbuf out = { 0 };
	struct ir *m;
	int rc = job_args(g.job, "graph", argc, argv, set, &g), format;

	if (rc)
		return job_end(g.job, rc);
	format = graph_format(g.format);
	if (format < 0)
		return job_end(g.job, cli_usage(command_find("graph"), "-f takes text, dot, mermaid or svg, not '%s'", g.format));
	m = job_module(g.job, NULL, &rc);
	if (m) {
		graph_render(m, (enum graph_format)format, &out);
		rc = job_spares_sources(g.job, g.out);
		if (!rc)
			rc = cli_write(g.out, out.s, out.n);
	}
	sb_free(&out);
	return job_end(g.job, rc);
}

static const struct cli_opt opts[] = {
	{ 'f', "format", "FORMAT", "text (default), dot, mermaid or svg", "text|dot|mermaid|svg" },
	{ 'o', "output", "FILE", "where to write (default: standard output)", "file" },
	JOB_OPTS,
	{ 0, NULL, NULL, NULL, NULL }
};

extern const struct command command_graph;
const struct command command_graph = {
	.name = "graph", .args = "FILE", .help = "draw the workflow: in the terminal, as dot, Mermaid or SVG", .opts = opts, .run = graph, .text = "",
	.examples = "couler graph churn.cw\ncouler graph churn.cw -f svg -o churn.svg\n",
};
