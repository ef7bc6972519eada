/** A file that its writer was killed in the middle of is no part of a snapshot, whoever notices the death when. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type Host, realHost } from '../../src/host/host.js'
import { missing } from '../support/needs.js'
import { startOf } from '../support/proc.js'
import { useScratch } from '../support/scratch.js'
import { generationsIn, prepareTestWorker } from '../support/slot-workers.js'
import { until } from '../support/until.js'

const SETTLE_MS = 20
/** Has the file open, half of it written. Its parent never asks what became of it: so it stays a zombie. */
const WRITER = `sh -c 'exec 3>"$0"; printf ha >&3; echo $$; exec sleep 600 <&- >&-' "$0" & exec sleep 600 >&-`

const scratch = useScratch()
const parents = new Set<ChildProcess>()
afterEach(() => {
  for (const parent of parents) process.kill(-parent.pid!, 'SIGKILL')
  parents.clear()
})

/** Returns the writer's pid, once half a file is there. */
async function startWriting(path: string): Promise<number> {
  mkdirSync(dirname(path), { recursive: true })
  const parent = spawn('sh', ['-c', WRITER, path], { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  parents.add(parent)
  return Number(await new Promise((resolve) => parent.stdout.once('data', resolve)))
}

/** Counts how often somebody asked whether a process lives. */
function askedHost(): { host: Host; asked: Map<number, number> } {
  const asked = new Map<number, number>()
  const host = realHost()
  const { processes } = host
  const startTimeOf = (pid: number): string | null | undefined => {
    asked.set(pid, (asked.get(pid) ?? 0) + 1)
    return processes.startTimeOf(pid)
  }
  return { host: { ...host, processes: { ...processes, startTimeOf } }, asked }
}

/**
 *   worker: killed in the middle of a file; the kernel closes it      wrapper: is not told yet
 *   publisher: sees a still file that nobody has open, copies it, and is about to place it
 */
test.skipIf(missing('linux'))(
  'a worker is killed in the middle of a file, and its wrapper not told yet: the file is not placed',
  async () => {
    const cache = scratch()
    const { host, asked } = askedHost()
    const worker = await prepareTestWorker(cache, { settleMs: SETTLE_MS }, host)
    worker.write('groups/whole/k', 'whole')
    const pid = await startWriting(join(worker.path, 'groups/torn/k'))
    worker.started(pid)
    // The torn one was as still as this one, and only its being open has kept it back.
    await until('the whole one is published', () => worker.saw('worker-published').length > 0)
    expect(asked.get(pid)).toBeGreaterThan(0)

    process.kill(pid, 'SIGKILL')
    await until('it is a zombie', () => startOf(pid) === null)
    asked.clear()
    const isPlaced = async (): Promise<boolean> => 'groups/torn' in (await generationsIn(cache))
    await until('its turn has come', async () => (asked.get(pid) ?? 0) > 1 || (await isPlaced()))
    await worker.ended(137)
    expect(await generationsIn(cache)).toEqual({ 'groups/whole': 1 })
  },
)
