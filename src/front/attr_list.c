/* Attributes that hold several things: env, env_from, mounts, locks, labels, tolerations. */
#include "attr.h"

#include <string.h>

/* ---- secret("name", "key"), config("name", "key") ---- */

/* Whether x is a call of secret or config, the second in *config. */
static bool is_source(const struct ast_expr *x, bool *config)
{
	const struct ast_expr *f;

	if (x->kind != AX_CALL || !x->n)
		return false;
	f = x->args[0];
	*config = f->kind == AX_NAME && str_eq(f->name, "config");
	return f->kind == AX_NAME && (*config || str_eq(f->name, "secret"));
}

static const struct str *source_part(struct elab *e, struct scope *s, const struct ast_arg *a, const char *what)
{
	const struct value *v;
	struct diag_item *it;

	if (a->name) {
		it = diag_at(e->diag, CW0419, a->name_span, "%s is given by position", what);
		diag_mend(e->diag, it, "write secret(\"name\", \"key\")");
		return NULL;
	}
	v = elab_const(e, s, a->value, type_of(T_STRING), what);
	return v ? v->u.s : NULL;
}

/* The dotted, dashed, small form of a name, if it is one then; for the mend. */
static void dns_guess(struct strbuf *b, const struct str *s)
{
	for (uint32_t i = 0; i < s->len; i++) {
		char c = s->s[i];

		sb_ch(b, c >= 'A' && c <= 'Z' ? (char)(c | 32) : c == '_' || c == ' ' || c == '/' ? '-' : c);
	}
}

static bool source_name_ok(struct elab *e, const struct str *name, struct span sp, const char *kind)
{
	struct strbuf b = { 0 };
	struct diag_item *it;

	if (is_dns_subdomain(name->s, name->len))
		return true;
	it = diag_at(e->diag, CW0419, sp, "'%s' is no name of a %s: such names are made of a-z, 0-9, '-' and '.'", name->s, kind);
	dns_guess(&b, name);
	if (b.n && is_dns_subdomain(b.s, b.n))
		diag_mend(e->diag, it, "name it \"%s\"", sb_cstr(&b));
	sb_free(&b);
	return false;
}

static bool source_key_ok(struct elab *e, const struct str *key, struct span sp)
{
	static const char ok[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
	struct diag_item *it;

	if (key->len && key->len <= 253 && strspn(key->s, ok) == key->len && strcmp(key->s, ".") && strcmp(key->s, ".."))
		return true;
	it = diag_at(e->diag, CW0419, sp, "'%s' is no key of a secret or config", key->s);
	diag_mend(e->diag, it, "keys are made of letters, digits, '-', '_' and '.'");
	return false;
}

/* nparts: 2 where a key is wanted, 1 without. false after a diagnostic. */
static bool source_read(struct elab *e, struct scope *s, const struct ast_expr *x, uint32_t nparts, const struct str **name, const struct str **key)
{
	const char *kind = x->args[0]->name->s;
	struct diag_item *it;

	if (x->u.call.n != nparts) {
		it = diag_at(e->diag, CW0419, x->span, nparts == 2 ? "%s() takes the name and the key" : "here %s() takes the name alone", kind);
		if (nparts == 2 && x->u.call.n == 1)
			diag_mend(e->diag, it, "write %s(\"name\", \"key\"); every key of it is `env_from = [%s(\"name\")]`", kind, kind);
		else
			diag_mend(e->diag, it, nparts == 2 ? "write %s(\"name\", \"key\")" : "write %s(\"name\")", kind);
		return false;
	}
	*name = source_part(e, s, &x->u.call.v[0], "the name of a secret or config");
	if (!*name || !source_name_ok(e, *name, x->u.call.v[0].value->span, kind))
		return false;
	if (nparts == 1)
		return true;
	*key = source_part(e, s, &x->u.call.v[1], "the key of a secret or config");
	return *key && source_key_ok(e, *key, x->u.call.v[1].value->span);
}

/* ---- env ---- */

static bool env_name_ok(struct layer_ctx *c, const struct ast_stmt *s)
{
	struct diag *d = c->e->diag;
	struct diag_item *it;
	const char *why;

	if (!is_name(s->name->s, s->name->len)) {
		it = diag_at(d, CW0418, s->name_span, "'%s' is no name of an environment variable", s->name->s);
		diag_mend(d, it, "names are made of letters, digits and '_', and do not start with a digit");
		return false;
	}
	why = reserved_name(s->name->s, s->name->len, true);
	if (why) {
		it = diag_at(d, CW0418, s->name_span, "'%s' is reserved: %s", s->name->s, why);
		diag_mend(d, it, "choose another name; `env` may set PATH, HOME, LANG and names that start with LC_ or LD_");
		return false;
	}
	return true;
}

static void env_value(struct layer_ctx *c, const struct ast_stmt *s, struct ir_env *v)
{
	struct diag *d = c->e->diag;
	struct diag_item *it;

	v->kind = ENV_EXPR;
	v->value = attr_expr(c, s->value, &attr_rows[ATTR_env], type_of(T_NONE));
	if (!v->value)
		return;
	if (type_is_path(v->value->type)) {
		it = diag_at(d, CW0418, s->value->span, "an environment variable cannot hold a file or folder");
		diag_mend(d, it, "declare it as an input: the variable of the same name holds its path");
		v->value = NULL;
	} else if (v->value->type.opt || v->value->type.kind == T_NULL) {
		it = diag_at(d, CW0418, s->value->span, "'%s' may be absent", s->name->s);
		diag_mend(d, it, "give it a fallback: %s = ... ?? \"\"", s->name->s);
		v->value = NULL;
	}
}

void env_read(struct layer_ctx *c, const struct ast_stmt *entry)
{
	const struct ast_block *b = entry_block(entry);
	struct strmap seen = { 0 };
	bool config;

	for (uint32_t i = 0; b && i < b->n; i++) {
		const struct ast_stmt *s = b->v[i], *first;
		struct ir_env v = { .name = s->name };
		struct diag_item *it;

		if (s->kind != AS_ENTRY || !s->value || s->value->kind == AX_ERROR || !env_name_ok(c, s))
			continue;
		first = strmap_get(&seen, s->name);
		if (first) {
			it = diag_at(c->e->diag, CW0412, s->name_span, "'%s' is given twice", s->name->s);
			diag_note(c->e->diag, it, first->name_span, "it is set here already");
			continue;
		}
		strmap_put(c->e->arena, &seen, s->name, (void *)(uintptr_t)s);
		if (is_source(s->value, &config)) {
			v.kind = config ? ENV_CONFIG : ENV_SECRET;
			if (!source_read(c->e, c->s, s->value, 2, &v.ref, &v.key))
				continue;
		} else {
			env_value(c, s, &v);
			if (!v.value)
				continue;
		}
		vec_push(c->e->arena, &c->l->a.env, v);
	}
}

void env_from_read(struct layer_ctx *c, const struct ast_stmt *entry)
{
	const struct ast_expr *x = entry->value;
	struct diag_item *it;
	bool config;

	for (uint32_t i = 0; x->kind == AX_LIST && i < x->n; i++) {
		struct ir_env v = { 0 };

		if (x->args[i]->kind == AX_ERROR)
			continue;
		if (!is_source(x->args[i], &config)) {
			it = diag_at(c->e->diag, CW0419, x->args[i]->span, "'env_from' lists secrets and configs");
			diag_mend(c->e->diag, it, "env_from = [secret(\"aws\"), config(\"settings\")]");
			continue;
		}
		v.kind = config ? ENV_CONFIG : ENV_SECRET;
		if (source_read(c->e, c->s, x->args[i], 1, &v.ref, &v.key))
			vec_push(c->e->arena, &c->l->a.env_from, v);
	}
}

/* ---- mounts ---- */

static bool mount_path_ok(struct elab *e, const struct ast_stmt *s)
{
	const struct str *p = s->name;
	bool up = false;
	struct diag_item *it;

	for (const char *q = p->s; (q = strstr(q, "..")); q += 2)
		up |= (q == p->s || q[-1] == '/') && (!q[2] || q[2] == '/');
	if (p->len > 1 && p->s[0] == '/' && !up && !strchr(p->s, ':'))
		return true;
	it = diag_at(e->diag, CW0422, s->name_span, "'%s' is no absolute path to mount at", p->s);
	diag_mend(e->diag, it, "mounts { \"/data\" = scratch }: the path is absolute, without '..' and ':'");
	return false;
}

static bool mount_volume(struct layer_ctx *c, const struct ast_stmt *s, struct ir_mount *m)
{
	const struct sym *sym = scope_find(c->s, s->value->name);
	const char *name = s->value->name->s;
	struct diag_item *it;

	m->kind = MOUNT_VOLUME;
	m->name = s->value->name;
	if (sym && sym->kind == SYM_VOLUME) {
		m->volume = sym->port;
		return true;
	}
	it = diag_at(c->e->diag, CW0422, s->value->span, sym ? "'%s' is no volume" : "no volume '%s'", name);
	if (sym)
		diag_note(c->e->diag, it, sym->span, "'%s' is defined here", name);
	if (c->owner == OWN_TASK)
		diag_mend(c->e->diag, it, "volumes belong to a workflow: mount it in the call, step x = t(...) { mounts { ... } }");
	else
		diag_mend(c->e->diag, it, "declare it in the workflow: volume %s { size = 10Gi }", name);
	return false;
}

void mounts_read(struct layer_ctx *c, const struct ast_stmt *entry)
{
	const struct ast_block *b = entry_block(entry);
	struct diag_item *it;
	bool config;

	for (uint32_t i = 0; b && i < b->n; i++) {
		const struct ast_stmt *s = b->v[i];
		struct ir_mount m = { .path = s->name };
		const struct str *key = NULL;
		uint32_t k = 0;

		if (s->kind != AS_ENTRY || !s->value || s->value->kind == AX_ERROR || !mount_path_ok(c->e, s))
			continue;
		while (k < c->l->a.mounts.n && c->l->a.mounts.v[k].path != s->name)
			k++;
		if (k < c->l->a.mounts.n) {
			diag_at(c->e->diag, CW0412, s->name_span, "'%s' is given twice", s->name->s);
			continue;
		}
		if (is_source(s->value, &config)) {
			m.kind = config ? MOUNT_CONFIG : MOUNT_SECRET;
			if (!source_read(c->e, c->s, s->value, 1, &m.name, &key))
				continue;
		} else if (s->value->kind != AX_NAME) {
			it = diag_at(c->e->diag, CW0422, s->value->span, "a mount is a volume of the workflow, a secret or a config");
			diag_mend(c->e->diag, it, "mounts { \"/data\" = scratch; \"/cred\" = secret(\"aws\") }, with `volume scratch { size = 10Gi }` in the workflow");
			continue;
		} else if (!mount_volume(c, s, &m)) {
			continue;
		}
		vec_push(c->e->arena, &c->l->a.mounts, m);
	}
}

/* ---- locks ---- */

static bool lock_name(struct layer_ctx *c, const struct ast_expr *x, struct ir_lock *l)
{
	const struct str *s;
	struct diag_item *it;

	l->name = attr_expr(c, x, &attr_rows[ATTR_lock], type_of(T_STRING));
	if (!l->name || !expr_is_const(l->name))
		return l->name;
	s = l->name->u.lit->u.s;
	if (s->len && s->len <= 200 && !strpbrk(s->s, "/ \t\r\n"))
		return true;
	it = diag_at(c->e->diag, CW0423, x->span, "the name of a lock is 1 to 200 characters without blanks and '/'");
	diag_mend(c->e->diag, it, "lock = \"warehouse\"");
	return false;
}

static bool lock_one(struct layer_ctx *c, const struct ast_expr *x, struct ir_lock *l)
{
	const struct value *v;
	struct diag_item *it;

	l->size = 1;
	if (x->kind == AX_ERROR)
		return false;
	if (x->kind == AX_STRING || x->kind == AX_INTERP || x->kind == AX_NAME || x->kind == AX_MEMBER || x->kind == AX_OP)
		return lock_name(c, x, l);
	if (x->kind != AX_CALL || x->args[0]->kind != AX_NAME || !str_eq(x->args[0]->name, "pool") || x->u.call.n != 2 || x->u.call.v[0].name || x->u.call.v[1].name) {
		it = diag_at(c->e->diag, CW0423, x->span, "a lock is a name or a pool");
		diag_mend(c->e->diag, it, "lock = \"warehouse\", or lock = pool(\"gpu\", 4) for at most four at once");
		return false;
	}
	l->pool = true;
	v = elab_const(c->e, c->s, x->u.call.v[1].value, type_of(T_INT), "the size of a pool");
	if (!v)
		return false;
	if (v->u.i < 1 || v->u.i > 1000000) {
		diag_at(c->e->diag, CW0415, x->u.call.v[1].value->span, "the size of a pool is 1 to 1000000");
		return false;
	}
	l->size = v->u.i;
	return lock_name(c, x->u.call.v[0].value, l);
}

int attr_locks(struct elab *e, struct scope *s, const struct ast_expr *x, struct ir_lock **v, uint32_t *n)
{
	struct layer l = { 0 };
	struct layer_ctx c = { e, s, OWN_STEP, &l };
	VEC(struct ir_lock) locks = { 0 };
	struct ir_lock one = { 0 };
	int rc = 0;

	if (x->kind == AX_LIST) {
		for (uint32_t i = 0; i < x->n; i++) {
			memset(&one, 0, sizeof one);
			if (lock_one(&c, x->args[i], &one))
				vec_push(e->arena, &locks, one);
			else
				rc = -1;
		}
	} else if (lock_one(&c, x, &one)) {
		vec_push(e->arena, &locks, one);
	} else {
		rc = -1;
	}
	*v = locks.v;
	*n = locks.n;
	return rc;
}

/* ---- labels, annotations, selectors ---- */

static bool label_part(const char *s, size_t n)
{
	static const char *const alnum = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	if (!n || n > 63 || !strchr(alnum, s[0]) || !strchr(alnum, s[n - 1]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!s[i] || (!strchr(alnum, s[i]) && !strchr("-_.", s[i])))
			return false;
	return true;
}

/* [prefix/]name, as Kubernetes has it */
static bool label_key(const struct str *s)
{
	const char *slash = memchr(s->s, '/', s->len);

	if (!slash)
		return label_part(s->s, s->len);
	return is_dns_subdomain(s->s, (size_t)(slash - s->s)) && label_part(slash + 1, s->len - (size_t)(slash + 1 - s->s));
}

static bool label_value_ok(struct layer_ctx *c, const struct expr *v, const struct attr_row *row)
{
	const struct str *s;
	struct diag_item *it;

	if (!expr_is_const(v))
		return true;
	s = v->u.lit->u.s;
	if (!s->len || label_part(s->s, s->len))
		return true;
	it = diag_at(c->e->diag, CW0420, v->span, "the value of a label is at most 63 letters, digits, '-', '_' and '.', and starts and ends with a letter or digit");
	if (row == &attr_rows[ATTR_labels])
		diag_mend(c->e->diag, it, "put other text into `annotations`");
	return false;
}

void pairs_read(struct layer_ctx *c, const struct ast_expr *x, const struct attr_row *row, bool values, struct ir_pair **v, uint32_t *n)
{
	const struct ast_block *b = x->kind == AX_MAP ? x->u.block : NULL;
	VEC(struct ir_pair) pairs = { 0 };
	struct strmap seen = { 0 };
	struct diag_item *it;

	for (uint32_t i = 0; b && i < b->n; i++) {
		const struct ast_stmt *s = b->v[i];
		struct ir_pair p = { .key = s->name };

		if (s->kind != AS_ENTRY || !s->value || s->value->kind == AX_ERROR)
			continue;
		if (!label_key(s->name)) {
			it = diag_at(c->e->diag, CW0420, s->name_span, "'%s' is no key of a label", s->name->s);
			diag_mend(c->e->diag, it, "keys are made of letters, digits, '-', '_' and '.', with a domain before '/' if need be: \"acme.io/team\"");
			continue;
		}
		if (strmap_get(&seen, s->name)) {
			it = diag_at(c->e->diag, CW0412, s->name_span, "'%s' is given twice", s->name->s);
			diag_note(c->e->diag, it, ((const struct ast_stmt *)strmap_get(&seen, s->name))->name_span, "it is set here already");
			continue;
		}
		strmap_put(c->e->arena, &seen, s->name, (void *)(uintptr_t)s);
		p.value = attr_expr(c, s->value, row, type_of(T_STRING));
		if (p.value && (!values || label_value_ok(c, p.value, row)))
			vec_push(c->e->arena, &pairs, p);
	}
	*v = pairs.v;
	*n = pairs.n;
}

int attr_pairs(struct elab *e, struct scope *s, const struct ast_expr *x, bool labels, struct ir_pair **v, uint32_t *n)
{
	struct layer l = { 0 };
	struct layer_ctx c = { e, s, OWN_WORKFLOW, &l };
	unsigned before = e->diag->errors;

	pairs_read(&c, x, &attr_rows[labels ? ATTR_labels : ATTR_annotations], labels, v, n);
	return e->diag->errors > before ? -1 : 0;
}

/* ---- tolerations ---- */

/* key, key=value, key:Effect, key=value:Effect */
static bool toleration(struct elab *e, const struct str *s, struct span sp, struct ir_toleration *t)
{
	static const char *const effects[] = { "NoSchedule", "PreferNoSchedule", "NoExecute" };
	const char *colon = memchr(s->s, ':', s->len), *eq;
	size_t head = colon ? (size_t)(colon - s->s) : s->len;
	struct diag_item *it;

	eq = memchr(s->s, '=', head);
	t->key = str_intern(e->strs, s->s, eq ? (size_t)(eq - s->s) : head);
	if (eq)
		t->value = str_intern(e->strs, eq + 1, head - (size_t)(eq + 1 - s->s));
	if (!label_key(t->key) || (t->value && t->value->len && !label_part(t->value->s, t->value->len))) {
		it = diag_at(e->diag, CW0421, sp, "'%s' is no taint", s->s);
		diag_mend(e->diag, it, "tolerate = [\"nvidia.com/gpu\", \"team=ml:NoSchedule\"]");
		return false;
	}
	if (!colon)
		return true;
	t->effect = str_intern(e->strs, colon + 1, s->len - head - 1);
	for (size_t i = 0; i < 3; i++)
		if (str_eq(t->effect, effects[i]))
			return true;
	it = diag_at(e->diag, CW0421, sp, "a taint's effect is NoSchedule, PreferNoSchedule or NoExecute, not '%s'", t->effect->s);
	if (nearest(t->effect->s, t->effect->len, effects, 3))
		diag_label(e->diag, it, "did you mean '%s'?", nearest(t->effect->s, t->effect->len, effects, 3));
	return false;
}

void tolerate_read(struct layer_ctx *c, const struct ast_stmt *entry)
{
	const struct ast_expr *x = entry->value;

	for (uint32_t i = 0; x->kind == AX_LIST && i < x->n; i++) {
		struct ir_toleration t = { 0 };
		const struct value *v;

		if (x->args[i]->kind == AX_ERROR)
			continue;
		v = elab_const(c->e, c->s, x->args[i], type_of(T_STRING), "a taint");
		if (v && toleration(c->e, v->u.s, x->args[i]->span, &t))
			vec_push(c->e->arena, &c->l->a.tolerate, t);
	}
}
