/* Numbers, words, types and values of the JSON form. */
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "ir_read.h"

bool read_fail(struct jreader *r, const char *fmt, ...)
{
	struct strbuf b = { 0 }, at = { 0 };
	va_list ap;

	va_start(ap, fmt);
	sb_vf(&b, fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < r->path.n; i++) {
		if (r->path.v[i].key)
			sb_f(&at, "%s%s", i ? "." : "", r->path.v[i].key);
		else
			sb_f(&at, "[%zu]", r->path.v[i].i);
	}
	diag_at(r->d, CW1102, (struct span){ 0 }, "%s: %s%s%s", r->file, sb_cstr(&at), at.n ? ": " : "", sb_cstr(&b));
	sb_free(&at);
	sb_free(&b);
	return false;
}

const char *json_words(const json_t *j)
{
	static const char *const words[] = {
		[JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array", [JSON_STRING] = "a string", [JSON_INTEGER] = "a number",
		[JSON_REAL] = "a number", [JSON_TRUE] = "true", [JSON_FALSE] = "false", [JSON_NULL] = "null"
	};

	return j ? words[json_typeof(j)] : "nothing";
}

static size_t path_push(struct jreader *r, const char *key, size_t i)
{
	if (r->path.n == r->path.cap) {
		r->path.cap = r->path.cap ? 2 * r->path.cap : 64;
		r->path.v = xrealloc(r->path.v, r->path.cap * sizeof *r->path.v);
	}
	r->path.v[r->path.n].key = key;
	r->path.v[r->path.n].i = i;
	return r->path.n++;
}

size_t path_key(struct jreader *r, const char *key)
{
	return path_push(r, key, 0);
}

size_t path_index(struct jreader *r, size_t i)
{
	return path_push(r, NULL, i);
}

bool read_str(struct jreader *r, const json_t *j, const struct str **out)
{
	if (!json_is_string(j))
		return read_fail(r, "expected a string, found %s", json_words(j));
	*out = str_intern(r->strs, json_string_value(j), json_string_length(j));
	return true;
}

bool read_int(struct jreader *r, const json_t *j, double lo, double hi, int64_t *out)
{
	double d = json_number_value(j);

	if (!json_is_number(j) || d < d - 1 || floor(d) < d || d < lo || d > hi)
		return read_fail(r, "expected a whole number from %.0f to %.0f, found %s", lo, hi, json_is_number(j) ? "another number" : json_words(j));
	*out = (int64_t)d;
	return true;
}

bool read_double(struct jreader *r, const json_t *j, double *out)
{
	static const struct { const char *word; double d; } words[] = { { "nan", (double)NAN }, { "inf", (double)INFINITY }, { "-inf", -(double)INFINITY } };

	if (json_is_number(j)) {
		*out = json_number_value(j);
		return true;
	}
	for (unsigned i = 0; json_is_string(j) && i < 3; i++)
		if (!strcmp(json_string_value(j), words[i].word)) {
			*out = words[i].d;
			return true;
		}
	return read_fail(r, "expected a number, \"nan\", \"inf\" or \"-inf\", found %s", json_words(j));
}

bool read_word(struct jreader *r, const json_t *j, const char *const *words, unsigned *out)
{
	const char *s = json_string_value(j), *near;
	struct strbuf b = { 0 };
	unsigned n = 0;

	for (; s && words[n]; n++)
		if (!strcmp(words[n], s)) {
			*out = n;
			return true;
		}
	if (!s)
		return read_fail(r, "expected a word, found %s", json_words(j));
	near = nearest(s, strlen(s), words, n);
	if (near)
		return read_fail(r, "'%.60s' is not known here; did you mean '%s'?", s, near);
	for (unsigned i = 0; i < n; i++)
		sb_f(&b, "%s%s", i ? ", " : "", words[i]);
	read_fail(r, "'%.60s' is not known here; it is one of %s", s, sb_cstr(&b));
	sb_free(&b);
	return false;
}

bool read_type(struct jreader *r, const json_t *j, struct type *out)
{
	if (!json_is_string(j))
		return read_fail(r, "expected a type such as \"list<file>\", found %s", json_words(j));
	if (!type_parse(json_string_value(j), json_string_length(j), out))
		return read_fail(r, "'%.60s' is no type; types are string int float bool json time duration size file dir, list<T> and T?", json_string_value(j));
	return true;
}

bool read_array(struct jreader *r, const json_t *j, uint32_t *n)
{
	if (!json_is_array(j))
		return read_fail(r, "expected an array, found %s", json_words(j));
	if (json_array_size(j) >= UINT32_MAX)
		return read_fail(r, "the array is too long");
	*n = (uint32_t)json_array_size(j);
	return true;
}

bool read_span(struct jreader *r, const json_t *j, struct span *out)
{
	int64_t v[3] = { 0 };
	size_t at;

	if (json_array_size(j) != 3)
		return read_fail(r, "expected [file, offset, length], found %s", json_words(j));
	for (size_t i = 0; i < 3; i++) {
		at = path_index(r, i);
		if (!read_int(r, json_array_get(j, i), 0, UINT32_MAX, &v[i]))
			return false;
		r->path.n = at;
	}
	if (!v[0] || v[0] > r->nsources)
		return read_fail(r, "there is no source %lld: the module has %u", (long long)v[0], r->nsources);
	*out = (struct span){ (uint32_t)v[0] + r->first_source - 1, (uint32_t)v[1], (uint32_t)v[2] };
	return true;
}

bool read_keys(struct jreader *r, const json_t *j, const char *const *keys)
{
	const char *key, *near;
	json_t *v;
	unsigned n = 0, i;

	while (keys[n])
		n++;
	json_object_foreach((json_t *)(uintptr_t)j, key, v) {
		for (i = 0; i < n && strcmp(keys[i], key) != 0; i++)
			;
		if (i < n)
			continue;
		near = nearest(key, strlen(key), keys, n);
		return read_fail(r, "there is no member '%.60s'%s%s%s", key, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	}
	return true;
}

/* ---- values ---- */

/* Any JSON as a value of its own; NULL after a diagnostic. */
static const struct json *json_value(struct jreader *r, const json_t *j)
{
	struct valctx c = { r->a, r->strs };
	const struct json *v = NULL, *x;
	const struct str *s;
	struct json *list;
	struct json_member *obj;
	const char *key;
	uint32_t n = 0;
	json_t *e;
	size_t i;

	switch (json_typeof(j)) {
	case JSON_NULL:
		return jv_null();
	case JSON_TRUE: case JSON_FALSE:
		return jv_bool(&c, json_is_true(j));
	case JSON_INTEGER: case JSON_REAL:
		return jv_num(&c, json_number_value(j));
	case JSON_STRING:
		return read_str(r, j, &s) ? jv_str(&c, s) : NULL;
	case JSON_ARRAY:
		list = arena_array(r->a, struct json, json_array_size(j));
		json_array_foreach((json_t *)(uintptr_t)j, i, e) {
			x = json_value(r, e);
			if (!x)
				return NULL;
			list[n++] = *x;
		}
		v = jv_list(&c, list, n);
		break;
	case JSON_OBJECT:
		obj = arena_array(r->a, struct json_member, json_object_size(j));
		json_object_foreach((json_t *)(uintptr_t)j, key, e) {
			obj[n].key = str_internz(r->strs, key);
			obj[n].val = json_value(r, e);
			if (!obj[n++].val)
				return NULL;
		}
		v = jv_obj(&c, obj, n);
		break;
	}
	if (!v)
		read_fail(r, "nested deeper than %d", JSON_DEPTH);
	return v;
}

static bool read_time(struct jreader *r, const json_t *j, struct value *out)
{
	if (json_is_string(j) && !time_parse(json_string_value(j), json_string_length(j), &out->u.t.sec, &out->u.t.nsec))
		return true;
	return read_fail(r, "expected a time as in RFC 3339, found %s", json_words(j));
}

static bool read_plain(struct jreader *r, const json_t *j, struct value *out)
{
	switch ((enum type_kind)out->type.kind) {
	case T_STRING: case T_FILE: case T_DIR:
		return read_str(r, j, &out->u.s);
	case T_INT: case T_SIZE:
		return read_int(r, j, -(double)INT_LIMIT, (double)INT_LIMIT, &out->u.i);
	case T_FLOAT: case T_DURATION:
		return read_double(r, j, &out->u.d);
	case T_BOOL:
		out->u.b = json_is_true(j);
		return json_is_boolean(j) || read_fail(r, "expected true or false, found %s", json_words(j));
	case T_TIME:
		return read_time(r, j, out);
	case T_JSON:
		return j ? (out->u.j = json_value(r, j)) != NULL : read_fail(r, "expected a value, found nothing");
	case T_NULL:
		return json_is_null(j) || read_fail(r, "expected null, found %s", json_words(j));
	case T_NONE: case T_ANY:
		break;
	}
	return read_fail(r, "no value has this type");
}

static bool read_list(struct jreader *r, const json_t *j, struct value *out)
{
	struct value *v;

	if (!read_array(r, j, &out->n))
		return false;
	v = arena_array(r->a, struct value, out->n);
	for (uint32_t i = 0; i < out->n; i++) {
		size_t at = path_index(r, i);

		if (!read_value(r, json_array_get(j, i), &v[i]))
			return false;
		if (v[i].type.list)
			return read_fail(r, "a list holds no lists");
		r->path.n = at;
	}
	out->u.list = v;
	return true;
}

bool read_value(struct jreader *r, const json_t *j, struct value *out)
{
	static const char *const keys[] = { "type", "v", "text", "sha256", NULL };
	size_t at;
	bool ok;

	*out = (struct value){ 0 };
	if (!json_is_object(j))
		return read_fail(r, "expected a value {\"type\": ..., \"v\": ...}, found %s", json_words(j));
	at = path_key(r, "type");
	if (!read_type(r, json_object_get(j, "type"), &out->type))
		return false;
	if (out->type.opt)
		return read_fail(r, "the type of a value is never optional");
	r->path.n = at;
	at = path_key(r, "v");
	ok = out->type.list ? read_list(r, json_object_get(j, "v"), out) : read_plain(r, json_object_get(j, "v"), out);
	if (!ok)
		return false;
	r->path.n = at;
	if (json_object_get(j, "text") && !read_str(r, json_object_get(j, "text"), &out->text))
		return false;
	if (json_object_get(j, "sha256") && !read_str(r, json_object_get(j, "sha256"), &out->sha256))
		return false;
	return read_keys(r, j, keys);
}
