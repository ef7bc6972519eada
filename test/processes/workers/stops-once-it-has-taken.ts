/**
 * Preloaded into a worker: its process stops when the heartbeat thread has renamed its directory to that of the lock
 * for the first time, and goes on from there when it is told to.
 */
import fs from 'node:fs'
import { isMainThread } from 'node:worker_threads'

if (!isMainThread) {
  const { rename } = fs
  let hasStopped = false
  fs.rename = ((from: string, to: string, callback: fs.NoParamCallback) =>
    rename(from, to, (error) => {
      if (!error && !hasStopped) {
        hasStopped = true
        process.kill(process.pid, 'SIGSTOP')
      }
      callback(error)
    })) as typeof fs.rename
}
