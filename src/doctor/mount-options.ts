/** Mount options that matter to a cache: what each of them means for it. Sources: mount(8), nfs(5), mount.lustre(8), ext4(5). */
import type { Finding } from '../core/report.js'
import type { FileSystem } from '../host/filesystem.js'
import { findingsOf } from './finding.js'

const { note, warning } = findingsOf('place')

interface Meaning {
  types: RegExp
  option: RegExp
  level: 'note' | 'warning'
  means: string
  advice?: string
}

const MEANINGS: Meaning[] = [
  {
    types: /./,
    option: /^noexec$/,
    level: 'warning',
    means: 'libraries in the cache cannot be loaded from it',
    advice: 'Mount it without noexec, where workers load what they have compiled (.so files) from the cache.',
  },
  {
    types: /^nfs/,
    option: /^(nolock|local_lock=(all|flock))$/,
    level: 'note',
    means: 'flock excludes nobody on other hosts; the network lock does not need it',
  },
  {
    types: /^nfs/,
    option: /^soft(err|reval)?$/,
    level: 'warning',
    means: 'a slow server makes writes fail with EIO',
    advice: 'Mount it with hard: then calls wait for the server, and builds do not fail.',
  },
  {
    types: /^nfs/,
    option: /^(noac|lookupcache=none|actimeo=0)$/,
    level: 'note',
    means: 'every look goes to the server: hits are slow',
  },
  {
    types: /^lustre$/,
    option: /^(localflock|noflock)$/,
    level: 'note',
    means: 'flock excludes nobody on other hosts; the network lock does not need it',
  },
  {
    types: /^ext[34]$/,
    option: /^(nobarrier|barrier=0|data=writeback)$/,
    level: 'warning',
    means: 'after a power cut, a published entry may be damaged',
    advice: "Mount it without this option, or run 'cachelatch verify --quarantine' after every power cut.",
  },
  {
    types: /./,
    option: /^(sync|dirsync)$/,
    level: 'note',
    means: 'every call waits for the device: publishing is slow',
  },
]

export function aboutMountOptions({ type, options }: FileSystem): Finding[] {
  const meaning = MEANINGS.filter(({ types }) => types.test(type))
  return [...new Set(options)].flatMap((option) =>
    meaning
      .filter((each) => each.option.test(option))
      .map(({ level, means, advice }) =>
        (level === 'note' ? note : warning)('mount-option', `mount option ${option}`, means, advice),
      ),
  )
}
