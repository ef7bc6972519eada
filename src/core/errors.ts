/**
 * The one error for operating failures. Programmer errors are TypeErrors; expected outcomes are values.
 * The set of codes is closed: adding one is a minor release, changing what one means a major one.
 */
export const LATCH_ERROR_CODES = {
  WAIT_TIMEOUT: 'the lock was not free within timeoutMs',
  LOCK_UNAVAILABLE: 'no lock can be had here (no mechanism works, or the file system refused it)',
  LOCKER_MISMATCH: 'this process cannot use the lock that the cache has been created with',
  NO_CACHE: 'there is no cache in the directory, and none was to be created',
  FORMAT_UNKNOWN: 'format.json is damaged, or of a schema that this version does not know',
  KEY_INVALID: 'the key is not JSON, or longer than 1 MiB',
  BUILD_FAILED: 'the build that this call waited for failed in another caller',
  BUILD_CRASHED: 'the build took its process down three times in a row',
  BUILD_INVALID: 'the build left nothing, or something that cannot be published',
  UNSAFE_PATH: 'something that is not ours (a symbolic link, a FIFO …) stands where a file of ours belongs',
  TARGET_UNUSABLE: 'what stands at the target cannot be kept or replaced',
  SLOTS_TAKEN: 'every slot that is allowed is leased by a living worker',
  PRESET_INVALID: 'there is no preset of that name, or the file of one cannot be used',
  ONCE_REFUSED: 'the ranks of a distributed job are never held back: they wait for each other',
  DISK_FULL: 'no space, no inodes or no quota left',
  READ_ONLY: 'the file system is mounted read-only',
  NO_PERMISSION: 'this user may not write there',
  CROSS_DEVICE: 'stage and target are on different file systems, so that no rename is possible',
  ROOT_GONE: 'the cache directory was removed, again and again, while it was in use',
  DISK_ERROR: 'the file system reported another error; `cause` has it',
} as const

export type LatchErrorCode = keyof typeof LATCH_ERROR_CODES

export interface LatchErrorOptions {
  /** What the reader can do about it, as a sentence. */
  hint: string
  cause?: unknown
  /** The file or directory concerned. */
  path?: string
}

export class LatchError extends Error {
  override readonly name = 'LatchError'
  readonly code: LatchErrorCode
  readonly hint: string
  readonly path: string | undefined

  constructor(code: LatchErrorCode, message: string, { hint, cause, path }: LatchErrorOptions) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.hint = hint
    this.path = path
  }
}

/** Whether `error` is a LatchError, of one of `codes` where any are given. Safe across copies of the package. */
export function isLatchError(error: unknown, ...codes: LatchErrorCode[]): error is LatchError {
  if (!(error instanceof Error) || error.name !== 'LatchError' || !('code' in error)) return false
  return codes.length === 0 || codes.includes(error.code as LatchErrorCode)
}

/** The message of anything that can be thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
