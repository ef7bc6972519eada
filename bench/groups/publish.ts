/** Publishing: a file and an entry of three sizes, and a directory of a thousand files. */
import type { Context } from '../context.js'
import { publishDirectory } from '../publish/directory.js'
import { publishEntry } from '../publish/entry.js'
import { publishFile } from '../publish/file.js'
import { type Group, atMost, ratioOf } from '../report.js'

const KIB = 1024
const MIB = 1024 * KIB

export interface Size {
  label: string
  bytes: number
  /** Operations a sample. */
  times: number
  rounds: number
}

const SIZES: (Size & { limit: number })[] = [
  { label: '1 KB', bytes: KIB, times: 20, rounds: 20, limit: 1.15 },
  { label: '1 MB', bytes: MIB, times: 5, rounds: 20, limit: 1.15 },
  { label: '256 MB', bytes: 256 * MIB, times: 1, rounds: 7, limit: 1.03 },
]

export async function publishGroup(context: Context): Promise<Group> {
  const group: Group = { name: 'publish', tables: [], aims: [] }
  for (const size of SIZES) {
    context.say(size.label)
    const [file, entry] = [await publishFile(context, size), await publishEntry(context, size)]
    group.tables.push(file, entry)
    group.aims.push(
      atMost(3, `writeFile, ${size.label}, to the same calls`, ratioOf(file, 'writeFile'), size.limit),
      atMost(
        3,
        `getOrCompile, ${size.label}, hashed, to the same calls without a hash`,
        ratioOf(entry, 'getOrCompile'),
        size.limit,
      ),
    )
  }
  context.say('a directory of many files')
  const table = await publishDirectory(context)
  group.tables.push(table)
  for (const name of ['writeDirectory', 'getOrCompile'])
    group.aims.push(atMost(3, `${name}, 1 000 files, to the same fsyncs`, ratioOf(table, name), 1.3))
  return group
}
