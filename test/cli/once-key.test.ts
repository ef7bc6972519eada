/** What the key of `once` is made of: content, not places; and what a person reads in `ls`. */
import { chmodSync, mkdirSync, renameSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type KeyOptions, keyFrom } from '../../src/cli/once-key.js'
import { sha256 } from '../../src/host/hash.js'
import { runCommand } from '../support/command.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()
const VARIABLE = 'CACHELATCH_TEST_PART'
afterEach(() => void delete process.env[VARIABLE])

const key = (options: Partial<KeyOptions>): Promise<unknown> =>
  keyFrom({ key: [], 'key-file': [], 'key-env': [], 'key-cmd': [], ...options })

test('a text alone is the key; parts are one object, in whatever order', async () => {
  expect(await key({ key: ['llama'] })).toBe('llama')
  expect(await key({ key: ['a=1', 'b=2=3'] })).toEqual({ a: '1', b: '2=3' })
  expect(await key({ key: ['b=2=3', 'a=1'] })).toEqual(await key({ key: ['a=1', 'b=2=3'] }))
  await expect(key({})).rejects.toThrow(/a key is missing/)
  expect(await key({ key: ['llama'], 'key-env': [VARIABLE] })).toEqual({
    key: 'llama',
    [`env:${VARIABLE}`]: null,
  })
  await expect(key({ key: ['a', 'b=1'] })).rejects.toThrow(/'a' is not/)
})

test('a file counts by its content and name, wherever it is', async () => {
  const [here, there] = [scratch('here'), scratch('there')]
  for (const place of [here, there]) writeFileSync(join(place, 'model.json'), 'layers')
  const part = { 'file:model.json': `sha256:${sha256('layers')}` }
  expect(await key({ 'key-file': [join(here, 'model.json')] })).toEqual(part)
  expect(await key({ 'key-file': [join(there, 'model.json')] })).toEqual(part)
  symlinkSync(join(here, 'model.json'), join(there, 'link'))
  expect(await key({ 'key-file': [`model.json=${join(there, 'link')}`] })).toEqual(part)
  writeFileSync(join(there, 'model.json'), 'layerz')
  expect(await key({ 'key-file': [join(there, 'model.json')] })).not.toEqual(part)
})

test('a path with = in it is no name', async () => {
  const path = join(scratch(), 'a=b')
  writeFileSync(path, '')
  expect(Object.keys((await key({ 'key-file': [path] })) as object)).toEqual(['file:a=b'])
})

test('two files of one name need names; what cannot be read is refused', async () => {
  const [here, there] = [scratch(), scratch()]
  for (const place of [here, there]) writeFileSync(join(place, 'f'), place)
  const twice = { 'key-file': [join(here, 'f'), join(there, 'f')] }
  await expect(key(twice)).rejects.toThrow(/two parts 'file:f'.*NAME=/)
  expect(await key({ 'key-file': [`a=${here}/f`, `b=${there}/f`] })).toEqual({
    'file:a': `sha256:${sha256(here)}`,
    'file:b': `sha256:${sha256(there)}`,
  })
  await expect(key({ 'key-file': [join(here, 'none')] })).rejects.toThrow(/cannot be read.*ENOENT/)
  await expect(key({ 'key-file': ['/dev/null'] })).rejects.toThrow(/neither a file nor a directory/)
})

test('of a directory all content counts, names, who may execute and links; not times, other modes, or where it is', async () => {
  const make = (): string => {
    const tree = join(scratch(), 'src')
    mkdirSync(join(tree, 'deep'), { recursive: true })
    writeFileSync(join(tree, 'deep/kernel.cu'), 'kernel')
    writeFileSync(join(tree, 'run.sh'), '#!/bin/sh', { mode: 0o755 })
    symlinkSync('run.sh', join(tree, 'link'))
    return tree
  }
  const of = (tree: string): Promise<unknown> => key({ 'key-file': [tree] })
  const same = await of(make())
  expect(same).toEqual({ 'file:src': expect.stringMatching(/^sha256:[0-9a-f]{64}$/) })
  const harmless = make()
  utimesSync(join(harmless, 'run.sh'), 1, 1)
  chmodSync(join(harmless, 'run.sh'), 0o700)
  expect(await of(harmless)).toEqual(same)

  const CHANGES: ((tree: string) => void)[] = [
    (tree) => writeFileSync(join(tree, 'deep/kernel.cu'), 'kernek'),
    (tree) => renameSync(join(tree, 'deep/kernel.cu'), join(tree, 'deep/kernel.cc')),
    (tree) => renameSync(join(tree, 'deep'), join(tree, 'deeper')),
    (tree) => writeFileSync(join(tree, 'new'), ''),
    (tree) => mkdirSync(join(tree, 'empty')),
    (tree) => chmodSync(join(tree, 'run.sh'), 0o644),
    (tree) => {
      renameSync(join(tree, 'link'), join(tree, '..', 'link'))
      symlinkSync('deep', join(tree, 'link'))
    },
  ]
  const others = await Promise.all(
    CHANGES.map((change) => {
      const tree = make()
      change(tree)
      return of(tree)
    }),
  )
  expect(new Set([same, ...others].map((each) => JSON.stringify(each))).size).toBe(CHANGES.length + 1)
})

test('a variable that is not set is not the empty one', async () => {
  const of = (): Promise<unknown> => key({ 'key-env': [VARIABLE] })
  expect(await of()).toEqual({ [`env:${VARIABLE}`]: null })
  process.env[VARIABLE] = ''
  expect(await of()).toEqual({ [`env:${VARIABLE}`]: '' })
  process.env[VARIABLE] = '-O2'
  expect(await of()).toEqual({ [`env:${VARIABLE}`]: '-O2' })
  await expect(key({ 'key-env': ['A=1'] })).rejects.toThrow(/name of a variable/)
})

test('what a command prints is readable where it is one short line, else hashed; bytes that are no text as well', async () => {
  const of = (script: string): Promise<unknown> => key({ 'key-cmd': [script] })
  expect(await of('echo 12.4; echo')).toEqual({ 'cmd:echo 12.4; echo': '12.4' })
  expect(await of('true')).toEqual({ 'cmd:true': '' })
  expect(await of('echo a; echo b')).toEqual({ 'cmd:echo a; echo b': `sha256:${sha256('a\nb')}` })
  const [one, other] = [await of(String.raw`printf '\377\001'`), await of(String.raw`printf '\377\002'`)]
  expect(Object.values(one as object)[0]).toMatch(/^sha256:/)
  expect(Object.values(one as object)).not.toEqual(Object.values(other as object))
})

test('a command that fails, or is killed, makes no key', async () => {
  await expect(key({ 'key-cmd': ['exit 9'] })).rejects.toThrow(/'exit 9' failed: its exit code is 9/)
  await expect(key({ 'key-cmd': ['kill -9 $$'] })).rejects.toThrow(/ended by SIGKILL/)
})

test('on the command line: order does not matter, the stderr of a key command is shown, ls can be read', async () => {
  const root = scratch()
  const file = join(scratch(), 'model.json')
  writeFileSync(file, 'layers')
  const parts = [
    ['--key', 'dtype=bf16'],
    ['--key-file', file],
    ['--key-env', 'NO_SUCH_VARIABLE'],
    ['--key-cmd', 'echo noise >&2; echo 12.4'],
  ]
  const build = ['--', 'sh', '-c', 'echo >"$CACHELATCH_STAGE/f"']
  const first = await runCommand(root, 'once', ...parts.flat(), ...build)
  expect(first).toMatchObject({ code: 0, stderr: 'noise\n' })
  const second = await runCommand(root, 'once', ...parts.toReversed().flat(), '--', 'false')
  expect(second).toEqual(first)
  const { stdout } = await runCommand(root, 'ls', '-q')
  expect(JSON.parse(stdout)).toEqual({
    'cmd:echo noise >&2; echo 12.4': '12.4',
    dtype: 'bf16',
    'env:NO_SUCH_VARIABLE': null,
    'file:model.json': `sha256:${sha256('layers')}`,
  })
})
