/*
 * What the language has, in words: `couler help WORD`, couler-cw(5), completions and
 * editors read it here. Made of the tables of the front end (src/front/help.c).
 */
#ifndef COULER_HELP_H
#define COULER_HELP_H

#include "couler/str.h"

enum construct { CONSTRUCT_STATEMENT, CONSTRUCT_ATTRIBUTE, CONSTRUCT_FUNCTION, CONSTRUCT_TYPE, CONSTRUCT_TOPIC, CONSTRUCT_COUNT };

/* Where an example stands: a whole file, the body of a workflow, of a step, the value of an input, ...: tests put it there. */
enum example_place { EX_FILE, EX_WORKFLOW, EX_STEP, EX_VALUE, EX_IN_SWEEP, EX_IN_FOR, EX_IN_LOOP, EX_IN_WAIT, EX_IN_APPROVE, EX_IN_SERVICE, EX_IN_VOLUME,
	EX_IN_STORE, EX_IN_JOB, EX_IN_TENSORFLOW, EX_IN_MPI, EX_IN_KUBERNETES, EX_IN_DATAFLOW, EX_IN_WORKERS, EX_IN_OP, EX_BODY };

struct help_item {
	const char *word;
	enum construct kind;
	const char *text;                 /* sentences */
	const char *example;              /* .cw; NULL */
	enum example_place place;
};

/* Every construct in turn, from *i = 0 on; false at the end. Words may come more than once. */
bool help_next(uint32_t *i, struct help_item *out);

/* All about a word: a statement, an attribute ("retry", "retry.limit"), a function, a type, a topic. false if there is none. */
bool construct_help(const char *word, struct strbuf *out);

/* The nearest word there is something about; NULL. */
const char *construct_near(const char *word);

/* The lists of one kind as a table, a line each: word, tab, text. */
void construct_list(enum construct kind, struct strbuf *out);

/* The manual page couler-cw(5) as troff. */
void construct_man(struct strbuf *out);

#endif
