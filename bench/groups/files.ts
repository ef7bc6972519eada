/** An entry of 1 to 50 000 small files. */
import type { Context } from '../context.js'
import { type Shape, publishAndHit } from '../publish/shape.js'
import type { Group } from '../report.js'

const FILE_BYTES = 1024
const COUNTS = [
  { files: 1, rounds: 15 },
  { files: 10, rounds: 15 },
  { files: 100, rounds: 9 },
  { files: 1_000, rounds: 5 },
  { files: 10_000, rounds: 3 },
  { files: 50_000, rounds: 1 },
]

export async function filesGroup(context: Context): Promise<Group> {
  const shapes = COUNTS.filter(({ files }) => !context.quick || files <= 1_000).map(
    ({ files, rounds }): Shape => ({ files, fileBytes: FILE_BYTES, rounds }),
  )
  const labels = { of: 'N files of 1 KB', along: 'files', place: ({ files }: Shape) => files }
  return { name: 'files', tables: [], scalings: await publishAndHit(context, labels, shapes), aims: [] }
}
