/** Our own package.json. */
import { readFileSync as read } from 'node:fs'

export function readPackage(): { version: string } {
  return JSON.parse(read(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
}
