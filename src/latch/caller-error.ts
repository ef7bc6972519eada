/**
 * What the caller's own code threw: it passes through unchanged, and is never taken for an error of the cache, even
 * where it looks like one (a build that throws ENOENT).
 */
export class CallerError extends Error {
  constructor(readonly thrown: unknown) {
    super('thrown by the caller')
  }
}

/** Runs code of the caller's. */
export async function asCaller<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new CallerError(error)
  }
}
