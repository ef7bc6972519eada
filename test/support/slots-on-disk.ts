/** What workers have left in a cache: their slots, and the units of their snapshot, as they lie there. */
import { readFileSync, readdirSync, utimesSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { WorkerOptions } from '../../src/launch/worker.js'
import { Layout } from '../../src/store/layout.js'
import { TESTED_NAMESPACE, runTestWorker } from './slot-workers.js'
import { below } from './tree.js'

/** A worker that writes `files` and ends well; returns its slot. */
export async function leaveFiles(
  cache: string,
  files: Record<string, string> = {},
  options: Partial<WorkerOptions> = {},
): Promise<string> {
  const write = (file: (path: string, content: string) => void): void =>
    Object.entries(files).forEach(([path, content]) => file(path, content))
  return (await runTestWorker(cache, (worker) => write(worker.write), options)).path
}

/** All generations, by name: `groups/a:2`. */
export function unitsIn(cache: string): { path: string; name: string }[] {
  const home = new Layout(cache).snapshot(TESTED_NAMESPACE.name).entries
  return below(home)
    .filter((file) => basename(file) === 'MANIFEST.json')
    .map((manifest) => {
      const { body } = JSON.parse(readFileSync(join(home, manifest), 'utf8')) as { body: { key: string } }
      const { unit, generation } = JSON.parse(body.key) as { unit: string; generation: number }
      return { path: dirname(join(home, manifest)), name: `${unit}:${generation}` }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

export const unitNames = (cache: string): string[] => unitsIn(cache).map(({ name }) => name)

const slotsHome = (cache: string): string => join(new Layout(cache).slots, TESTED_NAMESPACE.name)

export function slotNames(cache: string): string[] {
  return below(slotsHome(cache)).filter((name) => /^\d+$/.test(name))
}

/** Makes slots and units look as if they were last used so long ago. */
export function ageAll(cache: string, unusedForMs: number): void {
  const then = (Date.now() - unusedForMs) / 1000
  for (const { path } of unitsIn(cache)) utimesSync(join(path, 'MANIFEST.json'), then, then)
  for (const name of readdirSync(slotsHome(cache))) utimesSync(join(slotsHome(cache), name), then, then)
}
