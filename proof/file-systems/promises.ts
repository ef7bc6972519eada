/** Which tests stand for which promise. */
import type { Tested } from './suites.js'

export interface Promised {
  promise: string
  standsFor: (test: Tested) => boolean
}

const LOCKER = /^(kernel by flock\(1\)|kernel|lockfile without a gate|lockfile|memory)(, .*)?$/

/** The locker that a test of the contract is about. */
function lockerOf({ titles }: Tested): string | null {
  return LOCKER.exec(titles[0]!)?.[1] ?? null
}

const contract =
  (locker: string): ((test: Tested) => boolean) =>
  (test) =>
    lockerOf(test) === locker
const titled =
  (start: string): ((test: Tested) => boolean) =>
  ({ suite, titles }) =>
    suite === 'promises' && titles.join(' ').startsWith(start)

export const PROMISED: Promised[] = [
  { promise: 'Contract of the kernel lock (koffi)', standsFor: contract('kernel') },
  { promise: 'Contract of the kernel lock (flock(1))', standsFor: contract('kernel by flock(1)') },
  { promise: 'Contract of the network lock', standsFor: contract('lockfile') },
  { promise: 'Contract of the network lock, without gates', standsFor: contract('lockfile without a gate') },
  { promise: 'Of eight processes that ask at once, one compiles', standsFor: titled('of eight processes') },
  {
    promise: 'With a lock that excludes nobody: whole, one result, nothing seen in part',
    standsFor: titled('with a lock that excludes nobody'),
  },
  {
    promise: 'kill -9 while it is created or built: succeeded, nothing seen in part',
    standsFor: titled('killed with -9'),
  },
  { promise: 'What a crash has left, gc removes', standsFor: titled('what crashes have left') },
  { promise: 'Full disk: old content stays, builds go on privately', standsFor: titled('a full disk:') },
  { promise: 'Every payload arrives to the last byte', standsFor: ({ suite }) => suite === 'payloads' },
]

/** The contract that has to be kept for the locker that is chosen, and whatever is no contract of another locker. */
export function mustHold(test: Tested, chosen: string): boolean {
  const locker = lockerOf(test)
  return locker === null || locker === 'memory' || locker.startsWith(chosen) || locker.startsWith('lockfile')
}

export interface Result {
  promise: string
  passed: number
  failed: { titles: string[]; why: string }[]
  skipped: number
}

export function resultsOf(tests: Tested[]): Result[] {
  return PROMISED.map(({ promise, standsFor }) => {
    const mine = tests.filter(standsFor)
    return {
      promise,
      passed: mine.filter(({ state }) => state === 'passed').length,
      failed: mine.filter(({ state }) => state === 'failed').map(({ titles, why = '' }) => ({ titles, why })),
      skipped: mine.filter(({ state }) => state === 'skipped').length,
    }
  })
}
