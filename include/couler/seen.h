/*
 * What was asked of the file system on the way to a result, and what it said. Where each question would be answered
 * as it was, the result would be the same, and nobody has to make it again (seen.c).
 */
#ifndef COULER_SEEN_H
#define COULER_SEEN_H

#include <stdbool.h>

#include "couler/str.h"
#include "couler/vec.h"

enum seen_kind {
	SEEN_TEXT,                        /* bytes of the file: said is all of them */
	SEEN_CODE,                        /* SHA-256 of the file and whether it is executable: "HEX x", "HEX -" */
	SEEN_TREE,                        /* digest of a directory, as of an input */
	SEEN_FOLDER,                      /* names in the folder, each with a '/' behind it, in byte order, but for those of left_behind */
	SEEN_REAL,                        /* its path without symbolic links; "" where there is none */
	SEEN_FILE                         /* "file" for a regular file, else "" */
};
struct seen_one { enum seen_kind kind; const char *path, *said; size_t n; };
struct seen { struct arena *arena; VEC(struct seen_one) v; };

/* Notes an answer; s may be NULL. path is copied, said is not where it is the text of a file. */
void seen_add(struct seen *s, enum seen_kind kind, const char *path, const char *said, size_t n);
void seen_folder(struct seen *s, const char *path, const char *const *names, size_t n);   /* names in byte order */
/* Whether the file system would say the same of a folder, a real path or the kind of a file; the other kinds are the caller's. */
bool seen_again(enum seen_kind kind, const char *path, const char *said, size_t n);

/* Names that tools leave behind and that are no part of anybody's code. */
bool left_behind(const char *name, size_t n);

#endif
