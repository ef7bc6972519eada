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
  const set: Record<string, string> = {}
  // Several presets may have a variable in common.
  const kept = new Set<string>()
  const directories = new Set<string>()
  for (const { variables } of presets)
    for (const [name, meaning] of Object.entries(variables)) {
      if (given[name] !== undefined) kept.add(name)
      else if (meaning.startsWith('=')) set[name] = meaning.slice(1)
      else {
        set[name] = `${slot}/${meaning}`
        directories.add(meaning)
      }
    }
  return { set, kept: [...kept], directories: [...directories] }
}
