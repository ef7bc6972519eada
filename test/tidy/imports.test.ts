/** The house rules of ARCHITECTURE.md, as tests: import direction, who may touch the world, no dead file. */
import { readFileSync, readdirSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'

const SRC = join(import.meta.dirname, '../../../src')
/** Imports run from a folder to those it lists, and within itself. */
const MAY_IMPORT: Record<string, string[]> = {
  core: [],
  host: ['core'],
  lock: ['core', 'host'],
  store: ['core', 'host'],
  latch: ['core', 'host', 'lock', 'store'],
  launch: ['core', 'host', 'lock', 'store', 'latch'],
  doctor: ['core', 'host', 'lock', 'store'],
  cli: ['core', 'host', 'lock', 'store', 'latch', 'launch', 'doctor'],
  '.': ['core', 'host', 'lock', 'store', 'latch', 'launch'],
}
const THE_WORLD = /^node:(fs|fs\/promises|child_process|worker_threads|os|crypto|timers|timers\/promises)$/
/** Global functions, not imported: a simulated world would not be asked. */
const WAITS = /\b(setTimeout|setImmediate|queueMicrotask)\(/
/** Entered by name, not by import; and in what of which two they are published. */
const ENTRY_POINTS = {
  'index.ts': ['library'],
  'lock/heartbeat-thread.ts': ['library', 'command'],
  'doctor/prober-process.ts': ['command'],
  'cli/main.ts': ['command'],
}

const files = (readdirSync(SRC, { recursive: true }) as string[]).filter((name) => name.endsWith('.ts'))

function importsOf(file: string): string[] {
  const text = readFileSync(join(SRC, file), 'utf8')
  return [...text.matchAll(/(?:from|import\()\s*'([^']+)'/g)].map((match) => match[1]!)
}

function resolved(file: string, specifier: string): string {
  return normalize(join(dirname(file), specifier)).replace(/\.js$/, '.ts')
}

function folderOf(file: string): string {
  return dirname(file).split('/')[0]!
}

test.each(files)('%s imports only from folders to its left', (file) => {
  const folder = folderOf(file)
  for (const specifier of importsOf(file).filter((name) => name.startsWith('.'))) {
    expect([folder, ...MAY_IMPORT[folder]!], `${file} imports ${specifier}`).toContain(
      folderOf(resolved(file, specifier)),
    )
  }
})

test('host/ alone touches the world, and core/ is pure', () => {
  const offenders = files
    .filter((file) => folderOf(file) !== 'host')
    .flatMap((file) =>
      importsOf(file)
        .filter((name) => THE_WORLD.test(name))
        .map((name) => `${file}: ${name}`),
    )
  expect(offenders).toEqual([])
  const waiting = files.filter(
    (file) => folderOf(file) !== 'host' && WAITS.test(readFileSync(join(SRC, file), 'utf8')),
  )
  expect(waiting).toEqual([])
  expect(
    files
      .filter((file) => folderOf(file) === 'core')
      .flatMap((file) => importsOf(file).filter((name) => name.startsWith('node:'))),
  ).toEqual([])
})

test('no file is dead', () => {
  const reached = new Set<string>()
  const visit = (file: string): void => {
    if (reached.has(file)) return
    reached.add(file)
    for (const specifier of importsOf(file).filter((name) => name.startsWith('.')))
      visit(resolved(file, specifier))
  }
  Object.keys(ENTRY_POINTS).forEach(visit)
  expect(files.filter((file) => !reached.has(file))).toEqual([])
})

test('what is entered by name is published: in the library, in the bundled command, or, as threads are, in both', () => {
  const library = readFileSync(join(SRC, '../tsconfig.build.json'), 'utf8')
  const command = readFileSync(join(SRC, '../scripts/bundle-command.mjs'), 'utf8')
  for (const [file, places] of Object.entries(ENTRY_POINTS)) {
    expect([file, library.includes(`"src/${file}"`)]).toEqual([file, places.includes('library')])
    expect([file, command.includes(`'src/${file}'`)]).toEqual([file, places.includes('command')])
  }
})

test('no source file is over 300 lines', () => {
  const long = files.filter((file) => readFileSync(join(SRC, file), 'utf8').split('\n').length > 300)
  expect(long).toEqual([])
})

test('ARCHITECTURE.md has every source file in its code map', () => {
  const map = readFileSync(join(SRC, '../ARCHITECTURE.md'), 'utf8')
  /** By its own name, or with the folder of data that it is in, such as `presets/`. */
  const named = (file: string): boolean =>
    map.includes(`\`${basename(file, '.ts')}\``) || map.includes(`\`${basename(dirname(file))}/\``)
  expect(files.filter((file) => file !== 'index.ts' && !named(file))).toEqual([])
})
