/**
 * How an entry was obtained: `hit`, it was there; `compiled`, this call built it; `waited`, another one did while this
 * call waited; `private`, the cache could not be used and this call built it for itself.
 */
export type Outcome = 'hit' | 'compiled' | 'waited' | 'private'
