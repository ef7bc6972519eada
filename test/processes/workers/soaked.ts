/**
 * An unmodified worker: knows its cache directory and nothing of cachelatch. Looks at all that it finds, then writes
 * files in place, one at a time, until it ends, well or badly, or is killed.
 *
 * Arguments: the witness's directory, a tag for the report, and how the worker ends: an exit code, or `never`.
 */
import { randomBytes, randomInt } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readDescribed, readGroup, writeDescribed } from '../../support/self-describing.js'
import { startOf } from '../../support/proc.js'

const UNITS = 400
const FILES_OF_A_GROUP = 4
const [, , witness = '', tag = '', end = 'never'] = process.argv
const cache = process.env['MINE_DIR']!
const singles = join(cache, 'singles')
const groups = join(cache, 'groups')

/** Now and then for so long that half a file is taken for still, were it not open. */
const pause = (): Promise<void> => sleep(randomInt(40) === 0 ? 1_000 : randomInt(10))

/**
 * Whoever starts in a directory writes down who it is, then looks at all who did so before: two at once are both
 * living, and the second line is written by one who sees the first.
 */
function stepIn(): void {
  const log = join(witness, `${cache.replaceAll('/', '_')}.log`)
  const me = `${process.pid} ${startOf(process.pid)}`
  appendFileSync(log, `${me}\n`)
  for (const line of readFileSync(log, 'utf8').trimEnd().split('\n')) {
    if (line === me) return
    const [pid, start] = line.split(' ')
    if (startOf(Number(pid)) === start) complain(`${pid} lives in ${cache}, and so does ${process.pid}`)
  }
}

function complain(what: string): void {
  appendFileSync(join(witness, 'complaints'), `${what}\n`)
}

/** What is found is whole, and is reported. */
function lookAround(): void {
  const found: string[] = []
  for (const [home, read] of [
    [singles, (path: string, unit: string) => readDescribed(path, unit)],
    [groups, (path: string, unit: string) => readGroup(path, unit)],
  ] as const)
    for (const unit of readdirSync(home)) {
      try {
        read(join(home, unit), unit)
        found.push(unit)
      } catch (error) {
        complain(`found by ${process.pid}: ${String(error)}`)
      }
    }
  const report = join(witness, `report-${tag}`)
  writeFileSync(`${report}.new`, JSON.stringify({ pid: process.pid, cache, found }))
  renameSync(`${report}.new`, report)
}

async function compile(): Promise<void> {
  const number = randomInt(UNITS)
  const body = randomBytes(100 + randomInt(30_000))
  if (number % 2 === 0) {
    const unit = `single-${number}`
    // Now and then one that is there is written anew, in place.
    if (!existsSync(join(singles, unit)) || randomInt(10) === 0)
      await writeDescribed(join(singles, unit), { unit, id: tag }, body, pause)
    return
  }
  const unit = `group-${number}`
  const home = join(groups, unit)
  mkdirSync(home, { recursive: true })
  const id = readGroup(home, unit) ?? randomBytes(8).toString('hex')
  // One of several that share an id; the next time, another is added.
  const size = 1 + randomInt(FILES_OF_A_GROUP)
  for (let file = 0; file < size; file++)
    if (!existsSync(join(home, `${file}`)))
      await writeDescribed(join(home, `${file}`), { unit, id }, body, pause)
}

stepIn()
for (const home of [singles, groups]) mkdirSync(home, { recursive: true })
lookAround()
for (let left = end === 'never' ? Infinity : 20; left > 0; left--) {
  await compile()
  await pause()
}
process.exit(Number(end))
