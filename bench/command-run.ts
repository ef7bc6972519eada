/** One run of the command, as published: how long it took and how much memory it had at most. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** From `.build/bench`. */
const COMMAND = join(import.meta.dirname, '../../dist/bin/cachelatch.js')

export interface CommandRun {
  seconds: number
  /** Of the resident set. */
  mebibytes: number
}

/** @param note a file for the child to write its peak to */
export async function runCommand(args: string[], note: string): Promise<CommandRun> {
  const onExit = `import fs from 'node:fs'
process.on('exit', () => fs.writeFileSync(${JSON.stringify(note)}, String(process.resourceUsage().maxRSS)))`
  const hook = `data:text/javascript,${encodeURIComponent(onExit)}`
  const started = performance.now()
  const child = spawn(process.execPath, ['--import', hook, COMMAND, ...args], { stdio: 'ignore' })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`cachelatch ${args.join(' ')} ended with ${String(code)}`)
  const seconds = (performance.now() - started) / 1000
  return { seconds, mebibytes: Number(readFileSync(note, 'utf8')) / 1024 }
}
