/* couler cache: what is kept, why, whether it is sound, and making it smaller. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "couler/run.h"
#include "couler/value.h"
#include "store.h"

struct opts_of { const char *cache; double max_size, max_age; bool json, mend, dry; };

static int set(const char *name, const char *value, void *data)
{
	struct opts_of *o = data;

	if (!strcmp(name, "cache"))
		o->cache = value;
	else if (!strcmp(name, "json"))
		o->json = true;
	else if (!strcmp(name, "mend"))
		o->mend = true;
	else if (!strcmp(name, "dry-run"))
		o->dry = true;
	else if (!strcmp(name, "max-size") && size_parse(value, strlen(value), &o->max_size))
		return cli_fail(2, "--max-size takes a size such as 20Gi, not '%s'", value);
	else if (!strcmp(name, "max-age") && duration_parse(value, strlen(value), &o->max_age))
		return cli_fail(2, "--max-age takes a duration such as 30d, not '%s'", value);
	return 0;
}

static void size_text(double bytes, char out[16])
{
	static const char *const units[] = { "B", "Ki", "Mi", "Gi", "Ti" };
	int u = 0;

	while (bytes >= 1024 && u < 4) {
		bytes /= 1024;
		u++;
	}
	snprintf(out, 16, u ? "%.1f%s" : "%.0f%s", bytes, units[u]);
}

struct list { struct cache_item *v; size_t n, cap; };

static void add(const struct cache_item *i, void *data)
{
	struct list *l = data;

	if (l->n == l->cap)
		l->v = xrealloc(l->v, (l->cap = l->cap ? 2 * l->cap : 64) * sizeof *l->v);
	l->v[l->n] = *i;
	l->v[l->n].step = xstrdup(i->step);
	l->v[l->n++].run = xstrdup(i->run);
}

static int by_time(const void *a, const void *b)
{
	double x = ((const struct cache_item *)a)->time, y = ((const struct cache_item *)b)->time;

	return x < y ? -1 : x > y;
}

static void show(const struct cache_item *i, bool json)
{
	struct strbuf b = { 0 };
	time_t t = (time_t)i->used;
	struct tm tm;
	char when[32], size[16];

	localtime_r(&t, &tm);
	strftime(when, sizeof when, "%Y-%m-%d %H:%M", &tm);
	size_text((double)i->bytes, size);
	if (json) {
		sb_z(&b, "{\"step\":");
		sb_json(&b, i->step, strlen(i->step));
		sb_f(&b, ",\"key\":\"%s\",\"run\":\"%s\",\"time\":%.3f,\"used\":%.3f,\"seconds\":%.3f,\"bytes\":%llu}", i->key, i->run, i->time, i->used, i->seconds, (unsigned long long)i->bytes);
		puts(sb_cstr(&b));
	} else
		printf("%.12s  %s  %8s  %8.1f s  %s\n", i->key, when, size, i->seconds, i->step);
	sb_free(&b);
}

static int ls(const char *store, const struct opts_of *o)
{
	struct list l = { 0 };
	char *err = NULL;
	int rc = cache_each(store, add, &l, &err);

	if (rc)
		return cli_error(3, err);
	if (l.n)
		qsort(l.v, l.n, sizeof *l.v, by_time);
	for (size_t k = 0; k < l.n; k++) {
		show(&l.v[k], o->json);
		free((char *)(uintptr_t)l.v[k].step);
		free((char *)(uintptr_t)l.v[k].run);
	}
	free(l.v);
	return 0;
}

static int why(const char *store, const char *step)
{
	struct strbuf b = { 0 };
	char *err = NULL;

	if (cache_why(store, step, &b, &err))
		return cli_error(1, err);
	fwrite(b.s, 1, b.n, stdout);
	sb_free(&b);
	return 0;
}

static int verify(const char *store, const struct opts_of *o)
{
	struct cache_check c;
	char *err = NULL, size[16];

	if (cache_verify(store, o->mend, &c, &err))
		return cli_error(3, err);
	size_text((double)c.bytes, size);
	printf("%llu files, %llu directories, %s; %llu results; %llu damaged%s, %llu missing\n", (unsigned long long)c.files, (unsigned long long)c.trees, size,
		(unsigned long long)c.actions, (unsigned long long)c.bad, o->mend && c.bad ? " (dropped)" : "", (unsigned long long)c.missing);
	return c.bad || c.missing ? 1 : 0;
}

static int gc(const char *store, const struct opts_of *o)
{
	struct cache_gc g = { .max_bytes = o->max_size, .max_age = o->max_age, .dry_run = o->dry };
	char *err = NULL, freed[16], kept[16];

	if (cache_gc(store, &g, &err))
		return cli_error(3, err);
	size_text((double)g.freed, freed);
	size_text((double)g.kept, kept);
	printf("%s %llu results, %llu objects and %llu old runs: %s freed, %s kept\n", o->dry ? "would drop" : "dropped", (unsigned long long)g.actions,
		(unsigned long long)g.objects, (unsigned long long)g.runs, freed, kept);
	return 0;
}

static int cache(int argc, char **argv)
{
	struct opts_of o = { NULL, -1, -1, false, false, false };
	int n, rc = cli_parse(command_find("cache"), argc, argv, &n, set, &o);
	char *store;

	if (rc)
		return rc;
	store = cli_store(o.cache);
	if (n == 1 && !strcmp(argv[0], "ls"))
		rc = ls(store, &o);
	else if (n == 2 && !strcmp(argv[0], "why"))
		rc = why(store, argv[1]);
	else if (n == 1 && !strcmp(argv[0], "verify"))
		rc = verify(store, &o);
	else if (n == 1 && !strcmp(argv[0], "gc"))
		rc = gc(store, &o);
	else
		rc = cli_usage(command_find("cache"), "ls, why STEP, verify or gc");
	free(store);
	return rc;
}

static const struct cli_opt opts[] = {
	{ 0, "max-size", "SIZE", "gc: drop the longest unused until what is left fits", NULL },
	{ 0, "max-age", "DURATION", "gc: drop what was not used for so long", NULL },
	{ 'n', "dry-run", NULL, "gc: only say what would go", NULL },
	{ 0, "mend", NULL, "verify: drop what is damaged, so that it is made again", NULL },
	{ 0, "json", NULL, "ls: one JSON object a line", NULL },
	{ 0, "cache", "DIR", "the folder of results (default: COULER_CACHE, else .couler)", "dir" },
	{ 0, NULL, NULL, NULL, NULL }
};

extern const struct command command_cache;
const struct command command_cache = {
	.name = "cache", .args = "ls|why STEP|verify|gc", .help = "look into the kept results and tidy them", .opts = opts, .run = cache,
	.text = "ls lists the results that are kept, with their last use; why shows what the identity of a step is\nmade of and what changed; verify hashes everything; gc drops whole results and what nothing refers\n"
		"to any more, never what a run that is under way holds; and replies of `search = llm` that no run read\nfor 30 days, or --max-age.\n\nexit codes: 0 done, 1 verify found damage or why found nothing, 2 wrong usage, 3 file trouble.\n",
	.examples = "couler cache why train\ncouler cache gc --max-size 20Gi --max-age 30d\n",
};
