/** Exit codes (sysexits.h where it has one), and the error of somebody who typed something wrong. */
import { type LatchErrorCode, isLatchError } from '../core/errors.js'
import { printableLines } from '../core/printable.js'

export const EXIT = { problems: 1, usage: 64, noCache: 66, unusable: 69, internal: 70, busy: 75 } as const

/** For people. What a command that was run ends with comes through unchanged. */
export const EXIT_CODES: Record<string, string> = {
  0: 'done',
  [EXIT.problems]: 'the build failed, or problems were found',
  [EXIT.usage]: 'the command line is wrong',
  [EXIT.noCache]: 'there is no cache in the directory',
  [EXIT.unusable]: 'this directory or file system cannot be used: the message says why',
  [EXIT.internal]: 'a bug in cachelatch',
  [EXIT.busy]: 'the lock was not free in time',
  126: 'CMD cannot be executed',
  127: 'CMD was not found',
  '128 + N': 'CMD was ended by signal N',
}

export class UsageError extends Error {}

const BY_CODE: Partial<Record<LatchErrorCode, number>> = {
  WAIT_TIMEOUT: EXIT.busy,
  KEY_INVALID: EXIT.usage,
  PRESET_INVALID: EXIT.usage,
  ONCE_REFUSED: EXIT.usage,
  NO_CACHE: EXIT.noCache,
  BUILD_FAILED: EXIT.problems,
  BUILD_CRASHED: EXIT.problems,
  BUILD_INVALID: EXIT.problems,
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage
  if (isLatchError(error)) return BY_CODE[error.code] ?? EXIT.unusable
  return EXIT.internal
}

/** What a person reads at 3 a.m.: what happened, then what to do about it. @param command the one that was run */
export function explainToPerson(error: unknown, command = ''): string {
  if (isLatchError(error))
    return printableLines(`cachelatch: ${error.message} [${error.code}]\n  hint: ${error.hint}`)
  if (error instanceof UsageError)
    return `cachelatch: ${printableLines(error.message)}\nTry '${['cachelatch', command, '--help'].filter(Boolean).join(' ')}'.`
  return `cachelatch: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
}
