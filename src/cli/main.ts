#!/usr/bin/env node
/** The command: finds the sub-command, loads only its file, and turns errors into exit codes. */
import { readPackage } from '../host/package-file.js'
import { UsageError, exitCodeOf, explainToPerson } from './usage.js'

const HELP = `Usage: cachelatch COMMAND [OPTIONS] -- CMD [ARGS]

  once --key KEY -- CMD   compile once: CMD fills $CACHELATCH_STAGE; prints the entry's path
  exec NAME -- CMD        hold a lock while CMD runs, as flock(1) does

  ls [TEXT]               what is in the cache
  gc                      make room: --max-size 50GB, --max-age 14d
  verify [KEY…]           read every byte, and set aside what is damaged
  clear                   remove all entries that nobody uses
  dir                     print the cache directory

  --help, --version       also: cachelatch COMMAND --help`

type Command = { run(args: string[]): Promise<number> }

const COMMANDS: Record<string, () => Promise<Command>> = {
  once: () => import('./once.js'),
  exec: () => import('./exec.js'),
  ls: () => import('./ls.js'),
  gc: () => import('./gc.js'),
  verify: () => import('./verify.js'),
  clear: () => import('./clear.js'),
  dir: () => import('./dir.js'),
}

process.exitCode = await main(process.argv.slice(2))

async function main([name = '', ...args]: string[]): Promise<number> {
  try {
    if (name === '--version' || name === '-V') return say(readPackage().version)
    if (name === '--help' || name === '-h' || name === 'help') return say(HELP)
    const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
    if (!load) throw new UsageError(name === '' ? 'a command is missing.' : `there is no command '${name}'.`)
    return await (await load()).run(args)
  } catch (error) {
    process.stderr.write(`${explainToPerson(error)}\n`)
    return exitCodeOf(error)
  }
}

function say(text: string): number {
  process.stdout.write(`${text}\n`)
  return 0
}
