/**
 * Whoever may write in a cache may forge what is in it, with the right checksum and the right name. What is forged is
 * damaged, or somebody else's result; it stops nobody, says nothing to a terminal, and makes gc remove nothing else.
 */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openCache } from '../../src/index.js'
import { sha256 } from '../../src/host/hash.js'
import { Layout } from '../../src/store/layout.js'
import { readAttempt } from '../../src/store/attempts.js'
import { realHost } from '../../src/host/host.js'
import { directDisk } from '../../src/host/disk.js'
import { seeHolders } from '../../src/latch/holders.js'
import { runCommand } from '../support/command.js'
import { hiddenSettings } from '../support/doctor.js'
import { useScratch } from '../support/scratch.js'
import { TESTED_NAMESPACE, runTestWorker } from '../support/slot-workers.js'

const scratch = useScratch()

const fill = ({ dir }: { dir: string }): void => writeFileSync(join(dir, 'f'), 'ours')
const ESCAPES = '\u001B[2J\u001B]0;title\u0007\u202Edrawkcab\u009B31m'
const DEEP = '['.repeat(100_000) + ']'.repeat(100_000)

const GOOD = {
  key: '"key"',
  createdAt: 1,
  buildMs: 1,
  bytes: 4,
  files: [{ path: 'f', size: 4, mode: 0o644, sha256: sha256('ours') }],
  links: [],
  directories: [],
}

function manifestOf(body: string): string {
  return `{"schema":1,"sha256":"${sha256(body)}","body":${body}}\n`
}

/** An entry of that name, with a manifest that its checksum calls whole. */
function forge(layout: Layout, id: string, body: string): void {
  const files = join(layout.entry(id), 'files')
  mkdirSync(files, { recursive: true })
  writeFileSync(join(files, 'f'), 'ours')
  writeFileSync(join(layout.entry(id), 'MANIFEST.json'), manifestOf(body))
}

const changed = (change: object): string => JSON.stringify({ ...GOOD, ...change })
const FORGED: [string, string][] = [
  ['null', 'null'],
  ['a number', '7'],
  ['an empty object', '{}'],
  ['no JSON', '{"key":'],
  ['100 000 levels', DEEP],
  ['a prototype', `{"__proto__":${JSON.stringify(GOOD)}}`],
  ['a key that is no text', changed({ key: 7 })],
  ['files that are no list', changed({ files: { length: 1, 0: GOOD.files[0] } })],
  ['a file that is null', changed({ files: [null] })],
  ['a path that is no text', changed({ files: [{ ...GOOD.files[0], path: 7 }] })],
  ['an empty path', changed({ files: [{ ...GOOD.files[0], path: '' }] })],
  ['a path with a NUL', changed({ files: [{ ...GOOD.files[0], path: 'f\0' }] })],
  ['a link out of the entry', changed({ links: [{ path: '../l', target: 'f' }] })],
  ['a directory out of the entry', changed({ directories: [{ path: '/etc', mode: 0o755 }] })],
  ['a size below nothing', changed({ bytes: -4, files: [{ ...GOOD.files[0], size: -4 }] })],
  ['more bytes than its files have', changed({ bytes: 1e300 })],
  ['infinitely many bytes', changed({ bytes: 0 }).replace('"bytes":0', '"bytes":1e999')],
  ['a time that no calendar has', changed({ createdAt: 0 }).replace('"createdAt":0', '"createdAt":1e999')],
]

describe.each(FORGED)('a manifest with the right checksum, and %s:', (_name, body) => {
  test('the entry is damaged, and compiled anew', async () => {
    const root = scratch()
    const cache = await openCache(root, { strict: true })
    const layout = new Layout(root)
    forge(layout, sha256('"key"'), body)
    const listed = []
    for await (const entry of cache.list()) listed.push(entry)
    expect(listed).toMatchObject([{ state: 'damaged', bytes: 4, reason: /manifest/ }])
    expect((await cache.verify()).damaged).toHaveLength(1)
    expect(await cache.get('key')).toBeNull()
    await using entry = await cache.getOrCompile('key', fill)
    expect(entry.outcome).toBe('compiled')
    expect({}).not.toHaveProperty('key')
  })

  test('gc with a limit that nothing exceeds removes nothing', async () => {
    const root = scratch()
    const cache = await openCache(root, { strict: true })
    await (await cache.getOrCompile('good', fill)).release()
    forge(new Layout(root), sha256('"key"'), body)
    const report = await cache.gc({ maxBytes: 1_000, graceMs: 0 })
    expect(report.removed).toEqual([])
    expect(await cache.get('good')).not.toBeNull()
  })
})

describe.each([
  ['no JSON', `${ESCAPES}\nkey`],
  ['another spelling of a key', '{"b":1, "a":2}'],
  ['100 000 levels', DEEP],
  ['a unit of a snapshot, of an infinite generation', '{"generation":1e999,"snapshot":"x","unit":"y"}'],
])('a key that is %s:', (_name, key) => {
  test('what has it is damaged wherever it lies, and nothing stops at it', async () => {
    const root = scratch()
    const cache = await openCache(root, { strict: true })
    await runTestWorker(root, (worker) => worker.write('groups/g/k', 'ours'))
    const layout = new Layout(root)
    const home = layout.snapshot(TESTED_NAMESPACE.name)
    for (const each of [layout, home]) forge(each, sha256(key), JSON.stringify({ ...GOOD, key }))
    const worker = await runTestWorker(root, ({ read }) => expect(read('groups/g/k')).toBe('ours'))
    expect(worker.saw('worker-degraded')).toEqual([])
    expect((await cache.verify()).damaged).toHaveLength(2)
    expect(await cache.snapshots()).toMatchObject([{ units: 1 }])
    await cache.status()
    await cache.gc({ maxAgeMs: 1_000_000, graceMs: 0 })
    expect((await cache.clear()).removed.map(({ kind }) => kind).sort()).toEqual([
      'entry',
      'slot',
      'unit',
      'unit',
    ])
  })
})

describe('a record of a build that nobody made:', () => {
  const owner = { ...realHost().processes.asOwner(0), bootId: 'another' }
  const record = { token: 't', state: 'building', owner, at: 0, crashes: 0 }
  const ID = sha256('"key"')

  test.each<[string, string]>([
    ['null', 'null'],
    ['100 000 levels', DEEP.slice(0, 30_000)],
    ['a prototype', JSON.stringify({ a: 1 }).replace('"a"', '"__proto__"')],
    ['a state that there is none of', JSON.stringify({ ...record, state: 'done' })],
    ['no token', JSON.stringify({ ...record, token: 7 })],
    ['an owner of no kind', JSON.stringify({ ...record, owner: { ...owner, pid: -1 } })],
    ['fewer crashes than none', JSON.stringify({ ...record, crashes: -1 })],
    ['half a crash', JSON.stringify({ ...record, crashes: 0.5 })],
    ['a time that no calendar has', JSON.stringify(record).replace('"at":0', '"at":1e999')],
    ['the last moment of all', JSON.stringify({ ...record, at: 8.64e15 })],
    ['text that is none', '\xff\xfe{'],
    ['more than 64 KiB', JSON.stringify({ ...record, token: 'x'.repeat(70_000) })],
  ])('%s is none, and the build goes on', async (_name, text) => {
    const root = scratch()
    const cache = await openCache(root, { strict: true })
    const layout = new Layout(root)
    writeFileSync(layout.attempt(ID), text, 'latin1')
    expect(await readAttempt(directDisk, layout, ID)).toBeNull()
    await using entry = await cache.getOrCompile('key', fill)
    expect(entry.outcome).toBe('compiled')
  })

  test('the error of one is read, whatever its fields are', async () => {
    const layout = new Layout((await openCache(scratch(), { strict: true })).root)
    const read = async (error: unknown): Promise<unknown> => {
      mkdirSync(layout.attempts, { recursive: true })
      writeFileSync(layout.attempt(ID), JSON.stringify({ ...record, state: 'failed', error }))
      return (await readAttempt(directDisk, layout, ID))?.error
    }
    expect(await read({ name: 'E', message: 'm', code: 'C' })).toEqual({ name: 'E', message: 'm', code: 'C' })
    for (const error of [undefined, null, 7, 'text', { name: 1, message: [], code: {} }])
      expect(await read(error)).toEqual({ name: 'Error', message: 'unknown error' })
  })
})

describe('what commands say of it:', () => {
  let root: string
  let layout: Layout
  const settings = process.env
  beforeEach(async () => {
    root = scratch()
    layout = new Layout(root)
    await (await (await openCache(root, { strict: true })).getOrCompile('key', fill)).release()
    process.env = { ...settings, ...hiddenSettings() }
  })
  afterEach(() => {
    process.env = settings
  })

  /** Everything that is printed, which steers no terminal. */
  async function said(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await runCommand(root, ...args)
    const text = stdout + stderr
    expect(text.replaceAll('\n', ''), args.join(' ')).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u)
    expect(text, args.join(' ')).not.toMatch(/\n\s+at /)
    expect(code, `${args.join(' ')}: ${text}`).not.toBe(70)
    return text
  }

  test('names, keys and records that steer a terminal are printed harmlessly', async () => {
    const key = JSON.stringify({ name: ESCAPES, toString: 'x', valueOf: [] }).replaceAll('\\u001b', '\\u001b')
    await runCommand(
      root,
      'once',
      '--key',
      `name=${ESCAPES}`,
      '--',
      'sh',
      '-c',
      'echo 1 >"$CACHELATCH_STAGE/f"',
    )
    forge(layout, sha256(key), JSON.stringify({ ...GOOD, key, files: [{ ...GOOD.files[0], path: ESCAPES }] }))
    const stranger = `${layout.entries}/${ESCAPES}`
    writeFileSync(stranger, '')
    const day = readdirSync(layout.stats)[0]!
    const line = { at: 1, id: sha256('x'), key, hits: 1 }
    writeFileSync(join(layout.stats, day), `\n${JSON.stringify(line)}\n`)
    const owner = { ...realHost().processes.asOwner(1), bootId: 'another', host: ESCAPES, command: ESCAPES }
    writeFileSync(`${layout.lock(ESCAPES)}.owner.json`, JSON.stringify({ ...owner, label: key }))
    const waiter = { owner, label: `{"a":${DEEP.slice(95_000, 105_000)}}`, deadline: null }
    writeFileSync(`${layout.lock('x')}.waiting.${'ab'.repeat(16)}.json`, JSON.stringify(waiter))

    expect(await said('ls')).toContain('�')
    await said('ls', '--snapshots')
    expect(await said('verify')).toContain('�')
    expect(await said('stats', '--by-key')).toContain('hits')
    await said('status')
    await said('gc', '--max-size', '1', '--grace', '0s', '--dry-run')
    await said('doctor')
  })

  test('a lock whose owner steers a terminal: who waits for it is told harmlessly who that is', async () => {
    const lock = `${layout.lock(sha256('"other"'))}.lock`
    writeFileSync(lock, '')
    const owner = { ...realHost().processes.asOwner(1), host: ESCAPES, command: 'x'.repeat(10_000) + ESCAPES }
    writeFileSync(lock.replace(/\.lock$/, '.owner.json'), JSON.stringify(owner))
    const text = await said('exec', lock, '--wait', '0', '--', 'true')
    expect(text).not.toContain('x'.repeat(300))
  })

  test('format.json of any kind is FORMAT_UNKNOWN or UNSAFE_PATH for every command', async () => {
    for (const text of [
      '',
      'null',
      '[]',
      DEEP,
      '{"schema":"\u001B[2J"}',
      '{"schema":1e999}',
      ' '.repeat(70_000),
    ]) {
      writeFileSync(layout.format, text)
      for (const name of ['ls', 'gc']) expect(await said(name)).toMatch(/\[(FORMAT_UNKNOWN|UNSAFE_PATH)\]/)
    }
  })
})

test('who holds and who waits is told of forged records without a number that is none', async () => {
  const root = scratch()
  const cache = await openCache(root, { strict: true })
  await cache.locker()
  const layout = new Layout(root)
  mkdirSync(dirname(layout.lock('x')), { recursive: true })
  const owner = JSON.stringify({ ...realHost().processes.asOwner(1), bootId: null })
  for (const since of ['1e999', '-1e999', '9e15', '"now"', 'null'])
    writeFileSync(
      `${layout.lock(`x${since.length}`)}.owner.json`,
      owner.replace('"since":1', `"since":${since}`),
    )
  const scene = { host: realHost(), disk: directDisk, layout, locker: 'kernel', open: null }
  expect(await seeHolders(scene)).toMatchObject({ holders: [], waiters: [] })
  expect(readFileSync(layout.format, 'utf8')).toContain('kernel')
})
