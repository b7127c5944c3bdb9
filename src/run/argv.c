/* The argument vector of a step. A script of plain words starts its program without a shell between. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rt.h"

#define IN_ARGUMENT 100000                /* a longer script goes into a file: one argument holds 128 KiB */

/* What a POSIX shell does itself, or reads otherwise, so that these words need one. `true` and `false` are programs, too. */
static const char *const shell_words[] = {
	".", ":", "[", "alias", "bg", "break", "case", "cd", "command", "continue", "do", "done", "echo", "elif", "else", "esac", "eval", "exec", "exit",
	"export", "fc", "fg", "fi", "for", "function", "getopts", "hash", "if", "in", "jobs", "kill", "local", "printf", "pwd", "read", "readonly", "return",
	"select", "set", "shift", "source", "test", "then", "time", "times", "trap", "type", "ulimit", "umask", "unalias", "unset", "until", "wait", "while",
};

static int word_cmp(const void *key, const void *at)
{
	return strcmp(key, *(const char *const *)at);
}

/* Splits a script of one line of plain words; NULL where a shell is needed. */
static char **plain_words(struct arena *a, const struct str *script)
{
	size_t n = script->len, words = 0;
	char *copy, **v;

	while (n && script->s[n - 1] == '\n')
		n--;
	for (size_t i = 0; i < n; i++) {
		char c = script->s[i];

		if (!(c == ' ' || c == '_' || c == '-' || c == '.' || c == '/' || c == ',' || c == '+' || c == ':' || c == '@' || c == '%' ||
				(c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
			return NULL;                                        /* `=` is left out: an assignment before a command */
		words += c != ' ' && (!i || script->s[i - 1] == ' ');
	}
	if (!words || n > 4096)
		return NULL;
	copy = arena_dup(a, script->s, n);
	v = arena_array(a, char *, words + 1);
	words = 0;
	for (char *save, *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		v[words++] = w;
	if (bsearch(v[0], shell_words, sizeof shell_words / sizeof *shell_words, sizeof *shell_words, word_cmp))
		return NULL;
	return v;
}

/* ---- programs ---- */

static bool runs(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

const char *program_on(struct arena *a, const char *path, const char *name)
{
	struct strbuf b = { 0 };
	const char *found = NULL;

	while (path && !found) {
		size_t n = strcspn(path, ":");

		b.n = 0;
		sb_add(&b, n ? path : ".", n ? n : 1);
		sb_ch(&b, '/');
		sb_z(&b, name);
		if (runs(sb_cstr(&b)))
			found = arena_dup(a, b.s, b.n);
		path = path[n] ? path + n + 1 : NULL;
	}
	sb_free(&b);
	return found;
}

/* The program that a name means with this environment; NULL if there is none. */
static const char *program(struct rt *rt, struct step *s, const char *name, char *const *env)
{
	const char *path = NULL, *found;
	const struct str *key;

	if (strchr(name, '/'))
		return name;
	for (; env && *env; env++)
		if (!strncmp(*env, "PATH=", 5))
			path = *env + 5;
	if (path && strcmp(path, rt->path_env))
		return program_on(s->arena, path, name);
	key = str_internz(rt->m->strs, name);
	found = strmap_get(&rt->programs, key);
	if (!found) {
		found = program_on(rt->arena, rt->path_env, name);
		if (found)
			strmap_put(rt->arena, &rt->programs, key, (void *)(uintptr_t)found);
	}
	return found;
}

/* ---- scripts ---- */

static const struct str *script_of(const struct ir_task *t)
{
	return t->job ? t->job->run : t->script;
}

/* The script in a file of the run, written once for all steps of the task; NULL after s->what. */
static const char *script_file(struct rt *rt, struct step *s)
{
	struct taskinfo *t = &rt->tasks[s->task->id];
	struct strbuf b = { 0 };
	const struct str *text = script_of(s->task);
	int fd;

	if (t->script)
		return t->script;
	sb_f(&b, "%s/scripts", rt->dir);
	if (!mkdir(sb_cstr(&b), 0777) || errno == EEXIST) {
		sb_f(&b, "/%u-%s", s->task->id, s->task->name->s);
		fd = open(sb_cstr(&b), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0777);
		if (fd >= 0 && write(fd, text->s, text->len) == (ssize_t)text->len && (text->s[text->len ? text->len - 1 : 0] == '\n' || write(fd, "\n", 1) == 1))
			t->script = arena_dup(rt->arena, b.s, b.n);
		if (fd >= 0 && close(fd))
			t->script = NULL;
	}
	if (!t->script)
		step_why(s, "%s: %s", sb_cstr(&b), strerror(errno));
	sb_free(&b);
	return t->script;
}

static char **script_argv(struct rt *rt, struct step *s)
{
	const struct ir_task *t = s->task;
	const struct str *script = script_of(t), *shell = t->shell ? t->shell : str_internz(rt->m->strs, "sh");
	bool sh = str_eq(shell, "sh"), bash = str_eq(shell, "bash");
	struct taskinfo *info = &rt->tasks[t->id];
	char **v;
	const char *file;

	if (sh && !info->tried) {
		info->tried = true;
		info->words = plain_words(rt->arena, script);
	}
	if (sh && info->words && !in_container(rt, s) && program(rt, s, info->words[0], s->env))
		return info->words;
	v = arena_array(s->arena, char *, 6);
	if ((sh || bash) && script->len <= IN_ARGUMENT) {
		uint32_t n = 0;

		v[n++] = (char *)(uintptr_t)shell->s;
		v[n++] = (char *)(uintptr_t)(sh ? "-eu" : "-euo");
		if (bash)
			v[n++] = (char *)(uintptr_t)"pipefail";
		v[n++] = (char *)(uintptr_t)"-c";
		v[n] = (char *)(uintptr_t)script->s;
		return v;
	}
	file = script_file(rt, s);
	if (!file)
		return NULL;
	v[0] = (char *)(uintptr_t)shell->s;
	if (sh)
		v[1] = (char *)(uintptr_t)"-eu";
	if (bash) {
		v[1] = (char *)(uintptr_t)"-euo";
		v[2] = (char *)(uintptr_t)"pipefail";
	}
	v[sh ? 2 : bash ? 3 : 1] = (char *)(uintptr_t)file;
	return v;
}

static char **command_argv(struct rt *rt, struct step *s)
{
	char **v = arena_array(s->arena, char *, s->task->nargv + 1);

	for (uint32_t k = 0; k < s->task->nargv; k++) {
		struct evalerr err = { 0 };
		struct strbuf b = { 0 };
		struct value val;

		if (step_eval_in(rt, s, s->task->argv[k], false, &val, &err)) {
			step_why(s, "argument %u of its command could not be evaluated: %s", k, rt_evalerr(rt, &err));
			return NULL;
		}
		value_text(&b, &val);
		v[k] = arena_dup(s->arena, b.s ? b.s : "", b.n);
		sb_free(&b);
	}
	return v;
}

char **step_argv(struct rt *rt, struct step *s, const char **path)
{
	char **v;

	s->fault = FAULT_VALUE;
	if (s->task->body == BODY_DATAFLOW)
		return dataflow_argv(rt, s, path);
	v = s->task->body == BODY_COMMAND || s->task->body == BODY_ARGS ? command_argv(rt, s) : script_argv(rt, s);
	if (!v || in_container(rt, s))
		return v;                                                   /* the image has the program */
	*path = program(rt, s, v[0], s->env);
	if (!*path) {
		s->fault = FAULT_EXIT;
		step_why(s, "there is no program '%s' in PATH (%s)", v[0], rt->path_env);
		return NULL;
	}
	return v;
}
