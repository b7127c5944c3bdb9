/* What the user sees, from the inside: view.c lines, live.c the part of a terminal that is drawn again and again. */
#ifndef COULER_VIEW_H
#define COULER_VIEW_H

#include "rt.h"

struct chunk { uint64_t epoch; size_t end; };  /* text up to end is shown once the journal is durable up to epoch */
struct view {
	struct strbuf text;               /* not shown yet */
	VEC(struct chunk) chunks;
	uint32_t shown;                   /* chunks that were */
	size_t at;                        /* bytes that were */
	bool color, live, asking, stdout_too;
	/* live */
	struct timer tick;
	int width, height, drawn;         /* drawn: lines on the screen now */
	bool knows;                       /* the history was read */
	double *mean;                     /* by node id of the entry's workflows, one after the other; < 0 unknown */
	uint32_t *base;                   /* by workflow id: its first index in mean */
};

void live_start(struct rt *rt);
void live_erase(struct rt *rt);
void live_draw(struct rt *rt);
void sb_elapsed(struct strbuf *b, double s);   /* 0:07, 12:30, 1:02:03 */
int write_err(const char *s, size_t n);
void sb_color(struct rt *rt, struct strbuf *b, const char *code, const char *text);

#endif
