/** What is not ours stands where the lock belongs. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import { ACROSS_PROCESSES, makeLocker } from '../support/lockers.js'
import { openBelow } from '../support/proc.js'
import { useLockDirectory } from '../support/lock-directory.js'

const lockDirectory = useLockDirectory()
let directory: string
let path: string

beforeEach(() => {
  directory = lockDirectory()
  path = `${directory}/model`
})

const PLANTS: Record<string, (at: string) => void> = {
  'a symbolic link to nothing': (at) => symlinkSync(`${directory}/elsewhere`, at),
  'a symbolic link to a file': (at) => {
    writeFileSync(`${directory}/precious`, 'precious')
    symlinkSync(`${directory}/precious`, at)
  },
  'a symbolic link to a directory with what looks like a token': (at) => {
    mkdirSync(`${directory}/precious`)
    writeFileSync(`${directory}/precious/${'a'.repeat(32)}`, 'precious')
    symlinkSync(`${directory}/precious`, at)
  },
  'a FIFO': (at) => {
    expect(spawnSync('mkfifo', [at]).status).toBe(0)
  },
}

/** sshfs cannot. */
const canHaveFifos = (): boolean => spawnSync('mkfifo', [`${directory}/fifo`]).status === 0

describe.each(ACROSS_PROCESSES)('%s', (name) => {
  const suffix = name.startsWith('kernel') ? '.lock' : '.held'

  test.each([
    ...Object.entries(PLANTS),
    name.startsWith('kernel')
      ? ['a directory', (at: string) => mkdirSync(at)]
      : ['a regular file', (at: string) => writeFileSync(at, '')],
  ] as const)('%s is refused, not followed, and nothing is left open', async (what, plant) => {
    if (what === 'a FIFO' && !canHaveFifos()) return
    plant(`${path}${suffix}`)
    const files = (): string[] =>
      (readdirSync(directory, { recursive: true }) as string[])
        .filter((file) => !file.startsWith('cachelatch-'))
        .sort()
    const before = files()
    await expect(makeLocker(name).acquire(path, { timeoutMs: 1_000 })).rejects.toMatchObject({
      code: 'UNSAFE_PATH',
      path: `${path}${suffix}`,
    })
    expect(files()).toEqual(before)
    expect(existsSync(`${directory}/elsewhere`)).toBe(false)
    expect(openBelow(path)).toEqual([])
  })
})
