/** The other side of world-thread.ts. */
import { parentPort } from 'node:worker_threads'
import { type Order, simulate } from './simulate.js'

parentPort!.on('message', (order: Order) => {
  void simulate(order).then((told) => parentPort!.postMessage(told))
})
