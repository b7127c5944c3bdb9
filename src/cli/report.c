/* couler report: one page about a run. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "couler/run.h"
#include "store.h"

struct report { const char *cache, *out; };

static int set(const char *name, const char *value, void *data)
{
	struct report *r = data;

	if (!strcmp(name, "cache"))
		r->cache = value;
	else
		r->out = value;
	return 0;
}

static int report(int argc, char **argv)
{
	struct report r = { NULL, NULL };
	struct strbuf html = { 0 }, name = { 0 };
	int n, rc = cli_parse(command_find("report"), argc, argv, &n, set, &r);
	char *store, *id, *err = NULL;

	if (rc)
		return rc;
	if (n > 1)
		return cli_usage(command_find("report"), "one run at a time");
	store = cli_store(r.cache);
	id = run_find(store, n ? argv[0] : "last", &err);
	if (!id)
		rc = cli_error(2, err);
	else if (run_report(store, id, &html, &err))
		rc = cli_error(3, err);
	else {
		sb_f(&name, "couler-%s.html", id);
		rc = cli_write(r.out ? r.out : sb_cstr(&name), html.s, html.n);
		if (!rc && !(r.out && !strcmp(r.out, "-")))
			printf("%s\n", r.out ? r.out : name.s);
	}
	sb_free(&html);
	sb_free(&name);
	free(id);
	free(store);
	return rc;
}

static const struct cli_opt opts[] = {
	{ 'o', "output", "FILE", "where to write (default: couler-RUN.html)", "file" },
	{ 0, "cache", "DIR", "the folder of results (default: COULER_CACHE, else .couler)", "dir" },
	{ 0, NULL, NULL, NULL, NULL }
};

extern const struct command command_report;
const struct command command_report = {
	.name = "report", .args = "[RUN]", .help = "write a page about a run: graph, timeline, table, logs", .opts = opts, .run = report,
	.text = "Writes one HTML file that needs nothing else and may be sent to others. RUN is an id, the start\nof one, or `last` (the default).\n",
	.examples = "couler report last -o run.html\n",
};
