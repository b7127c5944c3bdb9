/* What was pushed from this project: lines of URIs in the folder of results (pushed.c). A hint for people, no more. */
#ifndef COULER_CLI_PUSHED_H
#define COULER_CLI_PUSHED_H

#include "driver.h"

/* How many files of m are not known to be in the store, and their bytes. */
uint32_t pushed_missing(struct job *j, const struct ir *m, uint64_t *bytes);
int push_files(struct job *j, const struct ir *m, bool dry, bool quiet);   /* all that m names into its store; exit code (push.c) */
void pushed_note(struct job *j, const struct ir *m);                    /* all of m are there now */
const char *size_words(double bytes, char out[32]);                     /* "3.4 MB" */

#endif
