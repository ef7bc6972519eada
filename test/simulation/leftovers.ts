/** What may be left of a cache when nobody uses it and gc has been there; all else is somebody's leftover. */
import type { Inode } from './volume.js'
import { type World, find } from './world.js'

const MAY_STAY = [
  /^v1$/,
  /^v1\/(format\.json|locks|stage|entries|attempts|pins|trash|slots|snapshots|stats)$/,
  /^v1\/locks\/[^/]+\.lock$/,
  /^v1\/entries\/[0-9a-f]{2}(\/[0-9a-f]{64}(\/.*)?)?$/,
  /^v1\/slots\/[^/]+(\/(host\d\.)?\d{3}(\.ended-well\.json|\/.*)?)?$/,
  /^v1\/snapshots\/[^/]+(\/[0-9a-f]{2}(\/[0-9a-f]{64}(\/.*)?)?)?$/,
  /^v1\/stats\/[^/]+\.ndjson$/,
  // What became of the last build, as long as there is no entry.
  /^v1\/attempts\/[0-9a-f]{64}\.json$/,
]

export function leftoversIn(world: World, root: string): string[] {
  const top = find(world.shared, root)
  return top === null ? [] : [...pathsIn(top, '')].filter((path) => !MAY_STAY.some((form) => form.test(path)))
}

function* pathsIn(directory: Inode, prefix: string): Generator<string> {
  for (const [name, inode] of directory.names) {
    yield prefix + name
    yield* pathsIn(inode, `${prefix}${name}/`)
  }
}
