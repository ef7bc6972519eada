/**
 * Completion for fish: a line for each option, and two conditions that tell where on the line we are.
 *
 * `commandline -o` takes quotes away and evaluates nothing; what goes on to another command is quoted again.
 */
import { GLOBAL_OPTIONS, type Offer, type OfferedOption, type Place, runnersIn } from './offers.js'

export function fishScript(offers: Offer[]): string {
  return `# cachelatch: completion for fish
# The command is $argv[1], and what is completed stands before any --
function __cachelatch_in
    set -l words (commandline -opc)
    test "$words[2]" = "$argv[1]"; and not contains -- -- $words
end

# The command to run, which stands after --, is completed as if it stood alone.
function __cachelatch_command
    set -l words (commandline -opc)
    set -l end (contains -i -- -- $words); or return
    contains -- "$words[2]" ${runnersIn(offers)}; or return
    complete -C (string join ' ' -- (string escape -- $words[(math $end + 1)..]) (commandline -ct))
end

# --cache=DIR is one word here.
function __cachelatch_directories
    __fish_complete_directories (commandline -ct | string replace -r -- '^-[^=]*=' '')
end

complete -c cachelatch -f -a '(__cachelatch_command)'
${Object.entries(GLOBAL_OPTIONS)
  .map(([option, text]) => `${line('')} -l ${option.slice(2)} -d ${quote(text)}`)
  .join('\n')}
${offers.map(({ name, summary }) => `${line('')} -a ${name} -d ${quote(summary)}`).join('\n')}
${offers.map(linesOf).join('\n')}
`
}

function linesOf({ name, options, operand }: Offer): string {
  return [
    `# ${name}`,
    ...(operand === null ? [] : operandLine(name, operand.place)),
    ...options.map((option) => `${line(name)} ${names(option)}${values(option)} -d ${quote(option.text)}`),
  ].join('\n')
}

function line(name: string): string {
  return `complete -c cachelatch -n '__cachelatch_in ${name === '' ? '""' : name}'`
}

function names({ names }: OfferedOption): string {
  return names
    .map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`))
    .join(' ')
}

function values({ value }: OfferedOption): string {
  if (value === null) return ''
  return value.place === 'file' ? ' -r -F' : ` -x${candidates(value.place)}`
}

function operandLine(name: string, place: Place): string[] {
  if (place === 'free') return []
  return [`${line(name)} ${place === 'file' ? '-F' : candidates(place).trim()}`]
}

function candidates(place: Place): string {
  if (place === 'directory') return " -a '(__cachelatch_directories)'"
  return typeof place === 'string' ? '' : ` -a ${quote(place.join(' '))}`
}

function quote(text: string): string {
  return `'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`
}
