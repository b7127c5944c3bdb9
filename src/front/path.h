/* Paths of a project: joined and normalized by their text, compared after symbolic links are resolved. */
#ifndef COULER_PATH_H
#define COULER_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "couler/arena.h"

/* rel seen from dir, without ".", ".." where it can be, and double slashes: ("lib", "../a.cw") is "a.cw", (".", "a") is "a". */
const char *path_join(struct arena *a, const char *dir, const char *rel);
/* The folder of a path, "." for a bare name. */
const char *path_folder(struct arena *a, const char *path);
/* realpath in the arena; NULL with errno set. */
const char *path_real(struct arena *a, const char *path);
/* path is root or below it; both absolute and normalized. */
bool path_inside(const char *root, const char *path);
/* The entry of a folder whose name is nearest to name; NULL. */
const char *path_near(struct arena *a, const char *dir, const char *name);
/* Names in a folder but "." and "..", in byte order; *n of them. NULL with errno set. */
const char **path_list(struct arena *a, const char *dir, size_t *n);

#endif
