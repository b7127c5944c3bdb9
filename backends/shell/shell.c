/* The shell plan: the row of the engine, the frame of the script. */
#include "shell.h"

#include <string.h>

extern const unsigned char embed_backends_shell_runtime_sh[], embed_backends_shell_values_awk[];
extern const size_t embed_backends_shell_runtime_sh_len, embed_backends_shell_values_awk_len;

static bool deep(const struct ir *m, const struct ir_workflow *w, const struct node *n, const struct optset *o)
{
	(void)m;
	(void)w;
	(void)o;
	return n && sh_depth(n) > 7;
}

#define LOCAL "run it with `couler run`, which carries it"

static const struct cap caps[] = {
	{ FEAT_ARGS, "a plan runs programs of this machine, not the entrypoint of an image", "write command = [\"program\", ...] or run = \"\"\"...\"\"\"", NULL },
	{ FEAT_ARGO_BODY, "an argo body is a template of Argo", "compile it with -t argo", NULL },
	{ FEAT_DATAFLOW, "a plan sets up no tf.data service and no Ray", LOCAL, NULL },
	{ FEAT_JOB_PYTORCH, "a plan starts no process groups across ranks", LOCAL, NULL },
	{ FEAT_JOB_TENSORFLOW, "a plan starts no process groups across ranks", LOCAL, NULL },
	{ FEAT_JOB_MPI, "a plan starts no process groups across ranks", LOCAL, NULL },
	{ FEAT_JOB_RAY, "a plan has no Ray cluster", "compile it with -t argo", NULL },
	{ FEAT_JOB_KUBERNETES, "a plan has no Kubernetes", "compile it with -t argo", NULL },
	{ FEAT_SWEEP_TPE, "a plan cannot feed results back into the search", "use search = random(...) or halving(...), or `couler run`", NULL },
	{ FEAT_SWEEP_LLM, "a plan cannot feed results back into the search", "use search = random(...) or halving(...), or `couler run`", NULL },
	{ FEAT_SERVICE, "a plan has no way to see that a service is ready", LOCAL, NULL },
	{ FEAT_LOCATION_REMOTE, "a plan has no client for remote stores", "fetch it in a step with curl or aws, or use `couler run`", NULL },
	{ FEAT_LOCATION_RUNTIME, "a location known only at run time may be remote", "take a string input and fetch it in the step", NULL },
	{ FEAT_PUBLISH_REMOTE, "a plan has no client for remote stores", "upload it in a step with curl or aws, or use `couler run`", NULL },
	{ FEAT_MOUNTS, "a plan runs on this machine without containers", "read the files by their paths on this machine", NULL },
	{ FEAT_CODE_LARGE, "a plan carries text up to 256 KiB", "keep large or binary files in a store and take them as inputs", NULL },
	{ FEAT_TIME_ZONE, "POSIX tools know no time zones", "use UTC, or `couler run`", NULL },
	{ FEAT_FOR, "more than seven regions with instances are nested", "move inner regions into a workflow of their own and call it", deep },
	{ -1, NULL, NULL, NULL },
};

void sh_workflow(struct strbuf *b, const struct ir_workflow *w)
{
	for (uint32_t i = 0; i < w->name->len; i++)
		if (w->name->s[i] == '-')
			sb_z(b, "__copy_");
		else
			sb_ch(b, w->name->s[i]);
}

static void text(struct strbuf *b, const unsigned char *s, size_t n)
{
	sb_add(b, (const char *)s, n);
}

static void default_line(struct plan *p, const struct ir_param *q, bool entry)
{
	struct strbuf e = { 0 };

	if (entry)
		sb_f(p->out, "\tparam %s %s", q->name->s, sh_tag(q->type));
	else
		sb_f(p->out, "\tpassed %s", q->name->s);
	if (!q->dflt) {
		if (entry)
			sb_f(p->out, " || oops \"the parameter '%s' is required: -p %s=VALUE\"", q->name->s, q->name->s);
		sb_ch(p->out, '\n');
		sb_free(&e);
		return;
	}
	sh_expr(p, &e, q->dflt);
	sb_f(p->out, entry ? " || default %s " : " || store_ @%s ", q->name->s);
	sh_quoted(p->out, e.s, e.n);
	sb_ch(p->out, '\n');
	sb_free(&e);
}

static void allowed_line(struct plan *p, const struct ir_param *q)
{
	struct strbuf e = { 0 };

	if (!q->in)
		return;
	sb_f(&e, "bool(is_in(val(\"%s\", \"@%s\"), ", sh_tag(q->type), q->name->s);
	sh_expr(p, &e, q->in);
	sb_z(&e, "))");
	sb_z(p->out, "\tone_of ");
	sb_f(p->out, "%s ", q->name->s);
	sh_quoted(p->out, e.s, e.n);
	sb_ch(p->out, '\n');
	sb_free(&e);
}

static void outs(struct plan *p, const struct ir_workflow *w)
{
	for (uint32_t i = 0; i < w->nouts; i++) {
		struct strbuf e = { 0 };

		sb_z(p->out, "\tregion outs@\n");
		sh_needs_of(p, &w->outs[i].value, 1);
		sh_expr(p, &e, w->outs[i].value);
		sb_f(p->out, "\tout %s ", w->outs[i].name->s);
		sh_quoted(p->out, e.s, e.n);
		if (w->outs[i].to) {
			e.n = 0;
			sh_expr(p, &e, w->outs[i].to);
			sb_ch(p->out, ' ');
			sh_quoted(p->out, e.s, e.n);
		}
		sb_ch(p->out, '\n');
		sb_free(&e);
	}
}

/* A workflow: the functions of its nodes, then one that runs them in order. */
static void workflow(struct plan *p, const struct ir_workflow *w)
{
	static const char *const events[ON_COUNT] = { "success", "failure", "exit" };
	struct strbuf waves = { 0 }, on[ON_COUNT] = { { 0 } };
	bool entry = w == p->m->entry;

	p->w = w;
	sb_f(p->out, "\n# ---- workflow %s ----\n", w->name->s);
	sh_graph(p, w->body, &waves);
	for (int i = 0; i < ON_COUNT; i++)
		if (w->on[i])
			sh_graph(p, w->on[i], &on[i]);
	sb_z(p->out, "\n# the order: a line is a wave, its steps run side by side\nworkflow_");
	sh_workflow(p->out, w);
	sb_z(p->out, "() {\n\tS0='' S=''\n");
	if (w->max_parallel && w->max_parallel->op == EX_LIT && entry) {
		sb_z(p->out, "\tfewer ");
		sb_f(p->out, "%lld\n", (long long)w->max_parallel->u.lit->u.i);
	}
	if (w->fail_fast)
		sb_z(p->out, "\tfast=1\n");
	for (uint32_t i = 0; i < w->nparams; i++) {
		default_line(p, &w->params[i], entry);
		allowed_line(p, &w->params[i]);
	}
	sb_add(p->out, waves.s, waves.n);
	for (int i = 0; i < ON_COUNT; i++) {
		if (!w->on[i])
			continue;
		sb_f(p->out, "\tif on_%s; then\n", events[i]);
		for (const char *s = sb_cstr(&on[i]); *s;) {
			size_t len = strcspn(s, "\n");

			sb_f(p->out, "\t%.*s\n", (int)len, s);
			s += len + (s[len] == '\n');
		}
		sb_z(p->out, "\tfi\n");
	}
	outs(p, w);
	sb_z(p->out, "\t:\n}\n");
	sb_free(&waves);
	for (int i = 0; i < ON_COUNT; i++)
		sb_free(&on[i]);
}

static void called(const struct ir_workflow *w, uint8_t *seen);

static void called_node(struct node *n, void *data)
{
	if (n->kind == N_CALL)
		called(n->u.callee, data);
}

static void called(const struct ir_workflow *w, uint8_t *seen)
{
	if (seen[w->id])
		return;
	seen[w->id] = 1;
	workflow_nodes((struct ir_workflow *)w, called_node, seen);
}

static void head(struct plan *p)
{
	const struct ir_workflow *w = p->m->entry;
	const char *file = p->m->file ? p->m->file->s : "IR";

	sb_f(p->out, "#!/bin/sh\n# %s: %s\n#\n# A plan for one machine, made by couler from %s. It needs sh, awk and what its steps name.\n# sh THIS --help tells its options. The workflow comes first, what runs it after that.\n",
		w->name->s, w->doc ? w->doc->s : "a workflow", strrchr(file, '/') ? strrchr(file, '/') + 1 : file);
	sb_z(p->out, "# shellcheck disable=SC2015,SC2016,SC2030,SC2031,SC2034,SC2086,SC2154,SC2317,SC2329\nset -u\nLC_ALL=C\nexport LC_ALL\n");
	sb_f(p->out, "plan=%s params='", w->name->s);
	for (uint32_t i = 0; i < w->nparams; i++)
		sb_f(p->out, "%s%s", i ? " " : "", w->params[i].name->s);
	sb_z(p->out, "'\n");
}

/* ---- names ---- */

enum { NAME_BYTES = 200 };                /* of CALL, STEP, OUT in CALL.STEP[3][0].OUT.new: NAME_MAX is 255 */

/* beside: of the names that stand before it in a file's */
static void name_check(struct diag *d, const char *what, const struct str *name, unsigned beside, struct span sp)
{
	if (name->len + beside > NAME_BYTES)
		diag_mend(d, diag_at(d, CW0801, sp, "the name of this %s has %u characters, and a plan keeps values in files of these names", what, name->len),
			"take a name of at most %d characters, or run it with `couler run`", NAME_BYTES / 2);
}

static void name_check_node(struct node *n, void *data)
{
	struct diag *d = data;

	if (!n->name)
		return;
	name_check(d, node_kind_name((enum node_kind)n->kind), n->name, 0, n->span);
	for (uint32_t i = 0; n->kind == N_STEP && i < n->nports && n->name->len <= NAME_BYTES; i++)
		name_check(d, "output", n->ports[i].name, n->name->len, n->u.task->outs[i].span);
	for (uint32_t i = 0; n->kind == N_STEP && i < n->u.task->nins; i++)
		name_check(d, "input", n->u.task->ins[i].name, 0, n->u.task->ins[i].span);
}

static int validate(const struct ir *m, const struct optset *o, struct diag *d)
{
	unsigned errors = d->errors;

	(void)o;
	for (uint32_t i = 0; i < m->workflows.n; i++) {
		struct ir_workflow *w = m->workflows.v[i];

		name_check(d, "workflow", w->name, 0, w->span);
		for (uint32_t k = 0; k < w->nparams; k++)
			name_check(d, "param", w->params[k].name, 0, w->params[k].span);
		for (uint32_t k = 0; k < w->nouts; k++)
			name_check(d, "output", w->outs[k].name, 0, w->outs[k].span);
		workflow_nodes(w, name_check_node, d);
	}
	return d->errors > errors ? -1 : 0;
}

static int emit(const struct ir *m, const struct optset *o, struct strbuf *out, struct diag *d)
{
	struct plan p = { .m = m, .opts = o, .diag = d, .arena = arena_new(), .out = out };
	uint8_t *seen = arena_array(p.arena, uint8_t, m->workflows.n + 1);

	head(&p);
	called(m->entry, seen);
	for (uint32_t i = m->workflows.n; i-- > 0;)
		if (seen[m->workflows.v[i]->id])
			workflow(&p, m->workflows.v[i]);
	sb_ch(out, '\n');
	text(out, embed_backends_shell_runtime_sh, embed_backends_shell_runtime_sh_len);
	sb_z(out, "\nwrite_values() {\n\tcat <<'END_OF_VALUES'\n");
	text(out, embed_backends_shell_values_awk, embed_backends_shell_values_awk_len);
	if (p.lists.n)
		sb_f(out, "\n# ---- lists that regions give ----\n\n%s", sb_cstr(&p.lists));
	sb_z(out, "END_OF_VALUES\n}\n\nstart \"$@\"\nworkflow_");
	sh_workflow(out, m->entry);
	sb_z(out, "\nfinish");
	for (uint32_t i = 0; i < m->entry->nouts; i++)
		sb_f(out, " %s", m->entry->outs[i].name->s);
	sb_ch(out, '\n');
	sb_free(&p.lists);
	arena_free(p.arena);
	return 0;
}

extern const struct backend backend_shell;
const struct backend backend_shell = { .name = "shell", .help = "a POSIX sh script that needs nothing of couler", .suffix = ".sh",
	.enters = "a plan runs where it is: compile with -t shell -o plan.sh, then  sh plan.sh", .caps = caps, .validate = validate, .emit = emit };
