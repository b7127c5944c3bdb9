/* Engines outside of the tree: talking to the program (external_io.c) and what it says (external.c). */
#ifndef COULER_EXTERNAL_H
#define COULER_EXTERNAL_H

#include "couler/backend.h"

/* The path of an executable of that name on PATH, in the arena; NULL. */
const char *external_path(struct arena *a, const char *file);
/*
 * Runs path [arg] with n bytes of in on its standard input; its standard output goes into out. seconds: the limit
 * unless COULER_BACKEND_TIMEOUT says another. 0; else -1 with what went wrong in why.
 */
int external_run(const char *path, const char *arg, const char *in, size_t n, int seconds, struct strbuf *out, struct strbuf *why);

#endif
