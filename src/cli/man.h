#ifndef COULER_MAN_H
#define COULER_MAN_H

#include "cli.h"

void man_page(const struct command *c);                                /* to standard output */

#endif
