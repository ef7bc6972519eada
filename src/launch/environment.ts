/** The variables of presets: which of them a worker gets. What the user has set wins, and is named. */
import type { Preset } from './preset.js'

export interface WorkerEnvironment {
  /** What is added to the worker's environment. */
  set: Record<string, string>
  /** Variables that were left as the user has set them. */
  kept: string[]
  /** Directories below the slot that must be there. */
  directories: string[]
}

export function environmentFor(
  presets: readonly Preset[],
  slot: string,
  given: Readonly<Record<string, string | undefined>>,
): WorkerEnvironment {
  const environment: WorkerEnvironment = { set: {}, kept: [], directories: [] }
  for (const { variables } of presets)
    for (const [name, meaning] of Object.entries(variables)) {
      if (given[name] !== undefined) environment.kept.push(name)
      else if (meaning.startsWith('=')) environment.set[name] = meaning.slice(1)
      else {
        environment.set[name] = `${slot}/${meaning}`
        environment.directories.push(meaning)
      }
    }
  return environment
}
