/**
 * Completion for zsh: a specification for `_arguments` of each command.
 *
 * Descriptions are zsh code in single quotes, in which `_arguments` gives a meaning to brackets and colons.
 */
import { GLOBAL_OPTIONS, type Offer, type OfferedOption, type Place, runnersIn } from './offers.js'

export function zshScript(offers: Offer[]): string {
  return `#compdef cachelatch
_cachelatch() {
  # zsh itself would run what stands in the name of a directory, to list it.
  [[ $PREFIX$SUFFIX == *['([{\`']* ]] && return
  local -a subcommands=(
${offers.map(({ name, summary }) => `    ${quote(`${name}:${escape(summary)}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _arguments \\
${Object.entries(GLOBAL_OPTIONS)
  .map(([option, text]) => `      ${quote(`${option}[${escape(text)}]`)} \\\n`)
  .join('')}      '1:COMMAND:{_describe -t commands COMMAND subcommands}'
    return
  fi
  shift words
  (( CURRENT-- ))
  local -i end=\${words[(ie)--]}
  if (( end < CURRENT )); then
    [[ ' ${runnersIn(offers)} ' == *" $words[1] "* ]] || return
    shift $end words
    (( CURRENT -= end ))
    _normal
    return
  fi
  case $words[1] in
${offers.map(arm).join('\n')}
  esac
}

# Loaded from fpath, this is the first call; sourced, it is made known.
if [[ $funcstack[1] == _cachelatch ]]; then
  _cachelatch "$@"
else
  compdef _cachelatch cachelatch
fi
`
}

function arm({ name, options, operand }: Offer): string {
  const specifications = options.map(specification)
  if (operand !== null)
    specifications.push(quote(`*:${operand.name.replaceAll(':', '\\:')}:${action(operand.place)}`))
  return `    ${name})\n      _arguments -s ${specifications.map((text) => `\\\n        ${text}`).join(' ')} ;;`
}

/** Such as `'(-w --wait)'{-w+,--wait=}'[how long to wait]:SECONDS: '`. */
function specification({ names, value, repeats, text }: OfferedOption): string {
  const others = names.includes('--help') ? '(- *)' : repeats ? '*' : `(${names.join(' ')})`
  const forms = names.map((name) => (value === null ? name : name.startsWith('--') ? `${name}=` : `${name}+`))
  const what = `[${escape(text)}]${value === null ? '' : `:${value.name.replaceAll(':', '\\:')}:${action(value.place)}`}`
  if (forms.length === 1) return quote(`${others}${forms[0]}${what}`)
  return `${quote(others)}{${forms.join(',')}}${quote(what)}`
}

function action(place: Place): string {
  if (place === 'free') return ' '
  if (place === 'directory') return '_files -/'
  if (place === 'file') return '_files'
  return `(${place.join(' ')})`
}

function escape(text: string): string {
  return text.replaceAll(/[\\[\]:]/g, String.raw`\$&`)
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
