/**
 * Keys: any JSON value. Two keys are one if their canonical JSON (RFC 8785) is: member order and the
 * spelling of numbers do not matter. Other languages reach the same entry with any RFC 8785 library.
 */
import canonicalize from 'canonicalize'
import { LatchError } from './errors.js'

export type Key =
  string | number | boolean | null | readonly Key[] | { readonly [name: string]: Key | undefined }

/** Longest canonical key, in UTF-16 units: a key is stored in its entry's manifest, which every hit reads. */
export const MAX_KEY_LENGTH = 1024 * 1024

/** @throws LatchError KEY_INVALID for what JSON cannot say (undefined, NaN, bigint, a cycle) and over-long keys. */
export function canonicalKey(key: Key): string {
  let text: string | undefined
  try {
    text = (canonicalize as unknown as (value: unknown) => string | undefined)(key)
  } catch (cause) {
    throw invalid('cannot be written as JSON', cause)
  }
  if (text === undefined) throw invalid('is undefined')
  if (text.length > MAX_KEY_LENGTH) throw invalid(`is ${text.length} characters long, over ${MAX_KEY_LENGTH}`)
  return text
}

/** A short readable form for messages. */
export function keyLabel(canonical: string): string {
  return canonical.length <= 80 ? canonical : `${canonical.slice(0, 77)}…`
}

function invalid(problem: string, cause?: unknown): LatchError {
  return new LatchError('KEY_INVALID', `The key ${problem}.`, {
    hint: 'Use strings, finite numbers, booleans, null, arrays and plain objects; hash long inputs first.',
    cause,
  })
}
