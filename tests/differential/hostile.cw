# Values that engines rewrite where they can: as parameters, literals, env values, list elements, in scripts and files.
workflow hostile {
  param shellish: string = "'; exit 1; echo \" `id` \$(id) \${HOME} \$\$ \\ *"
  param braces: string = "{{ 1+1 }} {{=1+1}} {% raw %} }} {{ \${{x}} #{y}"
  param yamlish: list<string> = ["no", "1e3", "~", "0x1F", "2001-01-01", "*a", "&b", "!c", "%d", "@e", "null", "", " ", "-x", "a.sh", "/etc/passwd"]
  param wide: string = "é 😀 \u{202E}rtl\u{202C} \u{200B}"
  param lines: string = "a\nb\r\n\tc\n"

  step all {
    in  shellish
    in  braces
    in  wide
    in  lines
    in  yamlish
    in  literal: string = "a'b\"c`d\$e\\f{{g}}h%i"
    env { FROM_ENV = braces; LINES_OF = lines }
    out o_shellish: string
    out o_braces: string
    out o_wide: string
    out o_lines: string
    out o_yamlish: json
    out o_literal: string
    out o_env: string
    out o_script: string
    out named: file
    run = """
      printf %s "$shellish" > "$o_shellish"
      printf %s "$braces" > "$o_braces"
      printf %s "$wide" > "$o_wide"
      printf '%s\n' "$lines" > "$o_lines"
      printf %s "$yamlish" > "$o_yamlish"
      printf %s "$literal" > "$o_literal"
      printf '%s|%s\n' "$FROM_ENV" "$LINES_OF" > "$o_env"
      printf %s '{{ ds }} {{=1+1}} {% if x %} $$ $(X) \0041 *&!%@' > "$o_script"
      printf '%s\n' "$shellish" "$braces" "$wide" "$lines" > "$named"
    """
  }

  for v in yamlish {
    step each {
      in  v
      in  long: string = "<${v}|${braces}>"
      out o: string
      out joined: string
      run = """
        printf %s "$v" > "$o"
        printf %s "$long" > "$joined"
      """
    }
  }

  step names {
    out d: dir
    run = """
      mkdir "$d"
      for n in 'a b' "it's" '$HOME' '{{x}}' '-rf' '*' '#c' 'é😀' 'a\b' '`id`'; do
        printf '%s\n' "$n" > "$d/$n"
      done
    """
  }

  step read {
    in  d = names.d
    in  f = all.named
    in  back: list<string> = each.o
    in  folded: string = join(each.joined, "\n")
    out listing: string
    out values: json
    out text: string
    run = """
      (cd "$d" && for n in *; do printf '%s=' "$n"; cat "./$n"; done) > "$listing"
      printf %s "$back" > "$values"
      { cat "$f"; printf %s "$folded"; } > "$text"
    """
  }

  out shellish = all.o_shellish
  out env      = all.o_env
  out text     = read.text
  out values   = read.values
  out listing  = read.listing
}
