/** Races made to happen: something is done just after a wanted call of `node:fs/promises`. */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { afterEach } from 'vitest'

type After = (name: 'unlink' | 'readdir', isMeant: (path: string) => boolean, happen: () => void) => void

/** Call at the top of a file. Returns the way to set one; each happens once, also after a call that failed. */
export function usePausePoints(): After {
  const restore: (() => void)[] = []
  const calls = fs.promises as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
  afterEach(() => {
    for (const each of restore.splice(0)) each()
    syncBuiltinESMExports()
  })
  return (name, isMeant, happen) => {
    const original = calls[name]!
    let happened = false
    restore.push(() => (calls[name] = original))
    calls[name] = async (...args) => {
      try {
        return await original.apply(fs.promises, args)
      } finally {
        if (!happened && isMeant(String(args[0]))) {
          happened = true
          happen()
        }
      }
    }
    syncBuiltinESMExports()
  }
}
