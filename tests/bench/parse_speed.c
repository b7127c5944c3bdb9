/* Parses a file 20 times: parse_speed FILE. Throughput is 20 times its size over the CPU time. */
#include <stdio.h>

#include "couler/front.h"

int main(int argc, char **argv)
{
	for (int i = 0; argc == 2 && i < 20; i++) {
		struct arena *a = arena_new();
		struct diag *d = diag_new(a);
		size_t n;
		char *text = read_file(a, argv[1], &n);

		if (!text)
			return 3;
		parse(a, strtab_new(a), d, diag_source(d, argv[1], text, n));
		if (d->errors)
			return 1;
		arena_free(a);
	}
	return argc == 2 ? 0 : 2;
}
