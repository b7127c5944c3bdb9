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
