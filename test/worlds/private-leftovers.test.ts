import { existsSync, mkdirSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadNative } from '../../src/host/native.js'
import { type PrivateDirectory, makePrivateDirectory } from '../../src/host/private-directory.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()
const native = loadNative()
const made: PrivateDirectory[] = []
let before: string | undefined

beforeEach(() => {
  before = process.env['TMPDIR']
  process.env['TMPDIR'] = scratch('tmp')
})
afterEach(() => {
  made.splice(0).forEach((directory) => directory.remove())
  if (before === undefined) delete process.env['TMPDIR']
  else process.env['TMPDIR'] = before
})

const make = async (): Promise<PrivateDirectory> => {
  const directory = await makePrivateDirectory(native)
  made.push(directory)
  return directory
}
const age = (path: string): void => utimesSync(path, 1, 1)

test.skipIf(native === null)(
  'what a killed process left is removed by the next one that needs such a directory',
  async () => {
    const left = join(tmpdir(), 'cachelatch-private-killed')
    mkdirSync(left)
    age(left)
    const { path } = await make()
    expect(existsSync(left)).toBe(false)
    expect(existsSync(path)).toBe(true)
  },
)

test('a directory in use, one that is young, and one that somebody kept are left alone', async () => {
  const used = await make()
  const young = join(tmpdir(), 'cachelatch-private-young')
  const kept = join(tmpdir(), 'cachelatch-kept-result')
  for (const path of [young, kept]) mkdirSync(path)
  for (const path of [used.path, kept]) age(path)
  await make()
  expect([used.path, young, kept].map((path) => existsSync(path))).toEqual([true, true, true])
})
