/** A command whose stderr is a file on a disk that has died in the meantime ends all the same. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { COMMAND } from '../support/command.js'
import { useMounts } from '../support/mounts.js'
import { missing } from '../support/needs.js'
import { useScratch } from '../support/scratch.js'
import { until } from '../support/until.js'

const scratch = useScratch()
const mounts = useMounts()
const running = new Set<ChildProcess>()
afterEach(() => running.forEach((child) => child.kill('SIGKILL')))

test.skipIf(missing('linux', 'root', 'bindfs'))(
  'stderr cannot be synced any more: the command ends, with the exit code of CMD',
  async () => {
    const { path, server } = await mounts.stoppableBindfs(scratch())
    const log = openSync(join(path, 'log'), 'w')
    const script = 'echo begun; read -r _; exit 7'
    const command = spawn(process.execPath, [COMMAND, 'exec', 'x', '--', 'sh', '-c', script], {
      env: { ...process.env, CACHELATCH_DIR: scratch() },
      stdio: ['pipe', 'pipe', log],
    })
    running.add(command)
    closeSync(log)
    await new Promise((resolve) => command.stdout!.once('data', resolve))
    server.kill('SIGKILL')
    await until('the server is gone', () => server.signalCode !== null)
    command.stdin!.end('\n')
    await until('the command has ended', () => command.exitCode !== null)
    expect(command.exitCode).toBe(7)
  },
)
