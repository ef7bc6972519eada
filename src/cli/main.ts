#!/usr/bin/env node
/** The command: finds the sub-command, loads only its file, and turns errors into exit codes. */
import { readPackage } from '../host/package-file.js'
import { COMMANDS } from './commands.js'
import { print } from './render.js'
import { UsageError, exitCodeOf, explainToPerson } from './usage.js'

// No `await` at this level: published as CommonJS, which Node starts sooner.
void main(process.argv.slice(2)).then((exitCode) => (process.exitCode = exitCode))

async function main([name = '', ...args]: string[]): Promise<number> {
  try {
    if (name === '--version' || name === '-V') return await say(`${readPackage().version}\n`)
    if (name === '--help' || name === '-h' || name === 'help') return await help(args)
    const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
    if (!load) throw await noCommand(name)
    return await (await load()).run(args)
  } catch (error) {
    process.stderr.write(`${explainToPerson(error, Object.hasOwn(COMMANDS, name) ? name : '')}\n`)
    return exitCodeOf(error)
  }
}

/** `help`, and `help COMMAND`. */
async function help([name = '']: string[]): Promise<number> {
  if (Object.hasOwn(COMMANDS, name)) return await (await COMMANDS[name]!()).run(['--help'])
  if (name !== '') throw await noCommand(name)
  const { overview } = await import('./overview.js')
  return await say(await overview())
}

async function noCommand(name: string): Promise<UsageError> {
  if (name === '') return new UsageError('a command is missing.')
  const { nearest } = await import('../core/nearest.js')
  const meant = nearest(name, Object.keys(COMMANDS))
  return new UsageError(`there is no command '${name}'.${meant === null ? '' : ` Did you mean '${meant}'?`}`)
}

async function say(text: string): Promise<number> {
  await print(text)
  return 0
}
