/** Puts what a power cut has left into a directory, as the next boot finds it. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Remains } from './power-cut.js'

export function layOut(path: string, remains: Remains): void {
  if (Buffer.isBuffer(remains)) writeFileSync(path, remains)
  else if (remains instanceof Map) {
    mkdirSync(path, { recursive: true })
    for (const [name, below] of remains) layOut(join(path, name), below)
  } else symlinkSync(remains.target, path)
}
