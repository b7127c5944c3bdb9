/*
 * The sampler of search = tpe as a program: search_ask SEED TRIALS LO:HI:KIND..., KIND uniform, log or int. Prints the
 * arguments of a trial on a line, reads its loss on one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/tpe.h"

int main(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct strtab *strs = strtab_new(a);
	struct sweep w = { .search = SEARCH_TPE, .minimize = true, .nspace = argc > 3 ? (uint32_t)argc - 3 : 0 };
	struct dist *space = arena_array(a, struct dist, w.nspace + 1);
	struct value *args = arena_array(a, struct value, w.nspace + 1);
	struct tpe *t;

	if (argc < 4) {
		fputs("usage: search_ask SEED TRIALS LO:HI:KIND...\n", stderr);
		return 2;
	}
	w.seed = strtoull(argv[1], NULL, 10);
	w.trials = strtoll(argv[2], NULL, 10);
	w.space = space;
	for (uint32_t i = 0; i < w.nspace; i++) {
		char kind[16] = "";

		if (sscanf(argv[i + 3], "%lf:%lf:%15s", &space[i].lo, &space[i].hi, kind) != 3)
			return 2;
		space[i].name = str_internf(strs, "x%u", i);
		space[i].kind = !strcmp(kind, "log") ? DIST_LOG_UNIFORM : !strcmp(kind, "int") ? DIST_INT_UNIFORM : DIST_UNIFORM;
		space[i].type = type_of(space[i].kind == DIST_INT_UNIFORM ? T_INT : T_FLOAT);
	}
	t = tpe_new(a, strs, &w);
	for (int64_t k = 0; k < w.trials; k++) {
		double loss;

		tpe_ask(t, (uint32_t)k, args);
		for (uint32_t i = 0; i < w.nspace; i++)
			printf("%s%.17g", i ? " " : "", args[i].type.kind == T_INT ? (double)args[i].u.i : args[i].u.d);
		putchar('\n');
		fflush(stdout);
		if (scanf("%lf", &loss) != 1)
			return 1;
		tpe_tell(t, args, loss);
	}
	arena_free(a);
	return 0;
}
