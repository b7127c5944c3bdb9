/* Attributes of a step from the facts that belong to it. */
#include <ctype.h>
#include <string.h>

#include "draft.h"

struct look { double gpu, cpu; const char *gpu_type, *memory, *disk, *image, *account, *priority; };

static void put_resources(struct strbuf *b, struct arena *a, const struct look *l)
{
	int n = 0;

	if (l->gpu < 0 && !(l->cpu > 0) && !l->memory && !l->disk)
		return;
	sb_z(b, "resources { ");
	if (l->cpu > 0)
		sb_f(b, "%scpu = %s", n++ ? "; " : "", nl_num_text(a, l->cpu));
	if (l->memory)
		sb_f(b, "%smemory = %s", n++ ? "; " : "", l->memory);
	if (l->gpu >= 0)
		sb_f(b, "%sgpu = %.0f", n++ ? "; " : "", l->gpu);
	if (l->gpu_type)
		sb_f(b, "%sgpu_type = %s", n++ ? "; " : "", nl_quote(a, l->gpu_type));
	if (l->disk)
		sb_f(b, "%sdisk = %s", n++ ? "; " : "", l->disk);
	sb_z(b, " }\n");
}

static void put_retry(struct strbuf *b, struct arena *a, const struct fact *f)
{
	if (f->num2 <= 0 && f->num3 <= 0 && f->num4 <= 0 && !f->str2) {
		sb_f(b, "retry = %.0f\n", f->num);
		return;
	}
	sb_f(b, "retry { limit = %.0f", f->num);
	if (f->num2 > 0)
		sb_f(b, "; backoff = %s", nl_duration(a, f->num2));
	if (f->num3 > 0)
		sb_f(b, "; factor = %s", nl_num_text(a, f->num3));
	if (f->num4 > 0)
		sb_f(b, "; max_backoff = %s", nl_duration(a, f->num4));
	if (f->str2)
		sb_f(b, "; on = %s", f->str2);
	sb_z(b, " }\n");
}

const char *draft_secret_key(struct draft *d, const struct fact *f)
{
	static const struct { const char *pattern, *key; } rows[] = { { "api[ -]?key", "api_key" }, { "token", "token" }, { "webhook", "url" }, { "passwor[dt]|kennwort|contrasena|senha|mot de passe", "password" }, { "\\burl|dsn|connection", "url" }, { "key", "key" } };
	struct ntext *t = d->p->text;
	uint32_t a = f->off > 50 ? f->off - 50 : 0;
	struct rx_match m;

	if (f->str2 && f->str2[0] != '/')
		return f->str2;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rx_find(t, rows[i].pattern, t->s, f->off + f->len, a, &m))
			return rows[i].key;
	return "value";
}

const char *draft_env_name(struct draft *d, const char *name, const char *key)
{
	bool plain = !strcmp(key, "value") || !strcmp(key, "key");
	const char *s = nl_slug(d->arena, plain ? name : nl_fmt(d->arena, "%s_%s", name, key), strlen(name) + strlen(key) + 1, 5);
	char *u = arena_dup(d->arena, s, strlen(s));

	for (char *c = u; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return u;
}

static void put_secrets(struct draft *d, const struct module *m, struct strbuf *b)
{
	int env = 0, mounts = 0;

	for (int pass = 0; pass < 2; pass++)
		for (uint32_t i = 0; i < m->facts.n; i++) {
			const struct fact *f = &d->p->facts.v.v[m->facts.v[i]];

			if (f->type != F_SECRET || (f->num > 0) != (pass == 1))
				continue;
			if (pass) {
				sb_f(b, "%s%s = secret(%s)", mounts++ ? "; " : "mounts { ", nl_quote(d->arena, f->str2 && f->str2[0] == '/' ? f->str2 : nl_fmt(d->arena, "/secrets/%s", f->str)), nl_quote(d->arena, f->str));
			} else {
				const char *key = draft_secret_key(d, f);

				sb_f(b, "%s%s = secret(%s, %s)", env++ ? "; " : "env { ", draft_env_name(d, f->str, key), nl_quote(d->arena, f->str), nl_quote(d->arena, key));
			}
			if (pass == 0 && env) {
				bool more = false;

				for (uint32_t k = i + 1; k < m->facts.n; k++)
					more = more || (d->p->facts.v.v[m->facts.v[k]].type == F_SECRET && d->p->facts.v.v[m->facts.v[k]].num <= 0);
				if (!more)
					sb_z(b, " }\n");
			}
		}
	for (uint32_t i = 0; i < d->p->facts.volumes.n && (m->kind == K_TRAIN || m->job || d->p->facts.volumes.n); i++)
		if (!m->on && d->p->facts.volumes.v[i].path)
			sb_f(b, "%s%s = %s", mounts++ ? "; " : "mounts { ", nl_quote(d->arena, d->p->facts.volumes.v[i].path), d->p->facts.volumes.v[i].name);
	if (mounts)
		sb_z(b, " }\n");
}

static void one_fact(struct draft *d, const struct fact *f, struct strbuf *b)
{
	struct arena *a = d->arena;

	switch (f->type) {
	case F_RETRY:
		put_retry(b, a, f);
		break;
	case F_TIMEOUT:
		sb_f(b, "timeout = %s\n", nl_duration(a, f->num));
		break;
	case F_CACHE:
		if (f->num > 0)
			sb_f(b, "cache { ttl = %s }\n", nl_duration(a, f->num));
		else if (f->str2)
			sb_f(b, "cache { mode = %s; version = %s }\n", f->str, nl_quote(a, f->str2));
		else
			sb_f(b, "cache = %s\n", f->str);
		break;
	case F_OPTIONAL:
		sb_z(b, "allow_failure = true\n");
		break;
	case F_LOCK:
		if (f->num > 1)
			sb_f(b, "lock = pool(%s, %.0f)\n", nl_quote(a, f->str), f->num);
		else if (f->str)
			sb_f(b, "lock = %s\n", nl_quote(a, f->str));
		break;
	case F_ACCOUNT:
		sb_f(b, "service_account = %s\n", nl_quote(a, f->str));
		break;
	case F_PRIORITY:
		if (isdigit((unsigned char)f->str[0]))
			sb_f(b, "priority = %s\n", f->str);
		else
			sb_f(b, "priority = %s\n", nl_quote(a, f->str));
		break;
	default:
		break;
	}
}

static void put_nodes(struct draft *d, const struct fact *const *v, uint32_t n, struct strbuf *b)
{
	int any = 0;

	for (uint32_t i = 0; i < n; i++)
		if (v[i]->type == F_SELECTOR)
			sb_f(b, "%s%s = %s", any++ ? "; " : "nodes { selector { ", rx_has(d->p->text, "^[A-Za-z_]\\w*$", v[i]->str) ? v[i]->str : nl_quote(d->arena, v[i]->str), nl_quote(d->arena, v[i]->str2));
	if (any)
		sb_z(b, " }");
	for (uint32_t i = 0; i < n; i++)
		if (v[i]->type == F_TOLERATE) {
			sb_f(b, "%stolerate = [%s]", any ? "; " : "nodes { ", nl_quote(d->arena, v[i]->str));
			any = 1;
			break;
		}
	if (any)
		sb_z(b, " }\n");
}

static void put_facts(struct draft *d, const struct fact *const *v, uint32_t n, struct strbuf *b, bool in_defaults, const char *image)
{
	struct look l = { .gpu = -1, .image = image };
	unsigned seen = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct fact *f = v[i];

		if (f->type == F_GPU) {
			l.gpu = f->num > l.gpu ? f->num : l.gpu;
			l.gpu_type = f->str ? f->str : l.gpu_type;
		} else if (f->type == F_CPU) {
			l.cpu = f->num;
		} else if (f->type == F_MEMORY) {
			l.memory = f->str;
		} else if (f->type == F_DISK) {
			l.disk = f->str;
		} else if (f->type == F_IMAGE && (!in_defaults || !l.image)) {
			l.image = f->str;
		}
	}
	if (l.image)
		sb_f(b, "image = %s\n", nl_quote(d->arena, l.image));
	put_resources(b, d->arena, &l);
	for (uint32_t i = 0; i < n; i++) {
		if (seen & 1U << v[i]->type || (in_defaults && v[i]->type == F_LOCK))
			continue;
		seen |= 1U << v[i]->type;
		one_fact(d, v[i], b);
	}
	put_nodes(d, v, n, b);
}

void draft_attrs(struct draft *d, const struct module *m, struct strbuf *b)
{
	const struct fact **v = arena_array(d->arena, const struct fact *, m->facts.n + 1);

	for (uint32_t i = 0; i < m->facts.n; i++)
		v[i] = &d->p->facts.v.v[m->facts.v[i]];
	put_facts(d, v, m->facts.n, b, false, NULL);
	put_secrets(d, m, b);
}

void draft_defaults(struct draft *d, struct strbuf *b)
{
	struct facts *f = &d->p->facts;
	const struct fact **v = arena_array(d->arena, const struct fact *, f->v.n + 1);
	struct strbuf in = { 0 };
	uint32_t n = 0;
	const char *image = NULL;

	for (uint32_t i = 0; i < f->v.n; i++)
		if (!f->v.v[i].used && f->v.v[i].type != F_LABEL)
			v[n++] = &f->v.v[i];
	for (uint32_t i = 0; i < n && !image; i++)
		if (v[i]->type == F_IMAGE)
			image = v[i]->str;
	put_facts(d, v, n, &in, true, image ? image : "python:3.12-slim");
	sb_z(b, "defaults {\n");
	sb_add(b, in.s, in.n);
	sb_z(b, "}\n");
	sb_free(&in);
}

