import { execFileSync, spawn } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { EventFile } from '../../src/host/event-file.js'
import { useScratch } from '../support/scratch.js'
import { until } from '../support/until.js'

const scratch = useScratch()
const MODULE = join(import.meta.dirname, '../../src/host/event-file.js')
const warnings: (Error & { code?: string })[] = []
const keep = (warning: Error): void => void warnings.push(warning)
process.on('warning', keep)
afterEach(() => void warnings.splice(0))

test('of 8 processes that append 2000 lines each, all at once, every line arrives whole', async () => {
  const path = join(scratch(), 'events')
  const script = `
    const { EventFile } = await import(${JSON.stringify(MODULE)})
    const file = new EventFile(${JSON.stringify(path)})
    process.stdout.write('ready')
    process.stdin.once('data', () => {
      for (let line = 0; line < 2000; line++) file.append(process.argv[1].repeat(100 + line) + '.')
      process.exit(0)
    })`
  const names = 'abcdefgh'.split('')
  const writers = names.map((name) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, name], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const ready = new Promise((resolve) => child.stdout.once('data', resolve))
    const ended = new Promise((resolve) => child.once('exit', resolve))
    return { ready, ended, go: () => child.stdin.write('go') }
  })
  await Promise.all(writers.map(({ ready }) => ready))
  for (const { go } of writers) go()
  await Promise.all(writers.map(({ ended }) => ended))
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  expect(lines).toHaveLength(names.length * 2000)
  for (const name of names)
    expect(lines.filter((line) => line.startsWith(name))).toEqual(
      Array.from({ length: 2000 }, (_, line) => `${name.repeat(100 + line)}.`),
    )
})

test.each([
  ['a directory that is not there', () => join(scratch(), 'no/events')],
  ['a full disk', () => '/dev/full'],
  [
    'a FIFO that nobody reads',
    () => {
      const path = join(scratch(), 'fifo')
      execFileSync('mkfifo', [path])
      return path
    },
  ],
])('%s costs one warning, and nothing else', async (_, make) => {
  const file = new EventFile(make())
  for (let line = 0; line < 3; line++) file.append('line')
  await until('it has been said', () => warnings.length > 0)
  await new Promise((resolve) => setImmediate(resolve))
  expect(warnings.map(({ code }) => code)).toEqual(['CACHELATCH_EVENTS'])
})

test('a file that is there is appended to, and keeps its mode', () => {
  const path = join(scratch(), 'events')
  writeFileSync(path, 'before\n', { mode: 0o640 })
  new EventFile(path).append('after')
  expect(readFileSync(path, 'utf8')).toBe('before\nafter\n')
  expect(statSync(path).mode & 0o777).toBe(0o640)
})
