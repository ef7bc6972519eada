/** Every picture that is drawn of a bench run: which figures it shows, and where it goes. */
import { conditions } from '../page.js'
import type { Group, Report, Scaling, Table } from '../report.js'
import { barsPanel } from './bars.js'
import { type LineOptions, linesPanel } from './lines.js'
import { type Panel, picture } from './picture.js'

export interface Picture {
  /** In whose section of the page it stands. */
  group: string
  /** From the repository's root. */
  file: string
  caption: string
  text: string
}

interface Plan {
  group: string
  name: string
  title: string
  /** What the figures are, beyond the machine. */
  how: string
  panels: (find: Find) => Panel[]
}

/** Of what was measured; `null` where it was not. */
interface Find {
  bars: (group: string, title: string, options: Parameters<typeof barsPanel>[1]) => Panel | null
  lines: (group: string, index: number, options: LineOptions) => Panel | null
}

const present = (panels: (Panel | null)[]): Panel[] => panels.filter((panel) => panel !== null)
const MEDIANS = 'Medians; the thin lines are the quartiles.'

const PLANS: Plan[] = [
  {
    group: 'one-key',
    name: 'one-key',
    title: 'N workers need one model that nobody has compiled',
    how: 'The compile takes 3 s of one core; the workers are started and wait at a barrier, and then all ask at once. A bare shared directory does as a directory per worker does: all look, nothing is there, all compile.',
    panels: ({ lines }) =>
      present([
        lines('one-key', 0, { head: 'until all have it', isSmall: true }),
        lines('one-key', 1, { head: 'CPU of all together', isSmall: true }),
      ]),
  },
  {
    group: 'lock',
    name: 'speed',
    title: 'What each step costs',
    how: `Logarithmic; shorter is better. Grey: the bare system calls. ${MEDIANS}`,
    panels: ({ bars }) =>
      present([
        bars('lock', 'Uncontended lock + release', {
          head: 'lock + release',
          rows: {
            withLock: 'cachelatch withLock',
            'open + flock + close': 'open + flock + close',
            'Go lockedfile': 'Go lockedfile',
            'python filelock': 'Python filelock',
            'proper-lockfile': 'proper-lockfile',
            'flock(1), a process a lock': 'flock(1), a process each',
          },
        }),
        bars('hit', 'A hit, 1 file', {
          head: 'hit: an entry of one small file is there',
          rows: {
            'getOrCompile + release': 'cachelatch getOrCompile',
            'open, fstat, read, parse, close, one lstat a file': 'read and parse the manifest, stat the file',
            'cacache.get': 'cacache get',
          },
        }),
        bars('publish', 'One file of 1 MB', {
          head: 'write 1 MB whole',
          rows: {
            writeFile: 'cachelatch writeFile',
            'open, write, fsync, rename, fsync of the parent':
              'open, write, fsync, rename, fsync of the parent',
            'write-file-atomic (fsync of the file only)': 'write-file-atomic: fsync of the file only',
            'cacache.put (hashed, no fsync)': 'cacache put: hashed, no fsync',
          },
        }),
        bars('succession', 'SIGKILL of the holder to the next holder', {
          head: 'kill -9 of the holder until the next one is inside',
          rows: {
            kernel: 'cachelatch',
            'blocking flock': 'a thread blocked in flock',
            'proper-lockfile, stale after 2 s': 'proper-lockfile, stale after 2 s',
          },
        }),
      ]),
  },
  {
    group: 'cold',
    name: 'cold',
    title: 'Eight workers, a real compiler, nothing compiled yet',
    how: `AssemblyScript compiles a small neural network; the demo's four ways. ${MEDIANS}`,
    panels: ({ bars }) =>
      present([
        bars('cold', 'workers, one model, nothing compiled yet', {
          head: 'until the last worker is ready',
          isLinear: true,
          rows: {
            'shared directory, no lock': 'shared directory, no lock',
            'a directory per worker': 'a directory per worker',
            cachelatch: 'cachelatch',
            'cachelatch, compiling worker killed': 'cachelatch, and the compiling worker is killed half-way',
          },
        }),
      ]),
  },
  {
    group: 'keys',
    name: 'keys',
    title: 'A cache of 1 to 100 000 entries',
    how: `Commands from start to end, Node included. ${MEDIANS}`,
    panels: ({ lines }) =>
      present([lines('keys', 0, { head: 'a hit' }), lines('keys', 1, { head: 'what looks at all entries' })]),
  },
  {
    group: 'sizes',
    name: 'sizes',
    title: 'One file, from 1 KB to gigabytes',
    how: `Publishing includes SHA-256 of every byte, and the floor does not. ${MEDIANS}`,
    panels: ({ lines }) =>
      present([lines('sizes', 0, { head: 'publishing' }), lines('sizes', 1, { head: 'a hit' })]),
  },
  {
    group: 'files',
    name: 'files',
    title: 'One entry of 1 to 50 000 files of 1 KB',
    how: `Publishing includes SHA-256 of every byte, and the floor does not; both keep 4 fsyncs in flight. ${MEDIANS}`,
    panels: ({ lines }) =>
      present([lines('files', 0, { head: 'publishing' }), lines('files', 1, { head: 'a hit' })]),
  },
]

export function picturesOf(report: Report): Picture[] {
  const find: Find = {
    bars: (group, title, options) => {
      const table = tablesOf(report, group).find((candidate) => candidate.title.includes(title))
      return table ? barsPanel(table, options) : null
    },
    lines: (group, index, options) => {
      const scaling = scalingsOf(report, group)[index]
      return scaling ? linesPanel(scaling, options) : null
    },
  }
  return PLANS.flatMap(({ group, name, title, how, panels }) => {
    const drawn = panels(find)
    if (drawn.length === 0) return []
    const text = picture(title, drawn, `${how} ${brief(report)}.`)
    return [{ group, file: `docs/pictures/${name}.svg`, caption: title, text }]
  })
}

/** The options of the mount stand on the page. */
function brief(report: Report): string {
  return conditions(report).replace(/ \([^()]*\)(?=; Node)/, '')
}

function groupOf({ groups }: Report, name: string): Group | undefined {
  return groups.find((group) => group.name === name)
}

function tablesOf(report: Report, group: string): Table[] {
  return groupOf(report, group)?.tables ?? []
}

function scalingsOf(report: Report, group: string): Scaling[] {
  return groupOf(report, group)?.scalings ?? []
}
