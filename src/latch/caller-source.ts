/** The payload of a write, as far as it is code of the caller's that runs: streams, generators. */
import { attempt } from '../host/disk-errors.js'
import type { Chunk, Source } from '../store/bytes.js'
import { asCaller } from './caller-error.js'
import { gone } from './open.js'

/**
 * What a stream throws is its caller's, and ends as soon as the caller gives up, also where the stream never yields
 * again. Invariant: a stream is read once. When the write has to be made anew, what was read already is missing.
 */
export function fromCaller(source: Source, signal: AbortSignal | undefined): Source {
  const iterate = iteratorOf(source)
  if (iterate === null) return source
  let begun = false
  return {
    async *[Symbol.asyncIterator]() {
      if (begun)
        throw gone(
          'the stage',
          'The cache was removed while a stream was written, and it cannot be read twice',
        )
      begun = true
      const iterator = iterate()
      let done = false
      try {
        for (;;) {
          const next = await asCaller(() => orAbort(signal, async () => iterator.next()))
          done = next.done === true
          if (done) return
          yield next.value as Chunk
        }
      } finally {
        // Not awaited: a generator that hangs would hang us as well.
        if (!done) void attempt(Promise.resolve(iterator.return?.()))
      }
    },
  }
}

function iteratorOf(source: Source): (() => Iterator<Chunk> | AsyncIterator<Chunk>) | null {
  if (typeof source !== 'object' || source === null || ArrayBuffer.isView(source)) return null
  if (Symbol.asyncIterator in source) return () => source[Symbol.asyncIterator]()
  return Symbol.iterator in source ? () => source[Symbol.iterator]() : null
}

async function orAbort<T>(signal: AbortSignal | undefined, step: () => Promise<T>): Promise<T> {
  if (signal === undefined) return step()
  signal.throwIfAborted()
  const { promise, reject } = withRejection()
  const abort = (): void => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([step(), promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** `Promise.withResolvers` is Node 22. */
function withRejection(): { promise: Promise<never>; reject: (reason: unknown) => void } {
  let reject = (_reason: unknown): void => undefined
  const promise = new Promise<never>((_, fail) => (reject = fail))
  return { promise, reject }
}
