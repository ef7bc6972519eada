/**
 * What cachelatch knows of one family of compile caches, as data. `presets/` has ours; a user's own is the same in
 * JSON (preset-file.ts).
 *
 * Patterns are paths below the slot: `?` is one character of a name, `[0-9]` one of these, `*` any number of characters,
 * and `**` as a whole name any number of names. What lies below a match belongs to it.
 */

export interface Preset {
  /** Lower case, digits, `-`. Every path of the preset begins with it, so no two presets want the same place. */
  name: string
  /** Whose cache it is, in a few words. */
  about: string
  /** The variable, and the directory in the slot that it names, or, with `=`, the value that it gets as it is. */
  variables: Readonly<Record<string, string>>
  /** Presets that are always set with this one. */
  includes?: readonly string[]
  /** What is published whole, and never mixed from two workers; the first match decides. What matches none is by itself. */
  units: readonly string[]
  /** The program's drafts and locks: never published. */
  temporary?: readonly string[]
  /** What is worth something only on this host, or at this very path: stays in the slot, never published. */
  bound?: readonly string[]
  /** Text files in which the slot's own path is replaced by that of the slot seeded. */
  absolute?: readonly string[]
  /** The versions that this was checked with, and how: by running them, or by reading their source. */
  checked: string
}
