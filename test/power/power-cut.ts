/**
 * What may be on a disk when the power goes:
 * - `anything goes`, as POSIX has it: of every file and of every name, by itself, any version since its last fsync.
 * - `in order`, as ext4 and xfs have it: names are as they all were at one moment, not before the last fsync of
 *   whatever; of every file any version since its own last fsync.
 * Of two names that were exchanged, both are or neither is: renameat2(2) can do it only where it is one transaction.
 * In both, what was written since a file's last fsync may be there, be cut off, or read as zeros.
 */
import type { Directory, Exchange, File, Moment, Node, RecordedDisk, Sync, Version } from './recorded-disk.js'

/** What is there after the cut. */
export type Remains = Buffer | { target: string } | Map<string, Remains>

export const MODELS = ['in order', 'anything goes'] as const
export type Model = (typeof MODELS)[number]

/** Of `count` possibilities, from the oldest to the newest, which. */
export type Choose = (count: number) => number

export interface Chooser {
  names: Choose
  data: Choose
  /** Which name of a directory that has two. */
  order: Choose
}

interface Place {
  name: string
  node: Node
  /** On the device, and never since changed. */
  isSure: boolean
}

/** What may be there when the power goes at `cut`. */
export function remainsAfter(disk: RecordedDisk, cut: Moment, model: Model, choose: Chooser): Remains {
  const last = newest(disk.syncs, cut)
  const namesUntil = model === 'in order' ? last + choose.names(cut - last + 1) : cut
  const bounds = boundsOf(disk, cut, namesUntil, choose.names)
  const places = new Map<Directory, Place[]>()
  const namesIn = (directory: Directory): Place[] => {
    const known = places.get(directory)
    if (known) return known
    const found: Place[] = []
    places.set(directory, found)
    for (const [name, versions] of directory.names) {
      const possible = since(versions, ...bounds(directory, name))
      const which = model === 'in order' ? possible.length - 1 : choose.names(possible.length)
      const node = possible[which]!
      if (node !== null) found.push({ name, node, isSure: possible.length === 1 })
      if (node?.kind === 'directory') namesIn(node)
    }
    return found
  }
  namesIn(disk.root)
  const kept = onlyNames([...places.values()].flat(), choose.order)
  const remains = (node: Node): Remains => {
    if (node.kind === 'link') return { target: node.target }
    if (node.kind === 'file') return contentOf(node, cut, choose.data)
    const there = namesIn(node).filter((place) => place.node.kind !== 'directory' || kept.has(place))
    return new Map(there.map((place) => [place.name, remains(place.node)]))
  }
  return remains(disk.root)
}

/** Since when, and until when, a name may be as it was. */
function boundsOf(disk: RecordedDisk, cut: Moment, until: Moment, choose: Choose) {
  const done = new Map<Exchange, boolean>()
  const isDone = (exchange: Exchange): boolean => {
    const isSure = exchange.places.some(
      ({ directory }) => directory?.kind === 'directory' && newest(directory.syncs, cut) >= exchange.at,
    )
    const known = done.get(exchange) ?? (isSure || choose(2) === 1)
    done.set(exchange, known)
    return known
  }
  return (directory: Directory, name: string): [Moment, Moment] => {
    const of = disk.exchanges.filter(
      ({ at, places }) =>
        at <= until && places.some((place) => place.directory === directory && place.name === name),
    )
    const before = of.filter((exchange) => !isDone(exchange)).map(({ at }) => at - 1)
    const after = of.filter(isDone).map(({ at }) => at)
    return [Math.max(newest(directory.syncs, cut), ...after), Math.min(until, ...before)]
  }
}

/** A directory has one name: of two after a half-written rename, the next mount keeps one; never not the one that is sure. */
function onlyNames(places: readonly Place[], choose: Choose): Set<Place> {
  const byDirectory = new Map<Node, Place[]>()
  for (const place of places) byDirectory.set(place.node, [...(byDirectory.get(place.node) ?? []), place])
  return new Set(
    [...byDirectory.values()].map((names) => {
      const sure = names.filter(({ isSure }) => isSure)
      const possible = sure.length > 0 ? sure : names
      return possible[choose(possible.length)]!
    }),
  )
}

/** Up to which moment everything is on the device. */
const newest = (syncs: readonly Sync[], cut: Moment): Moment =>
  Math.max(0, ...syncs.filter(({ ended }) => ended <= cut).map(({ began }) => began))

/** The last one at `floor`, and all after it until `end`. */
function since<T>(versions: readonly Version<T>[], floor: Moment, end: Moment): T[] {
  const first = versions.findLastIndex(({ at }) => at <= floor)
  const possible = versions.slice(Math.max(first, 0)).filter(({ at }, index) => index === 0 || at <= end)
  return possible.map(({ value }) => value)
}

/** In how many ways what was written since the last fsync may look: not there, there, cut off, zeros. */
const WAYS = 4

function contentOf({ versions, syncs }: File, cut: Moment, choose: Choose): Buffer {
  const possible = since(versions, newest(syncs, cut), cut)
  const [synced, written] = [possible[0]!, possible.at(-1)!]
  const way = possible.length === 1 ? WAYS - 1 : choose(WAYS)
  if (way === 0) return synced
  if (way === 1) return Buffer.concat([synced, Buffer.alloc(written.length - synced.length)])
  if (way === 2) return written.subarray(0, synced.length + choose(written.length - synced.length + 1))
  return written
}
