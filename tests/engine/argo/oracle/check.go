package main

import (
	"context"

	"k8s.io/apimachinery/pkg/runtime"
)

// check runs all stages over the files of one set.
func check(ctx context.Context, o options, defs *definitions, files []string) []verdict {
	var sources []*source
	for _, f := range files {
		sources = append(sources, readSource(ctx, f))
	}
	shared := newLibrary(sources)
	var out []verdict
	for _, s := range sources {
		lib := shared.forFile(s)
		for _, d := range s.docs {
			lib.checkDocument(ctx, &o, defs, s, d)
		}
		v := verdict{File: s.file, OK: len(s.found) == 0, Documents: s.count, Errors: s.found}
		if v.Errors == nil {
			v.Errors = []finding{}
		}
		out = append(out, v)
	}
	return out
}

func (l *library) checkDocument(ctx context.Context, o *options, defs *definitions, s *source, d *document) {
	checkMetadata(s, d)
	if isNil(d.object) {
		return
	}
	l.lint(ctx, o, s, d)
	if def, err := defs.get(d.kind); err != nil {
		s.add(stageSchema, d.label, "%v", err)
	} else {
		def.check(ctx, s, stageSchema, d.label, runtime.DeepCopyJSON(normalize(d.tree)))
	}
	checkLimits(s, d)
	if d.spec() != nil {
		newChecker(l, &defs.operators, s, d).run(ctx)
	}
}
