/** What is drawn and written of a bench run: of any figures, so these here are made up. */
import { SaxesParser } from 'saxes'
import { describe, expect, test } from 'vitest'
import { asMarkdown } from '../../bench/page.js'
import { picturesOf } from '../../bench/plots/pictures.js'
import { type Report, type Row, type Scaling, atLeast, atMost } from '../../bench/report.js'
import { seriesOf } from '../../bench/scale.js'
import { exponentOf, growthOf } from '../../bench/statistics.js'

const WIDTH = 880

test.each([
  ['flat', 'flat', () => 7],
  ['a root', 'less than linear', (at: number) => Math.sqrt(at)],
  ['a line', 'linear', (at: number) => 3 * at],
  ['a line after a start that takes a while', 'linear', (at: number) => 5 + at],
  ['a square', 'worse than linear', (at: number) => at ** 2],
])('%s is told to be %s', (_, growth, of) => {
  const points = [1, 10, 100, 1_000, 10_000, 100_000].map((at) => ({ at, median: of(at) }))
  expect(growthOf(exponentOf(points))).toBe(growth)
})

test('an aim is met at its limit and missed beyond', () => {
  const figure = (measured: number) => ({ measured, samples: 5 })
  expect([1.5, 1.51].map((measured) => atMost(1, '', figure(measured), 1.5).met)).toEqual([true, false])
  expect([20, 19.9].map((measured) => atLeast(2, '', figure(measured), 20).met)).toEqual([true, false])
  // What could not be measured is not met.
  expect(atMost(1, '', figure(Number.NaN), 1.5).met).toBe(false)
})

describe('of a whole run', () => {
  const report = madeUp()
  const pictures = picturesOf(report)

  test('every picture that has its figures is drawn, well-formed, with all its texts on the sheet', () => {
    expect(pictures.map(({ group }) => group)).toEqual(['one-key', 'lock', 'keys'])
    for (const { text } of pictures) {
      const starts = textStarts(text)
      expect(starts.length).toBeGreaterThan(10)
      expect(starts.filter((x) => !(x >= 0 && x <= WIDTH))).toEqual([])
    }
  })

  test('a picture names the machine and the day', () => {
    for (const { text } of pictures)
      expect(text.replaceAll(/<[^>]*>\s*/g, ' ').replaceAll(/\s+/g, ' ')).toMatch(
        /a processor, 2 cores.* 2026-11-23/,
      )
  })

  test('the page has every aim, every figure, every picture, and what was skipped', () => {
    const page = asMarkdown(report, pictures)
    expect(page).toContain('| 1 | withLock, to open + flock + close | ≤ 1.5 × | 1.4 × | 25 | met |')
    expect(page).toContain('| **withLock** | 12 (11–13) | 1.4 | 25 |')
    expect(page).toContain('![A cache of 1 to 100 000 entries](../../docs/pictures/keys.svg)')
    expect(page).toContain('| growth | linear (power 1.00) |')
    expect(page).toContain('Skipped: Go lockedfile: go is not installed.')
  })
})

function textStarts(svg: string): number[] {
  const starts: number[] = []
  const parser = new SaxesParser()
  parser.on('error', (error) => {
    throw error
  })
  parser.on('opentag', ({ name, attributes }) => {
    if (name === 'text') starts.push(Number(attributes['x']))
  })
  parser.write(svg).close()
  return starts
}

function madeUp(): Report {
  const aim = atMost(1, 'withLock, to open + flock + close', { measured: 1.4, samples: 25 }, 1.5)
  const lock = {
    title: 'Uncontended lock + release',
    unit: 'µs',
    rows: [row('withLock', 'ours', 12), row('open + flock + close', 'floor', 8)],
    skipped: ['Go lockedfile: go is not installed'],
  }
  const along = { along: 'workers', unit: 's' }
  return {
    schema: 2,
    machine: {
      cpu: 'a processor',
      cores: 2,
      memory: 16,
      kernel: 'Linux 6',
      fileSystem: 'ext4 (rw,relatime)',
      node: '20.0.0',
      date: '2026-11-23T12:00:00.000Z',
      load: 0,
    },
    quick: false,
    seconds: 60,
    groups: [
      { name: 'lock', tables: [lock], aims: [aim] },
      { name: 'one-key', tables: [], aims: [], scalings: [scaling(along), scaling(along)] },
      { name: 'keys', tables: [], aims: [], scalings: [scaling({ along: 'entries', unit: 'ms' })] },
    ],
  }
}

function row(name: string, role: Row['role'], median: number): Row {
  return { name, role, median, low: median - 1, high: median + 1, samples: 25, ratio: 1.4, values: [median] }
}

function scaling(labels: Pick<Scaling, 'along' | 'unit'>): Scaling {
  const at = [1, 8, 128]
  const series = seriesOf(
    at.map((count) => ({ at: count, rows: [{ ...row('cachelatch', 'ours', 2 * count), low: count }] })),
  )
  return { title: 'as there are more', ...labels, series }
}
