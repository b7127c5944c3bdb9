/* What the commands about past runs share (runs.c). */
#ifndef COULER_CLI_STORE_H
#define COULER_CLI_STORE_H

/* The folder of results that a command started here means; malloc. */
char *cli_store(const char *cache);
int cli_error(int code, char *err);                                    /* prints and frees err; gives code */

#endif
