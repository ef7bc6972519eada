/** Exit codes (sysexits.h where it has one), and the error of somebody who typed something wrong. */
import { type LatchErrorCode, isLatchError } from '../core/errors.js'

export const EXIT = { usage: 64, noCache: 66, unusable: 69, internal: 70, busy: 75 } as const

export class UsageError extends Error {}

const BY_CODE: Partial<Record<LatchErrorCode, number>> = {
  WAIT_TIMEOUT: EXIT.busy,
  KEY_INVALID: EXIT.usage,
  NO_CACHE: EXIT.noCache,
  BUILD_FAILED: 1,
  BUILD_CRASHED: 1,
  BUILD_INVALID: 1,
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage
  if (isLatchError(error)) return BY_CODE[error.code] ?? EXIT.unusable
  return EXIT.internal
}

/** What a person reads at 3 a.m.: what happened, then what to do about it. */
export function explainToPerson(error: unknown): string {
  if (isLatchError(error)) return `cachelatch: ${error.message} [${error.code}]\n  hint: ${error.hint}`
  if (error instanceof UsageError) return `cachelatch: ${error.message}\nTry 'cachelatch --help'.`
  return `cachelatch: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
}
