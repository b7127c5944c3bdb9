/*
 * Workflows like those of the Couler paper's caching experiments (ICDE 2024, section VI): the numbers of pods and models
 * are the paper's, the shapes and the figures are ours, since the paper gives none. Times in minutes, sizes in GB; both
 * are medians, a seed draws around them.
 */
#include <stdio.h>
#include <string.h>

#include "couler/cachesim.h"

/* A group of nodes: how many, their figures, and the groups they read: every node of one, or the one of the same place. */
struct group { const char *name; uint32_t n; double minutes, gb; const char *reads; };

static const struct group multimodal[] = {                            /* 37 pods, 19 models */
	{ "load", 3, 8, 6.0, "" }, { "clean", 3, 12, 4.0, "load=" }, { "augment", 3, 20, 5.0, "clean=" },
	{ "join", 1, 10, 3.0, "augment" },
	{ "encoder_image", 4, 70, 0.9, "augment:0" }, { "encoder_text", 4, 45, 0.6, "augment:1" }, { "encoder_audio", 4, 40, 0.5, "augment:2" },
	{ "fusion", 6, 90, 1.5, "join encoder_image:0 encoder_text:0 encoder_audio:0" }, { "ensemble", 1, 15, 2.0, "fusion" },
	{ "evaluate", 6, 6, 0.05, "fusion= join" }, { "compare", 1, 2, 0.01, "evaluate ensemble" }, { "report", 1, 1, 0.005, "compare encoder_image encoder_text encoder_audio" },
	{ NULL, 0, 0, 0, NULL },
};
static const struct group segmentation[] = {                          /* 15 pods, 8 models */
	{ "load", 1, 6, 12.0, "" }, { "split", 1, 4, 12.0, "load" }, { "augment", 1, 25, 16.0, "split" }, { "resize", 2, 9, 7.0, "augment" },
	{ "small", 4, 35, 0.3, "resize:0" }, { "large", 4, 80, 0.8, "resize:1" }, { "ensemble", 1, 12, 1.1, "small large" }, { "evaluate", 1, 5, 0.02, "ensemble small large split" },
	{ NULL, 0, 0, 0, NULL },
};
static const struct group language[] = {                              /* 21 pods, 11 models */
	{ "corpus", 1, 10, 8.0, "" }, { "clean", 1, 30, 5.0, "corpus" }, { "tokens", 1, 18, 9.0, "clean" }, { "split", 1, 3, 9.0, "tokens" }, { "base", 1, 12, 13.0, "" },
	{ "adapt", 1, 180, 13.0, "base split" }, { "tune", 5, 60, 3.0, "adapt split" }, { "lora", 5, 25, 0.2, "base split" },
	{ "evaluate", 4, 8, 0.05, "tune= lora= split" }, { "report", 1, 1, 0.01, "evaluate tune lora" },
	{ NULL, 0, 0, 0, NULL },
};

const char *const sim_scenarios[] = { "multimodal", "segmentation", "language", NULL };
static const struct group *const groups_of[] = { multimodal, segmentation, language };

struct making { struct arena *a; const struct group *g; struct sim_workload *w; VEC(struct { uint32_t v[2]; }) edges; };

static uint32_t first_of(const struct group *g, const char *name, size_t len, uint32_t *n)
{
	uint32_t at = 0;

	for (; g->name; g++) {
		*n = g->n;
		if (strlen(g->name) == len && !memcmp(g->name, name, len))
			return at;
		at += g->n;
	}
	*n = 0;
	return at;
}

/* "a": all of a; "a=": the one of the same place, counted round; "a:2": the one at place 2. */
static void reads(struct making *m, const char *words, uint32_t node, uint32_t place)
{
	while (*words) {
		size_t len = strcspn(words, " "), name = strcspn(words, "=: ");
		uint32_t n, first = first_of(m->g, words, name, &n), from = 0, to = n;

		if (words[name] == '=' && n)
			to = (from = place % n) + 1;
		else if (words[name] == ':')
			to = (from = (uint32_t)(words[name + 1] - '0')) + 1;
		for (uint32_t i = from; i < to; i++) {
			vec_add(m->a, &m->edges);
			m->edges.v[m->edges.n - 1].v[0] = first + i;
			m->edges.v[m->edges.n - 1].v[1] = node;
		}
		words += len + (words[len] == ' ');
	}
}

const struct sim_workload *sim_scenario(struct arena *a, const char *name)
{
	struct making m = { .a = a };
	struct sim_workload *w = arena_new_of(a, struct sim_workload);
	uint32_t node = 0, which = 0;
	double *seconds, *bytes;
	const char **names;

	while (sim_scenarios[which] && strcmp(sim_scenarios[which], name) != 0)
		which++;
	if (!sim_scenarios[which])
		return NULL;
	m.g = groups_of[which];
	w->n = first_of(m.g, "", 0, &node);
	seconds = arena_array(a, double, w->n);
	bytes = arena_array(a, double, w->n);
	names = arena_array(a, const char *, w->n);
	node = 0;
	for (const struct group *g = m.g; g->name; g++)
		for (uint32_t i = 0; i < g->n; i++, node++) {
			char label[64];
			int len = g->n > 1 ? snprintf(label, sizeof label, "%s-%u", g->name, i) : snprintf(label, sizeof label, "%s", g->name);

			names[node] = arena_dup(a, label, (size_t)len);
			seconds[node] = 60 * g->minutes;
			bytes[node] = 1e9 * g->gb;
			reads(&m, g->reads, node, i);
		}
	*w = (struct sim_workload){ sim_scenarios[which], w->n, m.edges.n, names, (const uint32_t (*)[2])(const void *)m.edges.v, seconds, bytes, true };
	return w;
}
