/* Files beside a .cw file: those that travel with a step, and those that a script may name. */
#ifndef COULER_CODE_H
#define COULER_CODE_H

#include "elab.h"

/* s[0..n), after "./", is the relative path of a file beside the .cw file of m: that path, normalized; else NULL. Cheap for what is none. */
const struct str *file_beside(struct elab *e, struct module *m, const char *s, size_t n);

#endif
