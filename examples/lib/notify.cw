# Shared tasks: import "lib/notify.cw" as notify

task message {
  doc = "Posts one line to a chat channel."
  in  channel: string = "#ml"
  in  text: string
  image = "ghcr.io/acme/notify:1"
  env { CHAT_TOKEN = secret("chat", "token") }
  retry { limit = 3; backoff = 10s }
  run = """notify --channel "$channel" --text "$text" """
}
