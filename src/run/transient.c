/* Whether a failed attempt looks like a fault that passes by itself: its exit code, or words in the end of its log. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "couler/transient.h"
#include "rt.h"

#define TAIL 65536                        /* bytes of the log that are looked at */

static const struct { const char *words; int code; } table[] = {
#define X(class, words, code, wait, source) { words, code },
	TRANSIENTS(X)
#undef X
};

static bool by_code(int code)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (table[i].code && table[i].code == code)
			return true;
	return false;
}

static bool by_words(char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		text[i] = text[i] ? (char)tolower((unsigned char)text[i]) : ' ';
	text[n] = '\0';
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (*table[i].words && strstr(text, table[i].words))
			return true;
	return false;
}

bool attempt_transient(struct rt *rt, const struct inst *i, int code)
{
	char *path, *text;
	bool is = by_code(code);
	FILE *f;

	if (is)
		return true;
	path = log_path(rt, i, i->attempts);
	f = fopen(path, "rb");
	free(path);
	if (!f)
		return false;
	text = xmalloc(TAIL + 1);
	if (!fseek(f, -TAIL, SEEK_END) || !fseek(f, 0, SEEK_SET))
		is = by_words(text, fread(text, 1, TAIL, f));
	free(text);
	fclose(f);
	return is;
}
