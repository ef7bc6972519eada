/**
 * What the real shells offer for a command line, with a completion script installed as `completion --help` says.
 *
 * bash and zsh run at a terminal: one key puts all that is offered into the line, in place of its last word; another
 * sends the line to descriptor 3, and empties it. fish has a command for it.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { COMMAND } from './command.js'
import { BASH_COMPLETION, type Need } from './needs.js'

export type ShellName = 'bash' | 'bash with bash-completion' | 'zsh' | 'fish'

export interface Shell {
  /** What is offered for the last word of the line, in the order of the alphabet. */
  complete(line: string): Promise<string[]>
  end(): Promise<void>
}

export const NEEDS: Record<ShellName, Need[]> = {
  bash: ['python3'],
  'bash with bash-completion': ['python3', 'bash-completion'],
  zsh: ['python3', 'zsh'],
  fish: ['fish'],
}

/** Two directories that are there. */
interface Places {
  home: string
  here: string
}

export async function openShell(name: ShellName, script: string, places: Places): Promise<Shell> {
  const { home } = places
  mkdirSync(join(home, 'bin'))
  writeFileSync(join(home, 'bin/cachelatch'), `#!/bin/sh\nexec '${process.execPath}' '${COMMAND}' "$@"\n`, {
    mode: 0o755,
  })
  const file = join(home, name === 'fish' ? '.config/fish/completions/cachelatch.fish' : '.zfunc/_cachelatch')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, script)
  if (name === 'fish') return fish(places)
  if (name === 'zsh') return atTerminal(['zsh', '-f', '-i'], ZSH, places)
  return atTerminal(BASH, name === 'bash' ? BASH_SETUP : `source ${BASH_COMPLETION}\n${BASH_SETUP}`, places)
}

const BASH = ['bash', '--norc', '--noprofile', '-i']
const BASH_SETUP = `
  unset HISTFILE
  source ~/.zfunc/_cachelatch
  send() { printf '%s\\0' "$READLINE_LINE" >&3; READLINE_LINE=; READLINE_POINT=0; }
  bind '"\\ea": insert-completions'
  bind -x '"\\es": send'`
const ZSH = `
  fpath+=~/.zfunc
  autoload -Uz compinit && compinit -u -D
  send() { print -rn -- "$BUFFER"$'\\0' >&3; BUFFER= }
  all() { _main_complete; compstate[insert]=all }
  zle -N send
  zle -C all complete-word all
  bindkey '^[a' all
  bindkey '^[s' send`

/** Starts its arguments at a terminal of their own, and passes on what is typed and shown. */
const TERMINAL = 'import pty, sys; pty.spawn(sys.argv[1:])'

async function atTerminal(command: string[], setup: string, { home, here }: Places): Promise<Shell> {
  writeFileSync(join(home, '.setup'), `${setup}\nprintf 'ready\\0' >&3\n`)
  const child = spawn('python3', ['-c', TERMINAL, ...command], {
    cwd: here,
    env: environment(home),
    stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
  })
  let shown = ''
  child.stdout!.on('data', (text: Buffer) => (shown += String(text)))
  const lines = linesOf(child)
  const ask = async (keys: string): Promise<string> => {
    child.stdin!.write(keys)
    const { value } = await lines.next()
    if (value === undefined) throw new Error(`${command[0]} has ended: ${shown}`)
    return value
  }
  await ask(' . ~/.setup\n')
  return {
    complete: async (line) => offered(line, await ask(`${line}\x1Ba\x1Bs`)),
    async end() {
      // The shell has lost its terminal then, and ends: with it, the last that holds descriptor 3.
      child.kill('SIGKILL')
      await lines.next()
    },
  }
}

async function* linesOf(child: ChildProcess): AsyncGenerator<string, undefined> {
  let text = ''
  for await (const chunk of child.stdio[3] as Readable) {
    text += String(chunk)
    const whole = text.split('\0')
    text = whole.pop()!
    yield* whole
  }
}

function offered(line: string, completed: string): string[] {
  if (completed === line) return []
  const words = completed.slice(line.lastIndexOf(' ') + 1).split(/ +/)
  return sorted(words.filter((word) => word !== ''))
}

function fish(places: Places): Shell {
  const complete = (line: string): string[] => {
    const lines = askFish(line, places).split('\n')
    return sorted(lines.filter((word) => word !== '').map((word) => word.replace(/\t.*/, '')))
  }
  return { complete: (line) => Promise.resolve(complete(line)), end: () => Promise.resolve() }
}

/** A line for each thing offered, and a tab and a description in it. */
export function askFish(line: string, { home, here }: Places): string {
  const options = { cwd: here, env: environment(home), encoding: 'utf8' } as const
  return execFileSync('fish', ['-c', 'complete -C $argv', line], options)
}

/** Without `--sort=` before the value, and without the `=` or `/` that some shells add. */
function sorted(words: string[]): string[] {
  return words.map((word) => word.replace(/^--[\w-]+=(?=.)/, '').replace(/[=/]$/, '')).sort()
}

function environment(home: string): NodeJS.ProcessEnv {
  const { PATH, LANG } = process.env
  return { PATH: `${join(home, 'bin')}:${PATH}`, LANG, HOME: home, TERM: 'xterm' }
}
