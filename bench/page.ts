/** results/README.md: the same figures as latest.json, for people. */
import type { Aim, Group, Report, Row, Scaling, Series, Table } from './report.js'
import type { Picture } from './plots/pictures.js'

export function asMarkdown(report: Report, pictures: Picture[]): string {
  const { groups, seconds, quick } = report
  const aims = groups.flatMap((group) => group.aims)
  const parts = [
    '# Bench',
    '',
    'Made by `npm run bench`; drawn again from `latest.json`, which has every sample, by `npm run plots`.',
    '',
    'All contenders of a table are measured in one run, interleaved (A B C, then B C A, …), so that noise of the machine',
    'meets all of them: the **ratio** counts, the absolute time depends on the machine. Time: the median, in brackets',
    'the first and third quartile. Ratio: the median of the ratios to the floor, the bare system calls made',
    'synchronously, within each round.',
    '',
    `${conditions(report)}; ${Math.round(seconds)} s${quick ? '; **`--quick`: few samples, not to be quoted**' : ''}.`,
    '',
    '## Aims',
    '',
    ...aimsAsMarkdown(aims.filter(({ aim }) => aim !== null).toSorted((a, b) => a.aim! - b.aim!)),
    '',
    'Also watched:',
    '',
    ...aimsAsMarkdown(aims.filter(({ aim }) => aim === null)),
    ...groups.flatMap((group) => groupAsMarkdown(group, pictures)),
  ]
  return `${parts.join('\n')}\n`
}

export function conditions({ machine }: Report): string {
  const { cpu, cores, memory, kernel, fileSystem, node, date, load } = machine
  return `${cpu}, ${cores} cores, ${memory} GB; ${kernel}; ${fileSystem}; Node ${node}; ${date.slice(0, 10)}, load ${load} at the start`
}

function groupAsMarkdown({ name, tables, scalings = [] }: Group, pictures: Picture[]): string[] {
  const parts = [
    pictures.filter(({ group }) => group === name).flatMap(pictureAsMarkdown),
    tables.flatMap(tableAsMarkdown),
    scalings.flatMap(scalingAsMarkdown),
  ]
  return ['', `## ${name}`, ...parts.flat()]
}

function pictureAsMarkdown({ file, caption }: Picture): string[] {
  return ['', `![${caption}](../../${file})`]
}

function aimsAsMarkdown(aims: Aim[]): string[] {
  return grid(
    ['', '', 'aim', 'measured', 'samples', ''],
    aims.map(({ aim, text, limit, bound, measured, unit, samples, met }) => [
      aim === null ? '' : String(aim),
      text,
      `${bound === 'most' ? '≤' : '≥'} ${format(limit)} ${unit}`,
      `${format(measured)} ${unit}`,
      String(samples),
      met ? 'met' : '**not met**',
    ]),
    2,
  )
}

function tableAsMarkdown({ title, unit, note, rows, skipped = [] }: Table): string[] {
  const more = [...new Set(rows.flatMap((row) => Object.keys(row.more ?? {})))]
  return [
    '',
    `### ${title}`,
    '',
    ...(note ? [note, ''] : []),
    ...grid(
      ['', unit, 'ratio', 'samples', ...more],
      rows.map((row) => [
        nameOf(row),
        spread(row),
        row.ratio === null ? '' : format(row.ratio),
        String(row.samples),
        ...more.map((name) => (row.more?.[name] === undefined ? '' : format(row.more[name]))),
      ]),
    ),
    ...skipped.map((reason) => `\nSkipped: ${reason}.`),
  ]
}

function scalingAsMarkdown({
  title,
  along,
  alongBytes,
  unit,
  note,
  series,
  skipped = [],
}: Scaling): string[] {
  const places = [...new Set(series.flatMap(({ points }) => points.map(({ at }) => at)))].sort(
    (a, b) => a - b,
  )
  const cellAt = (place: number, { points }: Series): string => {
    const point = points.find(({ at }) => at === place)
    return point ? spread(point) : ''
  }
  const rows = places.map((place) =>
    [alongBytes ? inBytes(place) : inThousands(place)].concat(series.map((each) => cellAt(place, each))),
  )
  rows.push(['growth', ...series.map(growthAsText)])
  return [
    '',
    `### ${title}`,
    '',
    ...(note ? [note, ''] : []),
    ...grid([along, ...series.map((each) => `${nameOf(each)}, ${unit}`)], rows),
    ...skipped.map((reason) => `\nSkipped: ${reason}.`),
  ]
}

function growthAsText({ growth, exponent }: Series): string {
  return exponent === null ? growth : `${growth} (power ${exponent.toFixed(2)})`
}

function nameOf({ name, role }: Pick<Row, 'name' | 'role'>): string {
  return role === 'ours' ? `**${name}**` : role === 'floor' ? `${name} (floor)` : name
}

function spread({ median, low, high, samples }: Pick<Row, 'median' | 'low' | 'high' | 'samples'>): string {
  return samples > 1 ? `${format(median)} (${format(low)}–${format(high)})` : format(median)
}

function grid(head: string[], rows: string[][], texts = 1): string[] {
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, index) => (index < texts ? '---' : '---:'))), ...rows.map(line)]
}

/** Three significant digits. */
export function format(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return '–'
  if (value === 0 || Math.abs(value) >= 100) return inThousands(Math.round(value))
  return String(Number(value.toPrecision(3)))
}

/** 10 000: spaces between thousands, which no line break may part. */
export function inThousands(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, '\u00A0')
}

const UNITS = ['B', 'KB', 'MB', 'GB'] as const

/** Powers of 1024. */
export function inBytes(bytes: number): string {
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1)
  return `${inThousands(bytes / 1024 ** power)}\u00A0${UNITS[power]!}`
}
