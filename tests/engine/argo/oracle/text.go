package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// tree returns v as plain JSON.
func tree(v any) any {
	text, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	var out any
	_ = json.Unmarshal(text, &out)
	return out
}

// walk checks the tags of every text in v. The engine replaces in passes: early
// are the scopes of those before the one that has all names.
func (c *checker) walk(ctx context.Context, path string, v any, s *scope, early ...*scope) {
	switch v := v.(type) {
	case string:
		c.texts(ctx, path, v, s, early...)
	case []any:
		for i, e := range v {
			at := fmt.Sprintf("%s[%d]", path, i)
			if m, ok := e.(map[string]any); ok {
				if n, ok := m["name"].(string); ok {
					at = path + "[" + n + "]"
				}
			}
			c.walk(ctx, at, e, s, early...)
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			c.walk(ctx, path+"."+k, v[k], s, early...)
		}
	}
}

var tagPattern = regexp.MustCompile(`(?s)\{\{.*?\}\}`)

// texts checks the tags of one text.
func (c *checker) texts(ctx context.Context, path, text string, s *scope, early ...*scope) {
	for {
		i := strings.Index(text, "{{")
		if i < 0 {
			return
		}
		text = text[i+2:]
		j := strings.Index(text, "}}")
		if j < 0 {
			c.add(path, "{{ without }}: the engine takes everything up to the next }} of a later field for one name: %s", excerpt(text))
			return
		}
		c.tag(ctx, path, text[:j], s, early...)
		text = text[j+2:]
	}
}

func excerpt(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
}

func (c *checker) tag(ctx context.Context, path, tag string, s *scope, early ...*scope) {
	if e, ok := strings.CutPrefix(tag, "="); ok {
		if _, err := compile(e, s, wantText); err != nil {
			c.add(path, "{{=%s}}: %v", excerpt(e), err)
			return
		}
		for _, e2 := range early {
			if missing, becomes := tooEarly(ctx, e, e2, s); missing != "" {
				c.add(path, "{{=%s}}: the engine evaluates this before %s is known, and it becomes %q", excerpt(e), missing, becomes)
				return
			}
		}
		return
	}
	name := strings.TrimSpace(tag)
	if strings.HasPrefix(name, "=") {
		c.add(path, "{{%s}}: no blank may stand between {{ and =", excerpt(tag))
		return
	}
	if at := strings.LastIndex(name, "{{"); at >= 0 {
		// a name in a name is replaced in two passes
		name = strings.TrimSpace(name[at+2:])
	}
	if s.has(name) {
		return
	}
	hint := ""
	if near := s.nearest(name); near != "" {
		hint = fmt.Sprintf(" (did you mean %s?)", near)
	}
	c.add(path, "{{%s}}: no such name here: the engine passes it on as text, or waits for ever%s", excerpt(tag), hint)
}

// fill puts a sample in the place of each tag: the n-th for a text, else one of the tag's type.
func (c *checker) fill(text string, s *scope, n int) string {
	samples := []string{"a", "1", "true", ""}
	return tagPattern.ReplaceAllStringFunc(text, func(tag string) string {
		e, ok := strings.CutPrefix(tag[2:len(tag)-2], "=")
		if !ok {
			return samples[n%len(samples)]
		}
		t, err := compile(e, s, wantText)
		if err != nil || t == nil {
			return samples[n%len(samples)]
		}
		switch t.Kind() {
		case reflect.Bool:
			return []string{"true", "false"}[n%2]
		case reflect.Int, reflect.Int64:
			return "1"
		case reflect.Float64:
			return "0.5"
		}
		return samples[n%len(samples)]
	})
}

const sampleCount = 4

// expression checks a field that is an expression as a whole. Its tags are replaced
// first, by the names of the scope around it.
func (c *checker) expression(ctx context.Context, path, text string, around, own *scope, want wanted) {
	if text == "" {
		return
	}
	if strings.Contains(text, "{{") && !strings.Contains(tagPattern.ReplaceAllString(text, ""), "{{") {
		var err error
		for n := range sampleCount {
			if _, err = compile(c.fill(text, around, n), own, want); err == nil {
				return
			}
		}
		c.add(path, "%s: %v", excerpt(text), err)
		return
	}
	if _, err := compile(text, own, want); err != nil {
		c.add(path, "%s: %v", excerpt(text), err)
	}
}

// when evaluates a condition with samples for its tags: one of them must give true or false.
func (c *checker) when(_ context.Context, path, text string, s *scope) {
	if text == "" || strings.Contains(tagPattern.ReplaceAllString(text, ""), "{{") {
		return
	}
	var err error
	for n := range sampleCount {
		if _, err = shouldExecute(c.fill(text, s, n)); err == nil {
			return
		}
	}
	c.add(path, "%s: cannot be evaluated: %s", excerpt(text), firstLine(err))
}
