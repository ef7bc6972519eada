/** Directories of a test, removed after it, also when it failed. Call `useScratch` at the top of a file or describe. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'

/** Returns the way to make a new, empty directory. */
export function useScratch(): (name?: string) => string {
  let base: string | undefined
  let count = 0
  afterEach(() => {
    if (base !== undefined) rmSync(base, { recursive: true, force: true })
    base = undefined
  })
  return (name = 'scratch') => {
    base ??= realpathSync(mkdtempSync(join(tmpdir(), 'cachelatch-test-')))
    const path = join(base, `${name}-${count++}`)
    mkdirSync(path)
    return path
  }
}
