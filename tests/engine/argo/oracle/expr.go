package main

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/Knetic/govaluate"
	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/parser"

	wfv1 "github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v4/util/template"
)

// wanted is what an expression has to give.
type wanted int

const (
	wantText wanted = iota // anything that has a JSON form
	wantBool
	wantArtifact
)

func firstLine(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	return s
}

var minusName = regexp.MustCompile(`\b(tasks|steps|parameters|artifacts|item)\.[A-Za-z0-9_]+-[A-Za-z]`)

// compile compiles one expression, first as it stands, then with the names of
// its place. It returns the type of the result; nil when that is unknown.
func compile(text string, s *scope, want wanted) (reflect.Type, error) {
	tree, err := parser.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("does not compile: %s%s", firstLine(err), hint(text))
	}
	calls := &callVisitor{}
	ast.Walk(&tree.Node, calls)
	if calls.unknown != "" {
		return nil, fmt.Errorf("unknown function %s: the engine passes the whole expression on as text", calls.unknown)
	}
	ops := []expr.Option{expr.Env(s.strict())}
	if want == wantBool {
		ops = append(ops, expr.AsBool())
	}
	program, err := expr.Compile(text, ops...)
	if err != nil {
		return nil, fmt.Errorf("does not compile with the names of this place: %s%s", firstLine(err), hint(text))
	}
	t := program.Node().Type()
	if want == wantArtifact && t != nil && t.Kind() != reflect.Interface && t != reflect.TypeFor[*wfv1.Artifact]() && t != reflect.TypeFor[wfv1.Artifact]() {
		return t, fmt.Errorf("gives %v, not an artifact", t)
	}
	return t, nil
}

func hint(text string) string {
	if m := minusName.FindString(text); m != "" {
		name := strings.SplitN(m, ".", 2)
		return fmt.Sprintf(" (a name with a minus needs brackets: %s['%s...'])", name[0], name[1])
	}
	if strings.Count(text, "{") > strings.Count(text, "}") {
		return " (the first }} ends the tag: write } })"
	}
	return ""
}

// callVisitor finds calls of functions that do not exist.
type callVisitor struct{ unknown string }

func (v *callVisitor) Visit(node *ast.Node) {
	call, ok := (*node).(*ast.CallNode)
	if !ok || v.unknown != "" {
		return
	}
	switch callee := call.Callee.(type) {
	case *ast.IdentifierNode:
		if _, ok := functions[callee.Value]; !ok {
			if _, ok := builtin.Index[callee.Value]; !ok {
				v.unknown = callee.Value
			}
		}
	case *ast.MemberNode:
		root, isRoot := callee.Node.(*ast.IdentifierNode)
		name, isName := callee.Property.(*ast.StringNode)
		if isRoot && isName && root.Value == "sprig" && sprigFunctions[name.Value] == nil {
			v.unknown = "sprig." + name.Value
		}
	}
}

// references returns the longest static paths that an expression reads, optional or not.
func references(text string) []string {
	tree, err := parser.Parse(text)
	if err != nil {
		return nil
	}
	v := &pathVisitor{inner: map[ast.Node]bool{}}
	ast.Walk(&tree.Node, v)
	var out []string
	for i, n := range v.nodes {
		if !v.inner[n] {
			out = append(out, v.paths[i])
		}
	}
	return out
}

type pathVisitor struct {
	nodes []ast.Node
	paths []string
	inner map[ast.Node]bool // parts of a longer path
}

func (v *pathVisitor) Visit(node *ast.Node) {
	if p, ok := staticPath(*node); ok {
		v.nodes, v.paths = append(v.nodes, *node), append(v.paths, p)
		switch n := (*node).(type) {
		case *ast.MemberNode:
			v.inner[n.Node] = true
		case *ast.ChainNode:
			v.inner[n.Node] = true
		}
	}
}

func staticPath(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.IdentifierNode:
		return n.Value, true
	case *ast.ChainNode:
		return staticPath(n.Node)
	case *ast.MemberNode:
		name, ok := n.Property.(*ast.StringNode)
		if !ok {
			return "", false
		}
		base, ok := staticPath(n.Node)
		return base + "." + name.Value, ok
	}
	return "", false
}

// tooEarly says what an expression would become in a scope that lacks names
// which it reads and which come later; "" when the engine leaves it alone.
func tooEarly(ctx context.Context, text string, early, final *scope) (missing, result string) {
	for _, path := range references(text) {
		if !early.reaches(path) && final.reaches(path) {
			missing = path
		}
	}
	if missing == "" {
		return "", ""
	}
	tag := "{{=" + text + "}}"
	quoted, err := json.Marshal(tag)
	if err != nil {
		return "", ""
	}
	done, err := template.Replace(ctx, string(quoted), early.samples(), true)
	if err != nil || done == string(quoted) {
		return "", ""
	}
	var s string
	if json.Unmarshal([]byte(done), &s) != nil || s == tag {
		return "", ""
	}
	return missing, s
}

// shouldExecute evaluates a when as the engine does (workflow/controller/steps.go):
// bare words are strings.
func shouldExecute(when string) (bool, error) {
	e, err := govaluate.NewEvaluableExpression(when)
	if err != nil {
		return false, err
	}
	tokens := e.Tokens()
	for i := range tokens {
		if tokens[i].Kind == govaluate.VARIABLE {
			tokens[i].Kind = govaluate.STRING
		}
	}
	if e, err = govaluate.NewEvaluableExpressionFromTokens(tokens); err != nil {
		return false, err
	}
	v, err := e.Evaluate(nil)
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("gives %v, not true or false", v)
	}
	return b, nil
}
