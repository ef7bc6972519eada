/**
 * What cachelatch knows of one family of compile caches, as data. `presets/` has ours; a user's own is the same in
 * JSON (preset-file.ts).
 */

export interface Preset {
  name: string
  /** The variable, and the directory in the slot that it names, or, with `=`, the value that it gets as it is. */
  variables: Record<string, string>
  /** Presets that are always set with this one. */
  includes?: readonly string[]
  /**
   * What is published whole, and never mixed from two workers. Paths below the slot; `*` stands for one name. What
   * lies below a match belongs to it; a file that nothing matches is a unit of its own.
   */
  units: readonly string[]
  /** Names, with `*` for any part of one: never published, wherever they stand. */
  temporary: readonly string[]
  /** Text files, as `units` are written, in which the slot's own path is replaced by that of the slot seeded. */
  absolute?: readonly string[]
  /** The versions that this was checked with. */
  checked: string
}
