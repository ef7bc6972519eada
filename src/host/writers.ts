/** Which files somebody has open for writing. Linux; elsewhere nobody knows, and the set is empty. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs'

/** Paths below `directory` that a process which we may look at has open for writing. */
export function openForWriting(directory: string): Set<string> {
  const written = new Set<string>()
  for (const pid of list('/proc').filter((name) => /^\d+$/.test(name)))
    for (const fd of list(`/proc/${pid}/fd`)) {
      const path = targetOf(`/proc/${pid}/fd/${fd}`)
      if (path?.startsWith(`${directory}/`) && isForWriting(`/proc/${pid}/fdinfo/${fd}`))
        written.add(path.slice(directory.length + 1))
    }
  return written
}

/** proc(5): `flags:` in octal are those of open(2); the two lowest bits tell reading (0) from writing. */
function isForWriting(path: string): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(path, 'utf8'))?.[1]
    return flags !== undefined && (Number.parseInt(flags, 8) & 3) !== 0
  } catch {
    return false
  }
}

/** Empty for a process that has ended, or that is another user's. */
function list(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function targetOf(link: string): string | null {
  try {
    return readlinkSync(link)
  } catch {
    return null
  }
}
