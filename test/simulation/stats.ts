/** What lstat(2) tells of a file. */
import fs from 'node:fs'
import type { Stats } from '../../src/host/disk.js'
import type { Inode } from './volume.js'

const { S_IFREG, S_IFDIR, S_IFLNK } = fs.constants

const FORMAT = { file: S_IFREG, directory: S_IFDIR, link: S_IFLNK }

export function kindOf({ kind }: Inode): Pick<Stats, 'isFile' | 'isDirectory' | 'isSymbolicLink'> {
  return {
    isFile: () => kind === 'file',
    isDirectory: () => kind === 'directory',
    isSymbolicLink: () => kind === 'link',
  }
}

export function statsOf(inode: Inode, dev: number): Stats {
  const { ino, kind, mode, uid, links, mtimeMs, ctimeMs, bytes } = inode
  const times = { mtimeMs, ctimeMs, mtime: new Date(mtimeMs), ctime: new Date(ctimeMs) }
  const size = kind === 'file' ? bytes.length : 4096
  return {
    ino,
    dev,
    mode: mode | FORMAT[kind],
    uid,
    nlink: kind === 'directory' ? 2 + inode.names.size : links,
    size,
    ...times,
    ...kindOf(inode),
  } as unknown as Stats
}
