# Fetch a file by SFTP with a key from a secret.
# kind: load
# tags: sftp ftp ssh partner file fetch

task load_sftp {
  in  source: string = "user@sftp.example.com:/out/data.csv"
  out data: file
  image = "linuxserver/openssh-server:version-9.7_p1-r4"
  env { SFTP_KEY = secret("sftp", "key") }
  run = """
    umask 077
    printf '%s\n' "$SFTP_KEY" > "$CW_TMP/key"
    sftp -i "$CW_TMP/key" "$source" "$data"
  """
}

workflow use_load_sftp {
  defaults { image = "python:3.12-slim" }
  step one = load_sftp()
}
