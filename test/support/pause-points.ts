/** Races made to happen: something is done just before, or just after, a wanted call of `node:fs`. */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { afterEach } from 'vitest'

/** Call at the top of a file. Returns the way to set one; each happens once, and all are gone after the test. */
export function usePausePoints(): {
  before: (name: 'openSync', isMeant: (...args: unknown[]) => boolean, happen: () => void) => void
  /** Also where it failed. */
  after: (name: 'unlink' | 'readdir', isMeant: (path: string) => boolean, happen: () => void) => void
} {
  const restore: (() => void)[] = []
  afterEach(() => {
    for (const each of restore.splice(0)) each()
    syncBuiltinESMExports()
  })
  const patch = (calls: Record<string, unknown>, name: string, patched: unknown): void => {
    const original = calls[name]
    restore.push(() => (calls[name] = original))
    calls[name] = patched
    syncBuiltinESMExports()
  }
  return {
    before(name, isMeant, happen) {
      const calls = fs as unknown as Record<string, (...args: unknown[]) => unknown>
      const original = calls[name]!
      let happened = false
      patch(calls, name, (...args: unknown[]) => {
        if (!happened && isMeant(...args)) {
          happened = true
          happen()
        }
        return original.apply(fs, args)
      })
    },
    after(name, isMeant, happen) {
      const calls = fs.promises as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
      const original = calls[name]!
      let happened = false
      patch(calls, name, async (...args: unknown[]) => {
        try {
          return await original.apply(fs.promises, args)
        } finally {
          if (!happened && isMeant(String(args[0]))) {
            happened = true
            happen()
          }
        }
      })
    },
  }
}
