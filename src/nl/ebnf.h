/* grammar/couler.ebnf as a tree: private to ebnf.c and grammar.c. */
#ifndef COULER_NL_EBNF_H
#define COULER_NL_EBNF_H

#include "couler/nl.h"
#include "couler/str.h"
#include "couler/vec.h"

enum ebnf_kind { EN_SEQ, EN_ALT, EN_OPT, EN_REP, EN_TOKEN, EN_CHARS, EN_CLASS, EN_REF };

/* What may stand at an end of a node. */
enum {
	END_WORD = 1,                     /* a letter, a digit or '_' */
	END_KEYWORD = 2,                  /* of a keyword, which is a word */
	END_OPEN = 4,                     /* of a token after which a newline may stand */
	END_CLOSE = 8,                    /* of a token before which a newline may stand */
	END_NEWLINE = 16,
	END_OTHER = 32,
	END_BLANK = 64                    /* a blank that has been written already */
};

struct ebnf_node {
	enum ebnf_kind kind;
	const char *text;                 /* token or characters without quotes, class with brackets, name */
	VEC(struct ebnf_node *) kids;
	struct production *ref;           /* EN_REF */
	unsigned first, last;             /* END_* */
	bool nullable;
};

/* P_TOKENS: of tokens, with blanks between them; P_CHARS: of characters alone; P_MIXED: of characters, with expressions in it. */
enum production_kind { P_TOKENS, P_CHARS, P_MIXED };

struct production {
	const char *name;
	struct ebnf_node *body;
	enum production_kind kind;
	bool infix;                       /* its tokens are binary operators */
	bool used;
};

struct ebnf { struct arena *a; VEC(struct production) p; };

/* NULL with *why, a constant. Every name in it is defined. */
struct ebnf *ebnf_read(struct arena *a, const char *text, size_t n, const char **why);
struct production *ebnf_find(const struct ebnf *g, const char *name);

#endif
