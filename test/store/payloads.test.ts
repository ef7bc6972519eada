/** Whatever is given to writeFile arrives to the last byte, and memory does not grow with it. */
import { Readable } from 'node:stream'
import { closeSync, createReadStream, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Source, writeFile } from '../../src/index.js'
import { directDisk, pooledDisk } from '../../src/host/disk.js'
import { missing } from '../support/needs.js'
import { useScratch } from '../support/scratch.js'
import { useWorkers } from '../support/use-workers.js'
import { IS_ELSEWHERE } from '../support/workplace.js'

const scratch = useScratch()
const start = useWorkers()

async function written(source: Source): Promise<Buffer> {
  const path = join(scratch(), 'payload')
  await writeFile(path, source)
  return readFileSync(path)
}

/** 8 KiB with no two parts alike, at an odd place of a larger buffer. */
const bytes = Uint8Array.from({ length: 8192 }, (_, n) => (n * 31 + (n >> 8)) % 256)
const roomy = new ArrayBuffer(3 * bytes.length)
new Uint8Array(roomy).fill(0xee)
new Uint8Array(roomy, 64, bytes.length).set(bytes)

describe('every kind of bytes:', () => {
  const views = [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ]
  test.each(views.map((View) => [View.name, View] as const))(
    '%s, all of it and no more',
    async (_name, View) => {
      const view = new View(roomy, 64, bytes.length / View.BYTES_PER_ELEMENT)
      expect((await written(view)).equals(bytes)).toBe(true)
      expect((await written([view, view])).equals(Buffer.concat([bytes, bytes]))).toBe(true)
    },
  )

  const shared = new SharedArrayBuffer(bytes.length)
  new Uint8Array(shared).set(bytes)
  test.each<[string, () => Source]>([
    ['DataView', () => new DataView(roomy, 64, bytes.length)],
    ['Buffer', () => Buffer.from(roomy, 64, bytes.length)],
    ['ArrayBuffer', () => bytes.buffer],
    ['SharedArrayBuffer', () => shared],
    ['a view of shared memory', () => new Int16Array(shared)],
    ['Blob', () => new Blob([bytes.subarray(0, 5000), bytes.subarray(5000)])],
    ['a web stream', () => new Blob([bytes]).stream()],
    [
      'a stream of Node',
      () => Readable.from([Buffer.from(bytes.subarray(0, 10)), Buffer.from(bytes.subarray(10))]),
    ],
    [
      'a file stream',
      () => {
        const path = join(scratch(), 'from')
        writeFileSync(path, bytes)
        return createReadStream(path, { highWaterMark: 1000 })
      },
    ],
    [
      'an async generator',
      async function* () {
        for (let at = 0; at < bytes.length; at += 777) yield bytes.subarray(at, at + 777)
      },
    ],
    [
      'a generator of all kinds',
      function* () {
        yield bytes.buffer.slice(0, 4096)
        yield new Float64Array(bytes.buffer, 4096, 16)
        yield bytes.subarray(4096 + 128)
      },
    ],
  ])('%s', async (_name, source) => {
    expect((await written(source())).equals(bytes)).toBe(true)
  })

  test.each<[string, Source]>([
    ['no bytes', new Uint8Array()],
    ['no text', ''],
    ['no chunk', []],
    ['an empty Blob', new Blob([])],
  ])('%s makes an empty file', async (_name, source) => {
    expect(await written(source)).toHaveLength(0)
  })
})

describe('text is UTF-8:', () => {
  const PIECE = 256 * 1024
  test.each([PIECE - 2, PIECE - 1, PIECE, 2 * PIECE - 1])(
    'a pair of surrogates %d units from the start',
    async (at) => {
      const text = `${'x'.repeat(at)}😀${'é'.repeat(PIECE)}`
      expect((await written(text)).equals(Buffer.from(text))).toBe(true)
    },
  )

  test('text of pairs only, longer than a piece', async () => {
    const text = `x${'😀'.repeat(PIECE)}`
    expect((await written(text)).equals(Buffer.from(text))).toBe(true)
  })

  test('a pair that a stream of text cuts in two', async () => {
    expect((await written(['a\ud83d', '\ude00b', '\ud83d', '\ude00'])).toString()).toBe('a😀b😀')
    expect((await written(['\ud83d', Buffer.from('x'), '\ud83d'])).toString()).toBe('�x�')
  })

  test('lone halves become the replacement character, as Buffer has it', async () => {
    const text = 'a\ud83d b\ude00\ud83d'
    expect((await written(text)).equals(Buffer.from(text))).toBe(true)
  })
})

test('the mode of the file that is replaced is kept, one that is asked for is set whatever the umask', async () => {
  const path = join(scratch(), 'p')
  const modeOf = (): number => statSync(path).mode & 0o7777
  await writeFile(path, 'x', { mode: 0o755 })
  expect(modeOf()).toBe(0o755)
  await writeFile(path, 'y')
  expect(modeOf()).toBe(0o755)
  await writeFile(path, 'z', { mode: 0o666 })
  expect(modeOf()).toBe(0o666)
})

test.each([
  ['directDisk', directDisk],
  ['pooledDisk', pooledDisk],
])('%s writes more than 2 GiB from one buffer, which is more than one call takes', async (_name, disk) => {
  const fd = openSync('/dev/null', 'w')
  try {
    await disk.write(fd, new Uint8Array(2 ** 31 + 4096))
  } finally {
    closeSync(fd)
  }
})

test.skipIf(IS_ELSEWHERE || missing('linux'))(
  'a stream of 1 GiB adds less than 100 MiB to the memory of its writer',
  async () => {
    const worker = start('latch')
    const path = join(scratch(), 'large')
    await worker.ask('writeStream', path, 1024 * 1024)
    const before = await worker.ask<number>('maxMemory')
    await worker.ask('writeStream', path, 1024 ** 3)
    expect(statSync(path).size).toBe(1024 ** 3)
    expect((await worker.ask<number>('maxMemory')) - before).toBeLessThan(100 * 1024 ** 2)
  },
)
