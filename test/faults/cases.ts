/** One operation with one failing call, and everything that must hold afterwards. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, openSync, closeSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isLatchError, openCache } from '../../src/index.js'
import { realHost } from '../../src/host/host.js'
import { Image } from '../support/image.js'
import { passTime } from '../support/passing-time.js'
import { openBelow } from '../support/proc.js'
import '../support/small-machine.js'
import { below, leftIn } from '../support/tree.js'
import { FAULTS, type Fault } from './faults.js'
import type { Ended, Operation } from './operation.js'
import { type Way, beginAnotherLife, settle, withFault } from './world.js'

export interface Case {
  operation: Operation
  way: Way
  /** The call that fails, counted from 1, and its name. */
  n: number
  call: string
  fault: Fault
}

/** In memory, where there is some: thousands of caches are made. */
const base = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'cachelatch-faults-'))
const temporary = join(base, 'tmp')
const gates = join(base, 'gates')
mkdirSync(temporary)
process.env['TMPDIR'] = temporary
process.env['CACHELATCH_GATE_DIR'] = gates
let count = 0

export function removeAll(): void {
  rmSync(base, { recursive: true, force: true })
}

const rejections: unknown[] = []
// That the cache cannot be used is what all this is about.
process.removeAllListeners('warning')
process.on('unhandledRejection', (reason) => rejections.push(reason))

/** All there are, as a run without a fault shows. */
export async function casesOf(operation: Operation, way: Way): Promise<Case[]> {
  const { calls } = await inPlace(operation, way, { n: 0, fault: null })
  return calls.flatMap((call, index) =>
    FAULTS.filter((fault) => fault.strikes(call)).map((fault) => ({
      operation,
      way,
      n: index + 1,
      call,
      fault,
    })),
  )
}

/** How it ended. @throws AssertionError for what must not be */
export async function tryCase({ operation, way, n, call, fault }: Case): Promise<Ended> {
  try {
    return (await inPlace(operation, way, { n, fault })).ended
  } catch (error) {
    const where = `${operation.name}, ${way}: call ${n} (${call}) fails with ${fault.name}`
    throw new Error(`${where}: ${error instanceof Error ? error.stack : String(error)}`, { cause: error })
  }
}

const templates = new Map<Operation, Image>()

async function templateOf(operation: Operation): Promise<Image> {
  const known = templates.get(operation)
  if (known) return known
  const root = newRoot()
  mkdirSync(root)
  settle({ way: 'in thread', ...operation.setting })
  await operation.before?.(root)
  await passTime()
  const template = new Image(root)
  templates.set(operation, template)
  return template
}

/** All of one length: see image.ts. */
const newRoot = (): string => join(base, `case-${String(count++).padStart(8, '0')}`)

async function inPlace(
  operation: Operation,
  way: Way,
  failing: { n: number; fault: Fault | null },
): Promise<{ ended: Ended; calls: string[] }> {
  const template = await templateOf(operation)
  const root = newRoot()
  template.layDownAsOld(root)
  settle({ way, ...operation.setting })
  try {
    const { act, check } = await operation.arrange(root)
    const pendingBefore = await passTime()
    const openBefore = new Set(openBelow(root))
    const regions = [root, gates, ...(operation.needsTemporary ? [temporary] : [])]
    const { result: ended, calls } = await withFault(regions, failing, () => toTheEnd(act))
    assertAllowed(operation, failing.fault, ended)
    assert.ok((await passTime()) <= pendingBefore, 'a timer goes on for ever')
    const left = openBelow(root).filter((path) => !openBefore.has(path))
    assert.deepEqual(left, [], 'a descriptor is left open')
    assertUnlocked(root)
    // In which thread others look is no matter, and so the cheaper one.
    settle({ way: 'in thread', ...operation.setting })
    await check(ended, failing.fault)
    await assertNothingLeft(root)
    assert.deepEqual(rejections.splice(0), [], 'a rejection was handled by nobody')
    return { ended, calls }
  } finally {
    await passTime()
    rmSync(root, { recursive: true, force: true })
  }
}

/** Also what is put off: a lock file that is closed, statistics that are written, later. */
async function toTheEnd(act: () => Promise<string>): Promise<Ended> {
  const ended = await inTime(endOf(act()))
  await passTime()
  return ended
}

async function endOf(act: Promise<string>): Promise<Ended> {
  try {
    return { outcome: await act }
  } catch (error) {
    return { outcome: 'error', error }
  }
}

/** Only ends what hangs: no single case takes a second. */
const LIMIT_MS = 30_000

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it hangs')), LIMIT_MS)
  })
  return Promise.race([work, limit]).finally(() => clearTimeout(timer))
}

function assertAllowed({ goesWell, orElse, codes = [] }: Operation, fault: Fault | null, ended: Ended): void {
  if (goesWell.includes(ended.outcome)) return
  if (ended.outcome !== 'error') return assert.equal(ended.outcome, orElse)
  const { error } = ended
  assert.ok(
    orElse === 'error' && fault !== null && fault.when !== 'short',
    describe('it must not fail', error),
  )
  assert.ok(isLatchError(error), describe('it is no LatchError', error))
  assert.ok([fault.code, ...codes].includes(error.code), describe(`it has the code ${error.code}`, error))
  assert.match(error.hint, /\w/)
}

function describe(problem: string, error: unknown): string {
  return `${problem}: ${error instanceof Error ? error.stack : String(error)}`
}

/** What the check itself has taken and let go of since is no matter: it could not have, were they held. */
function assertUnlocked(root: string): void {
  const native = realHost().native
  for (const file of below(root)) {
    assert.doesNotMatch(file, /\/locks\/[^/]+\.held\/./, 'a network lock is still held')
    if (native === null || !file.endsWith('.lock')) continue
    const fd = openSync(join(root, file), 'r')
    try {
      assert.ok(native.flock(fd, 'exclusive'), `${file} is still locked`)
    } finally {
      closeSync(fd)
    }
  }
}

/** What a failing disk has kept the operation from removing, gc does; who waited, it sees once that process lives no more. */
async function assertNothingLeft(root: string): Promise<void> {
  beginAnotherLife()
  for (const cache of [join(root, 'cache'), join(root, '.cachelatch')]) {
    if (leftIn(cache).length === 0) continue
    await (await openCache(cache, { strict: true })).gc({ graceMs: 0 })
    assert.deepEqual(leftIn(cache), [], 'gc has left something')
  }
  assert.deepEqual(readdirSync(temporary), [], 'a private directory is left')
}
