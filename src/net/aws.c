/* Who asks a bucket: the variables and files that every tool for S3 reads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "place.h"

static char *env(const char *name)
{
	const char *s = getenv(name);

	return s && *s ? xstrdup(s) : NULL;
}

static char *trim(char *s)
{
	size_t n;

	s += strspn(s, " \t\r\n");
	for (n = strlen(s); n && strchr(" \t\r\n", s[n - 1]); n--)
		s[n - 1] = '\0';
	return s;
}

struct wanted { const char *name; char **to; };

/* Lines `name = value` of [section] into those of want that have nothing yet. */
static void read_ini(const char *path, const char *section, const struct wanted *want)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0;
	bool here = false;

	while (f && getline(&line, &cap, f) >= 0) {
		char *s = trim(line), *eq;
		size_t n = strlen(s);

		if (*s == '[') {
			if (n && s[n - 1] == ']')
				s[n - 1] = '\0';
			here = !strcmp(trim(s + 1), section);
			continue;
		}
		eq = strchr(s, '=');
		if (!here || !eq || *s == '#')
			continue;
		*eq = '\0';
		for (const struct wanted *w = want; w->name; w++)
			if (!*w->to && !strcmp(trim(s), w->name))
				*w->to = xstrdup(trim(eq + 1));
	}
	free(line);
	if (f)
		fclose(f);
}

static char *file_called(const char *variable, const char *name)
{
	struct strbuf b = { 0 };
	const char *home = getenv("HOME");
	char *path = env(variable);

	if (path)
		return path;
	sb_f(&b, "%s/.aws/%s", home ? home : "", name);
	sb_ch(&b, '\0');
	return b.s;
}

void aws_read(struct aws *a)
{
	struct wanted keys[] = { { "aws_access_key_id", &a->key_id }, { "aws_secret_access_key", &a->secret }, { "aws_session_token", &a->session }, { NULL, NULL } };
	struct wanted region[] = { { "region", &a->region }, { NULL, NULL } };
	const char *profile = getenv("AWS_PROFILE");
	struct strbuf b = { 0 };
	char *path;

	*a = (struct aws){ env("AWS_ACCESS_KEY_ID"), env("AWS_SECRET_ACCESS_KEY"), env("AWS_SESSION_TOKEN"), env("AWS_REGION") };
	if (!a->region)
		a->region = env("AWS_DEFAULT_REGION");
	profile = profile && *profile ? profile : "default";
	if (!a->key_id || !a->secret) {
		free(a->key_id);
		free(a->secret);
		free(a->session);
		a->key_id = a->secret = a->session = NULL;
		path = file_called("AWS_SHARED_CREDENTIALS_FILE", "credentials");
		read_ini(path, profile, keys);
		free(path);
	}
	sb_f(&b, "%s%s", strcmp(profile, "default") ? "profile " : "", profile);
	path = file_called("AWS_CONFIG_FILE", "config");
	if (!a->region)
		read_ini(path, sb_cstr(&b), region);
	if (!a->key_id)
		read_ini(path, sb_cstr(&b), keys);
	free(path);
	sb_free(&b);
}

void aws_free(struct aws *a)
{
	free(a->key_id);
	free(a->secret);
	free(a->session);
	free(a->region);
	*a = (struct aws){ 0 };
}
