/*
 * What an sh or bash script reads and sets, found without running it (script_scan.c).
 * Where the text is not what the scanner understands, it says so (lost) and nothing is concluded.
 */
#ifndef COULER_SCRIPT_H
#define COULER_SCRIPT_H

#include <stdbool.h>

#include "couler/str.h"
#include "couler/vec.h"

enum script_use_kind {
	USE_PLAIN,                        /* $x, ${x}, ${#x}, ${x%.gz}: an error of the shell where x is not set */
	USE_ARITH,                        /* x in $((x + 1)) */
	USE_DEFAULT,                      /* ${x:-y}, ${x+y}: fine where x is not set */
	USE_DOTTED                        /* ${x.y}: no shell at all; what people write who expect interpolation */
};
struct script_use { enum script_use_kind kind; uint32_t off, len, name, nname; };   /* all of it; the name */
struct script_part { uint32_t off, len; };
struct script_word { uint32_t off, len; const char *text; uint32_t n; };            /* text: quotes taken off */

struct script {
	struct arena *arena;
	/* Whether a literal word is worth keeping (a path that exists). */
	bool (*keep)(void *data, const char *s, size_t n);
	void *data;
	bool bash;
	/* results */
	VEC(struct script_use) uses;
	VEC(struct script_part) sets;     /* names that the script sets */
	VEC(struct script_part) assigns;  /* names that a plain assignment statement x=... sets without reading x */
	VEC(struct script_word) words;    /* kept words, read from the folder that the script starts in */
	VEC(struct script_word) made;     /* kept words that the script itself makes: > x, -o x, touch x */
	bool dynamic;                     /* eval, source, export "$x=1": anything may be set */
	bool lost;
};

/* Results of a scan before are forgotten, their room is used again. */
void script_scan(struct script *sc, const char *s, size_t n);

#endif
