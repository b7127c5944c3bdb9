/* Locations: s3://, gs://, https://, git+https:// with what the stores say about them. */
#include "file.h"

#include <string.h>

void key_write(struct argo *g, struct yaml *y, const char *key)
{
	bool azure = !strcmp(g->repository, "azure");

	y_open(y, g->repository);
	if (azure) {                      /* members that the schema asks for; empty, the repository's own are taken */
		y_z(y, "endpoint", "");
		y_z(y, "container", "");
	}
	y_z(y, azure ? "blob" : "key", key);
	y_end(y);
}

/* The texts that a location may be where it depends on an element of a literal list: one for each; NULL if it does not. */
static const char **choices(struct argo *g, const struct expr *e, const struct node **f)
{
	const struct value *r;
	const char **v;

	*f = e->op == EX_REF && e->fn == REF_ITEM && e->u.node->u.for_.list->op == EX_LIT ? e->u.node : record_of(e);
	r = *f ? record_values(g, e, *f) : NULL;
	if (!r)
		return NULL;
	v = arena_array(g->a, const char *, (*f)->u.for_.list->u.lit->n);
	for (uint32_t i = 0; i < (*f)->u.for_.list->u.lit->n; i++) {
		struct strbuf b = { 0 };

		if (type_is(r[i].type, T_JSON) && r[i].u.j->kind == J_STR)
			sb_str(&b, r[i].u.j->u.s);
		else
			value_text(&b, &r[i]);
		v[i] = a_buf(g, &b);
	}
	return v;
}

/* A location is a constant head, which says what it is, and a rest that may be known only at run time. */
struct location { const char *head; const struct expr *e; const char **choice; const struct node *of; };

/* Bytes that the choices share, as far as the bucket or the host. */
static size_t shared(const char *s)
{
	const char *p = strstr(s, "://");

	p = p ? strchr(p + 3, '/') : NULL;
	return p ? (size_t)(p - s) + 1 : strlen(s);
}

static bool head_of(struct argo *g, const struct expr *e, struct location *p)
{
	const struct expr *first = e;

	p->e = e;
	p->choice = choices(g, e, &p->of);
	if (p->choice) {
		p->head = p->choice[0];
		for (uint32_t i = 1; i < p->of->u.for_.list->u.lit->n; i++)
			if (strncmp(p->choice[i], p->head, shared(p->head)))
				return false;
		return true;
	}
	if (e->op == EX_CONCAT && e->n)
		first = e->u.args[0];
	if (first->op != EX_LIT || (first->u.lit->type.kind != T_STRING && !type_is_path(first->u.lit->type)))
		return false;
	p->head = first->u.lit->u.s->s;
	return true;
}

/* The location's text from byte `from` on. */
static const char *rest(struct site *x, const struct location *p, size_t from)
{
	struct strbuf b = { 0 };

	if (p->choice) {
		struct expr *i = arena_new_of(x->g->a, struct expr);

		*i = (struct expr){ .op = EX_REF, .fn = REF_INDEX, .type = type_of(T_INT), .u.node = (struct node *)p->of, .span = p->e->span };
		sb_ch(&b, '[');
		for (uint32_t k = 0; k < p->of->u.for_.list->u.lit->n; k++) {
			sb_z(&b, k ? ", " : "");
			xl_string(&b, p->choice[k] + from, strlen(p->choice[k] + from));
		}
		x->lets = 0;
		sb_f(&b, "][%s]", xl_native(x, i).s);
		return a_f(x->g, "{{=%s}}", xl_unlet(x->g, a_buf(x->g, &b)));
	}
	if (p->e->op == EX_LIT)
		return p->head + from;
	xl_string(&b, p->head + from, strlen(p->head) - from);
	x->lets = 0;
	for (uint32_t i = 1; i < p->e->n; i++)
		sb_f(&b, " + %s", ex_in(x, xl_text(x, p->e->u.args[i], FORM_RAW), P_ADD));
	return a_f(x->g, "{{=%s}}", xl_unlet(x->g, a_buf(x->g, &b)));
}

static const struct ir_store *store_of(const struct ir *m, const char *s)
{
	const struct ir_store *best = NULL;

	for (uint32_t i = 0; i < m->stores.n; i++) {
		const struct ir_store *t = &m->stores.v[i];

		if (!strncmp(t->uri->s, s, t->uri->len) && (s[t->uri->len] == '/' || !s[t->uri->len] || t->uri->s[t->uri->len - 1] == '/'))
			if (!best || t->uri->len > best->uri->len)
				best = t;
	}
	return best;
}

static void secret_ref(struct yaml *y, const char *key, const struct str *name, const char *field)
{
	y_open(y, key);
	y_str(y, "name", name->s, name->len);
	y_z(y, "key", field);
	y_end(y);
}

static void bucket(struct argo *g, struct yaml *y, const struct ir_store *t, const char *name, size_t n, bool gcs)
{
	const char *endpoint = t && t->endpoint ? t->endpoint->s : "s3.amazonaws.com";

	if (!gcs) {
		/* without an endpoint it would silently be the default repository */
		if (!strncmp(endpoint, "http://", 7))
			y_plain(y, "insecure", "true");
		endpoint = strstr(endpoint, "://") ? strstr(endpoint, "://") + 3 : endpoint;
		y_z(y, "endpoint", endpoint);
	}
	y_z(y, "bucket", a_f(g, "%.*s", (int)n, name));
	if (!gcs && t && t->region)
		y_str(y, "region", t->region->s, t->region->len);
	if (t && t->secret && gcs) {
		secret_ref(y, "serviceAccountKeySecret", t->secret, "serviceAccountKey");
	} else if (t && t->secret) {
		secret_ref(y, "accessKeySecret", t->secret, "accessKey");
		secret_ref(y, "secretKeySecret", t->secret, "secretKey");
	} else if (!gcs) {
		y_plain(y, "useSDKCreds", "true");
	}
}

const struct ir_store *store_called(const struct ir *m, const struct str *name)
{
	for (uint32_t i = 0; name && i < m->stores.n; i++)
		if (m->stores.v[i].name == name)
			return &m->stores.v[i];
	return NULL;
}

const char *store_kind(const struct ir_store *s)
{
	return !strncmp(s->uri->s, "gs://", 5) ? "gcs" : "s3";
}

void store_write(struct argo *g, struct yaml *y, const struct ir_store *s, const char *key)
{
	const char *b = strstr(s->uri->s, "://"), *slash;
	bool gcs = !strcmp(store_kind(s), "gcs");
	size_t n;

	b = b ? b + 3 : s->uri->s;
	slash = strchr(b, '/');
	n = slash ? (size_t)(slash - b) : strlen(b);
	y_open(y, gcs ? "gcs" : "s3");
	bucket(g, y, s, b, n, gcs);
	y_z(y, "key", slash && slash[1] ? a_f(g, "%s%s%s", slash + 1, slash[strlen(slash) - 1] == '/' ? "" : "/", key) : key);
	y_end(y);
}

static void object(struct site *x, struct yaml *y, const struct location *p, bool gcs)
{
	const char *b = p->head + 5, *slash = strchr(b, '/');
	size_t n = slash ? (size_t)(slash - b) : strlen(b);

	y_open(y, gcs ? "gcs" : "s3");
	bucket(x->g, y, store_of(x->g->m, p->head), b, n, gcs);
	y_z(y, "key", rest(x, p, 5 + n + (slash ? 1 : 0)));
	y_end(y);
}

void place_object(struct argo *g, struct yaml *y, const char *uri)
{
	bool gcs = !strncmp(uri, "gs://", 5);
	const char *b = uri + 5, *slash = strchr(b, '/');

	y_open(y, gcs ? "gcs" : "s3");
	bucket(g, y, store_of(g->m, uri), b, (size_t)(slash - b), gcs);
	y_z(y, "key", slash + 1);
	y_end(y);
}

/* git+https://host/repo@ref#path */
static bool git(struct site *x, struct yaml *y, const struct location *p, struct span sp)
{
	const char *url = p->head + 4, *at = strrchr(url, '@'), *hash = strchr(url, '#'), *scheme = strstr(url, "://");
	size_t end = hash ? (size_t)(hash - url) : strlen(url);

	if (p->e->op != EX_LIT) {
		diag_mend(x->g->d, diag_at(x->g->d, CW0801, sp, "argo cannot carry a git location that is known only at run time"), "write it as a literal, or clone in the step");
		x->g->err = -1;
		return false;
	}
	if (at && scheme && at < scheme + 3)
		at = NULL;
	if (at && hash && at > hash)
		at = NULL;
	y_open(y, "git");
	y_z(y, "repo", a_f(x->g, "%.*s", (int)(at ? (size_t)(at - url) : end), url));
	if (at)
		y_z(y, "revision", a_f(x->g, "%.*s", (int)(end - (size_t)(at + 1 - url)), at + 1));
	y_end(y);
	return true;
}

/* The path inside of a git location; NULL: all of it. */
const char *place_inside(const struct expr *e)
{
	const char *s = e->op == EX_LIT && e->u.lit->u.s ? e->u.lit->u.s->s : NULL;

	return s && !strncmp(s, "git+", 4) && strchr(s, '#') ? strchr(s, '#') + 1 : NULL;
}

bool place_write(struct site *x, struct yaml *y, const struct expr *e, struct span sp)
{
	struct location p = { 0 };

	while (e->op == EX_CONV && !type_is(e->u.args[0]->type, T_JSON))
		e = e->u.args[0];
	if (!head_of(x->g, e, &p)) {
		diag_mend(x->g->d, diag_at(x->g->d, CW0801, sp, "argo cannot carry a location that is known only at run time"),
			"begin it with a place that is known, as in \"s3://bucket/${key}\", or take it as a string input and fetch it in the step");
		x->g->err = -1;
		return false;
	}
	if (!strncmp(p.head, "s3://", 5)) {
		object(x, y, &p, false);
	} else if (!strncmp(p.head, "gs://", 5)) {
		object(x, y, &p, true);
	} else if (!strncmp(p.head, "http://", 7) || !strncmp(p.head, "https://", 8)) {
		y_open(y, "http");
		y_z(y, "url", rest(x, &p, 0));
		y_end(y);
	} else if (!strncmp(p.head, "git+", 4)) {
		return git(x, y, &p, sp);
	} else {
		diag_mend(x->g->d, diag_at(x->g->d, CW0801, sp, "argo cannot carry the location '%s'", p.head), "use s3://, gs://, https:// or git+https://");
		x->g->err = -1;
		return false;
	}
	return true;
}

bool place_keyed(struct argo *g, struct yaml *y, const struct expr *e, const char *place)
{
	struct location p = { 0 };
	const char *b, *slash;
	bool gcs;

	while (e->op == EX_CONV && !type_is(e->u.args[0]->type, T_JSON))
		e = e->u.args[0];
	if (!head_of(g, e, &p) || (strncmp(p.head, "s3://", 5) != 0 && strncmp(p.head, "gs://", 5) != 0))
		return false;
	gcs = p.head[0] == 'g';
	b = p.head + 5;
	slash = strchr(b, '/');
	if (!slash)
		return false;
	y_open(y, gcs ? "gcs" : "s3");
	bucket(g, y, store_of(g->m, p.head), b, (size_t)(slash - b), gcs);
	y_f(y, "key", "{{=%s.%s.key}}", place, gcs ? "gcs" : "s3");
	y_end(y);
	return true;
}
