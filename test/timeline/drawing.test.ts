/** The pictures: well-formed whatever the names are, and what they say is there. */
import { SaxesParser } from 'saxes'
import { describe, expect, test } from 'vitest'
import type { EventRecord } from '../../src/core/event-record.js'
import { htmlPage } from '../../src/cli/timeline/html.js'
import { marksOf } from '../../src/cli/timeline/axis.js'
import { drawOn } from '../../src/cli/timeline/page.js'
import { Lanes, type Picture } from '../../src/cli/timeline/picture.js'
import { drawBars, plain } from '../../src/cli/timeline/terminal.js'
import { svgOf } from '../../src/cli/timeline/svg.js'
import { ended, eventsOf, obtained, started, waitEnded, waiting } from '../support/event-records.js'

const HOSTILE = [
  `</text><script>alert(1)</script>`,
  `"'&<>]]>&amp;`,
  `\u0000\u0007\u001b[2J\ud800\ufffe\u202e`,
  '\u{1f600} rang zwölf',
  '',
]

function pictureOf(records: EventRecord[]): Picture {
  const lanes = new Lanes()
  for (const record of records) lanes.take(record)
  return lanes.finish({ now: 0, verdict: () => 'unknown' })!
}

/** Two workers of each hostile name: one dies while compiling, one waits for it. */
function hostilePicture(): Picture {
  return pictureOf(
    HOSTILE.flatMap((name, index) => {
      const [a, b] = ['a', 'b'].map((token) =>
        eventsOf({ token: `${token}${index}`, name, host: name, pid: 7 }),
      )
      return [
        a!(0, started({ host: name })),
        a!(10, { type: 'build-started', key: name }),
        b!(0, { type: 'child-started', pid: 3, command: name }),
        b!(12, waiting(name)),
        b!(500, waitEnded(name)),
        b!(501, obtained(name, 'waited')),
        b!(502, { type: 'trouble', what: 'damaged', message: name }),
        b!(1000, ended(2)),
      ]
    }),
  )
}

interface Seen {
  texts: string[]
  tags: string[]
}

/** @throws where it is not well-formed */
function parse(document: string): Seen {
  const parser = new SaxesParser()
  const seen: Seen = { texts: [], tags: [] }
  parser.on('opentag', ({ name }) => seen.tags.push(name))
  parser.on('text', (text) => seen.texts.push(text))
  parser.on('error', (error) => {
    throw error
  })
  parser.write(document).close()
  return seen
}

describe.each([
  ['svg', (picture: Picture) => svgOf(picture).text],
  ['html', (picture: Picture) => htmlPage(picture).replace('<!doctype html>', '')],
])('%s', (_, make) => {
  test('is well-formed and shows names as they are, whatever they contain', () => {
    const { texts, tags } = parse(make(hostilePicture()))
    expect(tags).not.toContain('script')
    expect(texts.some((text) => text.includes('</text><script>'))).toBe(true)
    expect(texts.some((text) => text.includes('zwölf'))).toBe(true)
  })

  test('loads nothing', () => {
    const text = make(hostilePicture()).replaceAll('http://www.w3.org/2000/svg', '')
    expect(text).not.toMatch(/https?:|url\(|@import|\bsrc=|\bhref=/)
  })
})

test('from the first moment to the last that a clock can show', () => {
  const at = eventsOf()
  const picture = pictureOf([at(0, started()), at(8.64e15, waiting('k'))])
  for (const made of [svgOf(picture).text, htmlPage(picture), drawOn(process.stdout, picture)])
    expect(made).not.toMatch(/NaN|Infinity|undefined/)
})

test('on a terminal, a name steers nothing', () => {
  const text = drawOn(
    Object.assign(Object.create(process.stdout) as NodeJS.WriteStream, { isTTY: false }),
    hostilePicture(),
  )
  // oxlint-disable-next-line no-control-regex -- they are what must not be there
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
  expect(text).toContain(`Events of ${HOSTILE.length} hosts`)
})

test('bars fill the width that they are given, and short states give way', () => {
  const spans = [
    { state: 'starting' as const, from: 0, to: 1 },
    { state: 'waiting' as const, from: 1, to: 500 },
    { state: 'compiling' as const, from: 500, to: 501 },
    { state: 'loading' as const, from: 501, to: 990 },
    { state: 'died' as const, from: 990, to: 990 },
  ]
  const [line, axis] = drawBars([{ label: 'w', spans }], { durationMs: 1000, width: 46, style: plain })
  expect(line).toBe(`  w  ${'░'.repeat(20)}█${'▒'.repeat(19)}x`)
  expect(axis).toBe('     0 s                 0.5                 1')
})

test.each([
  [80, '0 ms'],
  [5_000, '0 s'],
  [600_000, '0 min'],
  [36_000_000, '0 h'],
  [900_000_000, '0 d'],
  [0, '0 ms'],
])('an axis of %i ms begins with %s, and has no more marks than there is room for', (durationMs, first) => {
  const marks = marksOf(durationMs, 8)
  expect(marks[0]).toEqual({ at: 0, label: first })
  expect(marks.length).toBeLessThanOrEqual(9)
  expect(marks.at(-1)!.at).toBeLessThanOrEqual(durationMs)
})
