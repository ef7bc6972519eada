/**
 * Completion for bash: a function with a `case` for each command.
 *
 * What was typed is only compared, or handed to `compgen` behind `--`. Names of files are left to bash, which knows how
 * to quote them.
 */
import { GLOBAL_OPTIONS, type Offer, type Place, runnersIn } from './offers.js'

export function bashScript(offers: Offer[]): string {
  const names = offers.map(({ name }) => name)
  const start = arm("''", Object.keys(GLOBAL_OPTIONS), [], names)
  return `# cachelatch: completion for bash 4 or later, with bash-completion and without
_cachelatch() {
  local name=\${COMP_WORDS[1]} before=$3 i
  COMPREPLY=()
  ((COMP_CWORD > 1)) || name=
  # --wait=5 is three words here: the option is not always the word before.
  [[ $before != = ]] || before=\${COMP_WORDS[COMP_CWORD - 2]}
  for ((i = 2; i < COMP_CWORD; i++)); do
    [[ \${COMP_WORDS[i]} == -- ]] || continue
    _cachelatch_command "$name" $((i + 1)) "$2"
    return
  done
  case $name in
${start}
${offers.map(armOf).join('\n')}
  esac
}

_cachelatch_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

# _cachelatch_command NAME INDEX WORD: the command to run is the word at INDEX.
_cachelatch_command() {
  [[ ' ${runnersIn(offers)} ' == *" $1 "* ]] || return
  # bash-completion 2.11 runs the command in '$(command), a word that begins with a quote.
  [[ \${COMP_WORDS[COMP_CWORD]} != *['([{\`']* ]] || return
  if declare -F _comp_command_offset >/dev/null; then
    _comp_command_offset "$2"
  elif declare -F _command_offset >/dev/null; then
    _command_offset "$2"
  elif ((COMP_CWORD == $2)); then
    mapfile -t COMPREPLY < <(compgen -c -- "$3")
  else
    compopt -o default
  fi
}

complete -F _cachelatch cachelatch
`
}

function armOf({ name, options, operand }: Offer): string {
  const values = options.flatMap(({ names, value }): [string[], Place][] =>
    value === null ? [] : [[names, value.place]],
  )
  const names = options.flatMap((option) => option.names)
  return arm(name, names, values, operand?.place ?? 'free')
}

/** After `name`: the values of its options, then its options, then what belongs to none. */
function arm(name: string, options: string[], values: [string[], Place][], operand: Place): string {
  const cases = values.map(
    ([names, place]) => `${alternatives(names.map((option) => `${option}:*`))}) ${offer(place)};;`,
  )
  if (options.length > 0) cases.push(`*:-*) ${offer(options)};;`)
  if (operand !== 'free') cases.push(`*) ${offer(operand)};;`)
  return `    ${name})
      case $before:$2 in
${cases.map((line) => `        ${line}\n`).join('')}      esac
      ;;`
}

function offer(place: Place): string {
  if (place === 'free') return ''
  if (place === 'directory') return 'compopt -o dirnames '
  if (place === 'file') return 'compopt -o default '
  return `_cachelatch_words '${place.join(' ')}' "$2" `
}

function alternatives(patterns: string[]): string {
  return patterns.join(' | ')
}
