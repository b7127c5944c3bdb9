package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// apiServer speaks the Kubernetes API over a store: what the controller, the
// executor and kubectl inside it ask for. It checks no schema and no permission.
type apiServer struct {
	*store
	exec func(namespace, pod, container string, command []string)
	logs func(pod, container string) []byte

	mu    sync.Mutex
	kinds []kind
}

type kind struct {
	group, version, name, resource string
	cluster                        bool // not in a namespace
}

func (k kind) apiVersion() string {
	if k.group == "" {
		return k.version
	}
	return k.group + "/" + k.version
}

func standardKinds() []kind {
	var out []kind
	add := func(group, version string, names ...string) {
		for _, n := range names {
			out = append(out, kind{group, version, n, plural(n), false})
		}
	}
	add("", "v1", "Pod", "ConfigMap", "Secret", "ServiceAccount", "Event", "PersistentVolumeClaim", "Service")
	add("batch", "v1", "Job", "CronJob")
	add("apps", "v1", "Deployment", "StatefulSet")
	add("policy", "v1", "PodDisruptionBudget")
	add("coordination.k8s.io", "v1", "Lease")
	add("rbac.authorization.k8s.io", "v1", "Role", "RoleBinding")
	add("argoproj.io", "v1alpha1", "Workflow", "WorkflowTemplate", "CronWorkflow", "WorkflowTaskSet",
		"WorkflowTaskResult", "WorkflowEventBinding", "WorkflowArtifactGCTask")
	return append(out, kind{"", "v1", "Namespace", "namespaces", true},
		kind{"argoproj.io", "v1alpha1", "ClusterWorkflowTemplate", "clusterworkflowtemplates", true})
}

func plural(name string) string {
	n := strings.ToLower(name)
	switch {
	case strings.HasSuffix(n, "y"):
		return n[:len(n)-1] + "ies"
	case strings.HasSuffix(n, "s"):
		return n + "es"
	}
	return n + "s"
}

// learn returns the kind of that name; one that nobody knows yet becomes a custom resource.
func (a *apiServer) learn(apiVersion, name string) kind {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, k := range a.kinds {
		if k.name == name && k.apiVersion() == apiVersion {
			return k
		}
	}
	group, version, ok := strings.Cut(apiVersion, "/")
	if !ok {
		group, version = "", apiVersion
	}
	k := kind{group, version, name, plural(name), false}
	a.kinds = append(a.kinds, k)
	return k
}

func (a *apiServer) known() []kind {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.kinds)
}

// put stores a document of the input, in the namespace of the run.
func (a *apiServer) put(t tree, namespace string) (*object, error) {
	k := a.learn(str(t, "apiVersion"), str(t, "kind"))
	if k.cluster {
		namespace = ""
	}
	delete(meta(t), "namespace")
	return a.create(k.resource, namespace, t)
}

// call is one request, taken apart.
type apiCall struct {
	apiVersion, namespace, resource, name, sub string
	filter                                     filter
	body                                       []byte
}

func (a *apiServer) parseCall(r *http.Request) (*apiCall, error) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	c := &apiCall{}
	switch {
	case len(parts) >= 3 && parts[0] == "api":
		c.apiVersion, parts = parts[1], parts[2:]
	case len(parts) >= 4 && parts[0] == "apis":
		c.apiVersion, parts = parts[1]+"/"+parts[2], parts[3:]
	default:
		return nil, &statusError{404, "NotFound", r.URL.Path + " is not served"}
	}
	if parts[0] == "namespaces" && len(parts) > 2 {
		c.namespace, parts = parts[1], parts[2:]
	}
	c.resource = parts[0]
	if len(parts) > 1 {
		c.name = parts[1]
	}
	if len(parts) > 2 {
		c.sub = parts[2]
	}
	c.filter = everything(c.namespace)
	var err error
	if v := r.URL.Query().Get("labelSelector"); v != "" {
		if c.filter.labels, err = labels.Parse(v); err != nil {
			return nil, &statusError{400, "BadRequest", err.Error()}
		}
	}
	if v := r.URL.Query().Get("fieldSelector"); v != "" {
		if c.filter.fields, err = fields.ParseSelector(v); err != nil {
			return nil, &statusError{400, "BadRequest", err.Error()}
		}
	}
	if c.body, err = io.ReadAll(r.Body); err != nil {
		return nil, &statusError{400, "BadRequest", err.Error()}
	}
	return c, nil
}

func (a *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.discovery(w, r) {
		return
	}
	c, err := a.parseCall(r)
	if err != nil {
		fail(w, err)
		return
	}
	var o *object
	code := 200
	switch r.Method {
	case http.MethodGet:
		a.read(w, r, c)
		return
	case http.MethodPost:
		code = 201
		if o, err = a.post(w, r, c); o == nil && err == nil {
			return
		}
	case http.MethodPut:
		var t tree
		if t, err = parse(c.body); err == nil {
			o, err = a.update(c.resource, c.namespace, c.name, c.sub, func(tree) (tree, error) { return t, nil })
		}
	case http.MethodPatch:
		o, err = a.patch(r.Header.Get("Content-Type"), c)
	case http.MethodDelete:
		if c.name == "" {
			all, _ := a.list(c.resource, c.filter)
			for _, each := range all {
				_, _ = a.remove(c.resource, each.head.Metadata.Namespace, each.head.Metadata.Name)
			}
			reply(w, 200, tree{"kind": "Status", "apiVersion": "v1", "status": "Success"})
			return
		}
		o, err = a.remove(c.resource, c.namespace, c.name)
	default:
		err = &statusError{405, "MethodNotAllowed", r.Method}
	}
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(o.text)
}

func (a *apiServer) read(w http.ResponseWriter, r *http.Request, c *apiCall) {
	q := r.URL.Query()
	switch {
	case c.sub == "log":
		_, _ = w.Write(a.logs(c.name, q.Get("container")))
	case q.Get("watch") == "true" || q.Get("watch") == "1":
		a.stream(w, r, c)
	case c.name != "":
		o := a.get(c.resource, c.namespace, c.name)
		if o == nil {
			fail(w, notFound(c.resource, c.name))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(o.text)
	default:
		objects, version := a.list(c.resource, c.filter)
		items := make([]json.RawMessage, len(objects))
		for i, o := range objects {
			items[i] = o.text
		}
		reply(w, 200, tree{"kind": a.kindOf(c) + "List", "apiVersion": c.apiVersion,
			"metadata": tree{"resourceVersion": strconv.FormatInt(version, 10)}, "items": items})
	}
}

func (a *apiServer) kindOf(c *apiCall) string {
	for _, k := range a.known() {
		if k.resource == c.resource && k.apiVersion() == c.apiVersion {
			return k.name
		}
	}
	return "Unknown"
}

func (a *apiServer) post(w http.ResponseWriter, r *http.Request, c *apiCall) (*object, error) {
	if c.sub == "exec" {
		a.exec(c.namespace, c.name, r.URL.Query().Get("container"), r.URL.Query()["command"])
		return nil, &statusError{501, "NotImplemented", "the command was carried out; there is no stream"}
	}
	t, err := parse(c.body)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(c.resource, "selfsubject") {
		t["status"] = tree{"allowed": true}
		reply(w, 201, t)
		return nil, nil
	}
	t["apiVersion"] = c.apiVersion
	if str(t, "kind") == "" {
		t["kind"] = a.kindOf(c)
	}
	return a.create(c.resource, c.namespace, t)
}

func (a *apiServer) patch(contentType string, c *apiCall) (*object, error) {
	contentType, _, _ = strings.Cut(contentType, ";")
	return a.update(c.resource, c.namespace, c.name, c.sub, func(t tree) (tree, error) {
		delete(meta(t), "resourceVersion") // a patch that names one means it
		doc, err := json.Marshal(t)
		if err != nil {
			return nil, err
		}
		switch {
		case contentType == "application/json-patch+json":
			var p jsonpatch.Patch
			if p, err = jsonpatch.DecodePatch(c.body); err == nil {
				doc, err = p.Apply(doc)
			}
		case contentType == "application/strategic-merge-patch+json" && c.resource == "pods":
			doc, err = strategicpatch.StrategicMergePatch(doc, c.body, corev1.Pod{})
		default:
			doc, err = jsonpatch.MergePatch(doc, c.body)
		}
		if err != nil {
			return nil, &statusError{422, "Invalid", err.Error()}
		}
		return parse(doc)
	})
}

// stream is a watch.
func (a *apiServer) stream(w http.ResponseWriter, r *http.Request, c *apiCall) {
	w.Header().Set("Content-Type", "application/json")
	flush := w.(http.Flusher).Flush
	send := func(kind string, text []byte) error {
		var line bytes.Buffer
		fmt.Fprintf(&line, `{"type":%q,"object":`, kind)
		line.Write(text)
		line.WriteString("}\n")
		if _, err := w.Write(line.Bytes()); err != nil {
			return err
		}
		flush()
		return nil
	}
	after, _ := strconv.ParseInt(r.URL.Query().Get("resourceVersion"), 10, 64)
	initial := r.URL.Query().Get("sendInitialEvents") == "true"
	if initial || after == 0 {
		var objects []*object
		objects, after = a.list(c.resource, c.filter)
		for _, o := range objects {
			_ = send("ADDED", o.text)
		}
	}
	if initial {
		_ = send("BOOKMARK", fmt.Appendf(nil, `{"kind":%q,"apiVersion":%q,"metadata":{"resourceVersion":"%d","annotations":{"k8s.io/initial-events-end":"true"}}}`,
			a.kindOf(c), c.apiVersion, after))
	}
	flush()
	err := a.watch(r.Context().Done(), c.resource, c.filter, after, func(kind string, o *object) error { return send(kind, o.text) })
	if errors.Is(err, errTooOld) {
		text, _ := json.Marshal(statusOf(err))
		_ = send("ERROR", text)
	}
}

func statusOf(err error) tree {
	var e *statusError
	if !errors.As(err, &e) {
		e = &statusError{500, "InternalError", err.Error()}
	}
	return tree{"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": e.message, "reason": e.reason, "code": e.code}
}

func fail(w http.ResponseWriter, err error) {
	status := statusOf(err)
	code, _ := status["code"].(int)
	reply(w, code, status)
}

func reply(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v)
}
