/**
 * Where tests make their directories: among the temporary files; or on the file system that is to be tried, in
 * CACHELATCH_TEST_DIR. `npm run evidence` runs suites on many.
 *
 * CACHELATCH_TEST_OTHER_DIR is a second mount of the same. Then every other worker is as on a host of its own: in its
 * mount namespace the second mount stands under the name of the first, and its directory of gates is empty.
 */
import { tmpdir } from 'node:os'

/** Not the system's: whatever else a host keeps among its temporary files, such as gates, stays where it is. */
export const WORKPLACE = process.env['CACHELATCH_TEST_DIR'] ?? tmpdir()

/** On a file system that is small, and no place for gigabytes. */
export const IS_ELSEWHERE = process.env['CACHELATCH_TEST_DIR'] !== undefined

const OTHER_MOUNT = process.env['CACHELATCH_TEST_OTHER_DIR']

export const HAS_TWO_HOSTS = OTHER_MOUNT !== undefined

/** Runs the command behind it on the second host. */
export const ON_THE_OTHER_HOST: string[] = OTHER_MOUNT === undefined ? [] : otherHost(WORKPLACE, OTHER_MOUNT)

/** A launcher that runs the command behind it where `other` is found in the place of `place`. As root. */
export function otherHost(place: string, other: string): string[] {
  const script = `mount --bind "$1" "$2" && shift 2 &&
    { [ -z "$CACHELATCH_GATE_DIR" ] || mount -t tmpfs none "$CACHELATCH_GATE_DIR"; } && exec "$@"`
  return ['unshare', '--mount', 'sh', '-c', script, 'sh', other, place]
}
