/** A family of caches that no program has: all kinds of units, and files with absolute paths. */
import type { Preset } from '../../src/launch/preset.js'

/** Directories of files that belong together, files that stand alone, and an index that names paths. */
export const TESTED: Preset = {
  name: 'tested',
  about: 'no program has it',
  variables: { GROUPS_DIR: 'groups', SINGLES_DIR: 'singles', TESTED_MODE: '=shared' },
  units: ['groups/*', 'deep/*/rank_*'],
  temporary: ['**/*.tmp', '**/tmp.*', '**/.lock'],
  absolute: ['groups/*/index.json'],
  checked: 'never',
}
