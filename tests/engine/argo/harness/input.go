package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"

	wfv1 "github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v4/workflow/common"
)

// input is what the files hold: workflows to run, and all that must be there before.
type input struct {
	workflows []workflowDoc
	others    []tree
}

type workflowDoc struct {
	file string
	doc  tree
}

var separator = regexp.MustCompile(`(?m)^---[ \t]*(#.*)?\r?$`)

func readFiles(o *options) (*input, error) {
	in := &input{}
	for _, file := range o.files {
		var text []byte
		var err error
		if file == "-" {
			text, err = io.ReadAll(os.Stdin)
		} else {
			text, err = os.ReadFile(file)
		}
		if err == nil {
			err = in.take(file, string(text))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	if len(in.workflows) == 0 {
		return nil, fmt.Errorf("no Workflow, CronWorkflow or WorkflowTemplate with an entrypoint in %s", strings.Join(o.files, ", "))
	}
	for _, w := range in.workflows {
		setArguments(w.doc, o.params)
	}
	return in, nil
}

func (in *input) take(file, text string) error {
	var runnable, cron, template tree
	for _, part := range separator.Split(text, -1) {
		var t tree
		if err := yaml.Unmarshal([]byte(part), &t); err != nil {
			return err
		}
		switch kind := str(t, "kind"); {
		case t == nil:
		case kind == "":
			return fmt.Errorf("a document without a kind")
		case kind == "Workflow":
			runnable = t
			in.workflows = append(in.workflows, workflowDoc{file, t})
		case kind == "CronWorkflow":
			// the scheduler would start it at some other time
			cron = t
		default:
			if spec, _ := t["spec"].(tree); kind == "WorkflowTemplate" && str(spec, "entrypoint") != "" {
				template = t
			}
			in.others = append(in.others, t)
		}
	}
	if runnable != nil {
		return nil
	}
	if cron != nil {
		t, err := fromCron(cron)
		if err == nil {
			in.workflows = append(in.workflows, workflowDoc{file, t})
		}
		return err
	}
	if template != nil {
		in.workflows = append(in.workflows, workflowDoc{file, fromTemplate(template)})
	}
	return nil
}

// fromCron makes the workflow that the scheduler would make, by the engine's own function.
func fromCron(t tree) (tree, error) {
	text, err := yaml.Marshal(t)
	if err != nil {
		return nil, err
	}
	var c wfv1.CronWorkflow
	if err := yaml.Unmarshal(text, &c); err != nil {
		return nil, err
	}
	wf := common.ConvertCronWorkflowToWorkflow(&c)
	wf.OwnerReferences = nil
	if text, err = yaml.Marshal(wf); err != nil {
		return nil, err
	}
	var out tree
	err = yaml.Unmarshal(text, &out)
	return out, err
}

func fromTemplate(t tree) tree {
	return tree{
		"apiVersion": t["apiVersion"], "kind": "Workflow",
		"metadata": tree{"generateName": str(meta(t), "name") + "-"},
		"spec":     tree{"workflowTemplateRef": tree{"name": str(meta(t), "name")}},
	}
}

// setArguments gives a workflow values of arguments, as a submission does.
func setArguments(t tree, params []string) {
	spec, _ := t["spec"].(tree)
	if spec == nil {
		return
	}
	args, _ := spec["arguments"].(tree)
	list, _ := args["parameters"].([]any)
	fromElsewhere := spec["workflowTemplateRef"] != nil
	for _, p := range params {
		name, value, _ := strings.Cut(p, "=")
		found := false
		for _, each := range list {
			if m, _ := each.(tree); str(m, "name") == name {
				m["value"], found = value, true
				delete(m, "valueFrom")
			}
		}
		if !found && fromElsewhere {
			list = append(list, tree{"name": name, "value": value})
		}
	}
	if len(list) > 0 {
		if args == nil {
			args = tree{}
			spec["arguments"] = args
		}
		args["parameters"] = list
	}
}

// entrypoints gives every image that is used without a command the program of its
// own name, since there is no registry to ask.
func entrypoints(v any, out map[string]tree) {
	switch v := v.(type) {
	case tree:
		if image := str(v, "image"); image != "" && v["command"] == nil {
			name, _, _ := strings.Cut(image[strings.LastIndex(image, "/")+1:], ":")
			out[image] = tree{"entrypoint": []string{name}}
		}
		for _, each := range v {
			entrypoints(each, out)
		}
	case []any:
		for _, each := range v {
			entrypoints(each, out)
		}
	}
}
