/** An entry of one file, from 1 KB to 1 GB, and 4 GB where that was asked for. */
import type { Context } from '../context.js'
import { type Shape, publishAndHit } from '../publish/shape.js'
import type { Group } from '../report.js'

const KIB = 1024
const SIZES = [
  { bytes: KIB, rounds: 15 },
  { bytes: 64 * KIB, rounds: 15 },
  { bytes: KIB ** 2, rounds: 15 },
  { bytes: 16 * KIB ** 2, rounds: 9 },
  { bytes: 256 * KIB ** 2, rounds: 5 },
  { bytes: KIB ** 3, rounds: 3 },
  { bytes: 4 * KIB ** 3, rounds: 1 },
]

export async function sizesGroup(context: Context): Promise<Group> {
  const largest = context.quick ? KIB ** 2 : context.large ? Infinity : KIB ** 3
  const shapes = SIZES.filter(({ bytes }) => bytes <= largest).map(({ bytes, rounds }): Shape => ({
    files: 1,
    fileBytes: bytes,
    rounds,
  }))
  const labels = { of: 'one file of N bytes', along: 'size', alongBytes: true }
  const scalings = await publishAndHit(context, { ...labels, place: ({ fileBytes }) => fileBytes }, shapes)
  if (!context.large) scalings[0]!.skipped = ['4 GB, without `--large`']
  return { name: 'sizes', tables: [], scalings, aims: [] }
}
