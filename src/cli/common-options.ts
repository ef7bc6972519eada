/** Options that mean the same for every command that has them. */
import { resolve } from 'node:path'
import { defaultCacheDirectory, setEventsFile } from '../host/settings.js'
import { UsageError } from './usage.js'

export const CACHE = {
  cache: { value: 'DIR', text: 'the cache (CACHELATCH_DIR, else ~/.cache/cachelatch)' },
} as const

export const JSON_REPORT = { json: { text: 'one JSON object on one line' } } as const

export const QUIET = { quiet: { short: 'q', text: 'say nothing of waiting and progress' } } as const

export const WAIT = {
  wait: { short: 'w', value: 'SECONDS', text: 'how long to wait for another that holds the lock (3600)' },
} as const

export const EVENTS = {
  events: {
    value: 'FILE',
    text: "append what happens, here and in CMD, to FILE, for 'cachelatch timeline' (CACHELATCH_EVENTS, else nowhere)",
  },
} as const

export const PRESETS = {
  preset: {
    short: 'p',
    value: 'NAME',
    multiple: true,
    text: 'vllm, triton, jax …, or a JSON file of your own; repeated, or with commas, for several',
  },
  key: { value: 'KEY', text: 'separates workers that are of no use to each other: an image, a driver' },
} as const

/** @throws UsageError */
export function wholeNumber(text: string | undefined, option: string, least: number): number | undefined {
  if (text === undefined) return undefined
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (!(number >= least)) throw new UsageError(`${option} takes a whole number from ${least}, not '${text}'.`)
  return number
}

/** From here on, this process and those that it starts record their events. */
export function recordEvents(file: string | undefined): void {
  if (file !== undefined) setEventsFile(file)
}

export function cacheDirectory(option: string | undefined): string {
  return resolve(option ?? defaultCacheDirectory())
}

/** Seconds, as flock(1) takes them, to milliseconds. @throws UsageError */
export function secondsToMs(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined
  const seconds = Number(text)
  if (text.trim() === '' || !(seconds >= 0))
    throw new UsageError(`${option} takes a number of seconds, not '${text}'.`)
  return seconds * 1000
}
