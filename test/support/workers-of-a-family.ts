/** Workers of one family of caches: functions of the test's own process that write into their slots. */
import { mkdirSync, readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type Host, realHost } from '../../src/host/host.js'
import { namespaceOf } from '../../src/launch/namespace.js'
import type { Preset } from '../../src/launch/preset.js'
import type { WorkerEvent } from '../../src/launch/worker-events.js'
import { type PreparedWorker, type WorkerOptions, prepareWorkerOn } from '../../src/launch/worker.js'
import { Layout } from '../../src/store/layout.js'

/** Each directory of `family/` is a unit. */
export const FAMILY: Preset = {
  name: 'family',
  about: 'no program has it',
  variables: { FAMILY_DIR: 'family' },
  units: ['family/*'],
  checked: 'never',
}
export const NAMESPACE = namespaceOf([FAMILY.name])

export interface FamilyWorker extends PreparedWorker {
  path: string
  events: WorkerEvent[]
}

/** Publishes at its end only. */
export async function prepareFamily(
  cache: string,
  options: Partial<WorkerOptions> = {},
  host: Host = realHost(),
): Promise<FamilyWorker> {
  const events: WorkerEvent[] = []
  const onEvent = (event: WorkerEvent): void => void events.push(event)
  const common = { cache, presets: [FAMILY], settleMs: 0, env: {}, onEvent }
  const worker = await prepareWorkerOn(host, { ...common, ...options })
  return { ...worker, path: worker.path!, events }
}

export function writeIn(slot: string, file: string, content: string): void {
  mkdirSync(dirname(join(slot, file)), { recursive: true })
  writeFileSync(join(slot, file), content)
}

/** A worker that writes `files` and ends well; returns its slot. */
export async function runFamily(
  cache: string,
  files: Record<string, string>,
  options: Partial<WorkerOptions> = {},
): Promise<string> {
  const worker = await prepareFamily(cache, options)
  worker.started()
  for (const [file, content] of Object.entries(files)) writeIn(worker.path, file, content)
  await worker.ended(0)
  return worker.path
}

/** Where the units of the family are, with what their manifests say: `family/a:2`; in the order of these. */
export function unitsIn(cache: string): { path: string; name: string }[] {
  const home = new Layout(cache).snapshot(NAMESPACE.name).entries
  const manifests = below(home).filter((file) => basename(file) === 'MANIFEST.json')
  return manifests
    .map((manifest) => {
      const { body } = JSON.parse(readFileSync(join(home, manifest), 'utf8')) as { body: { key: string } }
      const { unit, generation } = JSON.parse(body.key) as { unit: string; generation: number }
      return { path: dirname(join(home, manifest)), name: `${unit}:${generation}` }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

export const unitNames = (cache: string): string[] => unitsIn(cache).map(({ name }) => name)

export function slotNames(cache: string): string[] {
  return below(join(new Layout(cache).slots, NAMESPACE.name), false).filter((name) => /^[^.]*\d$/.test(name))
}

function below(directory: string, recursive = true): string[] {
  try {
    return (readdirSync(directory, { recursive }) as string[]).sort()
  } catch {
    return []
  }
}

/** Makes all that is in the namespace look as if it was last used so long ago. */
export function ageFamily(cache: string, unusedForMs: number): void {
  const then = (Date.now() - unusedForMs) / 1000
  for (const { path } of unitsIn(cache)) utimesSync(join(path, 'MANIFEST.json'), then, then)
  const slots = join(new Layout(cache).slots, NAMESPACE.name)
  for (const name of below(slots, false)) utimesSync(join(slots, name), then, then)
}
