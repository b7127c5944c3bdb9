/*
 * --container: a step with an image runs in it, by podman, docker or apptainer. Its folder is there under the same path,
 * writable; what it reads is there read-only; of the environment only what a step may see. The network is the host's
 * where something declares it, else there is none.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rt.h"

#define NO_RUNTIME 125                    /* exit code of podman and docker where they could not start a container */

extern char **environ;

static const struct engine {
	const char *name;
	bool daemon;                      /* like docker's: its command line, and somebody else's processes */
	const char *readonly;
} engines[] = { { "podman", true, "readonly" }, { "docker", true, "readonly" }, { "apptainer", false, "ro" } };

struct containers {
	const struct engine *engine;
	const char *program;
	uint32_t n;
	bool told_host, told_network, volumes;
};

int containers_open(struct rt *rt)
{
	struct containers *c = arena_new_of(rt->arena, struct containers);

	if (!rt->o->container)
		return 0;
	for (size_t k = 0; k < sizeof engines / sizeof *engines; k++)
		if (!strcmp(engines[k].name, rt->o->container))
			c->engine = &engines[k];
	c->program = c->engine ? program_on(rt->arena, rt->path_env, c->engine->name) : NULL;
	if (c->program) {
		rt->containers = c;
		return 0;
	}
	diag_at(rt->d, CW0903, (struct span){ 0 }, c->engine ? "--container=%s: there is no program '%s' on PATH (%s)" : "--container takes podman, docker or apptainer, not '%s'",
		rt->o->container, rt->o->container, rt->path_env);
	return c->engine ? 3 : 2;
}

void containers_close(struct rt *rt)
{
	char *p;

	if (!rt->containers || !rt->containers->volumes)
		return;
	p = file_join(rt->dir, "volumes");
	remove_tree(AT_FDCWD, p);
	free(p);
}

bool in_container(const struct rt *rt, const struct step *s)
{
	return rt->o->container && s->attrs && s->attrs->image && s->task->body != BODY_DATAFLOW;
}

/* ---- the command line ---- */

static const char *arena_join(struct arena *a, const char *dir, const char *name)
{
	char *p = file_join(dir, name), *q = arena_dup(a, p, strlen(p));

	free(p);
	return q;
}

struct line { struct rt *rt; struct step *s; const struct engine *e; char **v; uint32_t n, cap; char **env; uint32_t nenv, ecap; const char *gpu_list; int rc; };

static void put(char ***v, uint32_t *n, uint32_t *cap, struct arena *a, char *z)
{
	if (*n + 1 >= *cap) {
		*v = arena_grow(a, *v, *cap * sizeof **v, (*cap ? 2 * *cap : 64) * sizeof **v);
		*cap = *cap ? 2 * *cap : 64;
	}
	(*v)[(*n)++] = z;
	(*v)[*n] = NULL;
}

static void word(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void word(struct line *l, const char *fmt, ...)
{
	struct strbuf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	sb_vf(&b, fmt, ap);
	va_end(ap);
	put(&l->v, &l->n, &l->cap, l->s->arena, arena_dup(l->s->arena, b.s ? b.s : "", b.n));
	sb_free(&b);
}

/* A field of --mount, which is CSV. */
static void field(struct strbuf *b, const char *key, const char *value)
{
	bool quote = strpbrk(value, ",\"\n") != NULL;

	sb_f(b, quote ? ",\"%s=" : ",%s=", key);
	for (const char *p = value; *p; p++) {
		if (*p == '"')
			sb_ch(b, '"');
		sb_ch(b, *p);
	}
	if (quote)
		sb_ch(b, '"');
}

static void mount(struct line *l, const char *type, const char *from, const char *to, bool writable)
{
	struct strbuf b = { 0 };

	sb_f(&b, "type=%s", type);
	field(&b, "source", from);
	field(&b, l->e->daemon ? "target" : "destination", to);
	if (!writable)
		sb_f(&b, ",%s", l->e->readonly);
	word(l, "--mount");
	word(l, "%s", sb_cstr(&b));
	sb_free(&b);
}

static bool in_dir(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return !strncmp(path, dir, n) && path[n] == '/';
}

/* What it reads: the store's files by its two folders, others one by one. */
static void mount_input(struct line *l, const struct value *v, bool *store)
{
	const char *dir = store_dir(l->rt->store);

	if (v->type.list) {
		for (uint32_t e = 0; e < v->n; e++)
			mount_input(l, &v->u.list[e], store);
	} else if (v->type.kind != T_NULL && in_dir(v->u.s->s, dir)) {
		static const char *const subs[] = { "blobs", "trees" };

		for (int k = 0; k < 2 && !*store; k++) {
			const char *p = arena_join(l->s->arena, dir, subs[k]);

			mount(l, "bind", p, p, false);
		}
		*store = true;
	} else if (v->type.kind != T_NULL)
		mount(l, "bind", v->u.s->s, v->u.s->s, false);
}

/* A secret or config as a folder of its keys. */
static void mount_secret(struct line *l, const struct ir_mount *m)
{
	const char *dir = getenv("CW_SECRETS"), *kind = m->kind == MOUNT_CONFIG ? "config" : "secret", *from;
	struct stat st;

	if (!dir || !*dir) {
		step_why(l->s, "%s \"%s\" is mounted; set CW_SECRETS to a folder that holds it as the folder %s", kind, m->name->s, m->name->s);
		l->rc = -1;
		return;
	}
	from = arena_join(l->s->arena, dir[0] == '/' ? dir : arena_join(l->s->arena, l->rt->cwd, dir), m->name->s);
	if (stat(from, &st) || !S_ISDIR(st.st_mode)) {
		step_why(l->s, "%s \"%s\" is mounted, but %s is no folder", kind, m->name->s, from);
		l->rc = -1;
		return;
	}
	mount(l, "bind", from, m->path->s, false);
}

static void mount_volume(struct line *l, const struct ir_mount *m)
{
	const struct wfrun *wf = l->s->inst->scope->wf;
	const struct ir_volume *v = &wf->w->volumes[m->volume];
	struct strbuf b = { 0 };

	if (v->claim && l->e->daemon)
		mount(l, "volume", v->claim->s, m->path->s, true);
	else if (v->claim) {
		step_why(l->s, "volume '%s' is the claim \"%s\", and %s has no volumes with names: use --container=podman, or a folder of this machine as a `dir` input", v->name->s, v->claim->s, l->e->name);
		l->rc = -1;
	} else {
		sb_f(&b, "%s/volumes/%s%s", l->rt->dir, wf->prefix->s, v->name->s);
		if (make_dirs(sb_cstr(&b))) {
			step_why(l->s, "volume '%s': %s: %s", v->name->s, b.s, strerror(errno));
			l->rc = -1;
		} else
			mount(l, "bind", b.s, m->path->s, true);
		l->rt->containers->volumes = true;
		sb_free(&b);
	}
}

static void mounts(struct line *l)
{
	const struct step *s = l->s;
	struct taskinfo *info = &l->rt->tasks[s->task->id];
	bool store = false;

	mount(l, "bind", s->slot->dir, s->slot->dir, true);
	for (uint32_t k = 0; k < s->task->nins; k++)
		if (type_is_path(s->task->ins[k].type))
			mount_input(l, &s->ins[k], &store);
	if (info->script)
		mount(l, "bind", info->script, info->script, false);
	for (uint32_t k = 0; k < s->attrs->mounts.n && !l->rc; k++)
		(s->attrs->mounts.v[k].kind == MOUNT_VOLUME ? mount_volume : mount_secret)(l, &s->attrs->mounts.v[k]);
}

/* ---- environment ---- */

/* Names that the program of the containers reads itself. */
static bool its_own(const char *name, size_t n)
{
	static const char *const words[] = { "PATH", "HOME", "USER", "TMPDIR" }, *const starts[] = { "DOCKER_", "XDG_", "CONTAINER", "PODMAN", "BUILDAH_", "DBUS_", "LD_", "APPTAINER", "SINGULARITY" };

	for (size_t k = 0; k < sizeof words / sizeof *words; k++)
		if (strlen(words[k]) == n && !memcmp(words[k], name, n))
			return true;
	for (size_t k = 0; k < sizeof starts / sizeof *starts; k++)
		if (!strncmp(name, starts[k], strlen(starts[k])))
			return true;
	return false;
}

static bool of_host(const struct rt *rt, const char *z)
{
	if (!strncmp(z, "MAKEFLAGS=", 10))
		return rt->makeflags && !strcmp(z + 10, rt->makeflags);      /* its descriptors stay outside */
	if (strncmp(z, "PATH=", 5) && strncmp(z, "HOME=", 5) && strncmp(z, "USER=", 5))
		return false;
	for (char **e = rt->base_env; *e; e++)
		if (!strcmp(*e, z))
			return true;
	return false;
}

/* One variable of the step: by its name, so that its value stands in no list of processes. */
static void variable(struct line *l, char *z)
{
	size_t n = strcspn(z, "=");
	struct strbuf b = { 0 };

	if (of_host(l->rt, z) || (l->e->daemon && l->gpu_list && !strncmp(z, "CUDA_VISIBLE_DEVICES=", 21)))
		return;                                                     /* inside, its GPUs count from 0 */
	if (!l->e->daemon) {
		sb_f(&b, "APPTAINERENV_%s", z);
		put(&l->env, &l->nenv, &l->ecap, l->s->arena, arena_dup(l->s->arena, b.s, b.n));
		sb_free(&b);
		if (strncmp(z, "CW_TMP=", 7))
			return;
	} else {
		word(l, "--env");
		if (its_own(z, n)) {
			word(l, "%s", z);
			return;
		}
		word(l, "%.*s", (int)n, z);
	}
	put(&l->env, &l->nenv, &l->ecap, l->s->arena, z);
}

static void environment(struct line *l, char *const *envp)
{
	bool home = false;

	for (char *const *z = envp; *z; z++) {
		home |= !strncmp(*z, "HOME=", 5) && !of_host(l->rt, *z);
		variable(l, *z);
	}
	for (char *const *z = envp; *z && !home && l->e->daemon; z++)
		if (!strncmp(*z, "CW_TMP=", 7)) {
			struct strbuf b = { 0 };

			sb_f(&b, "HOME=%s", *z + 7);
			variable(l, arena_dup(l->s->arena, b.s, b.n));
			sb_free(&b);
		}
}

/* What the program of the containers needs of couler's own; the step's come after it and count where getenv finds the first, so these are left out. */
static void host_environment(struct line *l)
{
	uint32_t mine = l->nenv;

	for (char **z = environ; z && *z; z++) {
		size_t n = strcspn(*z, "=") + 1;
		bool have = !strncmp(*z, "APPTAINERENV_", 13) || !strncmp(*z, "SINGULARITYENV_", 15) || !strncmp(*z, "MAKEFLAGS=", 10);

		for (uint32_t k = 0; k < mine && !have; k++)
			have = !strncmp(l->env[k], *z, n);
		if (!have)
			put(&l->env, &l->nenv, &l->ecap, l->s->arena, *z);
	}
}

/* ---- options ---- */

static bool reads_service(const struct step *s)
{
	for (const struct node *n = s->inst->node; n; n = n->graph->owner)
		for (uint32_t k = 0; k < n->graph->nodes.n; k++)
			if (n->graph->nodes.v[k]->kind == N_SERVICE)
				return true;
	return false;
}

/* A label `network`, a job's workers, a service and who stands beside one. */
static bool network(struct line *l)
{
	const struct step *s = l->s;
	struct evalerr err = { 0 };
	struct value v;

	if (l->rt->o->network || s->task->body == BODY_JOB || reads_service(s))
		return true;
	for (uint32_t k = 0; k < s->attrs->labels.n; k++)
		if (str_eq(s->attrs->labels.v[k].key, "network"))
			return !step_eval_in(l->rt, l->s, s->attrs->labels.v[k].value, false, &v, &err) && v.type.kind == T_STRING && str_eq(v.u.s, "host");
	return false;
}

static double amount(struct line *l, const struct expr *e)
{
	struct evalerr err = { 0 };
	struct value v;

	return e && !step_eval_in(l->rt, l->s, e, false, &v, &err) && v.type.kind != T_NULL ? rt_seconds(&v) : 0;
}

static void limits(struct line *l)
{
	double cpu = amount(l, l->s->attrs->limit_cpu), memory = amount(l, l->s->attrs->limit_memory);

	if (cpu > 0)
		word(l, "--cpus=%g", cpu);
	if (memory > 0 && l->e->daemon)
		word(l, "--memory=%.0fb", memory);
	else if (memory > 0)
		word(l, "--memory=%.0f", memory);
}

static void gpus(struct line *l)
{
	const char *list = l->gpu_list;

	if (!list || !*list)
		return;
	if (!l->e->daemon)
		word(l, "--nv");
	else if (!strcmp(l->e->name, "docker"))
		word(l, "--gpus=\"device=%s\"", list);
	else
		for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',')
			word(l, "--device=nvidia.com/gpu=%.*s", (int)strcspn(p, ","), p);
}

static const char *image(struct line *l)
{
	struct evalerr err = { 0 };
	struct strbuf b = { 0 };
	struct value v;
	char *p;

	if (step_eval_in(l->rt, l->s, l->s->attrs->image, false, &v, &err)) {
		step_why(l->s, "its image could not be evaluated: %s", rt_evalerr(l->rt, &err));
		l->rc = -1;
		return "";
	}
	value_text(&b, &v);
	p = arena_dup(l->s->arena, b.s ? b.s : "", b.n);
	sb_free(&b);
	return p;
}

static void docker_options(struct line *l, const struct spawn *sp, const char *name)
{
	word(l, "run");
	word(l, "--rm");
	word(l, "--init");
	word(l, "--name=%s", name);
	word(l, "--network=%s", network(l) ? "host" : "none");
	word(l, "--security-opt=label=disable");                            /* labels of SELinux would keep it from what is mounted */
	if (!strcmp(l->e->name, "docker"))
		word(l, "--user=%u:%u", (unsigned)geteuid(), (unsigned)getegid());
	else {
		word(l, "--http-proxy=false");
		if (geteuid())
			word(l, "--userns=keep-id");
	}
	if (l->s->task->ncode)
		word(l, "--workdir=%s", sp->cwd);
}

static void apptainer_options(struct line *l, const struct spawn *sp)
{
	word(l, "%s", l->s->task->body == BODY_ARGS ? "run" : "exec");
	word(l, "--containall");
	word(l, "--cleanenv");
	word(l, "--home=%s/t", l->s->slot->dir);
	if (!network(l)) {
		word(l, "--net");
		word(l, "--network=none");
	}
	word(l, "--pwd=%s", sp->cwd);
}

static bool is_sif(const char *image)
{
	size_t n = strlen(image);

	return image[0] == '/' || image[0] == '.' || strstr(image, "://") || (n > 4 && !strcmp(image + n - 4, ".sif"));
}

int container_wrap(struct rt *rt, struct step *s, struct spawn *sp)
{
	struct containers *c = rt->containers;
	struct line l = { .rt = rt, .s = s, .e = c->engine };
	const char *what = image(&l), *name = "";
	char *const *z = sp->envp;
	bool own = c->engine->daemon && s->task->body != BODY_ARGS;
	struct strbuf b = { 0 };

	while (*z && strncmp(*z, "CUDA_VISIBLE_DEVICES=", 21))
		z++;
	l.gpu_list = s->gpu_list && *z ? *z + 21 : NULL;                   /* of a job: the worker's own */
	word(&l, "%s", c->program);
	if (c->engine->daemon) {
		sb_f(&b, "couler-%s-%u", rt->run_id, ++c->n);
		name = sp->container = arena_dup(s->arena, b.s, b.n);
		sb_free(&b);
		docker_options(&l, sp, name);
	} else
		apptainer_options(&l, sp);
	limits(&l);
	gpus(&l);
	mounts(&l);
	environment(&l, sp->envp);
	host_environment(&l);
	if (own && sp->argv[0])
		word(&l, "--entrypoint=%s", sp->argv[0]);                   /* in place of what the image starts */
	word(&l, c->engine->daemon || is_sif(what) ? "%s" : "docker://%s", what);
	for (char *const *v = sp->argv + (own && sp->argv[0]); *v; v++)
		put(&l.v, &l.n, &l.cap, s->arena, *v);
	sp->path = c->program;
	sp->argv = l.v;
	sp->envp = l.env;
	return l.rc;
}

void container_remark(struct rt *rt, const struct step *s, int code)
{
	struct containers *c = rt->containers;
	struct line l = { .rt = rt, .s = (struct step *)(uintptr_t)s, .e = c ? c->engine : NULL };

	if (!c || c->told_network || !in_container(rt, s) || network(&l))
		return;
	if (code == NO_RUNTIME && c->engine->daemon)
		return;
	c->told_network = true;
	view_note(rt, "containers have no network unless it is declared: labels { network = \"host\" } gives it to a step, --network to all");
}

void container_host(struct rt *rt, const struct step *s)
{
	struct containers *c = rt->containers;

	if (!c || c->told_host || in_container(rt, s))
		return;
	c->told_host = true;
	view_note(rt, "%s has no image, so it runs on this machine itself", s->inst->node->name->s);
}

bool container_broken(const struct rt *rt, const struct step *s, int code)
{
	return rt->containers && rt->containers->engine->daemon && code == NO_RUNTIME && in_container(rt, s);
}
