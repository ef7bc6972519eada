/** Looking at every byte of a cache, and of its snapshots. */
import type { DamageReport, EntryReport, Problem, VerifyReport } from '../core/report.js'
import { attempt, isErrno } from '../host/disk-errors.js'
import { findStrangers, inspect, takeInventory } from '../store/inventory.js'
import { lookUp } from '../store/lookup.js'
import { discard } from '../store/stage.js'
import { moveOut } from '../store/trash.js'
import { findProblems } from '../store/verify.js'
import { pin } from './entry.js'
import type { Opened } from './open.js'
import { type Home, homesOf, unitOf } from './snapshots.js'

export interface VerifyOptions {
  /** Sets what is damaged aside: the next `getOrCompile` compiles it anew, and slots are seeded without. */
  quarantine?: boolean | undefined
  /** Called after every entry and unit, and after every megabyte of a file. */
  onProgress?: ((progress: VerifyProgress) => void) | undefined
  signal?: AbortSignal | undefined
}

export interface VerifyProgress {
  checked: number
  damaged: number
  /** What was read so far; of what there was to read when it began. */
  bytes: number
  totalBytes: number
}

/** SHA-256 of a key, and the key. Only of entries. */
type Wanted = Map<string, string>

/** Each is pinned meanwhile, so that what gc removes is not taken for damaged. */
export async function verifyAll(
  opened: Opened,
  { wanted, quarantine = false, onProgress, signal }: VerifyOptions & { wanted: Wanted | undefined },
): Promise<VerifyReport> {
  const result: VerifyReport = {
    schema: 1,
    checked: 0,
    units: 0,
    bytes: 0,
    damaged: [],
    strangers: [],
    absent: [],
  }
  const homes = wanted ? [{ opened, namespace: null }] : await homesOf(opened)
  const entriesIn = ({ opened: home }: Home, absent: string[]): AsyncGenerator<EntryReport> =>
    wanted ? inspectThese(home, wanted, absent) : takeInventory(home.disk, home.layout)
  let totalBytes = 0
  if (onProgress) for (const home of homes) totalBytes += await bytesIn(entriesIn(home, []))
  let bytes = 0
  const onBytes = (count: number): void => {
    bytes += count
    onProgress?.({ checked: result.checked, damaged: result.damaged.length, bytes, totalBytes })
  }
  for (const home of homes) {
    for await (const entry of entriesIn(home, result.absent)) {
      signal?.throwIfAborted()
      const problems = await problemsOf(home.opened, entry, onBytes)
      if (problems === null) continue
      result.checked++
      if (home.namespace !== null) result.units++
      result.bytes += entry.bytes
      if (problems.length > 0) {
        const quarantined = quarantine && (await setAside(home.opened, entry.id, problems))
        result.damaged.push({ ...describe(home, entry), problems, quarantined })
      }
      onBytes(0)
    }
    if (wanted) continue
    for (const path of await findStrangers(home.opened.disk, home.opened.layout)) result.strangers.push(path)
  }
  return result
}

function describe(
  { namespace }: Home,
  { id, key, path }: EntryReport,
): Omit<DamageReport, 'problems' | 'quarantined'> {
  if (namespace === null) return { kind: 'entry', id, key, namespace, unit: null, path }
  return { kind: 'unit', id, key: null, namespace, unit: unitOf(key)?.unit ?? null, path }
}

async function bytesIn(entries: AsyncGenerator<EntryReport>): Promise<number> {
  let sum = 0
  for await (const { bytes } of entries) sum += bytes
  return sum
}

async function* inspectThese(
  { disk, layout }: Opened,
  wanted: Wanted,
  absent: string[],
): AsyncGenerator<EntryReport> {
  for (const [id, key] of wanted) {
    const entry = await inspect(disk, layout, id)
    if (entry === null) absent.push(key)
    else yield entry
  }
}

/** `null`: it has been removed meanwhile. */
async function problemsOf(
  opened: Opened,
  entry: EntryReport,
  onBytes: (count: number) => void,
): Promise<Problem[] | null> {
  const { id, key, path, state, reason } = entry
  if (state === 'unreadable') return [{ kind: 'unreadable', file: '.', message: reason ?? '' }]
  if (key === null) return [{ kind: 'manifest', file: '.', message: reason ?? '' }]
  const found = await lookUp(opened.disk, path, key, 'manifest')
  if (found.state === 'miss') return null
  if (found.state === 'damaged') return [{ kind: 'manifest', file: '.', message: found.reason }]
  const unpin = await pin(opened, id, found)
  if (unpin === null) return null
  try {
    return await findProblems(opened.disk, path, found.manifest, onBytes)
  } finally {
    await attempt(unpin())
  }
}

/** Sets aside what is damaged still; what cannot be read may be well, and stays. */
async function setAside(opened: Opened, id: string, problems: Problem[]): Promise<boolean> {
  if (problems.some(({ kind }) => kind === 'unreadable')) return false
  const { disk, layout, host } = opened
  const path = layout.entry(id)
  const token = host.processes.token()
  try {
    const doomed = await moveOut(disk, layout, { path, token, isMeant: (place) => isBad(opened, place, id) })
    if (doomed === null) return false
    await discard(disk, doomed)
    return true
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM', 'EROFS')) return false
    throw error
  }
}

/** Of what has been moved away: another may have set the damaged one aside first, and compiled it anew. */
async function isBad({ disk, layout }: Opened, place: string, id: string): Promise<boolean> {
  const entry = await inspect(disk, layout, id, place)
  if (entry === null || entry.key === null) return true
  const found = await lookUp(disk, place, entry.key, 'manifest')
  if (found.state !== 'hit') return true
  await disk.close(found.fd)
  return (await findProblems(disk, place, found.manifest)).length > 0
}
