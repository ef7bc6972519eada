/** The command, as built, in a process of its own. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'

export const COMMAND = join(import.meta.dirname, '../../src/cli/main.js')

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

export interface Place {
  cache: string
  /** Added to the environment. */
  env?: NodeJS.ProcessEnv
  onStderr?: () => void
}

export function runCommand(place: string | Place, ...args: string[]): Promise<Ended> {
  const { cache, env: more, onStderr }: Place = typeof place === 'string' ? { cache: place } : place
  const env = { ...process.env, CACHELATCH_DIR: cache, ...more }
  const child = spawn(process.execPath, [COMMAND, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended: Ended = { code: null, stdout: '', stderr: '' }
  child.stdout.on('data', (text: Buffer) => (ended.stdout += String(text)))
  child.stderr.on('data', (text: Buffer) => {
    ended.stderr += String(text)
    onStderr?.()
  })
  return new Promise((resolve) => child.once('close', (code) => resolve({ ...ended, code })))
}
