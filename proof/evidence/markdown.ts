/** Tables and conditions, as the pages have them. */
import type { Machine } from '../../bench/machine.js'

export function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Of the runs that a page is about: machines, kernels and days, each once. */
export function conditions(machines: Machine[]): string {
  const each = (of: (machine: Machine) => string): string => [...new Set(machines.map(of))].join(', ')
  return [
    each(({ kernel }) => kernel),
    `Node ${each(({ node }) => node)}`,
    each(({ cpu, cores }) => `${cpu}, ${cores} cores`),
    each(({ date }) => date.slice(0, 10)),
  ].join('; ')
}
