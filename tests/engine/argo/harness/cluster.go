package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/argoproj/argo-workflows/v4/persist/sqldb"
	wfv1 "github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v4/pkg/client/clientset/versioned"
	cmdutil "github.com/argoproj/argo-workflows/v4/util/cmd"
	"github.com/argoproj/argo-workflows/v4/util/logging"
	"github.com/argoproj/argo-workflows/v4/workflow/controller"
	"github.com/argoproj/argo-workflows/v4/workflow/hydrator"
	"github.com/argoproj/argo-workflows/v4/workflow/util"
)

// nodeStatus unpacks the nodes of a workflow, which the controller compresses when they are many.
var nodeStatus = hydrator.New(sqldb.ExplosiveOffloadNodeStatusRepo)

const (
	namespace  = "argo"
	bucketName = "artifacts"
)

// cluster is everything that a workflow meets.
type cluster struct {
	o       *options
	work    string
	api     *apiServer
	s3      *s3
	kubelet *kubelet
	batch   *batch
	argo    versioned.Interface
	apiAddr string
}

// newCluster makes the servers; nothing runs yet.
func newCluster(work string, o *options) (*cluster, error) {
	c := &cluster{o: o, work: work}
	c.api = &apiServer{store: newStore(), kinds: standardKinds()}
	c.s3 = newS3(filepath.Join(work, "s3"))
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(c.s3.root, bucketName), 0o755); err != nil {
		return nil, err
	}
	c.kubelet = &kubelet{
		api: c.api, namespace: namespace, work: work, executor: self + "-exec", box: self + "-box",
		kubeconfig: filepath.Join(work, "kubeconfig"), small: filepath.Join(work, "argoexec"), pods: map[string]*pod{}, verbose: o.verbose,
	}
	c.batch = &batch{c: c}
	if c.kubelet.secure, err = c.account(filepath.Join(work, "account")); err != nil {
		return nil, err
	}
	c.api.exec, c.api.logs = c.kubelet.exec, c.kubelet.logs
	if c.apiAddr, err = serve(c.api); err != nil {
		return nil, err
	}
	s3Addr, err := serve(c.s3)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(c.kubelet.small, []byte("#!/bin/false\n"), 0o755); err != nil {
		return nil, err
	}
	text := fmt.Sprintf(kubeconfig, namespace, c.apiAddr)
	if err := os.WriteFile(c.kubelet.kubeconfig, []byte(text), 0o644); err != nil {
		return nil, err
	}
	return c, c.prepare(s3Addr)
}

const kubeconfig = `apiVersion: v1
kind: Config
current-context: local
contexts: [{name: local, context: {cluster: local, user: local, namespace: %s}}]
clusters: [{name: local, cluster: {server: "http://%s"}}]
users: [{name: local, user: {}}]
`

func serve(h http.Handler) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() { _ = http.Serve(l, h) }()
	return l.Addr().String(), nil
}

// prepare puts in what an installation of the engine brings.
func (c *cluster) prepare(s3Addr string) error {
	config := tree{
		"executor": tree{"image": executorImage, "imagePullPolicy": "Never", "env": []tree{
			{"name": "RESOURCE_STATE_CHECK_INTERVAL", "value": "200ms"},
			{"name": "WAIT_CONTAINER_STATUS_CHECK_INTERVAL", "value": "200ms"},
		}},
		"metricsConfig": tree{"enabled": false}, "telemetryConfig": tree{"enabled": false},
		"nodeEvents": tree{"enabled": false}, "workflowEvents": tree{"enabled": false},
		"podGCDeleteDelayDuration": "0s",
		"parallelism":              c.o.parallelism,
		"artifactRepository": tree{"archiveLogs": false, "s3": tree{
			"bucket": bucketName, "endpoint": s3Addr, "insecure": true, "region": "us-east-1",
			"keyFormat":       "{{workflow.name}}/{{pod.name}}",
			"accessKeySecret": tree{"name": "artifacts", "key": "accessKey"},
			"secretKeySecret": tree{"name": "artifacts", "key": "secretKey"},
		}},
	}
	images := map[string]tree{}
	for _, f := range c.o.files {
		if f == "-" {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		for _, part := range separator.Split(string(text), -1) {
			var t tree
			if yaml.Unmarshal([]byte(part), &t) == nil {
				entrypoints(t, images)
			}
		}
	}
	config["images"] = images
	text, err := yaml.Marshal(config)
	if err != nil {
		return err
	}
	for _, t := range []tree{
		{"apiVersion": "v1", "kind": "Namespace", "metadata": tree{"name": namespace}},
		{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": tree{"name": "default"}},
		{"apiVersion": "v1", "kind": "ConfigMap", "metadata": tree{"name": "kube-root-ca.crt"}, "data": tree{"ca.crt": ""}},
		{"apiVersion": "v1", "kind": "Secret", "metadata": tree{"name": "default.service-account-token"}, "data": tree{"token": "bG9jYWw="}},
		{"apiVersion": "v1", "kind": "Secret", "metadata": tree{"name": "artifacts"},
			"data": tree{"accessKey": "bG9jYWw=", "secretKey": "bG9jYWwtc2VjcmV0"}},
		{"apiVersion": "v1", "kind": "ConfigMap", "metadata": tree{"name": "workflow-controller-configmap"}, "data": tree{"config": string(text)}},
	} {
		if _, err := c.api.put(t, namespace); err != nil {
			return err
		}
	}
	return nil
}

// probe starts one container, to learn whether this machine lets us.
func (c *cluster) probe() error {
	b := &box{Dir: filepath.Join(c.work, "probe"), Argv: []string{"/bin/true"}, Hostname: "probe"}
	if err := os.MkdirAll(b.Dir, 0o755); err != nil {
		return err
	}
	defer os.RemoveAll(b.Dir)
	cmd, err := b.start(c.kubelet.box, io.Discard)
	if err != nil {
		return err
	}
	return cmd.Wait()
}

// load puts in the documents that are no workflows. The same one may come from several files.
func (c *cluster) load(in *input) error {
	for _, w := range in.workflows {
		c.api.learnManifests(w.doc)
	}
	for _, t := range in.others {
		c.api.learnManifests(t)
		if str(t, "kind") == "Secret" {
			encodeSecret(t)
		}
		_, err := c.api.put(t, namespace)
		var status *statusError
		if errors.As(err, &status) && status.code == 409 {
			if err = c.same(t); err == nil {
				continue
			}
		}
		if err != nil {
			return err
		}
	}
	for _, s := range c.o.status {
		if kind, text, _ := strings.Cut(s, "="); !json.Valid([]byte(text)) {
			return fmt.Errorf("-status %s: not JSON", kind)
		}
	}
	return nil
}

// encodeSecret moves stringData where an API server does.
func encodeSecret(t tree) {
	plain, _ := t["stringData"].(tree)
	data, _ := t["data"].(tree)
	if data == nil {
		data = tree{}
	}
	for k := range plain {
		data[k] = base64.StdEncoding.EncodeToString([]byte(str(plain, k)))
	}
	t["data"] = data
	delete(t, "stringData")
}

func (c *cluster) same(t tree) error {
	k := c.api.learn(str(t, "apiVersion"), str(t, "kind"))
	name := str(meta(t), "name")
	ns := namespace
	if k.cluster {
		ns = ""
	}
	o := c.api.get(k.resource, ns, name)
	if o == nil {
		return notFound(k.resource, name)
	}
	old, err := parse(o.text)
	if err != nil {
		return err
	}
	for _, field := range []string{"spec", "data"} {
		a, _ := json.Marshal(old[field])
		b, _ := json.Marshal(t[field])
		if !bytes.Equal(a, b) {
			return fmt.Errorf("two different documents %s/%s", k.name, name)
		}
	}
	return nil
}

// start starts the kubelet and the engine's controller.
func (c *cluster) start(ctx context.Context) error {
	level := logging.Error
	if c.o.verbose {
		level = logging.Info
	}
	// what the controller says while it is being stopped tells nobody anything
	ctx = logging.WithLogger(ctx, logging.NewSlogLoggerCustom(level, logging.Text, gate{ctx}))
	go c.kubelet.run(ctx)
	given := map[string]bool{}
	for _, s := range c.o.status {
		kind, text, _ := strings.Cut(s, "=")
		go c.settle(ctx, kind, text)
		given[kind] = true
	}
	for kind := range operated {
		if !given[kind] {
			go c.operate(ctx, kind)
		}
	}
	if !given["Job"] {
		go c.batch.run(ctx)
	}
	cmdutil.SetGLogLevel(0)
	cfg := &rest.Config{Host: "http://" + c.apiAddr, QPS: 10000, Burst: 20000, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	if c.argo, err = versioned.NewForConfig(cfg); err != nil {
		return err
	}
	wfc, err := controller.NewWorkflowController(ctx, cfg, kube, c.argo, namespace, namespace, executorImage, "Never", "text",
		"workflow-controller-configmap", false)
	if err != nil {
		return err
	}
	go wfc.Run(ctx, 4, 1, 4, 1, 1)
	return nil
}

// gate is standard error until the context ends.
type gate struct{ ctx context.Context }

func (g gate) Write(p []byte) (int, error) {
	if g.ctx.Err() != nil {
		return len(p), nil
	}
	return os.Stderr.Write(p)
}

// settle gives every new resource of a kind its status, in the place of the operator that would.
func (c *cluster) settle(ctx context.Context, kind, text string) {
	resource := plural(kind)
	_ = c.api.watch(ctx.Done(), resource, everything(namespace), 0, func(event string, o *object) error {
		if event == "ADDED" {
			_, err := c.api.update(resource, namespace, o.head.Metadata.Name, "", func(t tree) (tree, error) {
				var status any
				err := json.Unmarshal([]byte(text), &status)
				t["status"] = status
				return t, err
			})
			return err
		}
		return nil
	})
}

// runAll runs the workflows and prints their reports in the order of the input.
func (c *cluster) runAll(ctx context.Context, list []workflowDoc) (bool, error) {
	ok := true
	finish := func(r report) {
		ok = ok && r.Phase == string(wfv1.WorkflowSucceeded)
		printReport(r)
	}
	if !c.o.together {
		for _, w := range list {
			r, err := c.runOne(ctx, w)
			if err != nil {
				return false, err
			}
			finish(r)
		}
		return ok, nil
	}
	reports, errs := make([]report, len(list)), make([]error, len(list))
	ready := make([]chan struct{}, len(list))
	var wg sync.WaitGroup
	for i, w := range list {
		ready[i] = make(chan struct{})
		wg.Go(func() {
			defer close(ready[i])
			reports[i], errs[i] = c.runOne(ctx, w)
		})
	}
	for i := range list {
		<-ready[i]
		if errs[i] != nil {
			ok = false
			fmt.Fprintln(os.Stderr, "argo-run:", errs[i])
			continue
		}
		finish(reports[i])
	}
	wg.Wait()
	return ok, nil
}

// runOne submits one workflow, waits for its end and reports it.
func (c *cluster) runOne(ctx context.Context, w workflowDoc) (report, error) {
	began := time.Now()
	o, err := c.api.put(w.doc, namespace)
	if err != nil {
		return report{}, fmt.Errorf("%s: %w", w.file, err)
	}
	name := o.head.Metadata.Name
	ctx = logging.WithLogger(ctx, logging.NewSlogLogger(logging.Error, logging.Text))
	ctx, stop := context.WithTimeout(ctx, c.o.timeout)
	defer stop()
	handled := map[string]bool{}
	var wf *wfv1.Workflow
	err = c.api.watch(ctx.Done(), "workflows", named(name), o.version-1, func(_ string, o *object) error {
		wf = &wfv1.Workflow{}
		if err := json.Unmarshal(o.text, wf); err != nil {
			return err
		}
		if err := nodeStatus.Hydrate(ctx, wf); err != nil {
			return err
		}
		if wf.Status.Phase.Completed() {
			return errDone
		}
		return c.answer(ctx, wf, handled)
	})
	if err != nil && !errors.Is(err, errDone) {
		return report{}, fmt.Errorf("%s: %w", w.file, err)
	}
	r := reportOf(wf, c.kubelet, c.o.logs)
	r.File, r.Seconds = w.file, time.Since(began).Seconds()
	if !wf.Status.Phase.Completed() {
		r.TimedOut = true
		c.terminate(name)
	}
	if c.o.outputs != "" {
		if err := saveArtifacts(wf, c.s3, c.o.outputs); err != nil {
			return r, err
		}
	}
	return r, nil
}

var errDone = errors.New("done")

func named(name string) filter {
	f := everything(namespace)
	f.fields = fields.OneTermEqualSelector("metadata.name", name)
	return f
}

// terminate stops a workflow that took too long, so that it does not hold up the next.
func (c *cluster) terminate(name string) {
	_, _ = c.api.update("workflows", namespace, name, "", func(t tree) (tree, error) {
		spec, _ := t["spec"].(tree)
		if spec != nil {
			spec["shutdown"] = string(wfv1.ShutdownStrategyTerminate)
		}
		return t, nil
	})
}

// answer resumes or fails suspended nodes, once each, as `argo resume`, `argo node set` and `argo stop` do.
func (c *cluster) answer(ctx context.Context, wf *wfv1.Workflow, handled map[string]bool) error {
	for _, n := range wf.Status.Nodes {
		if n.Type != wfv1.NodeTypeSuspend || n.Phase != wfv1.NodeRunning || handled[n.ID] {
			continue
		}
		selector := "id=" + n.ID
		workflows := c.argo.ArgoprojV1alpha1().Workflows(wf.Namespace)
		if message, ok := answerFor(c.o.reject, n.DisplayName); ok {
			handled[n.ID] = true
			if err := util.StopWorkflow(ctx, workflows, nodeStatus, wf.Name, selector, message); err != nil {
				return err
			}
			continue
		}
		outputs, ok := answerFor(c.o.resume, n.DisplayName)
		if !ok {
			continue
		}
		handled[n.ID] = true
		if values := supplied(&n, outputs); len(values) > 0 {
			if err := util.SetWorkflow(ctx, workflows, nodeStatus, wf.Name, selector, util.SetOperationValues{OutputParameters: values}); err != nil {
				return err
			}
		}
		if err := util.ResumeWorkflow(ctx, workflows, nodeStatus, wf.Name, selector); err != nil {
			return err
		}
	}
	return nil
}

// supplied picks those of PARAM=VALUE:... that the node waits for.
func supplied(n *wfv1.NodeStatus, outputs string) map[string]string {
	values := map[string]string{}
	for _, pair := range strings.Split(outputs, ":") {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || n.Outputs == nil {
			continue
		}
		for _, p := range n.Outputs.Parameters {
			if p.Name == name && p.ValueFrom != nil && p.ValueFrom.Supplied != nil {
				values[name] = value
			}
		}
	}
	return values
}

// answerFor finds the rule NODE[:REST] for a node.
func answerFor(rules []string, node string) (string, bool) {
	for _, r := range rules {
		if name, rest, _ := strings.Cut(r, ":"); name == node || name == "*" {
			return rest, true
		}
	}
	return "", false
}
