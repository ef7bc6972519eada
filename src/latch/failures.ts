/**
 * What the last build of a key means for this one. Call only with the key's lock held.
 *
 * A waiter gets the error of the build it waited for; who comes later tries again. No clock is needed to tell them
 * apart: a failure whose record was there, and said so, before the call began is an earlier one.
 */
import { LatchError } from '../core/errors.js'
import { judge } from '../core/owner.js'
import { keyLabel } from '../core/key.js'
import { type Attempt, ROW_ENDS_AFTER_MS, readAttempt, writeAttempt } from '../store/attempts.js'
import type { Opened } from './open.js'

const MAX_CRASHES = 3
/** After this the build gets another chance: a machine with more memory, a new driver. */
const GIVEN_UP_FOR_MS = 10 * 60 * 1000

/**
 * How many builds in a row have taken their process down.
 * @throws LatchError BUILD_FAILED, BUILD_CRASHED
 */
export async function crashesSoFar(
  opened: Opened,
  id: string,
  key: string,
  before: Attempt | null,
  retryCrashed: boolean,
): Promise<number> {
  const last = await readAttempt(opened.disk, opened.layout, id)
  if (last === null) return 0
  if (last.state === 'failed') {
    const isEarlier = before?.state === 'failed' && before.token === last.token
    if (isEarlier) return 0
    throw failedElsewhere(key, last)
  }
  return retryCrashed ? 0 : countCrash(opened, id, key, last)
}

/**
 * The record of a build that crashed, or never ended. We hold the lock, so the builder of the latter is gone, unless
 * the lock is broken.
 */
async function countCrash(opened: Opened, id: string, key: string, last: Attempt): Promise<number> {
  const { host, disk, layout } = opened
  const age = host.clock.wallTime() - last.at
  if (last.state === 'building' && judge(last.owner, host.processes) === 'alive') return 0
  if (last.crashes >= MAX_CRASHES) {
    if (age > GIVEN_UP_FOR_MS) return 0
    throw givenUp(key, layout.attempt(id), last)
  }
  if (age > ROW_ENDS_AFTER_MS) return 0
  const crashes = last.crashes + 1
  if (crashes < MAX_CRASHES) return crashes
  const record = { ...last, crashes, at: host.clock.wallTime() }
  await writeAttempt(disk, layout, id, record, host.processes.token())
  throw givenUp(key, layout.attempt(id), record)
}

function failedElsewhere(key: string, { error, owner }: Attempt): LatchError {
  const { name = 'Error', message = 'unknown error', code } = error ?? {}
  const cause = Object.assign(new Error(message), { name }, code === undefined ? {} : { code })
  return new LatchError(
    'BUILD_FAILED',
    `The build of ${keyLabel(key)} failed in pid ${owner.pid} on ${owner.host}: ${message}`,
    {
      hint: 'This call waited for that build and gets its error; a later call builds again.',
      cause,
    },
  )
}

function givenUp(key: string, path: string, { at }: Attempt): LatchError {
  const again = new Date(at + GIVEN_UP_FOR_MS).toISOString()
  return new LatchError(
    'BUILD_CRASHED',
    `The build of ${keyLabel(key)} took its process down ${MAX_CRASHES} times in a row.`,
    {
      hint:
        `Look at why (out of memory? a driver? who sends SIGKILL?). Then pass \`retryCrashed: true\`, ` +
        `or delete ${path}; by itself it is tried again after ${again}.`,
      path,
    },
  )
}
