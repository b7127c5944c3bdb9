/* Facts to modules: by the words around a fact, else by where it stands. */
#include <ctype.h>
#include <string.h>

#include "parts.h"

static bool chunk_end(const struct ntext *t, uint32_t i)
{
	char c = t->s[i];

	return c == '\n' || c == ';' || c == ',' || c == '(' || c == ')' || (c == '.' && (i + 1 >= t->n || isspace((unsigned char)t->s[i + 1])));
}

static bool fact_there(const struct plan *p, uint32_t off)
{
	for (uint32_t i = 0; i < p->facts.v.n; i++)
		if (p->facts.v.v[i].off <= off && off < p->facts.v.v[i].off + p->facts.v.v[i].len)
			return true;
	return false;
}

/* How well the words of a piece of text name a module: its words, the parts of its name, words of its kind. */
static int names(struct plan *p, const struct module *m, uint32_t a, uint32_t z)
{
	struct ntext *t = p->text;
	int score = 0;

	for (uint32_t i = a; i < z;) {
		uint32_t n = 0;
		enum kind k;
		const char *verb, *at;
		bool noun;

		if (!isalnum((unsigned char)t->s[i])) {
			i++;
			continue;
		}
		while (i + n < z && (isalnum((unsigned char)t->s[i + n]) || t->s[i + n] == '_'))
			n++;
		if (!fact_there(p, i) && lex_at(t, t->s, i, &k, &verb, &noun) && (k == m->kind || (k == K_TRAIN && m->kind == K_TUNE)) && k != K_TRANSFORM)
			score += 2;
		if (n >= 3) {
			const char *word = arena_dup(t->arena, t->s + i, n > 5 ? n - 1 : n);

			at = strstr(m->name, word);
			if (at && (at == m->name || at[-1] == '_') && strcmp(word, "the") != 0 && strcmp(word, "and") != 0 && strcmp(word, "for") != 0)
				score += 3;
		}
		i += n;
	}
	return score;
}

static void give(struct plan *p, uint32_t fact, uint32_t module)
{
	vec_push(p->text->arena, &p->modules.v[module].facts, fact);
	p->facts.v.v[fact].used = true;
}

static int module_at(const struct plan *p, uint32_t off)
{
	int r = -1;

	for (uint32_t i = 0; i < p->modules.n; i++)
		if (p->modules.v[i].off <= off && off < p->modules.v[i].off + p->modules.v[i].len + 1)
			r = (int)i;
	return r;
}

/* Attributes that a whole run may have through its defaults. */
static bool shared_kind(enum fact_type f)
{
	return f == F_RETRY || f == F_TIMEOUT || f == F_GPU || f == F_CPU || f == F_MEMORY || f == F_DISK || f == F_IMAGE || f == F_ACCOUNT || f == F_SELECTOR || f == F_TOLERATE || f == F_PRIORITY || f == F_CACHE || f == F_OPTIONAL || f == F_LOCK;
}

static void attach(struct plan *p, struct parts *ps, uint32_t f)
{
	struct ntext *t = p->text;
	struct fact *x = &p->facts.v.v[f];
	uint32_t a = x->off, z = x->off + x->len;
	int home = module_at(p, x->off), best = 0;
	bool own, all;
	struct rx_match m;

	while (a && !chunk_end(t, a - 1))
		a--;
	while (z < t->n && !chunk_end(t, z))
		z++;
	own = home >= 0 && p->modules.v[home].verb_off >= a && p->modules.v[home].verb_off < z;
	all = rx_find(t, "\\b(?:each|all|every|everything|everywhere|alle[ns]?|jede[rnsm]?|jeweils|both|beide|chacune?|tous|toutes|cada|todos|todas|steps?)\\b", t->s + a, z - a, 0, &m);
	if (shared_kind(x->type) && !own) {
		for (uint32_t i = 0; i < p->modules.n; i++) {
			int s = names(p, &p->modules.v[i], a, z);

			if (s > best)
				best = s;
		}
		if (best >= 2) {
			for (uint32_t i = 0; i < p->modules.n; i++)
				if (names(p, &p->modules.v[i], a, z) == best)
					give(p, f, i);
			return;
		}
	}
	if (shared_kind(x->type) && home >= 0 && all && !own) {
		int par = p->modules.v[home].par;
		uint32_t n = 0;

		for (uint32_t i = 0; i < p->modules.n; i++)
			if ((par >= 0 && p->modules.v[i].par == par) || (par < 0 && p->modules.v[i].sentence == p->modules.v[home].sentence && !p->modules.v[i].on)) {
				give(p, f, i);
				n++;
			}
		if (n)
			return;
	}
	if (home >= 0 && !(x->type == F_IMAGE && !own && x->len > 12 && p->modules.n > 1 && t->s[a] && a == x->off && z == x->off + x->len && p->modules.v[home].sentence != p->modules.v[p->modules.n - 1].sentence && 0)) {
		give(p, f, (uint32_t)home);
		return;
	}
	if (!shared_kind(x->type) && p->modules.n) {
		/* the next module, else the last one */
		uint32_t i = 0;

		while (i < p->modules.n && p->modules.v[i].off < x->off)
			i++;
		give(p, f, i < p->modules.n ? i : p->modules.n - 1);
	}
	(void)ps;
}

static bool mentions(struct plan *p, const struct module *m, const struct nl_param *q)
{
	struct ntext *t = p->text;
	const char *w = q->name;
	struct rx_match k;

	(void)k;
	for (; *w; w += strcspn(w, "_"), w += *w == '_') {
		size_t n = strcspn(w, "_");
		const char *word = arena_dup(t->arena, w, n > 5 ? n - 1 : n);

		if (n < 3 || rx_has(t, "^(?:name|days?|date|model|max|min|num)$", word))
			continue;
		for (uint32_t i = m->off; i + n <= m->off + m->len; i++)
			if ((!i || !isalnum((unsigned char)t->s[i - 1])) && !memcmp(t->s + i, word, strlen(word)))
				return true;
		if (strstr(m->name, word))
			return true;
	}
	return false;
}

static void use_params(struct plan *p)
{
	for (uint32_t i = 0; i < p->facts.params.n; i++) {
		const struct nl_param *q = &p->facts.params.v[i];
		int at = module_at(p, q->off);
		bool used = false;

		for (uint32_t k = 0; k < p->modules.n; k++) {
			struct module *m = &p->modules.v[k];

			if (m->kind == K_APPROVE || m->kind == K_WAIT || m->kind == K_FAIL || m->on)
				continue;
			if (k == (uint32_t)at || mentions(p, m, q)) {
				vec_push(p->text->arena, &m->params, q->name);
				used = true;
			}
		}
		for (uint32_t k = 0; k < p->modules.n && !used; k++) {
			struct module *m = &p->modules.v[k];
			bool fits = strstr(q->name, "model") || strstr(q->name, "epoch") || strstr(q->name, "seed") ? m->kind == K_TRAIN || m->kind == K_TRANSFORM : strstr(q->name, "thresh") || strstr(q->name, "min_") ? m->kind == K_EVALUATE || m->kind == K_VALIDATE : m->kind != K_APPROVE && m->kind != K_WAIT && m->kind != K_FAIL;

			if (fits) {
				vec_push(p->text->arena, &m->params, q->name);
				used = true;
			}
		}
		for (uint32_t k = 0; k < p->modules.n && !used; k++)
			if (p->modules.v[k].kind != K_APPROVE && p->modules.v[k].kind != K_WAIT && p->modules.v[k].kind != K_FAIL) {
				vec_push(p->text->arena, &p->modules.v[k].params, q->name);
				used = true;
			}
	}
}

void parts_facts(struct plan *p, struct parts *ps)
{
	for (uint32_t i = 0; i < p->facts.v.n; i++) {
		struct fact *x = &p->facts.v.v[i];

		if (x->type == F_TIMEOUT && x->whole) {
			p->facts.run_timeout = x->num;
			x->used = true;
		} else if (x->type == F_PARALLEL && x->whole) {
			p->facts.max_parallel = x->num;
			x->used = true;
		} else if (x->type != F_LABEL && !x->used) {
			attach(p, ps, i);
		}
	}
	use_params(p);
}
