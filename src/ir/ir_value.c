/* Values in the JSON form of the IR: {"type":"int","v":3}, exact, with the text that came from outside. */
#include <math.h>

#include "ir_desc.h"

static void number(struct strbuf *b, double d)
{
	if (isfinite(d))
		sb_double(b, d);
	else
		sb_z(b, isnan(d) ? "\"nan\"" : d > 0 ? "\"inf\"" : "\"-inf\"");
}

static void plain(struct strbuf *b, const struct value *v)
{
	switch ((enum type_kind)v->type.kind) {
	case T_STRING: case T_FILE: case T_DIR:
		sb_json(b, v->u.s->s, v->u.s->len);
		break;
	case T_INT: case T_SIZE:
		sb_f(b, "%lld", (long long)v->u.i);
		break;
	case T_FLOAT: case T_DURATION:
		number(b, v->u.d);
		break;
	case T_BOOL:
		sb_z(b, v->u.b ? "true" : "false");
		break;
	case T_TIME:
		sb_ch(b, '"');
		time_write(b, v->u.t.sec, v->u.t.nsec);
		sb_ch(b, '"');
		break;
	case T_JSON:
		json_write(b, v->u.j);
		break;
	case T_NONE: case T_NULL: case T_ANY:
		sb_z(b, "null");
		break;
	}
}

void value_to_ir_json(struct strbuf *b, const struct value *v)
{
	sb_z(b, "{\"type\":\"");
	type_str(b, v->type);
	sb_z(b, "\",\"v\":");
	if (v->type.list) {
		sb_ch(b, '[');
		for (uint32_t i = 0; i < v->n; i++) {
			if (i)
				sb_ch(b, ',');
			value_to_ir_json(b, &v->u.list[i]);
		}
		sb_ch(b, ']');
	} else {
		plain(b, v);
	}
	if (v->text) {
		sb_z(b, ",\"text\":");
		sb_json(b, v->text->s, v->text->len);
	}
	if (v->sha256) {
		sb_z(b, ",\"sha256\":");
		sb_json(b, v->sha256->s, v->sha256->len);
	}
	sb_ch(b, '}');
}
