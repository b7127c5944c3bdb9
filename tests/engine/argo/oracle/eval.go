package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"reflect"

	"github.com/expr-lang/expr"

	"github.com/argoproj/argo-workflows/v4/util/expr/env"
	"github.com/argoproj/argo-workflows/v4/util/template"
)

// evalMain reads JSON lines {"expr": "...", "env": {...}} and writes one line for
// each: {"value": ..., "text": "..."} or {"error": "..."}. expr is what stands
// after {{= ; env is nested. value is what the expression gives, text is what the
// engine would put in the place of {{=...}}. With "kind": "when", "tag" or "bool"
// the text is evaluated as a when, as a string that holds tags, or as a condition.
func evalMain(args []string, in io.Reader, out io.Writer) int {
	set := flag.NewFlagSet("eval", flag.ExitOnError)
	set.Usage = func() { usage("wrong usage") }
	_ = set.Parse(args)
	if set.NArg() > 0 {
		usage("eval reads standard input")
	}
	w := bufio.NewWriter(out)
	defer w.Flush()
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 && (len(line) > 1 || line[0] != '\n') {
			if e := enc.Encode(evalLine(line)); e != nil {
				fmt.Fprintln(w, `{"error":"the value cannot be written as JSON"}`)
			}
		}
		if err != nil {
			return 0
		}
	}
}

type request struct {
	Expr string         `json:"expr"`
	Env  map[string]any `json:"env"`
	Kind string         `json:"kind"` // "" or expr, tag, when, bool
}

func evalLine(line []byte) map[string]any {
	var r request
	if err := json.Unmarshal(line, &r); err != nil {
		return map[string]any{"error": "not a request: " + err.Error()}
	}
	switch r.Kind {
	case "", "expr", "bool":
		return evalExpr(r)
	case "tag":
		return evalTags(r)
	case "when":
		ok, err := shouldExecute(r.Expr)
		if err != nil {
			return map[string]any{"error": err.Error()}
		}
		return map[string]any{"value": ok}
	}
	return map[string]any{"error": "unknown kind " + r.Kind}
}

func evalExpr(r request) (answer map[string]any) {
	defer func() {
		// the engine's own functions panic on bad JSON
		if p := recover(); p != nil {
			answer = map[string]any{"error": fmt.Sprint(p)}
		}
	}()
	e := env.GetFuncMap(r.Env)
	program, err := expr.Compile(r.Expr, expr.Env(e))
	if err != nil {
		return map[string]any{"error": firstLine(err)}
	}
	v, err := expr.Run(program, e)
	if err != nil {
		return map[string]any{"error": firstLine(err)}
	}
	if r.Kind == "bool" {
		if _, ok := v.(bool); !ok {
			return map[string]any{"error": fmt.Sprintf("%v is not a bool", v)}
		}
	}
	answer = map[string]any{"value": v, "type": typeName(v)}
	if f, ok := v.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
		return map[string]any{"error": fmt.Sprintf("%v cannot be written as JSON", f)}
	}
	if v == nil {
		return map[string]any{"error": "the value is nil: the engine takes that for an absent one"}
	}
	if text, err := json.Marshal(v); err == nil {
		s, isString := v.(string)
		if !isString {
			s = string(text)
		}
		answer["text"] = s
	} else {
		return map[string]any{"error": err.Error()}
	}
	return answer
}

// typeName tells an int from a float, which JSON does not.
func typeName(v any) string {
	switch reflect.ValueOf(v).Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "int"
	case reflect.Float32, reflect.Float64:
		return "float"
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "bool"
	case reflect.Slice, reflect.Array:
		return "list"
	case reflect.Map:
		return "map"
	}
	return fmt.Sprintf("%T", v)
}

// evalTags replaces the tags of a text by the engine's own strict replacement.
func evalTags(r request) map[string]any {
	flat := map[string]any{}
	flatten(flat, "", r.Env)
	text, err := json.Marshal(r.Expr)
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	done, err := template.Replace(newContext(), string(text), flat, false)
	if err != nil {
		return map[string]any{"error": firstLine(err)}
	}
	var s string
	if err := json.Unmarshal([]byte(done), &s); err != nil {
		return map[string]any{"error": err.Error()}
	}
	return map[string]any{"value": s, "text": s}
}

// flatten joins nested names with dots, as the engine keeps them.
func flatten(out map[string]any, prefix string, v map[string]any) {
	for k, e := range v {
		if m, ok := e.(map[string]any); ok {
			flatten(out, prefix+k+".", m)
		} else {
			out[prefix+k] = e
		}
	}
}
