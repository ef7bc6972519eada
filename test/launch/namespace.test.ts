/** Which workers share slots and snapshots. */
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { directDisk } from '../../src/host/disk.js'
import { makeNamespace, namespaceOf } from '../../src/launch/namespace.js'
import { Layout } from '../../src/store/layout.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()

test('the same presets are one namespace, in whatever order, and named twice', () => {
  expect(namespaceOf(['a', 'b'])).toEqual(namespaceOf(['b', 'a']))
  expect(namespaceOf(['a', 'b', 'a'])).toEqual(namespaceOf(['a', 'b']))
})

test('other presets and other keys have others', () => {
  const names = [
    namespaceOf(['a']),
    namespaceOf(['a', 'b']),
    namespaceOf(['a+b']),
    namespaceOf(['a'], 'image-1'),
    namespaceOf(['a'], 'image-2'),
    namespaceOf(['a'], { image: 1 }),
    namespaceOf(['a'.repeat(50)]),
    namespaceOf(['a'.repeat(51)]),
  ].map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
})

test('a key of several parts is one key in whatever order', () => {
  expect(namespaceOf(['a'], { image: 1, driver: 2 })).toEqual(namespaceOf(['a'], { driver: 2, image: 1 }))
})

test.each(['../../escape', '..', 'a/b', 'a\nb', 'ü'])('the preset %j leads nowhere', (preset) => {
  expect(namespaceOf([preset]).name).toMatch(/^[A-Za-z0-9][A-Za-z0-9._+-]*$/)
})

test('its directories are made, and may be there', async () => {
  const layout = new Layout(scratch())
  mkdirSync(layout.top)
  const namespace = namespaceOf(['a'])
  await makeNamespace(directDisk, layout, namespace)
  await makeNamespace(directDisk, layout, namespace)
  expect(existsSync(join(layout.slots, namespace.name))).toBe(true)
  expect(existsSync(join(layout.snapshots, namespace.name))).toBe(true)
})

test.each(['slots', 'snapshots'] as const)('a link or a file in place of %s is UNSAFE_PATH', async (name) => {
  for (const plant of [
    (path: string) => symlinkSync(scratch(), path),
    (path: string) => writeFileSync(path, ''),
  ]) {
    const layout = new Layout(scratch())
    mkdirSync(layout.top)
    plant(layout[name])
    await expect(makeNamespace(directDisk, layout, namespaceOf(['a']))).rejects.toMatchObject({
      code: 'UNSAFE_PATH',
    })
  }
})

test('a link where its directories are to be is not followed out of the cache', async () => {
  const [root, outside] = [scratch(), scratch('outside')]
  const layout = new Layout(root)
  mkdirSync(layout.slots, { recursive: true })
  symlinkSync(outside, join(layout.slots, 'n'))
  await expect(makeNamespace(directDisk, layout, { key: 'k', name: 'n' })).rejects.toMatchObject({
    code: 'UNSAFE_PATH',
  })
})
