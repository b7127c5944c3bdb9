package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
)

// store is the API server's memory: objects of any kind, by resource, namespace
// and name, and what happened to them. An object's text is never changed, only replaced.
type store struct {
	mu      sync.Mutex
	changed *sync.Cond
	version int64
	objects map[string]map[string]*object // by resource, then namespace/name
	events  map[string]*history           // by resource
}

type object struct {
	text    []byte // JSON
	version int64
	head    head
}

// head is what the server itself needs of an object.
type head struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name         string            `json:"name"`
		GenerateName string            `json:"generateName"`
		Namespace    string            `json:"namespace"`
		UID          string            `json:"uid"`
		Version      string            `json:"resourceVersion"`
		Labels       map[string]string `json:"labels"`
		Annotations  map[string]string `json:"annotations"`
		Finalizers   []string          `json:"finalizers"`
		Deletion     string            `json:"deletionTimestamp"`
	} `json:"metadata"`
	Status struct {
		Phase string `json:"phase"`
	} `json:"status"`
}

type event struct {
	kind     string // ADDED, MODIFIED, DELETED
	now, was *object
}

// history keeps the last events; a watcher that is further behind has to list again.
type history struct {
	events  []event
	dropped int64 // version of the last event that is gone
}

const maxHistory = 20000

func newStore() *store {
	s := &store{objects: map[string]map[string]*object{}, events: map[string]*history{}}
	s.changed = sync.NewCond(&s.mu)
	return s
}

// statusError becomes the Status that an API server answers with.
type statusError struct {
	code    int
	reason  string
	message string
}

func (e *statusError) Error() string { return e.message }

func notFound(resource, name string) error {
	return &statusError{404, "NotFound", fmt.Sprintf("%s %q not found", resource, name)}
}

// tree is an object as it is edited.
type tree = map[string]any

func meta(t tree) tree {
	m, _ := t["metadata"].(tree)
	if m == nil {
		m = tree{}
		t["metadata"] = m
	}
	return m
}

func str(t tree, key string) string {
	s, _ := t[key].(string)
	return s
}

func parse(text []byte) (tree, error) {
	var t tree
	if err := json.Unmarshal(text, &t); err != nil {
		return nil, &statusError{400, "BadRequest", err.Error()}
	}
	return t, nil
}

// record makes t what the store holds and tells the watchers. The caller holds the lock.
func (s *store) record(resource, kind string, t tree, was *object) (*object, error) {
	s.version++
	meta(t)["resourceVersion"] = strconv.FormatInt(s.version, 10)
	text, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	o := &object{text: text, version: s.version}
	if err := json.Unmarshal(text, &o.head); err != nil {
		return nil, &statusError{422, "Invalid", err.Error()}
	}
	if s.objects[resource] == nil {
		s.objects[resource] = map[string]*object{}
	}
	key := o.head.Metadata.Namespace + "/" + o.head.Metadata.Name
	if kind == "DELETED" {
		delete(s.objects[resource], key)
	} else {
		s.objects[resource][key] = o
	}
	h := s.history(resource)
	h.events = append(h.events, event{kind, o, was})
	if len(h.events) > 2*maxHistory {
		h.dropped = h.events[maxHistory-1].now.version
		h.events = slices.Clone(h.events[maxHistory:])
	}
	s.changed.Broadcast()
	return o, nil
}

func (s *store) history(resource string) *history {
	h := s.events[resource]
	if h == nil {
		h = &history{}
		s.events[resource] = h
	}
	return h
}

// latest is the version of the last event of a resource.
func (s *store) latest(resource string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.history(resource).events; len(e) > 0 {
		return e[len(e)-1].now.version
	}
	return 0
}

const nameLetters = "bcdfghjklmnpqrstvwxz2456789"

func randomSuffix() string {
	b := make([]byte, 5)
	for i := range b {
		b[i] = nameLetters[rand.IntN(len(nameLetters))]
	}
	return string(b)
}

func (s *store) create(resource, namespace string, t tree) (*object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := meta(t)
	if namespace != "" {
		m["namespace"] = namespace
	}
	if str(m, "name") == "" {
		m["name"] = str(m, "generateName") + randomSuffix()
	}
	if s.objects[resource][str(m, "namespace")+"/"+str(m, "name")] != nil {
		return nil, &statusError{409, "AlreadyExists", fmt.Sprintf("%s %q already exists", resource, str(m, "name"))}
	}
	m["uid"] = fmt.Sprintf("%08x-%04x-4000-8000-%012x", rand.Uint32(), rand.Uint32()&0xffff, s.version)
	m["creationTimestamp"] = time.Now().UTC().Format(time.RFC3339)
	if resource == "pods" {
		t["status"] = tree{"phase": "Pending"}
	}
	return s.record(resource, "ADDED", t, nil)
}

func (s *store) get(resource, namespace, name string) *object {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.objects[resource][namespace+"/"+name]
}

// update replaces an object by what edit makes of it; edit gets its own copy.
func (s *store) update(resource, namespace, name, sub string, edit func(t tree) (tree, error)) (*object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.objects[resource][namespace+"/"+name]
	if was == nil {
		return nil, notFound(resource, name)
	}
	old, err := parse(was.text)
	if err != nil {
		return nil, err
	}
	mine, err := parse(was.text)
	if err != nil {
		return nil, err
	}
	t, err := edit(mine)
	if err != nil {
		return nil, err
	}
	if v := str(meta(t), "resourceVersion"); v != "" && v != was.head.Metadata.Version {
		return nil, &statusError{409, "Conflict", fmt.Sprintf("Operation cannot be fulfilled on %s %q: the object has been modified", resource, name)}
	}
	if sub == "status" {
		old["status"] = t["status"]
		t = old
	} else {
		for _, k := range []string{"name", "namespace", "uid", "creationTimestamp", "deletionTimestamp"} {
			if v, ok := meta(old)[k]; ok {
				meta(t)[k] = v
			}
		}
	}
	if f, _ := meta(t)["finalizers"].([]any); len(f) == 0 && was.head.Metadata.Deletion != "" {
		return s.record(resource, "DELETED", t, was)
	}
	return s.record(resource, "MODIFIED", t, was)
}

// remove deletes an object, or marks it when finalizers are left.
func (s *store) remove(resource, namespace, name string) (*object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.objects[resource][namespace+"/"+name]
	if was == nil {
		return nil, notFound(resource, name)
	}
	t, err := parse(was.text)
	if err != nil {
		return nil, err
	}
	if len(was.head.Metadata.Finalizers) == 0 {
		return s.record(resource, "DELETED", t, was)
	}
	if was.head.Metadata.Deletion == "" {
		meta(t)["deletionTimestamp"] = time.Now().UTC().Format(time.RFC3339)
	}
	return s.record(resource, "MODIFIED", t, was)
}

// filter is what a list or a watch sees.
type filter struct {
	namespace string
	labels    labels.Selector
	fields    fields.Selector
}

func everything(namespace string) filter {
	return filter{namespace, labels.Everything(), fields.Everything()}
}

func (f filter) sees(o *object) bool {
	if o == nil {
		return false
	}
	m := &o.head.Metadata
	return (f.namespace == "" || f.namespace == m.Namespace) && f.labels.Matches(labels.Set(m.Labels)) &&
		f.fields.Matches(fields.Set{"metadata.name": m.Name, "metadata.namespace": m.Namespace, "status.phase": o.head.Status.Phase})
}

func (s *store) list(resource string, f filter) ([]*object, int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*object
	for _, o := range s.objects[resource] {
		if f.sees(o) {
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b *object) int {
		return strings.Compare(a.head.Metadata.Namespace+"/"+a.head.Metadata.Name, b.head.Metadata.Namespace+"/"+b.head.Metadata.Name)
	})
	return out, s.version
}

var errTooOld = &statusError{410, "Expired", "too old resource version"}

// watch calls tell for each event after the version that the filter sees, until done is closed.
func (s *store) watch(done <-chan struct{}, resource string, f filter, after int64, tell func(kind string, o *object) error) error {
	go func() {
		<-done
		s.mu.Lock()
		s.changed.Broadcast()
		s.mu.Unlock()
	}()
	for {
		batch, err := s.next(done, resource, after)
		if batch == nil || err != nil {
			return err
		}
		for _, e := range batch {
			after = e.now.version
			if kind, o := f.translate(e); o != nil {
				if err := tell(kind, o); err != nil {
					return err
				}
			}
		}
	}
}

// next waits for events after a version; nil when done.
func (s *store) next(done <-chan struct{}, resource string, after int64) ([]event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		select {
		case <-done:
			return nil, nil
		default:
		}
		h := s.history(resource)
		if after < h.dropped {
			return nil, errTooOld
		}
		first, _ := slices.BinarySearchFunc(h.events, after+1, func(e event, v int64) int { return int(e.now.version - v) })
		if first < len(h.events) {
			return h.events[first:len(h.events):len(h.events)], nil
		}
		s.changed.Wait()
	}
}

// translate turns a change into what a watcher with this filter is told.
func (f filter) translate(e event) (string, *object) {
	now := f.sees(e.now)
	if e.kind != "MODIFIED" {
		if !now {
			return "", nil
		}
		return e.kind, e.now
	}
	switch was := f.sees(e.was); {
	case now && was:
		return "MODIFIED", e.now
	case now:
		return "ADDED", e.now
	case was:
		return "DELETED", e.now
	}
	return "", nil
}
