/** Sizes and durations: as people type them, and as they like to read them. */
import bytes from 'bytes'
import ms from 'ms'
import { UsageError } from './usage.js'

/** `50GB`, `1.5T`, `800 MiB`: units are powers of 1024. The libraries take `50G` for 50 bytes, so the form is checked. */
const SIZE = /^\s*(\d+(?:\.\d+)?)\s*([kmgtp]?)(?:i?b)?\s*$/i
/** `90s`, `12h`, `14d`, `2 weeks`. Never without a unit: `14` would be milliseconds. */
const DURATION = /^\s*\d+(?:\.\d+)?\s*[a-z]+\s*$/i

export function parseSize(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined
  const [, number, unit] = SIZE.exec(text) ?? []
  const size = number === undefined ? null : bytes.parse(`${number}${unit}b`)
  if (size === null) throw new UsageError(`${option} takes a size such as 50GB, not '${text}'.`)
  return size
}

export function parseDuration(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined
  const duration = DURATION.test(text) ? ms(text.trim() as ms.StringValue) : undefined
  if (duration === undefined)
    throw new UsageError(`${option} takes a duration such as 14d, 12h or 30m, not '${text}'.`)
  return duration
}

export function formatSize(size: number): string {
  return bytes.format(size, { unitSeparator: ' ', decimalPlaces: 1 }) ?? `${size} B`
}

/** How long ago `then` was; both in milliseconds since 1970. */
export function formatAge(then: number, now: number): string {
  const age = now - then
  return age < 1_000 ? 'just now' : `${ms(Math.round(age))} ago`
}

/** `0:07`, `2:13`, `26:02:13`: minutes and seconds, with hours where there are some; for what goes on while one looks. */
export function formatElapsed(elapsedMs: number): string {
  const seconds = Math.max(0, Math.round(elapsedMs / 1000))
  const pad = (number: number): string => String(number).padStart(2, '0')
  const [minutes, hours] = [Math.floor(seconds / 60) % 60, Math.floor(seconds / 3600)]
  const rest = pad(seconds % 60)
  return hours === 0 ? `${minutes}:${rest}` : `${hours}:${pad(minutes)}:${rest}`
}

/** `1 entry`, `2 entries`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`
}
