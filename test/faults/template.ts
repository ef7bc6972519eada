/**
 * A directory as it was made once, laid out anew for each case: building it takes ten times as long. With modes, and as
 * old as it was then: for those who collect by age, an hour stays an hour however long the run takes.
 */
import assert from 'node:assert/strict'
import {
  chmodSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

interface Laid {
  mode: number
  ageMs: number
}

type Kind = { content: Buffer } | { target: string } | { names: [string, Node][] }
type Node = Laid & Kind

export class Template {
  readonly #made: Node

  /** @param from where the template is; what names itself in there (a worker's index) gets the new name */
  constructor(private readonly from: string) {
    this.#made = load(from, Date.now())
  }

  /** @param root a name as long as the first, so that every size stays as it was */
  layOut(root: string): void {
    assert.equal(root.length, this.from.length)
    const now = Date.now()
    const lay = (path: string, node: Node): void => {
      if ('target' in node) symlinkSync(node.target, path)
      else if ('content' in node) writeFileSync(path, this.#renamed(node.content, root))
      else {
        mkdirSync(path)
        for (const [name, below] of node.names) lay(join(path, name), below)
      }
      if (!('target' in node)) chmodSync(path, node.mode)
      const then = (now - node.ageMs) / 1000
      lutimesSync(path, then, then)
    }
    lay(root, this.#made)
  }

  #renamed(content: Buffer, root: string): Buffer {
    if (!content.includes(this.from)) return content
    return Buffer.from(content.toString('latin1').replaceAll(this.from, root), 'latin1')
  }
}

function load(path: string, now: number): Node {
  const stats = lstatSync(path)
  const laid = { mode: stats.mode & 0o7777, ageMs: now - stats.mtimeMs }
  if (stats.isSymbolicLink()) return { ...laid, target: readlinkSync(path) }
  if (stats.isDirectory())
    return { ...laid, names: readdirSync(path).map((name) => [name, load(join(path, name), now)]) }
  assert.ok(stats.isFile() && stats.nlink === 1, `${path} cannot be made again`)
  return { ...laid, content: readFileSync(path) }
}
