/* Parts of sentences and the marks between them; private to plan.c and marks.c. */
#ifndef COULER_NL_PARTS_H
#define COULER_NL_PARTS_H

#include "plan.h"

enum mark_kind { MARK_IF, MARK_ELSE, MARK_BAD, MARK_GOOD, MARK_ALWAYS, MARK_FOR, MARK_EACH, MARK_LOOP };
struct mark { enum mark_kind kind; uint32_t off, len; int index; };     /* sorted by off */
struct marks { struct mark *v; uint32_t n, cap; };

struct part { uint32_t off, len, sentence; char cut; int module; };     /* cut: what is before it: , ; : > a (a word) | (a mark) \n, 0 */
struct parts { VEC(struct part) v; uint32_t nsentences; };

void parts_cut(struct ntext *t, struct parts *ps, const struct marks *ms);
void marks_read(struct plan *p, struct marks *ms);
void marks_apply(struct plan *p, struct parts *ps, const struct marks *ms);
void parts_facts(struct plan *p, struct parts *ps);

#endif
