/** ls, gc, verify, clear, dir: what they print, and their exit codes. */
import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { COMMANDS } from '../../src/cli/commands.js'
import { type Cache, openCache } from '../../src/index.js'
import { entryPath } from '../support/caches.js'
import { type Ended, runCommand } from '../support/command.js'
import { useScratch } from '../support/scratch.js'
import { age, keysIn, put } from '../support/shelf.js'

const scratch = useScratch()
const DAY = 24 * 60 * 60 * 1000

/** Three entries: of 1, 2 and 3 KB, used 3, 2 and 1 days ago. */
async function filled(): Promise<{ cache: Cache; command: (...args: string[]) => Promise<Ended> }> {
  const root = scratch()
  const cache = await openCache(root, { strict: true })
  for (const [index, key] of ['alpha', 'beta', 'gamma'].entries())
    await put(cache, key, 1024 * (index + 1), (3 - index) * DAY)
  return { cache, command: (...args) => runCommand(root, ...args) }
}

test.each(['ls', 'gc', 'verify', 'clear', 'dir'])(
  '%s exits with 66 where there is no cache, and creates none',
  async (name) => {
    const root = scratch()
    const nowhere = join(root, 'nowhere')
    for (const cache of [nowhere, root]) {
      const ended = await runCommand(cache, name)
      expect(ended).toMatchObject({ code: 66, stdout: '' })
      expect(ended.stderr).toMatch(/^cachelatch: There is no cache in .+\[NO_CACHE\]\n {2}hint: /)
    }
    expect(readdirSync(root)).toEqual([])
  },
)

test('help is on stdout, with an example, also where there is no cache', async () => {
  const names = Object.keys(COMMANDS)
  const helps = await Promise.all(names.map((name) => runCommand(scratch(), name, '--help')))
  for (const [index, ended] of helps.entries()) {
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(ended.stdout).toMatch(
      new RegExp(`^Usage: cachelatch ${names[index]} [^]+\\nExamples?:\\n(?:  .+\\n)+$`),
    )
    expect(ended.stdout.split('\n').filter((line) => line.length > 118)).toEqual([])
  }
  const all = await runCommand(scratch(), '--help')
  expect(names.filter((name) => !all.stdout.includes(`  ${name} `))).toEqual([])
  expect((await runCommand(scratch(), 'help', 'gc')).stdout).toBe(helps[names.indexOf('gc')]!.stdout)
})

test.each([
  ['ls', '--sort', 'colour'],
  ['ls', 'a', 'b'],
  ['gc', '--max-size', '50x'],
  ['gc', '--max-size=-1GB'],
  ['gc', '--max-age', '14'],
  ['gc', '--max-age', 'soon'],
  ['gc', '--max-age=-3d'],
  ['gc', 'everything'],
  ['clear', 'everything'],
  ['verify', '--fix'],
])('exit code 64, and nothing is removed: %j %j %j', async (...args) => {
  const { cache, command } = await filled()
  const ended = await command(...args.filter((arg) => arg !== undefined))
  expect(ended).toMatchObject({ code: 64, stdout: '' })
  expect(ended.stderr).toMatch(/^cachelatch: .+\nTry 'cachelatch \w+ --help'\.\n$/)
  expect(await keysIn(cache)).toHaveLength(3)
})

test('ls lists by last use, size or age; the count goes to stderr', async () => {
  const { cache, command } = await filled()
  expect(await command('ls')).toEqual({
    code: 0,
    stdout: '1 KB  1 file  3d ago  "alpha"\n2 KB  1 file  2d ago  "beta"\n3 KB  1 file  1d ago  "gamma"\n',
    stderr: '3 entries, 6 KB\n',
  })
  age(cache, 'gamma', 9 * DAY)
  expect((await command('ls', '-q')).stdout).toBe('"gamma"\n"alpha"\n"beta"\n')
  expect((await command('ls', '-q', '--sort', 'size')).stdout).toBe('"alpha"\n"beta"\n"gamma"\n')
  expect((await command('ls', '-q', '--sort', 'age')).stdout).toBe('"alpha"\n"beta"\n"gamma"\n')
  expect(await command('ls', '-q', 'ta')).toEqual({ code: 0, stdout: '"beta"\n', stderr: '' })
  expect(await command('ls', 'nothing')).toMatchObject({ code: 0, stdout: '' })
})

test('ls --json is one object on one line', async () => {
  const { cache, command } = await filled()
  const { stdout, stderr } = await command('ls', '--json', 'alpha')
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^[^\n]+\n$/)
  expect(JSON.parse(stdout)).toEqual({
    schema: 1,
    root: cache.root,
    bytes: 1024,
    entries: [
      {
        id: expect.stringMatching(/^[0-9a-f]{64}$/),
        key: '"alpha"',
        path: entryPath(cache.root, 'alpha'),
        bytes: 1024,
        files: 1,
        createdAt: expect.any(Number),
        usedAt: expect.any(Number),
        state: 'whole',
        reason: null,
      },
    ],
  })
})

test('a reader that takes the first line of ls only ends it without a word', async () => {
  const root = scratch()
  const cache = await openCache(root, { strict: true })
  for (let index = 0; index < 30; index++) await put(cache, `${index} ${'x'.repeat(9_000)}`, 1)
  const main = join(import.meta.dirname, '../../src/cli/main.js')
  const script = `"$0" "$1" ls -q | head -c 1; exit "\${PIPESTATUS[0]}"`
  const child = spawn('bash', ['-c', script, process.execPath, main], {
    env: { ...process.env, CACHELATCH_DIR: root },
  })
  let said = ''
  child.stdout.on('data', (text: Buffer) => (said += String(text)))
  child.stderr.on('data', (text: Buffer) => (said += String(text)))
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0)
  expect(said).toBe('"')
})

test('gc makes room by age and size, and ends with what was freed; a dry run frees nothing', async () => {
  const { cache, command } = await filled()
  expect(await command('gc', '--max-age', '60h', '--max-size', '4k', '--dry-run')).toEqual({
    code: 0,
    stdout:
      '1 KB  3d ago  "alpha"\n2 KB  2d ago  "beta"\nWould free 3 KB in 2 entries; 1 entry (3 KB) would stay.\n',
    stderr: '',
  })
  expect(await keysIn(cache)).toHaveLength(3)
  await using used = (await cache.get('beta'))!
  age(cache, 'beta', 2 * DAY)
  const { stdout } = await command('gc', '--max-age', '60h', '--max-size', '4k')
  expect(stdout).toBe(
    '1 KB  3d ago  "alpha"\n3 KB  1d ago  "gamma"\nFreed 4 KB in 2 entries; 1 in use, and kept; 1 entry (2 KB) left.\n',
  )
  expect(existsSync(used.path)).toBe(true)
  expect(JSON.parse((await command('gc', '--json')).stdout)).toEqual({
    schema: 1,
    dryRun: false,
    removed: [],
    freedBytes: 0,
    inUse: 0,
    entries: 1,
    units: 0,
    slots: 0,
    bytes: 2048,
    leftovers: 0,
  })
})

test('clear removes all', async () => {
  const { cache, command } = await filled()
  expect((await command('clear', '-n')).stdout).toMatch(/\nWould free 6 KB in 3 entries; .+\n$/)
  expect((await command('clear')).stdout).toMatch(/\nFreed 6 KB in 3 entries; 0 entries \(0 B\) left\.\n$/)
  expect(await keysIn(cache)).toEqual([])
})

test('verify exits with 0 on a healthy cache, with 1 on damage, and sets aside on request', async () => {
  const { cache, command } = await filled()
  expect(await command('verify')).toEqual({
    code: 0,
    stdout: '0 of 3 entries damaged, 6 KB read.\n',
    stderr: '',
  })
  appendFileSync(join(entryPath(cache.root, 'beta'), 'files/f'), '!')
  writeFileSync(join(entryPath(cache.root, 'beta'), 'files/g'), '')
  const found =
    '  size: files/f has 2049 bytes instead of 2048\n  extra: files/g does not belong there\n' +
    '1 of 3 entries damaged, 6 KB read.\n'
  expect(await command('verify')).toEqual({ code: 1, stdout: `"beta"\n${found}`, stderr: '' })
  expect(await command('verify', 'alpha', '"gamma"')).toMatchObject({ code: 0 })
  expect(await command('verify', 'beta')).toMatchObject({ code: 1 })
  expect(await command('verify', 'delta')).toEqual({
    code: 1,
    stdout: '"delta"\n  missing: there is no entry of this key\n0 of 0 entries damaged, 0 B read.\n',
    stderr: '',
  })
  const { stdout } = await command('verify', '--quarantine', '--json')
  expect(JSON.parse(stdout)).toMatchObject({
    schema: 1,
    checked: 3,
    damaged: [{ key: '"beta"', quarantined: true, problems: [{ kind: 'size' }, { kind: 'extra' }] }],
    strangers: [],
    absent: [],
  })
  expect(await keysIn(cache)).toEqual(['alpha', 'gamma'])
  expect(await command('verify')).toMatchObject({ code: 0 })
})

test('verify takes a key as ls -q prints it, also one of several parts', async () => {
  const root = scratch()
  await runCommand(
    root,
    'once',
    '--key',
    'b=2',
    '--key',
    'a=1',
    '--',
    'sh',
    '-c',
    'echo >"$CACHELATCH_STAGE/f"',
  )
  const { stdout } = await runCommand(root, 'ls', '-q')
  expect(stdout).toBe('{"a":"1","b":"2"}\n')
  expect(await runCommand(root, 'verify', stdout.trim())).toMatchObject({ code: 0 })
  expect(await runCommand(root, 'verify', '{"b":"2","a":"1"}')).toMatchObject({ code: 0 })
})

test('dir prints the directory', async () => {
  const { cache, command } = await filled()
  expect(await command('dir')).toEqual({ code: 0, stdout: `${cache.root}\n`, stderr: '' })
})
