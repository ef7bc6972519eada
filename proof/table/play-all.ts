/** All scenes of a way and a fault on a file system. */
import pMap from 'p-map'
import type { Ground } from '../file-systems/grounds.js'
import { lacking } from '../../test/support/needs.js'
import type { Step } from './artefact.js'
import { FAULTS, FAULT_NAMES, type FaultName } from './faults.js'
import { type Scene, type Seen, play } from './scene.js'
import { WAYS, WAY_NAMES, type WayName } from './ways.js'

/** Most of the time they wait. */
const AT_ONCE = 4

/** With part of the first file, with one, with one and part of the other. */
const STANDS: Step[] = ['half a file', 'one file', 'one and a half']

/** @returns none where something is missing that they need */
export function scenesOf(way: WayName, fault: FaultName): Scene[] {
  if (lacking(...WAYS[way].needs, ...FAULTS[fault].needs).length > 0) return []
  // With a full disk nobody stands still: one scene is all.
  const steps = fault === 'full' ? STANDS.slice(0, 1) : STANDS
  return steps.map((step) => ({ way, fault, step }))
}

export async function playAll(
  { ground, small }: { ground: Ground; small: Ground },
  { ways = WAY_NAMES, faults = FAULT_NAMES }: { ways?: WayName[]; faults?: FaultName[] } = {},
): Promise<Seen[]> {
  const all = ways.flatMap((way) => faults.flatMap((fault) => scenesOf(way, fault)))
  const onFullDisk = all.filter(({ fault }) => fault === 'full')
  const others = all.filter(({ fault }) => fault !== 'full')
  const seen = await pMap(others, (scene) => play(scene, ground), { concurrency: AT_ONCE })
  // They have the one disk to themselves.
  for (const scene of onFullDisk) seen.push(await play(scene, small))
  return seen
}
