/** Absolute paths inside files: what is replaced, and what stays as it is, byte for byte. */
import { chmodSync, readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Disk, directDisk } from '../../src/host/disk.js'
import { SLOT_TOKEN, copyFile, copyRewritten } from '../../src/launch/rewrite.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()
const SLOT = '/cache/v1/slots/x/000'

async function rewritten(content: Buffer | string, from = SLOT, to = SLOT_TOKEN): Promise<Buffer> {
  const directory = scratch()
  const [source, target] = [join(directory, 'source'), join(directory, 'target')]
  writeFileSync(source, content)
  await copyRewritten(directDisk, source, target, { from, to })
  return readFileSync(target)
}

test.each([
  [`{"a": "${SLOT}/groups/k.bin"}`, `{"a": "${SLOT_TOKEN}/groups/k.bin"}`],
  [`${SLOT}\n${SLOT}`, `${SLOT_TOKEN}\n${SLOT_TOKEN}`],
  [`'${SLOT}'`, `'${SLOT_TOKEN}'`],
  [`-I${SLOT}/include -L${SLOT}`, `-I${SLOT_TOKEN}/include -L${SLOT_TOKEN}`],
  [`${SLOT}0/x`, `${SLOT}0/x`],
  [`${SLOT}-b/x ${SLOT}_c/x ${SLOT}a/x`, `${SLOT}-b/x ${SLOT}_c/x ${SLOT}a/x`],
  ['nothing of it', 'nothing of it'],
  ['', ''],
])('%j becomes %j', async (before, after) => {
  expect(String(await rewritten(before))).toBe(after)
})

test('what a slot gives to a snapshot, another slot gets with its own path', async () => {
  const other = '/cache/v1/slots/x/017'
  const text = `a ${SLOT}/x b "${SLOT}" ${SLOT}0/x`
  const back = await rewritten(await rewritten(text), SLOT_TOKEN, other)
  expect(String(back)).toBe(`a ${other}/x b "${other}" ${SLOT}0/x`)
})

test('every byte that is no path stays, also those that are no text', async () => {
  const bytes = Buffer.from(Array.from({ length: 1024 }, (_, n) => n % 256))
  const file = Buffer.concat([bytes, Buffer.from(SLOT), bytes])
  const after = Buffer.concat([bytes, Buffer.from(SLOT_TOKEN), bytes])
  expect((await rewritten(file)).equals(after)).toBe(true)
})

test('a slot whose path is no ASCII, and has characters that mean something elsewhere', async () => {
  const slot = '/cäche/$& (1+1)[a]/000'
  const text = `ü ${slot}/x`
  const there = await rewritten(text, slot, SLOT_TOKEN)
  expect(String(there)).toBe(`ü ${SLOT_TOKEN}/x`)
  expect(String(await rewritten(there, SLOT_TOKEN, slot))).toBe(text)
})

test.each([
  ['/cäche/000', String.raw`/c\u00e4che/000`],
  ['/𝒳/"a"/000', String.raw`/\ud835\udcb3/\"a\"/000`],
])('a slot whose path stands as in a JSON string, %s, and another that gets it', async (slot, inJson) => {
  const there = await rewritten(`{"a": "${inJson}/x", "b": "${inJson}0"}`, slot, SLOT_TOKEN)
  expect(String(there)).toBe(`{"a": "/@cachelatch-slot-escaped@/x", "b": "${inJson}0"}`)
  expect(String(await rewritten(there, SLOT_TOKEN, slot))).toBe(`{"a": "${inJson}/x", "b": "${inJson}0"}`)
  expect(String(await rewritten(there, SLOT_TOKEN, '/ü'))).toContain(String.raw`"a": "/\u00fc/x"`)
})

test('a slot with a star in its path is no pattern', async () => {
  expect(String(await rewritten('/a*b/x /ab/x /aab/x', '/a*b'))).toBe(`${SLOT_TOKEN}/x /ab/x /aab/x`)
})

test('what is longer than an index of paths is copied as it is', async () => {
  const directory = scratch()
  const [source, target] = [join(directory, 'source'), join(directory, 'target')]
  writeFileSync(source, SLOT)
  truncateSync(source, 64 * 1024 * 1024 + 1)
  await copyRewritten(directDisk, source, target, { from: SLOT, to: SLOT_TOKEN })
  expect(readFileSync(target).subarray(0, SLOT.length).toString()).toBe(SLOT)
  expect(statSync(target).size).toBe(64 * 1024 * 1024 + 1)
})

test('the copy is never open to more people than the file is, and nothing stays open', async () => {
  const directory = scratch()
  const [source, target] = [join(directory, 'source'), join(directory, 'target')]
  writeFileSync(source, SLOT)
  chmodSync(source, 0o666)
  const modes: number[] = []
  const open = new Set<number>()
  const noted = (fd: number): number => (open.add(fd), fd)
  const disk: Disk = {
    ...directDisk,
    openRead: async (path) => noted(await directDisk.openRead(path)),
    createExclusive: async (path, mode) => {
      modes.push(mode)
      return noted(await directDisk.createExclusive(path, mode))
    },
    close: async (fd) => {
      await directDisk.close(fd)
      open.delete(fd)
    },
  }
  await copyRewritten(disk, source, target, { from: SLOT, to: SLOT_TOKEN })
  expect(modes).toEqual([0o666])
  expect(open).toEqual(new Set())
  // Whatever the umask is.
  expect(statSync(target).mode & 0o7777).toBe(0o666)
})

test('mode and time are kept, whether there was a path in it or not', async () => {
  for (const content of [`${SLOT}/x`, 'no path']) {
    const directory = scratch()
    const [source, target] = [join(directory, 'source'), join(directory, 'target')]
    writeFileSync(source, content)
    chmodSync(source, 0o751)
    utimesSync(source, 1_700_000_000, 1_700_000_000.25)
    await copyRewritten(directDisk, source, target, { from: SLOT, to: SLOT_TOKEN })
    await copyFile(directDisk, source, `${target}2`)
    for (const copy of [target, `${target}2`])
      expect(statSync(copy)).toMatchObject({ mode: 0o100751, mtimeMs: 1_700_000_000_250 })
  }
})
