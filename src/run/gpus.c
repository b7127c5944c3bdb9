/* GPUs: how many there are, and which of them a step has, so that two steps never share one. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "rt.h"

struct gpus { const char **name; struct step **user; int n; bool given; };    /* given: the user named them */

static int by_driver(void)
{
	struct dirent *de;
	int n = 0;
	DIR *d = opendir("/proc/driver/nvidia/gpus");

	while (d && (de = readdir(d)))
		n += de->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

/* The names of CUDA_VISIBLE_DEVICES: numbers or UUIDs, up to the first that is none, as CUDA reads them. */
static void by_user(struct rt *rt, struct gpus *g, const char *list)
{
	for (const char *p = list; *p; p += *p == ',') {
		size_t n = strcspn(p, ",");

		if (!n || *p == '-')
			return;
		g->name[g->n++] = arena_dup(rt->arena, p, n);
		p += n;
	}
}

int gpus_open(struct rt *rt)
{
	struct gpus *g = arena_new_of(rt->arena, struct gpus);
	const char *list = getenv("CUDA_VISIBLE_DEVICES");
	int most = list ? (int)strlen(list) + 1 : by_driver();

	rt->gpus = g;
	g->given = list != NULL;
	g->name = arena_array(rt->arena, const char *, most + 1);
	if (list)
		by_user(rt, g, list);
	for (; !list && g->n < most; g->n++) {
		char num[16];
		int n = snprintf(num, sizeof num, "%d", g->n);

		g->name[g->n] = arena_dup(rt->arena, num, (size_t)n);
	}
	g->user = arena_array(rt->arena, struct step *, g->n + 1);
	return g->n;
}

/* from..from + n of those that s has, with commas. */
static const char *list_of(const struct rt *rt, const struct step *s, int from, int n)
{
	struct strbuf b = { 0 };
	const char *p;

	for (int k = 0, i = 0; k < rt->gpus->n; k++) {
		if (rt->gpus->user[k] != s || i++ < from || i > from + n)
			continue;
		if (b.n)
			sb_ch(&b, ',');
		sb_z(&b, rt->gpus->name[k]);
	}
	p = arena_dup(s->arena, b.s ? b.s : "", b.n);
	sb_free(&b);
	return p;
}

void gpus_take(struct rt *rt, struct step *s)
{
	int left = s->gpu;

	for (int k = 0; k < rt->gpus->n && left > 0; k++)
		if (!rt->gpus->user[k]) {
			rt->gpus->user[k] = s;
			left--;
		}
	s->gpu_list = s->gpu > 0 && rt->gpus->n ? list_of(rt, s, 0, s->gpu) : NULL;
}

void gpus_give(struct rt *rt, const struct step *s)
{
	for (int k = 0; s->gpu > 0 && k < rt->gpus->n; k++)
		if (rt->gpus->user[k] == s)
			rt->gpus->user[k] = NULL;
}

const char *gpus_of(const struct rt *rt, const struct step *s)
{
	return s->gpu_list ? s->gpu_list : rt->gpus->given ? getenv("CUDA_VISIBLE_DEVICES") : NULL;
}

const char *gpus_of_rank(const struct rt *rt, const struct step *s, uint32_t index, uint32_t ranks)
{
	int each = ranks ? s->gpu / (int)ranks : 0;

	return s->gpu_list && each ? list_of(rt, s, (int)index * each, each) : NULL;
}
