/** What this machine brings along. */
import type { Finding } from '../core/report.js'
import { findingsOf } from './finding.js'

const { ok, note, warning } = findingsOf('machine')

export interface Machine {
  koffi: boolean
  flockCommand: boolean
}

export function aboutMachine({ koffi, flockCommand }: Machine): Finding[] {
  const node = ok('node', 'Node', `${process.version} on ${process.platform} ${process.arch}`)
  if (!koffi && !flockCommand)
    return [
      node,
      warning(
        'kernel-lock',
        'kernel lock',
        'neither koffi nor flock(1) is here, so every cache gets the network lock: slower, and a dead holder is waited for',
        'Install util-linux (flock), or cachelatch with its optional dependency koffi.',
      ),
    ]
  return [
    node,
    koffi
      ? ok('koffi', 'koffi', 'is here: an uncontended lock takes microseconds')
      : note('koffi', 'koffi', 'is not here: a lock takes milliseconds, by flock(1)'),
    flockCommand
      ? ok('flock-command', 'flock(1)', 'is here: waiting costs no CPU')
      : note('flock-command', 'flock(1)', 'is not here: waiters look 40 times a second'),
  ]
}
