# Roll a new image out to a Kubernetes deployment and wait for it.
# kind: deploy
# tags: kubernetes kubectl deploy rollout release

task deploy_kubernetes {
  in deployment: string = "model-server"
  in version:    string = "v2"
  image           = "bitnami/kubectl:1.31.1"
  service_account = "deployer"
  run = """
    kubectl set image "deployment/$deployment" "server=ghcr.io/acme/server:$version"
    kubectl rollout status "deployment/$deployment" --timeout 5m
  """
}

workflow use_deploy_kubernetes {
  defaults { image = "python:3.12-slim" }
  step one = deploy_kubernetes()
}
