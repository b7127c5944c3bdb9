/*
 * The front end in one call: reads a .cw file and what it imports, parses, resolves
 * names and types, and builds the IR (src/front/).
 */
#ifndef COULER_FRONT_H
#define COULER_FRONT_H

#include "couler/ast.h"
#include "couler/ir.h"
#include "couler/seen.h"

/* Bytes of a file, NUL-terminated, in the arena; path "-" is standard input. NULL with errno set. */
char *read_file(struct arena *a, const char *path, size_t *len);

/*
 * Elaborates the file at path ("-": text of standard input, places in it are "<stdin>", its folder is the working directory).
 * workflow: the entry's name, NULL for the rule of docs/language.md ("Files").
 * Returns the module with its entry set, or NULL after diagnostics. With entry optional (check),
 * all workflows and tasks of the file are checked and a file without an entry is fine: *no_entry is set.
 * *status: 0, or the exit code: 1 errors in the source, 2 no such workflow or several candidates, 3 a file that cannot be read.
 */
struct front_opts {
	const char *workflow;
	bool entry_optional;
	struct seen *seen;                /* notes what was asked of the file system; NULL: nobody wants to know */
};
struct ir *front(struct arena *a, struct strtab *strs, struct diag *d, const char *path, const struct front_opts *o, int *status);

/* The same for a text (NUL after len bytes) that would stand at path, which need not exist: a draft. */
struct ir *front_text(struct arena *a, struct strtab *strs, struct diag *d, const char *path, const char *text, size_t len, const struct front_opts *o, int *status);

/* The project root that holds path: nearest ancestor with couler.yaml or .git, else the folder of path. */
const char *project_root(struct arena *a, const char *path);

#endif
