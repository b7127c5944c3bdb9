#@ about
# Runs a step: sh /cw/step SHELL [OPTION...] SCRIPT
# What steps make passes through Argo and Kubernetes, which rewrite double braces, $(NAME) and more. So it travels with
# \ $ { [ LF CR TAB as \0134 \0044 ...: variables named in CW_IN are decoded, outputs named in CW_OUT (name:type)
# checked against their type and encoded. Exit code 121: an output is missing or is not of its type.
#@ base
set -f
cw_drop() { for cw_o in ${CW_OUT-}; do rm -rf "/cw/out-${cw_o%%:*}"; done; }
cw_fail() { printf 'couler: %s\n' "$*" >&2; cw_drop; exit 121; }
#@ mpi
# The launcher starts one process on each worker and hands its variables on, which ssh does not.
if [ -z "${OMPI_COMM_WORLD_RANK-}" ]; then
  cw_x=
  for cw_n in $(awk 'BEGIN { for (n in ENVIRON) if (n ~ /^[A-Za-z_][A-Za-z0-9_]*$/) print n }'); do
    case $cw_n in PWD | OLDPWD | SHLVL | _ | HOSTNAME | OMPI_* | PMIX_* | PRTE_* | KUBERNETES_*) ;; *) cw_x="$cw_x -x $cw_n" ;; esac
  done
  exec mpirun --allow-run-as-root -n "$CW_WORKERS" --map-by ppr:1:node --bind-to none $cw_x sh -c 'eval "$CW_STEP"' "$0" "$@"
fi
#@ worker
# A worker of a job: the script and its code come in variables; rank 0's outputs are the step's.
case $CW_JOB in
tensorflow) if [ "$CW_ROLE" = worker ]; then RANK=$CW_INDEX; else unset RANK; fi ;;
mpi) RANK=$OMPI_COMM_WORLD_RANK ;;
ray) RANK=0 ;;
esac
[ -z "${RANK-}" ] || export RANK WORLD_SIZE="$CW_WORKERS" LOCAL_RANK=0
[ "${RANK-}" = 0 ] || CW_OUT=
[ "$CW_WORKERS" -ge 1 ] || cw_fail "a job has at least one worker, not $CW_WORKERS"
printf "$CW_FORMAT" "$CW_RUN" >/cw/script
set -- "$@" /cw/script
#@ worker-code
while read -r cw_n cw_k cw_m cw_f; do
  [ -n "$cw_n" ] || continue
  cw_v=/cw/code/$cw_f; mkdir -p "${cw_v%/*}"
  eval "printf \"\$cw_k\" \"\$CW_FILE_$cw_n\"" >"$cw_v" && chmod "$cw_m" "$cw_v" || cw_fail "code '$cw_f' could not be written"
done <<END
$CW_FILES
END
#@ shared
[ ! -d "$CW_SHARED/code" ] || cp -R "$CW_SHARED/code" /cw/code || cw_fail "the code on the shared volume could not be read"
#@ lists-in
# A list of strings (:l) or of json (:j) is a JSON list of encoded texts.
cw_list() { printf '%s' "$2" | LC_ALL=C awk -v kind="$1" '
  { t = t (NR > 1 ? "\n" : "") $0 }
  function all(from, to,  n, i, a, o) { n = split(t, a, from); o = a[1]; for (i = 2; i <= n; i++) o = o to a[i]; t = o }
  function decode(bs) { all("\\\\\\\\0173", "{"); all("\\\\\\\\0133", "["); all("\\\\\\\\0044", "$")
    all("\\\\\\\\0012", kind == "l" ? "\\n" : "\n"); all("\\\\\\\\0015", kind == "l" ? "\\r" : "\r"); all("\\\\\\\\0011", kind == "l" ? "\\t" : "\t")
    all("\\\\\\\\0134", bs) }
  END { if (kind == "l") { decode("\\\\"); printf "%s", t; exit }
    n = split(substr(t, 3, length(t) - 4), e, "\",\""); s = ""
    for (k = 1; k <= n; k++) { t = e[k]; all("\\\\\"", "\""); decode("\\"); s = s (k > 1 ? "," : "") t }
    printf "[%s]", s }'; }
#@ in
for cw_n in ${CW_IN-}; do
  eval "cw_v=\${${cw_n%:*}}"
  case $cw_n in
#@ lists-in
  *:*) cw_v=$(cw_list "${cw_n#*:}" "$cw_v"; printf x) ;;
#@ in
  *) cw_v=$(printf '%bx' "$cw_v") ;;
  esac
  cw_n=${cw_n%:*}
  eval "$cw_n=\${cw_v%x}; export $cw_n"
done
#@ code-in
while IFS= read -r cw_n; do
  [ -z "$cw_n" ] || { cw_v=$(cat "$cw_n"; printf x); printf '%b' "${cw_v%x}" >"$cw_n"; }
done <<END
$CW_DECODE
END
#@ sha-in
for cw_n in ${CW_SHA256-}; do
  cw_f=/cw/in-${cw_n%%:*}
  cw_v=$(sha256sum <"$cw_f" 2>/dev/null || openssl dgst -sha256 -r <"$cw_f" 2>/dev/null || python3 -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())' <"$cw_f")
  case $cw_v in "${cw_n#*:}"*) ;; *) cw_fail "input '${cw_n%%:*}' does not have the SHA-256 that it is pinned to" ;; esac
done
#@ script-in
if [ "${CW_SCRIPT-}" = encoded ]; then
  for cw_s; do :; done
  cw_v=$(cat "$cw_s"; printf x)
  printf '%b' "${cw_v%x}" >/cw/script
  cw_n=$#
  while [ "$cw_n" -gt 1 ]; do cw_v=$1; shift; set -- "$@" "$cw_v"; cw_n=$((cw_n - 1)); done
  shift
  set -- "$@" /cw/script
fi
#@ named-in
# Paths whose last component is fixed: /cw/n/NAME/FILE; of a list the entries are renamed.
for cw_n in ${CW_NAMED-}; do
  cw_k=${cw_n%%:*}; cw_f=${cw_n#*:}; mkdir -p "/cw/n/$cw_k"
  case $cw_n in
  *\**) (set +f; for cw_e in "/cw/in-$cw_k"/*; do [ -e "$cw_e" ] && mv "$cw_e" "/cw/n/$cw_k/${cw_f%%\**}${cw_e##*/}${cw_f#*\*}"; done) ;;
  *) eval "cw_f=\${$cw_k}"; [ ! -e "/cw/in-$cw_k" ] || mv "/cw/in-$cw_k" "$cw_f" ;;
  esac
done
#@ lists-files
# Lists of files: one folder each, entries 000000, 000001, ...
for cw_n in ${CW_LISTS-}; do
  mkdir -p "/cw/in-$cw_n"
  (set +f; cw_i=0
  for cw_e in "/cw/in-$cw_n"/* "/cw/in-$cw_n".[0-9]*; do
    [ -e "$cw_e" ] || continue
    cw_k=00000$cw_i; cw_k=/cw/in-$cw_n/${cw_k#"${cw_k%??????}"}; cw_i=$((cw_i + 1))
    [ "$cw_e" = "$cw_k" ] || mv "$cw_e" "$cw_k"
  done)
done
#@ base
export CW_TMP=/cw/tmp TMPDIR=/cw/tmp COULER_ATTEMPT="${COULER_ATTEMPT:-1}"
mkdir -p /cw/tmp
if [ -d /cw/code ]; then export CW_CODE=/cw/code; cd /cw/code || exit 1; fi
#@ named-out
for cw_n in ${CW_NAMED_OUT-}; do eval "cw_f=\${$cw_n}"; mkdir -p "${cw_f%/*}"; done
#@ poll
if [ -n "${CW_EVERY-}" ]; then
  while :; do
    "$@" && exit 0
    sleep "$CW_EVERY"
    rm -rf /cw/tmp; mkdir -p /cw/tmp
  done
fi
#@ apart
# The engine's TERM goes to all here: with this shell the container would end, before the step has deleted its Job.
trap : TERM
#@ base
cw_r=0
if [ -n "${CW_STDOUT-}" ]; then
  "$@" >"/cw/out-$CW_STDOUT" || cw_r=$?
  cat "/cw/out-$CW_STDOUT"
else
  "$@" || cw_r=$?
fi
if [ "$cw_r" != 0 ]; then cw_drop; exit "$cw_r"; fi
#@ out
# One value: without its last line end, checked (types: int float bool time duration size string json, list-...), encoded.
cw_check() { LC_ALL=C awk -v type="$1" '
  { t = t (NR > 1 ? "\n" : "") $0 }
  function is(re) { return t ~ ("^(" re ")$") }
  function enc(s,  i, n, o, c) { o = ""; n = length(s)
    while (match(s, /[\\${[\n\r\t]/)) { c = substr(s, RSTART, 1); o = o substr(s, 1, RSTART - 1) code[c]; s = substr(s, RSTART + 1) }
    return o s }
  function range(v) { sub(/^-/, "", v); return length(v) < 16 || (length(v) == 16 && v <= "9007199254740991") }
  function utf8(s) { gsub(/[\302-\337][\200-\277]|\340[\240-\277][\200-\277]|[\341-\354\356\357][\200-\277][\200-\277]|\355[\200-\237][\200-\277]/, "u", s)
    gsub(/\360[\220-\277][\200-\277][\200-\277]|[\361-\363][\200-\277][\200-\277][\200-\277]|\364[\200-\217][\200-\277][\200-\277]/, "u", s)
    return s !~ /[\200-\377]/ }
  BEGIN { code["\\"] = "\\0134"; code["$"] = "\\0044"; code["{"] = "\\0173"; code["["] = "\\0133"; code["\n"] = "\\0012"; code["\r"] = "\\0015"; code["\t"] = "\\0011"
    num = "-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?" }
#@ json
  # Reduces JSON to one letter: strings to s, other scalars to i f b n, then lists and objects to v.
  function json(t,  d) {
    gsub(/"([^"\\\001-\037]|\\["\\\/bfnrt]|\\u[0-9a-fA-F][0-9a-fA-F][0-9a-fA-F][0-9a-fA-F])*"/, "s", t)
    gsub(/-?(0|[1-9][0-9]*)([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)/, "F", t); gsub(/-?[1-9][0-9]*|-?0/, "I", t)
    if (t ~ /[IF][IF]/) return ""
    gsub(/true|false/, "B", t); gsub(/null/, "N", t)
    if (t ~ /[sIFBN][ \n\r\t]*[sIFBN]/) return ""
    gsub(/[ \n\r\t]+/, "", t); shape = t
    for (d = 0; d < 200 && t ~ /[[{]/; d++) {
      gsub(/\[([sIFBNv](,[sIFBNv])*)?\]/, "v", t); gsub(/[{](s:[sIFBNv](,s:[sIFBNv])*)?[}]/, "v", t)
      if (t ~ /v[sIFBNv]|[sIFBNv]v/) return "" }
    return t ~ /^[sIFBNv]$/ ? t : "" }
#@ lists
  # A list of strings or of json as a JSON list of encoded texts.
  function texts(t, inner,  o, c, e, depth, s) { o = ""; depth = 0; e = ""
    while (t != "") {
      if (match(t, /^"([^"\\]|\\.)*"/)) { s = substr(t, 1, RLENGTH); t = substr(t, RLENGTH + 1); e = e (inner ? quoted(s) : coded(s)); continue }
      c = substr(t, 1, 1); t = substr(t, 2)
      if (depth == 1 && (c == "," || c == "]")) { if (inner && e != "") e = "\"" e "\""; o = o e c; e = ""; if (c == "]") depth--; continue }
      if (c == "[" || c == "{") { if (depth++) e = e (inner ? "\\\\" substr(code[c], 2) : c); else o = o c; continue }
      if (c == "]" || c == "}") { depth--; e = e c; continue }
      if (c !~ /[ \n\r\t]/) e = e c }
    return o }
  function coded(s,  o, c) { o = ""
    while (match(s, /[${[]|\\./)) { c = substr(s, RSTART, RLENGTH); o = o substr(s, 1, RSTART - 1); s = substr(s, RSTART + RLENGTH)
      if (c == "\\\\") c = "\\\\0134"; else if (c == "\\n") c = "\\\\0012"; else if (c == "\\r") c = "\\\\0015"; else if (c == "\\t") c = "\\\\0011"
      else if (c == "\\/") c = "/"; else if (length(c) == 1) c = "\\" code[c]
      o = o c }
    return o s }
  function quoted(s,  o, c) { o = ""
    while (match(s, /[${["\\]/)) { c = substr(s, RSTART, 1); o = o substr(s, 1, RSTART - 1) (c == "\"" ? "\\\"" : "\\" code[c]); s = substr(s, RSTART + 1) }
    return o s }
#@ time
  # A time in UTC, nothing when it is none (RFC 3339; a leap second counts as the second that follows).
  function days(y, m) { return substr("312831303130313130313031", 2 * m - 1, 2) + (m == 2 && ((y % 4 == 0 && y % 100 != 0) || y % 400 == 0)) }
  function utc(t,  y, m, d, s, z, f) {
    if (t !~ /^[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9][Tt][0-2][0-9]:[0-5][0-9]:[0-6][0-9]([.][0-9]+)?([Zz]|[-+][0-2][0-9]:[0-5][0-9])$/) return ""
    y = substr(t, 1, 4) + 0; m = substr(t, 6, 2) + 0; d = substr(t, 9, 2) + 0; s = substr(t, 12, 2) * 3600 + substr(t, 15, 2) * 60 + substr(t, 18, 2)
    if (m < 1 || m > 12 || d < 1 || d > days(y, m) || substr(t, 12, 2) > 23 || substr(t, 18, 2) > 60) return ""
    z = substr(t, length(t) - 5)
    if (z ~ /^[-+]/) { if (substr(z, 2, 2) > 23) return ""; s -= (substr(z, 1, 1) "1") * (substr(z, 2, 2) * 3600 + substr(z, 5, 2) * 60) }
    if (substr(t, 18, 2) == 60 && s % 86400 != 0) return ""
    f = match(t, /[.][0-9]+/) && substr(t, 18, 2) < 60 ? substr(t, RSTART, RLENGTH < 10 ? RLENGTH : 10) : ""; sub(/[.]?0*$/, "", f)
    if (s < 0) { s += 86400; if (--d < 1) { if (--m < 1) { m = 12; y-- } d = days(y, m) } }
    if (s > 86399) { s -= 86400; if (++d > days(y, m)) { d = 1; if (++m > 12) { m = 1; y++ } } }
    return y < 0 || y > 9999 ? "" : sprintf("%04d-%02d-%02dT%02d:%02d:%02d%sZ", y, m, d, int(s / 3600), int(s / 60) % 60, s % 60, f) }
#@ out
  END { ok = 0; n = 0; o = t
    if (t ~ /[\001-\010\013\014\016-\037\177]/) { print "holds control characters that cannot be passed on" >"/dev/stderr"; exit 1 }
    if (t ~ /[\200-\377]/ && !utf8(t)) { print "is not valid UTF-8" >"/dev/stderr"; exit 1 }
    if (type == "int") ok = is("-?(0|[1-9][0-9]*)") && range(t)
    else if (type == "size") ok = is("0|[1-9][0-9]*") && range(t)
    else if (type == "float") ok = is(num "|nan|inf|-inf")
    else if (type == "duration") ok = is(num)
    else if (type == "bool") ok = is("true|false")
    else if (type == "string") { ok = 1; o = enc(t) }
#@ time
    else if (type == "time") { o = utc(t); ok = o != "" }
#@ json
    else if (type == "json") { ok = json(t) != ""; o = enc(t) }
    else if (type ~ /^list-/) { r = substr(type, 6); ok = json(t) == "v" && shape ~ /^\[/
      s = r == "string" || r == "time" ? "s" : r == "int" || r == "size" ? "I" : r == "float" || r == "duration" ? "[sIF]" : r == "bool" ? "B" : "."
      if (r != "json") ok = ok && shape ~ ("^\\[(" s "(," s ")*)?\\]$")
      if (r != "string" && r != "json") gsub(/[ \n\r\t]+/, "", o)
#@ lists
      if (r == "string" || r == "json") o = texts(t, r == "json")
#@ json
    }
#@ out
    if (!ok) { print "is not of type " type ": " substr(t, 1, 80) >"/dev/stderr"; exit 1 }
    if (length(o) > 120000) { print "is over 120,000 bytes: use a file" >"/dev/stderr"; exit 1 }
    printf "%s", o }' "$2"; }
#@ base
for cw_o in ${CW_OUT-}; do
  cw_n=${cw_o%%:*}; cw_f=/cw/out-$cw_n
#@ named-out
  case " ${CW_NAMED_OUT-} " in *" $cw_n "*) eval "cw_f=\${$cw_n}" ;; esac
#@ base
  case ${cw_o#*:} in
  file) [ -f "$cw_f" ] || cw_fail "output '$cw_n' was not written"; chmod a+r "$cw_f" 2>/dev/null ;;
  dir) [ -d "$cw_f" ] || cw_fail "output '$cw_n' is not a directory"; chmod -R a+rX "$cw_f" 2>/dev/null ;;
#@ lists-files-out
  files)
    [ -d "$cw_f" ] || cw_fail "output '$cw_n' is not a directory"
    mkdir "$cw_f.cw" && (set +f; export LC_ALL=C; cw_i=0
    for cw_e in "$cw_f"/*; do
      [ -e "$cw_e" ] || continue
      cw_k=00000$cw_i; mv "$cw_e" "$cw_f.cw/${cw_k#"${cw_k%??????}"}"; cw_i=$((cw_i + 1))
    done
    printf '%s' "$cw_i" >"/cw/out-$cw_n--count")
    rm -rf "$cw_f"; mv "$cw_f.cw" "$cw_f"; chmod -R a+rX "$cw_f" 2>/dev/null ;;
#@ out
  *)
    [ -f "$cw_f" ] || cw_fail "output '$cw_n' was not written"
    [ "$(tr -dc '\000' <"$cw_f" | wc -c)" -eq 0 ] || cw_fail "output '$cw_n' holds NUL bytes"
    cw_check "${cw_o#*:}" "$cw_f" >"$cw_f.cw" 2>/cw/error || cw_fail "output '$cw_n' $(cat /cw/error)"
    mv "$cw_f.cw" "$cw_f" ;;
#@ base
  esac
done
#@ shared
# Where the pod that takes the outputs finds them.
if [ "${RANK-}" = 0 ] && [ -n "${CW_OUT-}" ]; then
  rm -rf "$CW_SHARED/out"; mkdir -p "$CW_SHARED/out"
  for cw_o in $CW_OUT; do
    cw_n=${cw_o%%:*}; eval "cw_f=\${$cw_n:-/cw/out-$cw_n}"
    cp -R "$cw_f" "$CW_SHARED/out/out-$cw_n" || cw_fail "output '$cw_n' could not be copied to the shared volume"
    [ ! -e "/cw/out-$cw_n--count" ] || cp "/cw/out-$cw_n--count" "$CW_SHARED/out/" || cw_fail "output '$cw_n' could not be copied to the shared volume"
  done
  chmod -R a+rwX "$CW_SHARED/out" 2>/dev/null
fi
#@ base
exit 0
