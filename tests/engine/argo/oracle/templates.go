package main

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/intstr"

	wfv1 "github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v4/util/expr/argoexpr"
	argointstr "github.com/argoproj/argo-workflows/v4/util/intstr"
	"github.com/argoproj/argo-workflows/v4/workflow/common"
)

// checker checks everything in a document that the engine looks at only when it gets there.
type checker struct {
	lib  *library
	ops  *operators
	src  *source
	doc  *document
	spec *wfv1.WorkflowSpec // of the document
	base *wfv1.WorkflowSpec // that holds the templates: the document's, or its workflowTemplateRef's

	fromSteps, fromTasks map[string]bool // templates that are called so
}

func newChecker(lib *library, ops *operators, src *source, doc *document) *checker {
	c := &checker{lib: lib, ops: ops, src: src, doc: doc, spec: doc.spec()}
	c.base = c.spec
	if ref := c.spec.WorkflowTemplateRef; ref != nil {
		if ref.ClusterScope {
			if t := lib.cluster[ref.Name]; t != nil {
				c.base = &t.Spec
			}
		} else if t := lib.templates[ref.Name]; t != nil {
			c.base = &t.Spec
		}
	}
	return c
}

// callers notes what calls each template: {{tasks.name}} and {{steps.name}} are
// there only for templates called by a task or by a step (so are the entrypoint
// and hooks). It matters beyond these two names: where one is, "tasks" or "steps"
// exists before any task or step has run.
func (c *checker) callers() {
	c.fromSteps, c.fromTasks = map[string]bool{}, map[string]bool{}
	hooks := func(hooks wfv1.LifecycleHooks) {
		for _, h := range hooks {
			c.fromSteps[h.Template] = true
		}
	}
	c.fromSteps[c.spec.Entrypoint], c.fromSteps[c.spec.OnExit] = true, true
	hooks(c.spec.Hooks)
	library := c.spec.Entrypoint == "" && c.spec.WorkflowTemplateRef == nil
	for i := range c.spec.Templates {
		t := &c.spec.Templates[i]
		c.fromSteps[t.Name] = c.fromSteps[t.Name] || library
		c.fromTasks[t.Name] = c.fromTasks[t.Name] || library
		for j := range t.Steps {
			for _, step := range t.Steps[j].Steps {
				c.fromSteps[step.Template] = true
				hooks(step.Hooks)
			}
		}
		if t.DAG != nil {
			for _, task := range t.DAG.Tasks {
				c.fromTasks[task.Template] = true
				hooks(task.Hooks)
			}
		}
	}
}

func (c *checker) add(path, format string, args ...any) {
	c.src.add(stageExpr, c.doc.label+":"+path, format, args...)
}

// call is one use of a template.
type call struct {
	name   string // of the step or task
	tmpl   string
	ref    *wfv1.TemplateRef
	inline *wfv1.Template
	args   *wfv1.Arguments
	group  bool
}

func stepCall(s *wfv1.WorkflowStep) call {
	return call{s.Name, s.Template, s.TemplateRef, s.Inline, &s.Arguments, s.ShouldExpand()}
}

func taskCall(t *wfv1.DAGTask) call {
	return call{t.Name, t.Template, t.TemplateRef, t.Inline, &t.Arguments, t.ShouldExpand()}
}

func calls(t *wfv1.Template) (out []call) {
	for i := range t.Steps {
		for j := range t.Steps[i].Steps {
			out = append(out, stepCall(&t.Steps[i].Steps[j]))
		}
	}
	if t.DAG != nil {
		for i := range t.DAG.Tasks {
			out = append(out, taskCall(&t.DAG.Tasks[i]))
		}
	}
	return out
}

// resolve returns the template of a call; nil when it is missing or named by an expression.
func (c *checker) resolve(call call) *wfv1.Template {
	if call.inline != nil {
		return call.inline
	}
	name, templates := call.tmpl, c.base.Templates
	if call.ref != nil {
		name = call.ref.Template
		templates = nil
		if call.ref.ClusterScope {
			if t := c.lib.cluster[call.ref.Name]; t != nil {
				templates = t.Spec.Templates
			}
		} else if t := c.lib.templates[call.ref.Name]; t != nil {
			templates = t.Spec.Templates
		}
	}
	for i := range templates {
		if templates[i].Name == name {
			return &templates[i]
		}
	}
	return nil
}

func (c *checker) run(ctx context.Context) {
	c.callers()
	globals := c.globals()
	rest := c.spec.DeepCopy()
	rest.Templates, rest.TemplateDefaults, rest.RetryStrategy = nil, nil, nil
	// volumes may name what a step made
	c.walk(ctx, "spec", tree(rest), globals.clone().anything("steps", "tasks", "inputs", "item"))
	c.hooks(ctx, "spec.hooks", c.spec.Hooks, globals)
	c.retry(ctx, "spec.retryStrategy", c.spec.RetryStrategy, globals)
	if m := c.spec.WorkflowMetadata; m != nil {
		for n, f := range m.LabelsFrom {
			c.expression(ctx, "spec.workflowMetadata.labelsFrom["+n+"].expression", f.Expression, globals, globals, wantText)
		}
	}
	if t := c.spec.TemplateDefaults; t != nil {
		open := globals.with(retryScope()).anything("inputs", "outputs", "steps", "tasks", "item", "pod")
		c.walk(ctx, "spec.templateDefaults", tree(t), open)
		c.retry(ctx, "spec.templateDefaults.retryStrategy", t.RetryStrategy, open)
	}
	if cron, ok := c.doc.object.(*wfv1.CronWorkflow); ok {
		c.cron(ctx, cron)
	}
	for i := range c.spec.Templates {
		t := &c.spec.Templates[i]
		c.template(ctx, "spec.templates["+t.Name+"]", t, globals)
	}
}

func (c *checker) template(ctx context.Context, path string, t *wfv1.Template, globals *scope) {
	s := globals.clone()
	s.addInputs(t)
	if c.fromSteps[t.Name] {
		s.str("steps.name")
	}
	if c.fromTasks[t.Name] {
		s.str("tasks.name")
	}
	strategy := t.RetryStrategy
	if strategy == nil {
		strategy = c.spec.RetryStrategy
	}
	if strategy == nil && c.base.TemplateDefaults != nil {
		strategy = c.base.TemplateDefaults.RetryStrategy
	}
	if strategy != nil {
		s = s.with(retryScope())
	}
	if t.IsLeaf() {
		s.addLeaf(t)
	}
	c.retry(ctx, path+".retryStrategy", t.RetryStrategy, s)
	c.memoize(path+".memoize", t.Memoize)
	c.duration(path+".timeout", t.Timeout)
	if t.Suspend != nil {
		c.duration(path+".suspend.duration", t.Suspend.Duration)
	}
	c.metrics(ctx, path, t, s)
	rest := t.DeepCopy()
	rest.Steps, rest.DAG, rest.Metrics, rest.RetryStrategy, rest.Inputs = nil, nil, nil, nil, wfv1.Inputs{}
	c.walk(ctx, path+".inputs", tree(t.Inputs), s)
	final := s
	switch {
	case t.Steps != nil:
		final = c.steps(ctx, path, t, s)
	case t.DAG != nil:
		final = c.dag(ctx, path, t, s)
	}
	if t.IsLeaf() {
		c.swallowed(path, tree(rest))
	} else {
		c.outputs(ctx, path, t, s, final)
		rest.Outputs = wfv1.Outputs{}
	}
	c.walk(ctx, path, tree(rest), s)
	c.results(path, t)
	if t.Resource != nil {
		c.manifest(ctx, path, t, s)
	}
}

// steps checks the steps; what a group makes is there for the groups after it.
func (c *checker) steps(ctx context.Context, path string, t *wfv1.Template, base *scope) *scope {
	s := base.clone()
	c.absentInSteps(path, t)
	for i := range t.Steps {
		after := s.clone()
		for j := range t.Steps[i].Steps {
			step := &t.Steps[i].Steps[j]
			at := fmt.Sprintf("%s.steps[%d][%s]", path, i, step.Name)
			call := stepCall(step)
			prefix := "steps." + step.Name
			after.addOutputs(prefix, c.resolve(call), call.group)
			item := newScope()
			item.addItem(step.WithItems, step.WithParam, step.WithSequence)
			rest := *step
			rest.Hooks, rest.Inline = nil, nil
			c.use(ctx, at, call, tree(rest), base, s, item)
			c.loop(at, step.WithParam, step.WithSequence)
			c.passes(at, tree(rest), literalItems(step.WithItems, step.WithParam, step.WithSequence), call.group)
			c.when(ctx, at+".when", step.When, s.with(item))
			own := s.with(item)
			own.addOutputs(prefix, c.resolve(call), call.group)
			c.hooks(ctx, at+".hooks", step.Hooks, own)
			c.inline(ctx, at, step.Inline, own)
		}
		s = after
	}
	return s
}

func (c *checker) dag(ctx context.Context, path string, t *wfv1.Template, base *scope) *scope {
	g := newGraph(t.DAG.Tasks)
	all := base.clone()
	c.absentInDAG(ctx, path, t, g)
	for i := range t.DAG.Tasks {
		task := &t.DAG.Tasks[i]
		at := fmt.Sprintf("%s.dag.tasks[%s]", path, task.Name)
		call := taskCall(task)
		prefix := "tasks." + task.Name
		s := base.clone()
		for _, name := range g.ancestors(ctx, task.Name) {
			if other := g.tasks[name]; other != nil {
				s.addOutputs("tasks."+name, c.resolve(taskCall(other)), other.ShouldExpand())
			}
		}
		all.addOutputs(prefix, c.resolve(call), call.group)
		item := newScope()
		item.addItem(task.WithItems, task.WithParam, task.WithSequence)
		rest := *task
		rest.Hooks, rest.Inline = nil, nil
		c.use(ctx, at, call, tree(rest), base, s, item)
		c.loop(at, task.WithParam, task.WithSequence)
		c.passes(at, tree(rest), literalItems(task.WithItems, task.WithParam, task.WithSequence), call.group)
		c.when(ctx, at+".when", task.When, s.with(item))
		c.depends(ctx, at+".depends", g, task)
		own := s.with(item)
		own.addOutputs(prefix, c.resolve(call), call.group)
		c.hooks(ctx, at+".hooks", task.Hooks, own)
		c.inline(ctx, at, task.Inline, own)
	}
	return all
}

// use checks one step or task: its texts, in the order in which the engine replaces them, and its arguments.
func (c *checker) use(ctx context.Context, at string, call call, text any, base, s, item *scope) {
	c.walk(ctx, at, text, s.with(item), base, s)
	c.arguments(at+".arguments", call.args, c.resolve(call))
	local := newScope()
	for n, t := range s.names {
		if strings.HasPrefix(n, "inputs.") || strings.HasPrefix(n, "tasks.") || strings.HasPrefix(n, "steps.") || strings.HasPrefix(n, "workflow.outputs.") {
			local.names[n] = t
		}
	}
	local.open = s.open
	for i := range call.args.Artifacts {
		a := &call.args.Artifacts[i]
		c.expression(ctx, at+".arguments.artifacts["+a.Name+"].fromExpression", a.FromExpression, s, local, wantArtifact)
	}
}

func (c *checker) inline(ctx context.Context, at string, t *wfv1.Template, outer *scope) {
	if t != nil {
		outer = outer.clone().str("steps.name", "tasks.name")
		c.template(ctx, at+".inline", t, outer)
	}
}

// arguments finds the ones that nobody reads: the engine ignores them.
func (c *checker) arguments(at string, args *wfv1.Arguments, t *wfv1.Template) {
	if t == nil {
		return
	}
	for _, p := range args.Parameters {
		if t.Inputs.GetParameterByName(p.Name) == nil {
			c.add(at+".parameters["+p.Name+"]", "template %q has no such input parameter: the engine ignores the argument", t.Name)
		}
	}
	for _, a := range args.Artifacts {
		if t.Inputs.GetArtifactByName(a.Name) == nil {
			c.add(at+".artifacts["+a.Name+"]", "template %q has no such input artifact: the engine ignores the argument", t.Name)
		}
	}
}

// outputs checks those of a template of steps or tasks: they see all of these, and no globals outside of {{ }}.
func (c *checker) outputs(ctx context.Context, path string, t *wfv1.Template, base, final *scope) {
	c.walk(ctx, path+".outputs", tree(t.Outputs), final, base)
	local := newScope()
	for n, k := range final.names {
		if strings.HasPrefix(n, "inputs.") || strings.HasPrefix(n, "tasks.") || strings.HasPrefix(n, "steps.") {
			local.names[n] = k
		}
	}
	delete(local.names, "inputs.parameters")
	delete(local.names, "tasks.name")
	delete(local.names, "steps.name")
	local.open = final.open
	for i := range t.Outputs.Parameters {
		p := &t.Outputs.Parameters[i]
		if p.ValueFrom != nil {
			c.expression(ctx, path+".outputs.parameters["+p.Name+"].valueFrom.expression", p.ValueFrom.Expression, final, local, wantText)
		}
	}
	for i := range t.Outputs.Artifacts {
		a := &t.Outputs.Artifacts[i]
		c.expression(ctx, path+".outputs.artifacts["+a.Name+"].fromExpression", a.FromExpression, final, local, wantArtifact)
	}
}

// hooks checks workflow, step and task hooks.
func (c *checker) hooks(ctx context.Context, at string, hooks wfv1.LifecycleHooks, s *scope) {
	for name, h := range hooks {
		p := at + "[" + string(name) + "]"
		c.walk(ctx, p, tree(h), s)
		c.expression(ctx, p+".expression", h.Expression, s, s, wantBool)
		t := c.resolve(call{tmpl: h.Template, ref: h.TemplateRef})
		if t == nil && h.Template != "" && !strings.Contains(h.Template, "{{") {
			c.add(p+".template", "no template %q", h.Template)
		}
		c.arguments(p+".arguments", &h.Arguments, t)
	}
}

func (c *checker) retry(ctx context.Context, at string, r *wfv1.RetryStrategy, s *scope) {
	if r == nil {
		return
	}
	c.walk(ctx, at, tree(r), s)
	c.integer(at+".limit", r.Limit)
	c.expression(ctx, at+".expression", r.Expression, s, retryScope(), wantBool)
	b := r.Backoff
	if b == nil {
		return
	}
	if b.Duration == "" {
		c.add(at+".backoff.duration", "is required with backoff: without it the node ends in Error after its first failure")
	}
	if r.Limit == nil {
		c.add(at+".limit", "is required with backoff: without it the engine does not wait")
	}
	c.duration(at+".backoff.duration", b.Duration)
	c.duration(at+".backoff.cap", b.Cap)
	c.duration(at+".backoff.maxDuration", b.MaxDuration)
	c.integer(at+".backoff.factor", b.Factor)
}

func (c *checker) integer(at string, v *intstr.IntOrString) {
	if v == nil || strings.Contains(v.StrVal, "{{") {
		return
	}
	n, err := argointstr.Int32(v)
	if err != nil {
		c.add(at, "%v: the node would end in Error when it gets here", firstLine(err))
	} else if *n < 0 {
		c.add(at, "%d is negative", *n)
	}
}

func (c *checker) duration(at, text string) {
	if text == "" || strings.Contains(text, "{{") {
		return
	}
	if d, err := wfv1.ParseStringToDuration(text); err != nil {
		c.add(at, "%q is not a duration: a number of seconds, or 1h2m3s", text)
	} else if d < 0 {
		c.add(at, "%q is negative", text)
	}
}

var cacheKey = regexp.MustCompile("^[a-zA-Z0-9][-a-zA-Z0-9]*$") // workflow/controller/cache

func (c *checker) memoize(at string, m *wfv1.Memoize) {
	if m == nil {
		return
	}
	key := tagPattern.ReplaceAllString(m.Key, "x")
	if !cacheKey.MatchString(key) {
		c.add(at+".key", "%q: a key is letters, digits and -, and does not begin with -", m.Key)
	}
	if m.MaxAge != "" && !strings.Contains(m.MaxAge, "{{") {
		if _, err := time.ParseDuration(m.MaxAge); err != nil {
			c.add(at+".maxAge", "%q is not a duration such as 1h30m (there are no days)", m.MaxAge)
		}
	}
	if m.Cache == nil || m.Cache.ConfigMap == nil || m.Cache.ConfigMap.Name == "" {
		c.add(at+".cache.configMap.name", "is required")
	}
}

// loop checks what a step or task is repeated over.
func (c *checker) loop(at, param string, q *wfv1.Sequence) {
	if param != "" && !strings.Contains(param, "{{") {
		var items []wfv1.Item
		if err := json.Unmarshal([]byte(param), &items); err != nil {
			c.add(at+".withParam", "is not a JSON list: %v", firstLine(err))
		}
	}
	if q == nil {
		return
	}
	if q.Count == nil && q.End == nil {
		c.add(at+".withSequence", "needs count or end")
	}
	for name, v := range map[string]*intstr.IntOrString{"start": q.Start, "end": q.End, "count": q.Count} {
		if v == nil || strings.Contains(v.StrVal, "{{") {
			continue
		}
		n, err := strconv.Atoi(v.String())
		if err != nil {
			c.add(at+".withSequence."+name, "%q is not a whole number", v.String())
		} else if name == "count" && n < 0 {
			c.add(at+".withSequence."+name, "%d is negative: the engine would count backwards", n)
		}
	}
	if q.Format != "" {
		if text := fmt.Sprintf(q.Format, 1); strings.Contains(text, "%!") {
			c.add(at+".withSequence.format", "%q makes %q of 1", q.Format, text)
		} else if _, err := wfv1.ParseItem(`"` + text + `"`); err != nil {
			c.add(at+".withSequence.format", "%q does not make a JSON string", q.Format)
		}
	}
}

// graph is a DAG template as the engine's own functions want it.
type graph struct{ tasks map[string]*wfv1.DAGTask }

func newGraph(tasks []wfv1.DAGTask) *graph {
	g := &graph{map[string]*wfv1.DAGTask{}}
	for i := range tasks {
		g.tasks[tasks[i].Name] = &tasks[i]
	}
	return g
}

func (g *graph) GetTask(_ context.Context, name string) *wfv1.DAGTask {
	if t := g.tasks[name]; t != nil {
		return t
	}
	return &wfv1.DAGTask{}
}

func (g *graph) GetTaskDependencies(ctx context.Context, name string) (out []string) {
	deps, _ := common.GetTaskDependencies(ctx, g.GetTask(ctx, name), g)
	for d := range deps {
		out = append(out, d)
	}
	return out
}

func (g *graph) GetTaskFinishedAtTime(context.Context, string) time.Time { return time.Time{} }

// ancestors are the tasks that end before this one starts; a cycle is no reason to run for ever.
func (g *graph) ancestors(ctx context.Context, name string) (out []string) {
	seen := map[string]bool{name: true}
	todo := []string{name}
	for len(todo) > 0 {
		next := todo[0]
		todo = todo[1:]
		for _, d := range g.GetTaskDependencies(ctx, next) {
			if !seen[d] {
				seen[d] = true
				out, todo = append(out, d), append(todo, d)
			}
		}
	}
	return out
}

// taskResults is what a depends sees of one task (workflow/controller/dag.go).
type taskResults struct {
	Succeeded, Failed, Errored, Skipped, Omitted, Daemoned, AnySucceeded, AllFailed bool
}

// depends evaluates the condition as the engine does, which turns every - into _.
func (c *checker) depends(ctx context.Context, at string, g *graph, task *wfv1.DAGTask) {
	deps, logic := common.GetTaskDependencies(ctx, task, g)
	if logic == "" {
		return
	}
	results := map[string]taskResults{}
	from := map[string]string{}
	for d := range deps {
		name := strings.ReplaceAll(d, "-", "_")
		if other, twin := from[name]; twin {
			c.add(at, "the engine cannot tell %q from %q", other, d)
		}
		from[name], results[name] = d, taskResults{}
	}
	if _, err := argoexpr.EvalBool(strings.ReplaceAll(logic, "-", "_"), results); err != nil {
		c.add(at, "%q cannot be evaluated: %s", task.Depends, firstLine(err))
	}
}

// results finds outputs.result that would never be there: the engine keeps the
// standard output of a step only when it finds one of two spellings in the
// template around it (workflow/controller/operator.go, generateOutputResultRegex).
func (c *checker) results(path string, t *wfv1.Template) {
	kind := map[bool]string{true: "tasks", false: "steps"}[t.DAG != nil]
	text, err := json.Marshal(t)
	if err != nil || t.IsLeaf() {
		return
	}
	for _, call := range calls(t) {
		name := regexp.QuoteMeta(call.name)
		loose := regexp.MustCompile(kind + `(\??\.` + name + `|\??\.?\[\\*['"]` + name + `\\*['"]\])\??\.outputs\??\.result`)
		strict := regexp.MustCompile(kind + `(\.` + name + `\.outputs\.result|\[['"]` + name + `['"]\]\.outputs.result)`)
		if m := loose.FindString(string(text)); m != "" && !strict.Match(text) {
			c.add(path, "%s: the engine does not see this spelling and keeps no result of %q: write %s['%s'].outputs.result once",
				strings.ReplaceAll(m, `\`, ""), call.name, kind, call.name)
		}
	}
}

func (c *checker) metrics(ctx context.Context, path string, t *wfv1.Template, s *scope) {
	if t.Metrics == nil {
		return
	}
	own := s.clone().str("duration", "status", "exitCode").anything("resourcesDuration", "outputs")
	c.walk(ctx, path+".metrics", tree(t.Metrics), own)
	for _, m := range t.Metrics.Prometheus {
		c.when(ctx, path+".metrics.prometheus["+m.Name+"].when", m.When, own)
	}
}

func (c *checker) cron(ctx context.Context, cron *wfv1.CronWorkflow) {
	s := newScope().anything("cronworkflow")
	c.texts(ctx, "spec.when", cron.Spec.When, s)
	c.when(ctx, "spec.when", cron.Spec.When, s)
	if cron.Spec.StopStrategy != nil {
		c.expression(ctx, "spec.stopStrategy.expression", cron.Spec.StopStrategy.Expression, s, s, wantBool)
	}
}
