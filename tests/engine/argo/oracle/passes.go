package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	wfv1 "github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v4/util/expr/env"
)

// The engine replaces {{=...}} in several passes, and what an error in one does
// depends on the pass (util/template/expression_template.go):
//
//   - in a template that runs something itself, and wherever a name is missing, the
//     expression stays as it is: the step gets its text;
//   - a variable made with let counts as a missing name;
//   - what a loop leaves for its items must be complete: there a missing name is an error.

// shape is what matters of an expression here.
type shape struct {
	lets   []string
	raises bool // calls something to end in an error
	item   bool // reads the item of a loop
	others bool // reads something else
}

func shapeOf(text string) (shape, bool) {
	tree, err := parser.Parse(text)
	if err != nil {
		return shape{}, false
	}
	var s shape
	ast.Walk(&tree.Node, visitor(func(n ast.Node) {
		switch n := n.(type) {
		case *ast.VariableDeclaratorNode:
			s.lets = append(s.lets, n.Name)
		case *ast.CallNode:
			path, _ := staticPath(n.Callee)
			s.raises = s.raises || path == "sprig.fail"
		case *ast.BuiltinNode:
			s.raises = s.raises || (n.Name == "int" && len(n.Arguments) == 1 && notNumber(n.Arguments[0]))
		}
	}))
	for _, path := range references(text) {
		root, _, _ := strings.Cut(path, ".")
		switch {
		case root == "item":
			s.item = true
		case functions[root] == nil && !slices.Contains(s.lets, root):
			s.others = true
		}
	}
	return s, true
}

// notNumber says whether a node is, or begins with, a text that no number begins with.
func notNumber(n ast.Node) bool {
	if b, ok := n.(*ast.BinaryNode); ok && b.Operator == "+" {
		return notNumber(b.Left)
	}
	s, ok := n.(*ast.StringNode)
	if !ok {
		return false
	}
	_, err := strconv.ParseFloat(s.Value, 64)
	return err != nil
}

type visitor func(ast.Node)

func (v visitor) Visit(n *ast.Node) { v(*n) }

// expressions calls f for every {{=...}} in v.
func expressions(path string, v any, f func(path, text string)) {
	switch v := v.(type) {
	case string:
		for _, tag := range tagPattern.FindAllString(v, -1) {
			if e, ok := strings.CutPrefix(tag[2:len(tag)-2], "="); ok {
				f(path, e)
			}
		}
	case []any:
		for i, e := range v {
			expressions(fmt.Sprintf("%s[%d]", path, i), e, f)
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			expressions(path+"."+k, v[k], f)
		}
	}
}

// swallowed finds errors in templates that run something, which never come out.
func (c *checker) swallowed(path string, v any) {
	expressions(path, v, func(at, text string) {
		if s, ok := shapeOf(text); ok && s.raises {
			c.add(at, "{{=%s}}: here the engine passes an expression that ends in an error on as text: raise it in the arguments of the step or task", excerpt(text))
		}
	})
}

// passes checks the expressions of one step or task.
func (c *checker) passes(path string, v any, items []wfv1.Item, loop bool) {
	expressions(path, v, func(at, text string) {
		s, ok := shapeOf(text)
		switch {
		case !ok:
		case len(s.lets) > 0 && s.item && loop:
			c.add(at, "{{=%s}}: in a loop the engine takes the variable %s for a name that is missing: write map([VALUE], ... # ...)[0] for let", excerpt(text), s.lets[0])
		case len(s.lets) > 0 && s.raises && !errorAnyway(at):
			c.add(at, "{{=%s}}: with let the engine passes an expression that ends in an error on as text: write map([VALUE], ... # ...)[0] for let", excerpt(text))
		case s.item && !s.others:
			c.everyItem(at, text, items)
		}
	})
}

// errorAnyway says whether the text of an expression in this field ends in an error all the same.
func errorAnyway(at string) bool {
	return strings.HasSuffix(at, ".when") || strings.HasSuffix(at, ".withParam") || strings.Contains(at, ".withSequence.")
}

const maxItems = 1000

// everyItem evaluates an expression that reads nothing but the item for each item that the manifest names.
func (c *checker) everyItem(at, text string, items []wfv1.Item) {
	for i := range items {
		if i == maxItems {
			return
		}
		if err := evaluate(text, itemNames(items[i])); err != nil {
			c.add(at, "{{=%s}}: for the item %s: %v", excerpt(text), items[i].String(), err)
			return
		}
	}
}

func evaluate(text string, names map[string]any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	e := env.GetFuncMap(names)
	program, err := expr.Compile(text, expr.Env(e))
	if err != nil {
		return fmt.Errorf("%s", firstLine(err))
	}
	v, err := expr.Run(program, e)
	if err != nil {
		return fmt.Errorf("%s", firstLine(err))
	}
	if v == nil {
		return fmt.Errorf("gives nil, which the engine takes for absent")
	}
	return nil
}

// itemNames are the names that an item brings (workflow/controller/operator.go, processItem).
func itemNames(item wfv1.Item) map[string]any {
	names := map[string]any{}
	switch item.GetType() {
	case wfv1.String:
		names["item"] = item.GetStrVal()
	case wfv1.Map:
		for k, v := range item.GetMapVal() {
			names["item."+k] = fmt.Sprintf("%v", v)
		}
	case wfv1.List:
		text, _ := json.Marshal(item.GetListVal())
		names["item"] = string(text)
	default:
		names["item"] = fmt.Sprintf("%v", item)
	}
	return names
}

// literalItems are the items of a loop that the manifest itself names.
func literalItems(items []wfv1.Item, param string, q *wfv1.Sequence) []wfv1.Item {
	if len(items) > 0 {
		return items
	}
	var out []wfv1.Item
	if param != "" {
		_ = json.Unmarshal([]byte(param), &out)
		return out
	}
	if q == nil {
		return nil
	}
	start, end := 0, 0
	var err error
	if q.Start != nil {
		if start, err = strconv.Atoi(q.Start.String()); err != nil {
			return nil
		}
	}
	switch {
	case q.End != nil:
		end, err = strconv.Atoi(q.End.String())
	case q.Count != nil:
		end, err = strconv.Atoi(q.Count.String())
		end += start - 1
	}
	format := q.Format
	if format == "" {
		format = "%d"
	}
	for i := start; err == nil && i <= end && len(out) < maxItems; i++ {
		if item, e := wfv1.ParseItem(`"` + fmt.Sprintf(format, i) + `"`); e == nil {
			out = append(out, item)
		}
	}
	return out
}
