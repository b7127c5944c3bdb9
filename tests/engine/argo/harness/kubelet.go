package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	executorImage  = "argoexec:local"
	kubeconfigPath = "/var/run/couler/kubeconfig"

	// The executor's init copies the first argoexec of its PATH, 150 MB, into each
	// pod. Here it finds a few bytes, and the containers get the executor mounted
	// over the copy: a third of all the time that a pod takes.
	placeholderPath = "/var/run/couler/first/argoexec"
	executorPath    = "/usr/local/bin/argoexec"
	copiedPath      = "/var/run/argo/argoexec"
	nodeName        = "local"
)

// kubelet runs the pods of one namespace as local processes.
type kubelet struct {
	api        *apiServer
	namespace  string
	work       string // pods/, claims/, host/
	executor   string // the engine's argoexec
	box        string // argo-run-box
	small      string // an executable of a few bytes
	verbose    bool
	kubeconfig string
	secure     string // host:port of the API by https

	mu   sync.Mutex
	pods map[string]*pod // by name
	all  sync.WaitGroup
}

type pod struct {
	spec   *corev1.Pod
	dir    string
	cancel context.CancelFunc

	mu    sync.Mutex
	procs map[string]process // by container
}

type process struct {
	*os.Process
	began time.Time
}

func (p *pod) log(container string) string {
	return filepath.Join(p.dir, "containers", container+".log")
}

// running notes the process of a container; nil when it has ended.
func (p *pod) running(container string, proc *os.Process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if proc == nil {
		delete(p.procs, container)
	} else {
		p.procs[container] = process{proc, time.Now()}
	}
}

// run follows the pods until the context ends.
func (k *kubelet) run(ctx context.Context) {
	_ = k.api.watch(ctx.Done(), "pods", everything(k.namespace), 0, func(kind string, o *object) error {
		name := o.head.Metadata.Name
		switch {
		case kind == "ADDED":
			k.add(ctx, o)
		case kind == "DELETED" || o.head.Metadata.Deletion != "":
			k.mu.Lock()
			p := k.pods[name]
			k.mu.Unlock()
			if p != nil {
				p.cancel()
			}
		}
		return nil
	})
}

func (k *kubelet) add(ctx context.Context, o *object) {
	spec := &corev1.Pod{}
	if err := json.Unmarshal(o.text, spec); err != nil {
		fmt.Fprintf(os.Stderr, "argo-run: pod %s: %v\n", o.head.Metadata.Name, err)
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	p := &pod{spec: spec, dir: filepath.Join(k.work, "pods", spec.Name), cancel: cancel, procs: map[string]process{}}
	k.mu.Lock()
	k.pods[spec.Name] = p
	k.mu.Unlock()
	k.all.Add(1)
	go func() {
		defer k.all.Done()
		defer cancel()
		k.runPod(ctx, p)
	}()
}

// stop ends every pod and waits for them.
func (k *kubelet) stop() {
	k.mu.Lock()
	for _, p := range k.pods {
		p.cancel()
	}
	k.mu.Unlock()
	k.all.Wait()
}

// exec is what the controller does to a container that is to end: argoexec kill SIGNAL 1.
func (k *kubelet) exec(_, name, container string, command []string) {
	sig := syscall.SIGTERM
	for _, word := range command {
		if word == "9" {
			sig = syscall.SIGKILL
		}
	}
	k.mu.Lock()
	p := k.pods[name]
	k.mu.Unlock()
	if p == nil {
		return
	}
	p.mu.Lock()
	proc, ok := p.procs[container]
	p.mu.Unlock()
	if !ok {
		return
	}
	// The controller ends what is left of a pod as soon as main has ended. On a
	// cluster that takes a moment, in which argoexec has set its signal handlers.
	// Here it could come before that, and then Go's default is to die.
	wait := time.Until(proc.began.Add(5 * time.Second))
	if container == "main" && sig == syscall.SIGKILL {
		wait = 0
	}
	time.AfterFunc(wait, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.procs[container].Process == proc.Process {
			_ = proc.Signal(sig)
		}
	})
}

func (k *kubelet) logs(name, container string) []byte {
	k.mu.Lock()
	p := k.pods[name]
	k.mu.Unlock()
	if p == nil {
		return nil
	}
	if container == "" {
		container = "main"
	}
	text, _ := os.ReadFile(p.log(container))
	return text
}

// podOf returns the name of the pod of a node of a workflow; "" when there is none.
func (k *kubelet) podOf(workflow, node string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	for n, p := range k.pods {
		if p.spec.Labels["workflows.argoproj.io/workflow"] == workflow && p.spec.Annotations["workflows.argoproj.io/node-id"] == node {
			return n
		}
	}
	return ""
}

// status changes a pod's status.
func (k *kubelet) status(p *pod, edit func(s *corev1.PodStatus)) {
	_, _ = k.api.update("pods", k.namespace, p.spec.Name, "", func(t tree) (tree, error) {
		text, err := json.Marshal(t["status"])
		if err != nil {
			return nil, err
		}
		var s corev1.PodStatus
		if err := json.Unmarshal(text, &s); err != nil {
			return nil, err
		}
		edit(&s)
		if text, err = json.Marshal(s); err != nil {
			return nil, err
		}
		t["status"], err = parse(text)
		return t, err
	})
}

// containerStatus returns the status of one container, which it adds where it is missing.
func containerStatus(s *corev1.PodStatus, name string, init bool) *corev1.ContainerStatus {
	list := &s.ContainerStatuses
	if init {
		list = &s.InitContainerStatuses
	}
	for i := range *list {
		if (*list)[i].Name == name {
			return &(*list)[i]
		}
	}
	*list = append(*list, corev1.ContainerStatus{Name: name})
	return &(*list)[len(*list)-1]
}

func (k *kubelet) runPod(ctx context.Context, p *pod) {
	spec := &p.spec.Spec
	if err := os.MkdirAll(filepath.Join(p.dir, "containers"), 0o755); err != nil {
		k.stuck(ctx, p, err)
		return
	}
	volumes, err := k.volumes(p)
	if err != nil {
		k.stuck(ctx, p, err)
		return
	}
	if d := spec.ActiveDeadlineSeconds; d != nil {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, time.Duration(*d)*time.Second)
		defer stop()
	}
	k.begin(p)
	failed := false
	for i := range spec.InitContainers {
		if k.container(ctx, p, &spec.InitContainers[i], volumes, true).code != 0 {
			failed = true
			break
		}
	}
	if !failed {
		k.status(p, func(s *corev1.PodStatus) { s.Phase = corev1.PodRunning })
		failed = k.containers(ctx, p, volumes)
	}
	deadline := failed && errors.Is(ctx.Err(), context.DeadlineExceeded)
	k.status(p, func(s *corev1.PodStatus) {
		s.Phase = corev1.PodSucceeded
		if failed {
			s.Phase = corev1.PodFailed
		}
		if deadline {
			s.Phase, s.Reason, s.Message = corev1.PodFailed, "DeadlineExceeded", "Pod was active on the node longer than the specified deadline"
		}
	})
	k.clean(p)
}

// begin lists all containers as waiting, as a kubelet does: the controller takes a
// pod without a status of main for one whose main has ended.
func (k *kubelet) begin(p *pod) {
	now := metav1.Now()
	waiting := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "PodInitializing"}}
	k.status(p, func(s *corev1.PodStatus) {
		s.StartTime, s.PodIP, s.HostIP = &now, "127.0.0.1", "127.0.0.1"
		for _, c := range p.spec.Spec.InitContainers {
			containerStatus(s, c.Name, true).State = waiting
		}
		for _, c := range p.spec.Spec.Containers {
			containerStatus(s, c.Name, false).State = waiting
		}
	})
}

// containers runs all containers of a pod at once and says whether one failed.
func (k *kubelet) containers(ctx context.Context, p *pod, volumes map[string]string) bool {
	list := p.spec.Spec.Containers
	codes := make([]int32, len(list))
	var wg sync.WaitGroup
	for i := range list {
		wg.Go(func() { codes[i] = k.container(ctx, p, &list[i], volumes, false).code })
	}
	wg.Wait()
	for _, c := range codes {
		if c != 0 {
			return true
		}
	}
	return false
}

func (k *kubelet) container(ctx context.Context, p *pod, c *corev1.Container, volumes map[string]string, init bool) ended {
	began := metav1.Now()
	end := k.runContainer(ctx, p, c, volumes, func() {
		k.status(p, func(s *corev1.PodStatus) {
			st := containerStatus(s, c.Name, init)
			st.Ready, st.Started = true, new(true)
			st.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: began}}
		})
	})
	k.status(p, func(s *corev1.PodStatus) {
		st := containerStatus(s, c.Name, init)
		st.Ready = false
		st.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: end.code, Reason: end.reason, Message: end.message, StartedAt: began, FinishedAt: metav1.Now(),
		}}
	})
	return end
}

// stuck is a pod that cannot start: it waits with a reason until it is deleted.
func (k *kubelet) stuck(ctx context.Context, p *pod, err error) {
	if k.verbose {
		fmt.Fprintf(os.Stderr, "argo-run: pod %s cannot start: %v\n", p.spec.Name, err)
	}
	now := metav1.Now()
	k.status(p, func(s *corev1.PodStatus) {
		s.Phase, s.StartTime, s.Message = corev1.PodPending, &now, err.Error()
		for _, c := range p.spec.Spec.Containers {
			containerStatus(s, c.Name, false).State.Waiting = &corev1.ContainerStateWaiting{Reason: "CreateContainerConfigError", Message: err.Error()}
		}
	})
	<-ctx.Done()
}

// clean removes what a pod leaves behind, less its logs.
func (k *kubelet) clean(p *pod) {
	_ = os.RemoveAll(filepath.Join(p.dir, "volumes"))
	entries, _ := os.ReadDir(filepath.Join(p.dir, "containers"))
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".log") {
			_ = os.RemoveAll(filepath.Join(p.dir, "containers", e.Name()))
		}
	}
}
