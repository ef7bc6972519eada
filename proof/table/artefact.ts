/**
 * What is compiled: two files that belong together, as a kernel and its metadata do. Each describes itself and names
 * the build that it is of, so whoever looks at them knows, without asking anybody, whether they are whole and of one.
 */
import { existsSync, readdirSync, writeFileSync, openSync, closeSync } from 'node:fs'
import { join } from 'node:path'
import { described, readGroup } from '../../test/support/self-describing.js'

export const FILES = ['kernel.bin', 'weights.bin'] as const

/** Where a compiler can stand still. */
export const STEPS = ['begun', 'half a file', 'one file', 'one and a half', 'both files'] as const
export type Step = (typeof STEPS)[number]

export interface Piece {
  file: string
  bytes: Uint8Array
  /** Of its file. */
  isFirst: boolean
  isLast: boolean
}

/** A compiler gives its files piece by piece, and is told to go on only when a piece was dealt with. */
export type Compile = () => AsyncGenerator<Piece, void, undefined>

export async function* pieces(
  id: string,
  bytesEach: number,
  reach: (step: Step) => Promise<void>,
): ReturnType<Compile> {
  await reach('begun')
  for (const [index, file] of FILES.entries()) {
    const bytes = described({ unit: 'model', id }, Buffer.alloc(bytesEach, id))
    const middle = bytes.length >> 1
    yield { file, bytes: bytes.subarray(0, middle), isFirst: true, isLast: false }
    await reach(STEPS[1 + 2 * index]!)
    yield { file, bytes: bytes.subarray(middle), isFirst: false, isLast: true }
    await reach(STEPS[2 + 2 * index]!)
  }
}

/** As programs write: open, write, close, at the final name. */
export async function writeInPlace(directory: string, compile: Compile): Promise<void> {
  let fd = -1
  for await (const { file, bytes, isFirst, isLast } of compile()) {
    if (isFirst) fd = openSync(join(directory, file), 'w')
    writeFileSync(fd, bytes)
    if (isLast) closeSync(fd)
  }
}

/** What a program goes by that asks whether the result is there. */
export function isThere(directory: string): boolean {
  return FILES.every((file) => existsSync(join(directory, file)))
}

export type Sight = 'nothing' | 'whole' | 'torn'

/** What somebody gets who looks whether it is there, and then reads it. */
export function look(directory: string): { sight: Sight; why?: string } {
  if (!isThere(directory)) return { sight: 'nothing' }
  try {
    const files = readdirSync(directory).filter((name) => (FILES as readonly string[]).includes(name))
    readGroup(directory, 'model', files)
    return { sight: 'whole' }
  } catch (error) {
    return { sight: 'torn', why: (error as Error).message }
  }
}
