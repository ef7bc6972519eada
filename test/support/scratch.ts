/** Directories of a test, removed after it, also when it failed. Call `useScratch` at the top of a file or describe. */
import { mkdirSync, mkdtempSync, realpathSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { WORKPLACE } from './workplace.js'

/** Returns the way to make a new, empty directory. */
export function useScratch(place = WORKPLACE): (name?: string) => string {
  let base: string | undefined
  let count = 0
  afterEach(async () => {
    // Some network file systems keep what is deleted while it is open: lock files are, for a second after release.
    if (base !== undefined) await rm(base, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
    base = undefined
  })
  return (name = 'scratch') => {
    base ??= realpathSync(mkdtempSync(join(place, 'cachelatch-test-')))
    const path = join(base, `${name}-${count++}`)
    mkdirSync(path)
    return path
  }
}
