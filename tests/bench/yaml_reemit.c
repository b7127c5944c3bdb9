/* Parses YAML from a file with libyaml and emits it again: the limit that this library sets. yaml_reemit IN OUT */
#include <stdio.h>

#include <yaml.h>

int main(int argc, char **argv)
{
	yaml_parser_t parser;
	yaml_emitter_t emitter;
	yaml_event_t event;
	FILE *in, *out;
	int done = 0;

	if (argc != 3 || !(in = fopen(argv[1], "rb")) || !(out = fopen(argv[2], "wb")))
		return 2;
	if (!yaml_parser_initialize(&parser) || !yaml_emitter_initialize(&emitter))
		return 2;
	yaml_parser_set_input_file(&parser, in);
	yaml_emitter_set_output_file(&emitter, out);
	while (!done) {
		if (!yaml_parser_parse(&parser, &event))
			return 1;
		done = event.type == YAML_STREAM_END_EVENT;
		if (!yaml_emitter_emit(&emitter, &event))
			return 1;
	}
	yaml_parser_delete(&parser);
	yaml_emitter_delete(&emitter);
	fclose(in);
	return fclose(out) ? 1 : 0;
}
