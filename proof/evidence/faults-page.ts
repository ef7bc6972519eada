/** docs/evidence.md: fault × file system, and the same for the ways people make by hand; and README's share of it. */
import { join } from 'node:path'
import { GROUND_NAMES, type GroundName } from '../file-systems/grounds.js'
import { GIVE_UP_AFTER_MS } from '../table/asker.js'
import { FAULTS, FAULT_NAMES, type FaultName } from '../table/faults.js'
import { WAYS, WAY_NAMES, type WayName } from '../table/ways.js'
import { STALE_MS } from '../table/ways/way.js'
import { outcomeOf } from '../table/words.js'
import { conditions, table } from './markdown.js'
import { type Evidence, REPOSITORY } from './results.js'

export const EVIDENCE_PAGE = join(REPOSITORY, 'docs/evidence.md')

/** What README shows the ways on, and where two hosts meet. */
const ONE_HOST: GroundName = 'ext4'
const TWO_HOSTS: GroundName = 'bindfs, two hosts'

export function evidencePage(evidence: Evidence): string {
  const tried = GROUND_NAMES.filter((name) => evidence.faults[name] !== undefined)
  const withAllWays = tried.filter((name) => waysOn(evidence, name).length > 1)
  const machines = tried.map((name) => evidence.faults[name]!.machine)
  const sections = [
    '# What happens when something goes wrong',
    'Made by `npm run evidence` (as root), which plays each scene with real processes: the first asks for a compiled model of two files and stands still in the middle of its compile, the fault strikes, the second asks, the first goes on where it can, and when both are done a third comes. Each scene is played with the first standing in the first file, between the two, and in the second. All ways go through the same scenes; their stale time is ' +
      `${STALE_MS / 1000} s. ${conditions(machines)}.`,
    LEGEND,
    '## cachelatch',
    table(
      ['', ...tried],
      FAULT_NAMES.map((fault) =>
        row(
          fault,
          tried.map((name) => words(evidence, name, 'cachelatch', fault)),
        ),
      ),
    ),
    '## The same, made by hand',
    'The ways are in [`proof/table/ways/`](../proof/table/ways/): a page each, as they are commonly written.',
    ...withAllWays.flatMap((name) => [`### On ${name}`, waysTable(evidence, name)]),
  ]
  return `${sections.join('\n\n')}\n`
}

const LEGEND = `- **once**, **2 times**: how many compiled, not counting one that was killed. A second compile costs work only; with a
  full disk it is a private one, so that the worker can go on, and the published one once there is space.
- **whole**: nobody got, or could have read, anything but a whole result. **torn**: somebody did get half a file, or
  files of two compiles; in how many of the scenes.
- **stuck**: a process that had nothing after ${GIVE_UP_AFTER_MS / 1000} s. An error code is what a worker died of.
- _at once_, _after N s_: when the second got on after the first was killed or stopped; _waits for it_: not before the
  first had gone on, as with any kernel lock (\`timeoutMs\` is the limit; then it compiles privately).`

/** Between the markers in README. */
export function summary(evidence: Evidence): string {
  const rows = FAULT_NAMES.map((fault) =>
    row(
      fault,
      WAY_NAMES.map((way) => words(evidence, ONE_HOST, way, fault)),
    ),
  )
  const apart = [
    'two hosts, where flock excludes nobody (two FUSE mounts)',
    ...WAY_NAMES.map((way) => words(evidence, TWO_HOSTS, way, 'together')),
  ]
  return table(['', ...titles(WAY_NAMES)], [...rows, apart])
}

function waysTable(evidence: Evidence, name: GroundName): string {
  const ways = waysOn(evidence, name)
  return table(
    ['', ...titles(ways)],
    FAULT_NAMES.map((fault) =>
      row(
        fault,
        ways.map((way) => words(evidence, name, way, fault)),
      ),
    ),
  )
}

function row(fault: FaultName, cells: string[]): string[] {
  return [FAULTS[fault].title, ...cells]
}

function titles(ways: WayName[]): string[] {
  return ways.map((way) => WAYS[way].title)
}

function waysOn({ faults }: Evidence, name: GroundName): WayName[] {
  return WAY_NAMES.filter((way) => faults[name]!.seen.some((each) => each.way === way))
}

function words({ faults }: Evidence, name: GroundName, way: WayName, fault: FaultName): string {
  const seen = faults[name]?.seen.filter((each) => each.way === way && each.fault === fault) ?? []
  return seen.length === 0 ? '–' : outcomeOf(seen).words
}
