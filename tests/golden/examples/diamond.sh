#!/bin/sh
# diamond: Split a text in two ways and put the results together.
#
# A plan for one machine, made by couler from diamond.cw. It needs sh, awk and what its steps name.
# sh THIS --help tells its options. The workflow comes first, what runs it after that.
# shellcheck disable=SC2015,SC2016,SC2030,SC2031,SC2034,SC2086,SC2154,SC2317,SC2329
set -u
LC_ALL=C
export LC_ALL
plan=diamond params=''

# ---- workflow diamond ----

# diamond.cw:8
step_source() {
	begin source
	output text p
	interpreter='sh -eu'
	script <<'END'
printf '%s\n' the quick brown fox jumps over the lazy dog > "$text"
END
}

# diamond.cw:15
step_sorted() {
	begin sorted
	needs source
	inputs <<'END'
give("text", val("p", "source.text"))
END
	output lines p
	interpreter='sh -eu'
	script <<'END'
LC_ALL=C sort "$text" > "$lines"
END
}

# diamond.cw:21
step_counted() {
	begin counted
	needs source
	inputs <<'END'
give("text", val("p", "source.text"))
END
	output lines p
	interpreter='sh -eu'
	script <<'END'
LC_ALL=C sort "$text" | uniq -c | sed 's/^ *//' > "$lines"
END
}

# diamond.cw:27
step_join() {
	begin join
	needs sorted counted
	inputs <<'END'
give("left", val("p", "sorted.lines"))
give("right", val("p", "counted.lines"))
END
	output report p
	output words i
	interpreter='sh -eu'
	script <<'END'
paste -d '|' "$left" "$left" | head -n 3 > "$report"
cat "$right" >> "$report"
wc -l < "$left" | tr -d ' ' > "$words"
END
}

# the order: a line is a wave, its steps run side by side
workflow_diamond() {
	S0='' S=''
	run_all step_source
	run_all step_sorted step_counted
	run_all step_join
	region outs@
	needs join
	out report 'val("p", "join.report")'
	region outs@
	needs join
	out words 'val("i", "join.words")'
	:
}

# ---- what runs the plan ----
#
# Under $run: o/ outputs (STEP.OUT), q/ how steps ended ("succeeded 0", "failed 3", "failed 3 allowed", "failed 1 within" where what is in it failed, "skipped - condition",
# "skipped - failure"), tmp/ a folder an attempt, log/ what steps printed, done/ markers that a resumed plan finds,
# pid/ process groups that run. $P is the prefix of the called workflow at hand ("CALL."), $S1, $S2 ... are the suffixes of the
# instance at hand ("[3]", "[3][0]"), and $S that of the step.

say() { printf '%s\n' "$*" >&2; }
progress() { say "$(date +%H:%M:%S) $*"; }
oops() { say "$0: $*"; exit 2; }
mark() { printf '%s\n' "$2" >"$run/q/$P$1.new" && mv "$run/q/$P$1.new" "$run/q/$P$1"; }
put() { printf '%s' "$2" >"$run/o/$P$1"; }
exactly() { awk 'NR > 1 { printf "\n" } { printf "%s", $0 }'; }              # text without its last line end

# Runs an awk program over values.awk. $T: a folder for it.
compute() { # compute FILE
	LC_ALL=C awk -v R="$run/o/$P" -v Q="$run/q/$P" -v W="$run/o/@" -v T="$T" -v HERE="$here" -v S1="${S1-}" -v S2="${S2-}" -v S3="${S3-}" -v S4="${S4-}" -v S5="${S5-}" -v S6="${S6-}" -v S7="${S7-}" -v S8="${S8-}" \
		-f "$run/values.awk" -f "$1" </dev/null
}
calc() { # calc EXPRESSION: its text on standard output
	printf 'BEGIN { v = %s\n if (absent(v)) bad("the value is absent"); printf "%%s", txt(v) }\n' "$1" >"$T/calc.awk"
	compute "$T/calc.awk"
}
store_() { # store_ NAME EXPRESSION: a value, or a link to a path, as an output; nothing when it is absent
	printf 'BEGIN { store("%s", %s) }\n' "$1" "$2" >"$T/store.awk"
	compute "$T/store.awk"
}

# What a step needs has ended before it is looked at. `needs` for values, `after` for order, `reads` for the end of steps.
# A pattern stands for all instances. What a failure holds back is skipped; a condition that skipped a step is no hindrance.
needs() { each_end value "$@"; }
after() { each_end order "$@"; }
each_end() {
	kind=$1
	shift
	for k; do
		found=
		for f in "$run/q/$P"$k; do
			[ -e "$f" ] || continue
			found=1
			read -r state _ why <"$f"
			case $kind,$state,$why in
			*,succeeded,* | *,skipped,condition | value,failed,allowed) ;;
			*) held=1 ;;
			esac
		done
		case $found$k in *'*'*) ;; '') held=1 ;; "$k") held=1 ;; esac
	done
}

# ---- a step: begin, what it needs, takes and gives, then its body ----

begin() { # begin KEY: in the instance $S
	key=$1$S held='' allowed=$forgiven retries=0 backoff=0 factor=2 most=600 within='' codes='' kinds=any limit=0 poll=''
	outs='' stdout='' wrong='' coded='' secrets='' published='' locks='' A=''
	T=$run/tmp/$P$key
	rm -rf "$T"
	mkdir -p "$T/in" "$T/code"
	: >"$T/env"
	: >"$T/setup"
	: >"$T/check.awk"
	[ -z "$fast" ] || [ -n "$keep" ] || [ -z "$(failed_steps)" ] || held=1
}
inputs() { # an awk program on standard input: give("NAME", value) for each
	[ -z "$held" ] || { cat >/dev/null; return 0; }
	{ echo 'BEGIN {'; cat; echo '}'; } >"$T/inputs.awk"
	compute "$T/inputs.awk" 2>"$T/why" && sh "$T/setup" 2>>"$T/why" || wrong=$(cat "$T/why")
}
secret() { # secret NAME STORE KEY: a variable from $CW_SECRETS/STORE/KEY
	[ -z "$held$wrong" ] || return 0
	if [ -r "${CW_SECRETS:-/nonexistent}/$2/$3" ]; then
		secrets="$secrets $1=$CW_SECRETS/$2/$3"
	else
		wrong="the secret '$2', key '$3' is not there: put it into \$CW_SECRETS/$2/$3"
	fi
}
secrets_of() { # every key of a store
	for f in "${CW_SECRETS:-/nonexistent}/$1"/*; do
		if [ -r "$f" ]; then secrets="$secrets ${f##*/}=$f"; else wrong="the secret '$1' is not there: put its keys into \$CW_SECRETS/$1/"; fi
	done
}
lock() { locks="$locks $(calc "$1"):$2"; }          # lock EXPRESSION SIZE
publish() { published="$published $1=$(calc "$2")"; } # publish OUTPUT EXPRESSION: a path beside the plan's .cw file
output() { # output NAME TYPE [LINK]: what the script makes; TYPE p is a file, dir a folder, Lp a folder of either
	outs="$outs $1:$2:${3-}"
	case $2 in p | dir | Lp) ;; *) printf 'BEGIN { check("%s", "%s") }\n' "$1" "$2" >>"$T/check.awk" ;; esac
}
code() { coded=1; mkdir -p "$T/code/$(dirname "$1")"; cat >"$T/code/$1"; [ -z "${2-}" ] || chmod +x "$T/code/$1"; }
code_exactly() { exactly | code "$@"; coded=1; }
script() { cat >"$T/script"; body_; }                # the body, on standard input; $interpreter runs it
script_exactly() { exactly >"$T/script"; body_; }

where() { # where NAME LINK: the path that an output's variable holds
	if [ -n "$2" ]; then mkdir -p "$A/out/$1.d" && printf '%s' "$A/out/$1.d/$2"; else printf '%s' "$A/out/$1"; fi
}
attempt_() { # one attempt in a fresh folder, its exit code
	A=$T/$attempt
	mkdir -p "$A/tmp" "$A/out"
	{
		cat "$T/env"
		for o in $outs; do
			name=${o%%:*} link=${o##*:}
			[ "$name" = "$stdout" ] || printf 'export %s=%s\n' "$name" "$(quote "$(where "$name" "$link")")"
		done
		for s in $secrets; do printf 'export %s="$(cat %s)"\n' "${s%%=*}" "$(quote "${s#*=}")"; done
		printf 'export COULER_ATTEMPT=%s CW_TMP=%s TMPDIR=%s\n' "$attempt" "$(quote "$A/tmp")" "$(quote "$A/tmp")"
		if [ -n "$coded" ]; then
			cp -R "$T/code" "$A/code"
			printf 'export CW_CODE=%s\ncd "$CW_CODE"\n' "$(quote "$A/code")"
		else
			printf 'cd "$CW_TMP"\n'
		fi
		printf 'exec %s %s\n' "$interpreter" "$(quote "$T/script")"
	} >"$A/start"
	log=$run/log/$P$key.$attempt
	# shellcheck disable=SC2086
	if [ -n "$stdout" ]; then
		$setsid env -i PATH="$PATH" ${HOME+HOME="$HOME"} ${USER+USER="$USER"} ${LANG+LANG="$LANG"} ${TZ+TZ="$TZ"} sh "$A/start" >"$A/out/$stdout" 2>"$log" </dev/null &
	else
		$setsid env -i PATH="$PATH" ${HOME+HOME="$HOME"} ${USER+USER="$USER"} ${LANG+LANG="$LANG"} ${TZ+TZ="$TZ"} sh "$A/start" >"$log" 2>&1 </dev/null &
	fi
	child=$!
	: >"$run/pid/$child"
	watch=
	if [ "$limit" -gt 0 ]; then
		{ trap 'kill "$nap" 2>/dev/null; exit' TERM; sleep "$limit" & nap=$!; wait "$nap"; : >"$A/late"; end_group "$child"; } </dev/null >/dev/null 2>&1 &
		watch=$!
	fi
	rc=0
	wait "$child" || rc=$?
	rm -f "$run/pid/$child"
	[ -z "$watch" ] || { kill "$watch" 2>/dev/null; wait "$watch" 2>/dev/null; } || :
	if [ -e "$A/late" ]; then echo "timed out after $limit s" >>"$log"; return 124; fi
	[ "$rc" -eq 0 ] || return "$rc"
	collect_ 2>>"$log"
}
hold_locks() { # one of SIZE places of each lock, held until this subshell ends
	fd=3
	for l in $locks; do
		folder=${TMPDIR:-/tmp}/couler-locks-$(id -u)
		mkdir -p "$folder"
		until take_lock "$folder/${l%:*}" "${l##*:}"; do sleep 0.2; done
		fd=$((fd + 1))
	done
}
take_lock() {
	place=1
	while [ "$place" -le "$2" ]; do
		eval "exec $fd>>\"\$1.\$place\""
		flock -n "$fd" && return 0
		place=$((place + 1))
	done
	return 1
}
quote() { word=$(printf '%sx' "$1" | sed "s/'/'\\\\''/g"); printf "'%s'" "${word%x}"; }   # $1 as a word of sh
end_group() { # TERM, a grace of 5 s, KILL; without setsid the process alone
	if [ -n "$setsid" ]; then group=-$1; else group=$1; fi
	kill -TERM -- "$group" 2>/dev/null || return 0
	for _ in 1 2 3 4 5; do kill -0 -- "$group" 2>/dev/null || return 0; sleep 1; done
	kill -KILL -- "$group" 2>/dev/null || :
}
collect_() { # checks the outputs of an attempt; 121 when one is missing or does not fit its type
	for o in $outs; do
		case $o in *:p:* | *:dir:* | *:Lp:*) continue ;; esac
		f=$A/out/${o%%:*}
		[ ! -f "$f" ] || [ "$(LC_ALL=C tr -d '\011\012\015\040-\176\200-\377' <"$f" | wc -c)" -eq 0 ] || { say "output '${o%%:*}' holds a control byte"; return 121; }
	done
	step=$T T=$A
	compute "$step/check.awk" || { T=$step; return 121; }
	T=$step
	for o in $outs; do
		name=${o%%:*} link=${o##*:} type=${o#*:} type=${type%%:*}
		case $type in
		p | dir)
			from=$(where "$name" "$link")
			[ -e "$from" ] || { say "output '$name' was not made"; return 121; }
			case $type in p) [ -f "$from" ] || { say "output '$name' is a folder, not a file"; return 121; } ;; *) [ -d "$from" ] || { say "output '$name' is no folder"; return 121; } ;; esac ;;
		Lp) from=$A/out/$name; [ -d "$from" ] || { say "output '$name' is no folder"; return 121; } ;;
		*) from=$A/ok/$name ;;
		esac
		rm -rf "$run/o/$P$key.$name.new"
		if [ "$type" = Lp ]; then
			mkdir "$run/o/$P$key.$name.new"
			n=0
			for e in "$from"/* "$from"/.[!.]* "$from"/..?*; do
				[ -e "$e" ] || continue
				take_ "$e" "$run/o/$P$key.$name.new/$(printf '%06d' "$n")" || return 121
				n=$((n + 1))
			done
		else
			take_ "$from" "$run/o/$P$key.$name.new" || return 121
		fi
	done
	for o in $outs; do name=${o%%:*}; rm -rf "$run/o/$P$key.$name"; mv "$run/o/$P$key.$name.new" "$run/o/$P$key.$name"; done
	for o in $published; do
		to=${o#*=}
		case $to in /*) ;; *) to=$here/$to ;; esac
		mkdir -p "$(dirname "$to")" && rm -rf "$to.new" && cp -R "$run/o/$P$key.${o%%=*}" "$to.new" && rm -rf "$to" && mv "$to.new" "$to" || { say "$to cannot be written"; return 121; }
	done
}
take_() { # what a link leads to is kept, not the link
	if [ -z "$(find "$1" -type l | head -n 1)" ]; then mv "$1" "$2"; else cp -RL "$1" "$2"; fi
}
again() { # may attempt $attempt be followed by another after exit code $1?
	if [ -n "$poll" ]; then
		backoff=$poll factor=1
		[ "$deadline" -eq 0 ] || [ $(($(date +%s) - since)) -lt "$deadline" ] || { code=124; return 1; }
		return 0
	fi
	[ "$attempt" -le "$retries" ] || return 1
	[ -z "$within" ] || [ $(($(date +%s) - since)) -lt "${within%.*}" ] || return 1
	case $kinds in
	any | failure) return 0 ;;
	codes) [ "$1" -ne 124 ] || [ ! -e "$A/late" ] || return 1; case " $codes " in *" $1 "*) return 0 ;; esac ;;
	esac
	return 1
}
identity_() { # what the result depends on: the step itself, its variables, the content of its files
	{
		printf '%s\n' "$interpreter$outs"
		cat "$T/script"
		(cd "$T/code" && find . -type f -exec cksum {} + | LC_ALL=C sort)
		sed "s|$(printf '%s' "$run" | sed 's/[].[*^$|\\]/\\&/g')|RUN|g" "$T/env" "$T/setup"
		find "$T/in" -type l | LC_ALL=C sort | while IFS= read -r f; do find -L "$f" -type f -exec cksum {} + | sed 's/ [^ ]*$//'; done
	} | cksum
}
body_() {
	if [ -n "$held" ]; then mark "$key" "skipped - failure"; return 0; fi
	if [ -n "$wrong" ]; then progress "$P$key: failed: $wrong"; mark "$key" "failed 121${allowed:+ allowed}"; return 0; fi
	if [ -n "$dry" ]; then progress "$P$key: would run"; mark "$key" "succeeded 0"; return 0; fi
	id=$(identity_)
	if [ "$id" = "$(cat "$run/done/$P$key" 2>/dev/null)" ]; then progress "$P$key: done before"; mark "$key" "succeeded 0"; return 0; fi
	rm -f "$run/done/$P$key"
	read -r _ <&9                                    # a slot of -j
	hold_locks
	attempt=1 since=$(date +%s) deadline=0
	[ -z "$poll" ] || { deadline=$limit limit=0; }
	while :; do
		if [ "$attempt" -eq 1 ]; then progress "$P$key: started"; elif [ -z "$poll" ]; then progress "$P$key: attempt $attempt"; fi
		code=0
		attempt_ || code=$?
		[ "$code" -ne 0 ] || break
		again "$code" || break
		sleep "$backoff"
		backoff=$(LC_ALL=C awk -v b="$backoff" -v f="$factor" -v m="$most" 'BEGIN { b *= f; print b > m ? m : b }')
		attempt=$((attempt + 1))
	done
	echo >&9
	if [ "$code" -eq 0 ]; then
		mark "$key" "succeeded 0"
		printf '%s\n' "$id" >"$run/done/$P$key"
		progress "$P$key: ok"
	else
		for o in $outs; do rm -rf "$run/o/$P$key.${o%%:*}"; done
		mark "$key" "failed $code${allowed:+ allowed}"
		progress "$P$key: failed with exit code $code; the end of $log:"
		tail -n 20 "$log" | sed 's/^/  | /' >&2
	fi
}

# ---- regions ----

run_all() { # run_all NODE...: one wave, each in the background with its own variables; waits for all
	pids=
	for node; do
		( "$node" ) &
		pids="$pids $!"
	done
	for p in $pids; do wait "$p" || :; done
}
region() { # region KEY: before a region is looked at; what needs and after found is in $held
	key=$1 held='' allowed=$forgiven T=$run/tmp/$P$1$S
	mkdir -p "$T"
}
closed() { # a region that is not entered, and why: 0 when it is held back
	[ -n "$held" ] || return 1
	mark "$key$S" "skipped - failure"
}
broken() { # broken WHAT: an expression that could not be evaluated fails the region
	progress "$P$key: $1 could not be evaluated: $(cat "$T/why")"
	mark "$key$S" "failed 121${allowed:+ allowed}"
	why=failure
}
skip() { # skip WHY KEY...: steps that do not run in this instance
	reason=$1
	shift
	for k; do mark "$k$S" "skipped - $reason"; done
}
choose() { # choose KEY CONDITION...: $branch is the number of the first that holds, else, or none with $why
	branch=none why=failure
	shift
	closed && return 0
	number=1
	for c; do
		answer=$(calc "$c" 2>"$T/why") || { broken "the condition"; return 0; }
		if [ "$answer" = true ]; then branch=$number; break; fi
		number=$((number + 1))
	done
	if [ "$branch" = none ]; then branch=else why=condition; fi
	mark "$key$S" "succeeded 0"
}
spread() { # spread KEY LIST: an instance an element; $n
	closed && return 1
	printf 'BEGIN { n = instances("%s", %s); print n }\n' "$1$S" "$2" >"$T/spread.awk"
	n=$(compute "$T/spread.awk" 2>"$T/why") || { broken "the list"; return 1; }
}
each() { # each N AT_ONCE BODY: the body for instance 0 .. N - 1, in batches
	last=$1 batch=$2 body=$3 i=0
	while [ "$i" -lt "$last" ]; do
		pids='' b=0
		while [ "$b" -lt "$batch" ] && [ "$i" -lt "$last" ]; do
			( "$body" "$i" ) &
			pids="$pids $!"
			i=$((i + 1)) b=$((b + 1))
		done
		for p in $pids; do wait "$p" || :; done
	done
}
open_loop() { closed && return 1; loop=$1$S loop_key=$1 loop_allowed=$allowed outer=$S round=0 next=0 lost=; }
state() { # state NAME EXPRESSION: of the round to come
	T=$run/tmp/$P$loop
	store_ "$loop:$next.@$1" "$2" 2>"$T/why" && return 0
	lost="state '$1'"
	key=$loop_key allowed=$loop_allowed S=$outer
	broken "$lost"
	return 1
}
goes_on() { # goes_on CONDITION
	T=$run/tmp/$P$loop
	answer=$(calc "$1" 2>"$T/why") || { lost="the condition"; key=$loop_key S=$outer; broken "$lost"; return 1; }
	[ "$answer" = true ]
}
round_ok() { # round_ok KEY...: did every step of the round end well?
	next=$((round + 1))
	for node; do
		for f in "$run/q/$P$node$S" "$run/q/$P$node$S:"*; do
			[ -e "$f" ] || continue
			read -r ended _ how <"$f"
			case $ended,$how in failed, | failed,within | skipped,failure) lost="round $round"; return 1 ;; esac
		done
	done
}
close_loop() { # close_loop KEY STATE...: the last states are the outputs
	key=$1 S=$outer
	shift
	case $lost in
	'') ;;
	round*) if [ -n "$loop_allowed" ]; then how=allowed; else how=within; fi; mark "$key$S" "failed 1 $how"; return 0 ;;
	*) return 0 ;;
	esac
	for s; do
		[ -e "$run/o/$P$loop:$round.@$s" ] || continue
		rm -rf "$run/o/$P$loop.$s"
		cp -RP "$run/o/$P$loop:$round.@$s" "$run/o/$P$loop.$s"
	done
	put "$loop.iterations" "$round"
	mark "$key$S" "succeeded 0"
}
open_sweep() { # open_sweep KEY: the table of trials on standard input
	closed && { cat >/dev/null; return 1; }
	sweep=$1$S sweep_allowed=$allowed rungs=
	{ printf 'BEGIN {\nKEY = "%s"\n' "$sweep"; cat; echo '}'; } >"$T/trials.awk"
	compute "$T/trials.awk"
}
rung_of() { # rung_of FUNCTION AT_ONCE KEY OBJECTIVE BUDGET:TYPE TYPE DIRECTION N:BUDGET...
	body=$1 at=$2 name=$3 goal_of=$4 budget=${5%%:*} otype=$6 way=$7
	shift 7
	left=
	r=0
	for rung; do
		count=${rung%%:*} amount=${rung#*:}
		if [ "$r" -eq 0 ]; then
			left='' i=0
			while [ "$i" -lt "$count" ]; do left="$left $i"; i=$((i + 1)); done
		else
			printf 'BEGIN { keep("%s", "%s", "%s", "%s", %s, "%s") }\n' "$sweep" "$goal_of" "$otype" "$way" "$count" "$left" >"$T/keep.awk"
			left=$(compute "$T/keep.awk")
		fi
		[ -n "$left" ] || break
		for t in $left; do
			[ "$r" -eq 0 ] || for f in "$run/q/$P$sweep:$t" "$run/q/$P$sweep:$t".* "$run/o/$P$sweep:$t".*; do
				case $f in *.@*) ;; *) rm -rf "$f" ;; esac
			done
			put "$sweep:$t.@$budget" "$amount"
		done
		pids='' b=0
		for t in $left; do
			( "${body}_body" "$t" ) &
			pids="$pids $!" b=$((b + 1))
			[ "$b" -lt "$at" ] || { for p in $pids; do wait "$p" || :; done; pids='' b=0; }
		done
		for p in $pids; do wait "$p" || :; done
		r=$((r + 1))
	done
	rungs=$left
}
pick() { # pick KEY OBJECTIVE TYPE DIRECTION MAX_FAILED GOAL OUTPUTS ARGUMENTS
	T=$run/tmp/$P$sweep
	printf 'BEGIN { pick("%s", "%s", "%s", "%s", %s, "%s", "%s", "%s", "%s") }\n' "$sweep" "$2" "$3" "$4" "$5" "$6" "$7" "$8" "$rungs" >"$T/pick.awk"
	if compute "$T/pick.awk" 2>"$T/why"; then
		mark "$1$S" "succeeded 0"
	else
		progress "$P$1: $(cat "$T/why")"
		mark "$1$S" "failed 1${sweep_allowed:+ allowed}"
	fi
}
open_call() { # open_call KEY: parameters on standard input
	closed && { cat >/dev/null; return 1; }
	{ printf 'BEGIN {\nKEY = "%s."\n' "$1$S"; cat; echo '}'; } >"$T/call.awk"
	compute "$T/call.awk" 2>"$T/why" && return 0
	broken "a parameter"
	return 1
}
call_of() { # call_of WORKFLOW KEY
	call=$2$S called_allowed=$allowed outer_prefix=$P outer=$S
	( P=$P$call. forgiven='' S1='' S2='' S3='' S4='' S5='' S6='' S7='' S8='' fast=''; "workflow_$1" )
	P=$outer_prefix S=$outer
	if [ -z "$(failed_in "$P$call.")" ]; then mark "$call" "succeeded 0"; return 0; fi
	for f in "$run/o/$P$call."*; do               # the outputs of what failed are absent, those of its steps stay
		case ${f#"$run/o/$P$call."} in *.* | @*) ;; *) rm -rf "$f" ;; esac
	done
	mark "$call" "failed 1 ${called_allowed:+allowed}"
}
fail_() { # fail_ KEY EXPRESSION: a step that fails with a message
	if [ -n "$held" ]; then mark "$1$S" "skipped - failure"; return 0; fi
	text=$(calc "$2") || text="the message could not be evaluated"
	progress "$P$1: fails: $text"
	mark "$1$S" "failed 1${allowed:+ allowed}"
}
pause() { # pause KEY SECONDS
	if [ -n "$held" ]; then mark "$1$S" "skipped - failure"; return 0; fi
	[ -n "$dry" ] || sleep "$2"
	mark "$1$S" "succeeded 0"
}

gate() { # gate KEY MESSAGE [NAME TYPE DEFAULT CHOICES]...: asks on the terminal
	gate=$1
	closed && return 0
	text=$(calc "$2") || text="(the message could not be evaluated)"
	shift 2
	if ! (: >/dev/tty) 2>/dev/null; then                  # in a subshell: such an error of : ends a shell
		progress "$P$gate: asks \"$text\", and there is no terminal to ask on: run the plan in one"
		mark "$gate$S" "failed 1${allowed:+ allowed}"
		return 0
	fi
	say "$text"
	if [ $# -eq 0 ]; then
		printf 'yes or no? ' >/dev/tty
		read -r reply </dev/tty
		case $reply in y | yes) mark "$gate$S" "succeeded 0" ;; *) mark "$gate$S" "failed 1${allowed:+ allowed}" ;; esac
		return 0
	fi
	while [ $# -ge 4 ]; do
		preset=$(calc "$3" 2>/dev/null) || preset=
		printf '%s [%s]: ' "$1" "$preset" >/dev/tty
		read -r reply </dev/tty
		put "$gate$S.$1" "${reply:-$preset}"
		if [ -n "$4" ] && [ "$(calc "bool(is_in(val(\"$2\", \"$gate$S.$1\"), $4))")" != true ]; then say "not one of the choices"; continue; fi
		shift 4
	done
	mark "$gate$S" "succeeded 0"
}

# ---- the plan as a command ----

usage() {
	cat <<-END
	usage: sh $0 [-n] [-j N] [-k] [-p NAME=VALUE]... [--from STEP] [--outputs DIR] [--run DIR]
	  -n             say what would run
	  -j N           at most N steps at once (default: the number of processors)
	  -k             go on after a failure although the workflow says fail_fast
	  -p NAME=VALUE  a parameter; JSON text for json and lists
	  --from STEP    run this step again, and what needs its results
	  --outputs DIR  write the outputs there: STEP.OUT, STEP[3].OUT, and OUT of the workflow
	  --run DIR      the folder of the run (default: $plan.run beside you); an unfinished run is resumed
	END
}
param() { # param NAME TYPE: from -p, checked; else its default stands
	T=$run/tmp
	for f in "$run"/given/*; do
		[ "$f" = "$run/given/$1" ] || continue
		printf 'BEGIN { given("%s", "%s", "%s") }\n' "$1" "$2" "$f" >"$T/param.awk"
		compute "$T/param.awk" || exit 2
		given=1
		return 0
	done
	return 1
}
default() { # default NAME EXPRESSION: of a parameter that was not given
	printf 'BEGIN { param("%s", %s) }\n' "$1" "$2" >"$T/param.awk"
	compute "$T/param.awk" || exit 2
}
on_signal() {
	trap '' "$1"
	say "$0: interrupted; ending what runs"
	for f in "$run"/pid/*; do [ -e "$f" ] && end_group "${f##*/}" & done
	wait
	trap - "$1" EXIT
	rm -rf "$run/pid" "$run/slots"
	kill -s "$1" "$$"
}
start() {
	command -v setsid >/dev/null && setsid=setsid || setsid=
	here=$(cd "$(dirname "$0")" && pwd -P)
	jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
	dry='' keep='' from='' outputs='' run='' given_params='' P='' S='' S0='' interpreter='' forgiven='' fast='' held='' allowed='' key=''
	while [ $# -gt 0 ]; do
		case $1 in
		-n) dry=1 ;;
		-k) keep=1 ;;
		-j) [ $# -gt 1 ] || oops "-j needs a number"; jobs=$2; shift ;;
		-p) [ $# -gt 1 ] || oops "-p needs NAME=VALUE"; given_params="$given_params $(quote "$2")"; shift ;;
		--from) [ $# -gt 1 ] || oops "--from needs a step"; from=$2; shift ;;
		--outputs) [ $# -gt 1 ] || oops "--outputs needs a folder"; outputs=$2; shift ;;
		--run) [ $# -gt 1 ] || oops "--run needs a folder"; run=$2; shift ;;
		-h | --help) usage; exit 0 ;;
		*) usage >&2; oops "no option '$1'" ;;
		esac
		shift
	done
	case $jobs in '' | *[!0-9]* | 0) oops "-j takes a number from 1" ;; esac
	run=${run:-$PWD/$plan.run}
	mkdir -p "$run" || oops "$run cannot be made"
	run=$(cd "$run" && pwd -P)
	[ ! -e "$run/finished" ] || rm -rf "$run/done" "$run/finished" "$run/o"
	[ -z "$from" ] || rm -rf "$run/done/$from" "$run/done/$from":*
	rm -rf "$run/q" "$run/pid" "$run/tmp" "$run/given" "$run/slots" "$run/o/"@*
	mkdir -p "$run/o" "$run/q" "$run/log" "$run/done" "$run/pid" "$run/tmp" "$run/given"
	T=$run/tmp
	write_values >"$run/values.awk"
	eval "set -- $given_params"
	for g; do
		case $g in *=*) ;; *) oops "-p takes NAME=VALUE, not '$g'" ;; esac
		case " $params " in *" ${g%%=*} "*) ;; *) oops "the workflow has no parameter '${g%%=*}'; it takes:$params" ;; esac
		printf '%s' "${g#*=}" >"$run/given/${g%%=*}"
	done
	put @run_id "$plan-$(date -u +%Y%m%dT%H%M%SZ)-$$"
	put @start_time "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
	mkfifo "$run/slots"
	exec 9<>"$run/slots"
	i=0
	while [ "$i" -lt "$jobs" ]; do echo >&9; i=$((i + 1)); done
	trap 'on_signal INT' INT
	trap 'on_signal TERM' TERM
	trap 'on_signal HUP' HUP
}
failed_in() { # failed_in PREFIX: names of what failed, sorted, without instances; what is allowed to fail does not count, nor what is in a call
	for f in "$run/q/$1"*; do
		[ -e "$f" ] || continue
		read -r state _ why <"$f"
		f=${f#"$run/q/$1"}
		case $f in *.*) continue ;; esac
		[ "$state,$why" = failed, ] && printf '%s\n' "$f" | sed 's/:[0-9_]*//g'
	done | LC_ALL=C sort -u
}
failed_steps() { failed_in ''; }
on_success() { on_ && [ "$state" = succeeded ]; }
on_failure() { on_ && [ "$state" = failed ]; }
on_exit() { on_; fast=; }
on_() { # what on blocks read: workflow.status, workflow.failed_steps
	if [ -e "$run/o/$P@status" ]; then state=$(cat "$run/o/$P@status"); return 0; fi
	names=$(failed_in "$P")
	if [ -n "$names" ]; then state=failed; else state=succeeded; fi
	put @status "$state"
	put @failed_steps "[$(printf '%s' "$names" | sed 's/.*/"&"/' | tr '\n' ',' | sed 's/,$//')]"
	fast=
}
fewer() { [ "$jobs" -le "$1" ] || { extra=$((jobs - $1)); while [ "$extra" -gt 0 ]; do read -r _ <&9; extra=$((extra - 1)); done; jobs=$1; }; }
passed() { [ -e "$run/o/$P@$1" ]; }
one_of() { # one_of NAME EXPRESSION
	T=$run/tmp
	[ "$(calc "$2")" = true ] || oops "the parameter '$1' has a value that is not among those allowed"
}
out() { # out NAME EXPRESSION [PLACE]: of the workflow
	[ -z "$held" ] || return 0
	store_ "$1" "$2" || { progress "out $1 could not be evaluated"; mark "$1" "failed 121"; return 0; }
	[ -n "${3-}" ] || return 0
	to=$(calc "$3")
	case $to in /*) ;; *) to=$here/$to ;; esac
	mkdir -p "$(dirname "$to")" && cp -RL "$run/o/$P$1" "$to.new" && rm -rf "$to" && mv "$to.new" "$to" || { say "$to cannot be written"; mark "$1" "failed 121"; }
}
finish() { # finish OUT...: outputs, a summary, the exit code
	failed=$(failed_steps)
	if [ -n "$outputs" ]; then
		mkdir -p "$outputs"
		for f in "$run/o/"*; do
			case ${f##*/} in @* | *.@* | '*') continue ;; esac
			name=$(printf '%s' "${f##*/}" | sed 's/:\([0-9_]*\)/[\1]/g')
			rm -rf "${outputs:?}/$name"
			cp -RL "$f" "$outputs/$name"
		done
	fi
	trap - INT TERM HUP
	rm -rf "$run/pid" "$run/slots"
	if [ -n "$failed" ]; then
		say "failed: $(printf '%s' "$failed" | tr '\n' ' '); logs are in $run/log; run the plan again to resume"
		exit 6
	fi
	: >"$run/finished"
	progress "done"
}

write_values() {
	cat <<'END_OF_VALUES'
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
END_OF_VALUES
}

start "$@"
workflow_diamond
finish report words
