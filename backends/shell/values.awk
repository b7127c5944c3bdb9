# Values and expressions, as docs/values.md says. A value is a string: its first byte is its type, the rest its text.
#   s string  i int  f float  b bool  j json (JSON text)  t time  d duration (s)  z size (bytes)  p path  n absent
#   L list: the second byte is the elements' type, then a JSON list
# R is the prefix of the files with outputs, Q of those with states, T the folder of the step at hand; S1, S2 ... are the
# suffixes of the instance at hand ("[3]", "[3][0]"). POSIX awk, bytes (LC_ALL=C).

function die(msg) { printf "%s\n", msg > "/dev/stderr"; DEAD = 1; exit 121 }
function at(where) { WHERE = where; return "" }
function bad(msg) { die(WHERE == "" ? msg : WHERE ": " msg) }

function typ(v) { return substr(v, 1, 1) }
function txt(v) { return substr(v, typ(v) == "L" ? 3 : 2) }
function absent(v) { return v == "n" }
function truth(v) { return v == "btrue" }
function bool(x) { return x ? "btrue" : "bfalse" }

# The whole content of a file; control bytes such as \001 are in no value.
function slurp(file,   text, line, old, n) {
	old = RS; RS = "\001"; text = ""
	while ((n = (getline line < file)) > 0) text = text line
	close(file); RS = old
	if (n < 0) return "\001"
	return text
}
# The value in a file; for a path the file is the value.
function read_value(t, file,   text) {
	if (t == "p") return system("test -e '" file "'") == 0 ? "p" file : "n"
	if (t == "Lp") return list_dir(file)
	text = slurp(file)
	return text == "\001" ? "n" : t text
}
function list_dir(dir,   cmd, name, s) {
	if (system("test -d '" dir "/'") != 0) return "n"
	cmd = "ls '" dir "/'"; s = ""
	while ((cmd | getline name) > 0) s = s (s == "" ? "" : ",") jstring(dir "/" name)
	close(cmd)
	return "Lp[" s "]"
}
function val(t, name) { return read_value(t, R name) }              # an output: STEP.OUT
function arg(t, name) { return read_value(t, T "/in/" name) }        # an input of this step
function item(list, i,   e) { items(txt(list) == "" ? "Ls[]" : list, e); return e[i + 1] }
function state_of(name,   text) { text = slurp(Q name); sub(/[ \n].*$/, "", text); return text }
function status(name) { return "s" state_of(name) }
function code(name,   text, f) {
	text = slurp(Q name); split(text, f, /[ \n]/)
	return f[1] == "skipped" || f[1] == "\001" || f[2] == "-" ? "n" : "i" f[2]
}
function count(name,   text) { text = slurp(R name ".@n"); return text == "\001" ? -1 : text + 0 }

# Lists that grow: of the elements' type t; an absent value adds nothing.
function push(list, v) {
	if (absent(v)) return list
	return substr(list, 1, length(list) - 1) (list ~ /^L.\[\]$/ ? "" : ",") tojson(v) "]"
}

# ---- numbers ----

function finite(x) { return x == x && x - x == 0 }
# RFC 8785: the shortest digits that read back as x, laid out as ECMAScript does.
function float_text(x,   p, s, neg, digits, e, n) {
	if (x == 0) return "0"
	if (x != x) return "nan"
	if (x - x != 0) return x > 0 ? "inf" : "-inf"
	for (p = 0; p < 17; p++) { s = sprintf("%." p "e", x); if (s + 0 == x) break }
	neg = sub(/^-/, "", s) ? "-" : ""
	e = s; sub(/^.*e/, "", e); e = e + 1
	digits = s; sub(/e.*$/, "", digits); sub(/\./, "", digits); sub(/0+$/, "", digits)
	n = length(digits)
	if (n <= e && e <= 21) return neg digits zeros(e - n)
	if (0 < e && e <= 21) return neg substr(digits, 1, e) "." substr(digits, e + 1)
	if (-6 < e && e <= 0) return neg "0." zeros(-e) digits
	s = (e - 1 < 0 ? "-" : "+") (e - 1 < 0 ? 1 - e : e - 1)
	return neg substr(digits, 1, 1) (n > 1 ? "." substr(digits, 2) : "") "e" s
}
function zeros(n,   s) { s = ""; while (n-- > 0) s = s "0"; return s }
function int_text(x) { return x == 0 ? "0" : sprintf("%.0f", x) }
function num(v,   s) {
	s = txt(v)
	if (s == "nan" || s == "inf" || s == "-inf") return s == "nan" ? log(-1) : s == "inf" ? -log(0) : log(0)
	return s + 0
}
function isint(v) { return typ(v) == "i" || typ(v) == "z" }
function mkint(x) {
	if (x > 9007199254740991 || x < -9007199254740991) bad("the result is outside of the range of int, +-(2^53 - 1)")
	return "i" int_text(x)
}
function mkfloat(x) {
	if (!finite(x)) bad("the result is not a finite number")
	return "f" float_text(x)
}
function trunc(x,   s) { s = sprintf("%d", 0); return x < 0 ? -floor(-x) : floor(x) }
function floor(x,   y) { y = sprintf("%.0f", x) + 0; return y > x ? y - 1 : y }

function add(a, b,   t) {
	if (typ(a) == "t") return shift(a, num(b))
	if (typ(b) == "t") return shift(b, num(a))
	if (typ(a) == "d") return "d" float_text(num(a) + num(b))
	if (typ(a) == "z") return "z" int_text(num(a) + num(b))
	return isint(a) && isint(b) ? mkint(num(a) + num(b)) : mkfloat(num(a) + num(b))
}
function subtract(a, b) {
	if (typ(a) == "t") return typ(b) == "t" ? "d" float_text(later(a, b)) : shift(a, -num(b))
	if (typ(a) == "d") return "d" float_text(num(a) - num(b))
	if (typ(a) == "z") return "z" int_text(num(a) - num(b))
	return isint(a) && isint(b) ? mkint(num(a) - num(b)) : mkfloat(num(a) - num(b))
}
function multiply(a, b) {
	if (typ(a) == "d" || typ(b) == "d") return "d" float_text(num(a) * num(b))
	return isint(a) && isint(b) ? mkint(num(a) * num(b)) : mkfloat(num(a) * num(b))
}
function divide(a, b) {
	if (num(b) == 0) bad("division by zero")
	return mkfloat(num(a) / num(b))
}
function modulo(a, b,   x, y, q) {
	x = num(a); y = num(b)
	if (y == 0) bad("division by zero")
	return mkint(x - y * trunc(x / y))
}
function negate(a) { return typ(a) == "i" ? mkint(-num(a)) : typ(a) == "d" ? "d" float_text(-num(a)) : mkfloat(-num(a)) }

# ---- comparing ----

function numeric(v) { return index("ifdz", typ(v)) > 0 }
function equal(a, b) {
	if (absent(a) || absent(b)) return a == b
	if (numeric(a) && numeric(b)) return num(a) == num(b)
	if (typ(a) == "t" && typ(b) == "t") return later(a, b) == 0
	if (typ(a) == "j" || typ(b) == "j" || typ(a) == "L") return canon(tojson(a)) "" == canon(tojson(b)) ""
	return txt(a) "" == txt(b) ""
}
function less(a, b) {
	if (typ(a) == "t") return later(a, b) < 0
	return numeric(a) ? num(a) < num(b) : txt(a) "" < txt(b) ""
}
function is_in(x, list,   e, n, i) {
	n = items(list, e)
	for (i = 1; i <= n; i++) if (equal(x, e[i])) return 1
	return 0
}

# ---- json ----

function jstring(s,   r, c, i, n) {
	if (s !~ /[\001-\037"\\\177]/) return "\"" s "\""
	r = ""; n = length(s)
	for (i = 1; i <= n; i++) {
		c = substr(s, i, 1)
		if (c == "\"" || c == "\\") r = r "\\" c
		else if (c == "\n") r = r "\\n"
		else if (c == "\t") r = r "\\t"
		else if (c == "\r") r = r "\\r"
		else r = r c
	}
	return "\"" r "\""
}
function hex(s,   i, x) { x = 0; s = tolower(s); for (i = 1; i <= length(s); i++) x = x * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1; return x }
function utf8(c) {
	if (c < 128) return sprintf("%c", c)
	if (c < 2048) return sprintf("%c%c", 192 + int(c / 64), 128 + c % 64)
	if (c < 65536) return sprintf("%c%c%c", 224 + int(c / 4096), 128 + int(c / 64) % 64, 128 + c % 64)
	return sprintf("%c%c%c%c", 240 + int(c / 262144), 128 + int(c / 4096) % 64, 128 + int(c / 64) % 64, 128 + c % 64)
}
function unquote(s,   r, i, c, u) {
	s = substr(s, 2, length(s) - 2)
	if (index(s, "\\") == 0) return s
	r = ""
	while ((i = index(s, "\\")) > 0) {
		c = substr(s, i + 1, 1); r = r substr(s, 1, i - 1); s = substr(s, i + 2)
		if (c == "n") r = r "\n"
		else if (c == "t") r = r "\t"
		else if (c == "r") r = r "\r"
		else if (c == "b") r = r "\b"
		else if (c == "f") r = r "\f"
		else if (c == "u") {
			u = hex(substr(s, 1, 4)); s = substr(s, 5)
			if (u >= 55296 && u < 56320 && substr(s, 1, 2) == "\\u") { u = 65536 + (u - 55296) * 1024 + hex(substr(s, 3, 4)) - 56320; s = substr(s, 7) }
			r = r utf8(u)
		} else r = r c
	}
	return r s
}
# Position after the JSON value that begins at i; 0 when it is none.
function jend(s, i,   c, depth, m) {
	c = substr(s, i, 1)
	if (c == "\"") {
		i++
		while (match(substr(s, i), /[\\"]/)) {
			i += RSTART - 1
			if (substr(s, i, 1) == "\"") return i + 1
			i += 2
		}
		return 0
	}
	if (c == "[" || c == "{") {
		depth = 0
		while (i <= length(s)) {
			c = substr(s, i, 1)
			if (c == "\"") { i = jend(s, i); if (!i) return 0; continue }
			if (c == "[" || c == "{") depth++
			if (c == "]" || c == "}") if (--depth == 0) return i + 1
			if (c ~ /[^][{}"]/ && match(substr(s, i), /^[^][{}"]+/)) { i += RLENGTH; continue }
			i++
		}
		return 0
	}
	return match(substr(s, i), /^(true|false|null|-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?)/) ? i + RLENGTH : 0
}
function blank(s, i) { while (substr(s, i, 1) ~ /^[ \t\r\n]$/) i++; return i }
# Members of a JSON list into e[1..n], of an object into k[] and e[]; their number, -1 when s is not one.
function members(s, e, k,   i, j, n, obj) {
	i = blank(s, 1); obj = substr(s, i, 1) == "{"; n = 0
	if (!obj && substr(s, i, 1) != "[") return -1
	i = blank(s, i + 1)
	if (substr(s, i, 1) == (obj ? "}" : "]")) return 0
	while (i <= length(s)) {
		n++
		if (obj) {
			j = jend(s, i); if (!j) return -1
			k[n] = unquote(substr(s, i, j - i)); i = blank(s, j)
			if (substr(s, i, 1) != ":") return -1
			i = blank(s, i + 1)
		}
		j = jend(s, i); if (!j) return -1
		e[n] = substr(s, i, j - i); i = blank(s, j)
		if (substr(s, i, 1) != ",") return substr(s, i, 1) == (obj ? "}" : "]") ? n : -1
		i = blank(s, i + 1)
	}
	return -1
}
# Well-formed JSON text, all the way down.
function jvalid(s,   e, k, n, i, c) {
	i = blank(s, 1); c = substr(s, i, 1); s = substr(s, i)
	if (c != "[" && c != "{") { i = jend(s, 1); return i > 0 && blank(s, i) > length(s) }
	n = members(s, e, k)
	if (n < 0) return 0
	i = jend(s, 1)
	if (blank(s, i) <= length(s)) return 0
	for (i = 1; i <= n; i++) if (!jvalid(e[i])) return 0
	return 1
}
# One text for equal values: keys sorted, numbers and escapes in one form.
# As RFC 8785 has it: no blanks, members by name, numbers in one way.
function canon(s,   c, e, k, n, i, j, t, r, x) {
	s = substr(s, blank(s, 1)); c = substr(s, 1, 1)
	if (c == "\"") return jstring(unquote(substr(s, 1, jend(s, 1) - 1)))
	if (c == "[" || c == "{") {
		n = members(s, e, k); r = ""
		for (i = 2; c == "{" && i <= n; i++) {
			t = k[i] ""; x = e[i]
			for (j = i - 1; j >= 1 && k[j] "" > t; j--) { k[j + 1] = k[j]; e[j + 1] = e[j] }
			k[j + 1] = t; e[j + 1] = x
		}
		for (i = 1; i <= n; i++) r = r (i > 1 ? "," : "") (c == "{" ? jstring(k[i]) ":" : "") canon(e[i])
		return c r (c == "[" ? "]" : "}")
	}
	gsub(/[ \t\r\n]+$/, "", s)
	return s ~ /^[-0-9]/ ? float_text(s + 0) : s
}
function f_json(v,   e, n, i) {
	n = typ(v) == "L" ? items(v, e) : 1
	if (typ(v) != "L") e[1] = v
	for (i = 1; i <= n; i++) if (typ(e[i]) ~ /[fd]/ && txt(e[i]) ~ /^(nan|-?inf)$/) bad("json has no NaN and no infinities")
	return "j" (typ(v) == "L" ? canon(tojson(v)) : tojson(v))
}
function tojson(v,   t) {
	t = typ(v)
	if (t == "i" || t == "b" || t == "j" || t == "L" || t == "z") return txt(v)
	if (t == "f" || t == "d") return txt(v) ~ /^(nan|-?inf)$/ ? jstring(txt(v)) : float_text(num(v))
	return t == "n" ? "null" : jstring(txt(v))
}
function fromjson(t, s) {
	if (t == "j" || substr(t, 1, 1) == "L") return t s
	if (t == "s" || t == "t" || t == "p") return t unquote(s)
	if (t == "f" && s ~ /^"/) return t unquote(s)
	return t s
}
# Elements of a list value into e[1..n], each a value.
function items(v, e,   raw, n, i, t) {
	t = typ(v) == "L" ? substr(v, 2, 1) : "j"
	n = members(txt(v), raw)
	if (n < 0) bad("not a list")
	for (i = 1; i <= n; i++) e[i] = fromjson(t, raw[i])
	return n
}
function index_at(v, i,   e, n, x) {
	if (typ(v) == "j" && typ(i) == "s") return member(v, txt(i))
	x = num(i)
	if (txt(v) !~ /^[ \t\r\n]*\[/) bad("not a list")
	n = items(v, e)
	if (x < 0 || x >= n) bad("index " int_text(x) " is out of range, the list has " n " elements")
	return element(e[x + 1])
}
# What comes out of a list or an object is written in one way, as docs/values.md says.
function element(v) { return typ(v) == "f" ? "f" float_text(num(v)) : typ(v) == "j" ? "j" canon(txt(v)) : v }
function member(v, key,   e, k, n, i, found) {
	n = txt(v) ~ /^[ \t\r\n]*\{/ ? members(txt(v), e, k) : -1
	if (n < 0) bad("member '" key "' of a value that is no object")
	found = 0
	for (i = 1; i <= n; i++) if (k[i] "" == key "") found = i
	if (!found) bad("the object has no member '" key "'")
	return element("j" e[found])
}
# A json value where a type is wanted, with a check; int to float; text to a path.
function convert(v, t,   s, e, k, i, n, r) {
	if (absent(v) || typ(v) == t) return v
	if (typ(v) == "j") {
		s = txt(v); gsub(/^[ \t\r\n]+|[ \t\r\n]+$/, "", s)
		if (s ~ /^"/) { if (t == "s" || t == "p" || t == "t") return t unquote(s) }
		else if (t == "b") { if (s == "true" || s == "false") return t s }
		else if (t == "i" || t == "z") { if (s ~ /^-?[0-9]/ && s + 0 == floor(s + 0)) return mkint(s + 0) }
		else if (t == "f" || t == "d") { if (s ~ /^-?[0-9]/) return t float_text(s + 0) }
		else if (substr(t, 1, 1) == "L" && s ~ /^\[/) {
			n = members(s, e, k); r = ""
			for (i = 1; i <= n; i++) r = r (i > 1 ? "," : "") tojson(convert("j" e[i], substr(t, 2, 1)))
			return t "[" r "]"
		}
		bad("a json value is not what is wanted here")
	}
	if (t == "f") return "f" txt(v)
	if (t == "j") return "j" tojson(v)
	return t txt(v)
}

# ---- functions ----

function chars(s,   t) { t = s; return length(s) - gsub(/[\200-\277]/, "", t) }
function f_len(v,   e, k, n) {
	if (typ(v) == "s") return mkint(chars(txt(v)))
	if (typ(v) == "j" && txt(v) ~ /^[ \t\r\n]*"/) return mkint(chars(unquote(substr(txt(v), blank(txt(v), 1)))))
	n = members(txt(v), e, k)
	if (n < 0) bad("len of a value that has none")
	return mkint(n)
}
function f_range(a, b,   s, i) {
	if (num(b) - num(a) > 1000000) bad("range of more than 1,000,000 elements")
	s = ""
	for (i = num(a); i < num(b); i++) s = s (s == "" ? "" : ",") int_text(i)
	return "Li[" s "]"
}
function best_of(v, sign, what,   e, n, i, b) {
	n = items(v, e)
	if (n == 0) bad(what " of an empty list")
	b = 1
	for (i = 2; i <= n; i++) if (sign * num(e[i]) > sign * num(e[b])) b = i
	BEST = b - 1
	return typ(e[b]) == "f" ? mkfloat(num(e[b])) : e[b]
}
function f_sum(v,   e, n, i, x, t) {
	n = items(v, e); x = 0; t = substr(v, 2, 1)
	for (i = 1; i <= n; i++) { x += num(e[i]); if (t == "i") mkint(x) }
	return t == "f" ? mkfloat(x) : t == "d" ? "d" float_text(x) : t == "z" ? "z" int_text(x) : mkint(x)
}
function f_mean(v,   e, n) { n = items(v, e); if (n == 0) bad("mean of an empty list"); return mkfloat(num(f_sum(v)) / n) }
function f_index_of(v, x,   e, n, i) { n = items(v, e); for (i = 1; i <= n; i++) if (equal(e[i], x)) return mkint(i - 1); return "i-1" }
function plain(v) {
	if (typ(v) == "j" && txt(v) ~ /^[ \t\r\n]*"/) return unquote(substr(txt(v), blank(txt(v), 1)))
	return txt(v)
}
function f_int(v,   s) {
	s = plain(v)
	if (typ(v) == "b") return txt(v) == "true" ? "i1" : "i0"
	if (typ(v) == "s" && s !~ /^-?[0-9]+$/) bad("int of a text that is no whole number")
	if (s !~ /^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$/) bad("int of a value that is no number")
	return mkint(trunc(s + 0))
}
function f_float(v,   s) {
	s = plain(v)
	if (s ~ /^(nan|-?inf)$/) return "f" s
	if (s !~ /^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$/) bad("float of a value that is no number")
	return mkfloat(s + 0)
}
function f_bool(v,   s) { s = plain(v); if (s != "true" && s != "false") bad("bool of a value that is neither true nor false"); return "b" s }
function f_parse_json(v) { if (!jvalid(txt(v))) bad("the text is not JSON"); return "j" txt(v) }
function f_join(v, sep,   e, n, i, s) { n = items(v, e); s = ""; for (i = 1; i <= n; i++) s = s (i > 1 ? txt(sep) : "") txt(e[i]); return "s" s }
function f_split(v, sep,   s, p, i, r) {
	s = txt(v); p = txt(sep); r = ""
	if (p == "") bad("split with an empty separator")
	while ((i = index(s, p)) > 0) { r = r jstring(substr(s, 1, i - 1)) ","; s = substr(s, i + length(p)) }
	return "Ls[" r jstring(s) "]"
}
function f_basename(v,   s) { s = txt(v); if (s == "") return "s"; if (s ~ /^\/+$/) return "s/"; sub(/\/+$/, "", s); sub(/^.*\//, "", s); return "s" s }
function f_dirname(v,   s) {
	s = txt(v)
	if (s ~ /^\/+$/) return "s/"
	sub(/\/+$/, "", s)
	if (index(s, "/") == 0) return "s."
	sub(/\/[^\/]*$/, "", s); sub(/\/+$/, "", s)
	return "s" (s == "" ? "/" : s)
}
function f_contains(v, x) { return typ(v) == "s" ? bool(index(txt(v), txt(x)) > 0 || txt(x) == "") : bool(is_in(x, v)) }
function f_starts_with(v, p) { return bool(substr(txt(v), 1, length(txt(p))) "" == txt(p) "") }
function f_ends_with(v, p) { return bool(length(txt(p)) <= length(txt(v)) && substr(txt(v), length(txt(v)) - length(txt(p)) + 1) "" == txt(p) "") }
function ascii(v) { if (txt(v) ~ /[\200-\377]/) bad("lower and upper take ASCII text only"); return txt(v) }
function f_replace(v, old, new,   s, p, i, r) {
	s = txt(v); p = txt(old); r = ""
	if (p == "") bad("replace of an empty text")
	while ((i = index(s, p)) > 0) { r = r substr(s, 1, i - 1) txt(new); s = substr(s, i + length(p)) }
	return "s" r s
}
function f_pad(v, width, fill,   s) { s = txt(v); while (chars(s) < num(width)) s = txt(fill) s; return "s" s }

# ---- times: days since 1970 by the civil calendar ----

function days(y, m, d,   era, yoe, doy) {
	y -= (m <= 2); era = floor(y / 400); yoe = y - era * 400
	doy = floor((153 * (m + (m > 2 ? -3 : 9)) + 2) / 5) + d - 1
	return era * 146097 + yoe * 365 + floor(yoe / 4) - floor(yoe / 100) + doy - 719468
}
function civil(z,   era, doe, yoe, doy, mp) {
	z += 719468; era = floor(z / 146097); doe = z - era * 146097
	yoe = floor((doe - floor(doe / 1460) + floor(doe / 36524) - floor(doe / 146096)) / 365)
	doy = doe - (365 * yoe + floor(yoe / 4) - floor(yoe / 100)); mp = floor((5 * doy + 2) / 153)
	DAY = doy - floor((153 * mp + 2) / 5) + 1; MONTH = mp + (mp < 10 ? 3 : -9); YEAR = yoe + era * 400 + (MONTH <= 2)
}
function is_time(s,   x, sec) {
	if (s !~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9][Tt][0-2][0-9]:[0-5][0-9]:[0-6][0-9](\.[0-9]+)?([Zz]|[-+][0-2][0-9]:[0-5][0-9])$/) return 0
	civil(days(substr(s, 1, 4) + 0, substr(s, 6, 2) + 0, substr(s, 9, 2) + 0))
	sec = substr(s, 18, 2) + 0
	if (MONTH != substr(s, 6, 2) + 0 || DAY != substr(s, 9, 2) + 0 || substr(s, 12, 2) + 0 > 23 || sec > 60) return 0
	if (s !~ /[Zz]$/ && substr(s, length(s) - 4, 2) + 0 > 23) return 0
	x = whole("t" s)
	if (sec == 60 && x % 86400 != 0) return 0                              # a leap second, which counts as the one that follows
	civil(floor(x / 86400))
	return YEAR >= 0 && YEAR <= 9999
}
# Whole seconds since 1970; the nanoseconds beyond them in NS.
function whole(v,   s, zone, sign) {
	s = txt(v); zone = 0; NS = 0
	if (match(s, /\.[0-9]+/) && substr(s, 18, 2) + 0 < 60) NS = substr(substr(s, RSTART + 1, RLENGTH - 1) "000000000", 1, 9) + 0
	if (match(s, /[-+][0-9][0-9]:[0-9][0-9]$/)) {
		sign = substr(s, RSTART, 1) == "-" ? -1 : 1
		zone = sign * (substr(s, RSTART + 1, 2) * 3600 + substr(s, RSTART + 4, 2) * 60)
	}
	return days(substr(s, 1, 4) + 0, substr(s, 6, 2) + 0, substr(s, 9, 2) + 0) * 86400 + substr(s, 12, 2) * 3600 + substr(s, 15, 2) * 60 + substr(s, 18, 2) - zone
}
function later(a, b,   d) { d = whole(a); a = NS; d -= whole(b); return d + (a - NS) / 1000000000 }     # a - b in seconds
function time_text(x, ns,   d, r, f) {
	d = floor(x / 86400); r = x - d * 86400; civil(d)
	f = ns > 0 ? sprintf(".%09d", ns) : ""
	sub(/0+$/, "", f)
	return sprintf("%04d-%02d-%02dT%02d:%02d:%02d%sZ", YEAR, MONTH, DAY, floor(r / 3600), floor(r / 60) % 60, r % 60, f)
}
function shift(v, by,   x, ns) {
	x = whole(v) + floor(by)
	ns = NS + floor((by - floor(by)) * 1000000000 + 0.5)
	return "t" time_text(x + floor(ns / 1000000000), ns % 1000000000)
}
function utc(v,   x) { x = whole(v); return "t" time_text(x, NS) }
function f_format_time(v, format,   x, d, r, f, i, c, s) {
	x = whole(v); d = floor(x / 86400); r = x - d * 86400; civil(d); f = txt(format); s = ""
	for (i = 1; i <= length(f); i++) {
		c = substr(f, i, 1)
		if (c != "%") { s = s c; continue }
		c = substr(f, ++i, 1)
		if (c == "Y") s = s sprintf("%04d", YEAR)
		else if (c == "m") s = s sprintf("%02d", MONTH)
		else if (c == "d") s = s sprintf("%02d", DAY)
		else if (c == "H") s = s sprintf("%02d", floor(r / 3600))
		else if (c == "M") s = s sprintf("%02d", floor(r / 60) % 60)
		else if (c == "S") s = s sprintf("%02d", r % 60)
		else if (c == "j") s = s sprintf("%03d", d - days(YEAR, 1, 1) + 1)
		else if (c == "u") s = s ((d + 3) % 7 + 7) % 7 + 1
		else s = s c
	}
	return "s" s
}

# ---- what the plan asks for ----

function best_index(v) { return mkint(BEST) }
# Instances of a `for`: the element and its index of each; their number.
function instances(key, list,   e, n, i) {
	n = items(list, e)
	for (i = 1; i <= n; i++) { store(key ":" (i - 1) ".@item", e[i]); write(R key ":" (i - 1) ".@index", i - 1) }
	write(R key ".@n", n)
	return n
}
function arg_of(t, name, v) { store(KEY ":" t ".@" name, v) }
function pass(name, v) { store(KEY "@" name, v) }
# The objective of trial t: a number, or "" when the trial failed or has NaN.
function score(key, t, objective, type,   v) {
	if (state_of(key ":" t) != "succeeded") return ""
	v = val(type, key ":" t "." objective)
	return absent(v) || txt(v) == "nan" ? "" : num(v)
}
function better(a, b, way) { return way == "maximize" ? a > b : a < b }
# Halving: the best n of the trials in `from`, ties to the lowest number, in order of their numbers.
function keep(key, objective, type, way, n, from,   t, m, i, s, best, taken, out) {
	m = split(from, t, " "); out = ""
	for (; n > 0; n--) {
		best = 0
		for (i = 1; i <= m; i++) {
			s = score(key, t[i], objective, type)
			if (taken[i] || s "" == "") continue
			if (!best || better(s, score(key, t[best], objective, type), way)) best = i
		}
		if (!best) break
		taken[best] = 1
	}
	for (i = 1; i <= m; i++) if (taken[i]) out = out " " t[i]
	print out
}
# The best trial and what a sweep gives: best.OUT, best.ARG, trials. `among`: the last rung of halving, "" for all.
function pick(key, objective, type, way, max_failed, goal, outs, args, among,   t, n, m, i, s, best, failed, in_last, o, a, no, na, row, all, v, f, comma) {
	n = 0; best = -1; failed = 0; all = ""
	while (slurp(Q key ":" n) != "\001" || val("s", key ":" n ".@" firstname(args)) != "n") { if (n > 1000000) break; n++ }
	m = split(among, t, " ")
	for (i = 1; i <= m; i++) in_last[t[i]] = 1
	no = split(outs, o, " "); na = split(args, a, " ")
	for (i = 0; i < n; i++) {
		s = score(key, i, objective, type)
		if (s "" == "") failed++
		else if ((among == "" || in_last[i]) && (best < 0 || better(s, score(key, best, objective, type), way))) best = i
		row = ""
		for (f = 1; f <= na; f++) { split(a[f], v, ":"); row = row (f > 1 ? "," : "") jstring(v[1]) ":" tojson(val(v[2], key ":" i ".@" v[1])) }
		row = "{\"trial\":" i ",\"status\":" (s "" == "" ? "\"failed\"" : "\"succeeded\"") ",\"args\":{" row "},\"outputs\":{"
		comma = ""
		for (f = 1; s "" != "" && f <= no; f++) {
			split(o[f], v, ":")
			if (v[2] == "p" || v[2] == "Lp") continue
			row = row comma jstring(v[1]) ":" tojson(val(v[2], key ":" i "." v[1])); comma = ","
		}
		all = all (i ? "," : "") row "}}"
		if (s "" != "" && goal != "-" && among == "" && !better(goal + 0, s, way)) break
	}
	if (best < 0) die("no trial succeeded")
	if (max_failed >= 0 && failed >= max_failed) die(failed " trials failed, max_failed is " max_failed)
	for (f = 1; f <= no; f++) { split(o[f], v, ":"); store(key ".best." v[1], val(v[2], key ":" best "." v[1])) }
	for (f = 1; f <= na; f++) { split(a[f], v, ":"); store(key ".best." v[1], val(v[2], key ":" best ".@" v[1])) }
	write(R key ".trials", canon("[" all "]"))
}
function firstname(list,   a, v) { split(list, a, " "); split(a[1], v, ":"); return v[1] }

function sh_quote(s,   r, i) {
	r = ""
	while ((i = index(s, "'")) > 0) { r = r substr(s, 1, i - 1) "'\\''"; s = substr(s, i + 1) }
	return "'" r s "'"
}
function write(file, text) { printf "%s", text > file; close(file) }
function full(path) { return path ~ /^(\/|[a-z0-9+]+:\/\/)/ ? path : HERE "/" path }
# A path, or a list of paths, whose content must have these digests ("-": any).
function pinned(digests, v,   want, e, n, i, path, cmd, got) {
	n = split(digests, want, " ")
	if (typ(v) == "p") e[1] = v
	else items(v, e)
	for (i = 1; i <= n; i++) {
		path = full(txt(e[i]))
		if (want[i] == "-" || system("test -f " sh_quote(path)) != 0) continue
		cmd = "{ sha256sum || openssl dgst -sha256 -r || python3 -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'; } 2>/dev/null <" sh_quote(path)
		got = ""
		cmd | getline got
		close(cmd)
		sub(/ .*/, "", got)
		if (got == "") bad("there is neither sha256sum, openssl nor python3 here to check " path)
		if (got != want[i]) bad(path " has SHA-256 " got ", but " want[i] " was asked for")
	}
	return v
}
# An input or an env value of the step: its variable into T/env, its text or link into T/in.
function give(name, v, named,   file, e, n, i, base) {
	if (absent(v)) bad("input '" name "' is absent")
	file = T "/in/" name
	if (typ(v) == "p") {
		if (system("test -e " sh_quote(full(txt(v)))) != 0) bad("input '" name "': " full(txt(v)) " does not exist")
		if (named != "") { printf "mkdir %s\n", sh_quote(file) >> (T "/setup"); file = file "/" named }
		printf "ln -s %s %s\n", sh_quote(full(txt(v))), sh_quote(file) >> (T "/setup")
		printf "export %s=%s\n", name, sh_quote(file) >> (T "/env")
		return
	}
	if (substr(v, 1, 2) == "Lp") {
		printf "mkdir %s\n", sh_quote(file) >> (T "/setup")
		n = items(v, e)
		for (i = 1; i <= n; i++) {
			base = sprintf("%06d", i - 1)
			if (named != "") { base = named; sub(/\*/, sprintf("%06d", i - 1), base) }
			printf "ln -s %s %s\n", sh_quote(full(txt(e[i]))), sh_quote(file "/" base) >> (T "/setup")
		}
		printf "export %s=%s\n", name, sh_quote(file) >> (T "/env")
		return
	}
	write(file, txt(v))
	printf "export %s=%s\n", name, sh_quote(txt(v)) >> (T "/env")
}
function variable(name, v) { if (absent(v)) bad("env '" name "' is absent"); printf "export %s=%s\n", name, sh_quote(txt(v)) >> (T "/env") }
# Words of `command`, run without a shell between.
function word(v) { printf " %s", sh_quote(txt(v)) >> (T "/command") }
# An output made by the plan itself (params, states, results of regions); nothing when it is absent.
function store(name, v,   e, n, i, dir) {
	if (absent(v)) return
	if (typ(v) == "p") { system("ln -sfn " sh_quote(full(txt(v))) " " sh_quote(R name)); return }
	if (substr(v, 1, 2) == "Lp") {
		dir = R name; system("rm -rf " sh_quote(dir) "; mkdir " sh_quote(dir)); n = items(v, e)
		for (i = 1; i <= n; i++) system("ln -s " sh_quote(full(txt(e[i]))) " " sh_quote(dir "/" sprintf("%06d", i - 1)))
		return
	}
	write(R name, txt(v))
}
function same_type(t, s) { return t == "p" || t == "Lp" ? "" : misfit(t, s) }
# A parameter from -p.
function given(name, t, file,   s, why, x) {
	s = slurp(file)
	if (t == "d" || t == "z") { x = unit(t, s); if (x == "") bad("parameter '" name "': '" s "' is not a " (t == "d" ? "duration such as 90s" : "size such as 2Gi")); s = x }
	why = same_type(t, s)
	if (why != "") { printf "parameter '%s' %s: %s\n", name, why, s > "/dev/stderr"; exit 2 }
	if (t == "t") s = txt(utc("t" s))
	param(name, t s)
}
function param(name, v) {
	if (typ(v) == "p" && system("test -e " sh_quote(full(txt(v)))) != 0) {
		printf "parameter '%s': %s does not exist; a relative path is one beside the plan\n", name, full(txt(v)) > "/dev/stderr"; exit 2
	}
	store("@" name, v)
}
# "1h30m" in seconds, "2Gi" in bytes; "" when s is neither that nor a number.
function unit(t, s,   x, n, u) {
	if (s ~ /^-?[0-9]+(\.[0-9]+)?$/) return s
	x = 0
	while (match(s, /^[0-9]+(\.[0-9]+)?/)) {
		n = substr(s, 1, RLENGTH) + 0; s = substr(s, RLENGTH + 1)
		match(s, /^[A-Za-z]+/); u = substr(s, 1, RLENGTH); s = substr(s, RLENGTH + 1)
		if (t == "d") u = u == "ms" ? 0.001 : u == "s" ? 1 : u == "m" ? 60 : u == "h" ? 3600 : u == "d" ? 86400 : 0
		else u = u == "B" ? 1 : u == "KB" ? 1000 : u == "MB" ? 1000000 : u == "GB" ? 1000000000 : u == "TB" ? 1000000000000 : u == "Ki" ? 1024 : u == "Mi" ? 1048576 : u == "Gi" ? 1073741824 : u == "Ti" ? 1099511627776 : 0
		if (!u) return ""
		x += n * u
	}
	return s == "" ? float_text(x) : ""
}
# An output that the script wrote into T/out/NAME: checked, without its last line end, into T/ok/NAME.
function check(name, t,   s, why) {
	s = slurp(T "/out/" name)
	if (s == "\001") die("output '" name "' was not written")
	sub(/\n$/, "", s)
	why = misfit(t, s)
	if (why != "") die("output '" name "' " why ": " substr(s, 1, 200))
	system("mkdir -p " sh_quote(T "/ok"))
	write(T "/ok/" name, t == "t" ? txt(utc("t" s)) : s)
}

# ---- checks of outputs (exit 121) ----

function is_utf8(s) {
	gsub(/[\302-\337][\200-\277]|\340[\240-\277][\200-\277]|[\341-\354\356\357][\200-\277][\200-\277]|\355[\200-\237][\200-\277]/, "u", s)
	gsub(/\360[\220-\277][\200-\277][\200-\277]|[\361-\363][\200-\277][\200-\277][\200-\277]|\364[\200-\217][\200-\277][\200-\277]/, "u", s)
	return s !~ /[\200-\377]/
}
# Why text is no value of type t ("" when it is): rules 1, 4 and 5 of docs/values.md.
function misfit(t, s,   e, k, n, i, why) {
	if (t == "i" || t == "z") { if (s !~ /^-?(0|[1-9][0-9]*)$/) return "is not an int"; if (s + 0 > 9007199254740991 || s + 0 < -9007199254740991) return "is outside of the range of int"; return "" }
	if (t == "f") return s ~ /^(-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?|nan|-?inf)$/ ? "" : "is not a float"
	if (t == "d") return s ~ /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$/ ? "" : "is not a duration in seconds"
	if (t == "b") return s == "true" || s == "false" ? "" : "is neither true nor false"
	if (t == "t") return is_time(s) ? "" : "is not a time of RFC 3339"
	if (s ~ /[\200-\377]/ && !is_utf8(s)) return "is not valid UTF-8"
	if (t == "s") return length(s) > 120000 ? "is longer than 120,000 bytes; make it a file" : ""
	if (length(s) > 120000) return "is longer than 120,000 bytes; make it a file"
	if (!jvalid(s)) return "is not JSON"
	if (t == "j") return ""
	if (substr(s, blank(s, 1), 1) != "[") return "is not a JSON list"
	n = members(s, e, k); t = substr(t, 2)
	for (i = 1; i <= n; i++) {
		if (t == "s" || t == "t") {
			if (e[i] !~ /^"/) return "has an element that is not text"
			if (t == "t" && !is_time(unquote(e[i]))) return "has an element that is not a time of RFC 3339"
		}
		else if (t != "j" && (why = misfit(t, e[i])) != "" && !(t == "f" && e[i] ~ /^"(nan|-?inf)"$/)) return "has an element that " why
	}
	return ""
}
