/** Who writes in a slot just now. Linux; elsewhere nobody knows, and it looks as if nobody does. */
import type { Opened } from '../latch/open.js'

/** Paths below the slot that a process which we may look at has open for writing. */
export async function openForWriting(
  { host, layout }: Pick<Opened, 'host' | 'layout'>,
  slot: string,
): Promise<Set<string>> {
  // A worker in a container sees the cache under another name, and what is in it under the same.
  const inside = `${slot.slice(layout.root.length)}/`
  const found = await host.processes.openFiles((seen) => {
    const start = seen.indexOf(inside)
    return start < 0 ? null : `${slot}/${seen.slice(start + inside.length)}`
  })
  const written = (found?.files ?? []).filter(({ writes }) => writes)
  return new Set(written.map(({ path }) => path.slice(slot.length + 1)))
}
