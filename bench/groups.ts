/** All groups, in the order in which they run. A group is loaded where it runs, in a process of its own. */
import type { Context } from './context.js'
import type { Group } from './report.js'

type RunGroup = (context: Context) => Promise<Group>

export const GROUPS: Record<string, () => Promise<RunGroup>> = {
  lock: async () => (await import('./groups/lock.js')).lockGroup,
  hit: async () => (await import('./groups/hit.js')).hitGroup,
  publish: async () => (await import('./groups/publish.js')).publishGroup,
  handover: async () => (await import('./groups/handover.js')).handoverGroup,
  succession: async () => (await import('./groups/succession.js')).successionGroup,
  'one-key': async () => (await import('./groups/one-key.js')).oneKeyGroup,
  'start-up': async () => (await import('./groups/start-up.js')).startUpGroup,
  workers: async () => (await import('./groups/workers.js')).workersGroup,
  cold: async () => (await import('./groups/cold.js')).coldGroup,
  keys: async () => (await import('./groups/keys.js')).keysGroup,
  sizes: async () => (await import('./groups/sizes.js')).sizesGroup,
  files: async () => (await import('./groups/files.js')).filesGroup,
  load: async () => (await import('./groups/load.js')).loadGroup,
}
