/**
 * Keys: any JSON value. Two keys are one if their canonical JSON (RFC 8785) is: member order and the
 * spelling of numbers do not matter. Other languages reach the same entry with any RFC 8785 library.
 *
 * Invariant: what JSON cannot say is refused, never dropped. `JSON.stringify` turns a Map, a RegExp or a class
 * instance into `{}`, and two different models would share one entry.
 */
import { LatchError } from './errors.js'

export type Key =
  string | number | boolean | null | readonly Key[] | { readonly [name: string]: Key | undefined }

/** Longest canonical key, in UTF-16 units: a key is stored in its entry's manifest, which every hit reads. */
export const MAX_KEY_LENGTH = 1024 * 1024

/** @throws LatchError KEY_INVALID for what JSON cannot say (undefined, NaN, bigint, a cycle) and over-long keys. */
export function canonicalKey(key: Key): string {
  try {
    const text = write(key, { left: MAX_KEY_LENGTH })
    if (text.length <= MAX_KEY_LENGTH) return text
  } catch (cause) {
    if (cause instanceof LatchError) throw cause
    throw invalid(cause instanceof RangeError ? 'is a cycle, or nested too deeply' : 'cannot be read', cause)
  }
  throw tooLong()
}

/** Whether the text is a key in its canonical form: what stands in a manifest may have been written by anybody. */
export function isCanonical(text: string): boolean {
  try {
    return canonicalKey(JSON.parse(text) as Key) === text
  } catch {
    return false
  }
}

/** `left` bounds the work as well: a small object that refers to its parts many times has a huge JSON. */
function write(value: unknown, budget: { left: number }): string {
  if (budget.left < 0) throw tooLong()
  const text = Array.isArray(value)
    ? `[${Array.from(value, (item) => write(item, budget)).join(',')}]`
    : isPlainObject(value)
      ? `{${writeMembers(value, budget)}}`
      : writeScalar(value)
  budget.left -= Array.isArray(value) || isPlainObject(value) ? 2 : text.length
  return text
}

function writeMembers(object: Record<string, unknown>, budget: { left: number }): string {
  return Object.keys(object)
    .filter((name) => object[name] !== undefined)
    .sort() // By UTF-16 units, as RFC 8785 has it.
    .map((name) => {
      budget.left -= name.length
      return `${JSON.stringify(name)}:${write(object[name], budget)}`
    })
    .join(',')
}

function writeScalar(value: unknown): string {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value)
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value)
  const name = typeof value === 'object' ? `a ${value.constructor?.name ?? 'object'}` : typeof value
  throw invalid(typeof value === 'number' ? `contains ${value}` : `is or contains ${name}`)
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  // Another realm's Object.prototype (a vm context, a test runner) has no prototype either.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** A short readable form for messages. */
export function keyLabel(canonical: string): string {
  return canonical.length <= 80 ? canonical : `${canonical.slice(0, 77)}…`
}

function tooLong(): LatchError {
  return invalid(`is over ${MAX_KEY_LENGTH} characters long`)
}

function invalid(problem: string, cause?: unknown): LatchError {
  return new LatchError('KEY_INVALID', `The key ${problem}.`, {
    hint: 'Use strings, finite numbers, booleans, null, arrays and plain objects; hash long inputs first.',
    cause,
  })
}
