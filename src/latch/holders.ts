/**
 * Who holds which lock, and who waits, told without touching a lock.
 *
 * The kernel's locks are seen in /proc, so a lock that its killed holder has handed on is that of the process that
 * keeps it. Owner records say since when and what for; by themselves they count only where /proc does not reach:
 * other users' processes, other containers, macOS, and all locks that are no kernel locks.
 */
import type { HolderReport, WaiterReport } from '../core/report.js'
import { type Owner, judge } from '../core/owner.js'
import { isOver } from '../core/waiter.js'
import { orElse } from '../host/disk-errors.js'
import type { Disk } from '../host/disk.js'
import type { Host } from '../host/host.js'
import type { OpenFile, OpenFiles } from '../host/open-files.js'
import { commandOf } from '../host/process.js'
import { HeldDirectory } from '../lock/held-directory.js'
import { type OwnerRecord, readOwner } from '../lock/owner-record.js'
import { readAttempt } from '../store/attempts.js'
import { inspect } from '../store/inventory.js'
import type { Layout } from '../store/layout.js'
import { HELD, OWNER } from '../store/leftovers.js'
import { readWaiter, waitedFor } from '../store/waiters.js'

/** A directory of locks, and what was seen of them. */
export interface Scene {
  host: Host
  disk: Disk
  layout: Layout
  /** As format.json has it. */
  locker: string
  /** `null`: there is no /proc. */
  open: OpenFiles | null
}

export interface Seen {
  holders: HolderReport[]
  waiters: WaiterReport[]
  /** Records of holders and waiters that are gone. */
  leftRecords: number
}

export async function seeHolders(scene: Scene): Promise<Seen> {
  const { disk, layout } = scene
  const names = new Set((await orElse(disk.readdir(layout.locks), [], 'ENOENT')).map(({ name }) => name))
  const seen: Seen = { holders: [], waiters: [], leftRecords: 0 }
  const lockers = lockersByName(scene)
  const held = new Set([...lockers.keys(), ...without(names, HELD), ...without(names, OWNER)])
  for (const name of held) {
    const holder = await holderOf(scene, name, lockers.get(name) ?? [])
    if (holder !== null) seen.holders.push(holder)
    else if (names.has(name + OWNER)) seen.leftRecords++
  }
  for (const name of names) if (waitedFor(name) !== null) await seeWaiter(scene, name, seen)
  return seen
}

function without(names: Set<string>, ending: string): string[] {
  return [...names].filter((name) => name.endsWith(ending)).map((name) => name.slice(0, -ending.length))
}

function lockersByName({ layout, open }: Scene): Map<string, OpenFile[]> {
  const byName = new Map<string, OpenFile[]>()
  for (const file of open?.files ?? []) {
    if (file.lock === null || !file.path.startsWith(`${layout.locks}/`)) continue
    const name = file.path.slice(layout.locks.length + 1, -'.lock'.length)
    byName.set(name, [...(byName.get(name) ?? []), file])
  }
  return byName
}

type Holder = Pick<HolderReport, 'pid' | 'host' | 'command' | 'since' | 'verdict' | 'others' | 'source'>

async function holderOf(scene: Scene, name: string, lockers: OpenFile[]): Promise<HolderReport | null> {
  const { disk, layout } = scene
  const record = await readOwner(disk, layout.lock(name))
  const holder = lockers.length > 0 ? bySight(scene, lockers, record) : await byRecord(scene, name, record)
  if (holder === null) return null
  const building = (await readAttempt(disk, layout, name))?.state === 'building'
  return { lock: name, key: record?.label ?? (await keyOf(scene, name)), building, ...holder }
}

function bySight({ host }: Scene, lockers: OpenFile[], record: OwnerRecord | null): Holder {
  const pids = [...new Set(lockers.map(({ pid }) => pid))].sort((a, b) => a - b)
  const taker = lockers.map(({ takenBy }) => takenBy).find((pid) => pid !== null && pids.includes(pid))
  const owner = record !== null && isAbout(host, record.owner, taker ?? null) ? record.owner : null
  const pid = owner !== null && pids.includes(owner.pid) ? owner.pid : (taker ?? pids[0]!)
  const self = host.processes.asOwner(0)
  return {
    pid,
    host: self.host,
    command: commandOf(pid),
    since: owner?.since ?? null,
    verdict: 'alive',
    others: pids.length - 1,
    source: 'kernel',
  }
}

/**
 * Whether the record is about this hold. That of a dead owner is, if nobody living has taken it: it was handed on. In
 * another container, the owner knows itself by another pid.
 */
function isAbout({ processes }: Host, owner: Owner, taker: number | null): boolean {
  return taker === null || taker === owner.pid || owner.pidNamespace !== processes.pidNamespace
}

async function byRecord(scene: Scene, name: string, record: OwnerRecord | null): Promise<Holder | null> {
  const { disk, layout, host, locker } = scene
  if (locker === 'lockfile') {
    const token = await new HeldDirectory(disk, layout.lock(name)).holder().catch(() => null)
    if (token === null) return null
  }
  if (record === null) return locker === 'lockfile' ? UNKNOWN : null
  const { owner } = record
  const verdict = judge(owner, host.processes)
  if (verdict === 'dead' || (locker !== 'lockfile' && isKnownToBeFree(scene, owner))) return null
  const { pid, command, since } = owner
  return { pid, host: owner.host, command, since, verdict, others: 0, source: 'record' }
}

/** A kernel lock that was not seen to be held. Of another boot: nothing of what held it is left. */
function isKnownToBeFree({ open, host }: Scene, owner: Owner): boolean {
  if (owner.bootId !== null && owner.bootId !== host.processes.bootId) return true
  if (open === null) return false
  return open.complete || (judge(owner, host.processes) === 'alive' && !open.hidden.has(owner.pid))
}

/** It has held for less than it takes to write down who it is, or could not write. */
const UNKNOWN: Holder = {
  pid: null,
  host: null,
  command: null,
  since: null,
  verdict: 'unknown',
  others: 0,
  source: 'record',
}

const ID = /^[0-9a-f]{64}$/

async function keyOf({ disk, layout }: Scene, name: string): Promise<string | null> {
  return ID.test(name) ? ((await inspect(disk, layout, name))?.key ?? null) : null
}

async function seeWaiter(scene: Scene, file: string, seen: Seen): Promise<void> {
  const { disk, layout, host } = scene
  const waiter = await readWaiter(disk, `${layout.locks}/${file}`)
  if (waiter === null) return
  if (isOver(waiter, host.processes, host.clock.wallTime())) {
    seen.leftRecords++
    return
  }
  const { owner, label, deadline } = waiter
  const { pid, command, since } = owner
  const lock = waitedFor(file)!
  const key = label ?? (await keyOf(scene, lock))
  const verdict = judge(owner, host.processes)
  seen.waiters.push({ lock, key, pid, host: owner.host, command, since, verdict, deadline })
}
