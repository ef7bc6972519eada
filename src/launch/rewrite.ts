/**
 * Absolute paths inside known text files. In a snapshot the slot's own path is a token: a copy that still named the
 * slot it came from would be cold at best (Triton's groups), and at worst read another worker's files.
 */
import type { Disk, Stats } from '../host/disk.js'

/** Stands for the slot's path. No program writes it; one that finds it unchanged looks for a file that is not there. */
export const SLOT_TOKEN = '/@cachelatch-slot@'
/** The same where the path was written as in a JSON string: Python's json.dumps makes `\\u00f6` of an ö. */
const ESCAPED_TOKEN = '/@cachelatch-slot-escaped@'

/** What is longer is no index of paths. */
const MAX_BYTES = 64 * 1024 * 1024

/** Copies the file with `from` replaced by `to`; as it is where `from` does not occur. Keeps mode and time. */
export async function copyRewritten(
  disk: Disk,
  source: string,
  target: string,
  { from, to }: { from: string; to: string },
): Promise<void> {
  const { bytes, stats } = await readWhole(disk, source)
  const pairs = [
    { old: from, replacement: to },
    { old: escaped(from), replacement: escaped(to) },
  ]
  if (bytes === null || !pairs.some(({ old }) => bytes.includes(old))) return copyFile(disk, source, target)
  let text = bytes.toString('latin1')
  for (const { old, replacement } of pairs)
    text = text.replaceAll(wholeName(asBytes(old)), () => asBytes(replacement))
  const fd = await disk.createExclusive(target, stats.mode & 0o7777)
  try {
    await disk.write(fd, Buffer.from(text, 'latin1'))
  } finally {
    await disk.close(fd)
  }
  await disk.chmod(target, stats.mode & 0o7777)
  await disk.utimes(target, stats.mtimeMs / 1000)
}

/** latin1 keeps every byte as it is, whatever the file's encoding. */
function asBytes(text: string): string {
  return Buffer.from(text).toString('latin1')
}

function escaped(path: string): string {
  if (path === SLOT_TOKEN) return ESCAPED_TOKEN
  return JSON.stringify(path)
    .slice(1, -1)
    .replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** With its mode, and with its time: ninja and make go by it. */
export async function copyFile(disk: Disk, source: string, target: string, mtimeMs?: number): Promise<void> {
  await disk.copy(source, target)
  await disk.utimes(target, (mtimeMs ?? (await disk.lstat(source)).mtimeMs) / 1000)
}

/** `/slots/x/1`, and not the start of `/slots/x/10`. */
function wholeName(path: string): RegExp {
  return new RegExp(`${path.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')}(?![A-Za-z0-9_-])`, 'g')
}

async function readWhole(disk: Disk, path: string): Promise<{ bytes: Buffer | null; stats: Stats }> {
  const fd = await disk.openRead(path)
  try {
    const stats = await disk.fstat(fd)
    if (stats.size > MAX_BYTES) return { bytes: null, stats }
    const bytes = Buffer.alloc(stats.size)
    return { bytes: bytes.subarray(0, await disk.read(fd, bytes, 0)), stats }
  } finally {
    await disk.close(fd)
  }
}
