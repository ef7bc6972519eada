/** How often each operation ended how, by fault: the evidence, as a table. */
import type { Case } from './cases.js'
import { FAULTS } from './faults.js'
import type { Ended } from './operation.js'

export class Tally {
  /** By operation, by fault, by outcome. */
  readonly #counts = new Map<string, Map<string, Map<string, number>>>()

  add({ operation, fault }: Case, { outcome, error }: Ended): void {
    const word = error === undefined ? outcome : (error as { code: string }).code
    const byFault = known(this.#counts, operation.name, () => new Map<string, Map<string, number>>())
    const byOutcome = known(byFault, fault.name, () => new Map<string, number>())
    byOutcome.set(word, (byOutcome.get(word) ?? 0) + 1)
  }

  /** A row for each operation, a column for each fault: `compiled 40, private 12`. */
  asMarkdown(): string {
    const faults = FAULTS.map(({ name }) => name)
    const rows = [...this.#counts].map(([operation, byFault]) =>
      [operation].concat(faults.map((fault) => inWords(byFault.get(fault) ?? new Map()))),
    )
    const lines = [['operation', ...faults], faults.map(() => '---').concat('---'), ...rows]
    return lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('')
  }
}

function inWords(byOutcome: ReadonlyMap<string, number>): string {
  return [...byOutcome].map(([outcome, count]) => `${outcome} ${count}`).join(', ')
}

function known<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const value = map.get(key) ?? make()
  map.set(key, value)
  return value
}
