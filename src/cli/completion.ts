/**
 * `cachelatch completion`: scripts for the shells, made of the descriptions, so that TAB starts no Node.
 *
 * Not by @bomb.sh/tab: its bash script evaluates the line that is being typed, `$(…)` and all.
 */
import { defineCommand, readCommandLine } from './command.js'
import { allCommands } from './commands.js'
import { offersOf, type Offer } from './completion/offers.js'
import { print } from './render.js'
import { UsageError } from './usage.js'

export const command = defineCommand({
  name: 'completion',
  usage: 'bash|zsh|fish [OPTIONS]',
  summary: 'print a script that completes command lines in bash, zsh or fish',
  about: `Prints a script for the shell: with it, TAB completes commands, options, their values, and the command to run after
    --. It starts no Node and evaluates nothing that was typed. After an update of cachelatch, make the files anew.

    bash, 4 or later: the first line below, in ~/.bashrc.

    zsh: the second makes a file in a directory of its functions; ~/.zshrc needs 'fpath+=~/.zfunc' before compinit.

    fish: the third makes a file where fish looks for it.`,
  options: {},
  examples: [
    'source <(cachelatch completion bash)',
    'mkdir -p ~/.zfunc && cachelatch completion zsh >~/.zfunc/_cachelatch',
    'cachelatch completion fish >~/.config/fish/completions/cachelatch.fish',
  ],
})

const SCRIPTS: Record<string, () => Promise<(offers: Offer[]) => string>> = {
  bash: async () => (await import('./completion/bash.js')).bashScript,
  zsh: async () => (await import('./completion/zsh.js')).zshScript,
  fish: async () => (await import('./completion/fish.js')).fishScript,
}

export async function run(args: string[]): Promise<number> {
  const line = await readCommandLine(command, args)
  if (line === null) return 0
  const [shell = '', ...rest] = line.positionals
  const load = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined
  if (!load || rest.length > 0)
    throw new UsageError('one shell is needed: cachelatch completion bash|zsh|fish')
  const script = await load()
  await print(script(offersOf(await allCommands())))
  return 0
}
