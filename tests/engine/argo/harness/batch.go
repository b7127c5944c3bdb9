package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Kubernetes' own Jobs: as many pods as spec.parallelism says, one that failed replaced, none after one that
// succeeded; they go with their Job, and the Job with its owner.

// history of one Job, for -jobs.
type batchRecord struct {
	Name        string `json:"name"`
	Owner       string `json:"owner"`       // kind of its owner
	Parallelism []int  `json:"parallelism"` // each value that it had
	Pods        int    `json:"pods"`        // ever made
	Failed      int    `json:"failed"`
	Most        int    `json:"most"`    // at once
	Deleted     bool   `json:"deleted"` // by somebody, or with its owner
	Left        int    `json:"left"`    // pods that still run at the end
}

type batch struct {
	c    *cluster
	mu   sync.Mutex
	jobs []*batchJob
	seen int64 // version of the last event of a Job that the watch has told
	done sync.WaitGroup
}

type batchJob struct {
	mu sync.Mutex // of all that follows
	batchRecord
	live      []string // pods
	succeeded int
	over      bool // complete, or failed: no pod is made any more
}

func (b *batch) run(ctx context.Context) {
	_ = b.c.api.watch(ctx.Done(), "jobs", everything(namespace), 0, func(event string, o *object) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.seen = o.version
		if event != "ADDED" {
			return nil
		}
		j := &batchJob{batchRecord: batchRecord{Name: o.head.Metadata.Name}}
		if job, err := parse(o.text); err == nil {
			for _, ref := range owners(job) {
				j.Owner = str(ref, "kind")
			}
		}
		b.jobs = append(b.jobs, j)
		b.done.Go(func() {
			for ctx.Err() == nil && b.follow(j, o.head.Metadata.UID) {
				time.Sleep(50 * time.Millisecond)
			}
			j.mu.Lock()
			defer j.mu.Unlock()
			b.empty(j)
		})
		return nil
	})
}

// follow does for one Job what the controller of a cluster does, once; false when the Job is gone. One that is over stays
// until it is deleted.
func (b *batch) follow(j *batchJob, uid string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	o := b.c.api.get("jobs", namespace, j.Name)
	if o == nil || o.head.Metadata.UID != uid {
		j.Deleted = true
		return false
	}
	job, err := parse(o.text)
	if err != nil {
		return false
	}
	if !b.owned(job) {
		_, _ = b.c.api.remove("jobs", namespace, j.Name)
		return true
	}
	want := number(job, "spec.parallelism")
	if n := len(j.Parallelism); n == 0 || j.Parallelism[n-1] != want {
		j.Parallelism = append(j.Parallelism, want)
	}
	if !j.over {
		j.succeeded += b.count(j)
		b.adjust(j, job, want)
		if j.over = b.status(j, number(job, "spec.backoffLimit")); j.over {
			b.empty(j)
		}
	}
	return true
}

// empty removes the pods of a Job that is gone, or over.
func (b *batch) empty(j *batchJob) {
	for _, n := range j.live {
		_, _ = b.c.api.remove("pods", namespace, n)
	}
	j.live = nil
}

// count looks at the pods: those that ended are no longer live; how many of them succeeded.
func (b *batch) count(j *batchJob) (succeeded int) {
	j.live = slices.DeleteFunc(j.live, func(n string) bool {
		phase := b.c.phase(n)
		switch phase {
		case corev1.PodSucceeded:
			succeeded++
		case corev1.PodFailed:
			j.Failed++
		default:
			return false
		}
		return true
	})
	return succeeded
}

func (b *batch) adjust(j *batchJob, job tree, want int) {
	for len(j.live) > want {
		n := j.live[len(j.live)-1] // the newest, as a cluster would
		_, _ = b.c.api.remove("pods", namespace, n)
		j.live = j.live[:len(j.live)-1]
	}
	for len(j.live) < want && j.succeeded == 0 {
		template, _ := at(job, "spec.template").(tree)
		text, _ := json.Marshal(template)
		pod, err := parse(text)
		if err != nil {
			return
		}
		pod["apiVersion"], pod["kind"] = "v1", "Pod"
		head := meta(pod)
		head["name"] = fmt.Sprintf("%s-%s", j.Name, randomSuffix())
		head["ownerReferences"] = []any{tree{"apiVersion": "batch/v1", "kind": "Job", "name": j.Name, "uid": str(meta(job), "uid"), "controller": true}}
		if _, err := b.c.api.put(pod, namespace); err != nil {
			fmt.Fprintf(os.Stderr, "argo-run: %s: %v\n", j.Name, err)
			return
		}
		j.live = append(j.live, str(head, "name"))
		j.Pods++
	}
	j.Most = max(j.Most, len(j.live))
}

// status is what the cluster says of the Job, and whether it leaves it at that.
func (b *batch) status(j *batchJob, limit int) bool {
	ready := 0
	for _, n := range j.live {
		if b.c.phase(n) == corev1.PodRunning {
			ready++
		}
	}
	s := tree{"active": len(j.live), "ready": ready, "failed": j.Failed, "succeeded": j.succeeded}
	over := true
	switch {
	case j.Failed > limit:
		s["conditions"] = []any{tree{"type": "Failed", "status": "True", "message": "Job has reached the specified backoff limit"}}
	case j.succeeded > 0 && len(j.live) == 0:
		s["conditions"] = []any{tree{"type": "Complete", "status": "True"}}
	default:
		over = false
	}
	_, _ = b.c.api.update("jobs", namespace, j.Name, "status", func(t tree) (tree, error) {
		t["status"] = s
		return t, nil
	})
	return over
}

func owners(job tree) (out []tree) {
	list, _ := meta(job)["ownerReferences"].([]any)
	for _, each := range list {
		ref, _ := each.(tree)
		out = append(out, ref)
	}
	return out
}

// owned says whether an owner of the Job is still there; one without owners is.
func (b *batch) owned(job tree) bool {
	list := owners(job)
	return len(list) == 0 || slices.ContainsFunc(list, func(ref tree) bool {
		o := b.c.api.get(plural(str(ref, "kind")), namespace, str(ref, "name"))
		return o != nil && o.head.Metadata.UID == str(ref, "uid")
	})
}

// settled says whether every Job that there ever was is gone, and has been seen to be.
func (b *batch) settled() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen >= b.c.api.latest("jobs") && !slices.ContainsFunc(b.jobs, func(j *batchJob) bool {
		j.mu.Lock()
		defer j.mu.Unlock()
		return !j.Deleted || len(j.live) > 0 || b.running(j) > 0
	})
}

const settleMost = time.Minute // for Jobs to end once the workflows have; one that stays is reported as it is then

// write says what became of the Jobs, a line each.
func (b *batch) write(file string) error {
	for until := time.Now().Add(settleMost); !b.settled() && time.Now().Before(until); {
		time.Sleep(50 * time.Millisecond)
	}
	var out strings.Builder
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, j := range b.jobs {
		j.mu.Lock()
		j.Left = b.running(j)
		text, err := json.Marshal(&j.batchRecord)
		j.mu.Unlock()
		if err != nil {
			return err
		}
		out.Write(append(text, '\n'))
	}
	return os.WriteFile(file, []byte(out.String()), 0o644)
}

// running counts the processes of a Job's pods.
func (b *batch) running(j *batchJob) (n int) {
	k := b.c.kubelet
	k.mu.Lock()
	defer k.mu.Unlock()
	for name, p := range k.pods {
		if strings.HasPrefix(name, j.Name+"-") {
			p.mu.Lock()
			n += len(p.procs)
			p.mu.Unlock()
		}
	}
	return n
}
