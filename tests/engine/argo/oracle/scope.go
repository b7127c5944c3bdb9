package main

import (
	"maps"
	"slices"
	"strings"

	sprig "github.com/Masterminds/sprig/v3"
	"github.com/argoproj/pkg/strftime"
	"github.com/expr-lang/expr/types"

	wfv1 "github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v4/util/expr/env"
)

// scope is the set of names that can be used at one place, with dots, as the
// engine keeps them. Every parameter is a string.
type scope struct {
	names map[string]types.Type
	open  map[string]bool // prefixes under which any name may exist
}

var artifactType = types.TypeOf(&wfv1.Artifact{})

func newScope() *scope {
	return &scope{map[string]types.Type{}, map[string]bool{}}
}

func (s *scope) clone() *scope {
	return &scope{maps.Clone(s.names), maps.Clone(s.open)}
}

func (s *scope) str(names ...string) *scope {
	for _, n := range names {
		s.names[n] = types.String
	}
	return s
}

func (s *scope) artifact(name string) { s.names[name] = artifactType }

func (s *scope) anything(prefixes ...string) *scope {
	for _, p := range prefixes {
		s.open[p] = true
	}
	return s
}

// with returns the union of the two.
func (s *scope) with(other *scope) *scope {
	out := s.clone()
	maps.Copy(out.names, other.names)
	maps.Copy(out.open, other.open)
	return out
}

func (s *scope) has(name string) bool {
	if _, ok := s.names[name]; ok {
		return true
	}
	for p := range s.open {
		if name == p || strings.HasPrefix(name, p+".") {
			return true
		}
	}
	return false
}

// reaches says whether path is a name, a part of one, or leads to one.
func (s *scope) reaches(path string) bool {
	if s.has(path) {
		return true
	}
	for n := range s.names {
		if strings.HasPrefix(n, path+".") || strings.HasPrefix(path, n+".") {
			return true
		}
	}
	return false
}

// nearest returns the name most like the given one, or "".
func (s *scope) nearest(name string) string {
	best, cost := "", len(name)/3+1
	for _, n := range slices.Sorted(maps.Keys(s.names)) {
		if d := distance(name, n); d < cost {
			best, cost = n, d
		}
	}
	return best
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := corner
			if a[i] != b[j] {
				d++
			}
			corner = row[j+1]
			row[j+1] = min(d, corner+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// samples is the scope as the engine's replacement takes it, every string "1".
func (s *scope) samples() map[string]any {
	out := map[string]any{}
	for n, t := range s.names {
		if t == types.String {
			out[n] = "1"
		}
	}
	return out
}

// functions are those that the engine gives every expression, by name.
var functions = func() types.Map {
	m := types.Map{}
	for n, f := range env.GetFuncMap(map[string]any{}) {
		if n != "sprig" {
			m[n] = types.TypeOf(f)
		}
	}
	s := types.Map{}
	for n, f := range sprigFunctions {
		s[n] = types.TypeOf(f)
	}
	m["sprig"] = s
	return m
}()

// sprigFunctions are Sprig's less the two that the engine takes away (util/expr/env).
var sprigFunctions = func() map[string]any {
	m := sprig.GenericFuncMap()
	delete(m, "env")
	delete(m, "expandenv")
	return m
}()

// strict is the scope as an environment in which an unknown name, an unknown
// function and a string used as a number are errors.
func (s *scope) strict() types.Map {
	root := types.Map{}
	place := func(name string, t types.Type) {
		at := root
		parts := strings.Split(name, ".")
		for i, p := range parts[:len(parts)-1] {
			next, ok := at[p].(types.Map)
			if !ok {
				if at[p] == types.Any && i > 0 {
					return
				}
				// the engine drops a name that is the parent of another
				next = types.Map{}
				at[p] = next
			}
			at = next
		}
		last := parts[len(parts)-1]
		if _, parent := at[last].(types.Map); !parent {
			at[last] = t
		}
	}
	for _, n := range slices.Sorted(maps.Keys(s.names)) {
		place(n, s.names[n])
	}
	for _, p := range slices.Sorted(maps.Keys(s.open)) {
		at := root
		parts := strings.Split(p, ".")
		for i, part := range parts {
			next, ok := at[part].(types.Map)
			if !ok {
				if i == len(parts)-1 {
					at[part] = types.Any
					break
				}
				next = types.Map{}
				at[part] = next
			}
			at = next
			if i == len(parts)-1 {
				at[types.Extra] = types.Any
			}
		}
	}
	maps.Copy(root, functions)
	return root
}

// globals returns the names that exist everywhere in a workflow.
func (c *checker) globals() *scope {
	s := newScope().str("workflow.name", "workflow.namespace", "workflow.mainEntrypoint", "workflow.serviceAccountName",
		"workflow.uid", "workflow.status", "workflow.duration", "workflow.creationTimestamp", "workflow.creationTimestamp.s",
		"workflow.creationTimestamp.RFC3339", "workflow.scheduledTime", "workflow.parameters", "workflow.parameters.json",
		"workflow.labels", "workflow.labels.json", "workflow.annotations", "workflow.annotations.json", "node.name")
	for char := range strftime.FormatChars {
		s.str("workflow.creationTimestamp." + string(char))
	}
	specs := []*wfv1.WorkflowSpec{c.spec}
	if c.base != c.spec {
		specs = append(specs, c.base)
	}
	for _, spec := range specs {
		c.globalsOf(s, spec)
	}
	metadata := func(labels, annotations map[string]string) {
		for n := range labels {
			s.str("workflow.labels." + n)
		}
		for n := range annotations {
			s.str("workflow.annotations." + n)
		}
	}
	metadata(c.doc.object.GetLabels(), c.doc.object.GetAnnotations())
	switch o := c.doc.object.(type) {
	case *wfv1.CronWorkflow:
		if m := o.Spec.WorkflowMetadata; m != nil {
			metadata(m.Labels, m.Annotations)
		}
	case *wfv1.WorkflowTemplate, *wfv1.ClusterWorkflowTemplate:
		if c.spec.Entrypoint == "" {
			// a library of templates: parameters come with the workflow that uses it
			s.anything("workflow.parameters", "workflow.outputs", "workflow.labels", "workflow.annotations")
			s.str("workflow.failures", "workflow.priority")
		}
	}
	return s
}

func (c *checker) globalsOf(s *scope, spec *wfv1.WorkflowSpec) {
	for _, p := range spec.Arguments.Parameters {
		s.str("workflow.parameters." + p.Name)
	}
	for _, a := range spec.Arguments.Artifacts {
		s.artifact("workflow.artifacts." + a.Name)
	}
	if spec.Priority != nil {
		s.str("workflow.priority")
	}
	if spec.OnExit != "" || len(spec.Hooks) > 0 {
		s.str("workflow.failures")
	}
	if m := spec.WorkflowMetadata; m != nil {
		for _, list := range []map[string]string{m.Labels, m.Annotations} {
			for n := range list {
				s.str("workflow.labels."+n, "workflow.annotations."+n)
			}
		}
		for n := range m.LabelsFrom {
			s.str("workflow.labels." + n)
		}
	}
	for i := range spec.Templates {
		for _, p := range spec.Templates[i].Outputs.Parameters {
			c.exported(s, "workflow.outputs.parameters", p.GlobalName, types.String)
		}
		for _, a := range spec.Templates[i].Outputs.Artifacts {
			c.exported(s, "workflow.outputs.artifacts", a.GlobalName, artifactType)
		}
		c.exportedByOthers(s, &spec.Templates[i])
	}
}

func (c *checker) exported(s *scope, prefix, name string, t types.Type) {
	switch {
	case name == "":
	case strings.Contains(name, "{{"):
		s.anything(prefix)
	default:
		s.names[prefix+"."+name] = t
	}
}

// exportedByOthers adds what templates of other documents export by globalName.
func (c *checker) exportedByOthers(s *scope, t *wfv1.Template) {
	for _, call := range calls(t) {
		if call.ref == nil {
			continue
		}
		if other := c.resolve(call); other != nil {
			for _, p := range other.Outputs.Parameters {
				c.exported(s, "workflow.outputs.parameters", p.GlobalName, types.String)
			}
			for _, a := range other.Outputs.Artifacts {
				c.exported(s, "workflow.outputs.artifacts", a.GlobalName, artifactType)
			}
		}
	}
}

// addInputs adds a template's inputs as {{ }} sees them.
func (s *scope) addInputs(t *wfv1.Template) {
	s.str("inputs.parameters")
	for _, p := range t.Inputs.Parameters {
		s.str("inputs.parameters." + p.Name)
	}
	for _, a := range t.Inputs.Artifacts {
		s.artifact("inputs.artifacts." + a.Name)
		if a.Path != "" {
			s.str("inputs.artifacts." + a.Name + ".path")
		}
	}
}

// addLeaf adds what only a template that runs something itself has.
func (s *scope) addLeaf(t *wfv1.Template) {
	if t.IsPodType() {
		s.str("pod.name")
	}
	for _, p := range t.Outputs.Parameters {
		if p.ValueFrom != nil && p.ValueFrom.Path != "" {
			s.str("outputs.parameters." + p.Name + ".path")
		}
	}
	for _, a := range t.Outputs.Artifacts {
		if a.Path != "" {
			s.str("outputs.artifacts." + a.Name + ".path")
		}
	}
}

func retryScope() *scope {
	return newScope().str("retries", "lastRetry.exitCode", "lastRetry.status", "lastRetry.duration", "lastRetry.message")
}

// addOutputs adds what a finished step or task leaves behind. t is nil when its template is known only at run time.
func (s *scope) addOutputs(prefix string, t *wfv1.Template, group bool) {
	s.str(prefix+".id", prefix+".startedAt", prefix+".finishedAt", prefix+".hostNodeName", prefix+".status")
	if t == nil {
		s.anything(prefix + ".outputs")
		s.str(prefix+".exitCode", prefix+".ip")
		return
	}
	if t.IsDaemon() {
		s.str(prefix + ".ip")
	}
	if t.HasOutput() || group {
		s.str(prefix + ".outputs.result")
	}
	if t.HasOutput() && !group {
		s.str(prefix + ".exitCode")
	}
	if group {
		s.str(prefix + ".outputs.parameters")
	}
	for _, p := range t.Outputs.Parameters {
		s.str(prefix + ".outputs.parameters." + p.Name)
	}
	for _, a := range t.Outputs.Artifacts {
		if !group { // the engine gathers no artifacts
			s.artifact(prefix + ".outputs.artifacts." + a.Name)
		}
	}
}

// addItem adds what a loop makes of its items.
func (s *scope) addItem(items []wfv1.Item, param string, sequence *wfv1.Sequence) {
	switch {
	case param != "":
		s.anything("item")
	case sequence != nil:
		s.str("item")
	}
	for i := range items {
		s.str("item")
		switch items[i].GetType() {
		case wfv1.Map:
			for k := range items[i].GetMapVal() {
				s.str("item." + k)
			}
		case wfv1.List:
			s.anything("item")
		}
	}
}
