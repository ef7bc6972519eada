/** An owner of whom everything is known, for tests of what is recorded of one. */
import type { Owner } from '../../src/core/owner.js'

export const SOME_OWNER: Owner = {
  pid: 41,
  startTime: '500',
  bootId: 'boot',
  pidNamespace: 'pid:[1]',
  host: 'node7',
  command: 'python serve.py',
  since: 1,
}
