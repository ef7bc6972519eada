/** Node's calls to a file system, by name, in libuv's pool. Not its own promises: those wrap every descriptor. */
import fs from 'node:fs'

type Callback = (error: Error | null, result?: unknown) => void

const calls = fs as unknown as Record<string, (...args: unknown[]) => void>

/** Resolves to the first thing that the call reports: of `read` and `write`, how many bytes. */
export function inPool(name: string, ...args: unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const settle: Callback = (error, result) => (error ? reject(error) : resolve(result))
    calls[name]!(...args, settle)
  })
}
