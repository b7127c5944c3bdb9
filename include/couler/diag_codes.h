/*
 * Every diagnostic code: DIAG(number, severity, title, help). The one table behind
 * `couler help CW0203`, the SARIF rules and docs. A code never changes its meaning.
 *
 * 00xx text  01xx syntax  02xx names  03xx types  04xx attributes and places
 * 05xx control flow and sweeps  06xx files, imports, code  07xx evaluation
 * 08xx what an engine cannot carry  09xx local runs  10xx nl  11xx IR  12xx passes
 *
 * help: the mistake, then the mend, each in a line or two of .cw.
 */
/* 00xx */
DIAG(0001, SEV_ERROR, "the text holds a NUL byte", "A .cw file is UTF-8 text without NUL bytes.\nMend: remove the byte at the offset shown; the file may be binary or UTF-16.")
DIAG(0002, SEV_ERROR, "the text is not valid UTF-8", "A .cw file is UTF-8.\nMend: save the file as UTF-8, e.g. `iconv -f latin1 -t utf-8 old.cw > new.cw`.")
/* 01xx */
/* 02xx */
/* 03xx */
/* 04xx */
DIAG(0401, SEV_ERROR, "an option that does not exist or a value it does not take", "--set names an option of a backend or a pass.\nMend: `couler help argo` (or another backend or pass) lists its options with their values.")
DIAG(0402, SEV_ERROR, "a parameter from outside that does not fit", "A value given with -p or --param-file names no parameter, is not of its type, or is not one of its allowed values.\nMend: `couler check FILE` shows the parameters; json and lists are given as JSON text: -p 'xs=[1, 2]'.")
/* 05xx */
/* 06xx */
/* 07xx */
DIAG(0701, SEV_ERROR, "division by zero", "The right side of / or % is 0.\nMend: guard it: `n == 0 ? 0.0 : sum / n`.")
DIAG(0702, SEV_ERROR, "a number is out of range", "An int lies within ±9007199254740991 (2^53 - 1), the whole numbers that every engine keeps exactly; a time within the years 0000 to 9999.\nMend: use a float, or smaller numbers.")
DIAG(0703, SEV_ERROR, "a computed number is infinite or not a number", "A computation gave NaN or an infinity, or used one that a step put out.\nMend: test the value first; `x == x` is false for NaN only: `x == x ? x : 0.0`.")
DIAG(0704, SEV_ERROR, "an index is out of range", "Elements are numbered from 0 to len(list) - 1; negative indices do not count from the end.\nMend: `xs[len(xs) - 1]` is the last element; test `len(xs) > 2` before `xs[2]`.")
DIAG(0705, SEV_ERROR, "a json value has no such member", "`.name` reads a member of a json object that has it.\nMend: the name as it stands in the data; `\"name\"` in quotes and brackets for keys that are no names: `j[\"a/b\"]`.")
DIAG(0706, SEV_ERROR, "a value cannot be converted", "str() int() float() bool() parse_json() and typed inputs take only text of the right form: int(\"07\") is 7, int(\"7 apples\") is an error.\nMend: clean the value where it is made, e.g. in the step that writes it.")
DIAG(0707, SEV_ERROR, "no elements to choose from", "min, max, mean, argmin and argmax of an empty list have no result.\nMend: `len(xs) > 0 ? max(xs) : 0.0`.")
DIAG(0708, SEV_ERROR, "a value is too large", "A string of over 16 MiB, a list of over 1,000,000 elements, or an expression of over 20,000,000 operations.\nMend: put large data into a file: `out rows: file`.")
DIAG(0709, SEV_ERROR, "a time cannot be written so", "format_time takes %Y %m %d %H %M %S %j %u %% and an IANA time zone such as \"Europe/Berlin\".\nMend: compose other forms in the step itself.")
DIAG(0710, SEV_ERROR, "lower and upper take ASCII only", "Engines differ in how they fold other letters, so they are refused.\nMend: do it in the step: `python3 -c 'print(...)'`.")
DIAG(0711, SEV_ERROR, "an argument a function does not take", "split and replace need something to look for, pad fills with one character, file() takes a SHA-256 as 64 hex digits.\nMend: as the message says.")
DIAG(0712, SEV_ERROR, "a value is absent", "The output of a step that was skipped, or failed under allow_failure, was used without a fallback.\nMend: `maybe.v ?? 0`.")
DIAG(0713, SEV_ERROR, "a value of the wrong kind", "A json value held something else than the expression needs, e.g. a member of a number.\nMend: test the data, or declare the output with the type it has.")
/* 08xx */
DIAG(0801, SEV_ERROR, "the engine cannot carry a construct", "A construct of the workflow has no counterpart in the engine chosen with -t.\nMend: as the message says, or choose another engine; `couler backends` lists what each carries.")
/* 09xx */
/* 10xx */
/* 11xx */
DIAG(1101, SEV_ERROR, "the IR is not well-formed", "A graph read from JSON, or left by a pass, breaks a rule of grammar/ir.schema.json.\nMend: for a file of your own, what the message names; otherwise this is a fault of couler.")
/* 12xx */
DIAG(1201, SEV_REMARK, "what a pass did", "Printed with --remarks.")
