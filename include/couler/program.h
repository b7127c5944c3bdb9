/* Other programs: found on PATH, run with a text in and a text out (src/base/program.c). */
#ifndef COULER_PROGRAM_H
#define COULER_PROGRAM_H

#include "couler/str.h"

/* The path of an executable of that name on PATH, in the arena; NULL. */
const char *program_path(struct arena *a, const char *file);
/*
 * Runs argv[0], a path, with n bytes of in on its standard input; its standard output goes into out (at most 512 MiB),
 * its standard error stays the user's. 0; else -1 with what went wrong in why, a clause without a subject.
 */
int program_run(const char *const argv[], const char *in, size_t n, int seconds, struct strbuf *out, struct strbuf *why);

#endif
