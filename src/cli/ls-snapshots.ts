/** `cachelatch ls --snapshots`: what slots are seeded from. */
import type { SnapshotReport, SnapshotsReport } from '../core/report.js'
import { keyLabel } from '../core/key.js'
import type { Cache } from '../latch/cache.js'
import { count, formatAge, formatSize } from './quantities.js'
import { columns, print, printJson } from './render.js'

export async function listSnapshots(cache: Cache, text: string, json: boolean): Promise<number> {
  const all = await cache.snapshots()
  const snapshots = all.filter(({ name, key }) => `${name} ${key}`.includes(text))
  const bytes = snapshots.reduce((sum, each) => sum + each.bytes, 0)
  if (json) await printJson<SnapshotsReport>({ schema: 1, root: cache.root, snapshots, bytes })
  else {
    await print(table(snapshots))
    process.stderr.write(`${count(snapshots.length, 'snapshot')}, ${formatSize(bytes)}\n`)
  }
  return 0
}

const NUMBERS = new Set([0, 1, 2, 3])

function table(snapshots: SnapshotReport[]): string {
  const now = Date.now()
  const rows = snapshots.map(({ name, key, units, bytes, usedAt, slots }) => [
    formatSize(bytes),
    count(units, 'unit'),
    count(slots, 'slot'),
    usedAt === 0 ? 'never' : formatAge(usedAt, now),
    key === null ? name : keyLabel(key),
  ])
  return columns(rows, NUMBERS)
}
