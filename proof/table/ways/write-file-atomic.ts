/** No lock, each file by write-file-atomic. */
import { mkdirSync } from 'node:fs'
import writeFileAtomic from 'write-file-atomic'
import { isThere } from '../artefact.js'
import type { Way } from './way.js'

export const way: Way = {
  async obtain(place, compile) {
    const directory = `${place}/model`
    if (isThere(directory)) return directory
    mkdirSync(directory, { recursive: true })
    let content: Uint8Array[] = []
    for await (const { file, bytes, isLast } of compile()) {
      content.push(bytes)
      if (!isLast) continue
      await writeFileAtomic(`${directory}/${file}`, Buffer.concat(content))
      content = []
    }
    return directory
  },
}
