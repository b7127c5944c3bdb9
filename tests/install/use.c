/* A program of somebody who links libcouler: compiles a file for an engine. use FILE ENGINE; prints what the engine takes. */
#include <stdio.h>

#include <couler/front.h>
#include <couler/pass.h>

int main(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct strtab *strs = strtab_new(a);
	struct diag *d = diag_new(a);
	struct optset *opts = optset_new(a);
	const struct backend *engine = argc == 3 ? backend_find(argv[2]) : NULL;
	struct target target = { engine, opts };
	struct front_opts from = { 0 };
	struct pass_run how = { 0 };
	struct strbuf out = { 0 };
	struct ir *m;
	int rc = 2;

	if (!engine)
		return 2;
	how.level = 1;
	m = front(a, strs, d, argv[1], &from, &rc);
	if (m && !passes_run(m, &target, opts, &how, d) && !backend_check(engine, m, opts, d) && !engine->emit(m, opts, &out, d))
		rc = 0;
	if (rc)
		diag_write(d, DIAG_TEXT, false, &out);
	fwrite(out.s, 1, out.n, rc ? stderr : stdout);
	sb_free(&out);
	arena_free(a);
	return rc;
}
