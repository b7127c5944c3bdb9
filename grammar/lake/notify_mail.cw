# Send a mail through an SMTP server.
# kind: notify
# tags: mail email smtp send notify

task notify_mail {
  in to:      string = "team@example.com"
  in message: string = "done"
  env { SMTP_PASSWORD = secret("smtp", "password"); SMTP_HOST = config("smtp", "host") }
  shell = python3
  run = """
    import os, smtplib
    from email.message import EmailMessage
    e = os.environ
    m = EmailMessage()
    m["From"], m["To"], m["Subject"] = "couler@example.com", e["to"], e["message"][:80]
    m.set_content(e["message"])
    with smtplib.SMTP_SSL(e["SMTP_HOST"], timeout=30) as s:
        s.login("couler@example.com", e["SMTP_PASSWORD"])
        s.send_message(m)
  """
}

workflow use_notify_mail {
  defaults { image = "python:3.12-slim" }
  step one = notify_mail()
}
