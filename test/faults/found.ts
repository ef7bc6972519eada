/** The bugs that the n-th fault has found: which call of which operation, and how it fails. Tried in every run. */
export interface Found {
  operation: string
  /** Of all calls of this name, each. */
  call: string
  fault: string
  /** What became of it. */
  was: string
}

export const FOUND: readonly Found[] = [
  {
    operation: 'choose a locker',
    call: 'open',
    fault: 'EMFILE',
    was: 'of the two descriptors of the probe, the first stayed open',
  },
  {
    operation: 'lock',
    call: 'fstat',
    fault: 'EIO',
    was: 'a lock file that could not be looked at stayed open',
  },
  {
    operation: 'lock',
    call: 'flock',
    fault: 'EIO from then on',
    was: 'a lock whose unlocking failed stayed taken, until the process ended',
  },
  {
    operation: 'lock',
    call: 'close',
    fault: 'EIO from then on',
    was: 'a lock file that was closed later threw in a timer, which ended the process',
  },
  {
    operation: 'gc',
    call: 'flock',
    fault: 'EIO',
    was: 'a stage that could not be claimed stayed open, and its lock taken',
  },
  { operation: 'ls', call: 'readdir', fault: 'EIO', was: 'what the caller got was a raw error' },
  { operation: 'stats', call: 'fstat', fault: 'EIO', was: 'a file of statistics stayed open' },
  {
    operation: 'hit, every byte checked',
    call: 'open',
    fault: 'ESTALE',
    was: 'the manifest of an entry that could not be read stayed open, and with it its pin',
  },
  {
    operation: 'compile',
    call: 'rename',
    fault: 'EBUSY',
    was: 'the worker got the error instead of a private result: so with every errno that was on no list',
  },
  {
    operation: 'compile privately',
    call: 'mkdtemp',
    fault: 'ENOSPC',
    was: 'a temporary directory that refuses as well was a raw error',
  },
  {
    operation: 'compile privately',
    call: 'flock',
    fault: 'EIO',
    was: 'a private directory that could not be locked stayed',
  },
  {
    operation: 'replace a directory in two steps',
    call: 'rename',
    fault: 'EIO, and it was done',
    was: 'the directory was lost: the old one was away, and the new one never placed',
  },
]
