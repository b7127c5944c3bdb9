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
	done sync.WaitGroup
}

type batchJob struct {
	batchRecord
	live []string // pods
}

func (b *batch) run(ctx context.Context) {
	_ = b.c.api.watch(ctx.Done(), "jobs", everything(namespace), 0, func(event string, o *object) error {
		if event != "ADDED" {
			return nil
		}
		j := &batchJob{batchRecord: batchRecord{Name: o.head.Metadata.Name}}
		b.mu.Lock()
		b.jobs = append(b.jobs, j)
		b.mu.Unlock()
		b.done.Go(func() { b.follow(ctx, j, o.head.Metadata.UID) })
		return nil
	})
}

// follow does for one Job what the controller of a cluster does, until it is gone or over.
func (b *batch) follow(ctx context.Context, j *batchJob, uid string) {
	succeeded := 0
	defer func() {
		for _, n := range j.live {
			_, _ = b.c.api.remove("pods", namespace, n)
		}
	}()
	for ctx.Err() == nil {
		o := b.c.api.get("jobs", namespace, j.Name)
		if o == nil || o.head.Metadata.UID != uid {
			j.Deleted = true
			return
		}
		job, err := parse(o.text)
		if err != nil {
			return
		}
		if !b.owned(j, job) {
			_, _ = b.c.api.remove("jobs", namespace, j.Name)
			continue
		}
		succeeded += b.count(j)
		want := number(job, "spec.parallelism")
		if n := len(j.Parallelism); n == 0 || j.Parallelism[n-1] != want {
			j.Parallelism = append(j.Parallelism, want)
		}
		b.adjust(j, job, want, succeeded)
		if over := b.status(j, number(job, "spec.backoffLimit"), succeeded); over {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
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

func (b *batch) adjust(j *batchJob, job tree, want, succeeded int) {
	for len(j.live) > want {
		n := j.live[len(j.live)-1] // the newest, as a cluster would
		_, _ = b.c.api.remove("pods", namespace, n)
		j.live = j.live[:len(j.live)-1]
	}
	for len(j.live) < want && succeeded == 0 {
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
func (b *batch) status(j *batchJob, limit, succeeded int) bool {
	ready := 0
	for _, n := range j.live {
		if b.c.phase(n) == corev1.PodRunning {
			ready++
		}
	}
	s := tree{"active": len(j.live), "ready": ready, "failed": j.Failed, "succeeded": succeeded}
	over := true
	switch {
	case j.Failed > limit:
		s["conditions"] = []any{tree{"type": "Failed", "status": "True", "message": "Job has reached the specified backoff limit"}}
	case succeeded > 0 && len(j.live) == 0:
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

// owned says whether an owner of the Job is still there; one without owners is.
func (b *batch) owned(j *batchJob, job tree) bool {
	list, _ := meta(job)["ownerReferences"].([]any)
	for _, each := range list {
		ref, _ := each.(tree)
		j.Owner = str(ref, "kind")
		o := b.c.api.get(plural(str(ref, "kind")), namespace, str(ref, "name"))
		if o != nil && o.head.Metadata.UID == str(ref, "uid") {
			return true
		}
	}
	return len(list) == 0
}

// write says what became of the Jobs, a line each. They get a moment to end.
func (b *batch) write(file string) error {
	var out strings.Builder
	b.mu.Lock()
	defer b.mu.Unlock()
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		if !slices.ContainsFunc(b.jobs, func(j *batchJob) bool { return b.c.api.get("jobs", namespace, j.Name) != nil || b.running(j) > 0 }) {
			break
		}
	}
	for _, j := range b.jobs {
		j.Left = b.running(j)
		text, err := json.Marshal(&j.batchRecord)
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
