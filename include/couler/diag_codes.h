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
/* 08xx */
DIAG(0801, SEV_ERROR, "the engine cannot carry a construct", "A construct of the workflow has no counterpart in the engine chosen with -t.\nMend: as the message says, or choose another engine; `couler backends` lists what each carries.")
/* 09xx */
/* 10xx */
/* 11xx */
DIAG(1101, SEV_ERROR, "the IR is not well-formed", "A graph read from JSON, or left by a pass, breaks a rule of grammar/ir.schema.json.\nMend: for a file of your own, what the message names; otherwise this is a fault of couler.")
/* 12xx */
DIAG(1201, SEV_REMARK, "what a pass did", "Printed with --remarks.")
