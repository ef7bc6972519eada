/**
 * What long work says on stderr meanwhile: on a terminal one line that is redrawn, after a second; else a line every ten
 * seconds; nothing with --quiet.
 */
import { formatSize } from './quantities.js'

const DRAW_AFTER_MS = 1_000
const REDRAW_EVERY_MS = 200
const SAY_EVERY_MS = 10_000

export interface Progress {
  /** What to say from now on; called anew whenever it is said. */
  show(line: () => string): void
  /** Nothing more: what was drawn is erased. */
  hide(): void
}

const SILENT: Progress = { show: () => undefined, hide: () => undefined }

/** @param firstAfterMs how long the work must have taken before anything is said of it, where that is not as above */
export async function startProgress(quiet: boolean, firstAfterMs?: number): Promise<Progress> {
  if (quiet) return SILENT
  const isTerminal = process.stderr.isTTY && process.env['TERM'] !== 'dumb'
  if (!isTerminal)
    return new Line(
      firstAfterMs ?? SAY_EVERY_MS,
      SAY_EVERY_MS,
      (text) => void process.stderr.write(`${text}\n`),
    )
  const { createLogUpdate } = await import('log-update')
  // The cursor stays: nobody would bring it back after kill -9.
  const draw = createLogUpdate(process.stderr, { showCursor: true })
  return new Line(firstAfterMs ?? DRAW_AFTER_MS, REDRAW_EVERY_MS, draw, () => draw.clear())
}

class Line implements Progress {
  #line: (() => string) | undefined
  #dueAt: number
  #timer: NodeJS.Timeout | undefined

  constructor(
    firstAfterMs: number,
    readonly everyMs: number,
    readonly say: (text: string) => void,
    readonly erase: () => void = () => undefined,
  ) {
    this.#dueAt = performance.now() + firstAfterMs
  }

  show(line: () => string): void {
    this.#line = line
    this.#timer ??= setInterval(() => this.#sayIfDue(), REDRAW_EVERY_MS).unref()
    // Work that does not let timers run tells of its progress all the same.
    this.#sayIfDue()
  }

  hide(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#line = undefined
    this.erase()
  }

  #sayIfDue(): void {
    const now = performance.now()
    if (this.#line === undefined || now < this.#dueAt) return
    this.#dueAt = now + this.everyMs
    this.say(this.#line())
  }
}

/** `1.2 GB of 3.4 GB (35 %)`. */
export function describeBytes(done: number, total: number): string {
  const share = total === 0 ? 100 : Math.floor((100 * done) / total)
  return `${formatSize(done)} of ${formatSize(total)} (${share} %)`
}
