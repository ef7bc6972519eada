/** doctor on a file system that does not answer, and doctor killed: it ends, and leaves nothing, or what gc removes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { examine } from '../../src/doctor/examine.js'
import { openCache } from '../../src/index.js'
import { COMMAND, runCommand } from '../support/command.js'
import { doctor, levelOf } from '../support/doctor.js'
import { useMounts } from '../support/mounts.js'
import { missing } from '../support/needs.js'
import { childrenOf, isAlive, isStopped } from '../support/proc.js'
import { useScratch } from '../support/scratch.js'
import { below } from '../support/tree.js'
import { until } from '../support/until.js'

const scratch = useScratch()
const mounts = useMounts()

describe.skipIf(missing('root', 'bindfs'))('a file system that hangs', () => {
  test('and one whose server is gone', async () => {
    const { path, server } = await mounts.stoppableBindfs(scratch())
    const gone = new Promise((resolve) => server.once('exit', resolve))
    server.kill('SIGKILL')
    await gone
    const { code, report } = await doctor(path)
    expect(report.findings).toContainEqual(
      expect.objectContaining({
        id: 'unreachable',
        advice: expect.stringMatching(/mount it again/) as string,
      }),
    )
    expect(code).toBe(1)
  })

  test('is said to, within the limit, also when it is only the second path', async () => {
    const { path, server } = await mounts.stoppableBindfs(scratch())
    server.kill('SIGSTOP')
    await until('it is stopped', () => isStopped(server.pid!))
    const limitMs = 4_000
    const report = await examine(path, { limitMs, env: {} })
    expect(levelOf(report, 'hangs')).toEqual(['problem'])
    const other = scratch()
    const second = await examine(other, { limitMs, env: {}, second: path })
    expect(levelOf(second, 'hangs')).toEqual(['problem'])
    expect(second.locker!.kernel.excludes).toBe(true)
    expect(below(other)).toEqual([])
  })
})

describe.skipIf(missing('linux'))('doctor, killed in the middle,', () => {
  /** In the middle of its work, and in a process group of its own, so that all of it can be killed at once. */
  async function startDoctor(root: string): Promise<ChildProcess> {
    const env = { ...process.env, CACHELATCH_DIR: root }
    const child = spawn(process.execPath, [COMMAND, 'doctor', '--second', 'wait'], {
      env,
      stdio: 'ignore',
      detached: true,
    })
    await until('it waits for an answer', () => below(root).some((path) => path.endsWith('/held')))
    return child
  }
  const probesIn = (root: string): string[] => readdirSync(root).filter((name) => name.startsWith('.probe-'))
  const gone = (child: ChildProcess): Promise<unknown> =>
    new Promise((resolve) => child.once('exit', resolve))

  test('leaves nothing: its probers tidy up and end', async () => {
    const root = scratch()
    const child = await startDoctor(root)
    const probers = childrenOf(child.pid!)
    expect(probers.length).toBeGreaterThan(0)
    const ended = gone(child)
    child.kill('SIGKILL')
    await ended
    await until('the probers have ended', () => probers.every(({ pid }) => !isAlive(pid)))
    expect(below(root)).toEqual([])
  })

  test('together with its probers, leaves one directory, and gc removes it', async () => {
    const root = scratch()
    await openCache(root, { strict: true })
    const before = below(root)
    const child = await startDoctor(root)
    const ended = gone(child)
    process.kill(-child.pid!, 'SIGKILL')
    await ended
    expect(probesIn(root)).toHaveLength(1)
    await until('gc has removed it', async () => {
      expect((await runCommand(root, 'gc', '--grace', '0s')).code).toBe(0)
      return probesIn(root).length === 0
    })
    expect(below(root)).toEqual(before)
  })
})
