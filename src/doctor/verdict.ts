/** The last line: what somebody who reads nothing else has to know. */
import type { DoctorReport, Finding, FindingLevel } from '../core/report.js'
import { lockerInForce } from './about-locks.js'

type Diagnosed = Omit<DoctorReport, 'verdict' | 'schema'>

export function verdictOn(report: Diagnosed): string {
  return `${health(report.findings)}; ${locks(report)}.`
}

function health(findings: Finding[]): string {
  const number = (level: FindingLevel): number => findings.filter((each) => each.level === level).length
  const [problems, warnings] = [number('problem'), number('warning')]
  const parts = [problems > 0 && plural(problems, 'problem'), warnings > 0 && plural(warnings, 'warning')]
  const found = parts.filter((part) => part !== false).join(' and ')
  return found === '' ? 'All is well' : found
}

function locks({ locker, second }: Diagnosed): string {
  if (locker === null) return 'of the locks nothing can be told'
  const inForce = lockerInForce(locker)
  if (inForce !== 'kernel' && inForce !== 'lockfile')
    return `the lock is ${inForce}, which excludes no other process`
  const name = inForce === 'kernel' ? 'the kernel lock' : 'the network lock'
  const uses = locker.recorded === null ? `a cache here would use ${name}` : `the cache uses ${name}`
  const measured = second?.sameDirectory ? second[inForce]! : locker[inForce]
  const where = second?.sameDirectory ? 'on both sides' : 'between processes'
  if (measured.excludes === null) return `${uses}, which could not be measured`
  return measured.excludes ? `${uses}, and it excludes ${where}` : `${uses}, and it EXCLUDES NOBODY ${where}`
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
