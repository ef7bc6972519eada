/** Damage in a snapshot: found, told, set aside; seeding goes without, and the next worker publishes it anew. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCache } from '../../src/index.js'
import { runCommand } from '../support/command.js'
import { useScratch } from '../support/scratch.js'
import { put } from '../support/shelf.js'
import { TESTED_NAMESPACE, prepareTestWorker } from '../support/slot-workers.js'
import { leaveFiles, unitNames, unitsIn } from '../support/slots-on-disk.js'

const scratch = useScratch()

test('a unit with a byte changed is told with its snapshot, set aside on request, and published anew', async () => {
  const root = scratch()
  const cache = await openCache(root, { strict: true })
  await put(cache, 'entry', 10)
  const slot = await leaveFiles(root, { 'groups/a/kernel': 'good', 'groups/b/kernel': 'good' })
  const [bad] = unitsIn(root)
  writeFileSync(join(bad!.path, 'files/groups/a/kernel'), 'baad')
  const damaged = {
    kind: 'unit',
    key: null,
    namespace: TESTED_NAMESPACE.name,
    unit: 'groups/a',
    path: bad!.path,
    problems: [{ kind: 'content', file: 'files/groups/a/kernel' }],
  }
  expect(await cache.verify()).toMatchObject({
    checked: 3,
    units: 2,
    bytes: 18,
    damaged: [{ ...damaged, quarantined: false }],
    strangers: [],
  })
  const told: number[] = []
  const onProgress = ({ bytes, totalBytes }: { bytes: number; totalBytes: number }): void =>
    void told.push(totalBytes - bytes)
  expect(await cache.verify({ quarantine: true, onProgress })).toMatchObject({
    damaged: [{ ...damaged, quarantined: true }],
  })
  expect(told.at(-1)).toBe(0)
  expect(unitNames(root)).toEqual(['groups/b:1'])

  // The slot itself has it; another is seeded without, and compiles it.
  const blocking = await prepareTestWorker(root)
  expect(blocking.path).toBe(slot)
  const next = await prepareTestWorker(root)
  expect([existsSync(join(next.path, 'groups/a')), existsSync(join(next.path, 'groups/b'))]).toEqual([
    false,
    true,
  ])
  next.write('groups/a/kernel', 'good')
  await next.ended(0)
  await blocking.ended(1)
  expect(unitNames(root)).toEqual(['groups/a:1', 'groups/b:1'])
  expect(readFileSync(join(unitsIn(root)[0]!.path, 'files/groups/a/kernel'), 'utf8')).toBe('good')
  expect(await cache.verify()).toMatchObject({ checked: 3, units: 2, damaged: [] })
})

test('with keys, only entries are looked at; what is no unit is told', async () => {
  const root = scratch()
  const cache = await openCache(root, { strict: true })
  await put(cache, 'entry', 10)
  await leaveFiles(root, { 'groups/a/kernel': 'a' })
  const [unit] = unitsIn(root)
  const stranger = join(unit!.path, '../note')
  writeFileSync(stranger, '')
  expect(await cache.verify({ keys: ['entry'] })).toMatchObject({ checked: 1, units: 0, strangers: [] })
  expect(await cache.verify()).toMatchObject({ checked: 2, units: 1, strangers: [stranger] })
})

test('the commands say which unit of which namespace, and how many', async () => {
  const root = scratch()
  const cache = await openCache(root, { strict: true })
  await put(cache, 'entry', 10)
  await leaveFiles(root, { 'groups/a/kernel': 'good' })
  writeFileSync(join(unitsIn(root)[0]!.path, 'files/groups/a/kernel'), 'baad')
  const name = `unit groups/a of ${TESTED_NAMESPACE.name}`
  expect(await runCommand(root, 'verify')).toEqual({
    code: 1,
    stdout: `${name}\n  content: files/groups/a/kernel does not match its checksum\n1 of 1 entry and 1 unit damaged, 14 B read.\n`,
    stderr: '',
  })
  const { stdout } = await runCommand(root, 'clear', '--dry-run')
  expect(stdout.replaceAll(/ +(?:just now|\d+s ago) +/g, ' … ')).toBe(
    `10 B … "entry"\n 4 B … slot 000 of ${TESTED_NAMESPACE.name}\n 4 B … ${name}\n` +
      'Would free 18 B in 1 entry, 1 unit and 1 slot; 0 entries (0 B) would stay.\n',
  )
  expect((await runCommand(root, 'clear')).stdout).toMatch(
    /\nFreed 18 B in 1 entry, 1 unit and 1 slot; 0 entries \(0 B\) left\.\n$/,
  )
})
