/* Loads a JSON file with jansson and writes it again: json_redump IN OUT. */
#include <jansson.h>

int main(int argc, char **argv)
{
	json_error_t err;
	json_t *j = argc == 3 ? json_load_file(argv[1], 0, &err) : NULL;

	if (!j || json_dump_file(j, argv[2], JSON_INDENT(1)))
		return 1;
	json_decref(j);
	return 0;
}
