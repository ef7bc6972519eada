/** Lines of files that are larger than what is read of them at once. */
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { linesOf } from '../../src/host/lines.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()
/** More than one piece, however much is read at once. */
const MANY = 700_000

function fileOf(content: string): string {
  const path = join(scratch(), 'lines')
  writeFileSync(path, content)
  return path
}

async function read(source: string | number, maxBytes: number): Promise<(string | null)[]> {
  const lines: (string | null)[] = []
  for await (const some of linesOf(source, maxBytes)) for (const line of some) lines.push(line)
  return lines
}

test('lines that lie across the pieces that are read are whole, wherever the cut is', async () => {
  const lines = Array.from({ length: MANY / 7 }, (_, n) => String(n).padStart(n % 13, '.'))
  for (const shift of ['', 'x', 'xy']) {
    const content = [shift, ...lines]
    expect((await read(fileOf(content.join('\n')), 20)).join('\n') === content.join('\n')).toBe(true)
  }
})

test('a piece that ends one byte after a line loses nothing', async () => {
  const first = 'a'.repeat(256 * 1024 - 2)
  expect((await read(fileOf(`${first}\nbc\n`), MANY)).at(-1)).toBe('bc')
})

test('of a line over many pieces, only that it was there; those around it are whole', async () => {
  const rest = Array.from({ length: MANY / 2 }, () => 'z')
  const content = ['a', 'x'.repeat(MANY), 'b', ...rest, 'y'.repeat(MANY)]
  const expected = ['a', null, 'b', ...rest, null]
  expect(JSON.stringify(await read(fileOf(content.join('\n')), 10)) === JSON.stringify(expected)).toBe(true)
})

test('the end of a line that is too long is no line, however little of it is in the last piece', async () => {
  for (let more = 0; more <= 10; more++)
    expect(await read(fileOf(`${'x'.repeat(2 * 256 * 1024 + more)}\nb`), 10)).toEqual([null, 'b'])
})

test('of a line that is too long, no more than a piece is in memory', async () => {
  const concat = vi.spyOn(Buffer, 'concat')
  try {
    expect(await read(fileOf('x'.repeat(5 * MANY)), 10)).toEqual([null])
    for (const { value } of concat.mock.results) expect((value as Buffer).length).toBeLessThan(MANY)
  } finally {
    concat.mockRestore()
  }
})

test('a line is skipped up to its end, or to 128 MiB, by itself; what follows those is not read', async () => {
  const MANY_BYTES = 128 * 1024 * 1024
  for (const [lengths, expected] of [
    [[MANY_BYTES], [null, 'b']],
    [
      [MANY_BYTES - 1, MANY_BYTES],
      [null, null, 'b'],
    ],
    [[MANY_BYTES + 256 * 1024], [null]],
  ] as const) {
    const path = fileOf('')
    const fd = openSync(path, 'r+')
    let end = 0
    for (const length of lengths) writeSync(fd, '\n', (end += length + 1) - 1)
    writeSync(fd, 'b', end)
    closeSync(fd)
    expect(await read(path, 10)).toEqual(expected)
  }
})

test('a line as long as may be is read, with an end or without', async () => {
  expect(await read(fileOf('12345\n123456\n12345'), 5)).toEqual(['12345', null, '12345'])
  expect(await read(fileOf('123456'), 5)).toEqual([null])
})

test('an open file is read, and so is stdin', async () => {
  expect(await read(openSync(fileOf('a\nb'), 'r'), 5)).toEqual(['a', 'b'])
  const program = `import { linesOf } from ${JSON.stringify(new URL('../../src/host/lines.js', import.meta.url))}
    for await (const lines of linesOf('-', 5)) console.log(JSON.stringify(lines))`
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], { input: 'a\nb' })
  expect(output.toString()).toBe('["a"]\n["b"]\n')
})
