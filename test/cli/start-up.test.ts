/**
 * What a short command loads, as it is published (`npm run build`): its time is mostly Node's own, and stays so only
 * while nothing is loaded in vain.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { openCache } from '../../src/index.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()
const COMMAND = join(import.meta.dirname, '../../../dist/bin/cachelatch.js')

/** Runs the command; returns what it printed, and the names of what it loaded: files of its own, packages, parts of Node. */
function load(root: string, ...args: string[]): { stdout: string; files: string[]; loaded: string[] } {
  const notes = mkdtempSync(join(tmpdir(), 'cachelatch-notes-'))
  const note = join(notes, 'loaded.json')
  const onExit = `import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
const before = new Set(process.moduleLoadList)
const { cache } = createRequire(${JSON.stringify(import.meta.url)})
process.on('exit', () => writeFileSync(${JSON.stringify(note)}, JSON.stringify({
  builtins: process.moduleLoadList.filter((name) => !before.has(name)).map((name) => name.split(' ').at(-1)),
  paths: Object.keys(cache),
})))`
  const hook = `data:text/javascript,${encodeURIComponent(onExit)}`
  try {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', hook, COMMAND, ...args], {
      env: { ...process.env, CACHELATCH_DIR: root },
      encoding: 'utf8',
    })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const { builtins, paths } = JSON.parse(readFileSync(note, 'utf8')) as Record<string, string[]>
    const packages = paths!.map((path) => /.*node_modules\/([^/]+)/.exec(path)?.[1] ?? basename(path))
    const isOurs = (name: string): boolean => name.endsWith('.js')
    return {
      stdout,
      files: packages.filter(isOurs).sort(),
      loaded: [...builtins!, ...packages.filter((name) => !isOurs(name))],
    }
  } finally {
    rmSync(notes, { recursive: true })
  }
}

const HEAVY = ['koffi', 'child_process', 'worker_threads', 'net', 'perf_hooks']

test.each(['kernel', 'lockfile'] as const)('a hit of `once` needs no %s lock', async (locker) => {
  const cache = await openCache(scratch(), { locker, strict: true })
  const entry = await cache.getOrCompile('x', ({ dir }) => writeFileSync(join(dir, 'f'), 'x'))
  await entry.release()
  const { stdout, files, loaded } = load(cache.root, 'once', '--key', 'x', '--', 'false')
  expect(stdout).toBe(`${entry.path}\n`)
  expect(files).toEqual(['cachelatch.js', 'hit.js', 'rolldown-runtime.js', 'start.js'])
  expect(loaded).toContain('crypto')
  expect(loaded.filter((name) => HEAVY.includes(name))).toEqual([])
})

test('what compiles is loaded when there is something to compile', () => {
  const script = 'echo 1 >"$CACHELATCH_STAGE/out"'
  const { files, loaded } = load(scratch(), 'once', '--key', 'x', '--', 'sh', '-c', script)
  expect(files).toContain('compile-by-command.js')
  expect(loaded).toContain('child_process')
})

test('--version loads no more than it prints', () => {
  const { stdout, files, loaded } = load(scratch(), '--version')
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  expect(files).toEqual(['cachelatch.js', 'rolldown-runtime.js', 'start.js'])
  expect(loaded.filter((name) => ['crypto', ...HEAVY].includes(name))).toEqual([])
})
