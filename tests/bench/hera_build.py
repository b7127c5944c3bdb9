"""Builds the layered workflow of N steps with Hera and prints its YAML: hera_build.py tuned|shared|template N

tuned: Task objects from dicts without validation of each call, one template; shared: one Container template; template: a
template a step, as users write it. CPU seconds go to standard error.
"""
import sys
import time

from hera.workflows import DAG, Container, Parameter, Task, Workflow

kind, n = sys.argv[1], int(sys.argv[2])


def parents(i):
    layer, at = divmod(i, 100)
    return [] if layer == 0 else sorted({(layer - 1) * 100 + at, (layer - 1) * 100 + (at * 7 + 3) % 100})


start = time.process_time()
with Workflow(generate_name="bench-", entrypoint="main") as w:
    if kind != "template":
        work = Container(name="work", image="debian:12-slim", command=["sh", "-c"], args=["echo {{inputs.parameters.i}}"], inputs=[Parameter(name="i")])
    else:
        steps = [Container(name="work-%d" % i, image="debian:12-slim", command=["sh", "-c"], args=["echo step %d" % i]) for i in range(n)]
    with DAG(name="main"):
        for i in range(n):
            depends = " && ".join("s%d" % p for p in parents(i)) or None
            if kind == "template":
                Task(name="s%d" % i, template=steps[i], depends=depends)
            elif kind == "tuned":
                Task(name="s%d" % i, template="work", arguments=[Parameter(name="i", value=str(i))], depends=depends)
            else:
                Task(name="s%d" % i, template=work, arguments={"i": i}, depends=depends)
text = w.to_yaml()
print(time.process_time() - start, file=sys.stderr)
sys.stdout.write(text)
