/* What may be bare or quoted is written bare: sizes, durations and the words of a fixed set. */
#include "attr.h"
#include "format.h"

#include <string.h>

static void bare_block(struct ast_block *b, enum attr_group g);

static bool is_one_of(const char *words, const struct str *s)
{
	const char *p = words, *bar;

	for (; p && *p; p = *bar ? bar + 1 : bar) {
		bar = strchr(p, '|');
		if (!bar)
			bar = p + strlen(p);
		if ((size_t)(bar - p) == s->len && !memcmp(p, s->s, s->len))
			return true;
	}
	return false;
}

/* A plain string becomes the literal that stands between its quotes. */
static void bare_literal(struct ast_expr *x, bool duration, bool size)
{
	double v;

	if (x->kind != AX_STRING || x->verbatim || x->span.len != x->u.str->len + 2)
		return;
	if (duration && !duration_parse(x->u.str->s, x->u.str->len, &v))
		x->kind = AX_DURATION;
	else if (size && !size_parse(x->u.str->s, x->u.str->len, &v))
		x->kind = AX_SIZE;
	else
		return;
	x->u.d = v;
	x->span.off++;
	x->span.len -= 2;
}

static void bare_value(struct ast_expr *x, const struct attr_row *r)
{
	switch ((enum attr_form)r->form) {
	case FORM_DURATION: case FORM_SECONDS:
		bare_literal(x, true, false);
		break;
	case FORM_SIZE:
		bare_literal(x, false, true);
		break;
	case FORM_WORD: case FORM_CACHE: case FORM_CODES: case FORM_SHELL:
		if (x->kind == AX_STRING && !x->verbatim && is_one_of(r->words, x->u.str)) {
			x->kind = AX_NAME;
			x->name = x->u.str;
		}
		break;
	default:
		break;
	}
}

/* The group of the entries in the block of a row; GROUP_COUNT: they are no attributes. */
static enum attr_group group_in(const struct attr_row *r)
{
	if (r->form == FORM_MAP || r->form == FORM_ENV || r->form == FORM_SET || r->form == FORM_MOUNTS)
		return GROUP_COUNT;
	for (unsigned g = GROUP_TOP + 1; g < GROUP_COUNT; g++)
		if (!strcmp(attr_group_words[g], r->key))
			return (enum attr_group)g;
	return GROUP_TOP;
}

static void bare_entry(struct ast_stmt *st, enum attr_group g)
{
	const struct attr_row *r = NULL;

	for (unsigned k = 0; k < ATTR_COUNT && !r; k++)
		if (attr_rows[k].group == g && str_eq(st->name, attr_rows[k].key))
			r = &attr_rows[k];
	if (!r)
		return;
	if (st->value->kind != AX_MAP)
		bare_value(st->value, r);
	else if (group_in(r) != GROUP_COUNT)
		bare_block(st->value->u.block, group_in(r));
}

static void bare_block(struct ast_block *b, enum attr_group g)
{
	for (uint32_t i = 0; i < b->n; i++) {
		struct ast_stmt *st = b->v[i];

		if (st->kind == AS_ENTRY && st->value) {
			bare_entry(st, g);
			continue;
		}
		if (st->decl && st->decl->value && !st->decl->type.list)
			bare_literal(st->decl->value, st->decl->type.kind == T_DURATION, st->decl->type.kind == T_SIZE);
		for (; st; st = st->else_)
			if (st->body && st->kind != AS_NEXT)
				bare_block(st->body, GROUP_TOP);
	}
}

void format_bare(struct ast_block *top)
{
	bare_block(top, GROUP_TOP);
}
