/** What a person must know without having asked, told on stderr. */
import { printableLines } from '../core/printable.js'
import { errnoOf } from './disk-errors.js'

/** A process warning: on stderr, unless the program listens to 'warning' or was started with --no-warnings. */
export function warn(message: string, code: string): void {
  process.emitWarning(printableLines(message), { type: 'CachelatchWarning', code })
}

/** A name is there, and others see it: so a failed fsync fails nobody, but it may be gone after a power cut. */
export function warnNotDurable(directory: string, error: unknown): void {
  const code = errnoOf(error) ?? 'an error'
  warn(
    `What was published may not survive a power cut: fsync of ${directory} failed with ${code}.`,
    'CACHELATCH_NOT_DURABLE',
  )
}
