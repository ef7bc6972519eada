/** `npm run picture`: eight real workers ask for one entry, the compiling one is killed; docs/pictures/timeline.svg. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** From `.build/docs`. */
const REPOSITORY = join(import.meta.dirname, '../..')
const COMMAND = join(REPOSITORY, 'dist/bin/cachelatch.js')
const WORKERS = 8
const KILL_AFTER_MS = 1_500

const scratch = mkdtempSync(join(tmpdir(), 'cachelatch-picture-'))
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }))
const events = join(scratch, 'events')

const workers = Array.from({ length: WORKERS }, (_, index) => start(String(index + 1)))
await untilSomebodyCompiles()
await new Promise((resolve) => setTimeout(resolve, KILL_AFTER_MS))
// The compiler notes its parent, which is the worker that is to be killed.
process.kill(Number(execFileSync('cat', [join(scratch, 'compiling')], { encoding: 'utf8' })), 'SIGKILL')
await Promise.all(workers.map((worker) => once(worker, 'exit')))

const svg = execFileSync(process.execPath, [COMMAND, 'timeline', events, '--svg'], { encoding: 'utf8' })
// Where this copy of the repository lies is nobody's business.
writeFileSync(join(REPOSITORY, 'docs/pictures/timeline.svg'), svg.replaceAll(`${REPOSITORY}/`, ''))
process.stdout.write(execFileSync(process.execPath, [COMMAND, 'timeline', events], { encoding: 'utf8' }))

function start(name: string): ChildProcess {
  const compile = `echo $PPID > ${join(scratch, 'compiling')}; sleep 3; echo compiled > "$CACHELATCH_STAGE/graph.bin"`
  const args = ['once', '--key', 'model=llama-8b', '--events', events, '-q', '--', 'sh', '-c', compile]
  const env = { ...process.env, CACHELATCH_DIR: join(scratch, 'cache'), CACHELATCH_WORKER: `worker ${name}` }
  return spawn(process.execPath, [COMMAND, ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] })
}

async function untilSomebodyCompiles(): Promise<void> {
  while (!existsSync(join(scratch, 'compiling'))) await new Promise((resolve) => setTimeout(resolve, 20))
}
