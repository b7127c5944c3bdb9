package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	wfv1 "github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v4/workflow/common"
)

// An output that is not there holds its reader up: a task that failed has none, and
// the engine looks for it again for ever, even in the branch of a ?: that is not
// taken; of one that was skipped or omitted the parameters are nil, which ends the
// reader in Error unless the producer or the reading input has a default. So what
// reads the outputs of a task that may not have succeeded must guard for it.

// outcome is how a task ended.
type outcome int

const (
	succeeded outcome = iota
	failed
	errored
	skipped
	omitted
	outcomes
)

func (o outcome) results() taskResults {
	return taskResults{Succeeded: o == succeeded, Failed: o == failed, Errored: o == errored, Skipped: o == skipped, Omitted: o == omitted,
		AnySucceeded: o == succeeded, AllFailed: o == failed}
}

// certainty knows of each task of a DAG which tasks must have succeeded when it runs.
type certainty struct {
	g     *graph
	known map[string]map[string]bool
	busy  map[string]bool
	seen  map[string]map[string][]outcome // results of with
}

func newCertainty(g *graph) *certainty {
	return &certainty{g, map[string]map[string]bool{}, map[string]bool{}, map[string]map[string][]outcome{}}
}

// possible are the outcomes that a task can have at all.
func (k *certainty) possible(ctx context.Context, name string) []outcome {
	t := k.g.GetTask(ctx, name)
	out := []outcome{succeeded, failed, errored}
	if t.When != "" || emptyLoop(t.WithItems, t.WithParam, t.WithSequence) {
		out = append(out, skipped)
	}
	if len(k.g.GetTaskDependencies(ctx, name)) > 0 {
		out = append(out, omitted)
	}
	return out
}

// emptyLoop says whether a loop may have nothing to go over, which skips the task.
func emptyLoop(items []wfv1.Item, param string, q *wfv1.Sequence) bool {
	if param != "" {
		var list []any
		return json.Unmarshal([]byte(param), &list) != nil || len(list) == 0
	}
	return q != nil && q.Count != nil && (strings.Contains(q.Count.String(), "{{") || q.Count.String() == "0")
}

// with returns the outcomes that each direct dependency of a task can have when the task runs.
func (k *certainty) with(ctx context.Context, name string) map[string][]outcome {
	if seen, ok := k.seen[name]; ok {
		return seen
	}
	deps, logic := common.GetTaskDependencies(ctx, k.g.GetTask(ctx, name), k.g)
	program, err := expr.Compile(strings.ReplaceAll(logic, "-", "_"), expr.Env(environment(deps, nil)))
	if logic == "" || err != nil {
		return nil
	}
	possible := map[string][]outcome{}
	for d := range deps {
		possible[d] = k.possible(ctx, d)
	}
	out := map[string][]outcome{}
	for d := range deps {
		for _, o := range possible[d] {
			if some(true, program, deps, possible, d, o) {
				out[d] = append(out[d], o)
			}
		}
	}
	k.seen[name] = out
	return out
}

// some says whether a condition can be want when one dependency ended so, all others in one way or another.
func some(want bool, program *vm.Program, deps map[string]common.DependencyType, possible map[string][]outcome, name string, o outcome) bool {
	for others := range outcomes {
		choice := map[string]outcome{}
		for d := range deps {
			if slices.Contains(possible[d], others) {
				choice[d] = others
			}
		}
		choice[name] = o
		if v, err := expr.Run(program, environment(deps, choice)); (err == nil && v == true) == want {
			return true
		}
	}
	return false
}

func environment(deps map[string]common.DependencyType, choice map[string]outcome) map[string]taskResults {
	env := map[string]taskResults{}
	for d := range deps {
		env[strings.ReplaceAll(d, "-", "_")] = choice[d].results()
	}
	return env
}

// certain returns the tasks that have succeeded whenever the task runs.
func (k *certainty) certain(ctx context.Context, name string) map[string]bool {
	if known, ok := k.known[name]; ok {
		return known
	}
	out := map[string]bool{}
	if k.busy[name] {
		return out // a cycle, which lint reports
	}
	k.busy[name] = true
	for d, can := range k.with(ctx, name) {
		var common map[string]bool
		for _, o := range can {
			sure := map[string]bool{}
			if o != omitted {
				maps.Copy(sure, k.certain(ctx, d))
			}
			if o == succeeded {
				sure[d] = true
			}
			if common == nil {
				common = sure
			} else {
				maps.DeleteFunc(common, func(n string, _ bool) bool { return !sure[n] })
			}
		}
		maps.Copy(out, common)
	}
	k.busy[name] = false
	k.known[name] = out
	return out
}

// targets are the tasks that a DAG is judged by: those it names, or its last ones.
func targets(ctx context.Context, t *wfv1.Template, g *graph) []string {
	if t.DAG.Target != "" {
		return strings.Fields(t.DAG.Target)
	}
	last := maps.Clone(g.tasks)
	for _, task := range g.tasks {
		for _, d := range g.GetTaskDependencies(ctx, task.Name) {
			delete(last, d)
		}
	}
	return slices.Sorted(maps.Keys(last))
}

// atEnd returns the tasks that have succeeded whenever the DAG of these targets has.
func (k *certainty) atEnd(ctx context.Context, targets []string) map[string]bool {
	sure := map[string]bool{}
	for _, name := range targets {
		maps.Copy(sure, k.unfailed(ctx, name, map[string]bool{}))
	}
	return sure
}

// unfailed returns the tasks that have succeeded where a target is not judged failed. A task that did not run is judged
// as what is before it was, a failure first (assessDAGPhase in workflow/controller/dag.go).
func (k *certainty) unfailed(ctx context.Context, name string, busy map[string]bool) map[string]bool {
	t := k.g.GetTask(ctx, name)
	if t.ContinueOn != nil || busy[name] {
		return map[string]bool{}
	}
	busy[name] = true
	defer delete(busy, name)
	sure := maps.Clone(k.certain(ctx, name))
	if !slices.Contains(k.possible(ctx, name), skipped) {
		sure[name] = true
	}
	if !k.idle(ctx, name, map[string]bool{}) {
		return sure
	}
	omitted := map[string]bool{}
	for _, d := range k.g.GetTaskDependencies(ctx, name) {
		maps.Copy(omitted, k.unfailed(ctx, d, busy))
	}
	maps.DeleteFunc(sure, func(n string, _ bool) bool { return !omitted[n] })
	return sure
}

// idle says whether a task may be omitted although nothing before it failed: its condition does not hold where something
// before it was skipped, or was idle itself.
func (k *certainty) idle(ctx context.Context, name string, seen map[string]bool) bool {
	if seen[name] {
		return false
	}
	seen[name] = true
	deps, logic := common.GetTaskDependencies(ctx, k.g.GetTask(ctx, name), k.g)
	program, err := expr.Compile(strings.ReplaceAll(logic, "-", "_"), expr.Env(environment(deps, nil)))
	if logic == "" || err != nil {
		return false
	}
	well := map[string][]outcome{}
	for d := range deps {
		well[d] = []outcome{succeeded}
		if slices.Contains(k.possible(ctx, d), skipped) {
			well[d] = append(well[d], skipped)
		}
		if k.idle(ctx, d, seen) {
			well[d] = append(well[d], omitted)
		}
	}
	for d := range deps {
		for _, o := range well[d] {
			if some(false, program, deps, well, d, o) {
				return true
			}
		}
	}
	return false
}

// reader is a place that reads outputs, and which tasks or steps it can count on.
type reader struct {
	kind   string // tasks or steps
	others map[string]call
	sure   map[string]bool
	onlyNo map[string]bool // not sure, but only because it may be skipped or omitted
}

var simpleOutput = regexp.MustCompile(`^\s*(tasks|steps)\.([a-zA-Z0-9][-a-zA-Z0-9]*)\.outputs\.(result|parameters|artifacts)(?:\.([-a-zA-Z0-9_]+))?\s*$`)

// absentIn checks the tags of a text. Input is the input parameter that it is the value of, if any.
func (c *checker) absentIn(path, text string, r *reader, input *wfv1.Parameter) {
	for _, tag := range tagPattern.FindAllString(text, -1) {
		inner := tag[2 : len(tag)-2]
		if e, ok := strings.CutPrefix(inner, "="); ok {
			for _, name := range unguarded(e, r.kind) {
				c.absent(path, tag, name, r)
			}
			continue
		}
		m := simpleOutput.FindStringSubmatch(inner)
		if m == nil || m[1] != r.kind {
			continue
		}
		if r.onlyNo[m[2]] && c.hasDefault(r.others[m[2]], m[4]) {
			continue
		}
		if r.onlyNo[m[2]] && input != nil && tag == text && (input.Default != nil || input.Value != nil) {
			continue
		}
		c.absent(path, tag, m[2], r)
	}
}

func (c *checker) absent(path, tag, name string, r *reader) {
	if _, known := r.others[name]; !known || r.sure[name] {
		return
	}
	c.src.add(stageAbsent, c.doc.label+":"+path, "%s: %s.%s need not have succeeded here, and without its outputs the engine waits for ever or ends in Error: "+
		"read them as {{=%s['%s'].outputs?.parameters?.NAME ?? FALLBACK}}", excerpt(tag), r.kind, name, r.kind, name)
}

// guardedBy returns what a task or step can count on besides: its when is evaluated
// before the rest of it is read, so one that asks for another's status, or asks
// what the other's when asked, may take care of it.
func (r *reader) guardedBy(when string, whens map[string]string) *reader {
	if when == "" {
		return r
	}
	more := &reader{r.kind, r.others, maps.Clone(r.sure), r.onlyNo}
	for name := range r.others {
		status := regexp.MustCompile(regexp.QuoteMeta(r.kind) + `(\.|\[['"])` + regexp.QuoteMeta(name) + `(['"]\])?\.status\b`)
		if when == whens[name] || status.MatchString(when) {
			more.sure[name] = true
		}
	}
	return more
}

// hasDefault says whether the producer's own template has a default for the parameter.
func (c *checker) hasDefault(producer call, parameter string) bool {
	t := c.resolve(producer)
	if t == nil || producer.group {
		return t == nil
	}
	for _, p := range t.Outputs.Parameters {
		if p.Name == parameter && p.ValueFrom != nil && p.ValueFrom.Default != nil {
			return true
		}
	}
	return false
}

// unguarded returns the tasks or steps into whose outputs an expression reaches without ?. .
func unguarded(text, kind string) []string {
	tree, err := parser.Parse(text)
	if err != nil {
		return nil
	}
	v := &reachVisitor{kind: kind, names: map[string]bool{}}
	ast.Walk(&tree.Node, v)
	return slices.Sorted(maps.Keys(v.names))
}

type reachVisitor struct {
	kind  string
	names map[string]bool
}

func (v *reachVisitor) Visit(node *ast.Node) {
	m, ok := (*node).(*ast.MemberNode)
	if !ok || m.Optional {
		return
	}
	base, ok := staticPath(m.Node)
	if !ok {
		return
	}
	parts := strings.Split(base, ".")
	if len(parts) == 3 && parts[0] == v.kind && parts[2] == "outputs" {
		v.names[parts[1]] = true
	}
}

// absentInDAG checks every task of a DAG, and its outputs.
func (c *checker) absentInDAG(ctx context.Context, path string, t *wfv1.Template, g *graph) {
	k := newCertainty(g)
	others, whens := map[string]call{}, map[string]string{}
	for i := range t.DAG.Tasks {
		others[t.DAG.Tasks[i].Name] = taskCall(&t.DAG.Tasks[i])
		whens[t.DAG.Tasks[i].Name] = t.DAG.Tasks[i].When
	}
	for i := range t.DAG.Tasks {
		task := &t.DAG.Tasks[i]
		r := &reader{"tasks", others, k.certain(ctx, task.Name), map[string]bool{}}
		for d, can := range k.with(ctx, task.Name) {
			r.onlyNo[d] = !slices.Contains(can, failed) && !slices.Contains(can, errored)
		}
		at := fmt.Sprintf("%s.dag.tasks[%s]", path, task.Name)
		c.absentIn(at+".when", task.When, r, nil)
		rest := *task
		rest.Hooks, rest.Inline, rest.When, rest.Arguments = nil, nil, "", wfv1.Arguments{}
		c.absentInCall(at, tree(rest), taskCall(task), r.guardedBy(task.When, whens))
	}
	r := &reader{"tasks", others, k.atEnd(ctx, targets(ctx, t, g)), map[string]bool{}}
	for n := range others {
		r.onlyNo[n] = true
	}
	c.absentInOutputs(path, t, r)
}

// absentInSteps checks the steps: one that does not succeed ends its template, unless that may be.
func (c *checker) absentInSteps(path string, t *wfv1.Template) {
	r := &reader{"steps", map[string]call{}, map[string]bool{}, map[string]bool{}}
	whens := map[string]string{}
	for i := range t.Steps {
		for j := range t.Steps[i].Steps {
			step := &t.Steps[i].Steps[j]
			at := fmt.Sprintf("%s.steps[%d][%s]", path, i, step.Name)
			c.absentIn(at+".when", step.When, r, nil)
			rest := *step
			rest.Hooks, rest.Inline, rest.When, rest.Arguments = nil, nil, "", wfv1.Arguments{}
			c.absentInCall(at, tree(rest), stepCall(step), r.guardedBy(step.When, whens))
		}
		for j := range t.Steps[i].Steps {
			step := &t.Steps[i].Steps[j]
			mayFail := step.ContinueOn != nil && (step.ContinueOn.Failed || step.ContinueOn.Error)
			r.others[step.Name], whens[step.Name] = stepCall(step), step.When
			r.sure[step.Name] = !mayFail && step.When == "" && !emptyLoop(step.WithItems, step.WithParam, step.WithSequence)
			r.onlyNo[step.Name] = !mayFail
		}
	}
	c.absentInOutputs(path, t, r)
}

func (c *checker) absentInCall(at string, rest any, call call, r *reader) {
	c.absentInTree(at, rest, r)
	target := c.resolve(call)
	for i := range call.args.Parameters {
		p := &call.args.Parameters[i]
		var input *wfv1.Parameter
		if target != nil {
			input = target.Inputs.GetParameterByName(p.Name)
		}
		if p.Value != nil {
			c.absentIn(at+".arguments.parameters["+p.Name+"]", p.Value.String(), r, input)
		}
	}
	for i := range call.args.Artifacts {
		a := &call.args.Artifacts[i]
		if !a.Optional {
			c.absentIn(at+".arguments.artifacts["+a.Name+"].from", a.From, r, nil)
		}
	}
}

func (c *checker) absentInTree(path string, v any, r *reader) {
	switch v := v.(type) {
	case string:
		c.absentIn(path, v, r, nil)
	case []any:
		for i, e := range v {
			c.absentInTree(fmt.Sprintf("%s[%d]", path, i), e, r)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			c.absentInTree(path+"."+key, v[key], r)
		}
	}
}

func (c *checker) absentInOutputs(path string, t *wfv1.Template, r *reader) {
	for i := range t.Outputs.Parameters {
		p := &t.Outputs.Parameters[i]
		if p.ValueFrom == nil || p.ValueFrom.Default != nil {
			continue
		}
		c.absentIn(path+".outputs.parameters["+p.Name+"].valueFrom.parameter", p.ValueFrom.Parameter, r, nil)
	}
	for i := range t.Outputs.Artifacts {
		if a := &t.Outputs.Artifacts[i]; !a.Optional {
			c.absentIn(path+".outputs.artifacts["+a.Name+"].from", a.From, r, nil)
		}
	}
}
