package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// boxMount and box are what argo-run-box reads.
type boxMount struct {
	From, To string
	ReadOnly bool
}

type box struct {
	Dir      string
	Mounts   []boxMount
	Argv     []string
	Env      []string
	Cwd      string
	Hostname string
	User     *int64
	Group    *int64
}

// starter starts processes on one thread that lives as long as the program: the
// signal at the parent's death is bound to the thread that started the child.
var starter = func() func(*exec.Cmd) error {
	commands, results := make(chan *exec.Cmd), make(chan error)
	go func() {
		runtime.LockOSThread()
		for c := range commands {
			results <- c.Start()
		}
	}()
	turn := make(chan struct{}, 1)
	return func(c *exec.Cmd) error {
		turn <- struct{}{}
		defer func() { <-turn }()
		commands <- c
		return <-results
	}
}()

// start runs a box; it returns when the container's program has taken over.
func (b *box) start(program string, log io.Writer) (*exec.Cmd, error) {
	spec, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	specR, specW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	reportR, reportW, err := os.Pipe()
	if err != nil {
		_ = specR.Close()
		_ = specW.Close()
		return nil, err
	}
	defer reportR.Close()
	c := exec.Command(program)
	c.Stdout, c.Stderr = log, log
	c.ExtraFiles = []*os.File{specR, reportW}
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		Setsid:     true,
		Pdeathsig:  syscall.SIGKILL,
	}
	err = starter(c)
	_ = specR.Close()
	_ = reportW.Close()
	if err != nil {
		_ = specW.Close()
		return nil, err
	}
	_, err = io.Copy(specW, bytes.NewReader(spec))
	if e := specW.Close(); err == nil {
		err = e
	}
	report, _ := io.ReadAll(reportR)
	if len(report) > 0 {
		err = errors.New(string(report))
	}
	if err != nil {
		_ = c.Wait()
		return nil, err
	}
	return c, nil
}

// ended is how a container came to its end.
type ended struct {
	code    int32
	reason  string
	message string
}

func exitOf(err error) ended {
	if err == nil {
		return ended{0, "Completed", ""}
	}
	var x *exec.ExitError
	if !errors.As(err, &x) {
		return ended{128, "StartError", err.Error()}
	}
	status, _ := x.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return ended{128 + int32(status.Signal()), "Error", ""}
	}
	return ended{int32(status.ExitStatus()), "Error", ""}
}

// boxFor turns a container into what argo-run-box needs, and says where its termination message will be.
func (k *kubelet) boxFor(p *pod, c *corev1.Container, volumes map[string]string) (*box, string, error) {
	env, declared, err := k.environment(p, c)
	if err != nil {
		return nil, "", err
	}
	b := &box{Dir: filepath.Join(p.dir, "containers", c.Name), Cwd: c.WorkingDir, Hostname: p.spec.Name}
	if err := os.MkdirAll(b.Dir, 0o755); err != nil {
		return nil, "", err
	}
	for _, m := range c.VolumeMounts {
		from, ok := volumes[m.Name]
		if !ok {
			return nil, "", fmt.Errorf("no volume %q", m.Name)
		}
		if m.SubPath != "" {
			from = filepath.Join(from, filepath.Clean("/"+m.SubPath))
			if _, err := os.Stat(from); err != nil {
				if err := os.MkdirAll(from, 0o777); err != nil {
					return nil, "", err
				}
				// as the volume's own, whatever the umask
				if err := os.Chmod(from, 0o777); err != nil {
					return nil, "", err
				}
			}
		}
		b.Mounts = append(b.Mounts, boxMount{from, m.MountPath, m.ReadOnly})
	}
	message := filepath.Join(b.Dir, "message")
	if err := os.WriteFile(message, nil, 0o666); err != nil {
		return nil, "", err
	}
	if err := os.Chmod(message, 0o666); err != nil {
		return nil, "", err
	}
	to := c.TerminationMessagePath
	if to == "" {
		to = corev1.TerminationMessagePathDefault
	}
	b.Mounts = append(b.Mounts, boxMount{message, to, false}, boxMount{k.executor, executorPath, true})
	if c.Image == executorImage {
		b.Mounts = append(b.Mounts, boxMount{k.kubeconfig, kubeconfigPath, true})
	}
	if hasAccount(p.spec) && !mounts(c, accountPath) {
		b.Mounts = append(b.Mounts, boxMount{filepath.Join(k.work, "account"), accountPath, true})
	}
	if copiesExecutor(c) {
		b.Mounts = append(b.Mounts, boxMount{k.small, placeholderPath, true})
	} else if mounts(c, filepath.Dir(copiedPath)) {
		b.Mounts = append(b.Mounts, boxMount{k.executor, copiedPath, true})
	}
	for _, a := range slices.Concat(c.Command, c.Args) {
		b.Argv = append(b.Argv, expand(a, declared))
	}
	if copiesExecutor(c) && b.Argv[0] == "argoexec" {
		b.Argv[0] = executorPath
	}
	if len(b.Argv) == 0 {
		return nil, "", errors.New("no command, and an image has no entrypoint here")
	}
	for _, n := range slices.Sorted(maps.Keys(env)) {
		b.Env = append(b.Env, n+"="+env[n])
	}
	if s := p.spec.Spec.SecurityContext; s != nil {
		b.User, b.Group = s.RunAsUser, s.RunAsGroup
	}
	if s := c.SecurityContext; s != nil {
		if s.RunAsUser != nil {
			b.User = s.RunAsUser
		}
		if s.RunAsGroup != nil {
			b.Group = s.RunAsGroup
		}
	}
	return b, message, nil
}

// copiesExecutor says whether this is the container that copies argoexec for the others.
func copiesExecutor(c *corev1.Container) bool {
	return c.Image == executorImage && c.Name == "init" && len(c.Command) > 0
}

func mounts(c *corev1.Container, path string) bool {
	return slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return filepath.Clean(m.MountPath) == path })
}

// grace is what a container has between TERM and KILL: at a deadline what a cluster gives it, for it may have something to
// put away; a pod that nobody needs any more, less.
func grace(ctx context.Context, p *pod) time.Duration {
	switch own := p.spec.Spec.TerminationGracePeriodSeconds; {
	case !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return 2 * time.Second
	case own != nil:
		return time.Duration(*own) * time.Second
	}
	return corev1.DefaultTerminationGracePeriodSeconds * time.Second
}

// run runs one container to its end; began is called when its program runs.
func (k *kubelet) runContainer(ctx context.Context, p *pod, c *corev1.Container, volumes map[string]string, began func()) ended {
	b, message, err := k.boxFor(p, c, volumes)
	if err != nil {
		return ended{128, "CreateContainerConfigError", err.Error()}
	}
	log, err := os.Create(p.log(c.Name))
	if err != nil {
		return ended{128, "StartError", err.Error()}
	}
	defer log.Close()
	cmd, err := b.start(k.box, log)
	if err != nil {
		return ended{128, "StartError", err.Error()}
	}
	p.running(c.Name, cmd.Process)
	began()
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err = <-done:
	case <-ctx.Done():
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case err = <-done:
		case <-time.After(grace(ctx, p)):
			_ = cmd.Process.Kill()
			err = <-done
		}
	}
	p.running(c.Name, nil)
	end := exitOf(err)
	if text, err := os.ReadFile(message); err == nil && len(text) > 0 {
		end.message = string(text)
	}
	return end
}
