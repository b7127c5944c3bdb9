# Raw YAML merged into the Workflow and into a step's template, and a template of the engine as a body.
workflow argo_raw {
  defaults { image = "debian:12-slim" }
  argo = '''
podGC: { strategy: OnPodSuccess }
volumes:
- name: extra
  emptyDir: { medium: Memory }
'''
  step make {
    in n: int = 3
    out s: string
    run = """echo "$n" > "$s" """
    argo = '''
script:
  imagePullPolicy: Always
  env:
  - name: "n"
    value: "4"
sidecars:
- name: web
  image: nginx
'''
  }
  step ask {
    in s = make.s
    out code: int = stdout
    argo = '''
http:
  url: "https://example.com/{{inputs.parameters.s}}"
  successCondition: response.statusCode == 200
'''
  }
  out code = ask.code
}
