/** What goes on in a cache just now: seen without taking a lock, and without changing anything. */
import type { StatusReport } from '../core/report.js'
import type { Disk } from '../host/disk.js'
import { orElse } from '../host/disk-errors.js'
import type { OpenFiles } from '../host/open-files.js'
import { type Format, assertDirectories, readFormat } from '../store/format.js'
import { takeInventory } from '../store/inventory.js'
import { Layout, bookkeepingRoot } from '../store/layout.js'
import { countLeftovers } from '../store/leftover-count.js'
import { type Scene, seeHolders } from './holders.js'
import type { Opened } from './open.js'
import { DEFAULT_GRACE_MS } from './last-use.js'
import { homesOf } from './snapshots.js'

export interface StatusOptions {
  /** Count entries and units, and their bytes: reads every manifest. Default true. */
  entries?: boolean | undefined
}

export async function readStatus(
  opened: Opened,
  { entries = true }: StatusOptions = {},
): Promise<StatusReport> {
  const { host, disk, layout, format } = opened
  const now = host.clock.wallTime()
  const books = await booksOf(opened)
  const layouts = books ? [layout, books.layout] : [layout]
  const open = await host.processes.openFiles((seen) => layoutFor(layouts, seen)?.whichOf(seen) ?? null)
  const scenes: Scene[] = [{ host, disk, layout, locker: format.locker, open }]
  if (books) scenes.push({ host, disk, open, ...books })
  const report: StatusReport = {
    schema: 1,
    root: layout.root,
    at: now,
    holders: [],
    waiters: [],
    stages: 0,
    inUse: await countInUse(opened, open),
    leftovers: { stages: 0, trash: 0, drafts: 0, records: 0 },
    entries: null,
    units: null,
    bytes: null,
    complete: open?.complete ?? false,
  }
  for (const scene of scenes) await addScene(report, scene, now)
  const bySince = (a: { since: number | null }, b: { since: number | null }): number =>
    (a.since ?? now) - (b.since ?? now)
  report.holders.sort(bySince)
  report.waiters.sort(bySince)
  return entries ? { ...report, ...(await countEntries(opened)) } : report
}

/** Where `exec NAME`, and the write functions, keep the locks of what is in the cache's own directory. */
async function booksOf({ disk, layout }: Opened): Promise<{ layout: Layout; locker: string } | null> {
  const books = new Layout(bookkeepingRoot(layout.root))
  const format = await readOwnFormat(disk, books).catch(() => null)
  return format && { layout: books, locker: format.locker }
}

async function readOwnFormat(disk: Disk, books: Layout): Promise<Format | null> {
  if (!(await disk.lstat(books.root)).isDirectory()) return null
  await assertDirectories(disk, books)
  return readFormat(disk, books)
}

/** Another container sees the cache's directory under another name, and what is in it under the same. */
function layoutFor(layouts: Layout[], seen: string): Layout | undefined {
  const isBooks = (path: string): boolean => path.includes(bookkeepingRoot('/') + '/')
  return layouts.find(({ root }) => isBooks(`${root}/`) === isBooks(seen))
}

async function addScene(report: StatusReport, scene: Scene, now: number): Promise<void> {
  const { disk, layout, locker, open } = scene
  const { holders, waiters, leftRecords } = await seeHolders(scene)
  report.holders.push(...holders)
  report.waiters.push(...waiters)
  const written = new Set(open?.files.filter(({ lock }) => lock !== null).map(({ path }) => path))
  const marked = new Set((await orElse(disk.readdir(layout.stage), [], 'ENOENT')).map(({ name }) => name))
  const isAlive = (stage: string): boolean =>
    locker === 'lockfile' ? marked.has(`${stage.slice(layout.stage.length + 1)}.held`) : written.has(stage)
  const { living, left } = await countLeftovers(disk, layout, { now, graceMs: DEFAULT_GRACE_MS, isAlive })
  report.stages += living
  report.leftovers.stages += left.stages
  report.leftovers.trash += left.trash
  report.leftovers.drafts += left.drafts
  report.leftovers.records += leftRecords
}

const PIN = /^([0-9a-f]{64})\.[0-9a-f]{32}\.held$/

async function countInUse({ disk, layout, format }: Opened, open: OpenFiles | null): Promise<number | null> {
  if (format.locker === 'lockfile') {
    const names = (await orElse(disk.readdir(layout.pins), [], 'ENOENT')).map(({ name }) => name)
    return new Set(names.map((name) => PIN.exec(name)?.[1]).filter((id) => id !== undefined)).size
  }
  if (open === null) return null
  const isEntry = (path: string): boolean =>
    [layout.entries, layout.snapshots].some((home) => path.startsWith(`${home}/`))
  const pinned = open.files.filter(({ path, lock }) => lock !== null && isEntry(path))
  return new Set(pinned.map(({ path }) => path)).size
}

async function countEntries(opened: Opened): Promise<{ entries: number; units: number; bytes: number }> {
  const sum = { entries: 0, units: 0, bytes: 0 }
  for (const { opened: home, namespace } of await homesOf(opened))
    for await (const { bytes } of takeInventory(home.disk, home.layout)) {
      sum[namespace === null ? 'entries' : 'units']++
      sum.bytes += bytes
    }
  return sum
}
