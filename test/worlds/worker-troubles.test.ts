/** A cache that cannot be used never keeps a worker from running: it is told in one line, and goes on without. */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runCommand } from '../support/command.js'
import { useMounts } from '../support/mounts.js'
import { missing } from '../support/needs.js'
import { useScratch } from '../support/scratch.js'
import { below } from '../support/tree.js'

const scratch = useScratch()
const mounts = useMounts()

/** Prints where its cache is and what it finds there, writes a file into it, and exits with 7. */
const WORKER =
  'cd "$JAX_COMPILATION_CACHE_DIR" && ls | tr "\\n" " " && echo "$PWD" && echo k >"k$$" && exit 7'

/** Runs a worker; returns what it found, and where. */
async function runWorker(cache: string, script = WORKER, settle = '0s') {
  const ended = await runCommand(
    cache,
    'run',
    '--preset',
    'jax',
    '--settle',
    settle,
    '--',
    'sh',
    '-c',
    script,
  )
  const [, found, path] = /^(.*?)(\/.*)\n$/.exec(ended.stdout) ?? []
  return { ...ended, found, path: path! }
}

/** Of a worker that went on without the cache: its exit code, in a directory of its own, which is gone, with one line. */
async function expectDegraded(cache: string, code: string, exitCode = 7, script = WORKER): Promise<void> {
  const ended = await runWorker(cache, script)
  expect(ended).toMatchObject({ code: exitCode, found: '' })
  expect(ended.path.startsWith(cache)).toBe(false)
  expect(existsSync(ended.path)).toBe(false)
  expectOneLine(ended.stderr, code)
}

function expectOneLine(stderr: string, code: string): void {
  expect(stderr).toMatch(/^cachelatch: [^\n]+\n$/)
  expect(stderr).toContain(code)
}

/** A cache in which eight units are published. */
async function warmCache(root: string, kilobytes = 1): Promise<void> {
  const script = `cd "$JAX_COMPILATION_CACHE_DIR"; for n in 1 2 3 4 5 6 7 8; do head -c ${kilobytes * 1024} /dev/zero >$n; done`
  expect(await runCommand(root, 'run', '-p', 'jax', '-q', '--', 'sh', '-c', script)).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  })
}

test('a root that is a file, or below one', async () => {
  const file = join(scratch(), 'file')
  writeFileSync(file, '')
  await expectDegraded(file, 'ENOTDIR')
  await expectDegraded(join(file, 'below'), 'ENOTDIR')
})

test.each(['', '{', '{}', 'null', '{"schema":99}', '\0'.repeat(100)])(
  'format.json damaged: %j',
  async (text) => {
    const root = scratch()
    await warmCache(root)
    writeFileSync(join(root, 'v1/format.json'), text)
    await expectDegraded(root, 'cache')
  },
)

test.each(['v1/slots', 'v1/snapshots', 'v1/trash', 'v1/stage', 'v1/locks'])(
  'something else in place of %s: the worker runs, and is told at most once',
  async (name) => {
    for (const plant of [
      (path: string) => writeFileSync(path, ''),
      (path: string) => symlinkSync('/nowhere', path),
      (path: string) => symlinkSync(scratch('outside'), path),
    ]) {
      const root = scratch()
      await warmCache(root)
      renameSync(join(root, name), `${root}/moved`)
      plant(join(root, name))
      const ended = await runWorker(root, WORKER.replace('exit 7', 'exit 0'))
      expect(ended.code).toBe(0)
      expect(ended.path).toMatch(/^\//)
      const lines = ended.stderr.trimEnd().split('\n')
      expect(lines.filter((line) => !/^cachelatch: slot 0: \d+ units/.test(line)).length).toBeLessThan(2)
      expect(lines.filter((line) => !line.startsWith('cachelatch: '))).toEqual([])
    }
  },
)

describe.skipIf(missing('mount tmpfs'))('a disk', () => {
  test('that is read-only: cold, and warm', async () => {
    const root = mounts.tmpfs()
    mounts.remount(root, 'ro')
    await expectDegraded(root, 'EROFS')
    mounts.remount(root, 'rw')
    await warmCache(root)
    mounts.remount(root, 'ro')
    await expectDegraded(root, 'EROFS')
  })

  test('that is full while a slot is seeded; what was seeded in part does not stay', async () => {
    const root = mounts.tmpfs('size=4m')
    await warmCache(root, 128)
    rmSync(join(root, 'v1/slots'), { recursive: true })
    writeFileSync(join(root, 'filler'), Buffer.alloc(freeBytes(root) - 512 * 1024))
    const free = freeBytes(root)
    await expectDegraded(root, 'ENOSPC')
    expect(freeBytes(root)).toBeGreaterThan(free - 64 * 1024)
    rmSync(join(root, 'filler'))
    const next = await runWorker(root)
    expect(next).toMatchObject({ code: 7, found: '1 2 3 4 5 6 7 8 ' })
  })

  test('that is full from the start, without a cache or with a cold one', async () => {
    const root = mounts.tmpfs('size=256k')
    writeFileSync(join(root, 'filler'), Buffer.alloc(freeBytes(root)))
    await expectDegraded(root, 'ENOSPC')
    rmSync(join(root, 'filler'))
    await warmCache(root, 0)
    writeFileSync(join(root, 'filler'), Buffer.alloc(freeBytes(root)))
    const ended = await runWorker(root)
    expect(ended.code).toBe(7)
    expect(
      ended.stderr.split('\n').filter((line) => /cannot be used|not published/.test(line)).length,
    ).toBeLessThan(2)
  })

  test('that is full when a unit is to be published, while the worker runs and at its end: one line', async () => {
    const root = mounts.tmpfs('size=4m')
    const sign = join(scratch(), 'go')
    const script =
      'cd "$JAX_COMPILATION_CACHE_DIR"; head -c 2600000 /dev/zero >big; until [ -e "$0" ]; do sleep 0.05; done; echo 1 >small'
    const ended = await runCommand(
      { cache: root, onStderr: () => writeFileSync(sign, '') },
      'run',
      '-p',
      'jax',
      '--settle',
      '50ms',
      '-q',
      '--',
      'sh',
      '-c',
      script,
      sign,
    )
    expect(ended).toMatchObject({ code: 0, stdout: '' })
    expectOneLine(ended.stderr, 'ENOSPC')
    expect(readdirSync(join(root, 'v1/stage'))).toEqual([])
    // Nothing of the big one is in the snapshot.
    expect(below(join(root, 'v1/snapshots')).filter((path) => path.endsWith('big'))).toEqual([])
  })

  test('where not even a private directory can be made: the worker has what it would have without us', async () => {
    const root = mounts.tmpfs()
    mounts.remount(root, 'ro')
    const script = 'echo "${JAX_COMPILATION_CACHE_DIR-unset}"; exit 5'
    const place = { cache: root, env: { TMPDIR: root } }
    const ended = await runCommand(place, 'run', '-p', 'jax', '--', 'sh', '-c', script)
    expect(ended).toMatchObject({ code: 5, stdout: 'unset\n' })
    expectOneLine(ended.stderr, 'EROFS')
  })

  test('where a private directory has no room for what the preset wants in it: the same, and nothing is left', async () => {
    // Of itself and the directory.
    const full = mounts.tmpfs('nr_inodes=2')
    const file = join(scratch(), 'file')
    writeFileSync(file, '')
    const script = 'echo "${JAX_COMPILATION_CACHE_DIR-unset}"; exit 5'
    const place = { cache: file, env: { TMPDIR: full } }
    const ended = await runCommand(place, 'run', '-p', 'jax', '--', 'sh', '-c', script)
    expect(ended).toMatchObject({ code: 5, stdout: 'unset\n' })
    expectOneLine(ended.stderr, 'ENOTDIR')
    expect(readdirSync(full)).toEqual([])
  })

  function freeBytes(path: string): number {
    const { bavail, bsize } = statfsSync(path)
    return bavail * bsize
  }
})

describe.skipIf(missing('mount tmpfs'))(
  'overlayfs, on whose lower layer directories cannot be renamed:',
  () => {
    test('the worker runs in a private directory', async () => {
      const base = mounts.tmpfs()
      const [lower, upper, work, merged] = ['lower', 'upper', 'work', 'merged'].map((name) =>
        join(base, name),
      )
      for (const directory of [lower, upper, work, merged]) mkdirSync(directory!)
      await warmCache(lower!)
      // As after a crash: the slot is to be set aside.
      for (const name of readdirSync(join(lower!, 'v1/slots'))) {
        const home = join(lower!, 'v1/slots', name)
        for (const mark of readdirSync(home).filter((each) => each.endsWith('.json')))
          rmSync(join(home, mark))
      }
      const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`
      const mounted = spawnSync('mount', ['-t', 'overlay', '-o', options, 'overlay', merged!])
      expect(String(mounted.stderr)).toBe('')
      try {
        await expectDegraded(merged!, 'EXDEV')
      } finally {
        spawnSync('umount', ['-l', merged!])
      }
    })
  },
)

describe.skipIf(missing('root'))('without permission', () => {
  test('to write, or even to look into the cache', async () => {
    const root = scratch()
    chmodSync(join(root, '..'), 0o755)
    await warmCache(root)
    const asNobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups']
    for (const mode of [0o755, 0o700]) {
      chmodSync(root, mode)
      const main = join(import.meta.dirname, '../../src/cli/main.js')
      const args = [
        ...asNobody.slice(1),
        process.execPath,
        main,
        'run',
        '-p',
        'jax',
        '--',
        'sh',
        '-c',
        WORKER,
      ]
      const ended = spawnSync(asNobody[0]!, args, {
        env: { ...process.env, CACHELATCH_DIR: root, HOME: '/' },
      })
      expect(ended.status).toBe(7)
      expectOneLine(String(ended.stderr), 'EACCES')
    }
  })
})
