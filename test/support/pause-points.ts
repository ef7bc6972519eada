/** Races made to happen: something is done just after a wanted call in libuv's pool. */
import fs from 'node:fs'
import { afterEach } from 'vitest'

type After = (name: 'unlink' | 'readdir', isMeant: (path: string) => boolean, happen: () => void) => void

/** Call at the top of a file. Returns the way to set one; each happens once, also after a call that failed. */
export function usePausePoints(): After {
  const restore: (() => void)[] = []
  const calls = fs as unknown as Record<string, (...args: unknown[]) => void>
  afterEach(() => {
    for (const each of restore.splice(0)) each()
  })
  return (name, isMeant, happen) => {
    const original = calls[name]!
    let happened = false
    restore.push(() => (calls[name] = original))
    calls[name] = (...args) => {
      const callback = args.pop() as (...results: unknown[]) => void
      original(...args, (...results: unknown[]) => {
        if (!happened && isMeant(String(args[0]))) {
          happened = true
          happen()
        }
        callback(...results)
      })
    }
  }
}
