import { normalize } from 'node:path'
import { expect, test } from 'vitest'
import { sha256 } from '../../src/host/hash.js'
import { Layout, lockName } from '../../src/store/layout.js'

test('a plain file name is the name of its lock, so that a person or Python can write it down', () => {
  expect(lockName('/a/graph.bin')).toBe('graph.bin')
  expect(lockName(`/a/${'x'.repeat(100)}`)).toBe('x'.repeat(100))
})

test.each(['a b', '.hidden', '-x', 'größe', 'x'.repeat(101), 'a\nb', '日本', 'a\\b', '…'])(
  'the lock of a file called %j is one plain name of its own',
  (name) => {
    const lock = lockName(`/d/${name}`)
    expect(lock).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/)
    expect(lock).toBe(lockName(`/elsewhere/${name}`))
    expect(lock).not.toBe(lockName(`/d/${name}!`))
  },
)

test('names that look alike after cleaning have different locks', () => {
  expect(new Set(['a b', 'a_b ', 'a\tb', 'a?b'].map((name) => lockName(`/d/${name}`))).size).toBe(4)
})

test('whatever the key, its paths stay below the root', () => {
  const layout = new Layout('/root/cache')
  for (const key of ['../../x', '\0', '/etc', '.', '..', '']) {
    const id = sha256(key)
    for (const path of [
      layout.entry(id),
      layout.lock(id),
      layout.attempt(id),
      layout.pin(id, 'f'.repeat(32)),
    ]) {
      expect(path).toBe(normalize(path))
      expect(path).toMatch(/^\/root\/cache\/v1\/[a-z]+\/[0-9a-f./a-z]+$/)
    }
  }
})

test('what may be one of our files under another name is an entry, a lock, a stage, or a unit of a snapshot', () => {
  const layout = new Layout('/root/cache')
  const id = sha256('key')
  for (const path of [
    layout.entry(id) + '/MANIFEST.json',
    layout.snapshot('vllm-1').entry(id) + '/MANIFEST.json',
    layout.lock('x') + '.lock',
    layout.staged('f'.repeat(32)),
  ])
    expect(layout.whichOf(path.replace('/root/cache', '/elsewhere'))).toBe(path)
  for (const path of [
    layout.slot('vllm-1', '000') + '/file',
    layout.snapshot('vllm-1').entry(id) + '/files/MANIFEST.json',
    `${layout.snapshots}/a/b/${id.slice(0, 2)}/${id}/MANIFEST.json`,
  ])
    expect(layout.whichOf(path)).toBeNull()
})
