# Post a line to a Slack webhook.
# kind: notify
# tags: slack webhook message notify alert channel

task notify_slack {
  in message: string = "done"
  env { WEBHOOK = secret("slack", "webhook") }
  shell = python3
  run = """
    import json, os, urllib.request
    body = json.dumps({"text": os.environ["message"]}).encode()
    urllib.request.urlopen(urllib.request.Request(os.environ["WEBHOOK"], body, {"Content-Type": "application/json"}), timeout=30)
  """
}

workflow use_notify_slack {
  defaults { image = "python:3.12-slim" }
  step one = notify_slack()
}
